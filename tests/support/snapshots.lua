--- Specs of the catalog snapshot: SQL in, and what two snapshots have apart out.

local assert = require("luassert")
local busted = require("busted")
local pending = require("busted.core")().pending
local compare = require("luamig.snapshot.compare")
local conn = require("luamig.core.conn")
local json = require("luamig.json")
local server = require("support.server")
local snapshot = require("luamig.snapshot")
local sql = require("luamig.core.sql")

local snapshots = {}

---Runs a script, statement by statement.
function snapshots.run(connection, script)
  for _, statement in ipairs(sql.split(script)) do
    connection:exec(statement.sql)
  end
end

---The identities whose objects differ, sorted.
---@return string[]
function snapshots.apart(a, b, options)
  local out = {}
  for identity, object in pairs(a.objects) do
    local other = b.objects[identity]
    if not other or not compare.same_object(object, other, options) then
      out[#out + 1] = identity
    end
  end
  for identity in pairs(b.objects) do
    if not a.objects[identity] then
      out[#out + 1] = identity
    end
  end
  table.sort(out)
  return out
end

---Both values of what differs, for the message of a failed spec.
---@return string
function snapshots.told(a, b, options)
  local lines = {}
  for _, identity in ipairs(snapshots.apart(a, b, options)) do
    for _, value in ipairs({ a, b }) do
      local object = value.objects[identity]
      lines[#lines + 1] = identity .. " " .. (object and json.encode(object) or "(absent)")
    end
  end
  return table.concat(lines, "\n")
end

---One database for a describe block: each case runs in a transaction that is rolled back.
function snapshots.session()
  local session = { database = server.database() }
  session.conn = conn.open({ url = session.database.url })
  session.major = session.conn:info().server_version // 10000

  function session.close()
    session.conn:close()
    session.database.drop()
  end

  ---What a function finds in a transaction of its own.
  function session.inside(fn)
    session.conn:exec("BEGIN")
    local ok, result = pcall(fn, session.conn)
    session.conn:exec("ROLLBACK")
    if not ok then
      error(result, 0)
    end
    return result
  end

  function session.read(script, options)
    return session.inside(function(connection)
      snapshots.run(connection, script)
      return snapshot.read(connection, options)
    end)
  end
  return session
end

---A change is seen, exactly at the objects named, and gone when it is taken back; made once more,
---with other OIDs, it gives the same value.
---@param case { [1]: string, [2]: string, [3]: string, [4]: string[]|string, since?: integer }
---  setup, change, back, identities that differ in between
function snapshots.check(session, case)
  local before, between, after, again
  local function after_running(connection, script)
    snapshots.run(connection, script)
    return snapshot.read(connection, { prepare = true })
  end
  session.inside(function(connection)
    before = after_running(connection, case[1])
    between = after_running(connection, case[2])
    after = after_running(connection, case[3])
  end)
  session.inside(function(connection)
    again = after_running(connection, case[1] .. ";" .. case[2])
  end)
  local expected = type(case[4]) == "table" and case[4] or { case[4] }
  assert.same(expected, snapshots.apart(before, between), snapshots.told(before, between))
  assert.is_false(snapshot.equal(before, between))
  assert.not_equal(snapshot.fingerprint(before), snapshot.fingerprint(between))
  assert.is_true(snapshot.equal(before, after), snapshots.told(before, after))
  assert.same({}, snapshots.apart(between, again), snapshots.told(between, again))
  assert.same(between.depends, again.depends)
  assert.equal(snapshot.fingerprint(before), snapshot.fingerprint(after))
end

---Makes an `it` of every case of a list: { name, setup, change, back, identities, since= }.
---@param with fun(): table  the session
function snapshots.cases(with, list)
  for _, case in ipairs(list) do
    busted.it("sees " .. case[1], function()
      local session = with()
      if case.since and session.major < case.since then
        pending(("needs PostgreSQL %d"):format(case.since))
      end
      snapshots.check(session, table.move(case, 2, 5, 1, {}))
    end)
  end
end

return snapshots
