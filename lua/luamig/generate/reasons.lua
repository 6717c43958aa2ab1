--- Why a table has no rows, or fewer than were wanted, in words.

local rows = require("luamig.generate.rows")
local statement = require("luamig.generate.statement")
local units = require("luamig.generate.units")

local reasons = {}

-- ---- what the server said ----

-- "PL/pgSQL function app.guard() line 3 at RAISE" → guard
local function function_of(context)
  local name = context and context:match('function "?([^%s(]-)"?%(')
  return name and name:match("([^.]+)$")
end

-- The trigger whose function the error came from.
local function trigger_of(unit, f)
  local called = function_of(f.context)
  for _, trigger in ipairs(called and unit.triggers or {}) do
    local name = trigger.definition:match("EXECUTE FUNCTION ([^(]+)%(")
    if name and name:gsub('"', ""):match("([^.]+)$") == called then
      return trigger
    end
  end
end

local function said(unit, f)
  local code = f.sqlstate and (" (%s)"):format(f.sqlstate) or ""
  local trigger = trigger_of(unit, f)
  if trigger then
    return ("%s refuses the rows that were tried: %s%s"):format(units.child_identity(trigger),
      f.message, code)
  end
  return f.message .. code
end

-- ---- what candidates did not pass ----

local function relation(identity)
  return (identity:gsub("^%l+ ", ""))
end

local function is_empty(reference)
  for _, parent in ipairs(reference.parents) do
    if parent.rows > 0 then
      return false
    end
  end
  return true
end

-- The foreign key whose column this is, one that leads to no row first.
local function reference_of(unit, column)
  local found
  for _, reference in ipairs(unit.picked) do
    for _, name in ipairs(reference.columns) do
      if name == column.name and (not found or is_empty(reference)) then
        found = reference
      end
    end
  end
  return found
end

-- In words what a candidate must pass; true when it is that another table has no row.
local function filter_text(unit, filter)
  local condition = filter.condition
  if condition then
    return condition.is_check and ("check %s: %s"):format(condition.name, condition.sql)
      or condition.name
  end
  local reference = filter.reference or reference_of(unit, filter.column)
  local other = reference and relation(reference.parent)
  if not reference then
    return "column " .. filter.column.name .. " is NOT NULL"
  elseif is_empty(reference) then
    return ("foreign key %s needs a row of %s, which has none"):format(reference.name, other), true
  end
  return ("foreign key %s to %s"):format(reference.name, other)
end

local function kept_out(unit)
  if #unit.rules > 0 then
    return units.child_identity(unit.rules[1]) .. " takes the rows away"
  elseif unit.rows == 0 and #unit.triggers > 0 then
    return units.child_identity(unit.triggers[1]) .. " lets no row through"
  end
  return "every further row that was tried collides with a unique key or an exclusion constraint"
end

-- What no candidate passes, what some do not, and that another table has no row.
local function sorted_out(unit, filters, result)
  local blocking, all, missing = {}, {}, nil
  for i, filter in ipairs(filters) do
    local text, is_missing = filter_text(unit, filter)
    local passed = result["luamig_" .. i]
    missing = missing or is_missing and passed == 0 and text
    blocking[#blocking + 1] = passed == 0 and text or nil
    all[#all + 1] = passed < result.tried and text or nil
  end
  return blocking, all, missing
end

-- nil when candidates pass, and the server said why they do not go in.
local function probed(unit, filters, result)
  local blocking, all, missing = sorted_out(unit, filters, result)
  if missing then
    return missing
  elseif #blocking > 0 then
    return "no row was found that passes " .. table.concat(blocking, ", and ")
  elseif unit.rows == 0 and #all > 0 then
    return "no row was found that passes at the same time " .. table.concat(all, ", and ")
  end
  return not unit.fault and kept_out(unit) or nil
end

local function probe_item(unit)
  local filters = statement.filters(unit)
  local candidates = rows.candidates(unit,
    { count = 60, want = unit.want, round = 2, mode = unit.fault and "tame" })
  return {
    statements = { { sql = statement.probe(unit, candidates) } },
    done = function(results)
      unit.why = probed(unit, filters, results[1][1]) or said(unit, unit.fault)
    end,
    failed = function(f)
      unit.why = said(unit, unit.fault or f)
    end,
  }
end

---Finds why units are short of rows: unit.why.
---@param session table
---@param short table[]  units
function reasons.find(session, short)
  local items = {}
  for _, unit in ipairs(short) do
    if not unit.why and unit.is_hopeless then
      unit.why = said(unit, unit.fault)
    elseif not unit.why then
      items[#items + 1] = probe_item(unit)
    end
  end
  session:run(items)
end

return reasons
