local backfill = require("luamig.backfill")
local batch = require("support.batch")
local batch_spec = require("luamig.batch_spec")
local clock = require("luamig.core.clock")
local op = require("luamig.op")

describe("a batched migration by several processes", function()
  local ROWS <const>, KILLS <const>, PROCESSES <const> = 40000, 100, 3
  local db

  setup(function()
    db = batch.database()
    db:exec("CREATE TABLE numbers (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)")
    db:exec("INSERT INTO numbers SELECT i FROM generate_series(1, $1::int) i", { ROWS })
    db:audit("numbers", "id", 6)
  end)

  teardown(function()
    batch.end_workers()
    db:drop()
  end)

  -- Leases of the dead end at once, and of one or the other that is alive: it must notice.
  local function end_leases()
    db:exec("UPDATE luamig.backfill_range SET lease_until = now() "
      .. "WHERE state = 'leased' AND random() < 0.7")
  end

  local function kill_one(workers, i)
    if i % 4 == 0 then
      local how = i % 8 == 0 and "pg_cancel_backend" or "pg_terminate_backend"
      db:exec("SELECT " .. how .. "(pid) FROM (SELECT pid FROM pg_stat_activity "
        .. "WHERE application_name = 'luamig:killed' AND query LIKE 'UPDATE ONLY public.numbers%' "
        .. "ORDER BY random() LIMIT 1) one")
      return
    end
    local victim = 1 + clock.jitter_ms(PROCESSES - 1)
    assert.is_true(workers[victim]:is_running(), "it ended before all kills were made")
    workers[victim]:signal("KILL")
    workers[victim]:wait()
    workers[victim] = db:worker("killed", 2)
  end

  it(("writes every row once though one of them is killed %d times"):format(KILLS), function()
    backfill.register(db.conn, batch_spec.check("killed", { table = "numbers",
      set = { n = op.sql("n + 1") }, batch_rows = 20, target_ms = 30, lease = "2s" }), {})
    local workers = {}
    for i = 1, PROCESSES do
      workers[i] = db:worker("killed", 2)
    end
    for i = 1, KILLS do
      clock.sleep_ms(20 + clock.jitter_ms(60))
      kill_one(workers, i)
      end_leases()
    end
    db:exec("CREATE OR REPLACE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN "
      .. "INSERT INTO public.audit VALUES (NEW.id::text, 1) ON CONFLICT (key) "
      .. "DO UPDATE SET writes = public.audit.writes + 1; RETURN NEW; END $$")
    for _, worker in ipairs(workers) do
      assert.equal("done", worker:wait())
    end
    assert.same({ rows = ROWS, once = ROWS, more = 0 }, db:writes())
    assert.equal(ROWS, db:value("SELECT count(*) FROM numbers WHERE n = 1"))
    assert.equal(ROWS, db:value("SELECT sum(rows_changed)::int FROM luamig.backfill_range"))
  end)
end)
