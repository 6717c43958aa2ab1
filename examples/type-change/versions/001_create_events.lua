--- create events
-- Revision ID: 001
-- Revises:
-- Create Date: 2019-03-04 10:00:00+00:00

revision = "001"
down_revision = nil

function upgrade()
  op.create_table("events", {
    op.column("id", "serial", { primary_key = true }),
    op.column("what", "text", { nullable = false }),
  })
end

function downgrade()
  op.drop_table("events")
end
