local cli = require("support.cli")
local core = require("luamig.core.conn")
local lfs = require("lfs")
local scene = require("support.scene")
local server = require("support.server")

describe("test-roundtrip that is stopped", function()
  local s, admin

  before_each(function()
    s = scene.new()
    admin = core.open({ url = server.url() })
    s:revision("001", nil, [[  op.execute("CREATE TABLE a (id int)")]],
      [[  print(op.scalar("SHOW data_directory"))
  op.execute("SELECT pg_sleep(60)")]])
  end)

  after_each(function()
    admin:close()
    s:close()
  end)

  local function databases()
    local rows = admin:exec("SELECT datname AS name FROM pg_database "
      .. "WHERE datname LIKE 'luamig\\_scratch\\_%'")
    return #rows
  end

  -- Waits until so many of them are asleep.
  local function start_on_server(count)
    local run = s:start({ "test-roundtrip", "--url", server.url(), "--report", "junit=out.xml" })
    cli.eventually(function()
      return admin:exec("SELECT FROM pg_stat_activity WHERE datname LIKE 'luamig\\_scratch\\_%' "
        .. "AND query = 'SELECT pg_sleep(60)'")[count]
    end, "the sleep")
    return run
  end

  it("drops its databases: SIGINT ends with 130, SIGTERM with 143", function()
    for signal, status in pairs({ INT = 130, TERM = 143 }) do
      local run = start_on_server(1)
      assert.equal(1, databases())
      run:signal(signal)
      local result = run:wait()
      assert.equal(status, result.status, result.stderr)
      assert.matches("error: interrupted (57014)\n  versions/001.lua:14  op.execute\n"
        .. "    SELECT pg_sleep(60)\n", result.stderr, 1, true)
      assert.matches("  state: nothing changed; the scratch databases are dropped\n",
        result.stderr, 1, true)
      assert.equal(0, databases())
      assert.is_nil(s.project:read("out.xml"))
    end
  end)

  it("by kill -9 leaves its databases to the next run, which drops them", function()
    local run = start_on_server(1)
    local other = start_on_server(2)
    run:signal("KILL")
    run:wait()
    assert.equal(2, databases())
    s:revision("001", nil, [[  op.execute("CREATE TABLE a (id int)")]],
      [[  op.execute("DROP TABLE a")]])
    cli.eventually(function()
      local result = s:run({ "test-roundtrip", "--url", server.url() })
      assert.equal(0, result.status)
      return result.stderr:find("INFO  dropped database luamig_scratch_%x+_1, left behind by a "
        .. "run that was killed\n")
    end, "the end of the session that held the lock")
    assert.equal(1, databases()) -- of the one that is alive
    other:signal("INT")
    other:wait()
    assert.equal(0, databases())
  end)

  it("takes its throwaway server along, also by kill -9", function()
    for _, signal in ipairs({ "INT", "KILL" }) do
      local run = s:start("test-roundtrip")
      local folder = cli.eventually(function()
        local _, err = run:output()
        return (err or ""):match("(/[^\n]+)\n")
      end, "the script's word on its server")
      assert.equal("directory", lfs.attributes(folder, "mode"))
      run:signal(signal)
      run:wait()
      cli.eventually(function()
        return not lfs.attributes(folder, "mode")
      end, "the end of " .. folder)
    end
  end)
end)

describe("test-roundtrip on a server", function()
  local s, admin

  before_each(function()
    s = scene.new()
    s:line(2)
    admin = core.open({ url = server.url() })
    admin:exec("CREATE ROLE luamig_spec_weak LOGIN")
  end)

  after_each(function()
    admin:exec("DROP ROLE luamig_spec_weak")
    admin:close()
    s:close()
  end)

  local function url_as(role)
    local url = server.url()
    return url:gsub("//[^@/]*@", "//" .. role .. "@")
  end

  it("says what right is missing", function()
    local result = s:run({ "test-roundtrip", "--url", (url_as("luamig_spec_weak")) })
    assert.equal(1, result.status)
    assert.equal("error: permission denied to create database (42501)\n"
      .. "  state: nothing changed\n"
      .. "  try:   a role with CREATEDB, or leave --url out: then a throwaway server is started\n",
      result.stderr)
  end)

  it("needs no more than CREATEDB", function()
    admin:exec("ALTER ROLE luamig_spec_weak CREATEDB")
    s:revision("003", "002", [[  op.add_column("t1", op.column("name", "text"))]], "")
    s:revision("004", "003", [[  op.add_column("t1", op.column("more", "text"))]],
      [[  op.drop_column("t1", "more")]])
    local result = s:run({ "test-roundtrip", "--url", (url_as("luamig_spec_weak")) })
    assert.equal(8, result.status, result.stderr)
    assert.matches("4 revisions tested: 3 passed, 1 failed", result.stdout, 1, true)
  end)

  it("is named by a keyword string, too; an unreachable one is told", function()
    local socket = server.url():match("host=([^&]+)"):gsub("%%2F", "/")
    local result = s:run({ "test-roundtrip", "--url", "host=" .. socket .. " user=postgres" })
    assert.equal(0, result.status, result.stderr)
    result = s:run({ "test-roundtrip", "--url", "postgresql://x@localhost:1/y" })
    assert.equal(5, result.status)
    assert.matches("^error: ", result.stderr)
  end)
end)
