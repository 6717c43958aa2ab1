--- contract: users.is_admin
-- Revision ID: 004
-- Revises: 003
-- Create Date: 2025-04-01 10:00:00+00:00
--
-- With release 3, when no release 1 runs any more. Trigger and column in one transaction: with one
-- gone and the other there, every INSERT would fail.

revision = "004"
down_revision = "003"

function upgrade()
  op.drop_trigger("role", "users")
  op.drop_function("users_role", {})
  -- luamig: ignore COMPAT002 no release names it since 003; role says the same
  op.drop_column("users", "is_admin")
end

function downgrade()
  -- The table as release 1 wants it: the column with its default, the trigger, the old values.
  op.add_column("users", op.column("is_admin", "boolean", { nullable = false, default = false }))
  op.create_function("users_role", {}, { returns = "trigger", language = "plpgsql", body = [[
BEGIN
  IF NEW.role IS NULL
     OR TG_OP = 'UPDATE' AND NEW.role = OLD.role AND NEW.is_admin <> OLD.is_admin THEN
    NEW.role := CASE WHEN NEW.is_admin THEN 'admin' ELSE 'member' END;
  ELSE
    NEW.is_admin := NEW.role = 'admin';
  END IF;
  RETURN NEW;
END]] })
  op.create_trigger("role", "users", {
    timing = "before", events = { "insert", "update" }, for_each = "row", execute = "users_role",
    when = "NEW.role IS DISTINCT FROM CASE WHEN NEW.is_admin THEN 'admin' ELSE 'member' END" })
  op.batch_execute("users_is_admin", {
    table = "users",
    set = { is_admin = true },
    remaining = "role = 'admin' AND NOT is_admin",
  })
end
