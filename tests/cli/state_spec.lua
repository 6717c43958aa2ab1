local cjson = require("cjson")
local scene = require("support.scene")
local server = require("support.server")

describe("commands that look at the database", function()
  local s

  before_each(function()
    s = scene.new()
  end)

  after_each(function()
    s:close()
  end)

  it("status: where it stands, what is pending, what to type next", function()
    s:line(3)
    s:ok("upgrade 001")
    local out = s:ok("status").stdout
    assert.matches("current:     001\n", out)
    assert.matches("head:        003\n", out)
    assert.matches("pending:     2\n             001 %-> 002, revision 002\n", out)
    assert.matches("verdict:     2 revisions pending\ntry:         luamig upgrade\n", out)
    s:ok("upgrade")
    assert.matches("verdict:     up to date\n$", s:ok("status").stdout)
  end)

  it("status --json holds the same", function()
    s:line(2)
    s:ok("upgrade 001")
    local status = cjson.decode(s:ok("status --json").stdout)
    assert.same({ "001" }, status.current)
    assert.same({ "002" }, status.heads)
    assert.same({ "002" }, status.pending)
    assert.equal("luamig upgrade", status.try)
    assert.equal(s.database.name, status.database)
  end)

  it("--json says that a row is current, and of what is unfinished a plain list", function()
    s:line(2)
    s:ok("upgrade 001")
    assert.equal("[]", s:ok("status --json").stdout:match('"unfinished":(.-),"'))
    assert.is_true(cjson.decode(s:ok("current --json").stdout)[1].is_current)
    assert.is_nil(cjson.decode(s:ok("heads --json").stdout)[1].is_current)
    assert.same({ before = { "001" }, current = { "001" } },
      cjson.decode(s:ok("stamp 001 --json").stdout))
  end)

  it("--json makes every line of stderr JSON, what scripts print too", function()
    s:revision("001", nil, '  print("hello", 1)\n  op.step("a", function() end)')
    for line in s:ok("upgrade --json -vv").stderr:gmatch("[^\n]+") do
      assert.is_string(cjson.decode(line).message)
    end
  end)

  it("what to type next names the config and the environment", function()
    s:line(1)
    s:configure(('environments = { staging = { url = %q } }'):format(s.url))
    s.project:write("other.lua", ("return { url = %q }"):format(s.url))
    assert.matches("try:         luamig %-%-env staging upgrade\n",
      s:ok("status --env staging").stdout)
    assert.matches("try:   luamig %-c other.lua upgrade heads\n",
      s:run("check -c other.lua").stderr)
    assert.matches("try:   luamig heads %-%-help\n", s:run("heads -c other.lua x").stderr)
  end)

  it("current --check-heads: exit 3 until every head is applied", function()
    s:line(2)
    s:ok("upgrade 001")
    local result = s:run("current --check-heads")
    assert.equal(3, result.status)
    assert.equal("001\n", result.stdout)
    assert.matches("Database is not on all head revisions", result.stderr)
    s:ok("upgrade")
    s:ok("current --check-heads")
  end)

  it("check: exit 3 with revisions pending, 0 when there are none", function()
    s:line(2)
    local result = s:run("check")
    assert.equal(3, result.status)
    assert.matches("Target database is not up to date", result.stderr)
    assert.matches("not applied: 001, 002", result.stderr)
    s:ok("upgrade")
    assert.equal("2 revisions: all sound; the database is at head\n", s:ok("check").stdout)
  end)

  it("check --offline needs no database", function()
    s:line(1)
    s.url = "postgresql://nobody@/nowhere?host=/nonexistent"
    s:configure()
    s:ok("check --offline")
    assert.equal(5, s:run("check").status)
  end)

  it("an edited file: a warning on upgrade, exit 6 with the difference on check", function()
    s:line(2)
    s:ok("upgrade 001")
    s:revision("001", nil, '  op.execute("CREATE TABLE t1 (id bigint)")')
    local result = s:ok("upgrade")
    assert.matches("WARN  versions/001.lua was edited after it was applied", result.stderr)
    result = s:run("check")
    assert.equal(6, result.status)
    assert.matches("error: versions/001.lua was edited after it was applied", result.stderr)
    assert.matches('%-  op.execute%("CREATE TABLE t1 %(id int%)"%)', result.stderr)
    assert.matches('%+  op.execute%("CREATE TABLE t1 %(id bigint%)"%)', result.stderr)
  end)

  it("a line end of another editor is no edit", function()
    s:line(1)
    s:ok("upgrade")
    local text = s.project:read("versions/001.lua")
    s.project:write("versions/001.lua", (text:gsub("\n", "\r\n")))
    s:ok("check")
  end)

  it("a file that slipped in below an applied revision is told of", function()
    s:line(2)
    s:ok("upgrade")
    s:revision("001b", "001", '  op.execute("CREATE TABLE never (id int)")')
    s:revision("002", "001b", '  op.execute("CREATE TABLE t2 (id int)")',
      '  op.execute("DROP TABLE t2")')
    local result = s:ok("upgrade")
    assert.matches("versions/001b.lua counts as applied, for a later revision is, but was never "
      .. "run", result.stderr)
    assert.matches("verdict:     1 applied file was edited", s:ok("status").stdout)
  end)

  it("stamp sets the rows, says from where to where, and is in the history", function()
    s:line(3)
    local result = s:ok("stamp 002")
    assert.matches("running stamp_revision <base> %-> 002", result.stderr)
    assert.equal("002", s:rows())
    assert.is_false(s:has("t1"))
    s:ok("stamp base")
    assert.equal("", s:rows())
    assert.equal("stamp", s:list("SELECT direction FROM luamig.history ORDER BY id LIMIT 1"))
  end)

  it("stamp --purge forgets a row that no file has", function()
    s:line(2)
    s:ok("upgrade")
    s:connect():exec("UPDATE luamig.version SET version_num = 'gone'")
    assert.equal(7, s:run("stamp 002").status)
    s:ok("stamp 002 --purge")
    assert.equal("002", s:rows())
  end)

  it("upgrade --backup writes a dump first, and stops when it cannot", function()
    s:line(1)
    local result = s:run({ "upgrade", "--backup", "/nonexistent/x.dump" })
    assert.equal(10, result.status)
    assert.matches("^error: there is no folder '/nonexistent' for the backup\n", result.stderr)
    assert.matches("state: nothing changed\n  try:   mkdir %-p /nonexistent, or ", result.stderr)
    result = s:run({ "upgrade", "--backup", "/proc/x.dump" })
    assert.equal(10, result.status)
    assert.matches("pg_dump failed", result.stderr)
    assert.equal("", s:rows())
    if server.dump_defect() then
      pending(server.dump_defect())
    end
    result = s:ok({ "upgrade", "--backup", s.project:path() })
    assert.matches("backup written: .*%.dump", result.stderr)
    local names = table.concat(s.project:list("."), " ")
    assert.matches("%.dump", names)
    assert.is_nil(names:find(".partial", 1, true))
  end)
end)

describe("a login that may do nothing but become the role", function()
  local s, admin

  before_each(function()
    s = scene.new()
    admin = s:connect()
    admin:exec("CREATE ROLE spec_owner")
    admin:exec("CREATE ROLE spec_login LOGIN NOINHERIT IN ROLE spec_owner")
    admin:exec("ALTER DATABASE " .. admin:info().database .. " OWNER TO spec_owner")
    admin:exec("ALTER SCHEMA public OWNER TO spec_owner")
    s.url = s.url:gsub("//[^@]*@", "//spec_login@")
    s:configure('role = "spec_owner"')
  end)

  after_each(function()
    admin:exec("ALTER DATABASE " .. admin:info().database .. " OWNER TO CURRENT_USER")
    admin:exec("DROP OWNED BY spec_owner CASCADE")
    admin:exec("DROP ROLE spec_login")
    admin:exec("DROP ROLE spec_owner")
    s:close()
  end)

  it("runs everything as that role, also outside of transactions and in a second run", function()
    s:revision("001", nil, [[
  op.create_table("t", { op.column("id", "int") })
  op.create_index("t_id", "t", { "id" }, { concurrently = true })
  op.execute("VACUUM t")]], '  op.drop_table("t")')
    for _ = 1, 2 do
      assert.equal("", (s:ok("upgrade").stderr:gsub("INFO [^\n]*\n", "")))
      assert.equal("001", s:rows())
      s:ok("status")
      s:ok("check")
      assert.equal("spec_owner", s:list("SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class "
        .. "WHERE relnamespace IN ('public'::regnamespace, 'luamig'::regnamespace)"))
      s:ok("downgrade base --yes")
    end
  end)

  it("moves rows in batches as that role, and steers them", function()
    s:revision("001", nil, [[
  op.create_table("t", { op.column("id", "int", { primary_key = true }), op.column("n", "int") })
  op.execute("INSERT INTO t SELECT i FROM generate_series(1, 100) i")
  op.batch_execute("inline", { table = "t", set = { n = 1 }, remaining = "n IS NULL",
    batch_rows = 10, target_ms = 1, pause_ms = 150, vacuum_every = 10 })
  op.backfill("beside", { table = "t", read = { "n" }, map = function(row)
    return { n = row.n + 1 }
  end, remaining = "n < 2" })]], '  op.drop_table("t")')
    s:ok("upgrade")
    assert.equal("100", s:list("SELECT sum(n) FROM t"))
    s:eventually("SELECT vacuum_count > 0 FROM pg_stat_user_tables WHERE relname = 't'")
    for _, words in ipairs({ "list", "plan beside", "pause beside", "resume beside",
      "run beside --workers 2", "status beside", "verify beside", "errors beside",
      "finalize beside" }) do
      s:ok("backfill " .. words)
    end
    assert.equal("200", s:list("SELECT sum(n) FROM t"))
    assert.equal("spec_owner", s:list("SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class "
      .. "WHERE relnamespace IN ('public'::regnamespace, 'luamig'::regnamespace)"))
  end)

  it("is told what became of a revision when the connection is lost", function()
    s:revision("001", nil, [[
  op.create_table("t", { op.column("id", "int") })
  op.query("SELECT pg_sleep(60)")]])
    local process = s:start("upgrade")
    s:running("%pg_sleep%")
    admin:exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
      .. "WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()")
    local result = process:wait()
    assert.equal(5, result.status)
    assert.matches("state: nothing changed; revision 001 rolled back, database is at <base>\n",
      result.stderr)
  end)

  it("that lacks the right to it is told so", function()
    admin:exec("REVOKE spec_owner FROM spec_login")
    s:line(1)
    local result = s:run("upgrade")
    assert.equal(1, result.status)
    assert.matches('^error: permission denied to set role "spec_owner"', result.stderr)
    assert.matches('hint:  the key `role` names it: "spec_owner"', result.stderr)
  end)
end)
