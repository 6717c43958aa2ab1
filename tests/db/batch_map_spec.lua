local batch = require("support.batch")
local op = require("luamig.op")

describe("a row transform", function()
  local db

  setup(function()
    db = batch.database()
  end)

  teardown(function()
    db:drop()
  end)

  local function orders(rows)
    db:exec("DROP TABLE IF EXISTS orders")
    db:exec("CREATE TABLE orders (id int PRIMARY KEY, raw text, cents bigint, note text)")
    db:exec("INSERT INTO orders SELECT i, i || '.25' FROM generate_series(1, $1::int) i", { rows })
  end

  local function to_cents(row)
    local amount = tonumber(row.raw)
    return amount and { cents = math.floor(amount * 100 + 0.5) }
  end

  local function spec(map, more)
    local given = { table = "orders", read = { "id", "raw" }, map = map, batch_rows = 50,
      target_ms = 1000 }
    for name, v in pairs(more or {}) do
      given[name] = v
    end
    return given
  end

  for _, consistency in ipairs({ "lock", "compare" }) do
    it("writes back what the function returns, each row once: " .. consistency, function()
      orders(500)
      db:audit("orders", "id")
      local result = db:run("cents", spec(to_cents, { consistency = consistency }))
      assert.same({ rows = 500, once = 500, more = 0 }, db:writes())
      assert.equal(500, result.changed)
      assert.equal(500, db:value("SELECT count(*) FROM orders WHERE cents = id * 100 + 25"))
    end)
  end

  it("reads rows again that were changed between reading and writing", function()
    orders(200)
    local other <close> = db.made.connect()
    local changes = 0
    local result = db:run("race", spec(function(row)
      if row.id == 60 and changes < 3 then
        changes = changes + 1
        other:exec("UPDATE orders SET raw = $1 WHERE id = 60", { changes .. "000.00" })
      end
      return to_cents(row)
    end, { consistency = "compare" }))
    assert.equal(3, changes)
    assert.equal(200, result.changed)
    assert.equal(300000, db:value("SELECT cents FROM orders WHERE id = 60"))
    assert.equal(199, db:value("SELECT count(*) FROM orders WHERE cents = id * 100 + 25"))
  end)

  it("holds rows locked from reading to writing", function()
    orders(20)
    local other <close> = db.made.connect()
    local sqlstate
    db:run("held", spec(function(row)
      if row.id == 10 then
        other:exec("SET lock_timeout = '50ms'")
        local ok, f = pcall(other.exec, other, "UPDATE orders SET raw = '0' WHERE id = 11")
        sqlstate = not ok and f.sqlstate
      end
      return to_cents(row)
    end))
    assert.equal("55P03", sqlstate)
    assert.equal(20, db:value("SELECT count(*) FROM orders WHERE cents = id * 100 + 25"))
  end)

  it("writes large values in statements that the server need not put on disk", function()
    local function temporary_files()
      db:exec("SELECT pg_stat_clear_snapshot()")
      return db:value("SELECT temp_files FROM pg_stat_database WHERE datname = current_database()")
    end
    orders(60)
    db:audit("orders", "id")
    local before = temporary_files()
    local result = db:run("large", spec(function(row)
      return { note = tostring(row.id):rep(50000) }
    end, { batch_rows = 100 }))
    assert.same({ 60, 1 }, { result.changed, result.batches })
    assert.same({ rows = 60, once = 60, more = 0 }, db:writes())
    assert.equal(60, db:value("SELECT count(*) FROM orders WHERE note = repeat(id::text, 50000)"))
    batch.eventually("the statistics have come", function()
      return db:value("SELECT n_tup_upd FROM pg_stat_user_tables WHERE relname = 'orders'") >= 60
    end)
    assert.equal(before, temporary_files())
  end)

  it("writes only the rows that the function changes, and only those columns", function()
    orders(100)
    db:audit("orders", "id")
    local result = db:run("some", spec(function(row)
      if row.id % 4 == 0 then
        return { cents = 1 }
      elseif row.id % 4 == 1 then
        return { note = "n", cents = op.null }
      elseif row.id % 4 == 2 then
        return {}
      end
    end))
    assert.equal(50, result.changed)
    assert.same({ rows = 50, once = 50, more = 0 }, db:writes())
    assert.equal(25, db:value("SELECT count(*) FROM orders WHERE cents = 1 AND note IS NULL"))
    assert.equal(25, db:value("SELECT count(*) FROM orders WHERE note = 'n' AND cents IS NULL"))
  end)

  it("writes JSON back as it was read", function()
    db:exec("DROP TABLE IF EXISTS documents")
    db:exec("CREATE TABLE documents (id int PRIMARY KEY, j jsonb, k jsonb)")
    db:exec([[INSERT INTO documents VALUES (1, '{"big": 1234567890123456789, "pi":
      3.141592653589793, "none": [], "empty": {}, "one": 1, "null": null, "text": "é\\n"}')]])
    db:run("documents", {
      table = "documents",
      read = { "j" },
      map = function(row)
        return { k = row.j }
      end,
    })
    assert.is_true(db:value("SELECT j::text = k::text FROM documents"))
  end)

  it("gives values as Lua's own and takes them back, whatever their type", function()
    db:exec("DROP TABLE IF EXISTS kinds")
    db:exec([[CREATE TABLE kinds (id uuid PRIMARY KEY, i int, f float8, b boolean, t text, j jsonb,
      a int[], w text[], y bytea, n numeric, d date, e text, c character(5))]])
    db:exec([[INSERT INTO kinds VALUES (gen_random_uuid(), 7, 1.5, true, E'a"b\\c,{}', '{"k": [1]}',
      '{1,2}', '{a,"b c",NULL}', '\x0001ff', 12.50, '2024-02-29', NULL, 'ab')]])
    local seen
    db:run("kinds", {
      table = "kinds",
      read = { "i", "f", "b", "t", "j", "a", "w", "y", "n", "d", "e", "c" },
      map = function(row)
        seen = row
        return { i = row.i + 1, f = row.f * 2, b = not row.b, t = row.t .. "'", j = { k = { 2 } },
          a = { 3, 4 }, w = { "x,y", op.null, 'q"' }, y = row.y .. "\0", n = row.n, d = row.d,
          e = "NULL", c = "xyz" }
      end,
    })
    assert.equal(7, seen.i)
    assert.equal(1.5, seen.f)
    assert.is_true(seen.b)
    assert.equal('a"b\\c,{}', seen.t)
    assert.same({ k = { 1 } }, seen.j)
    assert.same({ 1, 2 }, seen.a)
    assert.same({ "a", "b c", op.null }, seen.w)
    assert.equal("\0\1\255", seen.y)
    assert.equal("12.50", seen.n)
    assert.equal("2024-02-29", seen.d)
    assert.is_nil(seen.e)
    local row = db:exec("SELECT * FROM kinds")[1]
    assert.equal(8, row.i)
    assert.equal(3.0, row.f)
    assert.is_false(row.b)
    assert.equal('a"b\\c,{}\'', row.t)
    assert.same({ k = { 2 } }, row.j)
    assert.same({ 3, 4 }, row.a)
    assert.same({ "x,y", op.null, 'q"' }, row.w)
    assert.equal("\0\1\255\0", row.y)
    assert.equal("12.50", row.n)
    assert.equal("NULL", row.e)
    assert.equal("xyz  ", row.c)
  end)

  it("reads only rows that need work", function()
    orders(100)
    db:exec("UPDATE orders SET cents = 0 WHERE id <= 60")
    local seen = 0
    db:run("rest", spec(function(row)
      seen = seen + 1
      return to_cents(row)
    end, { remaining = "cents IS NULL" }))
    assert.equal(40, seen)
    assert.equal(60, db:value("SELECT count(*) FROM orders WHERE cents = 0"))
  end)

  it("works on composite keys and on rows known by ctid", function()
    db:exec("DROP TABLE IF EXISTS pairs, heap")
    db:exec("CREATE TABLE pairs (a int, b timestamptz, n int, PRIMARY KEY (a, b))")
    db:exec("INSERT INTO pairs SELECT i % 7, '2024-01-01'::timestamptz + i * interval '1 day', 0 "
      .. "FROM generate_series(1, 300) i")
    db:run("pairs", { table = "pairs", read = { "n" }, batch_rows = 11, map = function(row)
      return { n = row.n + 1 }
    end })
    assert.equal(300, db:value("SELECT count(*) FROM pairs WHERE n = 1"))
    db:exec("CREATE TABLE heap (n int)")
    db:exec("INSERT INTO heap SELECT 0 FROM generate_series(1, 400)")
    db:audit("heap", "ctid")
    db:run("heap", { table = "heap", key = "ctid", read = { "n" }, remaining = "n = 0",
      batch_rows = 70, map = function(row)
        return { n = row.n + 1 }
      end })
    assert.equal(400, db:value("SELECT count(*) FROM heap WHERE n = 1"))
  end)

  it("stops at the first row that the function fails on, and names the line and the key", function()
    orders(200)
    local line = debug.getinfo(1, "l").currentline + 3
    local f = db:fault("strict", spec(function(row)
      if row.id == 120 then
        error("no amount in " .. row.raw)
      end
      return to_cents(row)
    end))
    assert.equal("script", f.kind)
    assert.matches("batch_map_spec%.lua:" .. line .. ": no amount in 120%.25$", f.message)
    assert.equal("row {120} of public.orders; on_error allows 0", f.detail)
    assert.equal(100, db:value("SELECT count(*) FROM orders WHERE cents IS NOT NULL"))
  end)

  it("puts rows aside that the function rejects or fails on, within the budget", function()
    orders(200)
    local map = function(row, ctx)
      if row.id % 50 == 0 then
        ctx.reject("row " .. row.id)
      elseif row.id == 77 then
        error({ "no text" })
      elseif row.id == 78 then
        return { cents = {} }
      end
      return to_cents(row)
    end
    local result = db:run("aside", spec(map, { on_error = { quarantine = 6 } }))
    assert.equal(6, result.errors)
    assert.equal(194, db:value("SELECT count(*) FROM orders WHERE cents IS NOT NULL"))
    local rows = db:exec("SELECT key[1]::int AS id, message FROM luamig.backfill_error ORDER BY 1")
    assert.equal("row 50", rows[1].message)
    assert.equal(77, rows[2].id)
    assert.matches("table is no value of type bigint", rows[3].message)
    orders(200)
    local f = db:fault("aside", spec(map, { on_error = { quarantine = 5 } }))
    assert.equal("row 200", f.message)
    assert.equal("row {200} of public.orders; on_error allows 5", f.detail)
    assert.is_true(db:value("SELECT count(*) FROM orders WHERE cents IS NOT NULL") >= 46)
  end)

  it("finds the row that the database refuses", function()
    orders(300)
    db:exec("ALTER TABLE orders ADD CHECK (cents <> 17725)")
    local f = db:fault("refused", spec(to_cents))
    assert.equal("23514", f.sqlstate)
    assert.matches("^row {177} of public.orders\n", f.detail)
    local result = db:run("refused", spec(to_cents, { on_error = { quarantine = 1 } }),
      { run = "b" })
    assert.equal(1, result.errors)
    assert.equal(299, db:value("SELECT count(*) FROM orders WHERE cents IS NOT NULL"))
  end)

  it("refuses columns that there are not, and results that are no table", function()
    orders(10)
    local f = db:fault("odd", spec(function()
      return { cent = 1 }
    end))
    assert.equal("the map function: there is no column 'cent' in 'orders'", f.message)
    f = db:fault("odd", spec(function()
      return 1
    end))
    assert.equal("the map function returned a number; expected a table or nil", f.message)
    f = db:fault("odd", spec(function()
      return { 1 }
    end))
    assert.matches("returned a table with a number as key", f.message)
    f = db:fault("odd", spec(to_cents, { read = { "raw", "di" } }))
    assert.equal("spec.read: there is no column 'di' in 'orders'", f.message)
    f = db:fault("odd", spec(function()
      op.drop_column("orders", "cents")
    end))
    assert.matches("a map function cannot run operations", f.message)
  end)

  it("ends a function that does not return, although it catches errors", function()
    orders(20)
    local map = function(row)
      while row.id == 13 do
        pcall(function()
          while true do end
        end)
      end
      return to_cents(row)
    end
    local result = db:run("loop", spec(map, { lease = "1s", on_error = { quarantine = 1 } }))
    assert.equal(1, result.errors)
    assert.equal(19, db:value("SELECT count(*) FROM orders WHERE cents IS NOT NULL"))
    assert.matches("did not return within 250 ms",
      db:value("SELECT message FROM luamig.backfill_error WHERE key = '{13}'"))
  end)

  it("leaves the rest of a batch for the next one when the function is slow", function()
    orders(64)
    local clock = require("luamig.core.clock")
    local result = db:run("slow", spec(function(row)
      local until_ms = clock.now_ms() + 3
      repeat until clock.now_ms() >= until_ms
      return to_cents(row)
    end, { target_ms = 20 }))
    assert.equal(64, result.changed)
    assert.is_true(result.batches >= 3)
  end)
end)
