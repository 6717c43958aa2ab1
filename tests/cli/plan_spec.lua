local cjson = require("cjson")
local scene = require("support.scene")

describe("luamig plan", function()
  local s

  before_each(function()
    s = scene.new()
    s:revision("001", nil, '  op.create_table("users", { op.column("id", "bigint", '
      .. '{ primary_key = true }), op.column("n", "integer") })\n'
      .. '  op.execute("INSERT INTO users SELECT generate_series(1, 1000)")',
      '  op.drop_table("users")')
    s:revision("002", "001", '  op.alter_column("users", "n", { type = "bigint" })\n'
      .. '  op.create_index("users_n", "users", { "n" }, { concurrently = true })',
      '  op.drop_index("users_n")')
    s:ok("upgrade 001")
  end)

  after_each(function()
    s:close()
  end)

  local function statements(...)
    return cjson.decode(s:ok({ "plan", "--json", ... }).stdout).revisions
  end

  it("tells lock, effect, who waits and how long, of what is pending", function()
    local out = s:ok("plan").stdout
    assert.matches("^002 revision 002  versions/002.lua\n  line  statement  +lock  +effect  "
      .. "+waits  +takes +held\n", out)
    assert.matches("\n  9  +ALTER TABLE users ALTER COLUMN n TYPE bigint  +ACCESS EXCLUSIVE on "
      .. "users  +rewrites users  +reads, writes  +seconds  +seconds\n", out)
    assert.matches("\n  10  +CREATE INDEX CONCURRENTLY users_n ON users …  +SHARE UPDATE "
      .. "EXCLUSIVE on users  +reads users  +– ", out)
    assert.equal("001", s:rows())
  end)

  it("plans from anywhere without asking the database", function()
    assert.equal(2, #statements("--from", "base"))
    assert.equal(1, #statements("--from", "base", "001"))
    assert.matches("nothing to do", s:ok("plan --from 002").stdout)
  end)

  it("takes a range, and asks no database", function()
    s.project:write("luamig.lua", 'return { url = "postgresql://nobody@127.0.0.1:1/none" }')
    assert.equal(1, #statements("001:002"))
    assert.equal(2, #statements(":"))
    assert.matches("nothing to do: it begins at 002", s:ok("plan 002:002").stdout)
    local result = s:run("plan 002:001")
    assert.equal(7, result.status)
    assert.matches("the older end comes first: 001:002", result.stderr)
    assert.matches("%-%-from and FROM:TO say the same", s:run("plan 001:002 --from 001").stderr)
    result = s:run("plan nowhere") -- told before the database is asked
    assert.equal(7, result.status)
    assert.matches("Can't locate revision identified by 'nowhere'", result.stderr)
    assert.matches("there is no folder '/nowhere'", s:run("plan --html /nowhere/x.html").stderr)
  end)

  it("shows views, batches, what goes along, and the lines of other files", function()
    s:revision("003", "002", '  op.create_view("seen", "SELECT id FROM users")\n'
      .. '  op.execute("CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS '
      .. "'BEGIN RETURN NEW; END'\")\n"
      .. '  op.execute("CREATE TRIGGER t BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION '
      .. 'f()")')
    s:revision("004", "003", '  op.drop_view("seen")\n'
      .. '  op.drop_function("f", {}, { cascade = true })\n'
      .. '  op.batch_execute("fill", { table = "users", set = { n = 1 }, remaining = "n <> 1" })\n'
      .. '  op.execute_file("four.sql")')
    s.project:write("versions/four.sql", "-- first\nUPDATE users SET n = 2;\n\n"
      .. "ALTER TABLE users RENAME TO people;\nLOCK TABLE people;\n")
    local list = statements("003:004")[1].statements
    assert.same({ "seen", "ACCESS EXCLUSIVE" }, { list[1].locks[1].table, list[1].locks[1].mode })
    assert.same({ "seen" }, list[1].drops)
    assert.same({ "function public.f()", "trigger t on public.users" }, list[2].drops)
    assert.equal("users", list[3].batches)
    assert.same({ 12, 2 }, { list[4].line, list[4].script.line })
    assert.matches("four.sql$", list[4].script.file)
    assert.equal(4, list[5].script.line)
    assert.equal("users", list[5].locks[1].table) -- it has that name when it is renamed
    local out = s:ok("plan 003:004").stdout
    assert.matches("\n  11 +batch_execute fill +– +rows of users, in batches  +– +minutes", out)
    assert.matches("\n  12 four.sql:2 +UPDATE users SET n = 2 ", out)
    s:ok("plan 003:004 --html plan.html")
    assert.matches("<td>12 four.sql:2</td>", s.project:read("plan.html"))
  end)

  it("scales durations to the sizes of production", function()
    s:ok("plan --export-stats stats.json")
    local sizes = cjson.decode(s.project:read("stats.json"))
    assert.is_true(sizes.tables["public.users"].bytes > 0)
    assert.is_nil(sizes.tables["pg_catalog.pg_class"])
    assert.equal("instant", statements("--stats", "stats.json")[1].statements[1].duration)
    sizes.tables["public.users"] = { rows = 5e9, pages = 1, bytes = 5e11, index_bytes = 1e11 }
    s.project:write("big.json", cjson.encode(sizes))
    local revision = statements("--stats", "big.json")[1]
    assert.equal("hours", revision.statements[1].duration)
    assert.is_true(revision.statements[1].locks[1].blocks_reads)
    assert.equal("known", revision.statements[2].source)
  end)

  it("makes one page that needs nothing else", function()
    s:ok("plan --html plan.html")
    local page = s.project:read("plan.html")
    assert.matches("<!doctype html>", page)
    assert.matches("ALTER TABLE users ALTER COLUMN n TYPE bigint", page)
    assert.is_nil(page:find("https?://"))
  end)

  it("refuses a file that is none of sizes", function()
    s.project:write("bad.json", "{}")
    local result = s:run("plan --stats bad.json")
    assert.equal(2, result.status)
    assert.matches("the file 'bad.json' is no file of sizes: it does not begin as one of luamig's",
      result.stderr)
    assert.matches("it is not there", s:run("plan --stats none.json").stderr)
  end)

  it("says what does not run", function()
    s:revision("003", "002", '  op.drop_table("nothing")')
    local result = s:run("plan")
    assert.equal(1, result.status)
    assert.matches('does not run: .*table "nothing" does not exist', result.stdout)
  end)
end)

describe("--dry-run --trace", function()
  local s

  before_each(function()
    s = scene.new()
    s:revision("001", nil, '  op.create_table("users", { op.column("id", "bigint"), '
      .. 'op.column("n", "integer") })', '  op.drop_table("users")')
    s:revision("002", "001", '  op.alter_column("users", "n", { type = "bigint" })\n'
      .. '  op.execute("UPDATE users SET n = 1")', '  op.execute("SELECT 1")')
    s:ok("upgrade 001")
    s:list("INSERT INTO users SELECT generate_series(1, 3) RETURNING 1")
  end)

  after_each(function()
    s:close()
  end)

  it("measures on the database itself, and leaves it as it was", function()
    local result = s:ok("upgrade --dry-run --trace --json")
    local list = cjson.decode(result.stdout).revisions[1].statements
    assert.equal(9, list[1].line)
    assert.same({ "users" }, list[1].rewrites)
    assert.equal("ACCESS EXCLUSIVE", list[1].locks[1].mode)
    assert.equal(3, list[2].rows[1].updated)
    assert.equal("001", s:rows())
    assert.equal("integer", s:list([[SELECT format_type(atttypid, NULL) FROM pg_attribute
      WHERE attrelid = 'users'::regclass AND attname = 'n']]))
    local out = s:ok("upgrade --dry-run --trace").stdout
    assert.matches("rewrites users .* ms", out)
    assert.matches("reads 3 rows of users", out)
    assert.same({ { table = "users", scans = 1, tuples = 3 } }, list[2].scans)
  end)

  it("goes down too, and not without --dry-run", function()
    local out = s:ok("downgrade base --dry-run --trace --json").stdout
    local revision = cjson.decode(out).revisions[1]
    assert.equal("downgrade", revision.direction)
    assert.same({ "users" }, revision.statements[1].drops)
    local result = s:run("upgrade --trace")
    assert.equal(2, result.status)
    assert.matches("error: %-%-trace goes with %-%-dry%-run", result.stderr)
  end)
end)

describe("a protected environment", function()
  local s

  before_each(function()
    s = scene.new()
    s:configure(("environments = { production = { url = %q, protected = true } }"):format(s.url))
    s:revision("001", nil, '  op.create_table("users", { op.column("id", "bigint"), '
      .. 'op.column("n", "integer") })', '  op.drop_table("users")')
    s:revision("002", "001", '  op.create_index("users_n", "users", { "n" })',
      '  op.drop_index("users_n")')
  end)

  after_each(function()
    s:close()
  end)

  it("refuses what lint calls an error, unless it is allowed", function()
    s:ok("--env production upgrade 001 --yes")
    local result = s:run("--env production upgrade --yes")
    assert.equal(10, result.status)
    assert.matches("error: environment 'production' is protected, and what one statement does is "
      .. "dangerous\n  versions/002.lua:9\n", result.stderr)
    assert.matches("LOCK001  index users_n is built under SHARE on users", result.stderr)
    assert.matches("try:   luamig %-%-env production upgrade head %-%-allow LOCK001", result.stderr)
    assert.equal("001", s:rows())
    s:ok("--env production upgrade --yes --allow LOCK001")
    assert.equal("002", s:rows())
  end)

  it("knows no rule of another name", function()
    local result = s:run("--env production upgrade --yes --allow LOKC001")
    assert.equal(2, result.status)
    assert.matches("%-%-allow: there is no rule 'LOKC001'.*did you mean LOCK001%?", result.stderr)
    assert.equal(2, s:run("upgrade --allow LOKC001").status) -- in any environment
  end)

  it("goes on with a warning where there is no PostgreSQL to judge by", function()
    local result = s:ok("--env production upgrade --yes", { env = { LUAMIG_PGBIN = "/nowhere" } })
    assert.matches("WARN  the revisions are not judged: there is no PostgreSQL", result.stderr)
    assert.equal("002", s:rows())
  end)

  it("is never touched by what is measured", function()
    s:revision("001", nil, '  op.create_table("users", { op.column("id", "bigint", '
      .. '{ primary_key = true }), op.column("n", "integer") })', '  op.drop_table("users")')
    s:revision("002", "001", '  op.batch_execute("fill", { table = "users", set = { n = '
      .. 'op.sql("1") }, remaining = "n IS NULL" })\n  op.backfill("later", { table = "users", '
      .. 'set = { n = op.sql("2") }, remaining = "n = 1" })')
    s:revision("003", "002", '  op.require_backfill("later")')
    s:ok("upgrade 001")
    s:list("INSERT INTO users (id) SELECT generate_series(1, 3) RETURNING 1")
    assert.equal("nothing found in 2 revisions\n", s:ok("lint --since 001 --compat off").stdout)
    s:ok("plan")
    assert.equal("001", s:rows())
    assert.equal("3", s:list("SELECT count(*) FROM users WHERE n IS NULL"))
    assert.is_false(s:has("luamig.backfill"))
  end)
end)

describe("luamig help", function()
  local cli = require("support.cli")

  it("has a page for every rule, and one for all", function()
    local index = cli.run({ "help", "lint" }, { cwd = "/" }).stdout
    for _, rule in ipairs(require("luamig.lint.registry").rules()) do
      assert(index:find(rule.id, 1, true), rule.id)
    end
    assert.matches("ACCESS EXCLUSIVE, reads and writes wait", index)
    local page = cli.run({ "help", "lock001" }, { cwd = "/" }).stdout
    assert.matches("^LOCK001  an index is built while writes wait\nerror, PostgreSQL 14 and "
      .. "newer\n",
      page)
    assert.matches('\n  op.create_index%("users_email", "users", { "email" }, { concurrently = '
      .. 'true }%)',
      page)
    assert.matches("there is no help on 'LOCK999'", cli.run({ "help", "LOCK999" },
      { cwd = "/" }).stderr)
    assert.matches("luamig help LOCK001", cli.run({ "help", "lokc001" }, { cwd = "/" }).stderr)
  end)
end)
