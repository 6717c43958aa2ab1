local scene = require("support.scene")
local server = require("support.server")

-- In scratch databases beside the specs' own: that is quicker than a throwaway server a spec.
local function trip(s, words)
  local list = { "test-roundtrip", "--url", server.url() }
  for word in (words or ""):gmatch("%S+") do
    list[#list + 1] = word
  end
  return s:run(list)
end

local function scratch_databases()
  local conn <close> = require("luamig.core.conn").open({ url = server.url() })
  local rows = conn:exec("SELECT datname AS name FROM pg_database WHERE datname LIKE "
    .. "'luamig\\_scratch\\_%' ORDER BY 1")
  local names = {}
  for i, row in ipairs(rows) do
    names[i] = row.name
  end
  return names
end

describe("test-roundtrip", function()
  local s

  before_each(function()
    s = scene.new()
  end)

  after_each(function()
    s:close()
    assert.same({}, scratch_databases())
  end)

  local function first_table()
    s:revision("001", nil, [[
  op.create_table("users", {
    op.column("id", "integer", { primary_key = true }),
    op.column("email", "text"),
  })]], [[  op.drop_table("users")]])
  end

  -- Revision 002 is wrong, 003 is right; returns what is said of 002, and the whole result.
  local function with_wrong(up, down, words)
    first_table()
    local path = s:revision("002", "001", up, down)
    s:revision("003", "002", [[  op.execute("CREATE TABLE third (id int)")]],
      [[  op.execute("DROP TABLE third")]])
    local result = trip(s, words)
    assert.equal(8, result.status, result.stdout .. result.stderr)
    assert.matches("ok    001  revision 001", result.stdout, 1, true)
    assert.matches("ok    003  revision 003", result.stdout, 1, true)
    assert.matches("3 revisions tested: 2 passed, 1 failed", result.stdout, 1, true)
    local line = 0
    for text in io.lines(path) do
      line = line + 1
      if text:find("^function downgrade") then
        break
      end
    end
    return result.stdout:match("(FAIL  002.-)\n[^ ]"), result, line
  end

  it("passes what leads back, and leaves the configured database alone", function()
    first_table()
    s:revision("002", "001", [[  op.add_column("users", op.column("age", "integer"))]],
      [[  op.drop_column("users", "age")]])
    local result = trip(s)
    assert.equal(0, result.status, result.stderr)
    assert.matches("^ok    001  revision 001  %(up %d+ ms, down %d+ ms, up again %d+ ms%)\n"
      .. "ok    002  revision 002  %(.-%)\nok    all the way down  %(%d+ ms%)\n"
      .. "ok    all the way up  %(%d+ ms%)\n\n"
      .. "2 revisions tested: 2 passed, in [%d.]+ m?s on PostgreSQL %d+\n$", result.stdout)
    assert.equal("", result.stderr)
    assert.equal("", s:list("SELECT nspname FROM pg_namespace WHERE nspname = 'luamig'"))
  end)

  it("needs no server", function()
    first_table()
    local result = s:run("test-roundtrip")
    assert.equal(0, result.status, result.stderr)
    assert.matches("1 revision tested: 1 passed", result.stdout, 1, true)
  end)

  it("catches an index that the downgrade forgets", function()
    local said, result, line = with_wrong([[
  op.add_column("users", op.column("age", "integer"))
  op.create_index("users_email", "users", { "email" })]], [[  op.drop_column("users", "age")]])
    assert.equal(([[
FAIL  002  revision 002
      down: the schema after the downgrade is not the one before the upgrade
        versions/002.lua:%d  downgrade()
          index public.users_email: left behind (CREATE INDEX users_email ON public.users ]]
      .. [[USING btree (email))
        missing on the way down:
          op.drop_index("users_email")]]):format(line), said)
    assert.equal("error: one round trip failed\n"
      .. "  try:   mend the downgrade of 002, and run again: luamig test-roundtrip\n",
      result.stderr)
  end)

  it("says when a downgrade undoes nothing", function()
    local said = with_wrong([[  op.create_index("users_email", "users", { "email" })]], "")
    assert.matches("down: the downgrade undoes nothing of the upgrade\n", said, 1, true)
    assert.matches("index public.users_email: left behind", said, 1, true)
  end)

  it("catches a default that the downgrade forgets", function()
    local said = with_wrong([[
  op.add_column("users", op.column("age", "integer"))
  op.alter_column("users", "email", { default = "none" })]], [[  op.drop_column("users", "age")]])
    assert.matches("down: the schema after the downgrade is not the one before the upgrade\n"
      .. "        versions/002.lua:13  downgrade()\n"
      .. "          table public.users: column email: default: was nothing, is 'none'::text\n"
      .. "        missing on the way down:\n"
      .. '          op.alter_column("users", "email", { default = op.none })', said, 1, true)
  end)

  it("catches a comment and a privilege that the downgrade forgets", function()
    local said = with_wrong([[
  op.add_column("users", op.column("age", "integer"))
  op.execute("COMMENT ON COLUMN users.email IS 'where to write'")
  op.execute("GRANT SELECT ON users TO PUBLIC")]], [[  op.drop_column("users", "age")]])
    assert.matches("column email: comment: was nothing, is where to write", said, 1, true)
    assert.matches('table public.users: acl: was nothing, is [{', said, 1, true)
    assert.matches('"grantee":"public","privileges":["SELECT"]', said, 1, true)
    assert.matches('op.revoke("select", "table", "users", "public")', said, 1, true)
  end)

  it("catches what the downgrade takes too much", function()
    local said = with_wrong([[  op.add_column("users", op.column("age", "integer"))]],
      [[  op.drop_column("users", "age")
  op.drop_column("users", "email")]])
    assert.matches("table public.users: column email: missing after the downgrade", said, 1, true)
  end)

  it("lets a column come back behind the others", function()
    first_table()
    s:revision("002", "001", [[  op.add_column("users", op.column("age", "int"))]],
      [[  op.drop_column("users", "age")]])
    s:revision("003", "002", [[  op.drop_column("users", "email")]],
      [[  op.add_column("users", op.column("email", "text"))]])
    local result = trip(s)
    assert.equal(0, result.status, result.stdout)
  end)

  it("catches an upgrade that makes something else the second time", function()
    s:revision("001", nil, [[  op.create_sequence("ticks")]], [[  op.drop_sequence("ticks")]])
    s:revision("002", "001", [[
  op.create_sequence("tick_" .. op.scalar("SELECT nextval('ticks')"))]], [[
  for _, row in ipairs(op.query("SELECT relname FROM pg_class WHERE relname LIKE 'tick\\_%'")) do
    op.drop_sequence(row.relname)
  end]])
    s:revision("003", "002", [[  op.execute("CREATE TABLE third (id int)")]],
      [[  op.execute("DROP TABLE third")]])
    local result = trip(s)
    assert.equal(8, result.status)
    assert.matches([[
FAIL  002  revision 002
      up again: the second upgrade leads to another schema than the first
        versions/002.lua:8  upgrade()
          sequence public.tick_1: made by the first upgrade only
          sequence public.tick_2: made by the second upgrade only
]], result.stdout, 1, true)
    assert.matches("ok    003", result.stdout, 1, true)
  end)

  it("reports an SQL error of a downgrade at its line, and goes on", function()
    local said = with_wrong([[  op.add_column("users", op.column("age", "integer"))]],
      [[  op.execute("ALTER TABLE users DROP COLUMN agee")]])
    assert.equal([[
FAIL  002  revision 002
      down: column "agee" of relation "users" does not exist
        versions/002.lua:13  op.execute
          ALTER TABLE users DROP COLUMN agee]], said)
  end)

  it("reports a Lua error of a downgrade, and a downgrade that is missing", function()
    local said = with_wrong([[  op.add_column("users", op.column("age", "integer"))]],
      [[  local t = nil; t.x = 1]])
    assert.matches("down: attempt to index a nil value %(local 't'%)\n        versions/002.lua:13",
      said)
    s.project:write("versions/002.lua", "revision = \"002\"\ndown_revision = \"001\"\n"
      .. "function upgrade()\n  op.add_column(\"users\", op.column(\"age\", \"integer\"))\nend\n")
    local result = trip(s)
    assert.equal(8, result.status)
    assert.matches("FAIL  002\n      down: revision 002 has no downgrade()", result.stdout, 1, true)
    assert.matches("2 passed, 1 failed", result.stdout, 1, true)
  end)

  it("a failing upgrade is told; what needs it is passed over, other branches are not", function()
    first_table()
    s:revision("002", "001", [[  op.execute("SELECT 1/0")]], "")
    s:revision("003", "002", [[  op.execute("CREATE TABLE third (id int)")]], "")
    s:revision("b1", "001", [[  op.execute("CREATE TABLE b1 (id int)")]],
      [[  op.execute("DROP TABLE b1")]])
    local result = trip(s)
    assert.equal(8, result.status)
    assert.matches("FAIL  002  revision 002\n      up: division by zero\n"
      .. "        versions/002.lua:9  op.execute\n", result.stdout, 1, true)
    assert.matches("skip  003  revision 003\n      not tested: it needs 002, which cannot be "
      .. "applied\n", result.stdout, 1, true)
    assert.matches("ok    b1", result.stdout, 1, true)
    assert.matches("try:   mend the upgrade of 002, and run again: luamig test-roundtrip\n",
      result.stderr, 1, true)
    assert.matches("3 revisions tested: 2 passed, 1 failed, 1 skipped", result.stdout, 1, true)
  end)

  it("walks branches and merges", function()
    s:revision("001", nil, [[  op.execute("CREATE TABLE a (id int)")]],
      [[  op.execute("DROP TABLE a")]])
    for _, side in ipairs({ "l", "r" }) do
      s:revision(side, "001", ([[  op.execute("CREATE TABLE %s (id int)")]]):format(side),
        ([[  op.execute("DROP TABLE %s")]]):format(side))
    end
    s.project:write("versions/m.lua", [[
revision = "m"
down_revision = { "l", "r" }
depends_on = { "other" }
function upgrade() op.execute("CREATE INDEX m ON l (id)") end
function downgrade() op.execute("DROP INDEX m") end
]])
    s:revision("other", nil, [[  op.execute("CREATE TABLE other (id int)")]],
      [[  op.execute("DROP TABLE other")]])
    local result = trip(s)
    assert.equal(0, result.status, result.stdout .. result.stderr)
    assert.matches("5 revisions tested: 5 passed", result.stdout, 1, true)
    assert.matches("ok    all the way up", result.stdout, 1, true)
  end)

  it("tests change(), segments and what runs outside a transaction", function()
    s.project:write("versions/001.lua", [[
revision = "001"
function change()
  op.create_table("a", { op.column("id", "integer", { primary_key = true }),
    op.column("name", "text") })
  op.create_enum("mood", { "good", "bad" })
end
]])
    s:revision("002", "001", [[
  op.create_index("a_name", "a", { "name" }, { concurrently = true })
  op.add_enum_value("mood", "fair")
  op.execute("ALTER TABLE a ADD mood mood DEFAULT 'fair'")]], [[
  op.drop_index("a_name", { concurrently = true })
  op.drop_column("a", "mood")
  op.execute("ALTER TYPE mood RENAME TO mood_old")
  op.create_enum("mood", { "good", "bad" })
  op.execute("DROP TYPE mood_old")]])
    s:revision("003", "002", [[
  op.step("one", function() op.execute("CREATE TABLE b (id int)") end)
  op.step("two", function() op.execute("CREATE TABLE c (id int)") end)]], [[
  op.step("two", function() op.execute("DROP TABLE c") end)
  op.step("one", function() op.execute("DROP TABLE b") end)]])
    local result = trip(s)
    assert.equal(0, result.status, result.stdout .. result.stderr)
  end)

  it("a change() without inverse is told with its line", function()
    first_table()
    s.project:write("versions/002.lua", [[
revision = "002"
down_revision = "001"
function change()
  op.drop_column("users", "email")
end
]])
    local result = trip(s)
    assert.equal(8, result.status)
    assert.matches("FAIL  002\n      down: change() cannot be undone: op.drop_column has no "
      .. "inverse", result.stdout, 1, true)
    assert.matches("versions/002.lua:4  op.drop_column", result.stdout, 1, true)
  end)

  it("a downgrade that commits half its work does not spoil what follows", function()
    local said = with_wrong([[
  op.execute("CREATE TABLE b (id int)")
  op.execute("CREATE TABLE c (id int)")]], [[
  op.step("one", function() op.execute("DROP TABLE b") end)
  op.execute("DROP TABLE d")]])
    assert.matches('down: table "d" does not exist', said, 1, true)
  end)

  it("goes on when a revision ends the connection", function()
    local said = with_wrong([[  op.add_column("users", op.column("age", "integer"))]],
      [[  op.execute("SELECT pg_terminate_backend(pg_backend_pid())")]])
    assert.matches("down: terminating connection due to administrator command\n"
      .. "        versions/002.lua:13  op.execute\n", said, 1, true)
  end)

  it("irreversible revisions are listed, counted, and no failure without --strict", function()
    first_table()
    s:revision("002", "001", [[  op.execute("CREATE TABLE b (id int)")]], "",
      'irreversible = "keys are destroyed"')
    s:revision("003", "002", [[  op.execute("CREATE TABLE c (id int)")]],
      [[  op.irreversible("so are these")]])
    s:revision("004", "003", [[  op.execute("CREATE TABLE d (id int)")]],
      [[  op.execute("DROP TABLE d")]])
    local result = trip(s)
    assert.equal(0, result.status, result.stderr)
    assert.matches("stays 002  revision 002\n      irreversible: keys are destroyed\n",
      result.stdout, 1, true)
    assert.matches("stays 003  revision 003\n      irreversible: so are these\n", result.stdout, 1,
      true)
    assert.matches("all the way down  %(%d+ ms%)\n      not all of it: 003 is irreversible\n",
      result.stdout)
    assert.matches("4 revisions tested: 2 passed, 2 irreversible", result.stdout, 1, true)
    local strict = trip(s, "--strict")
    assert.equal(8, strict.status)
    assert.matches("FAIL  002  revision 002\n      irreversible: keys are destroyed\n",
      strict.stdout, 1, true)
    assert.matches("error: 2 revisions are irreversible, and --strict does not allow that\n"
      .. "  try:   write the downgrade, or leave --strict out\n",
      strict.stderr, 1, true)
  end)

  it("--from, --to and --since say what is tested; the rest is only applied", function()
    s:line(5)
    s:revision("002", "001", [[  op.execute("CREATE TABLE t2 (id int)")]], "") -- is left alone
    local result = trip(s, "--from 002 --to 004")
    assert.equal(0, result.status, result.stdout .. result.stderr)
    assert.matches("^ok    003  .-\nok    004  .-\nok    all the way down", result.stdout)
    assert.matches("2 revisions tested", result.stdout, 1, true)
    result = trip(s, "--since 004")
    assert.equal(0, result.status, result.stdout .. result.stderr)
    assert.matches("^ok    005", result.stdout)
    assert.matches("1 revision tested: 1 passed", result.stdout, 1, true)
    result = trip(s, "--since 005")
    assert.equal(0, result.status)
    assert.equal("nothing to test: no revision is in the range\n", result.stdout)
  end)

  it("refuses the configured database, and what has no meaning", function()
    first_table()
    local result = s:run({ "test-roundtrip", "--url", s.url })
    assert.equal(10, result.status)
    assert.matches("error: --url names the database of the project itself", result.stderr, 1, true)
    assert.matches("named by luamig.lua", result.stderr, 1, true)
    assert.matches("state: nothing changed", result.stderr, 1, true)
    for words, message in pairs({
      ["--url embedded"] = "the embedded server is the project's own",
      ["--rows 3"] = "--rows has a meaning with --data only",
      ["--data --rows none"] = "'none' is no whole number from 1",
      ["--report juni=x"] = "there is no report 'juni'; it is junit, tap, json or github",
      ["--report tap --report json"] = "the reports tap and json would both go to standard output",
      ["--ephemeral --url x"] = "only one can be meant",
      ["--sql"] = "'--sql' has no meaning for 'luamig test-roundtrip'",
    }) do
      result = s:run("test-roundtrip " .. words)
      assert.equal(2, result.status, words .. result.stderr)
      assert.matches(message, result.stderr, 1, true)
    end
    result = s:run("test-roundtrip --from 009")
    assert.equal(7, result.status)
    assert.matches("Can't locate revision identified by '009'", result.stderr, 1, true)
  end)

  it("runs no hooks and asks nothing, also of a protected environment", function()
    s:configure([[protected = true, hooks = { before_revision = function() error("no") end,
      before_upgrade = function() error("no") end, on_error = function() error("no") end }]])
    first_table()
    assert.equal(0, trip(s).status)
  end)

  it("keeps luamig's own tables apart, wherever they are", function()
    s:configure([[version_schema = "public", version_table = "alembic_version"]])
    first_table()
    s:revision("002", "001", [[  op.add_column("users", op.column("age", "int"))]],
      [[  op.drop_column("users", "age")]])
    local result = trip(s)
    assert.equal(0, result.status, result.stdout .. result.stderr)
  end)

  it("starts each run of a script afresh", function()
    s.project:write("versions/001.lua", [[
revision = "001"
local count = 0
function upgrade()
  count = count + 1
  op.query("SELECT 1")
  op.execute("CREATE TABLE t" .. count .. " (id int)")
end
function downgrade() op.execute("DROP TABLE t1") end
]])
    assert.equal(0, trip(s).status)
  end)

  it("starts each run in a session without temporary tables", function()
    first_table()
    s:revision("002", "001", [[  op.execute("CREATE TEMPORARY TABLE work AS SELECT * FROM users")]],
      [[  op.execute("CREATE TEMPORARY TABLE work AS SELECT * FROM users")]])
    local result = trip(s)
    assert.equal(0, result.status, result.stdout)
  end)

  it("runs with transaction = \"all\", too", function()
    s:configure([[transaction = "all"]])
    first_table()
    s:line(3)
    local result = trip(s)
    assert.equal(0, result.status, result.stdout .. result.stderr)
  end)

  it("a file that does not load fails, and the others are tested", function()
    first_table()
    s.project:write("versions/002.lua", 'revision = "002"\ndown_revision = "001"\n')
    s:revision("b1", "001", [[  op.execute("CREATE TABLE b1 (id int)")]],
      [[  op.execute("DROP TABLE b1")]])
    s.project:write("versions/003.lua", 'revision = "003"\ndown_revision = "002"\nfunction (')
    local result = trip(s)
    assert.equal(8, result.status, result.stdout .. result.stderr)
    assert.matches("FAIL  002\n      up: the file has neither upgrade() nor change()\n"
      .. "        versions/002.lua\n", result.stdout, 1, true)
    assert.matches("ok    b1", result.stdout, 1, true)
  end)

  it("makes roles on the throwaway server", function()
    s:configure([[role = "app_owner"]])
    first_table()
    s:revision("002", "001", [[  op.execute("GRANT SELECT ON users TO app_reader")]],
      [[  op.execute("REVOKE SELECT ON users FROM app_reader")]])
    local result = s:run("test-roundtrip")
    assert.equal(8, result.status)
    assert.matches('up: role "app_reader" does not exist', result.stdout, 1, true)
    assert.matches("hint:  a throwaway server has no role but postgres; --role app_reader makes "
      .. "one", result.stdout, 1, true)
    result = s:run("test-roundtrip --role app_reader")
    assert.equal(0, result.status, result.stdout .. result.stderr)
  end)

  it("roles that a revision makes are in nobody's way", function()
    first_table()
    s:revision("002", "001", [[  op.execute("CREATE ROLE luamig_spec_role")]],
      [[  op.execute("DROP ROLE luamig_spec_role")]])
    s:revision("003", "002", [[  op.execute("CREATE TABLE b (id int)")]],
      [[  op.execute("DROP TABLE c")]])
    s:revision("004", "003", [[  op.execute("CREATE TABLE c (id int)")]],
      [[  op.execute("DROP TABLE c")]])
    local result = s:run("test-roundtrip")
    assert.equal(8, result.status)
    assert.matches("4 revisions tested: 3 passed, 1 failed", result.stdout, 1, true)
  end)
end)

describe("test-roundtrip --data", function()
  local s

  before_each(function()
    s = scene.new()
    s:revision("001", nil, [[
  op.create_table("users", {
    op.column("id", "integer", { primary_key = true }),
    op.column("email", "text", { nullable = false }),
    op.column("age", "smallint"),
  })]], [[  op.drop_table("users")]])
  end)

  after_each(function()
    s:close()
    assert.same({}, scratch_databases())
  end)

  local drop_email = [[  op.drop_column("users", "email")]]
  local add_email = [[  op.add_column("users", op.column("email", "text"))
  op.execute("UPDATE users SET email = 'lost'")
  op.alter_column("users", "email", { nullable = false })]]

  it("catches a downgrade that loses values, and names the first of them", function()
    local path = s:revision("002", "001", drop_email, add_email)
    assert.equal(0, trip(s).status)
    local result = trip(s, "--data --rows 7 --seed 3")
    assert.equal(8, result.status)
    assert.matches("ok    001  revision 001  %(up %d+ ms, down %d+ ms, up again %d+ ms, data %d+ ms"
      .. "%)\n", result.stdout)
    assert.matches("FAIL  002  revision 002\n"
      .. "      data: values are not the same after the downgrade\n"
      .. "        versions/002%.lua:12  downgrade%(%)\n"
      .. "          table public%.users %(7 rows%)\n"
      .. "            row id = '[^\n]-': email was E?'[^\n]-', is 'lost'\n", result.stdout)
    assert.matches('hint:  when they cannot come back, say so: data_loss = "what is lost"',
      result.stdout, 1, true)
    assert.matches("try:   mend the downgrade of 002, and run again: luamig test-roundtrip --data "
      .. "--rows 7 --seed 3\n",
      result.stderr, 1, true)
    assert.truthy(path)
  end)

  it("the same seed gives the same rows, another one others", function()
    s:revision("002", "001", drop_email, add_email)
    local function said(words)
      return trip(s, words).stdout:match("(%(%d+ rows%).-)\n        hint")
    end
    assert.equal(said("--data"), said("--data --seed 1"))
    assert.not_equal(said("--data"), said("--data --seed 2"))
  end)

  it("passes a loss that is declared", function()
    s:revision("002", "001", drop_email, add_email, 'data_loss = "addresses"')
    local result = trip(s, "--data")
    assert.equal(0, result.status, result.stdout)
    assert.matches("ok    002  .-\n      data: lost as declared: addresses\n", result.stdout)
  end)

  it("warns of a loss that is declared and not seen", function()
    s:revision("002", "001", [[  op.add_column("users", op.column("more", "text"))]],
      [[  op.drop_column("users", "more")]], 'data_loss = "addresses"')
    local result = trip(s, "--data")
    assert.equal(0, result.status, result.stdout)
    assert.matches("data: warning: data_loss is declared, but no value was lost\n", result.stdout,
      1, true)
  end)

  it("fails a downgrade that rows stop, and goes on", function()
    s:revision("002", "001", [[  op.execute("ALTER TABLE users ALTER email TYPE varchar(999999)")]],
      [[  op.execute("ALTER TABLE users ALTER email TYPE text "
    .. "USING (1 / (length(email) / 99999))::text")]])
    s:revision("003", "002", [[  op.execute("CREATE TABLE third (id int)")]],
      [[  op.execute("DROP TABLE third")]])
    local result = trip(s, "--data")
    assert.equal(8, result.status)
    assert.matches("FAIL  002  revision 002\n      data: the downgrade fails on rows: division by "
      .. "zero\n        versions/002.lua:13  op.execute\n", result.stdout, 1, true)
    assert.matches("ok    003", result.stdout, 1, true)
  end)

  it("an upgrade need not take every generated row, but is told of it", function()
    s:revision("002", "001", [[
  op.execute("ALTER TABLE users ADD CHECK (age IS NOT NULL AND age BETWEEN 0 AND 1000)")]],
      [[  op.execute("ALTER TABLE users DROP CONSTRAINT users_age_check")]])
    s:revision("003", "002", [[  op.execute("ALTER TABLE users ADD CHECK (email = 'one')")]],
      [[  op.execute("ALTER TABLE users DROP CONSTRAINT users_email_check")]])
    local result = trip(s, "--data")
    assert.equal(0, result.status, result.stdout)
    assert.matches("data: warning: tested with %d rows? of each table, for the upgrade does not "
      .. "take 10: check constraint", result.stdout)
    assert.matches("data: warning: the upgrade does not take generated rows: check constraint",
      result.stdout, 1, true)
  end)

  it("names a table that cannot be filled", function()
    s:revision("002", "001", [[  op.execute("CREATE TABLE never (id int CHECK (false))")]],
      [[  op.execute("DROP TABLE never")]])
    s:revision("003", "002", [[  op.execute("CREATE TABLE third (id int)")]],
      [[  op.execute("DROP TABLE third")]])
    local result = trip(s, "--data")
    assert.equal(0, result.status, result.stdout)
    assert.matches("      not filled: table public.never: ", result.stdout, 1, true)
  end)

  it("keeps the rows that revisions make", function()
    s:revision("002", "001", [[  op.execute("INSERT INTO users VALUES (4711, 'root@x')")]],
      [[  op.execute("DELETE FROM users WHERE id = 4711")]])
    s:revision("003", "002", [[
  local root = op.query_one("SELECT id FROM users WHERE email = 'root@x'")
  op.execute("COMMENT ON TABLE users IS '" .. root.id .. "'")]],
      [[  op.execute("COMMENT ON TABLE users IS NULL")]])
    local result = trip(s, "--data")
    assert.equal(0, result.status, result.stdout)
  end)

  it("does the backfills that a later revision requires", function()
    s:configure([[version_schema = "public", version_table = "alembic_version"]])
    local later = os.time() + 7200
    s:revision("002", "001", ([[
  op.add_column("users", op.column("mail", "text"))
  op.backfill("users_mail", { table = "users", set = { mail = op.sql("lower(email)") },
    remaining = "mail IS NULL", throttle = { window = "%s:00-%s:59" } })]]):format(
      os.date("!%H", later), os.date("!%H", later)), [[  op.drop_column("users", "mail")]])
    s:revision("003", "002", [[
  op.require_backfill("users_mail")
  op.alter_column("users", "mail", { nullable = false })]],
      [[  op.alter_column("users", "mail", { nullable = true })]])
    local result = trip(s, "--data")
    assert.equal(0, result.status, result.stdout .. result.stderr)
    s:revision("002", "001", [[
  op.add_column("users", op.column("mail", "text"))
  op.backfill("users_mail", { table = "users", read = { "email" }, map = function()
    error("no such mail")
  end })]],
      [[  op.drop_column("users", "mail")]])
    result = trip(s, "--data")
    assert.equal(8, result.status)
    assert.matches("FAIL  002  revision 002\n      data: versions/002.lua:11: no such mail\n",
      result.stdout, 1, true)
  end)

  it("what a revision makes beside the database is not in its own way", function()
    s:revision("002", "001", [[  op.execute("CREATE ROLE luamig_spec_role")
  op.execute("GRANT SELECT ON users TO luamig_spec_role")]], [[
  op.execute("REVOKE SELECT ON users FROM luamig_spec_role")
  op.execute("DROP ROLE luamig_spec_role")]])
    s:revision("003", "002", [[  op.execute("GRANT INSERT ON users TO luamig_spec_role")]],
      [[  op.execute("REVOKE INSERT ON users FROM luamig_spec_role")]])
    local result = s:run("test-roundtrip --data")
    assert.equal(0, result.status, result.stdout)
  end)
end)

describe("test-roundtrip --report", function()
  local s

  before_each(function()
    s = scene.new()
    s:line(2)
    s:revision("003", "002", [[  op.execute("CREATE TABLE t3 (id int)")]], "")
  end)

  after_each(function()
    s:close()
  end)

  it("writes several at once, to files and to standard output", function()
    local result = trip(s, "--report junit=out/a.xml --report json=events.jsonl --report tap")
    assert.equal(8, result.status)
    assert.matches("^TAP version 13\nok 1 %- 001 up: revision 001 # time=%d+ms\n", result.stdout)
    assert.matches("\n1..10\n# 3 revisions tested: 2 passed, 1 failed\n$", result.stdout)
    assert.matches("FAIL  003", result.stderr, 1, true)
    assert.matches('<testsuites tests="10" failures="1"', s.project:read("out/a.xml"), 1, true)
    assert.matches('"event":"summary"', s.project:read("events.jsonl"), 1, true)
    assert.equal(8, trip(s, "--report junit=out/a.xml").status) -- over the old one
  end)

  it("--json is JSON on standard output, and nothing else", function()
    local result = trip(s, "--json")
    for line in result.stdout:gmatch("[^\n]+") do
      assert.equal("table", type(require("cjson").decode(line)))
    end
    assert.matches('^{"event":"begin","revisions":3,"server_version":%d+,"throwaway":false}\n',
      result.stdout)
    assert.equal(8, require("cjson").decode(result.stderr).error.exit_status)
  end)

  it("github: paths from the root of the repository, and a summary behind what is there", function()
    s.project:write("summary.md", "before\n")
    local result = s:run({ "-c", "luamig.lua", "test-roundtrip", "--url", server.url(), "--report",
      "github" }, { env = {
        GITHUB_WORKSPACE = s.project.root:match("^(.*)/"),
        GITHUB_STEP_SUMMARY = s.project:path("summary.md"),
      } })
    assert.equal(8, result.status)
    local folder = s.project.root:match("[^/]+$")
    assert.matches(("::error file=%s/versions/003.lua,line=12,title=luamig%%3A 003 down::the "
      .. "downgrade undoes nothing of the upgrade%%0Aversions/003.lua:12  downgrade()%%0A  table "
      .. "public.t3: left behind%%0Amissing on the way down:%%0A  op.drop_table(\"t3\")\n")
      :format(folder), result.stdout, 1, true)
    assert.matches("^before\n### luamig test%-roundtrip\n", s.project:read("summary.md"))
  end)

  it("a file that cannot be written is told before anything is run", function()
    s.project:write("file", "")
    local result = trip(s, "--report junit=file/out.xml")
    assert.equal(2, result.status)
    assert.matches("'file' is in the way: a folder is needed there", result.stderr, 1, true)
  end)
end)
