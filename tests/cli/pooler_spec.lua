local core = require("luamig.core.conn")
local pooler = require("support.pooler")
local scene = require("support.scene")
local server = require("support.server")

local SIZE <const> = 3 -- connections of the pool

local function scene_behind(pool)
  local database = server.database()
  return scene.new(nil, {
    url = pool:url(database.name),
    server_url = database.url,
    name = database.name,
    drop = database.drop,
  })
end

-- What every connection of the pool would give to its next user, as one text each.
local function left_in(pool, name)
  local clients, texts = {}, {}
  for i = 1, SIZE do -- each in a transaction, so that they do not share one
    clients[i] = core.open({ url = pool:url(name), application_name = "next" })
    clients[i]:exec("BEGIN")
  end
  for i, client in ipairs(clients) do
    local rows = client:exec([[
      SELECT string_agg(what, E'\n' ORDER BY what) AS text FROM (
        SELECT name || '=' || setting AS what FROM pg_settings
         WHERE source = 'session' AND name NOT IN ('application_name', 'client_encoding')
            OR name IN ('search_path', 'lock_timeout', 'statement_timeout',
                        'idle_in_transaction_session_timeout')
         UNION ALL SELECT 'role=' || current_setting('role')
         UNION ALL SELECT 'prepared ' || name FROM pg_prepared_statements
         UNION ALL SELECT 'lock ' || objid FROM pg_locks
                    WHERE locktype = 'advisory' AND pid = pg_backend_pid()) x]])
    texts[i] = rows[1].text
  end
  for _, client in ipairs(clients) do
    client:exec("COMMIT") -- else the pooler ends the connection to the server
    client:close()
  end
  return texts
end

local clean <const> = 'idle_in_transaction_session_timeout=0\nlock_timeout=0\nrole=none\n'
  .. 'search_path="$user", public\nstatement_timeout=0'

local function is_clean(pool, name)
  for _, text in ipairs(left_in(pool, name)) do
    assert.equal(clean, text)
  end
end

local function times(text, what)
  local count = select(2, text:gsub(what, ""))
  return count
end

describe("behind a pooler in transaction mode", function()
  local pool, s

  setup(function()
    pool = pooler.start("transaction", SIZE)
  end)

  teardown(function()
    pool:stop()
  end)

  before_each(function()
    s = scene_behind(pool)
    is_clean(pool, s.database.name)
  end)

  after_each(function()
    s:close()
  end)

  it("upgrade and downgrade work and warn once", function()
    s:line(5)
    local result = s:ok("upgrade")
    assert.equal(1, times(result.stderr, "WARN"), result.stderr)
    assert.matches("WARN  the connection goes through a pooler", result.stderr)
    assert.equal("005", s:rows())
    assert.equal("005 (head)\n", s:ok("current").stdout)
    assert.matches("pooler:%s+between", s:ok("status").stdout)
    s:ok("downgrade base --yes")
    assert.equal("", s:rows())
  end)

  it("nothing is left to the next user of a connection", function()
    s:configure('lock_timeout = "7s", statement_timeout = "1min"')
    s:line(3)
    s:revision("004", "003", [[
  op.execute("CREATE TABLE t4 (id int)")
  op.step("one", function() op.execute("INSERT INTO t4 VALUES (1)") end)
  op.create_index("t4_id", "t4", { "id" }, { concurrently = true })
  op.execute("VACUUM t4")
  op.autocommit(function() op.execute("INSERT INTO t4 VALUES (2)") end)]])
    s:ok("upgrade")
    assert.equal("004", s:rows())
    is_clean(pool, s.database.name)
    s:ok("downgrade 003 --yes")
    s:ok("stamp 002")
    s:ok("status")
    s:run("upgrade")
    is_clean(pool, s.database.name)
  end)

  it("a failure leaves nothing either", function()
    s:line(2)
    s:revision("003", "002", '  op.execute("SELECT * FROM nowhere")')
    assert.equal(1, s:run("upgrade").status)
    assert.equal("002", s:rows())
    is_clean(pool, s.database.name)
  end)

  it("no lock of an earlier run stands in the way of the next", function()
    s:line(8)
    for i = 1, 8 do
      s:ok(("upgrade +1 --lock-wait 0"):format(i))
    end
    assert.equal("008", s:rows())
  end)

  it("the version rows are held to by two runners at once", function()
    s:line(12)
    local runs = { s:start("upgrade"), s:start("upgrade"), s:start("upgrade") }
    local good = 0
    for _, run in ipairs(runs) do
      good = good + (run:wait().status == 0 and 1 or 0)
    end
    assert.is_true(good >= 1)
    s:ok("upgrade")
    assert.equal("012", s:rows())
    assert.equal("12", s:list("SELECT count(*) FROM luamig.history"))
  end)

  it("a role or a search_path holds in transactions and is refused outside", function()
    s:connect():exec("CREATE SCHEMA app")
    s:connect():exec("CREATE SCHEMA luamig")
    s:configure('search_path = "app"')
    s:line(2)
    s:ok("upgrade")
    assert.is_true(s:has("app.t2"))
    s:revision("003", "002", '  op.execute("VACUUM t2")')
    local result = s:run("upgrade")
    assert.equal(1, result.status)
    assert.matches("search_path cannot be set for a statement outside a transaction", result.stderr)
    assert.matches("versions/003.lua:9", result.stderr)
    assert.equal("002", s:rows())
    is_clean(pool, s.database.name)
  end)
end)

describe("behind a pooler in session mode", function()
  it("everything works", function()
    local pool = pooler.start("session", SIZE)
    local s = scene_behind(pool)
    s:line(3)
    s:ok("upgrade")
    s:ok("downgrade -1 --yes")
    s:ok("upgrade")
    assert.equal("003", s:rows())
    s:close()
    pool:stop()
  end)
end)
