--- Fills the tables of a database with rows that respect what the schema says: types, NOT NULL,
-- CHECKs and domains, unique keys, exclusion constraints, foreign keys, partition bounds. The rows
-- are made here, from the snapshot of the database, and tried by the server, which keeps those that
-- pass: simple conditions are solved beforehand, for all others there are more candidates.
--
-- The same seed makes the same rows in the same schema. The first row of a table is a plain one;
-- values that programs trip over come after it: empty, very long and strange texts, the least and
-- greatest numbers, infinite dates, NULLs. Rows that are there stay as they are, and foreign keys
-- lead to them too.
--
-- Left out: views, foreign tables, generated columns, and columns that a sequence fills (unless a
-- condition speaks of them). Triggers and rules are on. A table that gets no row is named with the
-- reason.
--
-- A pipeline a round, so the round trips do not grow with tables or rows: four in all when nothing
-- is refused, and one more for each table whose rows the server refuses with an error.

local fault = require("luamig.fault")
local filling = require("luamig.generate.filling")
local hints = require("luamig.generate.hints")
local knot = require("luamig.generate.knot")
local layout = require("luamig.generate.layout")
local order = require("luamig.generate.order")
local reasons = require("luamig.generate.reasons")
local session = require("luamig.generate.session")
local types = require("luamig.generate.types")
local units = require("luamig.generate.units")

local generate = {}

-- ---- what is asked of the server ----

-- Types of columns that the snapshot does not tell: those of extensions, mostly.
local function unknown_types(value)
  local world = types.world(value, {})
  for _, object in pairs(value.objects) do
    for _, column in ipairs(object.kind == "table" and object.columns or {}) do
      world:describe(column.type)
    end
  end
  return world:unknown_types()
end

local function sql_names(identities)
  local out = {}
  for i, identity in ipairs(identities) do
    out[i] = identity:gsub("^table ", "")
  end
  return out
end

local function asks_of(value, rows)
  local tables, partitions = units.tables(value)
  return { types = unknown_types(value), partitions = sql_names(partitions),
    tables = sql_names(tables), rows = math.max(rows, hints.MOST) }
end

-- ---- the plan ----

local function steps_of(list, options)
  local steps = order.steps(list)
  for _, step in ipairs(steps) do
    if step.is_knot then
      step.units = knot.loosen(step.units)
    end
  end
  for _, unit in ipairs(list) do
    layout.add(unit, options.seed)
  end
  hints.spread(steps)
  return steps
end

-- ---- the report ----

local function report_of(open, list, unfilled)
  local report = { filled = {}, unfilled = {}, short = {} }
  local lacking = {}
  for _, unit in ipairs(list) do
    report.filled[unit.identity] = unit.made > 0 and unit.made or nil
    lacking[#lacking + 1] = unit.rows < unit.want and unit or nil
  end
  reasons.find(open, lacking)
  for _, unit in ipairs(lacking) do
    local into = unit.rows == 0 and report.unfilled or report.short
    into[#into + 1] = { identity = unit.identity, why = unit.why, rows = unit.rows }
  end
  table.move(unfilled, 1, #unfilled, #report.unfilled + 1, report.unfilled)
  table.sort(report.unfilled, function(a, b)
    return a.identity < b.identity
  end)
  return report
end

local function fill_inside(open, facts, value, options)
  local world = types.world(value, { is_ascii = facts.is_ascii, facts = facts.types })
  local list, unfilled = units.of(value,
    { world = world, seed = options.seed, bounds = facts.bounds })
  order.link(list)
  local wanted = order.wanted(list, options.only)
  for _, unit in ipairs(wanted) do
    unit.want, unit.made, unit.tried = options.rows, 0, 0
    unit.rows = facts.counts[unit.identity] or 0
  end
  local steps = steps_of(wanted, options)
  filling.fill(open, steps)
  filling.complete(open, steps)
  return report_of(open, wanted, options.only and {} or unfilled)
end

local function check_options(options)
  for _, name in ipairs({ "rows", "seed" }) do
    if math.type(options[name]) ~= "integer" or options[name] < 0 then
      fault.raise({ kind = "operation",
        message = ("generate.fill: %s: expected a whole number that is not negative, got %s")
          :format(name, tostring(options[name])) })
    end
  end
end

---Fills every table that has less than `rows` rows, in a transaction of its own; inside the
---caller's when one is open, whose deferrable constraints are IMMEDIATE from then on, and whose own
---new rows may get a foreign key that they were made without (a parent in their own table). A table
---gets more than `rows` only when others need particular rows of it (partitions of a list of
---tenants).
---Raises: operation (options; the transaction has failed), server (the transaction cannot go on),
---connection, interrupted. Then nothing was changed.
---@param conn userdata  of luamig.core.conn
---@param value table  of luamig.snapshot, read from this database as it is now
---@param options? { rows?: integer, seed?: integer, only?: string[] }  rows: 5; seed: 1; only:
---  identities of tables ("table app.users"), which are filled with all that they refer to
---@return { filled: table<string, integer>, unfilled: table[], short: table[] }
---  filled: rows inserted, by identity; of a partitioned table, those of its partitions.
---  unfilled: { identity, why, rows = 0 } of each table that has no row at all in the end;
---  short: { identity, why, rows } of each that has fewer than were wanted. Sorted.
function generate.fill(conn, value, options)
  options = {
    rows = options and options.rows or 5, seed = options and options.seed or 1,
    only = options and options.only,
  }
  check_options(options)
  local open, facts = session.begin(conn, asks_of(value, options.rows))
  local ok, report = pcall(fill_inside, open, facts, value, options)
  if not ok then
    open:abort()
    error(report, 0)
  end
  open:finish()
  return report
end

return generate
