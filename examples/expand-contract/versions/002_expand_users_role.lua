--- expand: users.role
-- Revision ID: 002
-- Revises: 001
-- Create Date: 2025-03-04 10:00:00+00:00
--
-- With release 1, which knows is_admin, and some time before release 2, which knows role. A trigger
-- keeps the two the same, whoever writes; what was there before follows by `luamig backfill run`.

revision = "002"
down_revision = "001"

function upgrade()
  -- Column, trigger and check in one transaction: no row comes in between without its role. Role
  -- counts, unless it was is_admin that was written.
  op.add_column("users", op.column("role", "text"))
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
  -- Called only where the two do not say the same: not for the rows of the backfill.
  op.create_trigger("role", "users", {
    timing = "before", events = { "insert", "update" }, for_each = "row", execute = "users_role",
    when = "NEW.role IS DISTINCT FROM CASE WHEN NEW.is_admin THEN 'admin' ELSE 'member' END" })
  op.create_check_constraint("ck_users_role", "users",
    "role IS NOT NULL AND role IN ('admin', 'member')", { not_valid = true })

  op.backfill("users_role", {
    table = "users",
    set = { role = op.sql("CASE WHEN is_admin THEN 'admin' ELSE 'member' END") },
    remaining = "role IS NULL",
    throttle = { replication_lag = "5s", waiters = 3 },
  })
end

function downgrade()
  op.drop_trigger("role", "users")
  op.drop_function("users_role", {})
  op.drop_column("users", "role") -- is_admin says the same
end
