--- drop people.name
-- Revision ID: 003
-- Revises: 002
-- Create Date: 2025-03-18 10:00:00+00:00
--
-- When no application runs any more that reads or writes name.

revision = "003"
down_revision = "002"

function upgrade()
  op.alter_column("people", "last_name", { nullable = false }) -- proven by the check
  op.drop_constraint("ck_people_last_name", "people")
  op.drop_trigger("names", "people")
  op.drop_function("people_names", {})
  -- luamig: ignore COMPAT002 no release names it any more; the two make it up again
  op.drop_column("people", "name")
end

function downgrade()
  op.add_column("people", op.column("name", "text"))
  op.create_function("people_names", {}, { returns = "trigger", language = "plpgsql", body = [[
BEGIN
  IF NEW.last_name IS NULL OR NEW.name IS DISTINCT FROM OLD.name THEN
    NEW.first_name := substring(NEW.name FROM '^(.*) [^ ]*$');
    NEW.last_name := substring(NEW.name FROM '[^ ]*$');
  ELSE
    NEW.name := coalesce(NEW.first_name || ' ', '') || NEW.last_name;
  END IF;
  RETURN NEW;
END]] })
  op.create_trigger("names", "people", {
    timing = "before", events = { "insert", "update" }, for_each = "row", execute = "people_names",
    when = "NEW.name IS DISTINCT FROM coalesce(NEW.first_name || ' ', '') || NEW.last_name" })
  op.create_check_constraint("ck_people_last_name", "people", "last_name IS NOT NULL",
    { not_valid = true })
  op.create_check_constraint("ck_people_name", "people", "name IS NOT NULL", { not_valid = true })

  op.batch_execute("people_names_together", {
    table = "people",
    set = { name = op.sql("coalesce(first_name || ' ', '') || last_name") },
    remaining = "name IS NULL",
  })
  op.step("prove that everybody has a name", function()
    op.validate_constraint("ck_people_name", "people")
    op.validate_constraint("ck_people_last_name", "people")
  end)
  op.alter_column("people", "name", { nullable = false })
  op.drop_constraint("ck_people_name", "people")
  op.alter_column("people", "last_name", { nullable = true })
end
