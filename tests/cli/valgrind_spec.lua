-- The binary under valgrind: no invalid access, no use of what was never set, nothing lost: in it,
-- and in the libraries that are built without sanitizers.

local scene = require("support.scene")

local is_sanitized = (os.getenv("LUAMIG") or ""):find("/asan/", 1, true) ~= nil

describe("under valgrind", function()
  local s

  before_each(function()
    s = scene.new()
  end)

  after_each(function()
    s:close()
  end)

  -- Runs a command line and returns its exit status as valgrind passes it on; 99 stands for what
  -- valgrind has found.
  local function run(words)
    local list = { "--quiet", "--error-exitcode=99", "--leak-check=full",
      "--errors-for-leak-kinds=definite", "--show-leak-kinds=definite", os.getenv("LUAMIG") }
    for word in words:gmatch("%S+") do
      list[#list + 1] = word
    end
    local result = s:run(list, { program = "valgrind" })
    assert.not_equal(99, result.status, words .. "\n" .. result.stderr)
    assert.is_nil(result.stderr:find("==%d+==", 1), words .. "\n" .. result.stderr)
    return result
  end

  local function check(what, fn)
    it(what, function()
      if is_sanitized then
        pending("valgrind cannot run what is built with a sanitizer")
        return
      end
      fn()
    end)
  end

  check("upgrade, current, status and downgrade are clean", function()
    s:line(10)
    s:revision("011", "010", [[
  op.create_table("t11", { op.column("id", "integer", { primary_key = true }),
    op.column("data", "jsonb") })
  op.bulk_insert("t11", { { id = 1, data = { a = { 1, 2 } } } })
  for _, row in ipairs(op.query("SELECT id, data, ARRAY[1, 2] AS list, '\\x00ff'::bytea AS bytes "
    .. "FROM t11")) do
    op.execute("INSERT INTO t11 VALUES ($1)", { row.id + 1 })
  end
  pcall(op.savepoint, function() op.execute("INSERT INTO t11 VALUES (1)") end)
  op.step("two", function() op.execute("INSERT INTO t11 VALUES (5)") end)
  op.create_index("t11_data", "t11", { "data" }, { using = "gin", concurrently = true })
  op.execute("DO $$ BEGIN RAISE NOTICE 'seen'; END $$; SELECT 1")]],
      '  op.drop_table("t11")')
    assert.equal(0, run("upgrade").status)
    assert.equal("011", s:rows())
    assert.equal("011 (head)\n", run("current").stdout)
    assert.equal(0, run("status --json").status)
    assert.equal(0, run("history -v").status)
    assert.equal(0, run("downgrade 005 --yes").status)
    assert.equal("005", s:rows())
  end)

  check("errors are clean: of the server, of Lua, of a lost connection, of a target", function()
    s:line(10)
    s:revision("011", "010", '  op.execute("SELECT * FROM nowhere")')
    assert.equal(1, run("upgrade").status)
    assert.equal("010", s:rows())
    s:revision("011", "010", "  local t\n  print(t.x)")
    assert.equal(9, run("upgrade --json").status)
    s:revision("011", "010", [[
  op.execute("CREATE TABLE t11 (id int)")
  op.execute("SELECT pg_terminate_backend(pg_backend_pid())")
  op.execute("SELECT 1")]])
    assert.equal(5, run("upgrade").status)
    assert.equal("010", s:rows())
    assert.equal(7, run("upgrade nowhere").status)
    assert.equal(5, run("upgrade --url postgresql://u:p@127.0.0.1:1/x").status)
    assert.equal(2, run("upgrade --url postgresql://u:p@x@y/x").status)
  end)
end)
