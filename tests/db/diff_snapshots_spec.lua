-- Whatever the snapshot sees, the comparison changes: the cases of the snapshot's own specs, both
-- ways, each in a transaction.

local schema_work = require("support.schema_work")
local snapshot = require("luamig.snapshot")
local snapshots = require("support.snapshots")

-- What cannot be tried, or cannot be done: why.
local except <const> = {
  ["a security label"] = "there is no provider",
  ["a tablespace"] = "the pairs of schemas try it",
  ["the tablespace of an index"] = "the pairs of schemas try it",
  ["the tablespace of a constraint's index"] = "the pairs of schemas try it",
  ["the version of an extension"] = "there is no way back to an older one",
}

-- The cases that a spec file would try.
local function cases_of(file)
  local list = {}
  local collector = setmetatable({
    cases = function(_, cases)
      table.move(cases, 1, #cases, #list + 1, list)
    end,
  }, { __index = snapshots })
  local function nothing() end
  local words = {
    describe = function(_, fn)
      fn()
    end,
    require = function(name)
      return name == "support.snapshots" and collector or require(name)
    end,
  }
  for _, name in ipairs({ "it", "lazy_setup", "lazy_teardown", "setup", "teardown",
    "before_each", "after_each" }) do
    words[name] = nothing
  end
  assert(loadfile(file, "t", setmetatable(words, { __index = _G })))()
  return list
end

describe("the comparison of what the snapshot sees", function()
  local session

  lazy_setup(function()
    session = snapshots.session()
    session.conn:exec("SET client_min_messages = error")
  end)

  lazy_teardown(function()
    session.close()
  end)

  local function read()
    return snapshot.read(session.conn, { prepare = true })
  end

  -- Applies what leads from one value to another; what is told about is left.
  local function lead(from, to, options)
    local result = schema_work.apply(session.conn, from, to, options)
    local got = read()
    if #result.unsupported == 0 and #result.notes == 0 then
      assert.equal("", schema_work.apart(got, to))
    elseif not snapshot.equal(got, to) then
      return nil
    end
    return got
  end

  local function check(case)
    local options = { role = session.conn:info().user }
    local after = session.inside(function(connection)
      snapshots.run(connection, case[2] .. ";" .. case[3])
      return read()
    end)
    session.inside(function(connection)
      snapshots.run(connection, case[2])
      local before = read()
      local got = lead(before, after, options)
      if got then
        lead(got, before, options)
      end
    end)
  end

  for _, name in ipairs({ "tables", "constraints", "types", "code", "others" }) do
    describe("of " .. name, function()
      for _, case in ipairs(cases_of(("tests/db/snapshot_%s_spec.lua"):format(name))) do
        it("leads there and back: " .. case[1], function()
          if case.since and session.major < case.since then
            pending(("needs PostgreSQL %d"):format(case.since))
          elseif except[case[1]] then
            pending(except[case[1]])
          end
          check(case)
        end)
      end
    end)
  end
end)
