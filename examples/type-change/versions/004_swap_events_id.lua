--- swap events.id
-- Revision ID: 004
-- Revises: 003
-- Create Date: 2025-03-19 10:00:00+00:00
--
-- The two change places, in one transaction that writes nothing but the catalogue: who comes after
-- it finds `id` with the same values and room for more. Foreign keys that lead here are swapped in
-- the same transaction, each to a column that was filled in the same way.
--
-- The old column is kept up as long as ids fit into it. Until one does not, there is a way back.

revision = "004"
down_revision = "003"

local small <const> = "CASE WHEN NEW.id BETWEEN -2147483648 AND 2147483647 THEN NEW.id END"

function upgrade()
  op.drop_trigger("id_big", "events")
  op.drop_function("events_id_big", {})
  op.drop_constraint("events_pkey", "events")
  -- luamig: ignore COMPAT008 the column that takes its name has it, below
  op.alter_column("events", "id", { default = op.none })
  -- luamig: ignore COMPAT004 the other one takes its name in the same moment, with the same values
  op.rename_column("events", "id", "id_small")
  -- luamig: ignore COMPAT004 nobody knows it by its old name
  op.rename_column("events", "id_big", "id")
  op.alter_sequence("events_id_seq", { type = "bigint", owned_by = "events.id" })
  op.alter_column("events", "id", { default = op.sql("nextval('events_id_seq')") })
  op.create_primary_key("events_pkey", "events", nil, { using_index = "events_id_big_key" })
  op.alter_column("events", "id_small", { nullable = true })
  op.create_function("events_id_small", {}, { returns = "trigger", language = "plpgsql",
    body = ("BEGIN\n  NEW.id_small := %s;\n  RETURN NEW;\nEND"):format(small) })
  op.create_trigger("id_small", "events", {
    timing = "before", events = { "insert", "update" }, for_each = "row",
    execute = "events_id_small", when = "NEW.id_small IS DISTINCT FROM " .. small })
end

function downgrade()
  -- What reads the table comes first again, while others write. Rows whose id does not fit end it
  -- here, and nothing is lost.
  op.create_check_constraint("ck_events_id_small", "events", "id_small IS NOT NULL",
    { not_valid = true })
  op.create_index("events_id_small_key", "events", { "id_small" },
    { unique = true, concurrently = true })
  op.create_index("events_id_big_key", "events", { "id" }, { unique = true, concurrently = true })
  op.step("prove that every id fits", function()
    op.validate_constraint("ck_events_id_small", "events")
  end)

  op.drop_trigger("id_small", "events")
  op.drop_function("events_id_small", {})
  op.drop_constraint("events_pkey", "events")
  op.alter_column("events", "id", { default = op.none })
  op.rename_column("events", "id", "id_big")
  op.rename_column("events", "id_small", "id")
  op.alter_column("events", "id", { nullable = false })
  op.drop_constraint("ck_events_id_small", "events")
  op.alter_sequence("events_id_seq", { type = "integer", owned_by = "events.id" })
  op.alter_column("events", "id", { default = op.sql("nextval('events_id_seq')") })
  op.create_primary_key("events_pkey", "events", nil, { using_index = "events_id_small_key" })
  op.create_function("events_id_big", {}, { returns = "trigger", language = "plpgsql", body = [[
BEGIN
  NEW.id_big := NEW.id;
  RETURN NEW;
END]] })
  op.create_trigger("id_big", "events", {
    timing = "before", events = { "insert", "update" }, for_each = "row",
    execute = "events_id_big", when = "NEW.id_big IS DISTINCT FROM NEW.id" })
end
