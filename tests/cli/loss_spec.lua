local scene = require("support.scene")

describe("a run that is cut off", function()
  local s

  before_each(function()
    s = scene.new()
    s:revision("001", nil, '  op.execute("CREATE TABLE t (id int)")')
    s:revision("002", "001", [[
  op.execute("CREATE TABLE u (id int)")
  op.execute("SELECT pg_sleep(30)")]])
  end)

  after_each(function()
    s:close()
  end)

  -- An upgrade that is interrupted when its script has written "begun".
  local function interrupted()
    local process = s:start("upgrade")
    require("support.cli").eventually(function()
      local _, err = process:output()
      return err:find("begun", 1, true)
    end, "the loop")
    process:signal("INT")
    local result = process:wait()
    assert.equal(130, result.status)
    return result
  end

  it("by the server, says what was committed", function()
    local process = s:start("upgrade")
    local pid = s:running("%pg_sleep%")
    s:connect():exec("SELECT pg_terminate_backend($1::int)", { pid })
    local result = process:wait()
    assert.equal(5, result.status)
    assert.matches("001 is applied; revision 002 rolled back, database is at 001", result.stderr)
    assert.matches("run again: luamig upgrade head", result.stderr)
    assert.equal("001", s:rows())
  end)

  it("during COMMIT, says whether it was done", function()
    -- A deferred trigger makes COMMIT itself take its time.
    s:connect():exec([[
      CREATE TABLE slow (id int);]])
    s:connect():exec([[
      CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN PERFORM pg_sleep(30); RETURN NULL; END']])
    s:connect():exec([[
      CREATE CONSTRAINT TRIGGER wait AFTER INSERT ON slow DEFERRABLE INITIALLY DEFERRED
        FOR EACH ROW EXECUTE FUNCTION wait()]])
    s:revision("002", "001", '  op.execute("INSERT INTO slow VALUES (1)")')
    local process = s:start("upgrade")
    local pid = s:eventually("SELECT pid FROM pg_stat_activity WHERE wait_event = 'PgSleep'"
      .. " AND query = 'COMMIT' AND datname = current_database()")
    s:connect():exec("SELECT pg_terminate_backend($1::int)", { pid })
    local result = process:wait()
    assert.equal(5, result.status)
    assert.matches("001 is applied; revision 002 rolled back, database is at 001", result.stderr)
    assert.equal("001", s:rows())
  end)

  for signal, status in pairs({ INT = 130, TERM = 143 }) do
    it("by SIG" .. signal .. " cancels the statement, rolls back and says where it is", function()
      local process = s:start("upgrade")
      s:running("%pg_sleep%")
      process:signal(signal)
      local result = process:wait()
      assert.equal(status, result.status)
      assert.matches("error: interrupted", result.stderr)
      assert.matches("001 is applied; revision 002 rolled back, database is at 001", result.stderr)
      assert.matches("go on with: luamig upgrade head", result.stderr)
      assert.equal("001", s:rows())
      assert.equal("0", s:list("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%pg_sleep%'"
        .. " AND pid <> pg_backend_pid() AND state = 'active'"))
    end)
  end

  it("while a script computes, has committed what came before it", function()
    s:revision("002", "001", "  while true do pcall(function() return 1 end) end")
    local process = s:start("upgrade")
    require("support.cli").eventually(function()
      return s:rows() == "001"
    end, "the commit of 001")
    process:signal("INT")
    local result = process:wait()
    assert.equal(130, result.status)
    assert.matches("001 is applied; revision 002 rolled back, database is at 001", result.stderr)
  end)

  it("by a signal while a script computes", function()
    s:ok("upgrade 001")
    s:revision("002", "001", [[
  io.stderr:write("begun\n")
  while true do
    pcall(function() -- so long that a look every 10000 instructions always comes within it
      local a, b = 1, 2
      a = a + b; a = a + b; a = a + b; a = a + b; a = a + b; a = a + b; a = a + b
      a = a + b; a = a + b; a = a + b; a = a + b; a = a + b; a = a + b
    end)
  end]])
    interrupted()
    assert.equal("001", s:rows())
  end)

  it("by a signal, names the revision before that was partly done", function()
    s:ok("upgrade 001")
    s:revision("002", "001", [[
  op.step("one", function() op.execute("CREATE TABLE one (id int)") end)
  op.execute("SELECT pg_sleep(60)")]])
    s:revision("003", "002", [[
  io.stderr:write("begun\n")
  while true do end]])
    local result = interrupted()
    assert.matches("state: revision 002 is partly applied: ", result.stderr)
    assert.equal("001", s:rows())
  end)

  it("by somebody who moves the version rows, leaves both as they are", function()
    s:ok("upgrade 001")
    s:revision("002", "001", [[
  op.execute("CREATE TABLE u (id int)")
  op.query("SELECT pg_sleep(0.3)")]])
    local process = s:start("upgrade")
    s:running("%pg_sleep%")
    s:connect():exec("UPDATE luamig.version SET version_num = 'else'")
    local result = process:wait()
    assert.equal(1, result.status)
    assert.matches("error: the version rows were changed by somebody else meanwhile", result.stderr)
    assert.matches("revision 002 rolled back", result.stderr)
    assert.is_false(s:has("u"))
    assert.equal("else", s:rows())
  end)

  it("by a signal while the server takes no more rows", function()
    s:revision("002", "001", [[
  op.execute("CREATE TABLE u (id int, name text)")
  op.execute("CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS "
    .. "$$ BEGIN PERFORM pg_sleep(30); RETURN NEW; END $$")
  op.execute("CREATE TRIGGER wait BEFORE INSERT ON u FOR EACH ROW EXECUTE FUNCTION wait()")
  local rows = {}
  for i = 1, 2000 do rows[i] = { id = i, name = ("x"):rep(10000) } end
  op.bulk_insert("u", rows)]])
    local process = s:start("upgrade")
    s:running("COPY%")
    require("luamig.core.clock").sleep_ms(200) -- until the pipe is full
    process:signal("INT")
    local result = process:wait()
    assert.equal(130, result.status, result.stderr)
    assert.matches("001 is applied; revision 002 rolled back, database is at 001", result.stderr)
    assert.equal("001", s:rows())
  end)
end)
