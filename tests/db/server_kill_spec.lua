local clock = require("luamig.core.clock")
local conn = require("luamig.core.conn")
local keeper = require("support.keeper")
local machine = require("support.machine")
local process = require("support.process")
local server = require("luamig.core.server")

local ROUNDS <const> = 20 -- of each kill

describe("kill -9 of a throwaway server's", function()
  local folder

  setup(function()
    keeper.setup()
    folder = machine.folder()
  end)

  teardown(function()
    keeper.teardown()
    os.execute("rm -rf " .. folder)
  end)

  local function start()
    return keeper.start("ephemeral", nil, "env TMPDIR=" .. folder)
  end

  it("luamig leaves nothing", function()
    for _ = 1, ROUNDS do
      local child = start()
      local parts = machine.server(child.facts)
      process.kill(child.pid, "KILL")
      child:wait()
      assert.same({}, machine.await_end(parts))
    end
    assert.same({}, machine.entries(folder))
  end)

  it("postmaster leaves nothing", function()
    for _ = 1, ROUNDS do
      local child = start()
      local parts = machine.server(child.facts)
      process.kill(child.facts.pid, "KILL")
      assert.same({}, machine.await_end(parts))
      keeper.finish(child)
    end
    assert.same({}, machine.entries(folder))
  end)

  it("supervisor leaves nothing once luamig has ended", function()
    for _ = 1, ROUNDS do
      local child = start()
      local parts = machine.server(child.facts)
      process.kill(child.facts.supervisor, "KILL")
      assert.same({}, machine.await_end(parts, "^folder"))
      keeper.finish(child)
      assert.same({}, machine.left_of(parts))
    end
    assert.same({}, machine.entries(folder))
  end)

  it("luamig, supervisor and postmaster leaves what the next start clears away", function()
    local child = start()
    local parts = machine.server(child.facts)
    process.kill(child.facts.supervisor, "STOP") -- or it would see the postmaster end
    for _, pid in ipairs({ child.facts.pid, child.facts.supervisor, child.pid }) do
      process.kill(pid, "KILL")
    end
    child:wait()
    machine.await_end(parts, "^[fs]")
    assert.same({ "folder " .. parts.folder, "segment " .. parts.segment },
      machine.left_of(parts))
    local again = start()
    assert.same({}, machine.left_of(parts))
    keeper.finish(again)
    assert.same({}, machine.entries(folder))
  end)

  it("backend in the middle of a statement leaves nothing", function()
    local child = start()
    local parts = machine.server(child.facts)
    local connection = conn.open({ url = "postgresql://postgres@:5432/postgres?host="
      .. child.facts.socket })
    -- Computes and does not look up: only a signal ends it.
    connection:send("SELECT count(*) FROM generate_series(1, 1000000) a, "
      .. "generate_series(1, 1000000) b")
    parts.pids[#parts.pids + 1] = connection:info().pid
    process.kill(child.facts.pid, "KILL")
    assert.same({}, machine.await_end(parts))
    keeper.finish(child)
    connection:close()
  end)

  it("luamig while it starts leaves nothing", function()
    local cache = machine.folder()
    for round = 1, 8 do
      local child = keeper.launch("ephemeral", nil, ("env TMPDIR=%s XDG_CACHE_HOME=%s"):format(
        folder, cache))
      clock.sleep_ms(round * 15)
      process.kill(child.pid, round % 2 == 0 and "KILL" or "TERM")
      child:wait()
    end
    assert.is_true(process.eventually(function()
      return #machine.entries(folder) == 0
    end))
    os.execute("rm -rf " .. cache)
  end)
end)

describe("kill -9 of a project's server:", function()
  local folder, home

  setup(keeper.setup)

  teardown(keeper.teardown)

  before_each(function()
    folder = machine.folder()
    home = folder .. "/.luamig"
  end)

  after_each(function()
    server.shut_down(home)
    os.execute("rm -rf " .. folder)
  end)

  it("survives kill -9 of a luamig", function()
    for _ = 1, ROUNDS do
      local child = keeper.start("project", home)
      process.kill(child.pid, "KILL")
      child:wait()
      assert.is_true(server.inspect(home).ready)
    end
  end)

  -- Kills it again and again; every committed row must be there, and nothing of the dead ones.
  local function kill_rounds(victim, may_stay)
    local parts
    for round = 1, ROUNDS do
      local s = server.project({ home = home })
      local info = s:info()
      if parts then
        assert.same({}, machine.left_of(parts))
      end
      local connection = conn.open({ url = s:url() })
      connection:exec("CREATE TABLE IF NOT EXISTS rows (n integer)")
      connection:exec("INSERT INTO rows VALUES ($1)", { round })
      assert.equal(round, connection:exec("SELECT count(*) AS n FROM rows")[1].n)
      info.supervisor = machine.supervisor_of(home)
      parts = machine.server(info)
      process.kill(info[victim], "KILL")
      assert.same({}, machine.await_end(parts, may_stay))
      connection:close()
      s:stop()
    end
    assert.is_false(server.inspect(home).running)
  end

  it("loses nothing with kill -9 of its postmaster", function()
    kill_rounds("pid")
  end)

  it("loses nothing with kill -9 of its supervisor; the next start clears its folder", function()
    kill_rounds("supervisor", "^folder")
    local before = server.inspect(home)
    assert.is_true(before.exists)
  end)
end)
