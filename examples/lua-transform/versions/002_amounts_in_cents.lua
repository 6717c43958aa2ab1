--- amounts in cents
-- Revision ID: 002
-- Revises: 001
-- Create Date: 2025-01-11 10:00:00+00:00
--
-- The columns come first and take no time. The rows are worked through later, by `luamig backfill
-- run`, from as many machines as there are; from now on the application writes both forms.

revision = "002"
down_revision = "001"

-- A function of its own: it sees a row, and nothing else. So it can be tested alone, and run by any
-- number of threads and processes.
local function cents(amount)
  local whole, part, currency = amount:match("^(%d+)%.(%d%d) (%u%u%u)$")
  if whole then
    return math.tointeger(whole * 100 + part), currency
  end
end

function upgrade()
  op.add_column("orders", op.column("cents", "bigint"))
  op.add_column("orders", op.column("currency", "text"))
  op.create_check_constraint("ck_orders_cents", "orders",
    "cents IS NOT NULL AND currency IS NOT NULL", { not_valid = true })
  op.create_function("orders_cents", {}, { returns = "trigger", language = "plpgsql", body = [[
BEGIN
  NEW.cents := replace(split_part(NEW.amount, ' ', 1), '.', '');
  NEW.currency := split_part(NEW.amount, ' ', 2);
  RETURN NEW;
END]] })
  op.create_trigger("cents", "orders", {
    timing = "before", events = { "insert", "update" }, columns = { "amount" }, for_each = "row",
    execute = "orders_cents" })

  op.backfill("orders_cents", {
    table = "orders",
    read = { "amount" },
    map = function(row, ctx)
      local value, currency = cents(row.amount)
      if not value then
        return ctx.reject("no amount: " .. row.amount)
      end
      return { cents = value, currency = currency }
    end,
    remaining = "cents IS NULL",
    workers = 2,
    batch_rows = 1000,
    on_error = { quarantine = 10 },
  })
end

function downgrade()
  op.drop_trigger("cents", "orders")
  op.drop_function("orders_cents", {})
  op.drop_column("orders", "currency")
  op.drop_column("orders", "cents")
end
