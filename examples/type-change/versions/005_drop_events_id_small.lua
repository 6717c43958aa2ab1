--- drop events.id_small
-- Revision ID: 005
-- Revises: 004
-- Create Date: 2025-04-15 10:00:00+00:00

revision = "005"
down_revision = "004"

local function small(id)
  return ("CASE WHEN %s BETWEEN -2147483648 AND 2147483647 THEN %s END"):format(id, id)
end

function upgrade()
  op.drop_trigger("id_small", "events")
  op.drop_function("events_id_small", {})
  -- luamig: ignore COMPAT002 no release has ever named it; id says the same
  op.drop_column("events", "id_small")
end

function downgrade()
  op.add_column("events", op.column("id_small", "integer"))
  op.create_function("events_id_small", {}, { returns = "trigger", language = "plpgsql",
    body = ("BEGIN\n  NEW.id_small := %s;\n  RETURN NEW;\nEND"):format(small("NEW.id")) })
  op.create_trigger("id_small", "events", {
    timing = "before", events = { "insert", "update" }, for_each = "row",
    execute = "events_id_small", when = "NEW.id_small IS DISTINCT FROM " .. small("NEW.id") })
  op.batch_execute("events_id_small", {
    table = "events",
    set = { id_small = op.sql(small("id")) },
    remaining = "id_small IS DISTINCT FROM " .. small("id"),
  })
end
