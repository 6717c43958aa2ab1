-- Mistakes that anybody makes: what luamig says, and that it says it soon.
local scene = require("support.scene")

describe("a mistake in a script", function()
  local s

  before_each(function()
    s = scene.new()
  end)

  after_each(function()
    s:close()
  end)

  local function failing(up, words)
    s:revision("001", nil, up)
    local result = s:run(words or "upgrade")
    return result.stderr, result.status
  end

  it("that recurses without end is told at once, with the nearest frames only", function()
    local text, status = failing("  local function f() return f() + 1 end\n  f()")
    assert.equal(9, status)
    assert.matches("^error: stack overflow\n  versions/001.lua:9\n", text)
    assert.is_true(select(2, text:gsub("\n", "")) < 20)
  end)

  it("that is psql's or a text over several lines, is told what it takes", function()
    assert.matches("^error: '\\dt' is a command of psql, not SQL\n  versions/001.lua:9  op",
      failing([[  op.execute("SELECT 1; \\dt t")]]))
    assert.matches("error: unfinished string .*\n  hint:  a text of several lines stands in %[%[",
      (failing('  op.execute("SELECT 1,\n    2")')))
    s.project:write("versions/f.sql", "SELECT 1;\n\\i other.sql\n")
    assert.matches("error: versions/f.sql:2: '\\i' is a command of psql, not SQL\n",
      failing('  op.execute_file("f.sql")'))
  end)

  it("is none when a line of a value begins with a backslash", function()
    s.project:write("versions/f.sql", "CREATE TABLE t (a text);\nINSERT INTO t VALUES ('x\n\\d');")
    s:revision("001", nil, '  op.execute_file("f.sql")')
    s:ok("upgrade")
    assert.equal("x\n\\d", s:connect():exec("SELECT a FROM t")[1].a)
  end)

  -- The comment is not looked at by Lua, but the whole text is stored.
  local function in_comment(bytes)
    s.project:write("versions/001.lua", ("--- t\nrevision = \"001\"\n-- %s\n"):format(bytes)
      .. "function upgrade() end\nfunction downgrade() end\n")
    return s:run("upgrade")
  end

  it("that is a byte which no database stores, is told with its line", function()
    local result = in_comment("caf\xe9")
    assert.equal(9, result.status)
    assert.matches("^error: the file is not UTF%-8: it has the byte 0xe9\n  versions/001.lua:3\n"
      .. "  hint:  save it as UTF%-8, or: iconv ", result.stderr)
    result = in_comment("a\0b")
    assert.equal(9, result.status)
    assert.matches("^error: the file has a NUL byte in it\n  versions/001.lua:3\n", result.stderr)
    assert.equal(0, in_comment("café 日本").status)
  end)

  it("about parameters, values and rows names what is to be written instead", function()
    assert.matches("hint:  a nil ends the list of parameters; op.null stands for NULL",
      failing('  op.execute("SELECT $1::int, $2::int", { 1, nil })'))
    assert.matches("error: parameter %$2: a text with a NUL byte cannot be sent\n.*hint:  bytes go "
      .. "to a bytea as hexadecimal text: '\\\\x00ff'\n",
      (failing([[  op.execute("SELECT $1::int, $2::bytea", { 1, "a\0b" })]])))
    assert.matches("hint:  a text is UTF%-8; bytes go to a bytea as hexadecimal text",
      (failing([[  op.execute("SELECT $1::text", { "\255" })]])))
    assert.matches("hint:  a procedure or DO block that commits needs op.autocommit",
      failing('  op.execute("DO $$ BEGIN COMMIT; END $$")'))
    assert.matches("error: scalar expects one column, the query gave 2: a, a\n",
      failing('  op.scalar("SELECT 1 AS a, 2 AS a")'))
    assert.matches("error: query gives two columns the name 'a': give one of them another with AS\n"
      .. "  versions/001.lua:9  op.query\n", failing('  op.query("SELECT 1 AS a, 2 AS b, 3 AS a")'))
    assert.matches("error: query_one gives two columns the name 'count'",
      failing('  op.query_one("SELECT count(*), count(*) FROM pg_class")'))
    local rows = '  op.execute("CREATE TABLE t (id int, s text)")\n'
      .. '  op.bulk_insert("t", { { id = 1 },'
    assert.matches("error: row 2, column 's': a function is no value of a database\n",
      failing(rows .. " { id = 2, s = print } })"))
    assert.matches("error: row 2, column 's': a string with a NUL byte cannot be stored",
      failing(rows .. ' { id = 2, s = "a\\0" } })'))
    assert.matches("error: row 2 has the key 1: a row has its columns by name",
      failing(rows .. " { 2 } })"))
  end)

  it("about a relation names what is there instead", function()
    local connection <close> = s:connect()
    connection:exec('CREATE TABLE "Users" (id int)')
    connection:exec("CREATE SCHEMA app")
    connection:exec("CREATE TABLE app.orders (id int)")
    connection:exec("CREATE VIEW v AS SELECT 1 AS a")
    connection:exec("CREATE MATERIALIZED VIEW m AS SELECT 1 AS a")
    local expected = {
      { '  op.execute("INSERT INTO Users VALUES (1)")',
        'there is the table public."Users": a name is taken as it is written, and in SQL one with '
          .. "capitals stands in quotes" },
      { '  op.drop_table("users")', 'there is the table public."Users": ' },
      { '  op.drop_table("public.users")', 'there is the table public."Users": ' },
      { '  op.add_column("orders", op.column("x", "int"))',
        'there is the table app.orders, where search_path ("$user", public) does not look\n' },
      { '  op.drop_table("public.orders")', "there is the table app.orders\n" },
      { '  op.drop_view("m")', "it is a materialized view: materialized = true\n" },
      { '  op.drop_view("v", { materialized = true })',
        "it is a view, not a materialized one: leave materialized out\n" },
      { '  op.rename_view("m", "n")', "it is a materialized view: materialized = true\n" },
      { '  op.rename_view("v", "n", { materialized = true })',
        "it is a view, not a materialized one: leave materialized out\n" },
      { '  op.refresh_view("v")', "it is a view\n" },
      { '  op.drop_table("v")', "it is a view\n" },
      { '  op.drop_view("app.orders")', "it is a table\n" },
    }
    for _, case in ipairs(expected) do
      assert.matches("  hint:  " .. case[2], failing(case[1]), 1, true)
    end
    assert.no.matches("hint:", failing('  op.drop_table("nothing_like_it")'), 1, true)
  end)
end)

describe("a mistake around the scripts", function()
  local s

  before_each(function()
    s = scene.new()
  end)

  after_each(function()
    s:close()
  end)

  it("in a hook is told as one, with the state of the database", function()
    s:line(1)
    s:configure('hooks = { before_upgrade = function() error("no way") end }')
    local text = s:run("upgrade").stderr
    assert.matches("^error: the hook before_upgrade failed: no way\n  luamig.lua:1\n", text)
    assert.matches("state: nothing changed\n", text)
    s:configure('hooks = { after_revision = function(info) return info.x.y end }')
    assert.matches("try:   fix the hook and run: luamig upgrade head\n", s:run("upgrade").stderr)
    s:ok("stamp base")
    s:connect():exec("DROP TABLE t1")
    s:configure('hooks = { after_upgrade = function(info) assert(info.dry_run, "too late") end }')
    s:ok("upgrade --dry-run")
    text = s:run("upgrade").stderr
    assert.matches("error: the hook after_upgrade failed: too late\n", text)
    assert.matches("state: all of it is done, the database is at 001\n", text)
    assert.equal("001", s:rows())
  end)

  it("in the role or the search_path names its key", function()
    s:line(1)
    s:configure('role = "nobody_at_all"')
    local text = s:run("upgrade").stderr
    assert.matches('^error: role "nobody_at_all" does not exist %(22023%)\n  luamig.lua\n'
      .. '  hint:  the key `role` names it: "nobody_at_all"\n', text)
    s:configure('search_path = "app"')
    assert.matches("hint:  none of the schemas of search_path is there: app\n",
      s:run("upgrade").stderr)
  end)

  it("of going back over what cannot be undone says where to go", function()
    s:revision("001", nil, "", '  op.irreversible("it merged data")')
    s:ok("upgrade")
    local result = s:run("downgrade base")
    assert.equal(10, result.status)
    assert.matches("try:   go forward with a new revision, or restore a backup\n", result.stderr)
  end)

  -- Runs luamig on a terminal and answers its question.
  local function answered(words, answer)
    local fifo = s.project:path("answers")
    assert(os.execute("mkfifo " .. fifo))
    local pipe <close> = assert(io.open(fifo, "r+"))
    local process = s:start({ "-c", ('exec script -qec "$LUAMIG %s" /dev/null < %s'):format(words,
      fifo) }, { program = "bash" })
    require("support.cli").eventually(function()
      return process:output():find("to go on: ", 1, true)
    end, "the question")
    pipe:write(answer)
    pipe:flush()
    local result = process:wait()
    os.remove(fifo)
    return result.status, (result.stdout:gsub("\r", ""):gsub("\27%[%d*m", ""))
  end

  it("of having been asked: Ctrl-C interrupts, another word and no word do not confirm", function()
    s:line(1)
    s:configure(("environments = { prod = { url = %q, protected = true } }"):format(s.url))
    local status, text = answered("--env prod upgrade", "\3")
    assert.equal(130, status)
    assert.matches("\nerror: interrupted\n  state: nothing changed\n", text)
    for _, answer in ipairs({ "\4", "nope\n" }) do
      status, text = answered("--env prod upgrade", answer)
      assert.equal(10, status)
      assert.matches("\nerror: not confirmed\n  state: nothing changed\n"
        .. "  try:   luamig %-%-env prod upgrade head\n", text)
    end
    assert.equal(0, (answered("--env prod upgrade", s.database.name .. "\n")))
    assert.equal("001", s:rows())
  end)

  it("of rights is none of the script", function()
    s:connect():exec("CREATE ROLE weak LOGIN")
    s:line(1)
    local url = s.url:gsub("//[^@]*@", "//weak@")
    local text = s:run({ "--url", url, "upgrade" }).stderr
    s:connect():exec("DROP ROLE weak")
    assert.matches("^error: permission denied for database ", text)
    assert.matches("try:   let the owner grant the right, then run again: luamig upgrade head\n",
      text)
  end)

  it("of a dry run that cannot commit in between names another way", function()
    s:connect():exec("CREATE TYPE mood AS ENUM ('sad')") -- a new one may be used at once since 17
    s:revision("001", nil, [[
  op.add_enum_value("mood", "ok")
  op.execute("CREATE TABLE t (m mood DEFAULT 'ok')")]])
    local text = s:run("upgrade --dry-run").stderr
    assert.matches("hint:  a dry run commits nothing, and this revision commits in between", text)
    assert.matches("try:   luamig upgrade head %-%-ephemeral\n", text)
  end)

  it("that leaves a revision half done says how to go on and how to give up", function()
    s:line(1)
    s:revision("002", "001", [[
  op.step("one", function() op.execute("CREATE TABLE a (id int)") end)
  op.execute("SELECT nope")]])
    assert.matches("try:   fix the script behind what is committed, and resume with: luamig "
      .. "upgrade head\n", s:run("upgrade").stderr)
    local text = s:run("downgrade base").stderr
    assert.matches("hint:  to give it up, undo by hand what it committed .*, then: luamig stamp "
      .. "%-%-purge 001\n", text)
    assert.matches("try:   luamig upgrade 002\n", text)
    assert.matches("give up:     undo by hand what it committed .*, then: luamig stamp %-%-purge "
      .. "001\n", s:ok("status").stdout)
    s:configure('environments = { shop = {} }')
    text = s:run("downgrade nowhere --env shop").stderr -- that is to be told first
    assert.matches("error: revision 002 is partly applied", text)
    assert.matches("%(luamig %-%-env shop status %-v shows its text%), then: luamig %-%-env shop "
      .. "stamp %-%-purge 001\n", text)
    os.remove(s.project:path("versions/002.lua"))
    assert.matches("try:         bring the file of 002 back", s:ok("status").stdout)
    s:connect():exec("DROP TABLE a")
    s:ok("stamp --purge 001")
    assert.matches("verdict:     up to date", s:ok("status").stdout)
  end)

  it("of adopting an Alembic database without its file says how to make one", function()
    s:connect():exec("CREATE TABLE public.alembic_version (version_num varchar(32) PRIMARY KEY)")
    s:connect():exec("INSERT INTO public.alembic_version VALUES ('ae1027a6acf')")
    s:configure('version_schema = "public", version_table = "alembic_version"')
    local text = s:run("upgrade").stderr
    assert.matches("try:   bring the file back, or: luamig new 'as it is' %-%-rev%-id ae1027a6acf",
      text)
    assert.matches("or: luamig new 'as it is' %-%-rev%-id ae1027a6acf\n", s:ok("status").stdout)
    s:ok({ "new", "as it is", "--rev-id", "ae1027a6acf" })
    s:ok("upgrade")
    assert.equal("ae1027a6acf (head)\n", s:ok("current").stdout)
  end)

  it("steps are told behind the revisions before them", function()
    s:line(1)
    s:revision("002", "001", '  op.step("one", function() op.execute("SELECT 1") end)')
    assert.matches("upgrade <base> %-> 001[^\n]*\n  step one\n", s:ok("upgrade -v").stderr)
  end)
end)
