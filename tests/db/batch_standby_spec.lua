--- Backfills beside a streaming standby.

local backfill = require("luamig.backfill")
local batch = require("support.batch")
local batch_spec = require("luamig.batch_spec")
local cluster = require("support.cluster")
local connection = require("luamig.core.conn")
local control = require("luamig.backfill.control")
local observe = require("luamig.backfill.observe")
local op = require("luamig.op")
local state = require("luamig.backfill.state")
local throttle = require("luamig.backfill.throttle")

local eventually = batch.eventually

describe("a backfill beside a standby", function()
  local primary, standby, db, st

  setup(function()
    if cluster.has_standbys() then
      primary = cluster.new()
      standby = primary:standby({ wal_receiver_status_interval = "1s",
        max_standby_streaming_delay = -1 })
      db = batch.on(primary:url())
      st = state.new(db.conn)
      st:ensure()
    end
  end)

  teardown(function()
    if primary then
      db.conn:close()
      standby:close()
      primary:close()
    end
  end)

  after_each(batch.end_workers)

  local function with_standby(name, fn)
    it(name, function()
      if not primary then
        return pending("the server's package has no pg_basebackup")
      end
      fn()
    end)
  end

  local function behind(name, stop, go_on)
    db:exec("DROP TABLE IF EXISTS numbers")
    db:exec("CREATE TABLE numbers (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)")
    db:exec("INSERT INTO numbers SELECT i FROM generate_series(1, 1500) i")
    db:audit("numbers", "id")
    eventually("the standby has caught up", function()
      return db:value("SELECT bool_and(replay_lsn = pg_current_wal_flush_lsn()) "
        .. "FROM pg_stat_replication")
    end)
    backfill.register(db.conn, batch_spec.check(name, { table = "numbers", batch_rows = 10,
      set = { n = op.sql("n + 1") }, target_ms = 5, pause_ms = 100, lease = "2s",
      throttle = { replication_lag = "500ms" } }), {})
    stop()
    local worker = db:worker(name)
    eventually("it is held", function()
      return observe.state(control.status(st, name)) == "held"
    end)
    assert.matches("^a standby is %d+%.%d s behind %(limit 0.5 s%)$", control.status(st, name).held)
    eventually("its range is given back", function()
      return control.status(st, name).workers == 0
    end)
    local before = db:value("SELECT count(*) FROM audit")
    assert.is_true(before < 1500)
    assert.is_true(worker:is_running())
    assert.equal(before, db:value("SELECT count(*) FROM audit"))
    control.tune(st, name, { pause_ms = "0" })
    go_on()
    assert.equal("done", worker:wait())
    assert.same({ rows = 1500, once = 1500, more = 0 }, db:writes())
    local told = {}
    for _, event in ipairs(st:exec("events", st:find(name).id, 100)) do
      told[event.what] = event.detail or ""
    end
    assert.matches("^a standby is ", told.held)
    assert.equal("", told["goes on"])
  end

  with_standby("is held while replay is paused, says so, and goes on afterwards", function()
    behind("paused", function()
      standby:exec("SELECT pg_wal_replay_pause()")
    end, function()
      standby:exec("SELECT pg_wal_replay_resume()")
    end)
    eventually("the rows are there, too", function()
      return standby:exec("SELECT count(*) = 1500 AS is_so FROM numbers WHERE n = 1")[1].is_so
    end)
  end)

  with_standby("is held while a query on the standby stands in the way of replay", function()
    db:exec("CREATE TABLE reports (id int)")
    local reader <close> = connection.open({ url = standby:url() })
    behind("reader", function()
      reader:exec("BEGIN")
      reader:exec("SELECT FROM reports")
      db:exec("TRUNCATE reports")
    end, function()
      reader:exec("COMMIT")
    end)
  end)

  with_standby("says what is missing when its role may not see the standbys", function()
    db:exec("CREATE ROLE blind LOGIN")
    local blind = connection.open({ url = primary:url(nil, "blind") })
    local governor = throttle.new({})
    local progress = { throttle = '{"replication_lag_ms":500}' }
    assert.equal("the role 'blind' may not see how far standbys are behind: GRANT pg_monitor TO "
      .. "it, or take replication_lag away", (governor:check(blind, progress)))
    db:exec("GRANT pg_monitor TO blind")
    assert.is_nil((governor:check(blind, progress)))
    blind:close()
    db:exec("DROP ROLE blind")
  end)
end)
