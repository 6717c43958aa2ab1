-- What a script prints, in commands that run it several times only to see what it does.

local cjson = require("cjson")
local cli = require("support.cli")
local project = require("support.project")

describe("what a script prints", function()
  local p

  local function write(id, parent, up)
    p:write(("versions/%s.lua"):format(id), ([[
revision = "%s"
down_revision = %s
function upgrade()
%s
end
function downgrade()
  print("going down %s")
  op.drop_table("t%s")
end
]]):format(id, parent and ("%q"):format(parent) or "nil", up, id, id))
  end

  local function run(command, ...)
    return cli.run({ command, ... }, { cwd = p:path() })
  end

  before_each(function()
    p = project.new()
    p:write("luamig.lua", 'return { url = "embedded", target = "schema.lua" }\n')
    p:write("schema.lua", 'print("the schema")\nop.create_table("t1", { op.column("id", '
      .. '"bigint") })\n')
    write("1", nil, '  print("going up 1")\n  op.create_table("t1", { op.column("id", "bigint") })')
    write("2", "1", '  print("going", "up 2")\n  op.create_table("t2", { op.column("id", "bigint") '
      .. '})')
  end)

  after_each(function()
    p:remove()
  end)

  it("is shown once, on stderr, and never in a result", function()
    local up, down = "going up 1\ngoing\tup 2\n", "going down "
    local result = run("lint")
    assert.equal("nothing found in 2 revisions\n", result.stdout)
    assert.equal("going up 1\ngoing down 1\ngoing\tup 2\ngoing down 2\n", result.stderr)
    result = run("plan", "--from", "base", "--json")
    assert.equal(2, #cjson.decode(result.stdout).revisions)
    assert.equal('{"level":"print","message":"going up 1"}\n'
      .. '{"level":"print","message":"going\\tup 2"}\n', result.stderr)
    result = run("diff", "schema.lua", "2")
    assert.equal(3, result.status)
    assert.is_nil(result.stdout:find("going", 1, true))
    assert.equal("the schema\n" .. up, result.stderr)
    result = run("test-roundtrip")
    assert.equal(0, result.status)
    assert.is_nil(result.stdout:find("going", 1, true))
    for _, line in ipairs({ "going up 1\n", "going\tup 2\n", down .. "1\n", down .. "2\n" }) do
      assert.equal(1, select(2, result.stderr:gsub(line, "")), line)
    end
  end)

  it("does not get into reports", function()
    for _, format in ipairs({ "sarif", "json" }) do
      cjson.decode(run("lint", "--report", format).stdout)
    end
    assert.matches("^<%?xml", run("lint", "--report", "junit").stdout)
    assert.equal("", run("lint", "--report", "github").stdout)
    assert.matches("^<%?xml", run("test-roundtrip", "--report", "junit").stdout)
    assert.matches("^TAP version", run("test-roundtrip", "--report", "tap").stdout)
    for line in run("test-roundtrip", "--report", "json").stdout:gmatch("[^\n]+") do
      cjson.decode(line)
    end
  end)

  it("does not flood: twenty lines, the others with -v, none with -q", function()
    write("1", nil, '  for i = 1, 50 do print("line " .. i) end\n'
      .. '  op.create_table("t1", { op.column("id", "bigint") })')
    local function lines(...)
      local _, count = run("lint", ...).stderr:gsub("line %d+\n", "")
      return count
    end
    assert.equal(20, lines())
    assert.matches("the scripts print more lines than these: %-v shows all", run("lint").stderr)
    assert.equal(50, lines("-v"))
    assert.equal(0, lines("-q"))
  end)

  it("is all shown where the script runs once", function()
    local server = require("support.server")
    local database <close> = server.database()
    write("1", nil, '  print("twice")\n  print("twice")\n  op.create_table("t1", '
      .. '{ op.column("id", "bigint") })')
    p:write("luamig.lua", ('return { environments = { prod = { url = %q, protected = true } } }\n')
      :format(database.url))
    local result = run("--env", "prod", "upgrade", "1", "--yes")
    assert.equal(0, result.status)
    local _, count = result.stderr:gsub("twice\n", "")
    assert.equal(2, count)
  end)
end)
