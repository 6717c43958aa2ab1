--- From a registered backfill to ranges that workers can take: reads the catalogs, renders the SQL
-- of a batch, plans the ranges. One process does it, the others find it done.

local catalog = require("luamig.backfill.catalog")
local json = require("luamig.json")
local ranges = require("luamig.backfill.ranges")
local render = require("luamig.backfill.render")
local types = require("luamig.types")
local value = require("luamig.value")

local prepare = {}

local function text_array(list)
  return types.text(value.new("array", { values = list, element = "text" }))
end

-- The relation is found, and the texts will be read, along the user's path and as the user's role.
---@param options { search_path?: string, role?: string }
function prepare.settings(conn, options)
  conn:exec("SELECT pg_catalog.set_config('datestyle', 'ISO', true), "
    .. "pg_catalog.set_config('extra_float_digits', '1', true)")
  if options.role then
    conn:exec("SELECT pg_catalog.set_config('role', $1, true)", { options.role })
  end
  if options.search_path then
    conn:exec("SELECT pg_catalog.set_config('search_path', $1, true)", { options.search_path })
  end
end

local function plan_of(target, spec, rows_per_block, options)
  local plan = render.texts(target, spec, rows_per_block)
  plan.name = target.name
  plan.search_path = options.search_path
  plan.role = options.role
  return plan
end

local function add_ranges(state, id, pass, list)
  for _, leaf in ipairs(list) do
    state:exec("range_add", id, pass, leaf.relation, leaf.relid, text_array(leaf.lows),
      text_array(leaf.highs), leaf.inclusive, ("{%s}"):format(table.concat(leaf.estimates, ",")))
  end
end

---Plans one pass over the table, unless somebody has done so meanwhile.
---@param state table
---@param row { id: integer, pass: integer, batch_rows: integer }  of the backfill
---@param spec luamig.BatchSpec
---@param options { ranges: integer, search_path?: string, role?: string }
---@return boolean  whether there were rows to plan for
function prepare.pass(state, row, spec, options)
  return state:transaction(function()
    prepare.settings(state.conn, options)
    if state:exec("lock", row.id)[1].pass ~= row.pass then
      return true -- somebody else was first
    end
    local target = catalog.read(state.conn, spec)
    local list, rows, rows_per_block = ranges.plan(state.conn, target,
      { at_most = options.ranges, batch_rows = row.batch_rows })
    add_ranges(state, row.id, row.pass + 1, list)
    state:exec("planned", row.id, row.pass + 1, row.pass == 0 and rows or 0,
      json.encode(plan_of(target, spec, rows_per_block, options)))
    return #list > 0
  end)
end

---Renders the SQL anew, for ranges that are there: the code is another one.
function prepare.again(state, row, spec, options)
  state:transaction(function()
    prepare.settings(state.conn, options)
    local target = catalog.read(state.conn, spec)
    local _, _, rows_per_block = ranges.plan(state.conn, target,
      { at_most = 1, batch_rows = row.batch_rows })
    state:exec("planned", row.id, row.pass, 0,
      json.encode(plan_of(target, spec, rows_per_block, options)))
  end)
end

---The table as it is now, for what needs more than the texts.
---@return luamig.backfill.Target
function prepare.target(state, spec, options)
  return state:transaction(function()
    prepare.settings(state.conn, options)
    return catalog.read(state.conn, spec)
  end)
end

return prepare
