-- A connection that is lost while COMMIT is on its way: was it done or not? Every case is arranged
-- on a server of its own, because it is stopped, cut off, or made to wait for a standby.

local cli = require("support.cli")
local cluster = require("support.cluster")
local process = require("support.process")
local scene = require("support.scene")

local count = 0

-- Only what asks for it waits for the standby that never comes.
local standby_missing = { synchronous_standby_names = "nobody", synchronous_commit = "local" }

-- A scene on the server; the binary goes through the link, when there is one.
local function scene_on(server, link_folder)
  count = count + 1
  local name = "commit_" .. count
  server:exec("CREATE DATABASE " .. name)
  local s = scene.new(nil, {
    url = link_folder and ("postgresql://postgres@/%s?host=%s"):format(name, link_folder)
      or server:url(name),
    server_url = server:url(name),
    name = name,
    drop = function()
      server:exec(("DROP DATABASE IF EXISTS %s WITH (FORCE)"):format(name))
    end,
  })
  s:revision("001", nil, '  op.execute("CREATE TABLE t1 (id int)")')
  return s
end

-- Makes COMMIT itself take its time, and fail at its end if asked to.
local function slow_commit(s, seconds, failure)
  local conn = s:connect()
  conn:exec("CREATE TABLE slow (id int)")
  conn:exec(([[CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$
    BEGIN PERFORM pg_sleep(%g); %s RETURN NULL; END $$]]):format(seconds,
    failure and "RAISE EXCEPTION 'at the last moment';" or ""))
  conn:exec([[CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED
    FOR EACH ROW EXECUTE FUNCTION wait()]])
  s:revision("002", "001", [[
  op.execute("CREATE TABLE t2 (id int)")
  op.execute("INSERT INTO slow VALUES (1)")]])
end

local function link_start(server)
  local folder = server.folder .. "/link"
  assert(require("lfs").mkdir(folder))
  os.execute("chmod 777 " .. folder)
  local link = process.start(("python3 tests/support/link.py %s/.s.PGSQL.5432 %s"):format(folder,
    server:socket()))
  assert(link:line() == "ready")
  link.folder = folder
  return link
end

describe("a connection lost during COMMIT", function()
  local server, link, s

  setup(function()
    server = cluster.new(standby_missing)
    link = link_start(server)
  end)

  teardown(function()
    process.kill(link.pid, "KILL")
    link:wait()
    server:close()
  end)

  after_each(function()
    s:close()
  end)

  local function is_applied(result)
    assert.equal(5, result.status, result.stderr)
    assert.matches("error: ", result.stderr)
    assert.matches("state: 001 and 002 are applied; database is at 002\n", result.stderr)
    assert.equal("002", s:rows())
    assert.is_true(s:has("t2"))
    assert.matches("nothing to do: the database is at 002", s:ok("upgrade").stderr)
  end

  local function is_rolled_back(result)
    assert.equal(5, result.status, result.stderr)
    assert.matches("state: 001 is applied; revision 002 rolled back, database is at 001\n",
      result.stderr)
    assert.matches("try:   run again: luamig upgrade head", result.stderr)
    assert.equal("001", s:rows())
    assert.is_false(s:has("t2"))
  end

  local function nobody_is_left()
    assert.equal("0", s:list("SELECT count(*) FROM pg_stat_activity "
      .. "WHERE datname = current_database() AND application_name LIKE 'luamig/%'"))
  end

  it("is not given up while it is being made, though it takes more than a second", function()
    s = scene_on(server, link.folder)
    process.kill(link.pid, "STOP")
    local run = s:start("current")
    require("luamig.core.clock").sleep_ms(1300)
    process.kill(link.pid, "CONT")
    assert.equal(0, run:wait().status)
  end)

  it("after the server has done it, and could not say so, is no rollback", function()
    s = scene_on(server)
    s:revision("002", "001", [[
  op.execute("CREATE TABLE t2 (id int)")
  op.execute("SET LOCAL synchronous_commit = on")]])
    local run = s:start("upgrade")
    local pid = s:eventually("SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep' "
      .. "AND datname = current_database()")
    s:connect():exec("SELECT pg_terminate_backend($1::int)", { pid })
    is_applied(run:wait())
  end)

  it("by a link that swallows the answer is no rollback", function()
    s = scene_on(server, link.folder)
    slow_commit(s, 1)
    local run = s:start("upgrade")
    s:committing()
    process.kill(link.pid, "USR2")
    s:eventually("SELECT to_regclass('t2') IS NOT NULL")
    process.kill(link.pid, "USR1")
    is_applied(run:wait())
  end)

  it("that the server is still at, and then does, is waited for", function()
    s = scene_on(server, link.folder)
    slow_commit(s, 1.5)
    local run = s:start("upgrade")
    s:committing()
    process.kill(link.pid, "USR1")
    is_applied(run:wait())
  end)

  it("that the server is still at, and then refuses, is waited for", function()
    s = scene_on(server, link.folder)
    slow_commit(s, 1.5, true)
    local run = s:start("upgrade")
    s:committing()
    process.kill(link.pid, "USR1")
    is_rolled_back(run:wait())
  end)

  it("that the server is at for long is left to it, and told as open", function()
    s = scene_on(server, link.folder)
    slow_commit(s, 60)
    local run = s:start("upgrade")
    local pid = s:committing()
    process.kill(link.pid, "USR1")
    local result = run:wait()
    assert.equal(5, result.status)
    assert.matches(("state: 001 is applied; it is not known whether revision 002 was committed: "
      .. "pid %d on the server is still at work on it\n"):format(pid), result.stderr)
    assert.matches("try:   look again: luamig status", result.stderr)
    assert.equal(pid, s:committing())
    s:connect():exec("SELECT pg_terminate_backend($1::int)", { pid })
  end)

  it("between two revisions, with the session waiting for what we would say next", function()
    s = scene_on(server, link.folder)
    s:revision("002", "001", [[
  op.execute("CREATE TABLE t2 (id int)")
  io.stderr:write("computing\n")
  repeat local go = io.open("go") until go
  op.query("SELECT 1")]])
    local run = s:start("upgrade")
    s:eventually("SELECT to_regclass('t1') IS NOT NULL")
    process.kill(link.pid, "USR1")
    s.project:write("go", "")
    is_rolled_back(run:wait())
    nobody_is_left()
  end)

  it("whose session waits for us in vain does not keep the lock", function()
    s = scene_on(server, link.folder)
    s:revision("002", "001", [[
  op.execute("CREATE TABLE t2 (id int)")
  op.query("SELECT pg_sleep(1)")
  op.query("SELECT 1")]])
    local run = s:start("upgrade")
    s:running("%pg_sleep%")
    process.kill(link.pid, "USR1")
    is_rolled_back(run:wait())
    nobody_is_left()
    s:ok("upgrade --lock-wait 100ms")
  end)

  it("tells the parts that a revision has committed", function()
    s = scene_on(server, link.folder)
    slow_commit(s, 1)
    s:revision("002", "001", [[
  op.step("one", function()
    op.execute("CREATE TABLE t2 (id int)")
    op.execute("INSERT INTO slow VALUES (1)")
  end)
  op.query("SELECT 1") -- what follows is not on its way yet
  op.execute("CREATE TABLE t3 (id int)")]])
    local run = s:start("upgrade")
    s:committing()
    process.kill(link.pid, "USR1")
    local result = run:wait()
    assert.equal(11, result.status, result.stderr)
    assert.matches("001 is applied; revision 002 is partly applied", result.stderr)
    assert.matches("resume with: luamig upgrade head", result.stderr)
    assert.is_true(s:has("t2"))
    s:ok("upgrade")
    assert.is_true(s:has("t3"))
  end)
end)

describe("a server that goes down", function()
  local server, s

  before_each(function()
    server = cluster.new(standby_missing)
    s = scene_on(server)
  end)

  after_each(function()
    s.conn:close()
    s.project:remove()
    server:close()
  end)

  -- It crashes and comes back, as under a supervisor.
  local function restart()
    s.conn:close()
    s.conn = nil
    server:stop("immediate")
    server:start()
  end

  it("in a statement, and comes back, has rolled back", function()
    s:revision("002", "001", '  op.execute("CREATE TABLE t2 (id int); SELECT pg_sleep(60)")')
    local run = s:start("upgrade")
    s:running("%pg_sleep%")
    restart()
    local result = run:wait()
    assert.equal(5, result.status)
    assert.matches("state: 001 is applied; revision 002 rolled back, database is at 001\n",
      result.stderr)
    assert.equal("001", s:rows())
  end)

  it("after a COMMIT that was not answered, and comes back, has kept it", function()
    s:revision("002", "001", [[
  op.execute("CREATE TABLE t2 (id int)")
  op.execute("SET LOCAL synchronous_commit = on")]])
    local run = s:start("upgrade")
    s:eventually("SELECT true FROM pg_stat_activity WHERE wait_event = 'SyncRep'")
    restart()
    local result = run:wait()
    assert.equal(5, result.status)
    assert.matches("state: 001 and 002 are applied; database is at 002\n", result.stderr)
    assert.equal("002", s:rows())
  end)

  it("and does not come back leaves it open, and says so", function()
    s:revision("002", "001", '  op.execute("CREATE TABLE t2 (id int); SELECT pg_sleep(60)")')
    local run = s:start("upgrade")
    s:running("%pg_sleep%")
    s.conn:close()
    server:stop("immediate")
    cli.eventually(function()
      local _, err = run:output()
      return err:find("the connection was lost; asking what became of revision 002", 1, true)
    end, "the word that it asks")
    run:signal("INT") -- the user does not want to wait
    local result = run:wait()
    assert.equal(5, result.status)
    assert.matches("state: 001 is applied; it is not known whether revision 002 was committed: "
      .. "the server could not be asked again\n", result.stderr)
    server:start()
    s.conn = nil
    assert.equal("001", s:rows())
  end)
end)
