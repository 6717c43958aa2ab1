--- Batched migrations: the executor runs them, registers them, or waits for them.

local batch_spec = require("luamig.batch_spec")
local fault = require("luamig.fault")

local function checked(args, operation, origin)
  local ok, result = pcall(batch_spec.check, args.name, args.spec)
  if not ok then
    if fault.is(result) then
      fault.complete(result, { origin = operation, file = origin.file, line = origin.line })
    end
    error(result, 0)
  end
  return result
end

local function call_of(operation)
  return function(args, executor, origin)
    if not executor[operation] then
      fault.raise({
        kind = "operation",
        message = ("op.%s is not available here"):format(operation),
        origin = operation,
        file = origin.file,
        line = origin.line,
      })
    end
    return executor[operation](executor, checked(args, operation, origin), origin)
  end
end

local function not_known()
  return nil, "what the rows held before is not known"
end

local doc = "One of set (SQL), map (a Lua function over rows) or sql (any statement over {range}) "
  .. "says what is done. Rows are walked through in ranges of the key, each batch a transaction "
  .. "that also moves the cursor: whatever is killed, no row is done twice and none is left out."

return {
  {
    name = "batch_execute",
    family = "data",
    summary = "Changes the rows of a table batch by batch, before the script goes on.",
    doc = doc .. " Commits what the revision has done so far.",
    raises = "operation (bad specification, bad row), lock, server (what a batch failed with)",
    example = [[op.batch_execute("users_email_norm", {
  table = "users",
  set = { email_norm = op.sql("lower(email)") },
  remaining = "email_norm IS NULL",
})]],
    parameters = batch_spec.parameters,
    call = call_of("batch_execute"),
    inverse = not_known,
  },
  {
    name = "backfill",
    family = "data",
    summary = "Registers a batched migration; `luamig backfill run` does the work.",
    doc = doc .. " Any number of machines may run it; op.require_backfill in a later revision "
      .. "demands that it is finished.",
    raises = "operation (bad specification)",
    example = [[op.backfill("orders_money", {
  table = "orders",
  read = { "id", "raw" },
  map = function(row)
    local amount = tonumber(row.raw)
    return amount and { cents = math.floor(amount * 100 + 0.5) }
  end,
  remaining = "cents IS NULL",
  workers = 4,
  on_error = { quarantine = 100 },
})]],
    parameters = batch_spec.parameters,
    call = call_of("backfill"),
    inverse = not_known,
  },
  {
    name = "require_backfill",
    family = "data",
    summary = "Stops unless a backfill is finished.",
    raises = "operation when it is not finished",
    example = [[op.require_backfill("orders_money", { finish = true })]],
    parameters = { { name = "name", type = "string", doc = "of the backfill" } },
    options = {
      finish = { type = "boolean", doc = "do the rest of the work now instead of stopping" },
      max_remaining = {
        type = "integer",
        default = 0,
        doc = "so many rows may still match its `remaining`",
      },
    },
    call = function(args, executor, origin)
      return executor:require_backfill(args, origin)
    end,
    inverse = function() end,
  },
}
