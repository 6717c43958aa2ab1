--- cents are there
-- Revision ID: 003
-- Revises: 002
-- Create Date: 2025-02-11 10:00:00+00:00

revision = "003"
down_revision = "002"
branch_labels = nil
depends_on = nil

function upgrade()
  op.require_backfill("orders_cents")
  -- NOT NULL would read all rows while everybody waits; the CHECK is read while everybody works,
  -- and proves it.
  op.create_check_constraint("orders_cents_set", "orders", "cents IS NOT NULL",
    { not_valid = true })
  op.step("read", function()
    op.validate_constraint("orders_cents_set", "orders")
  end)
  op.step("written down", function()
    op.alter_column("orders", "cents", { nullable = false })
    op.drop_constraint("orders_cents_set", "orders")
  end)
end

function downgrade()
  op.alter_column("orders", "cents", { nullable = true })
end
