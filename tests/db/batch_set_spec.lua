local batch = require("support.batch")
local op = require("luamig.op")

describe("a batched UPDATE", function()
  local db

  setup(function()
    db = batch.database()
  end)

  teardown(function()
    db:drop()
  end)

  local lower = { email_norm = op.sql("lower(email)") }

  local function count_done()
    return db:value("SELECT count(*) FROM users WHERE email_norm = lower(email)")
  end

  it("writes every row once, in several transactions", function()
    db:users(1000)
    db:audit("users", "id")
    local result = db:run("once", { table = "users", set = lower, batch_rows = 100, target_ms = 1 })
    assert.same({ rows = 1000, once = 1000, more = 0 }, db:writes())
    assert.equal(1000, result.rows)
    assert.equal(1000, result.changed)
    assert.is_true(result.batches >= 10)
    assert.is_true(db:value("SELECT count(DISTINCT xmin::text) FROM users") >= 10)
  end)

  it("passes over rows that need no work, and counts what it changed", function()
    db:users(1000)
    db:exec("UPDATE users SET email_norm = 'kept' WHERE id % 4 = 0")
    local result = db:run("some", {
      table = "users", set = lower, remaining = "email_norm IS NULL", batch_rows = 100,
    })
    assert.equal(750, result.changed)
    assert.equal(1000, result.rows)
    assert.equal(250, db:value("SELECT count(*) FROM users WHERE email_norm = 'kept'"))
  end)

  -- Where nearly every integer is a key the end of a batch is computed; behind a gap it is not.
  for _, work in ipairs({ "set", "map" }) do
    it("finds all rows, however their integers lie: " .. work, function()
      db:exec("DROP TABLE IF EXISTS gaps")
      db:exec("CREATE TABLE gaps (id bigint PRIMARY KEY, n bigint)")
      db:exec([[INSERT INTO gaps SELECT * FROM (
        SELECT (-9223372036854775808 + i)::int8 FROM generate_series(0, 999) i
        UNION ALL SELECT i::int8 FROM generate_series(-500, 2999) i
        UNION ALL SELECT i::int8 FROM generate_series(3000, 5998, 3) i
        UNION ALL SELECT 4000000000 + 1000000007::int8 * i FROM generate_series(1, 500) i
        UNION ALL SELECT 5000000000000 + i FROM generate_series(1, 3000) i WHERE i % 10 <> 0
        UNION ALL SELECT (9223372036854775807 - i)::int8 FROM generate_series(0, 999) i) x]])
      local rows = db:value("SELECT count(*) FROM gaps")
      db:audit("gaps", "id")
      local given = { table = "gaps", batch_rows = 70, target_ms = 1 }
      if work == "set" then
        given.set = { n = op.sql("id") }
      else
        given.read = { "id" }
        given.map = function(row)
          return { n = row.id }
        end
      end
      local result = db:run("gaps", given)
      assert.same({ rows, rows }, { result.rows, result.changed })
      assert.same({ rows = rows, once = rows, more = 0 }, db:writes())
      assert.equal(0, db:value("SELECT count(*) FROM gaps WHERE n IS DISTINCT FROM id"))
    end)
  end

  it("does not look for the ends of batches where every integer is a key", function()
    local function work(name, remaining)
      db:users(3000)
      db:exec("VACUUM ANALYZE users")
      local result = db:run(name, { table = "users", set = lower, batch_rows = 100,
        remaining = remaining })
      return result.batches, batch.eventually("the statistics have come", function()
        local read = db:value("SELECT idx_tup_read FROM pg_stat_user_indexes "
          .. "WHERE indexrelid = 'users_pkey'::regclass")
        return read >= 3000 and read
      end)
    end
    local batches, reads = work("looked", "id IS NOT NULL")
    local fewer_batches, fewer_reads = work("computed")
    assert.is_true(fewer_reads < reads - 2000)
    assert.is_true(fewer_batches <= batches) -- the size goes on growing
  end)

  it("does nothing to an empty table", function()
    db:users(0)
    local result = db:run("empty", { table = "users", set = lower })
    assert.equal(0, result.rows)
    assert.equal("done", db:value("SELECT outcome FROM luamig.backfill WHERE name = 'empty'"))
  end)

  it("takes plain values as constants", function()
    db:users(3)
    db:run("constant", { table = "users", set = { email_norm = "it's" } })
    assert.equal(3, db:value("SELECT count(*) FROM users WHERE email_norm = 'it''s'"))
    db:run("null", { table = "users", set = { email_norm = op.null } })
    assert.equal(3, db:value("SELECT count(*) FROM users WHERE email_norm IS NULL"))
  end)

  it("walks through a key of several columns", function()
    db:exec("DROP TABLE IF EXISTS pairs")
    db:exec("CREATE TABLE pairs (a int, b text, n int DEFAULT 0, PRIMARY KEY (b, a))")
    db:exec("INSERT INTO pairs SELECT i % 37, 'k' || i % 11 || E'\"\\\\,{}', 0 "
      .. "FROM generate_series(0, 406) i")
    db:audit("pairs", "a || '/' || NEW.b")
    local result = db:run("pairs", { table = "pairs", set = { n = op.sql("n + 1") },
      batch_rows = 10, target_ms = 1 })
    assert.equal(407, result.changed)
    assert.same({ rows = 407, once = 407, more = 0 }, db:writes())
  end)

  it("walks through keys of any type, also those whose text depends on settings", function()
    local kinds = {
      uuid = "md5(i::text)::uuid",
      timestamptz = "'2024-01-01'::timestamptz + i * interval '7 hours 1 microsecond'",
      date = "'2024-01-01'::date + i",
      numeric = "i::numeric / 7",
      text = "chr(32 + i % 90) || i",
      ["character(8)"] = "lpad(i::text, 4)",
      bytea = "decode(md5(i::text), 'hex')",
      inet = "'10.0.0.0'::inet + i",
      interval = "i * interval '1 hour'",
    }
    db:exec(("ALTER DATABASE %s SET datestyle = 'SQL, DMY'"):format(db.name))
    for kind, expression in pairs(kinds) do
      db:exec("DROP TABLE IF EXISTS things")
      db:exec(("CREATE TABLE things (k %s PRIMARY KEY, n int DEFAULT 0)"):format(kind))
      db:exec(("INSERT INTO things SELECT %s FROM generate_series(1, 500) i"):format(expression))
      db:exec("ANALYZE things")
      db:run("kinds", { table = "things", set = { n = op.sql("n + 1") }, batch_rows = 17,
        target_ms = 1, workers = 2 })
      assert.equal(500, db:value("SELECT count(*) FROM things WHERE n = 1"), kind)
    end
    db:exec(("ALTER DATABASE %s RESET datestyle"):format(db.name))
  end)

  it("walks through a unique index when it is named", function()
    db:exec("DROP TABLE IF EXISTS codes")
    db:exec("CREATE TABLE codes (code text NOT NULL UNIQUE, maybe int UNIQUE, n int DEFAULT 0)")
    db:exec("INSERT INTO codes SELECT 'c' || i, i FROM generate_series(1, 50) i")
    db:run("codes", { table = "codes", key = "code", set = { n = 1 }, batch_rows = 7 })
    assert.equal(50, db:value("SELECT count(*) FROM codes WHERE n = 1"))
    local f = db:fault("codes", { table = "codes", key = "maybe", set = { n = 2 } })
    assert.equal("spec.key: the column 'maybe' may be NULL, and such rows have no place", f.message)
    f = db:fault("codes", { table = "codes", key = "n", set = { n = 2 } })
    assert.equal("spec.key: no unique index of 'codes' has just these columns: n", f.message)
    assert.equal("there are: code; maybe", f.hint)
  end)

  it("walks through a table without a key by its blocks", function()
    db:exec("DROP TABLE IF EXISTS heap")
    db:exec("CREATE TABLE heap (id int, n int DEFAULT 0, pad text)")
    db:exec("INSERT INTO heap SELECT i, 0, repeat('x', 100) FROM generate_series(1, 5000) i")
    db:audit("heap", "id")
    for _, rows in ipairs({ 7, 500 }) do
      db:exec("UPDATE heap SET n = 0")
      db:exec("TRUNCATE audit")
      db:run("heap", { table = "heap", key = "ctid", set = { n = op.sql("n + 1") },
        remaining = "n = 0", batch_rows = rows, target_ms = 1 })
      assert.same({ rows = 5000, once = 5000, more = 0 }, db:writes())
    end
  end)

  it("works on every partition, and on the children of a table", function()
    db:exec("DROP TABLE IF EXISTS events, parent CASCADE")
    db:exec("CREATE TABLE events (id bigint, day date, n int DEFAULT 0, PRIMARY KEY (id, day)) "
      .. "PARTITION BY RANGE (day)")
    for month = 1, 3 do
      db:exec(("CREATE TABLE \"events %d\" PARTITION OF events FOR VALUES FROM ('2024-%02d-01') "
        .. "TO ('2024-%02d-01')"):format(month, month, month + 1))
    end
    db:exec("INSERT INTO events "
      .. "SELECT i, '2024-01-01'::date + i % 90 FROM generate_series(1, 900) i")
    db:audit("events", "id")
    local result = db:run("events", { table = "events", set = { n = op.sql("events.n + 1") },
      batch_rows = 50, target_ms = 1, workers = 2 })
    assert.equal(900, result.changed)
    assert.same({ rows = 900, once = 900, more = 0 }, db:writes())

    db:exec("CREATE TABLE parent (id int PRIMARY KEY, n int DEFAULT 0)")
    db:exec("CREATE TABLE child (PRIMARY KEY (id)) INHERITS (parent)")
    db:exec("INSERT INTO parent SELECT generate_series(1, 100)")
    db:exec("INSERT INTO child SELECT generate_series(1, 100)")
    result = db:run("parent", { table = "parent", set = { n = op.sql("n + 1") }, batch_rows = 10 })
    assert.equal(200, result.changed)
    assert.equal(200, db:value("SELECT count(*) FROM parent WHERE n = 1"))

    db:exec("ALTER TABLE child DROP CONSTRAINT child_pkey")
    local f = db:fault("twice", { table = "parent", set = { n = 2 } })
    assert.equal("public.child inherits from 'parent', but no unique index of its own has just "
      .. "these columns: id", f.message)
    assert.equal('create one, or use key = "ctid" together with remaining', f.hint)
    result = db:run("blocks", { table = "parent", key = "ctid", set = { n = 2 },
      remaining = "n <> 2" })
    assert.equal(200, result.changed)
  end)

  it("quotes names", function()
    db:exec('DROP SCHEMA IF EXISTS "Odd ""one" CASCADE')
    db:exec('CREATE SCHEMA "Odd ""one"')
    db:exec('CREATE TABLE "Odd ""one"."Order" ("Key" int PRIMARY KEY, "user" int)')
    db:exec('INSERT INTO "Odd ""one"."Order" SELECT generate_series(1, 20)')
    db:run("quoted", { table = '"Odd ""one"."Order"', set = { user = op.sql('"Order"."Key" * 2') },
      batch_rows = 3 })
    assert.equal(20, db:value('SELECT count(*) FROM "Odd ""one"."Order" WHERE "user" = "Key" * 2'))
  end)

  it("finds the table along the given search_path", function()
    db:exec("CREATE SCHEMA IF NOT EXISTS app")
    db:exec("CREATE TABLE IF NOT EXISTS app.hidden (id int PRIMARY KEY, n int)")
    db:exec("CREATE OR REPLACE FUNCTION app.seven() RETURNS int LANGUAGE sql AS 'SELECT 7'")
    db:exec("INSERT INTO app.hidden SELECT generate_series(1, 20)")
    local given = { table = "hidden", set = { n = op.sql("seven()") } }
    assert.equal("the table 'hidden' does not exist", db:fault("path", given).message)
    db:run("path", given, nil, { search_path = "app" })
    assert.equal(20, db:value("SELECT count(*) FROM app.hidden WHERE n = 7"))
  end)

  it("does not run again what the same application of a revision has done", function()
    db:users(10)
    local more = op.sql("coalesce(email_norm, '') || 'x'")
    local given = { table = "users", set = { email_norm = more } }
    local about = { revision = "007", direction = "upgrade", run = "a" }
    db:run("again", given, about)
    db:run("again", given, about)
    assert.equal(10, db:value("SELECT count(*) FROM users WHERE email_norm = 'x'"))
    about.run = "b"
    db:run("again", given, about)
    assert.equal(10, db:value("SELECT count(*) FROM users WHERE email_norm = 'xx'"))
  end)

  it("refuses what it cannot do, before anything is changed", function()
    db:users(10)
    db:exec("CREATE OR REPLACE VIEW seen AS SELECT * FROM users")
    db:exec("CREATE TABLE IF NOT EXISTS keyless (n int)")
    local function message(given)
      return db:fault("bad", given).message
    end
    assert.equal("the table 'nowhere' does not exist",
      message({ table = "nowhere", set = { n = 1 } }))
    assert.equal("'seen' is a view; rows are changed in tables",
      message({ table = "seen", set = { email = "" } }))
    assert.equal("the table 'keyless' has no primary key",
      message({ table = "keyless", set = { n = 1 } }))
    local f = db:fault("bad", { table = "users", set = { emial = "" } })
    assert.equal("spec.set: there is no column 'emial' in 'users'", f.message)
    assert.equal("did you mean 'email'?", f.hint)
    assert.equal("spec.set: the column 'id' is part of the key, by which the rows are walked "
      .. "through", message({ table = "users", set = { id = op.sql("id + 1") } }))
    db:exec("DROP VIEW seen")
  end)

  it("does not pass over rows that row-level security hides", function()
    db:users(20)
    db:exec("DROP ROLE IF EXISTS luamig_spec_batch")
    db:exec("CREATE ROLE luamig_spec_batch")
    db:exec("GRANT ALL ON ALL TABLES IN SCHEMA public, luamig TO luamig_spec_batch")
    db:exec("GRANT USAGE ON SCHEMA public, luamig TO luamig_spec_batch")
    db:exec("ALTER TABLE users ENABLE ROW LEVEL SECURITY")
    db:exec("CREATE POLICY half ON users USING (id % 2 = 0)")
    local f = db:fault("hidden", { table = "users", set = lower }, nil,
      { role = "luamig_spec_batch" })
    db:exec("REASSIGN OWNED BY luamig_spec_batch TO CURRENT_USER")
    db:exec("DROP OWNED BY luamig_spec_batch")
    db:exec("DROP ROLE luamig_spec_batch")
    assert.equal("42501", f.sqlstate)
    assert.matches("row%-level security", f.message)
  end)

  it("leaves nothing of itself in the session but its tables", function()
    db:users(100)
    db:run("clean", { table = "users", set = lower })
    assert.equal(100, count_done())
    batch.eventually("its sessions have ended", function()
      return db:sessions() == 0
    end)
  end)
end)
