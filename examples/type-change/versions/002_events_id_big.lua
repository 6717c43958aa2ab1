--- events.id_big
-- Revision ID: 002
-- Revises: 001
-- Create Date: 2025-03-04 10:00:00+00:00
--
-- 2,147,483,647 is not far away. To change the type of the key in place would write the table and
-- its indexes anew, while everybody waits. So a second column grows beside it.

revision = "002"
down_revision = "001"

function upgrade()
  op.add_column("events", op.column("id_big", "bigint"))
  op.create_function("events_id_big", {}, { returns = "trigger", language = "plpgsql", body = [[
BEGIN
  NEW.id_big := NEW.id;
  RETURN NEW;
END]] })
  op.create_trigger("id_big", "events", {
    timing = "before", events = { "insert", "update" }, for_each = "row",
    execute = "events_id_big", when = "NEW.id_big IS DISTINCT FROM NEW.id" })
  op.create_check_constraint("ck_events_id_big", "events", "id_big IS NOT NULL",
    { not_valid = true })
  op.backfill("events_id_big", {
    table = "events",
    set = { id_big = op.sql("id") },
    remaining = "id_big IS NULL",
    vacuum_every = 0.1,
  })
end

function downgrade()
  op.drop_trigger("id_big", "events")
  op.drop_function("events_id_big", {})
  op.drop_column("events", "id_big")
end
