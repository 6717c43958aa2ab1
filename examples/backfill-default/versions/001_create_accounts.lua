--- create accounts
-- Revision ID: 001
-- Revises:
-- Create Date: 2025-03-03 10:00:00+00:00

revision = "001"
down_revision = nil

function upgrade()
  op.create_table("accounts", {
    op.column("id", "bigint", { primary_key = true, identity = "by default" }),
    op.column("name", "text", { nullable = false }),
    op.column("created_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
  })
end

function downgrade()
  op.drop_table("accounts")
end
