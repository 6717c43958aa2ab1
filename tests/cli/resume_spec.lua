local scene = require("support.scene")

-- A revision that commits several times. `marks` counts how often each part was done.
local parts = [[
  op.execute("CREATE TABLE marks (part text)")
  op.step("one", function()
    op.execute("INSERT INTO marks VALUES ('one')")
    local n = op.scalar("SELECT count(*) FROM marks")
    op.execute("INSERT INTO marks VALUES ('saw ' || $1)", { tostring(n) })
  end)
  op.execute("VACUUM marks")
  op.autocommit(function()
    op.execute("INSERT INTO marks VALUES ('two')")
    op.execute("INSERT INTO marks VALUES ('three')")
  end)
  op.execute("INSERT INTO marks VALUES ('four')")]]

local all_marks = "one,saw 1,two,three,four"

describe("a revision of several parts", function()
  local s

  before_each(function()
    s = scene.new()
  end)

  after_each(function()
    s:close()
  end)

  local function marks()
    return s:list("SELECT part FROM marks ORDER BY ctid")
  end

  it("does each part once and leaves no journal", function()
    s:revision("001", nil, parts)
    s:ok("upgrade")
    assert.equal(all_marks, marks())
    assert.equal("0", s:list("SELECT count(*) FROM luamig.journal"))
  end)

  it("resumes after the last committed part", function()
    s:revision("001", nil, parts .. '\n  op.execute("SELECT * FROM nowhere")')
    local result = s:run("upgrade")
    assert.equal(11, result.status)
    assert.matches("revision 001 is partly applied", result.stderr)
    assert.matches("resume with: luamig upgrade head", result.stderr)
    assert.equal("one,saw 1,two,three", marks())
    assert.equal("", s:rows())
    assert.matches("unfinished:  upgrade of 001, 5 parts committed", s:ok("status").stdout)
    s:revision("001", nil, parts)
    s:ok("upgrade")
    assert.equal(all_marks, marks())
    assert.equal("0", s:list("SELECT count(*) FROM luamig.journal"))
  end)

  it("stops when the committed part of the file was edited, and says where", function()
    s:revision("001", nil, parts .. '\n  op.execute("SELECT * FROM nowhere")')
    s:run("upgrade")
    s:revision("001", nil, (parts:gsub("'two'", "'2'")))
    local result = s:run("upgrade")
    assert.equal(6, result.status)
    assert.matches("this statement is not the one that was committed in its place", result.stderr)
    assert.matches("versions/001.lua:17", result.stderr)
    assert.equal("one,saw 1,two,three", marks())
  end)

  it("stops when statements were taken out of a committed part", function()
    s:revision("001", nil, parts .. '\n  op.execute("SELECT * FROM nowhere")')
    s:run("upgrade")
    local fewer = parts:gsub("    op.execute%(\"INSERT INTO marks VALUES %('saw.-\n", "")
    s:revision("001", nil, fewer)
    local result = s:run("upgrade")
    assert.equal(6, result.status)
    assert.matches("fewer statements than were committed in part 2", result.stderr)
  end)

  it("leaves no journal when the file has no parts any more", function()
    s:revision("001", nil, [[
  op.step("one", function() op.execute("CREATE TABLE t (id int)") end)
  op.execute("SELECT * FROM nowhere")]])
    assert.equal(11, s:run("upgrade").status)
    s:revision("001", nil, '  op.execute("CREATE TABLE t (id int)")',
      '  op.execute("DROP TABLE t")')
    s:ok("upgrade")
    assert.equal("0", s:list("SELECT count(*) FROM luamig.journal"))
    s:ok("downgrade base")
  end)

  it("lets nothing else run before it is finished", function()
    s:revision("001", nil, '  op.execute("CREATE TABLE t1 (id int)")',
      '  op.execute("DROP TABLE t1")')
    s:revision("002", "001", parts .. '\n  op.execute("SELECT * FROM nowhere")')
    s:run("upgrade")
    local result = s:run("downgrade base --yes")
    assert.equal(11, result.status)
    assert.matches("revision 002 is partly applied: it has to be finished first", result.stderr)
    assert.matches("luamig upgrade 002", result.stderr)
    assert.equal(11, s:run("stamp base").status)
    assert.equal("001", s:rows())
  end)

  local validity = "SELECT indisvalid FROM pg_index WHERE indrelid = 't'::regclass"
  local concurrent = '  op.create_index("t_id", "t", { "id" }, '
    .. "{ unique = true, concurrently = true })"
  local one = '  op.step("one", function() op.execute("CREATE TABLE u (id int)") end)\n'

  it("builds an index that an earlier try left invalid anew", function()
    s:revision("001", nil, '  op.execute("CREATE TABLE t (id int)")')
    s:revision("002", "001", concurrent)
    s:ok("upgrade 001")
    s:connect():exec("INSERT INTO t VALUES (1), (1)")
    pcall(s:connect().exec, s:connect(), "CREATE UNIQUE INDEX CONCURRENTLY t_id ON t (id)")
    assert.equal("false", s:list(validity))
    s:connect():exec("TRUNCATE t")
    local result = s:ok("upgrade")
    assert.matches("index public.t_id was left invalid by an earlier try", result.stderr)
    assert.equal("true", s:list(validity))
  end)

  it("keeps nothing of a statement that the server refused: another may take its place", function()
    s:revision("001", nil, '  op.execute("CREATE TABLE t (id int)")')
    s:revision("002", "001", concurrent)
    s:ok("upgrade 001")
    s:connect():exec("INSERT INTO t VALUES (1), (1)")
    local result = s:run("upgrade")
    assert.equal(1, result.status)
    assert.matches("23505", result.stderr)
    assert.matches("state: nothing changed; revision 002 rolled back, database is at 001",
      result.stderr)
    assert.equal("", s:list(validity)) -- nor the index, which would slow every write
    assert.equal("0", s:list("SELECT count(*) FROM luamig.journal"))
    s:revision("002", "001", one .. concurrent)
    result = s:run("upgrade")
    assert.equal(11, result.status)
    assert.matches("unfinished:  upgrade of 002, 1 part committed\n", s:ok("status").stdout)
    s:revision("002", "001", one .. concurrent:gsub("unique = true, ", ""))
    s:ok("upgrade")
    assert.equal("true", s:list(validity))
    assert.equal("0", s:list("SELECT count(*) FROM luamig.journal"))
  end)

  it("is not misled by pcall around a block that commits", function()
    s:revision("001", nil, [[
  pcall(op.autocommit, function() error("away") end)
  op.execute("CREATE TABLE t (id int)")
  op.execute("SELECT nope")]])
    local result = s:run("upgrade")
    assert.equal(1, result.status)
    assert.matches("nothing changed; revision 001 rolled back", result.stderr)
    assert.is_false(s:has("t"))
  end)

  it("lets a statement that was stopped midway be followed by no other", function()
    s:revision("001", nil, '  op.execute("CREATE TABLE t (id int)")')
    s:revision("002", "001", concurrent)
    s:ok("upgrade 001")
    local other <close> = require("luamig.core.conn").open({ url = s.url })
    other:exec("BEGIN")
    other:exec("INSERT INTO t VALUES (1)")
    local process = s:start("upgrade")
    s:running("CREATE UNIQUE INDEX CONCURRENTLY%")
    process:signal("KILL")
    process:wait()
    s:connect():exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
      .. "WHERE query LIKE 'CREATE UNIQUE INDEX CONCURRENTLY%'")
    other:exec("COMMIT")
    s:revision("002", "001", (concurrent:gsub("t_id", "t_ident")))
    local result = s:run("upgrade")
    assert.equal(6, result.status)
    assert.matches("this statement is not the one that was begun in its place", result.stderr)
    assert.matches("hint:  how to give the revision up instead is told by: luamig status",
      result.stderr)
    s:revision("002", "001", concurrent)
    s:ok("upgrade")
    assert.equal("true", s:list(validity))
  end)

  it("commits before a value of an enum is used", function()
    s:revision("001", nil, [[
  op.create_enum("mood", { "sad" })
  op.execute("CREATE TABLE t (m mood)")
  op.add_enum_value("mood", "glad")
  op.execute("INSERT INTO t VALUES ('glad')")]])
    s:ok("upgrade")
    assert.equal("glad", s:list("SELECT m FROM t"))
  end)

  it("keeps the results of committed queries as they were", function()
    s:revision("001", nil, [[
  op.execute("CREATE TABLE seen (what text)")
  local row
  op.step("read", function()
    row = op.query_one("SELECT 1 AS i, 1.5::float8 AS f, true AS b, NULL AS n, 'ü' AS t,"
      .. " '\\xff00'::bytea AS y, ARRAY[1,NULL,3] AS a, clock_timestamp()::text AS at")
    op.execute("INSERT INTO seen VALUES ($1)", { row.at })
  end)
  op.execute("INSERT INTO seen VALUES ($1)", { table.concat({ math.type(row.i), row.f,
    tostring(row.b), tostring(row.n), row.t, #row.y, row.a[3], tostring(row.a[2] == op.null) },
    " ") })
  op.execute("INSERT INTO seen VALUES ($1)", { row.at })
  op.execute("SELECT * FROM nowhere")]])
    assert.equal(11, s:run("upgrade").status)
    local text = s.project:read("versions/001.lua")
    s.project:write("versions/001.lua", (text:gsub('  op.execute%("SELECT %* FROM nowhere"%)', "")))
    s:ok("upgrade")
    local seen = s:connect():exec("SELECT what FROM seen ORDER BY ctid")
    assert.equal(3, #seen)
    assert.equal("integer 1.5 true nil ü 2 3 true", seen[2].what)
    assert.equal(seen[1].what, seen[3].what)
  end)

  it("is resumed after kill -9 between any two parts", function()
    s:revision("001", nil, (parts:gsub('op.execute%("VACUUM marks"%)', [[
op.execute("VACUUM marks")
  if op.context.x.wait then op.query("SELECT pg_sleep(60)") end]])))
    local process = s:start("upgrade -x wait=1")
    s:running("%pg_sleep%")
    process:signal("KILL")
    assert.equal(137, process:wait().status)
    s:connect():exec("SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
      .. "WHERE query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()")
    assert.equal("one,saw 1", marks())
    s:ok("upgrade")
    assert.equal(all_marks, marks())
  end)
end)
