-- Every error that a user can cause: exit status, what happened, what state the database is in and
-- what to type next, as text and as JSON; and no password anywhere.

local cjson = require("cjson")
local cli = require("support.cli")
local cluster = require("support.cluster")
local core = require("luamig.core.conn")
local project = require("support.project")
local scene = require("support.scene")

local SECRET <const> = "canary-5e1f"

local function assert_no_secret(text, where)
  assert.is_nil(text:find(SECRET, 1, true), where .. " shows the password:\n" .. text)
end

-- The fields of an error that specs look at.
---@class Expected
---@field status integer
---@field message string  plain text that the message contains
---@field sqlstate? string
---@field place? string   "FILE:LINE"
---@field detail? string
---@field hint? string
---@field state? string
---@field try? string

local fields <const> = { "message", "detail", "hint", "state", "try" }

local function check_text(expected, result)
  assert.equal(expected.status, result.status, result.stderr)
  assert.equal("", result.stdout)
  local text = "\n" .. result.stderr:gsub("\n +", " ")
  assert.matches("\nerror: ", text)
  for _, field in ipairs(fields) do
    if expected[field] then
      assert.matches(expected[field], text, 1, true)
    end
  end
  if expected.sqlstate then
    assert.matches("(" .. expected.sqlstate .. ")", result.stderr, 1, true)
  end
  if expected.place then
    assert.matches("  " .. expected.place, result.stderr, 1, true)
  end
end

local function check_json(expected, result)
  assert.equal(expected.status, result.status, result.stderr)
  local line = assert(result.stderr:match('({"error".*)'), result.stderr)
  local f = cjson.decode(line).error
  assert.equal(expected.status, f.exit_status)
  assert.equal(expected.sqlstate or f.sqlstate, f.sqlstate)
  for _, field in ipairs(fields) do
    if expected[field] then
      assert.matches(expected[field], ((f[field] or ""):gsub("\n *", " ")), 1, true)
    end
  end
  if expected.place then
    assert.equal(expected.place, f.line and ("%s:%d"):format(f.file, f.line) or f.file)
  end
end

---Runs a command line that must fail, twice, and compares what it says.
---@param run fun(words: string[]): table
---@param words string
---@param expected Expected
local function fails(run, words, expected)
  local list = {}
  for word in words:gmatch("%S+") do
    list[#list + 1] = word
  end
  local result = run(list)
  assert_no_secret(result.stdout .. result.stderr, words)
  check_text(expected, result)
  list[#list + 1] = "--json"
  result = run(list)
  assert_no_secret(result.stdout .. result.stderr, words .. " --json")
  check_json(expected, result)
end

describe("an error of the way to the database", function()
  local server, p

  setup(function()
    server = cluster.new({ log_connections = "on", log_statement = "all" }, [[
local all postgres trust
local all all scram-sha-256
]])
    server:exec("CREATE ROLE bob LOGIN PASSWORD '" .. SECRET .. "'")
    server:exec("CREATE DATABASE shop")
  end)

  teardown(function()
    server:close()
  end)

  before_each(function()
    p = project.new()
    p:write("luamig.lua", 'return { url = os.getenv("SPEC_URL") }\n')
    p:write("versions/001.lua", 'revision = "001"\nfunction upgrade()\n  op.query("SELECT 1")\n'
      .. "end\nfunction downgrade() end\n")
  end)

  after_each(function()
    p:remove()
  end)

  local function with(url, env)
    return function(words)
      env = env or {}
      env.SPEC_URL = url
      return cli.run(words, { cwd = p.root, env = env })
    end
  end

  local function url_as(user, database)
    return (server:url(database or "shop", user))
  end

  it("refused connection", function()
    fails(with("postgresql://bob:" .. SECRET .. "@127.0.0.1:1/shop"), "upgrade", {
      status = 5, message = "Connection refused", detail = "the database is named by luamig.lua",
      hint = "is the server running there?", state = "nothing changed",
      try = "run again: luamig upgrade head --wait 30s" })
    fails(with("postgresql://bob:" .. SECRET .. "@/shop?host=/nowhere"), "downgrade base", {
      status = 5, message = "No such file or directory", state = "nothing changed",
      try = "run again: luamig downgrade base --wait 30s" })
  end)

  it("wrong password", function()
    fails(with(url_as("bob:wrong-" .. SECRET)), "upgrade", {
      status = 5, sqlstate = "28P01", message = 'password authentication failed for user "bob"',
      hint = "role bob; the password comes from the URL, PGPASSWORD or the password file",
      state = "nothing changed", try = "run again: luamig upgrade head" })
  end)

  it("missing role and missing database", function()
    fails(with(url_as("postgres:" .. SECRET, "shoq")), "upgrade", {
      status = 5, sqlstate = "3D000", message = 'database "shoq" does not exist',
      hint = "create it with: createdb shoq", state = "nothing changed" })
    fails(with(url_as("nobody_there:" .. SECRET)), "upgrade", {
      status = 5, message = "password authentication failed", state = "nothing changed" })
  end)

  it("mis-encoded URL", function()
    for _, url in ipairs({
      "postgresql://bob:" .. SECRET .. "@x@localhost/shop", "postgresql://bob:x/" .. SECRET
        .. "@localhost/shop", "postgresql://bob:x?" .. SECRET .. "@localhost/shop",
      "postgresql://bob:x#" .. SECRET .. "@localhost/shop",
    }) do
      fails(with(url), "upgrade", { status = 2,
        message = "the database URL cannot be read: a character of its password or user must be "
          .. "percent-encoded", hint = "write @ as %40", state = "nothing changed" })
    end
    fails(with("postgresql://bob:%zz" .. SECRET .. "@localhost/shop"), "upgrade", { status = 2,
      message = "the database URL cannot be read: invalid percent-encoded token", hint = "%25" })
    fails(with("host=localhost password='" .. SECRET .. " user=bob"), "upgrade", { status = 2,
      message = "the database URL cannot be read: unterminated quoted string" })
    fails(with("mysql://bob:" .. SECRET .. "@localhost/shop"), "upgrade", { status = 2,
      message = "luamig speaks to PostgreSQL only", hint = "postgresql://user" })
  end)

  it("missing rights: none on the database, none on luamig's schema, none on a table", function()
    local run = with(url_as("bob:" .. SECRET))
    fails(run, "upgrade", { status = 1, sqlstate = "42501",
      message = "permission denied for database shop",
      hint = "GRANT CREATE ON DATABASE shop TO bob",
      state = "nothing changed; database is at <base>",
      try = "let the owner grant the right, then run again: luamig upgrade head" })
    for _, more in ipairs({ {}, { "--dry-run" }, { "--json" } }) do
      local result = run({ "upgrade", table.unpack(more) })
      assert.matches("GRANT CREATE ON DATABASE shop TO bob", result.stderr)
      assert.not_matches("versions/", result.stderr) -- no script is at fault
      assert.not_matches("001", result.stderr)
    end
    local as_owner = with(url_as("postgres"))
    assert.equal(0, as_owner({ "upgrade" }).status)
    fails(run, "downgrade base", { status = 1, message = "permission denied for schema luamig",
      state = "nothing changed", try = "GRANT USAGE ON SCHEMA luamig TO bob" })
    fails(run, "current", { status = 1, message = "permission denied for schema luamig",
      try = "GRANT USAGE ON SCHEMA luamig TO bob" })
    local admin <close> = core.open({ url = url_as("postgres") })
    admin:exec("CREATE TABLE owned (id int)")
    admin:exec("GRANT USAGE ON SCHEMA luamig TO bob")
    admin:exec("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA luamig TO bob")
    p:write("versions/002.lua", 'revision = "002"\ndown_revision = "001"\nfunction upgrade()\n'
      .. '  op.execute("DROP TABLE owned")\nend\nfunction downgrade() end\n')
    fails(run, "upgrade", { status = 1, sqlstate = "42501",
      message = "must be owner of table owned",
      place = "versions/002.lua:4",
      state = "nothing changed; revision 002 rolled back, database is at 001",
      try = "let the owner grant the right, then run again: luamig upgrade head" })
  end)

  it("a database whose encoding lacks a character of the script", function()
    server:exec("CREATE DATABASE latin ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' "
      .. "TEMPLATE template0")
    local run = with(url_as("postgres", "latin"))
    local text = 'revision = "001"\n-- %s\nfunction upgrade()\n  op.execute("SELECT 1")\nend\n'
      .. 'function downgrade() end\n'
    p:write("versions/001.lua", text:format("日"))
    fails(run, "upgrade", { status = 1, sqlstate = "22P05",
      message = "the database is encoded in LATIN1, which has no '日': the text of the script "
        .. "cannot be stored", place = "versions/001.lua:2",
      hint = "write the script without this character",
      state = "nothing changed; revision 001 rolled back, database is at <base>" })
    p:write("versions/001.lua", text:format("é"))
    assert.equal(0, run({ "upgrade" }).status)
    assert.equal(0, run({ "check" }).status) -- what is stored is what the file has
  end)

  it("no config, and no database named", function()
    local empty = project.new()
    local function run(words)
      return cli.run(words, { cwd = empty.root })
    end
    fails(run, "upgrade", { status = 2, message = "no luamig.lua here",
      detail = "looked for ./luamig.lua and ./migrations/luamig.lua in " .. empty.root,
      try = "luamig init, or name the file with -c FILE" })
    fails(run, "upgrade -c there.lua", { status = 2,
      message = "there is no file 'there.lua' (from -c)" })
    empty:write("luamig.lua", "return {}\n")
    empty:write("versions/001.lua", 'revision = "001"\nfunction upgrade() end\n')
    fails(run, "upgrade", { status = 2, message = "no database is named",
      detail = "looked at: --url", hint = 'url = "embedded"' })
    empty:remove()
  end)

  it("no programs for the embedded server", function()
    assert(require("lfs").mkdir(p:path("empty")))
    fails(with("embedded", { LUAMIG_PGBIN = p:path("empty") }), "upgrade", { status = 2,
      message = "LUAMIG_PGBIN is " .. p:path("empty") .. ", but there is no postgres and initdb",
      hint = "/usr/lib/postgresql", state = "nothing changed" })
  end)

  it("read-only server: a setting, and a standby", function()
    local run = with(url_as("postgres") .. "&options=-cdefault_transaction_read_only%3Don")
    p:write("versions/003.lua", 'revision = "003"\ndown_revision = "001"\nfunction upgrade()\n'
      .. '  op.execute("CREATE TABLE t (id int)")\nend\n')
    fails(run, "upgrade", { status = 1, sqlstate = "25006", message = "in a read-only transaction",
      state = "nothing changed",
      try = "connect to where writing is allowed, then run again: luamig upgrade head" })
    server:stop("fast")
    server:write("standby.signal", "")
    server:start()
    fails(with(url_as("postgres:" .. SECRET)), "upgrade", { status = 5,
      message = "the server is a read-only standby", detail = "is in recovery",
      state = "nothing changed", try = "connect to the primary" })
    assert.equal(0, with(url_as("postgres"))({ "current" }).status)
    server:stop("fast")
    os.remove(server.data .. "/standby.signal")
    server:start()
  end)

  it("shows no password in the process title, nor in the server's log", function()
    p:write("versions/001.lua", 'revision = "001"\nfunction upgrade()\n'
      .. '  op.query("SELECT pg_sleep(30)")\nend\n')
    server:exec("ALTER DATABASE shop OWNER TO bob")
    local admin <close> = core.open({ url = url_as("postgres") })
    admin:exec("DROP SCHEMA IF EXISTS luamig CASCADE")
    for _, url in ipairs({ url_as("bob:" .. SECRET), ("host=%s dbname=shop user=bob password=%s")
      :format(server.folder, SECRET) }) do
      local run = cli.start({ "upgrade", "--url", url }, { cwd = p.root })
      server:eventually("SELECT true FROM pg_stat_activity WHERE query LIKE '%pg_sleep(30)%' "
        .. "AND pid <> pg_backend_pid()")
      local file = assert(io.open(("/proc/%d/cmdline"):format(run.pid), "rb"))
      local title = file:read("a")
      file:close()
      assert.matches("upgrade\0%-%-url\0", title)
      assert_no_secret(title, "the process title")
      run:signal("TERM")
      local result = run:wait()
      assert.equal(143, result.status)
      assert_no_secret(result.stdout .. result.stderr, "upgrade --url")
    end
    local log = server:log()
    assert.matches("pg_sleep", log)
    -- The spec's own CREATE ROLE is in it once, and that is all.
    local count = select(2, log:gsub(SECRET:gsub("%p", "%%%0"), ""))
    assert.equal(1, count)
  end)
end)

describe("an error of files and targets", function()
  local s

  before_each(function()
    s = scene.new()
    s:line(3)
    s:ok("upgrade 001")
  end)

  after_each(function()
    s:close()
  end)

  local function fails_here(words, expected)
    fails(function(list)
      return s:run(list)
    end, words, expected)
    assert.equal("001", s:rows())
  end

  it("Lua syntax", function()
    s.project:write("versions/002.lua",
      'revision = "002"\ndown_revision = "001"\nfunction upgrade()\n  op.execute("x"\nend\n')
    fails_here("upgrade", { status = 9,
      message = "')' expected (to close '(' at line 4) near 'end'",
      place = "versions/002.lua:5", state = "nothing changed",
      try = "fix the script and run: luamig upgrade head" })
    s.project:write("versions/002.lua", 'revision = "002"\ndown_revision = "001\n')
    fails_here("upgrade", { status = 9, message = "unfinished string",
      place = "versions/002.lua:2" })
  end)

  it("a call that fails in the hand of pcall", function()
    for _, call in ipairs({ "op.create_table, 42", "op.add_column, 't1'",
      "function() op.creat_table('x', {}) end", "op.drop_table, 't1', { cascad = true }",
      "op.query, 'SELECT * FROM nowhere'", "op.execute, 'COMMIT'" }) do
      s:revision("002", "001", '  op.execute("CREATE TABLE t2 (id int)")\n  pcall(' .. call .. ")")
      local result = s:run("upgrade")
      assert.is_true(result.status == 1 or result.status == 9, call .. "\n" .. result.stderr)
      assert.matches("versions/002.lua:10", result.stderr)
      assert.equal("001", s:rows())
    end
  end)

  it("unknown, ambiguous and wrong targets", function()
    fails_here("upgrade nowhere", { status = 7,
      message = "Can't locate revision identified by 'nowhere'", state = "nothing changed" })
    fails_here("upgrade 00", { status = 7,
      message = "Can't locate revision identified by '00': 3 revisions begin so",
      detail = "001  versions/001.lua", hint = "write more of the id", state = "nothing changed" })
    fails_here("downgrade 003", { status = 7,
      message = "Destination 003 is not a valid downgrade target from current head(s)",
      detail = "003 is not applied", state = "nothing changed", try = "luamig upgrade 003" })
    fails_here("upgrade 001:003", { status = 2, message = "a range FROM:TO goes with --sql",
      try = "luamig upgrade 001:003 --sql" })
  end)

  it("duplicate and missing revisions, a cycle, several heads", function()
    s.project:write("versions/002x.lua", s.project:read("versions/002.lua"))
    fails_here("upgrade", { status = 7, message = "revision 002 is present more than once: in "
      .. "versions/002.lua and in versions/002x.lua", hint = "give one of them another id" })
    os.remove(s.project:path("versions/002x.lua"))
    s:revision("004", "033")
    fails_here("upgrade", { status = 7, message = "revision 033 referenced from versions/004.lua "
      .. "(down_revision) is not present", hint = "did you mean '003'?" })
    s:revision("004", "005")
    s:revision("005", "004")
    fails_here("upgrade", { status = 7, message = "cycle is detected in revisions (004, 005)",
      detail = "004  versions/004.lua  follows 005" })
    os.remove(s.project:path("versions/005.lua"))
    s:revision("004", "002")
    fails_here("upgrade", { status = 7, message = "Multiple head revisions are present",
      state = "nothing changed", try = "luamig merge heads" })
  end)

  it("an edited file: a warning on upgrade, exit 6 with the difference on check", function()
    s:revision("001", nil, '  op.execute("CREATE TABLE t1 (id bigint)")')
    local result = s:ok("upgrade")
    assert.matches("WARN  versions/001.lua was edited after it was applied", result.stderr)
    fails(function(list)
      return s:run(list)
    end, "check", { status = 6, message = "versions/001.lua was edited after it was applied",
      place = "versions/001.lua", detail = '-  op.execute("CREATE TABLE t1 (id int)")',
      try = "bring the applied text back" })
  end)

  it("a downgrade that cannot be", function()
    s:revision("001", nil, "", "", 'irreversible = "the keys are gone"')
    fails_here("downgrade base", { status = 10,
      message = "revision 001 cannot be undone: the keys are gone", place = "versions/001.lua",
      state = "nothing changed", try = "go forward with a new revision, or restore a backup" })
    s.project:write("versions/001.lua", 'revision = "001"\nfunction upgrade() end\n')
    fails_here("downgrade base", { status = 9, message = "revision 001 has no downgrade()",
      hint = 'irreversible = "reason"', state = "nothing changed" })
  end)

  it("a transaction of the script's own", function()
    for _, sql in ipairs({ "COMMIT", "BEGIN", "ROLLBACK", "END", "SAVEPOINT x",
      "SELECT 1; COMMIT; SELECT 2", "START TRANSACTION", "COMMIT AND CHAIN" }) do
      s:revision("002", "001", ('  op.execute("CREATE TABLE t2 (id int)")\n  op.execute(%q)')
        :format(sql))
      local result = s:run("upgrade")
      assert.equal(1, result.status)
      assert.matches("in a revision: luamig begins and ends the transactions", result.stderr)
      assert.matches("versions/002.lua:10  op.execute", result.stderr, 1, true)
      assert.matches("revision 002 rolled back, database is at 001", result.stderr)
      assert.equal("001", s:rows())
      assert.is_false(s:has("t2"))
    end
    s:revision("002", "001", [[
  op.execute("CREATE TABLE t2 (id int)")
  op.execute("DO $$ BEGIN COMMIT; END $$")]])
    fails_here("upgrade", { status = 1, sqlstate = "2D000",
      message = "invalid transaction termination",
      place = "versions/002.lua:10",
      state = "nothing changed; revision 002 rolled back, database is at 001",
      try = "fix the script and run: luamig upgrade head" })
  end)

  it("a version row that no file has", function()
    s:connect():exec("UPDATE luamig.version SET version_num = 'zzz'")
    local function run(list)
      return s:run(list)
    end
    fails(run, "upgrade", { status = 7, message = "Can't locate revision identified by 'zzz'",
      detail = "zzz: the version table has it, the history does not know it",
      state = "nothing changed",
      try = "bring the file back, or: luamig new 'as it is' --rev-id zzz --head base" })
    fails(run, "downgrade base", { status = 7,
      message = "Can't locate revision identified by 'zzz'", state = "nothing changed" })
    assert.equal("zzz", s:rows())
    s:ok("stamp 001 --purge")
    assert.equal("001", s:rows())
  end)

  it("a lock that is not had", function()
    s:configure('lock_timeout = "100ms", lock_deadline = "300ms"')
    s:revision("002", "001", '  op.execute("ALTER TABLE t1 ADD COLUMN name text")')
    local other <close> = core.open({ url = s.url, application_name = "the application" })
    other:exec("BEGIN")
    other:exec("LOCK TABLE t1 IN ACCESS SHARE MODE")
    fails_here("upgrade", { status = 4, message = "canceling statement due to lock timeout",
      place = "versions/002.lua:9", hint = "lock_timeout = 100ms, lock_deadline = 300ms",
      state = "nothing changed; revision 002 rolled back, database is at 001",
      try = "look at who is in the way, then run again: luamig upgrade head" })
  end)
end)
