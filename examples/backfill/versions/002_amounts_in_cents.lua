--- amounts in cents
-- Revision ID: 002
-- Revises: 001
-- Create Date: 2025-01-11 10:00:00+00:00
--
-- The column comes first and takes no time. The rows are worked through later, by
-- `luamig backfill run`, from as many machines as there are; the application writes both columns
-- meanwhile.

revision = "002"
down_revision = "001"
branch_labels = nil
depends_on = nil

local function cents(amount)
  local whole, part = amount:match("^(%d+)%.(%d%d) EUR$")
  return whole and whole * 100 + part
end

function upgrade()
  op.add_column("orders", op.column("cents", "bigint"))
  op.backfill("orders_cents", {
    table = "orders",
    read = { "amount" },
    map = function(row, ctx)
      local value = cents(row.amount)
      if not value then
        return ctx.reject("no amount: " .. row.amount)
      end
      return { cents = value }
    end,
    remaining = "cents IS NULL",
    workers = 2,
    batch_rows = 1000,
    on_error = { quarantine = 10 },
  })
end

function downgrade()
  op.drop_column("orders", "cents")
end
