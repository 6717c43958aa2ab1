--- Specs of generated rows: a schema in, and what the rows are like out.

local assert = require("luassert")
local busted = require("busted")
local generate = require("luamig.generate")
local snapshot = require("luamig.snapshot")
local snapshots = require("support.snapshots")

local generated = {}

-- Rows of every table, by its plain name; a partitioned table has those of its partitions.
local function counts_of(connection, value)
  local out = {}
  for identity, object in pairs(value.objects) do
    if object.kind == "table" then
      local rows = connection:exec("SELECT count(*) AS n FROM " .. identity:sub(7))
      out[object.name] = rows[1].n
    end
  end
  return out
end

local function names(list)
  local out = {}
  for i, entry in ipairs(list) do
    out[i] = entry.identity .. ": " .. tostring(entry.why)
  end
  return table.concat(out, "\n")
end

---Fills what the script makes, in a transaction that is rolled back. A table has five rows, unless
---the case says how many; `holds` are conditions on the whole, as SQL; `unfilled` are parts of
---"identity: why", sorted.
---@param case { [1]: string, [2]: string, rows?: table<string, integer>, at_least?: integer,
---  holds?: string[], unfilled?: string[], options?: table, since?: integer, needs?: string[] }
function generated.check(session, case)
  session.inside(function(connection)
    snapshots.run(connection, case[2])
    local value = snapshot.read(connection)
    local report = generate.fill(connection, value, case.options)
    local expected = case.unfilled or {}
    assert.equal(#expected, #report.unfilled, names(report.unfilled))
    for i, entry in ipairs(report.unfilled) do
      assert.is_truthy((entry.identity .. ": " .. entry.why):find(expected[i], 1, true),
        names(report.unfilled))
    end
    for name, count in pairs(counts_of(connection, value)) do
      local wanted = (case.rows or {})[name] or 5
      assert.is_true(count == wanted or case.at_least and count >= case.at_least,
        ("%s has %d rows; %s; %s"):format(name, count, names(report.short), names(report.unfilled)))
    end
    for _, condition in ipairs(case.holds or {}) do
      local rows = connection:exec("SELECT (" .. condition .. ") AS holds")
      assert.is_true(rows[1].holds, condition)
    end
  end)
end

---Makes an `it` of every case: { name, script, … }.
---@param with fun(): table  the session
function generated.cases(with, list)
  for _, case in ipairs(list) do
    busted.it("respects " .. case[1], function()
      local session = with()
      if case.since and session.major < case.since then
        return -- that version does not have it
      end
      for _, name in ipairs(case.needs or {}) do
        local found = session.conn:exec("SELECT 1 FROM pg_available_extensions WHERE name = $1",
          { name })
        if #found == 0 then
          return busted.pending("no extension " .. name)
        end
      end
      generated.check(session, case)
    end)
  end
end

return generated
