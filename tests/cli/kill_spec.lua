-- Runs that are stopped at random moments, spread over their whole length. What is there afterwards
-- is sound, what luamig said of it is true, and the next run goes on from it.
-- LUAMIG_TEST_SEED repeats the moments of another run.

local clock = require("luamig.core.clock")
local kinds = require("support.kinds")
local scene = require("support.scene")

local REVISIONS <const> = 30
local SEED <const> = math.tointeger(tonumber(os.getenv("LUAMIG_TEST_SEED") or os.time()))

describe("a run that is stopped anywhere", function()
  local s, random, length_ms

  -- Numbers of its own: the order of specs must not change them.
  local function seeded()
    local state = SEED
    return function(limit)
      state = (state * 6364136223846793005 + 1442695040888963407)
      return ((state >> 33) % limit)
    end
  end

  before_each(function()
    s = scene.new()
    kinds.write(s, REVISIONS)
    random = seeded()
    local start = clock.now_ms()
    s:ok("upgrade")
    length_ms = clock.now_ms() - start
    s:ok("downgrade base --yes")
  end)

  after_each(function()
    s:close()
  end)

  local function no_session_is_left()
    s:eventually([[SELECT NOT EXISTS (SELECT FROM pg_stat_activity
      WHERE datname = current_database() AND application_name LIKE 'luamig/%')]])
  end

  local function check(what, result)
    no_session_is_left()
    local wrong = kinds.fault(s, REVISIONS)
    if wrong then
      error(("seed %d, %s: %s\n%s"):format(SEED, what, wrong, result and result.stderr or ""), 0)
    end
  end

  local function check_status(what, result, ...)
    for _, status in ipairs({ ... }) do
      if result.status == status then
        return
      end
    end
    error(("seed %d, %s: exit %d\n%s"):format(SEED, what, result.status, result.stderr), 0)
  end

  -- What luamig said of the database must be so.
  local function check_words(what, result)
    local said = result.stderr:match("database is at (%S+)")
    local rows = s:rows()
    local is_partly = s:list("SELECT count(*) FROM luamig.journal") ~= "0"
    local ok = said == (rows == "" and "<base>" or rows)
      and (result.stderr:find("partly", 1, true) ~= nil) == is_partly
    if not ok then
      error(("seed %d, %s: the database is at '%s'%s\n%s"):format(SEED, what, rows,
        is_partly and " and a revision is partly done" or "", result.stderr), 0)
    end
  end

  -- Goes up and down, with `stop(direction)` ending or failing to end each run, until `count` have
  -- been ended. stop returns whether it did.
  local function drive(count, stop)
    local direction = "upgrade"
    local stopped = 0
    while stopped < count do
      local words = direction == "upgrade" and { "upgrade" } or { "downgrade", "base", "--yes" }
      if stop(words, ("%s number %d"):format(direction, stopped + 1)) then
        stopped = stopped + 1
      else
        direction = direction == "upgrade" and "downgrade" or "upgrade"
      end
    end
    s:run("upgrade") -- finishes what was begun upwards
    s:run("downgrade base --yes")
    s:ok("upgrade")
    check("at the end")
    assert.equal("030", s:rows())
  end

  -- Fewer for a build that takes its time (under a sanitizer, or an aggressive collector).
  local function times(count)
    return length_ms > 1000 and count // 5 or count
  end

  it("by kill -9 two hundred times", function()
    drive(times(200), function(words, what)
      local result = s:run({ "-s", "KILL", ("%.3f"):format((1 + random(length_ms)) / 1000),
        os.getenv("LUAMIG"), table.unpack(words) }, { program = "timeout" })
      check_status(what, result, 0, 137)
      -- Every other time the next run meets the session that the killed one has left.
      if random(2) == 0 then
        check(what, result)
      end
      return result.status == 137
    end)
  end)

  it("by SIGTERM", function()
    drive(times(40), function(words, what)
      local result = s:run({ "--preserve-status", "-s", "TERM",
        ("%.3f"):format((1 + random(length_ms)) / 1000), os.getenv("LUAMIG"),
        table.unpack(words) }, { program = "timeout" })
      check_status(what, result, 0, 143)
      check(what, result)
      if result.status ~= 0 and result.stderr:find("state:", 1, true)
        and not result.stderr:find("state: nothing changed\n", 1, true) then
        check_words(what, result)
      end
      return result.status ~= 0
    end)
  end)

  it("by the server", function()
    drive(times(40), function(words, what)
      local run = s:start(words)
      clock.sleep_ms(random(length_ms))
      s:connect():exec([[SELECT pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND application_name LIKE 'luamig/%']])
      local result = run:wait()
      check_status(what, result, 0, 5, 11)
      check(what, result)
      if result.status ~= 0 and result.stderr:find("database is at", 1, true) then
        check_words(what, result)
      end
      return result.status ~= 0
    end)
  end)

  it("by SIGSTOP, and goes on with SIGCONT", function()
    for i = 1, times(15) do
      local words = i % 2 == 1 and "upgrade" or "downgrade base --yes"
      local run = s:start(words)
      for _ = 1, 3 do
        clock.sleep_ms(random(length_ms // 3))
        run:signal("STOP")
        clock.sleep_ms(random(30))
        run:signal("CONT")
      end
      check_status(words, run:wait(), 0)
      check(words)
    end
  end)
end)
