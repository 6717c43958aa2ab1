local backfill = require("luamig.backfill")
local batch = require("support.batch")
local batch_spec = require("luamig.batch_spec")
local clock = require("luamig.core.clock")
local connection = require("luamig.core.conn")
local control = require("luamig.backfill.control")
local fault = require("luamig.fault")
local observe = require("luamig.backfill.observe")
local op = require("luamig.op")
local state = require("luamig.backfill.state")

local eventually = batch.eventually

describe("a backfill under control", function()
  local db, st

  setup(function()
    db = batch.database()
    st = state.new(db.conn)
    st:ensure()
  end)

  teardown(function()
    db:drop()
  end)

  after_each(batch.end_workers)

  local function numbers(rows, slow_ms)
    db:exec("DROP TABLE IF EXISTS numbers")
    db:exec("CREATE TABLE numbers (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)")
    db:exec("INSERT INTO numbers SELECT i FROM generate_series(1, $1::int) i", { rows })
    db:audit("numbers", "id", slow_ms)
  end

  local function register(name, options)
    local given = { table = "numbers", set = { n = op.sql("n + 1") }, batch_rows = 20,
      target_ms = 5, lease = "2s" }
    for key, v in pairs(options or {}) do
      given[key] = v
    end
    return backfill.register(db.conn, batch_spec.check(name, given), {})
  end

  local function written()
    return db:value("SELECT count(*) FROM audit")
  end

  local function state_of(name)
    return (observe.state(control.status(st, name)))
  end

  local function check_all_once(rows)
    assert.same({ rows = rows, once = rows, more = 0 }, db:writes())
  end

  -- A worker that is held for a reason that the test takes away.
  local function held_while(name, throttle, begin, stop, pattern)
    numbers(600)
    register(name, { throttle = throttle, pause_ms = 50 })
    begin()
    local worker = db:worker(name)
    eventually("it is held", function()
      return state_of(name) == "held"
    end)
    assert.matches(pattern, control.status(st, name).held)
    eventually("its range is given back", function()
      return control.status(st, name).workers == 0
    end)
    local before = written()
    stop()
    st:exec("tune", st:find(name).id, 20, 5, 0, 1, 2000, 0, st:find(name).throttle, 0, "")
    eventually("it goes on", function()
      return written() > before
    end)
    assert.equal("done", worker:wait())
    check_all_once(600)
    local events = st:exec("events", st:find(name).id, 100)
    local told = {}
    for _, event in ipairs(events) do
      told[event.what] = event.detail or ""
    end
    assert.matches(pattern, told.held)
    assert.equal("", told["goes on"])
  end

  it("is held by an SQL predicate, with the reason that it gives", function()
    db:exec("DROP TABLE IF EXISTS flag")
    db:exec("CREATE TABLE flag (why text)")
    held_while("sql", { when = "SELECT max(why) FROM flag" }, function()
      db:exec("INSERT INTO flag VALUES ('month end')")
    end, function()
      db:exec("DELETE FROM flag")
    end, "^month end$")
  end)

  it("is held while too many sessions wait for locks", function()
    local holder <close> = connection.open({ url = db.url })
    local waiter <close> = connection.open({ url = db.url })
    db:exec("DROP TABLE IF EXISTS other")
    db:exec("CREATE TABLE other (n int)")
    held_while("waiters", { waiters = 0 }, function()
      holder:exec("BEGIN")
      holder:exec("LOCK TABLE other")
      waiter:send("SELECT FROM other")
      waiter:push()
    end, function()
      holder:exec("ROLLBACK")
      waiter:sync()
    end, "^1 sessions wait for locks %(limit 0%)$")
  end)

  it("is held outside of its window", function()
    local function window(offset)
      return db:value(([[SELECT to_char(now() + interval '%d hours', 'HH24:MI') || '-'
        || to_char(now() + interval '%d hours', 'HH24:MI')]]):format(offset, offset + 1))
    end
    local away, now = window(2), window(-1):sub(1, 5) .. "-" .. window(1):sub(1, 5)
    held_while("window", { window = away }, function() end, function()
      control.tune(st, "window", { window = now })
    end, "^outside of the window ")
  end)

  it("is held by a Lua predicate", function()
    numbers(100)
    local asked = 0
    local result = db:run("lua", { table = "numbers", set = { n = op.sql("n + 1") },
      batch_rows = 10, target_ms = 1, pause_ms = 300, throttle = { when = function(query)
        asked = asked + query("SELECT 1 AS one")[1].one
        return asked == 1 and "not now"
      end } })
    assert.equal(100, result.changed)
    assert.is_true(asked >= 2)
    local events = st:exec("events", st:find("lua").id, 10)
    assert.equal("held", events[3].what)
    assert.equal("not now", events[3].detail)
  end)

  it("goes on when no standby is behind and no autovacuum runs", function()
    numbers(50)
    local result = db:run("calm", { table = "numbers", set = { n = op.sql("n + 1") },
      throttle = { replication_lag = "1s", autovacuum = true, waiters = 0, wal_rate = "1GB/s" } })
    assert.equal(50, result.changed)
    assert.is_nil(control.status(st, "calm").held)
  end)

  it("slows down when it writes more WAL than allowed", function()
    numbers(4000)
    register("wal", { throttle = { wal_rate = "10KB/s" }, batch_rows = 100, pause_ms = 100 })
    local worker = db:worker("wal")
    eventually("it slows down", function()
      return (control.status(st, "wal").held or ""):find("slowed down: more WAL than 0.0 MB/s")
    end)
    control.tune(st, "wal", { wal_rate = "none", pause_ms = "0" })
    assert.equal("done", worker:wait())
    check_all_once(4000)
  end)

  it("takes a new size, pause and number of workers while it runs", function()
    numbers(1500, 1)
    register("tuned", { pause_ms = 100 })
    local worker = db:worker("tuned", 0)
    eventually("it works", function()
      return written() > 0
    end)
    control.tune(st, "tuned", { workers = "3" })
    eventually("there are three workers", function()
      return control.status(st, "tuned").workers == 3
    end)
    control.tune(st, "tuned", { workers = "1", batch_rows = "200", target_ms = "1000",
      pause_ms = "0" })
    assert.equal("done", worker:wait())
    check_all_once(1500)
  end)

  -- Each range is one batch: a worker takes the next before it pauses.
  it("shows a worker that pauses between two ranges", function()
    numbers(1000)
    db:exec("ANALYZE numbers")
    register("pausing", { batch_rows = 10, target_ms = 1000, pause_ms = 150 })
    local worker = db:worker("pausing")
    eventually("two ranges are done", function()
      return control.status(st, "pausing").ranges_done >= 2
    end)
    local seen = 0
    for _ = 1, 20 do
      seen = seen + control.status(st, "pausing").workers
      clock.sleep_ms(20)
    end
    assert.is_true(seen > 15)
    control.tune(st, "pausing", { pause_ms = "0" })
    assert.equal("done", worker:wait())
    check_all_once(1000)
  end)

  it("is paused after the batch at hand, by whoever works on it", function()
    numbers(2000, 1)
    register("paused", { pause_ms = 10 })
    local first, second = db:worker("paused"), db:worker("paused")
    eventually("they work", function()
      return control.status(st, "paused").workers == 2
    end)
    control.pause(st, "paused")
    assert.equal("paused", first:wait())
    assert.equal("paused", second:wait())
    assert.equal(0, control.status(st, "paused").workers)
    control.tune(st, "paused", { pause_ms = "0" })
    control.resume(st, "paused")
    assert.equal("done", db:worker("paused"):wait())
    check_all_once(2000)
  end)

  it("waits inside a revision while it is paused, and ends when it is cancelled", function()
    numbers(300)
    local function inline(name, then_do)
      local other <close> = connection.open({ url = db.url })
      local looks = 0
      local given = { table = "numbers", set = { n = op.sql("n + 1") }, batch_rows = 10,
        target_ms = 1, pause_ms = 100 }
      return pcall(db.run, db, name, given, nil, { on_progress = function(progress)
        looks = looks + 1
        then_do(state.new(other), looks, progress)
      end })
    end
    local ok, result = inline("wait", function(other, looks)
      if looks == 1 then
        control.pause(other, "wait")
      elseif looks == 2 then
        control.tune(other, "wait", { pause_ms = "0" })
        control.resume(other, "wait")
      end
    end)
    assert.is_true(ok, tostring(result))
    assert.equal(300, result.changed)
    local f
    ok, f = inline("stop", function(other)
      control.cancel(other, "stop")
    end)
    assert.is_false(ok)
    assert.is_true(fault.is(f))
    assert.equal("partial", f.kind)
    assert.equal("'stop' was cancelled", f.message)
    assert.matches("rows of 'stop' are done and committed, about 300 in all", f.state)
  end)

  it("vacuums the table after so many changes", function()
    numbers(1000)
    register("vacuum", { vacuum_every = 0.2, pause_ms = 60 })
    local worker = db:worker("vacuum")
    eventually("the table is vacuumed", function()
      return db:value("SELECT vacuum_count > 0 FROM pg_stat_user_tables WHERE relname = 'numbers'")
    end)
    control.tune(st, "vacuum", { pause_ms = "0" })
    assert.equal("done", worker:wait())
    check_all_once(1000)
  end)

  it("makes its batches smaller while sessions wait for its rows", function()
    numbers(4000)
    db:exec([[CREATE OR REPLACE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN PERFORM pg_sleep(0.001); RETURN NEW; END']])
    db:exec("CREATE TRIGGER slow BEFORE UPDATE ON numbers FOR EACH ROW EXECUTE FUNCTION slow()")
    register("crowd", { batch_rows = 800, target_ms = 2000, lease = "60s" })
    local worker = db:worker("crowd")
    local sizes = {}
    local other <close> = connection.open({ url = db.url })
    eventually("the size is halved", function()
      local size = db:value("SELECT max(r.batch_rows) FROM luamig.backfill_range r JOIN "
        .. "luamig.backfill b ON b.id = r.backfill WHERE b.name = 'crowd'")
      sizes[#sizes + 1] = size
      -- A row in the middle of whatever batch is at hand.
      other:exec("UPDATE numbers SET n = n WHERE id % 100 = 50 AND n = 0")
      return size and size < 800 and size
    end)
    worker:signal("INT")
    worker:wait()
  end)

  it("keeps what it was told when the name is used again", function()
    numbers(10)
    local id = register("twice")
    assert.equal(id, register("twice"))
    db:run("twice", { table = "numbers", set = { n = op.sql("n + 1") } }, { run = "x" })
    assert.is_true(register("twice", { set = { n = 5 } }) ~= id)
  end)

  it("refuses a name whose work is not finished", function()
    numbers(3000)
    register("busy", { pause_ms = 20 })
    local worker = db:worker("busy")
    eventually("it works", function()
      return written() > 0
    end)
    local ok, f = pcall(register, "busy", { set = { n = 5 } })
    assert.is_false(ok)
    assert.equal("a backfill 'busy' of revision ? is not finished", f.message)
    worker:signal("INT")
    assert.equal("stopped", worker:wait())
    control.cancel(st, "busy")
    register("busy", { set = { n = 5 } })
  end)
end)
