local backfill = require("luamig.backfill")
local batch = require("support.batch")
local batch_spec = require("luamig.batch_spec")
local connection = require("luamig.core.conn")
local op = require("luamig.op")

local eventually = batch.eventually

describe("a batched migration", function()
  local db

  setup(function()
    db = batch.database()
    db:exec(("ALTER DATABASE %s SET deadlock_timeout = '50ms'"):format(db.name))
    db:exec("ALTER DATABASE " .. db.name .. " SET log_min_messages = 'fatal'")
  end)

  teardown(function()
    db:drop()
  end)

  after_each(batch.end_workers)

  local more = { n = op.sql("n + 1") }

  local function numbers(rows, slow_ms)
    db:exec("DROP TABLE IF EXISTS numbers")
    db:exec("CREATE TABLE numbers (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)")
    db:exec("INSERT INTO numbers SELECT i FROM generate_series(1, $1::int) i", { rows })
    db:audit("numbers", "id", slow_ms)
  end

  local function given(options)
    local out = { table = "numbers", set = more, batch_rows = 20, target_ms = 5, lease = "1s" }
    for name, v in pairs(options or {}) do
      out[name] = v
    end
    return out
  end

  local function register(name, options)
    return backfill.register(db.conn, batch_spec.check(name, given(options)), {})
  end

  local function worker(name, workers)
    return db:worker(name, workers)
  end

  local function check_all_once(rows)
    assert.same({ rows = rows, once = rows, more = 0 }, db:writes())
    assert.equal(rows, db:value("SELECT count(*) FROM numbers WHERE n = 1"))
  end

  local function changed(name)
    return db:value("SELECT coalesce(sum(rows_changed), 0)::int FROM luamig.backfill_range r "
      .. "JOIN luamig.backfill b ON b.id = r.backfill WHERE b.name = $1", { name })
  end

  local function table_row(name)
    return db:exec("SELECT * FROM luamig.backfill WHERE name = $1", { name })[1]
  end

  it("writes every row once although its process is killed again and again", function()
    numbers(3000, 1)
    register("killed", { pause_ms = 3 })
    local kills = 0
    local current = worker("killed")
    while kills < 6 do
      local before = db:value("SELECT count(*) FROM audit")
      eventually("the worker goes on", function()
        return db:value("SELECT count(*) FROM audit") > before
      end)
      current:signal("KILL")
      eventually("it is dead", function()
        return not current:is_running()
      end)
      kills = kills + 1
      db:exec("UPDATE luamig.backfill_range SET lease_until = now() WHERE state = 'leased'")
      current = worker("killed")
    end
    assert.equal("done", current:wait())
    check_all_once(3000)
    assert.equal(3000, changed("killed"))
  end)

  it("writes every row once although its connections are terminated", function()
    numbers(3000, 2)
    register("terminated", { pause_ms = 3, workers = 2 })
    local current = worker("terminated", 2)
    for _ = 1, 10 do
      local before = db:value("SELECT count(*) FROM audit")
      eventually("the worker goes on", function()
        return db:value("SELECT count(*) FROM audit") > before
      end)
      db:exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
        .. "WHERE application_name = 'luamig:terminated'")
    end
    assert.equal("done", current:wait())
    check_all_once(3000)
    assert.equal(3000, changed("terminated"))
  end)

  it("leaves a range to whoever took it over, when its worker wakes up too late", function()
    numbers(2000)
    register("stopped", { pause_ms = 5 })
    local first = worker("stopped")
    local owner = eventually("it is stopped while it has a range", function()
      first:signal("STOP")
      local found = db:value("SELECT owner FROM luamig.backfill_range "
        .. "WHERE state = 'leased' AND cursor IS NOT NULL")
      first:signal(found and "STOP" or "CONT")
      return found
    end)
    local second = worker("stopped")
    eventually("the lease is over and the range taken", function()
      return db:value("SELECT NOT EXISTS (SELECT FROM luamig.backfill_range "
        .. "WHERE state = 'leased' AND owner = $1)", { owner })
    end)
    first:signal("CONT")
    assert.equal("done", first:wait())
    assert.equal("done", second:wait())
    check_all_once(2000)
  end)

  it("knows no clock but the server's: machines whose date is wrong share the work", function()
    local DAY <const> = 24 * 3600
    numbers(3000, 1)
    register("dates", {})
    local ahead, behind = worker("dates", 1, DAY), worker("dates", 1, -DAY)
    local dead = eventually("who is a day ahead has a range", function()
      return db:value("SELECT owner FROM luamig.backfill_range "
        .. "WHERE state = 'leased' AND cursor IS NOT NULL AND owner LIKE $1",
        { "%:" .. ahead.pid .. ":%" })
    end)
    ahead:signal("KILL")
    ahead:wait()
    eventually("its range is taken over", function()
      return db:value("SELECT NOT EXISTS (SELECT FROM luamig.backfill_range "
        .. "WHERE state = 'leased' AND owner = $1)", { dead })
    end)
    assert.equal("done", behind:wait())
    check_all_once(3000)
  end)

  it("stops after the batch at hand when it is interrupted, and gives its range back", function()
    numbers(3000)
    register("interrupted", { pause_ms = 5 })
    local current = worker("interrupted")
    eventually("it works", function()
      return db:value("SELECT count(*) FROM audit") > 100
    end)
    current:signal("INT")
    assert.equal("stopped", current:wait())
    assert.equal(0, db:value("SELECT count(*) FROM luamig.backfill_range WHERE state = 'leased'"))
    assert.equal("done", worker("interrupted"):wait())
    check_all_once(3000)
  end)

  it("waits for rows that others have locked", function()
    numbers(500)
    local other <close> = connection.open({ url = db.url })
    other:exec("BEGIN")
    other:exec("SELECT FROM numbers WHERE id = 250 FOR UPDATE")
    register("locked")
    local current = worker("locked")
    eventually("it tries again and again", function()
      return db:value("SELECT count(*) >= 200 FROM audit")
    end)
    other:exec("ROLLBACK")
    assert.equal("done", current:wait())
    check_all_once(500)
  end)

  it("gives a range up that stays locked, does the others, and retries it on demand", function()
    numbers(600)
    local other <close> = connection.open({ url = db.url })
    other:exec("BEGIN")
    other:exec("SELECT FROM numbers WHERE id = 250 FOR UPDATE")
    register("stuck")
    assert.equal("failed", worker("stuck"):wait())
    local row = table_row("stuck")
    assert.equal("failed", row.outcome)
    assert.matches("^canceling statement due to lock timeout; blocked by pid %d+ %(postgres, .*, "
      .. "idle in transaction for %d+ s%): SELECT FROM numbers", row.failure)
    assert.is_true(db:value("SELECT count(*) > 400 FROM audit"))
    other:exec("ROLLBACK")
    require("luamig.backfill.state").new(db.conn):exec("retry", row.id, false)
    assert.equal("done", worker("stuck"):wait())
    check_all_once(600)
    assert.equal("done", table_row("stuck").outcome)
  end)

  it("tries again when it was chosen as the victim of a deadlock", function()
    numbers(100)
    local other <close> = connection.open({ url = db.url })
    other:exec("SET deadlock_timeout = '20s'")
    other:exec("BEGIN")
    other:exec("UPDATE numbers SET n = n WHERE id = 100")
    register("deadlock", { batch_rows = 100, target_ms = 5000, lease = "60s" })
    local current = worker("deadlock")
    eventually("it waits for the row", function()
      return db:value("SELECT count(*) > 0 FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
        .. "AND application_name = 'luamig:deadlock'")
    end)
    other:exec("UPDATE numbers SET n = n WHERE id = 1")
    other:exec("ROLLBACK")
    assert.equal("done", current:wait())
    check_all_once(100)
  end)

  it("makes its batches smaller when they take too long", function()
    numbers(70)
    db:exec([[CREATE OR REPLACE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS
      'BEGIN PERFORM pg_sleep(0.02); RETURN NEW; END']])
    db:exec("CREATE TRIGGER slow BEFORE UPDATE ON numbers FOR EACH ROW EXECUTE FUNCTION slow()")
    local result = db:run("slow", given({ batch_rows = 100, target_ms = 50, lease = "2s" }))
    assert.equal(70, result.changed)
    assert.is_true(result.batches >= 3)
    check_all_once(70)
  end)

  it("finds the row that fails, and stops there with everything before it done", function()
    numbers(500)
    db:exec("ALTER TABLE numbers ADD CONSTRAINT odd CHECK (id <> 333 OR n = 0)")
    local f = db:fault("bad row", given())
    assert.equal("operation", f.kind)
    f = db:fault("bad_row", given({ batch_rows = 100 }))
    assert.equal("23514", f.sqlstate)
    assert.matches("^row {333} of public.numbers", f.detail)
    assert.equal(332, db:value("SELECT count(*) FROM audit"))
    assert.equal("failed", table_row("bad_row").outcome)
    db:exec("ALTER TABLE numbers DROP CONSTRAINT odd")
    db:run("bad_row", given({ batch_rows = 100 }))
    check_all_once(500)
  end)

  it("puts rows that fail aside, within the budget", function()
    numbers(500)
    db:exec("ALTER TABLE numbers ADD CONSTRAINT odd CHECK (id % 100 <> 7 OR n = 0)")
    local result = db:run("aside", given({ on_error = { quarantine = 5 }, workers = 2 }))
    assert.equal(5, result.errors)
    assert.equal(495, result.changed)
    local errors = db:exec("SELECT key[1]::int AS id, sqlstate, message FROM luamig.backfill_error "
      .. "ORDER BY key[1]::int")
    assert.equal(7, errors[1].id)
    assert.equal("23514", errors[1].sqlstate)
    assert.equal(407, errors[5].id)
    assert.matches("violates check constraint", errors[5].message)

    numbers(500)
    db:exec("ALTER TABLE numbers ADD CONSTRAINT odd CHECK (id % 100 <> 7 OR n = 0)")
    local f = db:fault("aside", given({ on_error = { quarantine = 4 } }), { run = "2" })
    assert.equal("23514", f.sqlstate)
    assert.matches("^row {407} of public.numbers", f.detail)
    assert.equal(402, db:value("SELECT count(*) FROM audit"))
  end)

  it("finds a row that fails only at commit", function()
    numbers(200)
    db:exec("CREATE TABLE IF NOT EXISTS known (n int PRIMARY KEY)")
    db:exec("INSERT INTO known VALUES (0), (1) ON CONFLICT DO NOTHING")
    db:exec("ALTER TABLE numbers ADD FOREIGN KEY (n) REFERENCES known DEFERRABLE "
      .. "INITIALLY DEFERRED")
    local f = db:fault("deferred", given({
      set = { n = op.sql("CASE WHEN id = 150 THEN 2 ELSE 1 END") },
    }))
    assert.equal("23503", f.sqlstate)
    assert.matches("^row {150} of public.numbers", f.detail)
    assert.equal(149, db:value("SELECT count(*) FROM numbers WHERE n = 1"))
  end)

  it("stops at once when its SQL is wrong", function()
    numbers(100)
    local f = db:fault("wrong", given({ set = { n = op.sql("m + 1") } }))
    assert.equal("42703", f.sqlstate)
    assert.equal(0, db:value("SELECT count(*) FROM audit"))
    assert.equal('column "m" does not exist', table_row("wrong").failure)
  end)

  it("stops when its code is another one in the meantime", function()
    numbers(3000)
    register("changed", { pause_ms = 5 })
    local current = worker("changed")
    eventually("it works", function()
      return db:value("SELECT count(*) FROM audit") > 100
    end)
    db:exec("UPDATE luamig.backfill SET code = 'other' WHERE name = 'changed'")
    db:exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
      .. "WHERE application_name = 'luamig:changed'")
    assert.equal("changed", current:wait())
  end)
end)
