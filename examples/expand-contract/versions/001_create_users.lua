--- create users
-- Revision ID: 001
-- Revises:
-- Create Date: 2025-03-03 10:00:00+00:00

revision = "001"
down_revision = nil

function upgrade()
  op.create_table("users", {
    op.column("id", "bigint", { primary_key = true, identity = "by default" }),
    op.column("name", "text", { nullable = false }),
    op.column("is_admin", "boolean", { nullable = false, default = false }),
  })
end

function downgrade()
  op.drop_table("users")
end
