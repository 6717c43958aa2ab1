local op = require("luamig.op")
local record = require("support.record")

-- The specification as an executor gets it.
local function checked(given, name)
  local got
  local executor = require("luamig.executor.recording").new()
  executor.batch_execute = function(_, spec)
    got = spec
  end
  op.with(executor, op.batch_execute, name or "norm", given)
  return got
end

local function refusal(given, name)
  local ok, f = pcall(checked, given, name)
  assert(not ok, "not refused")
  assert(require("luamig.fault").is(f), tostring(f))
  return f.message, f
end

local set = { n = 1 }

describe("the specification of a batched migration", function()
  it("has defaults for all but the table and the work", function()
    local spec = checked({ table = "users", set = { a = op.sql("lower(b)"), c = "it's" } })
    assert.equal("set", spec.kind)
    assert.equal("users", spec.relation)
    assert.same({ { column = "a", sql = "(lower(b))" }, { column = "c", sql = "'it''s'" } },
      spec.set)
    assert.is_nil(spec.key)
    assert.equal("off", spec.synchronous_commit)
    assert.same({
      batch_rows = 5000, target_ms = 300, pause_ms = 0, workers = 1, lease_ms = 60000,
      error_budget = 0, throttle = {}, vacuum_every = 0,
    }, spec.tuning)
  end)

  it("brings every option into one form", function()
    local spec = checked({
      table = "app.users", key = "code", read = { "raw" }, map = function() end,
      remaining = op.sql("n IS NULL"), consistency = "compare", on_error = { quarantine = 7 },
      lease = "2min", vacuum_every = 0.1, workers = 4, pause_ms = 5,
      throttle = { replication_lag = "2s", wal_rate = "40MB/s", waiters = 3, autovacuum = true,
        window = "22:00-06:00", when = op.sql("SELECT busy()") },
    })
    assert.equal("map", spec.kind)
    assert.same({ "code" }, spec.key)
    assert.equal("n IS NULL", spec.remaining)
    assert.is_true(spec.is_compared)
    assert.equal(7, spec.tuning.error_budget)
    assert.equal(120000, spec.tuning.lease_ms)
    assert.same({ replication_lag_ms = 2000, wal_rate = 40 * 1024 * 1024, waiters = 3,
      autovacuum = true, window = "22:00-06:00", when = "SELECT busy()" }, spec.tuning.throttle)
  end)

  it("must say one thing to do", function()
    assert.equal("spec: nothing to do: give one of set, map or sql", refusal({ table = "t" }))
    assert.equal("spec: set and sql were given; a batched migration does one thing",
      refusal({ table = "t", set = set, sql = "DELETE FROM t WHERE {range}" }))
    assert.equal("spec.set: there is no column in it", refusal({ table = "t", set = {} }))
  end)

  it("is refused with the option, what was found and what is expected", function()
    local message, f = refusal({ table = "t", set = set, batch_row = 5 })
    assert.equal("batch_execute: argument 2.batch_row: there is no such option", message)
    assert.equal("did you mean 'batch_rows'?", f.hint)
    assert.equal("batch_execute: argument 2.table: expected a name (a string), got nothing",
      refusal({ set = set }))
    assert.equal("batch_execute: argument 2.workers: expected an integer, got the string 'two'",
      refusal({ table = "t", set = set, workers = "two" }))
    assert.equal("spec.workers: expected 1 to 256, got 0",
      refusal({ table = "t", set = set, workers = 0 }))
    assert.equal("spec.lease: '60 parsec' is no duration; write \"60s\"",
      refusal({ table = "t", set = set, lease = "60 parsec" }))
    assert.equal("spec.lease: expected 1s to 1d, got '100ms'",
      refusal({ table = "t", set = set, lease = "100ms" }))
    assert.equal("spec.throttle.wal_rate: 'fast' is no rate; write \"40MB/s\"",
      refusal({ table = "t", set = set, throttle = { wal_rate = "fast" } }))
    assert.equal("spec.throttle.window: '25:00-3:00' is no window; write \"22:00-06:00\"",
      refusal({ table = "t", set = set, throttle = { window = "25:00-3:00" } }))
    assert.equal("spec.on_error.quarantine: expected a number of rows, got -1",
      refusal({ table = "t", set = set, on_error = { quarantine = -1 } }))
    assert.equal("spec.key: the list of columns is empty",
      refusal({ table = "t", set = set, key = {} }))
    assert.equal("spec.vacuum_every: expected a number of rows, or a share such as 0.1",
      refusal({ table = "t", set = set, vacuum_every = -1 }))
    assert.equal("the name 'a b' is not usable", refusal({ table = "t", set = set }, "a b"))
  end)

  it("knows which options go together", function()
    local map = function() end
    assert.equal("spec.read: the map function sees the columns named in read, and there are none",
      refusal({ table = "t", map = map }))
    assert.equal("spec.read: it goes with map", refusal({ table = "t", set = set, read = { "a" } }))
    assert.equal("spec.consistency: it goes with map",
      refusal({ table = "t", set = set, consistency = "lock" }))
    assert.matches("^spec.remaining: key = \"ctid\" needs it",
      refusal({ table = "t", set = set, key = "ctid" }))
    assert.equal('spec.consistency: "compare" needs a key; rows known by ctid are locked',
      refusal({ table = "t", map = map, read = { "a" }, key = "ctid", remaining = "true",
        consistency = "compare" }))
  end)

  it("wants a statement with a place for the range", function()
    assert.equal("spec.sql: it lacks {range}, the condition that limits it to one batch",
      refusal({ table = "t", sql = "DELETE FROM t" }))
    assert.equal("spec.sql: expected one statement, got 2",
      refusal({ table = "t", sql = "DELETE FROM t WHERE {range}; SELECT 1" }))
    assert.equal("DELETE FROM t WHERE {range:t}",
      checked({ table = "t", sql = "DELETE FROM t WHERE {range:t}" }).sql)
  end)

  it("tells the line of the call", function()
    local line = debug.getinfo(1, "l").currentline + 2
    local f = record.fault(function()
      op.batch_execute("x", { table = "t", set = set })
    end)
    assert.equal("op.batch_execute is not available here", f.message)
    assert.equal(line, f.line)
    assert.equal("batch_execute", f.origin)
  end)

  it("is known by what it does, and by the script when a function does it", function()
    local batch_spec = require("luamig.batch_spec")
    local function code(given, script)
      return batch_spec.code(checked(given), script)
    end
    local plain = code({ table = "t", set = set })
    assert.equal(plain, code({ table = "t", set = set, workers = 9 }, "another text"))
    assert.is_true(plain ~= code({ table = "t", set = { n = 2 } }))
    local map = { table = "t", read = { "a" }, map = function() end }
    assert.is_true(code(map, "one") ~= code(map, "two"))
  end)
end)
