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
  op.alter_column("orders", "cents", { nullable = false })
end

function downgrade()
  op.alter_column("orders", "cents", { nullable = true })
end
