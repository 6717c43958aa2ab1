local backfill = require("luamig.backfill")
local batch = require("support.batch")
local batch_spec = require("luamig.batch_spec")
local fault = require("luamig.fault")
local op = require("luamig.op")
local project = require("support.project")

local script = [[
local factor = 100
local function cents(text)
  local amount = tonumber(text)
  return amount and math.floor(amount * factor + 0.5)
end

revision = "007"

function upgrade()
  op.drop_column("orders", "gone")
  op.batch_execute("other", { table = "orders", set = { cents = 0 } })
  op.batch_execute("cents", {
    table = "orders", read = { "id", "raw" }, batch_rows = 50,
    map = function(row, ctx)
      return { cents = cents(row.raw) }
    end,
  })
end
]]

describe("workers", function()
  local db

  setup(function()
    db = batch.database()
  end)

  teardown(function()
    db:drop()
  end)

  after_each(batch.end_workers)

  local function orders(rows, slow_ms)
    db:exec("DROP TABLE IF EXISTS orders")
    db:exec("CREATE TABLE orders (id int PRIMARY KEY, raw text, cents bigint)")
    db:exec("INSERT INTO orders SELECT i, i || '.25' FROM generate_series(1, $1::int) i", { rows })
    db:exec("ANALYZE orders")
    db:audit("orders", "id", slow_ms)
  end

  local function register(name, given)
    return backfill.register(db.conn, batch_spec.check(name, given), {})
  end

  -- Registered, and so many ranges made for it.
  local function plan(name, given, ranges)
    register(name, given)
    local st = require("luamig.backfill.state").new(db.conn)
    require("luamig.backfill.prepare").pass(st, st:find(name), batch_spec.check(name, given),
      { ranges = ranges })
  end

  local function check_all_once(rows)
    assert.same({ rows = rows, once = rows, more = 0 }, db:writes())
  end

  it("share a table", function()
    orders(3000)
    register("shared", { table = "orders", set = { cents = op.sql("coalesce(cents, 0) + 1") },
      batch_rows = 20, target_ms = 2, workers = 4 })
    local ended, progress = backfill.run({ url = db.url }, "shared")
    assert.equal("done", ended)
    assert.equal(3000, progress.changed)
    check_all_once(3000)
    assert.is_true(db:value("SELECT count(DISTINCT id) FROM luamig.backfill_range "
      .. "WHERE batches > 0") > 4)
  end)

  it("run a map function in states of their own, made from the text of the revision", function()
    orders(2000)
    local spec = batch_spec.check("cents", { table = "orders", read = { "raw" },
      map = function() end, batch_rows = 50, workers = 3 })
    local result = backfill.run_inline({ url = db.url }, spec,
      { revision = "007", script = { text = script, file = "versions/007.lua" } })
    assert.equal(2000, result.changed)
    check_all_once(2000)
    assert.equal(2000, db:value("SELECT count(*) FROM orders WHERE cents = id * 100 + 25"))
  end)

  it("take a map function from a module of the project", function()
    orders(200)
    local folder = project.new()
    folder:write("money.lua", "return function(row) return { cents = row.id } end")
    local spec = batch_spec.check("module", { table = "orders", read = { "id" }, map = "money",
      workers = 2 })
    backfill.run_inline({ url = db.url }, spec,
      { script = { text = "revision = 'x'\n", file = "x.lua", path = { folder:path() } } })
    folder:remove()
    assert.equal(200, db:value("SELECT count(*) FROM orders WHERE cents = id"))
  end)

  it("are refused when the function cannot be had again", function()
    orders(20)
    local function message(text)
      local spec = batch_spec.check("cents", { table = "orders", read = { "raw" },
        map = function() end, workers = 3 })
      local about = { script = text and { text = text, file = "versions/007.lua" } }
      local ok, f = pcall(backfill.run_inline, { url = db.url }, spec, about)
      assert.is_false(ok)
      assert.is_true(fault.is(f), tostring(f))
      return f.message, f
    end
    assert.equal("'cents' has several workers, and each needs the script of its map function",
      message())
    assert.equal("the revision does not come to the call of 'cents' when it runs again",
      message("revision = '1'\nfunction upgrade() end"))
    assert.matches("attempt to index a nil value",
      message("revision = '1'\nfunction upgrade() local x; x.y = 1 end"))
  end)

  it("of several processes share the work", function()
    orders(4000)
    register("many", { table = "orders", set = { cents = op.sql("coalesce(cents, 0) + 1") },
      batch_rows = 20, target_ms = 2, pause_ms = 5 })
    local list = {}
    for i = 1, 3 do
      list[i] = db:worker("many")
    end
    for _, each in ipairs(list) do
      assert.equal("done", each:wait())
    end
    check_all_once(4000)
    assert.equal("done", db:value("SELECT outcome FROM luamig.backfill WHERE name = 'many'"))
  end)

  it("take a part of the range that another one has", function()
    orders(6000)
    local given = { table = "orders", set = { cents = 1 }, batch_rows = 20, target_ms = 1,
      pause_ms = 5 }
    plan("tail", given, 1)
    local list = {}
    for i = 1, 2 do
      list[i] = db:worker("tail")
    end
    for _, each in ipairs(list) do
      assert.equal("done", each:wait())
    end
    check_all_once(6000)
    local ranges = db:exec("SELECT r.rows_changed FROM luamig.backfill_range r "
      .. "JOIN luamig.backfill b ON b.id = r.backfill WHERE b.name = 'tail'")
    assert.is_true(#ranges > 1)
  end)

  it("find ranges that become smaller, so that they end together", function()
    orders(8000)
    local given = { table = "orders", set = { cents = 1 }, batch_rows = 10 }
    plan("cut", given, 4)
    local rows = db:exec([[SELECT r.rows_estimate AS estimate, (SELECT count(*) FROM orders o
      WHERE o.id > r.lo[1]::int - r.inclusive::int AND o.id <= r.hi[1]::int) AS rows
      FROM luamig.backfill_range r JOIN luamig.backfill b ON b.id = r.backfill
      WHERE b.name = 'cut' ORDER BY r.id]])
    local total = 0
    for i, share in ipairs({ 7, 5, 3, 1 }) do
      assert.equal(500 * share, rows[i].estimate)
      assert.near(500 * share, rows[i].rows, 160) -- the histogram has steps of a hundredth
      total = total + rows[i].rows
    end
    assert.same({ 4, 8000 }, { #rows, total })
  end)

  it("find ranges along an index whose first column has few rows for each value", function()
    db:exec("DROP TABLE IF EXISTS lines")
    db:exec("CREATE TABLE lines (tenant text, nr int, n int DEFAULT 0, PRIMARY KEY (tenant, nr))")
    db:exec("INSERT INTO lines SELECT 't' || i % 500, i FROM generate_series(1, 6000) i")
    db:exec("ANALYZE lines")
    local given = { table = "lines", set = { n = op.sql("n + 1") }, batch_rows = 10 }
    plan("lines", given, 8)
    local ranges = db:exec([[SELECT r.rows_estimate AS estimate FROM luamig.backfill_range r
      JOIN luamig.backfill b ON b.id = r.backfill WHERE b.name = 'lines' ORDER BY r.id]])
    local total = 0
    for _, range in ipairs(ranges) do
      total = total + range.estimate
    end
    assert.is_true(#ranges > 3)
    assert.near(6000, total, 8)
    assert.equal("done", (backfill.run({ url = db.url }, "lines")))
    assert.equal(6000, db:value("SELECT count(*) FROM lines WHERE n = 1"))
  end)

  -- Two batches of a second: the other worker gets its part after the first.
  it("share the last batch of a range", function()
    orders(1000, 2)
    local given = { table = "orders", set = { cents = 1 }, batch_rows = 500, target_ms = 1000 }
    plan("last", given, 1)
    local list = { db:worker("last"), db:worker("last") }
    for _, each in ipairs(list) do
      assert.equal("done", each:wait())
    end
    check_all_once(1000)
    local rows = db:exec("SELECT r.rows_changed FROM luamig.backfill_range r "
      .. "JOIN luamig.backfill b ON b.id = r.backfill WHERE b.name = 'last' ORDER BY r.id")
    assert.same({ 750, 250 }, { rows[1].rows_changed, rows[2].rows_changed })
  end)
end)
