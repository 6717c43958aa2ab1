--- first and last names
-- Revision ID: 002
-- Revises: 001
-- Create Date: 2025-03-04 10:00:00+00:00
--
-- A name is split at its last space: "Ada King" and "Mary Ann Evans" come out right, and whatever
-- is split comes together again to the same text. A name of one word has no first name: NULL, not
-- the empty text, which is what stands before the space of " Smith".

revision = "002"
down_revision = "001"

local first <const> = "substring(name FROM '^(.*) [^ ]*$')"
local last <const> = "substring(name FROM '[^ ]*$')"

function upgrade()
  op.add_column("people", op.column("first_name", "text"))
  op.add_column("people", op.column("last_name", "text"))

  -- The old application writes name, the new one the two: whichever was changed, the other follows.
  -- The condition spares the rows where both say the same, those of the batches below among them.
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

  op.batch_execute("people_names", {
    table = "people",
    set = { first_name = op.sql(first), last_name = op.sql(last) },
    remaining = "last_name IS NULL",
  })
  op.step("prove that everybody has a name", function()
    op.validate_constraint("ck_people_last_name", "people")
  end)
end

function downgrade()
  op.drop_trigger("names", "people")
  op.drop_function("people_names", {})
  op.drop_column("people", "last_name") -- name has been kept up all the time
  op.drop_column("people", "first_name")
end
