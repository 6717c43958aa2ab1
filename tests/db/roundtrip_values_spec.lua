local server = require("support.server")
local snapshot = require("luamig.snapshot")
local values = require("luamig.roundtrip.values")

describe("the values of a scratch database", function()
  local database, conn

  before_each(function()
    database = server.database()
    conn = database.connect()
  end)

  after_each(function()
    conn:close()
    database.drop()
  end)

  -- What is lost by some statements, in lines.
  local function lost(before, change)
    for _, sql in ipairs(before) do
      conn:exec(sql)
    end
    local kept = values.keep(conn, snapshot.read(conn))
    for _, sql in ipairs(change) do
      conn:exec(sql)
    end
    local lines = {}
    for _, loss in ipairs(kept:losses()) do
      for _, line in ipairs(values.lines(loss)) do
        lines[#lines + 1] = line
      end
    end
    return lines
  end

  local people = {
    "CREATE TABLE people (id int PRIMARY KEY, name text, born date)",
    [[INSERT INTO people SELECT i, 'name ' || i, date '2000-01-01' + i
        FROM generate_series(1, 9) i]],
  }

  it("are the same when nothing changed, whatever the order of rows and columns", function()
    assert.same({}, lost(people, {
      "UPDATE people SET name = name",
      "ALTER TABLE people DROP COLUMN name",
      "ALTER TABLE people ADD COLUMN name text",
      "UPDATE people SET name = 'name ' || id",
    }))
  end)

  it("are named by the key of their row", function()
    assert.same({
      "table public.people (9 rows)",
      "  row id = '2': name was 'name 2', is NULL",
      "  row id = '3': name was 'name 3', is 'it''s'; born was '2000-01-04', is NULL",
    }, lost(people, {
      "UPDATE people SET name = NULL WHERE id = 2",
      "UPDATE people SET name = 'it''s', born = NULL WHERE id = 3",
    }))
  end)

  it("are told on one line, whatever is in them", function()
    assert.same({
      "table public.people (9 rows)",
      [[  row id = '1': name was 'name 1', is E'two\nlines, it''s \\ and \x1b[31m']],
      "  row id = '2': name was 'name 2', is '" .. ("é"):rep(19) .. "…'",
    }, lost(people, {
      [[UPDATE people SET name = E'two\nlines, it''s \\ and \x1b[31m' WHERE id = 1]],
      "UPDATE people SET name = repeat('é', 30) WHERE id = 2",
    }))
  end)

  it("tell of rows that are gone or new, three at most", function()
    assert.same({
      "table public.people (9 rows before, 5 after)",
      "  row id = '1': gone",
      "  row id = '10': new",
      "  row id = '2': gone",
    }, lost(people, {
      "DELETE FROM people WHERE id < 6",
      "INSERT INTO people VALUES (10, 'x', NULL)",
    }))
  end)

  it("of tables without a key are compared as whole rows, however often each is there", function()
    assert.same({
      "table public.plain (3 rows before, 2 after)",
      "  gone: a = '1', b = 'x'",
    }, lost({ "CREATE TABLE plain (a int, b text)", "INSERT INTO plain VALUES (1, 'x'), (1, 'x'), "
      .. "(2, NULL)" }, { "DELETE FROM plain WHERE ctid = (SELECT max(ctid) FROM plain WHERE a = 1)"
    }))
  end)

  it("are compared in the columns that are there at both times", function()
    assert.same({
      "table public.people (9 rows)",
      "  row id = '1': born was '2000-01-02', is NULL",
    }, lost(people, {
      "ALTER TABLE people DROP COLUMN name",
      "ALTER TABLE people ADD COLUMN more int DEFAULT 1",
      "UPDATE people SET born = NULL WHERE id = 1",
    }))
  end)

  it("of a key that is gone are compared as whole rows", function()
    assert.same({}, lost(people, { "ALTER TABLE people DROP COLUMN id" }))
  end)

  it("of partitions are looked for where they lie", function()
    assert.same({
      "table public.low (1 row before, 0 after)", "  row id = '5': gone",
      "table public.rest (1 row before, 2 after)", "  row id = '5': new",
    }, lost({
      "CREATE TABLE parted (id int PRIMARY KEY) PARTITION BY RANGE (id)",
      "CREATE TABLE low PARTITION OF parted FOR VALUES FROM (0) TO (10)",
      "CREATE TABLE rest PARTITION OF parted DEFAULT",
      "INSERT INTO parted VALUES (5), (50)",
    }, {
      "ALTER TABLE parted DETACH PARTITION low",
      "DELETE FROM low",
      "INSERT INTO rest VALUES (5)",
    }))
  end)

  it("of every type are compared to the last digit", function()
    local before = {
      [[CREATE TYPE mood AS ENUM ('good', 'bad')]],
      [[CREATE TYPE pair AS (a int, b text)]],
      [[CREATE TABLE "All Types" (id int PRIMARY KEY, f float8, n numeric, j jsonb, b bytea,
        t timestamptz, a text[], m mood, p pair, r int4range, "Odd ""name" text)]],
      [[INSERT INTO "All Types" VALUES (1, 0.1::float8 + 0.2::float8, 1.10, '{"a": 1}', '\x00ff',
        '2020-02-02 02:02:02.000001+02', '{a,NULL,"b c"}', 'bad', '(1,"x,y")', '[1,5)', 'v')]],
    }
    assert.same({}, lost(before, {}))
    for column, change in pairs({ f = "0.3", n = "1.1", t = "t + interval '1 microsecond'",
      a = "'{a,b c,NULL}'", b = [['\x00fe']] }) do
      local lines = lost({}, { ([[UPDATE "All Types" SET %s = %s]]):format(column, change) })
      assert.matches('^table public."All Types"', lines[1])
      assert.matches("^  row id = '1': " .. column .. " was ", lines[2])
    end
  end)

  it("leave nothing in the schema", function()
    local before = snapshot.read(conn)
    values.keep(conn, before)
    assert.is_true(snapshot.equal(before, snapshot.read(conn)))
  end)

  teardown(server.assert_clean)
end)
