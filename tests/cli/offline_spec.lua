local scene = require("support.scene")
local server = require("support.server")

describe("--sql", function()
  local s

  before_each(function()
    s = scene.new()
  end)

  after_each(function()
    s:close()
  end)

  local function psql(text)
    return s:run({ "-X", "-q", "-v", "VERBOSITY=terse", "-d", s.url },
      { program = "psql", stdin = text })
  end

  local function dump()
    local result = s:run({ "--no-owner", "--exclude-schema=luamig", "-d", s.url },
      { program = "pg_dump" })
    assert.equal(0, result.status, result.stderr)
    return (result.stdout:gsub("\\%a*restrict [^\n]*", ""))
  end

  local body = [[
  op.create_table("t", { op.column("id", "integer"), op.column("name", "text") })
  op.execute("INSERT INTO t VALUES ($1, $2)", { 1, "it's; \\ $1" })
  op.bulk_insert("t", { { id = 2, name = "tab\t" }, { id = 3 } })
  op.create_enum("mood", { "sad" })
  op.add_enum_value("mood", "glad")
  op.execute("ALTER TABLE t ADD COLUMN m mood DEFAULT 'glad'")
  op.create_index("t_id", "t", { "id" }, { concurrently = true })
  op.step("more", function() op.execute("INSERT INTO t VALUES (4)") end)
  op.savepoint(function() op.execute("INSERT INTO t VALUES (5)") end)]]

  it("prints what psql runs with the same effect, version rows and history included", function()
    if server.dump_defect() then
      pending(server.dump_defect())
    end
    s:line(2)
    s:revision("003", "002", body, '  op.drop_table("t")\n  op.drop_type("mood")')
    s:ok("upgrade")
    local online = dump()
    s:ok("downgrade base --yes")
    local result = psql(s:ok("upgrade --sql current:head").stdout)
    assert.equal("", result.stderr)
    assert.equal(0, result.status)
    assert.equal(online, dump())
    assert.equal("003", s:rows())
    assert.equal("003,002,001", s:list("SELECT revision FROM luamig.history WHERE direction = "
      .. "'upgrade' ORDER BY id DESC LIMIT 3"))
    s:ok("check")
    result = psql(s:ok("downgrade --sql 003:base").stdout)
    assert.equal("", result.stderr)
    assert.equal("", s:rows())
    assert.is_false(s:has("t1"))
  end)

  it("prints nothing of its own in psql, and no way round", function()
    s:line(2)
    assert.equal("", psql(s:ok("upgrade --sql").stdout).stdout)
    assert.equal("", psql(s:ok("downgrade --sql 002:001").stdout).stdout)
    assert.equal("", psql(s:ok("stamp --sql 001:002").stdout).stdout)
    assert.equal("002", s:rows())
    local result = s:run("upgrade --sql head:base")
    assert.equal(2, result.status)
    assert.equal("", result.stdout)
    assert.equal("error: there is nothing to upgrade from head to base: that is the way down\n"
      .. "  state: nothing was printed\n  try:   luamig downgrade head:base --sql\n", result.stderr)
    assert.equal(7, s:run("downgrade --sql 001:002").status)
    s:ok("upgrade --sql 002:002")
    assert.matches("^error: '%-%-sql' prints and '%-%-dry%-run' runs: one of them\n",
      s:run("upgrade --sql --dry-run").stderr)
  end)

  it("begins at base when nothing else is said, on an empty database", function()
    s:line(2)
    assert.equal("", psql(s:ok("upgrade --sql").stdout).stderr)
    assert.equal("002", s:rows())
  end)

  it("does nothing to a database that is somewhere else", function()
    s:line(3)
    local text = s:ok("upgrade 002:003 --sql").stdout
    s:ok("upgrade 001")
    local result = psql(text)
    assert.equal(3, result.status)
    assert.matches("this script begins at 002, the database is at 001", result.stderr)
    assert.equal("001", s:rows())
    assert.is_false(s:has("t3"))
  end)

  it("has the role and the search_path of the config also outside of transactions", function()
    local admin = s:connect()
    admin:exec("CREATE ROLE offline_spec_owner")
    admin:exec("CREATE SCHEMA app AUTHORIZATION offline_spec_owner")
    admin:exec("GRANT CREATE ON DATABASE " .. admin:info().database .. " TO offline_spec_owner")
    s:configure('role = "offline_spec_owner", search_path = "app", statement_timeout = "1min"')
    s:revision("001", nil, [[
  op.create_table("t", { op.column("id", "integer") })
  op.create_index("t_id", "t", { "id" }, { concurrently = true })
  op.execute("VACUUM t")]])
    local result = psql(s:ok("upgrade --sql").stdout
      .. "\nSHOW search_path;\nSELECT current_user;\n")
    assert.equal("", result.stderr)
    assert.matches('"$user", public.*postgres', result.stdout) -- as it was before
    local owners = s:list("SELECT DISTINCT pg_get_userbyid(relowner) FROM pg_class "
      .. "WHERE relnamespace IN ('app'::regnamespace, 'luamig'::regnamespace)")
    assert.equal("true",
      s:list("SELECT indisvalid FROM pg_index WHERE indrelid = 'app.t'::regclass"))
    s:ok("check")
    admin:exec("DROP OWNED BY offline_spec_owner CASCADE")
    admin:exec("DROP ROLE offline_spec_owner")
    assert.equal("offline_spec_owner", owners)
  end)

  it("prints nothing unless all of the script could be made", function()
    s:line(1)
    s:revision("002", "001", '  op.query("SELECT 1")')
    local result = s:run("upgrade --sql")
    assert.equal(1, result.status)
    assert.equal("", result.stdout)
    assert.matches("error: line 9 reads from the database, which %-%-sql does not have\n"
      .. "  versions/002.lua:9  op.query", result.stderr)
    assert.matches("state: nothing was printed\n", result.stderr)
    s:revision("002", "001", '  op.bulk_insert("t1", { { id = {} } })')
    result = s:run("upgrade --sql")
    assert.equal("", result.stdout)
    assert.matches("versions/002.lua:9  op.bulk_insert.*state: nothing was printed\n",
      result.stderr)
  end)

  it("of a downgrade needs both ends", function()
    s:line(1)
    local result = s:run("downgrade base --sql")
    assert.equal(2, result.status)
    assert.matches("downgrade with %-%-sql requires <fromrev>:<torev>", result.stderr)
  end)

  it("of stamp sets the rows", function()
    s:line(2)
    assert.equal("", psql(s:ok("stamp 002 --sql").stdout).stderr)
    assert.equal("002", s:rows())
    assert.is_false(s:has("t1"))
  end)

  it("leaves text as it is: colons, percent signs, tabs, dollar signs", function()
    s:revision("001", nil, [==[
  op.execute("CREATE TABLE c (v text)")
  op.execute([[INSERT INTO c VALUES (':foo %s	:''bar'' $1')]])]==])
    s:ok("upgrade")
    local online = s:list("SELECT v FROM c")
    s:ok("downgrade base --yes")
    s:connect():exec("DROP TABLE c")
    assert.equal("", psql(s:ok("upgrade --sql").stdout).stderr)
    assert.equal(":foo %s\t:'bar' $1", online)
    assert.equal(online, s:list("SELECT v FROM c"))
  end)
end)
