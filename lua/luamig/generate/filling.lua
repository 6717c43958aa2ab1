--- Rounds of tries: each sends one statement a table that is short of rows, all in one pipeline;
-- what the server refused is tried row by row in the next.
--
-- ADDED TO A UNIT  want, made (rows inserted), rows (in the table, up to `want`), tried (values of
--   each type that are behind it), is_stuck (more rows are not to be had),
--   fault (the last thing the server said: message, sqlstate, context, constraint)

local knot = require("luamig.generate.knot")
local later = require("luamig.generate.later")
local quote = require("luamig.quote")
local rows = require("luamig.generate.rows")
local statement = require("luamig.generate.statement")

local filling = {}

local ROUNDS = 3

-- How many candidates a row that is wanted gets, by round: of a table without conditions, with
-- some, and with some that are only guessed at.
local per_row = { { 1, 2, 6 }, { 4, 8, 16 }, { 8, 16, 32 } }
local at_most = { 400, 400, 400 }
local ONE_BY_ONE = 80 -- candidates at most that are tried row by row

-- ---- how many ----

-- Whether rows of other tables decide if a row passes: nothing of them is known here.
local function depends_on_others(unit)
  local seen = {}
  for _, reference in ipairs(unit.picked) do
    for _, name in ipairs(reference.columns) do
      if seen[name] or unit.by_name[name].is_key then
        return true
      end
      seen[name] = true
    end
  end
  for _, condition in ipairs(unit.conditions) do
    for name in pairs(seen) do
      if condition.columns[name] then
        return true
      end
    end
  end
  return false
end

local function difficulty(unit)
  if rows.wishes(unit, 0).is_guess or depends_on_others(unit) then
    return 3
  end
  return #unit.conditions > 0 and 2 or 1
end

local function candidate_count(unit, round)
  local count = unit.want * per_row[round][difficulty(unit)] * (unit.modulus or 1) + 2
  return math.min(count, math.max(at_most[round], unit.want * 2))
end

-- Where rows are there already, their values are passed over.
local function candidates_of(unit, round, count)
  local first = unit.rows > 0 and unit.tried or 0
  unit.tried = first + count
  return rows.candidates(unit, { count = count, want = unit.want, round = round, first = first })
end

-- ---- one statement a table ----

local function inserted(result)
  return math.tointeger(tonumber(result.tag:match("^%u+ 0 (%d+)$") or result.tag:match("(%d+)$")))
end

-- A table with some rows that took none of those it was offered holds all that it can.
local function note(unit, made, count, is_again)
  unit.made, unit.rows = unit.made + made, count
  unit.is_stuck = is_again and made == 0 and count > 0
end

local function whole_item(unit, round)
  local is_again
  return {
    make = function()
      is_again = round > 1 or unit.rows > 0
      local candidates = candidates_of(unit, round, candidate_count(unit, round))
      return {
        { sql = statement.insert(unit, candidates, unit.want, { is_again = is_again }) },
        { sql = statement.count(unit, unit.want) },
      }
    end,
    done = function(results)
      note(unit, inserted(results[1]), results[2][1].rows, is_again)
    end,
    failed = function(f)
      unit.fault = f
    end,
  }
end

-- ---- row by row ----

local one_by_one_body = [[
DECLARE
  made bigint := 0; one bigint; why pg_catalog.text; state pg_catalog.text;
  place pg_catalog.text; name pg_catalog.text;
BEGIN
  FOR number IN 1..%d LOOP
    BEGIN
      EXECUTE %s USING number;
      GET DIAGNOSTICS one = ROW_COUNT;
      made := made OPERATOR(pg_catalog.+) one;
    EXCEPTION WHEN OTHERS OR ASSERT_FAILURE THEN
      GET STACKED DIAGNOSTICS why = MESSAGE_TEXT, state = RETURNED_SQLSTATE,
        place = PG_EXCEPTION_CONTEXT, name = CONSTRAINT_NAME;
    END;
    EXIT WHEN made OPERATOR(pg_catalog.>=) %d;
  END LOOP;
  PERFORM pg_catalog.set_config('luamig.generate', CAST(pg_catalog.json_build_object(
    'made', made, 'message', why, 'sqlstate', state, 'context', place, 'constraint', name)
    AS pg_catalog.text), true);
END]]

-- A block of PL/pgSQL, and what it found.
local function one_by_one(sql, count, want)
  return {
    { sql = "DO " .. quote.string(one_by_one_body:format(count, quote.string(sql), want)) },
    { sql = "SELECT pg_catalog.current_setting('luamig.generate')::pg_catalog.json AS found" },
  }
end

local function text_or_nil(value)
  return type(value) == "string" and value or nil
end

local function refusal(found)
  return text_or_nil(found.message) and {
    message = found.message, sqlstate = text_or_nil(found.sqlstate),
    context = text_or_nil(found.context), constraint = text_or_nil(found.constraint),
  }
end

local function row_item(unit, round)
  local count = math.min(candidate_count(unit, round), math.max(ONE_BY_ONE, unit.want * 2))
  local sql = statement.insert(unit, candidates_of(unit, round, count), unit.want,
    { only = "$1", is_again = true })
  local statements = one_by_one(sql, count, unit.want)
  statements[3] = { sql = statement.count(unit, unit.want) }
  return {
    statements = statements,
    done = function(results)
      local found = results[2][1].found
      unit.fault = refusal(found) or unit.fault
      note(unit, found.made, results[3][1].rows, true)
    end,
    failed = function(f)
      -- Without PL/pgSQL (42704) what was said before counts.
      unit.fault = f.sqlstate ~= "42704" and f or unit.fault
    end,
  }
end

-- ---- knots ----

local knot_tries = {
  function(unit) return { count = unit.want, want = unit.want, round = 1 }, 0 end,
  function(unit) return { count = unit.want, want = unit.want, round = 2, mode = "tame" }, 1 end,
  function(unit) return { count = 1, want = unit.want, round = 3, mode = "tame" }, 0 end,
}

local function knot_item(units, round)
  local candidates, shift = {}, nil
  for _, unit in ipairs(units) do
    local options
    options, shift = knot_tries[round](unit)
    candidates[unit] = rows.candidates(unit, options)
  end
  local statements = { { sql = knot.insert(units, candidates, shift) } }
  for place, unit in ipairs(units) do
    statements[place + 1] = { sql = statement.count(unit, unit.want) }
  end
  return {
    statements = statements,
    done = function(results)
      for place, unit in ipairs(units) do
        unit.made = unit.made + results[1][1]["luamig_" .. place]
        unit.rows = results[place + 1][1].rows
      end
    end,
    failed = function(f)
      for _, unit in ipairs(units) do
        unit.fault = f
      end
    end,
  }
end

-- ---- rounds ----

-- 42501: no right to it. 25006: nothing can be written at all.
local hopeless = { ["42501"] = true, ["25006"] = true }

local function is_short(unit)
  unit.is_hopeless = unit.fault and hopeless[unit.fault.sqlstate]
  return unit.rows < unit.want and not (unit.why or unit.is_hopeless or unit.is_stuck)
end

local function items_of(step, round)
  local items = {}
  local units = {}
  for _, unit in ipairs(step.units) do
    units[#units + 1] = is_short(unit) and unit or nil
  end
  if step.is_knot and #units > 0 then
    items[1] = #units == #step.units and knot_item(units, round) or nil
    return items
  end
  for i, unit in ipairs(units) do
    items[i] = (unit.fault and row_item or whole_item)(unit, round)
  end
  return items
end

---Fills the units of the steps.
---@param session table
---@param steps table[]  of order.lua, laid out
function filling.fill(session, steps)
  for round = 1, ROUNDS do
    local items = {}
    for _, step in ipairs(steps) do
      table.move(items_of(step, round), 1, #step.units, #items + 1, items)
    end
    if #items == 0 then
      return
    end
    session:run(items)
  end
end

-- ---- foreign keys left for later ----

local function later_item(unit, reference, refused)
  return {
    statements = { { sql = later.update(unit, reference, unit.want) } },
    done = function() end,
    failed = function()
      refused[#refused + 1] = { unit = unit, reference = reference }
    end,
  }
end

local function nothing() end

---Gives the rows made the foreign keys that were left for later; where the server refuses that, as
---many rows as it takes.
---@param session table
---@param steps table[]
function filling.complete(session, steps)
  local items, refused = {}, {}
  for _, step in ipairs(steps) do
    for _, unit in ipairs(step.units) do
      for _, reference in ipairs(unit.made > 0 and unit.references or {}) do
        items[#items + 1] = reference.is_later and later_item(unit, reference, refused) or nil
      end
    end
  end
  session:run(items)
  local again = {}
  for i, entry in ipairs(refused) do
    local sql = later.update(entry.unit, entry.reference, entry.unit.want, "$1")
    again[i] = {
      statements = one_by_one(sql, entry.unit.want, entry.unit.want), done = nothing,
      failed = nothing, -- the key stays NULL, as it may
    }
  end
  session:run(again)
end

return filling
