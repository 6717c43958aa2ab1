--- Whether a backfill has left rows over that match its `remaining`. What is not done is found by a
-- look at the table, not by counting what was done.

local engine = require("luamig.backfill.engine")
local prepare = require("luamig.backfill.prepare")
local render = require("luamig.backfill.render")

local proof = {}

local KEYS_SHOWN <const> = 20
local PASSES_AT_MOST <const> = 20

local function asked(st, place, fn)
  return st:transaction(function()
    prepare.settings(st.conn, place)
    return fn()
  end)
end

---How many rows still match, those that were put aside among them; nil when the specification has
---no `remaining`. Reads the whole table. The count is noted in the backfill's row.
---@return integer|nil
function proof.remaining(st, row, place)
  local spec = engine.spec_of(row)
  if not spec.remaining then
    return nil
  end
  local count = asked(st, place, function()
    local target = require("luamig.backfill.catalog").read(st.conn, spec)
    return st.conn:exec(("SELECT pg_catalog.count(*) AS count FROM %s AS %s WHERE %s"):format(
      target.name, target.alias, spec.remaining))[1].count
  end)
  st:exec("remaining", row.id, count)
  return count
end

---Keys of some of the rows that still match.
---@return string[]
function proof.samples(st, row, place)
  local spec = engine.spec_of(row)
  return asked(st, place, function()
    local target = require("luamig.backfill.catalog").read(st.conn, spec)
    local rows = st.conn:exec(("SELECT %s::text AS key FROM %s AS %s WHERE %s LIMIT %d"):format(
      render.key_array(target, target.alias), target.name, target.alias, spec.remaining,
      KEYS_SHOWN))
    local keys = {}
    for i, each in ipairs(rows) do
      keys[i] = each.key
    end
    return keys
  end)
end

-- A statement over a range would do again what it has done: only updates that look at `remaining`
-- may pass over the table once more.
local function may_sweep(spec)
  return spec.remaining ~= nil and spec.kind ~= "sql"
end

---Passes over the table again for rows that came while the work went on, or that moved out of its
---way (without a key they may do so again and again). Returns what remains, as above.
---@return integer|nil remaining
---@return string|nil ended  when a pass did not come to its end
function proof.sweep(st, row, place, options)
  local spec = engine.spec_of(row)
  local remaining = proof.remaining(st, row, place)
  local passes = spec.key == "ctid" and PASSES_AT_MOST or 1
  for _ = 1, may_sweep(spec) and passes or 0 do
    if remaining <= st:progress(row.id)[1].errors then
      break
    end
    local ended = engine.sweep(st, st:find(row.name), place, options)
    local before = remaining
    remaining = proof.remaining(st, row, place)
    if ended ~= "done" then
      return remaining, ended
    elseif remaining >= before then
      break
    end
  end
  return remaining
end

return proof
