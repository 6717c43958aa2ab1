--- events.id_big is a key
-- Revision ID: 003
-- Revises: 002
-- Create Date: 2025-03-18 10:00:00+00:00
--
-- Everything that reads the table, before the moment in which nobody may. The index comes after the
-- rows: with it, each of their updates would have cost twice.

revision = "003"
down_revision = "002"

function upgrade()
  op.require_backfill("events_id_big")
  op.create_index("events_id_big_key", "events", { "id_big" },
    { unique = true, concurrently = true })
  op.step("prove that every row has it", function()
    op.validate_constraint("ck_events_id_big", "events")
  end)
  op.alter_column("events", "id_big", { nullable = false }) -- proven: nothing is read
  op.drop_constraint("ck_events_id_big", "events")
end

function downgrade()
  op.drop_index("events_id_big_key", { concurrently = true })
  op.create_check_constraint("ck_events_id_big", "events", "id_big IS NOT NULL",
    { not_valid = true })
  op.alter_column("events", "id_big", { nullable = true })
end
