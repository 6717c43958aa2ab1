-- What rebase asks the database.
local cli = require("support.cli")
local project = require("support.project")
local server = require("support.server")

describe("luamig rebase with a database", function()
  local dir, database

  before_each(function()
    dir = project.new()
    database = server.database()
    dir:write("luamig.lua", "return {}")
    dir:revision("001_base", "001")
    dir:revision("002_ours", "002", { down = '"001"' })
    dir:revision("003_theirs", "003", { down = '"001"' })
  end)

  after_each(function()
    database.drop()
    dir:remove()
  end)

  local function run(...)
    return cli.run({ ... }, { cwd = dir:path(), env = { DATABASE_URL = database.url } })
  end

  local function done(...)
    local result = run(...)
    assert.equal(0, result.status, result.stderr)
    return result.stdout
  end

  it("moves what is not applied, also when the other branch is", function()
    assert.equal("003 follows 002 now, not 001: versions/003_theirs.lua\n", done("rebase", "003"))
    dir:revision("003_theirs", "003", { down = '"001"' })
    done("upgrade", "002")
    assert.equal("003 follows 002 now, not 001: versions/003_theirs.lua\n", done("rebase", "003"))
    done("upgrade")
    assert.equal("003 (head)\n", done("current"))
  end)

  it("refuses to move what is applied", function()
    done("upgrade", "heads")
    local before = dir:read("versions/003_theirs.lua")
    local result = run("rebase", "003")
    assert.equal(10, result.status)
    assert.equal("", result.stdout)
    assert.equal("error: revision 003 is applied in the database; it cannot move\n"
      .. "  versions/003_theirs.lua\n"
      .. "  hint:  move the other branch, or join them: luamig merge\n"
      .. "  state: no file was changed\n", result.stderr)
    assert.equal(before, dir:read("versions/003_theirs.lua"))
  end)

  it("refuses when the first revision of the branch is applied, whichever is named", function()
    dir:revision("004_theirs", "004", { down = '"003"' })
    done("upgrade", "003")
    local result = run("rebase", "004")
    assert.equal(10, result.status)
    assert.matches("^error: revision 003 is applied", result.stderr)
  end)

  it("moves beside rows that no file has", function()
    dir:revision("009_gone", "009", { down = '"002"' })
    done("upgrade", "009")
    os.remove(dir:path("versions/009_gone.lua"))
    assert.equal("003 follows 002 now, not 001: versions/003_theirs.lua\n", done("rebase", "003"))
  end)

  it("puts a revision in line that slipped in below an applied one", function()
    done("rebase", "003")
    done("upgrade")
    dir:revision("002b_late", "002b", { down = '"002"' })
    dir:revision("003_theirs", "003", { down = '"002b"' })
    assert.matches("002b_late.lua counts as applied.*never run", run("upgrade").stderr)
    assert.equal("003 follows 002 now, not 002b: versions/003_theirs.lua\n"
      .. "002b follows 003 now, not 002: versions/002b_late.lua\n",
      done("rebase", "002b", "--onto", "head"))
    done("upgrade")
    assert.equal("002b (head)\n", done("current"))
    done("check")
  end)

  it("does not start an embedded server that holds nothing yet", function()
    dir:write("luamig.lua", 'return { url = "embedded" }')
    local result = cli.run({ "rebase", "003" }, { cwd = dir:path() })
    assert.equal("003 follows 002 now, not 001: versions/003_theirs.lua\n", result.stdout)
    assert.equal("", result.stderr)
    assert.same({ "luamig.lua", "versions" }, dir:list())
  end)

  it("says how to go on when the database is not there", function()
    local result = cli.run({ "rebase", "003" },
      { cwd = dir:path(), env = { DATABASE_URL = "postgresql:///x?host=/nope" } })
    assert.equal(5, result.status)
    assert.matches("%-%-offline moves it without asking the database\n", result.stderr)
    assert.matches("\n  state: no file was changed\n", result.stderr)
  end)
end)
