local clock = require("luamig.core.clock")
local conn = require("luamig.core.conn")
local database = require("luamig.database")
local fault = require("luamig.fault")
local lfs = require("lfs")
local machine = require("support.machine")
local process = require("support.process")
local project = require("support.project")
local server = require("luamig.core.server")
local session = require("luamig.session")

describe("the way to the database", function()
  local dir, told

  before_each(function()
    dir = project.new()
    dir:remove()
    dir.root = machine.folder()
    told = {}
  end)

  after_each(function()
    server.shut_down(dir:path(".luamig"))
    dir:remove()
  end)

  -- A session as a command gets it; its progress lines are kept.
  local function new_session(config, options)
    options = options or {}
    options.config = dir:write("luamig.lua", config)
    local ctx = session.new(options, require("luamig.report"))
    ctx.report = setmetatable({
      info = function(line)
        told[#told + 1] = line
      end,
    }, { __index = ctx.report })
    return ctx
  end

  local function failure(ctx)
    local ok, f = pcall(ctx.connect, ctx)
    ctx:close()
    assert.is_false(ok)
    assert.is_true(fault.is(f), tostring(f))
    return f
  end

  it("starts the embedded server, which stays up when the session ends", function()
    local ctx = new_session('return { url = "embedded" }')
    local connection = ctx:connect()
    assert.matches("^luamig/%d+%.%d+%.%d+$",
      connection:exec("SELECT pg_catalog.current_setting('application_name') AS n")[1].n)
    assert.matches("^created an embedded PostgreSQL %d+ in .*%.luamig/pg$", told[1])
    ctx:close()
    assert.is_false(pcall(connection.exec, connection, "SELECT 1"))
    assert.is_true(server.inspect(dir:path(".luamig")).ready)
  end)

  it("starts a throwaway server, which ends with the session", function()
    local socket
    do
      local ctx <close> = new_session("return {}", { ephemeral = true })
      local connection = ctx:connect()
      socket = connection:info().host
      assert.equal("directory", lfs.attributes(socket, "mode"))
      assert.equal(ctx.throwaway:url(), (database.url(ctx)))
    end
    assert.is_nil(lfs.attributes(socket, "mode"))
  end)

  it("says where the URL comes from when there is no way", function()
    local f = failure(new_session('return { url = "postgresql://u:pw-9@/x?host=/nowhere" }'))
    assert.equal("connection", f.kind)
    assert.matches("the database is named by .*luamig.lua$", f.detail)
    f = failure(new_session("return {}", { url = "postgresql://u:pw-9@@h/x" }))
    assert.equal("config", f.kind)
    assert.equal("the database is named by --url", f.detail)
    for _, text in pairs(f) do
      assert.is_nil(tostring(text):find("pw-9", 1, true))
    end
  end)

  it("waits for a server that comes up", function()
    local s <close> = server.ephemeral({ in_memory = true })
    local link = dir:path("later")
    os.execute(("{ sleep 0.5; ln -s %s %s; } &"):format(s:info().socket, link))
    local ctx <close> = new_session("return {}", {
      url = "postgresql://postgres@:5432/postgres?host=" .. link,
      wait = 10000,
    })
    assert.equal("I", ctx:connect():transaction())
    assert.equal(1, #told)
    assert.matches("^waiting for the database, 10 s left: connection to server on socket .* failed",
      told[1])
  end)

  it("waits no longer than it was told to", function()
    local start = clock.now_ms()
    local f = failure(new_session("return {}", { url = "host=/nowhere", wait = 300 }))
    assert.equal("connection", f.kind)
    assert.is_true(clock.now_ms() - start >= 300)
  end)

  it("does not wait when waiting cannot help", function()
    local s <close> = server.ephemeral({ in_memory = true })
    local start = clock.now_ms()
    local f = failure(new_session("return {}", { url = s:url("missing"), wait = 60000 }))
    assert.equal("3D000", f.sqlstate)
    assert.is_true(clock.now_ms() - start < 30000)
  end)

  it("stops waiting when it is interrupted", function()
    local script = dir:write("wait.lua", [[
      local fault = require("luamig.fault")
      local ctx = require("luamig.session").new({ url = "host=/nowhere", wait = 60000,
        config = arg[1] }, require("luamig.report"))
      ctx.report.setup({ quiet = true })
      io.stdout:setvbuf("no")
      print("waits")
      local ok, f = pcall(ctx.connect, ctx)
      print(ok, f.kind)
    ]])
    local child = process.start(("%s lua %s %s"):format(process.luamig(), script,
      dir:write("luamig.lua", "return {}")))
    assert.equal("waits", child:line())
    clock.sleep_ms(100)
    process.kill(child.pid, "TERM")
    assert.equal("false\tinterrupted", child:line())
    child:wait()
  end)

  it("wants the one of several hosts that takes writes", function()
    local s <close> = server.ephemeral({
      in_memory = true,
      settings = { default_transaction_read_only = "on" },
    })
    local url = ("postgresql://postgres@:5432,:5432/postgres?host=/nowhere,%s"):format(
      s:info().socket)
    local f = failure(new_session("return {}", { url = url }))
    assert.matches("read-only", f.message, 1, true)
    f = failure(new_session("return {}", {
      url = ("host=/nowhere,%s user=postgres dbname=postgres"):format(s:info().socket),
    }))
    assert.matches("read-only", f.message, 1, true)
    local ctx <close> = new_session("return {}", { url = url .. "&target_session_attrs=any" })
    assert.equal("I", ctx:connect():transaction())
  end)

  it("finds the embedded server again when somebody stops it", function()
    for _ = 1, 5 do
      local ctx <close> = new_session('return { url = "embedded" }')
      local connection = ctx:connect()
      assert.equal(1, connection:exec("SELECT 1 AS n")[1].n)
      server.shut_down(dir:path(".luamig"))
    end
  end)

  it("reads what a URL says", function()
    local url = require("luamig.core.url")
    assert.same({ user = "u", password = "p@w", host = "h", port = "5", dbname = "d",
      sslmode = "require" }, url.read("postgresql://u:p%40w@h:5/d?sslmode=require"))
    assert.same({ host = "h", password = "it's" }, url.read([[host=h password='it\'s']]))
    assert.same({}, url.read(""))
    local ok, f = pcall(url.read, "postgresql://u:p@w@h/d")
    assert.is_false(ok)
    assert.equal("config", f.kind)
  end)

  it("is the same database for a connection made by hand", function()
    local ctx <close> = new_session('return { url = "embedded" }')
    ctx:connect():exec("CREATE TABLE here ()")
    local other <close> = conn.open({ url = server.inspect(dir:path(".luamig")).url })
    assert.equal("here", other:exec("SELECT 'here'::pg_catalog.regclass AS t")[1].t)
  end)
end)
