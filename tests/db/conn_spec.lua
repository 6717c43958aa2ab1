local conn = require("luamig.core.conn")
local fault = require("luamig.fault")
local op = require("luamig.op")
local process = require("support.process")
local server = require("luamig.core.server")
local specs = require("support.server")

local SECRET <const> = "canary-7f3a"

local function failure(fn, ...)
  local ok, f = pcall(fn, ...)
  assert.is_false(ok, "no fault was raised")
  assert.is_true(fault.is(f), tostring(f))
  for name, text in pairs(f) do
    assert.is_nil(tostring(text):find(SECRET, 1, true), name .. " shows the password")
  end
  return f
end

local function connect_failure(url, options)
  options = options or {}
  options.url = url
  return failure(conn.open, options)
end

describe("connecting", function()
  local s

  setup(function()
    s = server.ephemeral({ in_memory = true, auth = "scram-sha-256" })
    local connection <close> = conn.open({ url = s:url() })
    connection:exec("CREATE ROLE bob LOGIN PASSWORD '" .. SECRET .. "'")
  end)

  teardown(function()
    s:stop()
  end)

  local function url_as(user)
    return (s:url():gsub("postgres@", user .. "@"))
  end

  it("says that nobody listens, and how to wait for one that starts", function()
    local f = connect_failure("postgresql:///x?host=/nowhere")
    assert.equal("connection", f.kind)
    assert.matches('connection to server on socket "/nowhere/.s.PGSQL.%d+" failed: No such file',
      f.message)
    assert.matches("--wait 30s", f.hint, 1, true)
    f = connect_failure("postgresql://u:" .. SECRET .. "@127.0.0.1:1/x")
    assert.matches("Connection refused", f.message, 1, true)
    assert.equal(5, fault.exit_status(f))
  end)

  it("says which role was refused, and where a password comes from", function()
    local f = connect_failure(url_as("bob:wrong-" .. SECRET))
    assert.equal("connection", f.kind)
    assert.equal("28P01", f.sqlstate)
    assert.matches('password authentication failed for user "bob"', f.message, 1, true)
    assert.matches("role bob; the password comes from the URL, PGPASSWORD or the password file",
      f.hint, 1, true)
    f = connect_failure(url_as("bob"))
    assert.equal("28P01", f.sqlstate)
    local connection <close> = conn.open({ url = url_as("bob:" .. SECRET) })
    assert.equal("bob", connection:info().user)
  end)

  it("tells a missing database from a missing role", function()
    local f = connect_failure(s:url("shop"))
    assert.equal("3D000", f.sqlstate)
    assert.matches('database "shop" does not exist', f.message, 1, true)
    assert.equal("create it with: createdb shop", f.hint)
    local admin <close> = conn.open({ url = s:url() })
    assert.equal(1, admin:exec("SELECT 1 AS n")[1].n)
    f = connect_failure("postgresql://nobody_there@/postgres?host=" .. s:info().socket)
    assert.matches("^28", f.sqlstate)
  end)

  it("refuses a URL that libpq would misread, and shows none of it", function()
    for _, url in ipairs({
      "postgresql://u:" .. SECRET .. "@x@host/db",
      "postgresql://u:a/" .. SECRET .. "@host/db",
      "postgresql://u:a?" .. SECRET .. "@host/db",
      "postgresql://u:a#" .. SECRET .. "@host/db",
    }) do
      local f = connect_failure(url)
      assert.equal("config", f.kind)
      assert.matches("must be percent-encoded", f.message, 1, true)
      assert.matches("write @ as %40", f.hint, 1, true)
    end
    local f = connect_failure("host=x password='" .. SECRET)
    assert.equal("config", f.kind)
    f = connect_failure("postgresql://u:" .. SECRET .. "@h/d?search_path=app")
    assert.matches("options=-csearch_path%3Dapp", f.hint, 1, true)
  end)

  it("gives up on a server that does not answer", function()
    process.kill(s:info().pid, "STOP")
    local f = connect_failure(s:url(), { connect_timeout_ms = 300 })
    process.kill(s:info().pid, "CONT")
    assert.equal("connection", f.kind)
    assert.matches("^no answer from /%S+ port 5432 within 0 s$", f.message)
  end)

  it("is begun and finished later, or given up", function()
    local start = conn.start({ url = s:url(), application_name = "early" })
    do
      local connection <close> = start:finish()
      assert.equal("early", connection:exec("SHOW application_name")[1].application_name)
    end
    assert.has_error(function()
      start:finish()
    end)
    start:close()
    local abandoned = conn.start({ url = s:url() })
    abandoned:close()
    abandoned:close()
    do
      local closed <close> = conn.start({ url = s:url() }) -- luacheck: no unused
    end
    local refused = conn.start({ url = url_as("nobody") })
    assert.equal("28P01", failure(refused.finish, refused).sqlstate)
    assert.equal("config", failure(conn.start, { url = "postgresql://u:p@x@h/db" }).kind)
  end)

  it("shows itself in pg_stat_activity", function()
    local connection <close> = conn.open({ url = s:url(), application_name = "luamig/9 x" })
    assert.equal("luamig/9 x",
      connection:exec("SELECT pg_catalog.current_setting('application_name') AS n")[1].n)
  end)
end)

describe("a connection", function()
  local database, c

  setup(function()
    database = specs.database()
  end)

  teardown(function()
    database.drop()
    specs.assert_clean()
  end)

  before_each(function()
    c = database.connect()
    c:exec("DROP TABLE IF EXISTS t")
    c:exec("CREATE TABLE t (n integer PRIMARY KEY, text text)")
  end)

  after_each(function()
    c:close()
  end)

  local function count()
    return c:exec("SELECT pg_catalog.count(*) AS n FROM t")[1].n
  end

  it("gives rows with their columns in order, and the tag", function()
    local rows = c:exec("SELECT 1 AS b, 'x' AS a UNION ALL SELECT 2, NULL ORDER BY 1")
    assert.same({ "b", "a" }, rows.columns)
    assert.equal("SELECT 2", rows.tag)
    assert.same({ b = 1, a = "x" }, rows[1])
    assert.same({ b = 2 }, rows[2])
    assert.equal("INSERT 0 2", c:exec("INSERT INTO t VALUES (1), (2)").tag)
  end)

  it("turns values into Lua's own", function()
    local row = c:exec([==[
      SELECT true AS yes, 9223372036854775807 AS big, 1.5::double precision AS float,
             12.340::numeric AS exact, 'é' AS text, NULL::text AS nothing,
             '{"a": [1, null]}'::jsonb AS json, '\x00ff'::bytea AS bytes,
             '2025-01-11 10:00:00+00'::timestamptz AS time, ARRAY[1, NULL, 3] AS list,
             ARRAY['a,b', '"c"', 'd\e', 'NULL', ''] AS texts, ARRAY[[1, 2], [3, 4]] AS grid,
             '{}'::int[] AS empty, ARRAY['{"k": 1}'::jsonb] AS objects]==])[1]
    assert.is_true(row.yes)
    assert.equal(math.maxinteger, row.big)
    assert.equal(1.5, row.float)
    assert.equal("12.340", row.exact)
    assert.equal("é", row.text)
    assert.is_nil(row.nothing)
    assert.equal("integer", math.type(row.json.a[1]))
    assert.equal(op.null, row.json.a[2])
    assert.equal("\0\xff", row.bytes)
    assert.equal("2025-01-11 10:00:00+00", row.time)
    assert.same({ 1, op.null, 3 }, row.list)
    assert.same({ "a,b", '"c"', [[d\e]], "NULL", "" }, row.texts)
    assert.same({ { 1, 2 }, { 3, 4 } }, row.grid)
    assert.same({}, row.empty)
    assert.same({ { k = 1 } }, row.objects)
  end)

  it("takes parameters, NULL among them", function()
    local row = c:exec("SELECT $1::int + 1 AS n, $2::text AS t, $3::bool AS b, "
      .. "$4::text AS nothing, $5::text AS null", { 41, "it's $1", false, nil, op.null, n = 5 })[1]
    assert.same({ n = 42, t = "it's $1", b = false }, row)
    assert.has_error(function()
      c:exec("SELECT $1", { {} })
    end, "parameter $1: a table cannot be sent")
    assert.has_error(function()
      c:exec("SELECT $1", { "a\0b" })
    end, "parameter $1: a text with a NUL byte cannot be sent")
    assert.equal("I", c:transaction())
  end)

  it("survives a server error, which says where", function()
    local f = failure(c.exec, c, "SELECT é, emial FROM t")
    assert.equal("server", f.kind)
    assert.equal("42703", f.sqlstate)
    assert.equal(8, f.position)
    assert.equal("SELECT é, emial FROM t", f.statement)
    assert.is_true(c:alive())
    assert.equal(0, count())
    f = failure(c.exec, c, "INSERT INTO t VALUES (1), (1)")
    assert.equal("23505", f.sqlstate)
    assert.equal("t_pkey", f.constraint)
    assert.matches("Key (n)=(1) already exists", f.detail, 1, true)
  end)

  it("goes on when a statement fails at its end only, by a deferred constraint", function()
    c:exec("ALTER TABLE t ADD UNIQUE (text) DEFERRABLE INITIALLY DEFERRED")
    local f = failure(c.exec, c, "INSERT INTO t VALUES (1, 'a'), (2, 'a')")
    assert.equal("server", f.kind)
    assert.equal("23505", f.sqlstate)
    assert.equal("I", c:transaction())
    assert.equal(0, count())
    assert.equal("INSERT 0 1", c:exec("INSERT INTO t VALUES (1, 'a')").tag)
  end)

  it("waits for nothing until it is asked to, and names the statement that failed", function()
    local trips = c:round_trips()
    c:send("BEGIN")
    c:send("INSERT INTO t VALUES (1)")
    local bad = c:send("INSERT INTO t VALUES (1/0)")
    c:send("INSERT INTO t VALUES (2)")
    c:send("COMMIT", nil, { expect = "COMMIT" })
    assert.equal(trips, c:round_trips())
    local f = failure(c.sync, c)
    assert.equal(trips + 1, c:round_trips())
    assert.equal(bad, f.seq)
    assert.equal("22012", f.sqlstate)
    assert.equal("INSERT INTO t VALUES (1/0)", f.statement)
    assert.equal("E", c:transaction())
    c:exec("ROLLBACK")
    assert.equal(0, count())
  end)

  it("does not take the ROLLBACK of a failed transaction for its COMMIT", function()
    c:exec("BEGIN")
    failure(c.exec, c, "SELECT 1/0")
    local seq = c:send("COMMIT", nil, { expect = "COMMIT" })
    local f = failure(c.sync, c)
    assert.equal(seq, f.seq)
    assert.equal("COMMIT was answered with ROLLBACK: the transaction was rolled back", f.message)
    assert.equal("I", c:transaction())
  end)

  it("hands out kept results in order, failures of isolated statements too", function()
    local first = c:send("SELECT 1 AS n", nil, { keep = true })
    c:send("SELECT 2 AS n")
    local bad = c:send("SELECT 1/0", nil, { isolated = true })
    local last = c:send("SELECT 3 AS n", nil, { keep = true })
    c:sync()
    local seq, rows = c:take()
    assert.equal(first, seq)
    assert.equal(1, rows[1].n)
    seq, rows = c:take()
    assert.equal(bad, seq)
    assert.equal("22012", rows.sqlstate)
    seq, rows = c:take()
    assert.equal(last, seq)
    assert.equal(3, rows[1].n)
    assert.is_nil(c:take())
  end)

  it("sends any number of statements, with answers of any size", function()
    for i = 1, 10000 do
      c:send("INSERT INTO t VALUES ($1, $2)", { i, ("x"):rep(i % 100) })
    end
    for _ = 1, 50 do
      c:send("SELECT pg_catalog.repeat('y', 100000)")
    end
    c:sync()
    assert.equal(10000, count())
  end)

  it("copies rows from a string or a function", function()
    c:copy("COPY t FROM STDIN", "1\tone\n2\t\\N\n")
    local n = 2
    c:copy("COPY t FROM STDIN", function()
      n = n + 1
      return n <= 5000 and ("%d\t%s\n"):format(n, ("z"):rep(100)) or nil
    end)
    assert.equal(5000, count())
    assert.same({ n = 2 }, c:exec("SELECT * FROM t WHERE n = 2")[1])
  end)

  it("stores nothing of a COPY that fails, and goes on", function()
    local f = failure(c.copy, c, "COPY t FROM STDIN", "1\tone\nx\ttwo\n")
    assert.equal("22P02", f.sqlstate)
    assert.matches('COPY t, line 2, column n: "x"', f.context, 1, true)
    local ok, message = pcall(c.copy, c, "COPY t FROM STDIN", function()
      error("no more", 0)
    end)
    assert.is_false(ok)
    assert.equal("no more", message)
    f = failure(c.copy, c, "COPY missing FROM STDIN", "")
    assert.equal("42P01", f.sqlstate)
    assert.equal(0, count())
    assert.equal("I", c:transaction())
  end)

  it("reports notices with the statement that they belong to", function()
    c:exec("DROP TABLE IF EXISTS not_there")
    local notices = c:notices()
    assert.equal(1, #notices)
    assert.equal("NOTICE", notices[1].severity)
    assert.matches('table "not_there" does not exist, skipping', notices[1].message, 1, true)
    assert.same({}, c:notices())
  end)

  it("notices that it was lost", function()
    local other <close> = c:twin()
    assert.equal(database.name, other:info().database)
    assert.are_not.equal(c:info().pid, other:info().pid)
    other:exec("SELECT pg_catalog.pg_terminate_backend($1, 5000)", { c:info().pid })
    local f = failure(c.exec, c, "SELECT 1")
    assert.equal("connection", f.kind)
    assert.is_false(c:alive())
    assert.equal("?", c:transaction())
  end)

  it("is closed once, and of no use afterwards", function()
    local other = c:twin()
    other:close()
    other:close()
    assert.is_false(other:alive())
    assert.equal("the connection is closed", failure(other.exec, other, "SELECT 1").message)
  end)
end)
