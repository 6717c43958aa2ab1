--- cents are there
-- Revision ID: 003
-- Revises: 002
-- Create Date: 2025-02-11 10:00:00+00:00

revision = "003"
down_revision = "002"

function upgrade()
  -- Stops here, with nothing changed, as long as a row is left over.
  op.require_backfill("orders_cents")
  op.step("prove that every order has cents", function()
    op.validate_constraint("ck_orders_cents", "orders")
  end)
  op.alter_column("orders", "cents", { nullable = false })
  op.alter_column("orders", "currency", { nullable = false })
  op.drop_constraint("ck_orders_cents", "orders")
end

function downgrade()
  op.create_check_constraint("ck_orders_cents", "orders",
    "cents IS NOT NULL AND currency IS NOT NULL", { not_valid = true })
  op.alter_column("orders", "currency", { nullable = true })
  op.alter_column("orders", "cents", { nullable = true })
end
