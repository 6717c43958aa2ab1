local batch = require("support.batch")

describe("a statement over key ranges", function()
  local db

  setup(function()
    db = batch.database()
  end)

  teardown(function()
    db:drop()
  end)

  before_each(function()
    db:exec("DROP TABLE IF EXISTS events, event_meta CASCADE")
    db:exec("CREATE TABLE events (tenant int, id int, meta text, PRIMARY KEY (tenant, id))")
    db:exec("INSERT INTO events SELECT i % 7, i, 'm' || i FROM generate_series(1, 700) i")
    db:exec("CREATE TABLE event_meta (tenant int, id int, meta text)")
  end)

  local function run(sql, more)
    local given = { table = "events", sql = sql, batch_rows = 30, target_ms = 1 }
    for name, v in pairs(more or {}) do
      given[name] = v
    end
    return db:run("split", given, { run = tostring(math.random(1 << 40)) })
  end

  it("sees every row once, and counts what its tag says", function()
    local result = run("INSERT INTO event_meta SELECT tenant, id, meta FROM events WHERE {range}")
    assert.equal(700, result.rows)
    assert.equal(700, result.changed)
    assert.equal(700, db:value("SELECT count(DISTINCT (tenant, id)) FROM event_meta"))
    assert.equal(700, db:value("SELECT count(*) FROM event_meta"))
  end)

  it("may name an alias, several times", function()
    run([[INSERT INTO event_meta SELECT e.tenant, e.id, e.meta FROM events e
      JOIN events f USING (tenant, id) WHERE {range:e} AND {range:f}]])
    assert.equal(700, db:value("SELECT count(*) FROM event_meta"))
  end)

  it("may delete what it walks through", function()
    local result = run("DELETE FROM events WHERE {range} AND id % 2 = 0")
    assert.equal(350, result.changed)
    assert.equal(350, db:value("SELECT count(*) FROM events"))
  end)

  it("walks through a partitioned table as a whole, or by partitions when {table} stands for them",
    function()
      db:exec("DROP TABLE events")
      db:exec("CREATE TABLE events (tenant int, id int, meta text, PRIMARY KEY (tenant, id)) "
        .. "PARTITION BY LIST (tenant)")
      for tenant = 0, 6 do
        db:exec(("CREATE TABLE events_%d PARTITION OF events FOR VALUES IN (%d)"):format(tenant,
          tenant))
      end
      db:exec("INSERT INTO events SELECT i % 7, i, 'm' || i FROM generate_series(1, 700) i")
      for _, source in ipairs({ "events", "{table}" }) do
        db:exec("TRUNCATE event_meta")
        local result = run(("INSERT INTO event_meta SELECT e.tenant, e.id, e.meta FROM %s e "
          .. "WHERE {range:e}"):format(source), { workers = 2 })
        assert.equal(700, result.changed)
        assert.equal(700, db:value("SELECT count(DISTINCT (tenant, id)) FROM event_meta"))
        assert.equal(700, db:value("SELECT count(*) FROM event_meta"))
      end
    end)

  it("names the row that fails", function()
    db:exec("ALTER TABLE event_meta ADD CHECK (id <> 123)")
    local ok, f = pcall(run,
      "INSERT INTO event_meta SELECT tenant, id, meta FROM events WHERE {range}")
    assert.is_false(ok)
    assert.equal("23514", f.sqlstate)
    assert.matches("^row {4,123} of public.events", f.detail)
  end)
end)
