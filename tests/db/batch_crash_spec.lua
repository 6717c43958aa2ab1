local backfill = require("luamig.backfill")
local batch = require("support.batch")
local batch_spec = require("luamig.batch_spec")
local cluster = require("support.cluster")
local connection = require("luamig.core.conn")
local op = require("luamig.op")
local pooler = require("support.pooler")

local eventually = batch.eventually

describe("a batched migration over a server's crash", function()
  local machine, db

  setup(function()
    machine = cluster.new({ wal_writer_delay = "10s", max_connections = 60 })
    db = batch.on(machine:url())
  end)

  teardown(function()
    batch.end_workers()
    db.conn:close()
    machine:close()
  end)

  after_each(batch.end_workers)

  local function numbers(rows)
    db:exec("DROP TABLE IF EXISTS numbers")
    db:exec("CREATE TABLE numbers (id int PRIMARY KEY, n int NOT NULL DEFAULT 0)")
    db:exec("INSERT INTO numbers SELECT i FROM generate_series(1, $1::int) i", { rows })
    db:audit("numbers", "id", 3)
  end

  local function written()
    local ok, count = pcall(db.value, db, "SELECT count(*) FROM audit")
    return ok and count or 0
  end

  it("writes every row once although commits are lost in it", function()
    numbers(3000)
    backfill.register(db.conn, batch_spec.check("crash", { table = "numbers",
      set = { n = op.sql("n + 1") }, batch_rows = 20, target_ms = 50, lease = "1s",
      workers = 2 }), {})
    local workers = { db:worker("crash", 2), db:worker("crash", 1) }
    for _ = 1, 3 do
      local before = written()
      eventually("they go on", function()
        return written() > before + 100
      end)
      machine:stop("immediate")
      machine:start()
      db.conn:close()
      db.conn = connection.open({ url = db.url })
    end
    for _, worker in ipairs(workers) do
      assert.equal("done", worker:wait())
    end
    assert.same({ rows = 3000, once = 3000, more = 0 }, db:writes())
    assert.equal(3000, db:value("SELECT sum(rows_changed)::int FROM luamig.backfill_range"))
  end)

  it("does not begin with a server that is not there", function()
    numbers(10)
    local url = machine:url():gsub("host=", "host=/nowhere")
    local ok, f = pcall(backfill.run_inline, { url = url }, batch_spec.check("gone",
      { table = "numbers", set = { n = 1 } }), {})
    assert.is_false(ok)
    assert.equal("connection", f.kind)
  end)
end)

describe("a batched migration through a transaction pooler", function()
  local db, bouncer

  setup(function()
    db = batch.database()
    bouncer = pooler.start("transaction", 4)
  end)

  teardown(function()
    bouncer:stop()
    db:drop()
  end)

  it("needs no session of its own", function()
    db:users(2000)
    db:audit("users", "id")
    local place = { url = bouncer:url(db.name), search_path = "pg_catalog, public" }
    local spec = batch_spec.check("pooled", { table = "users", batch_rows = 50, target_ms = 5,
      set = { email_norm = op.sql("lower(email)") }, remaining = "email_norm IS NULL",
      workers = 3 })
    local result = backfill.run_inline(place, spec, {})
    assert.equal(2000, result.changed)
    assert.same({ rows = 2000, once = 2000, more = 0 }, db:writes())
    db:users(500)
    db:audit("users", "id")
    local map = batch_spec.check("mapped", { table = "users", read = { "email" }, batch_rows = 50,
      map = function(row)
        return { email_norm = row.email:lower() }
      end })
    assert.equal(500, backfill.run_inline(place, map, {}).changed)
    assert.same({ rows = 500, once = 500, more = 0 }, db:writes())
  end)
end)
