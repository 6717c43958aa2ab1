--- create orders
-- Revision ID: 001
-- Revises:
-- Create Date: 2025-03-03 10:00:00+00:00

revision = "001"
down_revision = nil

function upgrade()
  op.create_table("orders", {
    op.column("id", "bigint", { primary_key = true, identity = "by default" }),
    op.column("doc", "jsonb", { nullable = false,
      comment = [[{"customer": "…", "items": [{"sku": "…", "quantity": 1, …}, …]}]] }),
  })
end

function downgrade()
  op.drop_table("orders")
end
