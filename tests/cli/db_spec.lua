local cli = require("support.cli")
local lfs = require("lfs")
local machine = require("support.machine")
local process = require("support.process")
local project = require("support.project")

describe("luamig db", function()
  local dir

  before_each(function()
    dir = project.new()
    dir:remove()
    dir.root = machine.folder()
    dir:write("luamig.lua", 'return { url = os.getenv("DATABASE_URL") or "embedded" }')
  end)

  after_each(function()
    cli.run({ "db", "stop" }, { cwd = dir:path() })
    dir:remove()
  end)

  local function run(args, options)
    options = options or {}
    options.cwd = dir:path()
    return cli.run(args, options)
  end

  local function data()
    return dir:path(".luamig/pg")
  end

  it("starts, tells, and stops the server", function()
    local before = run({ "db", "status" })
    assert.equal("server    not there yet; luamig db start makes it\n", before.stdout)

    local started = run({ "db", "start" })
    assert.equal(0, started.status)
    assert.matches("^postgresql://postgres@:5432/postgres%?host=/%S+\n$", started.stdout)
    assert.equal(("INFO  created an embedded PostgreSQL %s in %s\n"):format(
      dir:read(".luamig/pg/PG_VERSION"):match("%d+"), data()), started.stderr)
    assert.same({ started.stdout, "" }, { run({ "db", "start" }).stdout,
      run({ "db", "url" }).stderr })

    local status = run({ "db", "status" }).stdout
    assert.matches("^server    running, PostgreSQL %d+%.%d+[^\n]*, pid %d+\n", status)
    assert.matches(("\ndata      %s (%%d+ MB)\n"):format(data()):gsub("[%-.]", "%%%0")
      :gsub("%((.-)%)\n$", "%%(%1%%)\n"), status)
    assert.matches("\nsessions  0\n", status, 1, true)
    assert.matches("\nurl       " .. started.stdout, status, 1, true)

    assert.equal("stopped\n", run({ "db", "stop" }).stdout)
    assert.equal("was not running\n", run({ "db", "stop" }).stdout)
    assert.matches("^server    stopped, PostgreSQL %d+\n", run({ "db", "status" }).stdout)
  end)

  it("speaks JSON", function()
    local cjson = require("cjson")
    local started = cjson.decode(run({ "db", "start", "--json" }).stdout)
    assert.is_true(started.started)
    assert.equal(data(), started.data)
    local status = cjson.decode(run({ "--json", "db", "status" }).stdout)
    assert.equal(started.pid, status.pid)
    assert.equal(started.url, status.url)
    assert.equal(0, status.sessions)
    assert.same({ url = started.url }, cjson.decode(run({ "db", "url", "--json" }).stdout))
    assert.same({ stopped = true }, cjson.decode(run({ "db", "stop", "--json" }).stdout))
    assert.is_false(cjson.decode(run({ "db", "status", "--json" }).stdout).running)
  end)

  it("keeps the folder out of git", function()
    run({ "db", "start" })
    assert.equal("*\n", dir:read(".luamig/.gitignore"))
  end)

  it("prints a URL without its password", function()
    local function url(text)
      return run({ "db", "url" }, { env = { DATABASE_URL = text } }).stdout
    end
    assert.equal("postgresql://u@h/d\n", url("postgresql://u:pw@h/d"))
    assert.equal("postgresql://u@h/d?sslmode=require\n",
      url("postgresql+asyncpg://u:pw@h/d?password=pw&sslmode=require"))
    assert.equal("postgresql://u@h/d\n", url("postgresql://u@h/d?password=pw"))
    assert.equal("host=h user=u\n", url("host=h password='p w' user=u"))
    assert.is_nil(lfs.attributes(dir:path(".luamig"), "mode"))
  end)

  it("runs psql on the embedded database, and on a throwaway one", function()
    local result = run({ "db", "psql", "--", "-X", "-A", "-t", "-c", "SELECT 6 * 7" })
    assert.equal("42\n", result.stdout)
    assert.equal(0, result.status)
    result = run({ "db", "psql", "--", "-XAt" }, { stdin = "SELECT current_user;" })
    assert.equal("postgres\n", result.stdout)
    result = run({ "db", "psql", "--ephemeral", "--", "-XAtc", "SHOW fsync" })
    assert.equal("off\n", result.stdout)
  end)

  it("hands psql its options without a mark before them", function()
    assert.equal("42\n", run({ "db", "psql", "-XAtc", "SELECT 6 * 7" }).stdout)
    assert.equal("42\n", run({ "db", "psql", "-X", "-A", "-t", "-c", "SELECT 6 * 7", "--ephemeral",
      "--config=" .. dir:path("luamig.lua") }).stdout)
    assert.matches("^Usage: luamig db ", run({ "db", "psql", "--help" }).stdout)
  end)

  it("gives psql the password where other users do not see it", function()
    dir:write("bin/psql", '#!/bin/sh\necho "$*"\necho "$PGPASSWORD"\n')
    os.execute("chmod 755 " .. dir:path("bin/psql"))
    local result = run({ "db", "psql", "--", "-c", "x y" }, { env = {
      DATABASE_URL = "postgresql://u:it%27s@h/d",
      PATH = dir:path("bin") .. ":" .. os.getenv("PATH"),
    } })
    assert.equal("dbname='d' host='h' user='u' -c x y\nit's\n", result.stdout)
  end)

  it("says which package has psql", function()
    assert(lfs.mkdir(dir:path("bin")))
    for _, name in ipairs({ "sh", "timeout" }) do -- what the spec itself needs
      os.execute(("ln -s $(command -v %s) %s"):format(name, dir:path("bin")))
    end
    local result = run({ "db", "psql" }, { env = {
      DATABASE_URL = "postgresql://u@h/d",
      PATH = dir:path("bin"),
    } })
    assert.equal(2, result.status)
    assert.equal("error: cannot run psql: No such file or directory\n"
      .. "  hint:  psql is in the package postgresql-client\n"
      .. "  try:   apt install postgresql-client\n", result.stderr)
    run({ "db", "start" })
    result = run({ "db", "psql", "--", "-XAtc", "SELECT 9" }, { env = { PATH = dir:path("bin") } })
    local bindir = require("luamig.core.server").find()
    if lfs.attributes(bindir .. "/psql", "mode") then -- the server's own, of another package
      assert.equal("9\n", result.stdout)
    else
      assert.matches("^error: cannot run psql", result.stderr)
    end
  end)

  it("deletes nothing before it was told to", function()
    run({ "db", "psql", "--", "-c", "CREATE TABLE kept ()" })
    local refused = run({ "db", "reset" })
    assert.equal(10, refused.status)
    assert.matches(("^error: db reset deletes all data of the embedded server in %s "
      .. "%%(%%d+ MB%%), and there is nobody to ask\n  state: nothing changed\n"
      .. "  try:   luamig db reset %%-%%-yes\n$"):format(data():gsub("%-", "%%-")), refused.stderr)
    local there = { "db", "psql", "--", "-XAtc", "SELECT to_regclass('kept')" }
    assert.equal("kept\n", run(there).stdout)
    local reset = run({ "db", "reset", "--yes" })
    assert.equal(0, reset.status)
    assert.matches("^postgresql://", reset.stdout)
    assert.equal("\n", run(there).stdout)
    local again = run({ "db", "start", "--idle", "never" })
    assert.equal(0, again.status)
    assert.equal("WARN  --idle is for a server that is started, and this one was running: luamig "
      .. "db stop ends it\n", again.stderr)
  end)

  it("has words for a wrong use", function()
    local function message(...)
      local result = run({ "db", ... })
      assert.equal(2, result.status)
      return result.stderr:match("^error: ([^\n]*)")
    end
    assert.equal("missing argument 'action'", message())
    assert.matches("^argument 'action' must be one of 'start', 'stop', 'status'", message("sto"))
    assert.equal("'--idle' has no meaning for 'luamig db stop'", message("stop", "--idle", "5s"))
    assert.equal("'soon' is no duration; write 30s, 5min, 1h or never",
      message("start", "--idle", "soon"))
    assert.equal("'--ephemeral' has no meaning for 'luamig db url'", message("url", "--ephemeral"))
    assert.equal("'x' has no meaning for 'luamig db start'", message("start", "x"))
  end)

  it("names the package when there is no PostgreSQL, and exits with 5", function()
    if not machine.is_root() then
      pending("hiding the programs needs root")
      return
    end
    local pipe = io.popen(("cd %s && env -u LUAMIG_PGBIN PATH=/usr/bin:/bin unshare -m sh -c '"
      .. "mount -t tmpfs none /usr/lib/postgresql && exec %s db start 2>&1'; echo $?"):format(
      dir:path(), process.luamig()))
    local text = pipe:read("a")
    pipe:close()
    assert.matches("^error: there is no PostgreSQL server on this machine\n", text)
    assert.matches("\n  hint:  install the package postgresql (Debian, Ubuntu), ", text, 1, true)
    assert.matches("\n  try:   apt install postgresql\n5\n$", text)
    assert.is_nil(lfs.attributes(data(), "mode"))
  end)

  it("shows why the server does not start", function()
    run({ "db", "start" })
    run({ "db", "stop" })
    local file = assert(io.open(dir:path(".luamig/pg/postgresql.conf"), "ab"))
    file:write("work_mem = 'plenty'\n")
    file:close()
    local result = run({ "db", "start" })
    assert.equal(5, result.status)
    assert.matches("^error: PostgreSQL %(/%S+%) did not start\n  detail: .*"
      .. 'invalid value for parameter "work_mem": "plenty"', result.stderr)
  end)
end)
