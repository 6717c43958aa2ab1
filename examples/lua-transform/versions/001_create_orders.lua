--- create orders
-- Revision ID: 001
-- Revises:
-- Create Date: 2025-01-10 10:00:00+00:00

revision = "001"
down_revision = nil

function upgrade()
  op.create_table("orders", {
    op.column("id", "bigint", { primary_key = true, identity = "by default" }),
    op.column("amount", "text", { nullable = false }),
  })
  -- Not valid: it is kept to by what is written now, and not by the rows of the first years.
  op.create_check_constraint("ck_orders_amount", "orders",
    [[amount ~ '^[0-9]{1,9}\.[0-9]{2} (EUR|USD)$']], { not_valid = true })
end

function downgrade()
  op.drop_table("orders")
end
