local clock = require("luamig.core.clock")
local conn = require("luamig.core.conn")
local fault = require("luamig.fault")
local lfs = require("lfs")
local keeper = require("support.keeper")
local machine = require("support.machine")
local process = require("support.process")
local project = require("support.project")
local server = require("luamig.core.server")

local function value(url, sql)
  local connection <close> = conn.open({ url = url })
  return connection:exec("SELECT " .. sql .. " AS value")[1].value
end

local function failure(fn, ...)
  local ok, f = pcall(fn, ...)
  assert.is_false(ok)
  assert.is_true(fault.is(f), tostring(f))
  return f
end

local function parts_of(s)
  return machine.server(s:info())
end

-- Like project.new(), in memory.
local function new_project()
  local dir = project.new()
  dir:remove()
  dir.root = machine.folder()
  return dir
end

describe("a throwaway server", function()
  it("takes connections, and leaves nothing behind when it is stopped", function()
    local s = server.ephemeral({ in_memory = true })
    local parts = parts_of(s)
    assert.equal(3, value(s:url(), "1 + 2"))
    assert.is_true(#parts.pids > 5)
    s:stop()
    assert.same({}, machine.left_of(parts))
    s:stop()
  end)

  it("is stopped by <close> and by the collector", function()
    local parts
    do
      local s <close> = server.ephemeral({ in_memory = true })
      parts = parts_of(s)
    end
    assert.same({}, machine.left_of(parts))
    local s = server.ephemeral({ in_memory = true })
    parts = parts_of(s)
    s = nil -- luacheck: ignore
    collectgarbage()
    collectgarbage()
    assert.same({}, machine.left_of(parts))
  end)

  it("listens on a socket in a folder of its own only, and does not sync", function()
    local s <close> = server.ephemeral({ in_memory = true })
    assert.equal("", value(s:url(), "pg_catalog.current_setting('listen_addresses')"))
    assert.equal("off", value(s:url(), "pg_catalog.current_setting('fsync')"))
    assert.equal("UTF8", value(s:url(), "pg_catalog.current_setting('server_encoding')"))
    assert.equal("UTC", value(s:url(), "pg_catalog.current_setting('TimeZone')"))
    assert.equal("rwx------", lfs.attributes(s:info().socket, "permissions"))
  end)

  it("takes settings, and roles but postgres log in as `auth` says", function()
    local s <close> = server.ephemeral({
      in_memory = true,
      settings = { work_mem = "5MB", max_connections = 7 },
      auth = "reject",
    })
    assert.equal("5MB", value(s:url(), "pg_catalog.current_setting('work_mem')"))
    assert.equal("7", value(s:url(), "pg_catalog.current_setting('max_connections')"))
    value(s:url(), "1") -- postgres may
    local connection <close> = conn.open({ url = s:url() })
    connection:exec("CREATE ROLE someone LOGIN")
    local f = failure(conn.open, { url = (s:url():gsub("postgres@", "someone@")) })
    assert.equal("connection", f.kind)
  end)

  it("names a database in its URL, whatever it is called", function()
    local s <close> = server.ephemeral({ in_memory = true })
    local connection <close> = conn.open({ url = s:url() })
    connection:exec('CREATE DATABASE "a b/ü?"')
    assert.equal("a b/ü?", value(s:url("a b/ü?"), "pg_catalog.current_database()"))
  end)

  it("shows the end of its log when it does not start", function()
    local f = failure(server.ephemeral, { settings = { no_such_setting = "1" } })
    assert.equal("connection", f.kind)
    assert.matches("^PostgreSQL %(/.*%) did not start$", f.message)
    assert.matches('unrecognized configuration parameter "no_such_setting"', f.detail, 1, true)
  end)

  it("cannot be used after it was stopped", function()
    local s = server.ephemeral({ in_memory = true })
    s:stop()
    local ok, message = pcall(s.url, s)
    assert.is_false(ok)
    assert.matches("the server is stopped", message, 1, true)
  end)
end)

describe("the programs of PostgreSQL", function()
  it("are looked for in every place, of one version when the data are there", function()
    assert.equal("file", lfs.attributes(server.find() .. "/postgres", "mode"))
    local f = failure(server.find, 99)
    assert.equal("connection", f.kind)
    assert.matches("^the data were made by PostgreSQL 99, which is not here; found: %d+",
      f.message)
    assert.equal("apt install postgresql-99", f.try)
    assert.matches("luamig db reset", f.hint, 1, true)
  end)

  local function in_child(environment, lua)
    local file = os.tmpname()
    local handle = assert(io.open(file, "wb"))
    handle:write([[
      local fault = require("luamig.fault")
      local server = require("luamig.core.server")
      local ok, f = pcall(server.find)
      if ok then print(f) end
      if not ok then print(f.kind, f.message, f.hint, f.detail, f.try) end
    ]], lua or "")
    handle:close()
    local pipe = io.popen(("%s %s lua %s"):format(environment, process.luamig(), file))
    local text = pipe:read("a")
    pipe:close()
    os.remove(file)
    return text
  end

  it("are those of LUAMIG_PGBIN, and no others", function()
    local folder = server.find()
    assert.equal(folder .. "\n", in_child("LUAMIG_PGBIN=" .. folder))
    local text = in_child("LUAMIG_PGBIN=/nowhere")
    assert.matches("^config\tLUAMIG_PGBIN is /nowhere, but there is no postgres and initdb in it",
      text)
  end)

  it("are in the package that the message names", function()
    if not machine.is_root() then
      pending("hiding the programs needs root")
      return
    end
    local text = in_child("env -u LUAMIG_PGBIN PATH=/usr/bin:/bin unshare -m sh -c '"
      .. "mount -t tmpfs none /usr/lib/postgresql && exec \"$@\"' -")
    assert.matches("^connection\tthere is no PostgreSQL server on this machine\t", text)
    assert.matches("install the package postgresql", text, 1, true)
    assert.matches("looked for postgres and initdb in LUAMIG_PGBIN %(not set%), PATH, "
      .. "pg_config %-%-bindir %(.-%), /usr/lib/postgresql/%*/bin", text)
    assert.matches("\tapt install postgresql\n$", text)
  end)
end)

describe("a project's server", function()
  local dir, home

  setup(keeper.setup)

  teardown(function()
    keeper.teardown()
  end)

  before_each(function()
    dir = new_project()
    home = dir:path(".luamig")
  end)

  after_each(function()
    server.shut_down(home)
    dir:remove()
  end)

  local function join(options)
    options = options or {}
    options.home = home
    return server.project(options)
  end

  it("keeps its data when it was stopped", function()
    local s = join()
    assert.is_true(s:info().created)
    assert.is_true(s:info().started)
    assert.equal("on", value(s:url(), "pg_catalog.current_setting('fsync')"))
    local connection = conn.open({ url = s:url() })
    connection:exec("CREATE TABLE kept AS SELECT 42 AS n")
    connection:close()
    local parts = machine.server({
      pid = s:info().pid, supervisor = machine.supervisor_of(home), socket = s:info().socket,
      data = s:info().data,
    })
    s:stop()
    assert.is_true(server.inspect(home).ready)
    assert.is_true(server.shut_down(home))
    assert.same({}, machine.left_of(parts))
    assert.is_false(server.inspect(home).running)
    s = join()
    assert.is_false(s:info().created)
    assert.equal(42, value(s:url(), "n FROM kept; --" and "(SELECT n FROM kept)"))
    s:stop()
  end)

  it("is shared by luamigs that start at once", function()
    local children = {}
    for i = 1, 4 do
      children[i] = process.start(("%s lua %s project %s"):format(process.luamig(), keeper.file,
        home))
    end
    local said = {}
    for i, child in ipairs(children) do
      said[i] = child:line()
    end
    for i, child in ipairs(children) do
      assert.matches("^%d+\t/", said[i])
      assert.equal(said[1], said[i])
      keeper.finish(child)
    end
  end)

  it("ends when it is idle, not while it is used", function()
    local s = join({ idle_ms = 200 })
    local parts = machine.server({
      pid = s:info().pid, supervisor = machine.supervisor_of(home), socket = s:info().socket,
      data = s:info().data,
    })
    clock.sleep_ms(600) -- held by luamig
    local connection = conn.open({ url = s:url() })
    s:stop()
    clock.sleep_ms(600) -- held by a connection
    assert.equal(1, connection:exec("SELECT 1 AS n")[1].n)
    connection:close()
    assert.same({}, machine.await_end(parts))
    assert.is_false(server.inspect(home).running)
  end)

  it("can be joined at any moment while others stop it", function()
    join():stop()
    for round = 1, 20 do
      local stopper = process.start(("%s lua %s stop %s"):format(process.luamig(),
        dir:write("stop.lua", [[
          require("luamig.fault")
          require("luamig.core.server").shut_down(arg[2])]]), home))
      clock.sleep_ms(round)
      local s = join()
      local _, code = stopper:wait()
      assert.equal(0, code)
      s:stop()
    end
    assert.is_true(server.inspect(home).exists)
  end)

  it("can be erased, also while it runs", function()
    local s = join()
    value(s:url(), "1")
    server.erase(home)
    assert.is_false(server.inspect(home).exists)
    s:stop()
    s = join()
    assert.is_true(s:info().created)
    s:stop()
  end)

  it("works below a folder that only its owner can enter", function()
    os.execute("chmod 700 " .. dir:path())
    local s = join()
    assert.equal(1, value(s:url(), "1"))
    s:stop()
    s = join()
    assert.equal(s:info().pid, server.inspect(home).pid)
    s:stop()
  end)

  it("is not started on data of a version that is not here", function()
    join():stop()
    server.shut_down(home)
    dir:write(".luamig/pg/PG_VERSION", "99\n")
    local f = failure(join)
    assert.equal("connection", f.kind)
    assert.matches("^the data were made by PostgreSQL 99, which is not here; found: ", f.message)
  end)

  it("is not started in a folder that holds something else", function()
    dir:write(".luamig/pg/letter.txt", "dear reader")
    local f = failure(join)
    assert.equal("config", f.kind)
    assert.matches("%.luamig/pg is no data directory of PostgreSQL", f.message)
    assert.equal("dear reader", dir:read(".luamig/pg/letter.txt"))
  end)

  it("is not started on data that a postmaster of somebody else works on", function()
    local s = join()
    local info = s:info()
    s:stop()
    server.shut_down(home)
    local socket = machine.folder()
    local user = machine.is_root() and ("setpriv --reuid=%d --regid=%d --clear-groups "):format(
      lfs.attributes(info.data, "uid"), lfs.attributes(info.data, "gid")) or ""
    local other = process.start(("%s%s/postgres -D %s -k %s -c listen_addresses= 2>/dev/null")
      :format(user, info.bindir, info.data, socket))
    assert.is_true(process.eventually(function()
      return lfs.attributes(socket .. "/.s.PGSQL.5432", "mode") ~= nil
    end))
    local f = failure(join)
    process.kill(other.pid, "INT")
    other:wait()
    os.execute("rm -rf " .. socket)
    assert.equal("config", f.kind)
    assert.matches("is in use by PostgreSQL process %d+, which luamig did not start", f.message)
  end)

  it("needs a folder that can be written", function()
    local f = failure(server.project, { home = "/proc/luamig/.luamig" })
    assert.equal("config", f.kind)
    assert.matches("^cannot make /proc/luamig/.luamig: ", f.message)
  end)

  it("writes an end of its log that can be read", function()
    local s = join()
    assert.matches("database system is ready to accept connections", server.log_tail(s:info().log),
      1, true)
    s:stop()
  end)
end)
