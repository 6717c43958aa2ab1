--- A database for the specs of batched migrations, and what is common to them.

local batch_spec = require("luamig.batch_spec")
local process = require("support.process")
local server = require("support.server")

local batch = {}

local Database = {}
Database.__index = Database

local started = {}

---A database of its own for one spec file.
function batch.database()
  local made = server.database()
  return setmetatable({ made = made, name = made.name, url = made.url, conn = made.connect() },
    Database)
end

---The same on a server of the spec's own.
function batch.on(url)
  local conn = require("luamig.core.conn").open({ url = url })
  return setmetatable({ url = url, conn = conn }, Database)
end

function Database:drop()
  self.conn:close()
  self.made.drop()
end

local Worker = {}
Worker.__index = Worker

---A process of its own that works on a backfill.
---@param workers? integer
---@param clock_shift_s? integer  so much its clock is wrong
function Database:worker(name, workers, clock_shift_s)
  local luamig = process.luamig()
  local environment = ""
  if clock_shift_s then
    environment = ("env ASAN_OPTIONS=verify_asan_link_order=0 LD_PRELOAD=%s/libclock_shift.so "
      .. "CLOCK_SHIFT_S=%d "):format(luamig:match("^(.*)/"), clock_shift_s)
  end
  local line = ("%s%s lua tests/support/worker.lua '%s' %s %d 2>&1"):format(environment, luamig,
    self.url, name, workers or 1)
  local self_process = process.start(line)
  local worker = setmetatable({ process = self_process, pid = self_process.pid }, Worker)
  started[#started + 1] = worker
  return worker
end

function Worker:signal(name)
  process.kill(self.pid, name)
end

function Worker:is_running()
  return process.is_alive(self.pid)
end

---Waits until it has ended and returns what it printed.
function Worker:wait()
  if not self.text then
    local lines = {}
    for line in self.process.line, self.process do
      lines[#lines + 1] = line
    end
    self.process:wait()
    self.text = table.concat(lines, "\n")
  end
  return self.text
end

---Ends what still runs: a spec that failed half way must not disturb the next one.
function batch.end_workers()
  for i, each in ipairs(started) do
    if not each.text then
      each:signal("KILL")
      each:wait()
    end
    started[i] = nil
  end
end

---Waits for what must come true within seconds, and returns it.
function batch.eventually(what, check)
  local result
  local came = process.eventually(function()
    result = check()
    return result
  end, 20000)
  assert(came, "did not come true: " .. what)
  return result
end

function Database:exec(sql, params)
  return self.conn:exec(sql, params)
end

---The first column of the first row.
function Database:value(sql, params)
  local rows = self.conn:exec(sql, params)
  return rows[1] and rows[1][rows.columns[1]]
end

---A table `users (id, email, email_norm)` with so many rows.
function Database:users(rows)
  self:exec("DROP TABLE IF EXISTS users")
  self:exec("CREATE TABLE users (id bigint PRIMARY KEY, email text, email_norm text)")
  self:exec("INSERT INTO users "
    .. "SELECT i, 'User' || i || '@X.org' FROM generate_series(1, $1::int) i", { rows })
end

---How many other sessions there are in the database.
function Database:sessions()
  return self:value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    .. "AND pid <> pg_backend_pid() AND backend_type = 'client backend'")
end

---Counts the writes of every row of a table, in `audit (key, writes)`. The counts are committed
---with the rows: a row that is written twice shows, whatever was killed.
---@param slow_ms? integer least milliseconds that the writing of a row takes: what is to be
---  disturbed several times must not be over before, however fast the machine is
function Database:audit(table_name, key, slow_ms)
  self:exec("DROP TABLE IF EXISTS audit")
  self:exec("CREATE TABLE audit (key text PRIMARY KEY, writes int NOT NULL)")
  self:exec(([[CREATE OR REPLACE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.audit VALUES (NEW.%s::text, 1)
  ON CONFLICT (key) DO UPDATE SET writes = public.audit.writes + 1;
  PERFORM pg_sleep(%d / 1000.0);
  RETURN NEW;
END $$]]):format(key, slow_ms or 0))
  self:exec(("CREATE TRIGGER audit AFTER UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION audit()")
    :format(table_name))
end

---How many rows were written how often: { rows, once, more }.
function Database:writes()
  return self:exec([[SELECT count(*) AS rows, count(*) FILTER (WHERE writes = 1) AS once,
    count(*) FILTER (WHERE writes > 1) AS more FROM audit]])[1]
end

---Runs a batched migration as a revision would.
---@param about? table
---@param place? table
function Database:run(name, given, about, place)
  place = place or {}
  place.url = self.url
  return require("luamig.backfill").run_inline(place, batch_spec.check(name, given), about or {})
end

---The fault that a run ends with.
function Database:fault(...)
  local ok, f = pcall(self.run, self, ...)
  assert(not ok, "no fault was raised")
  assert(require("luamig.fault").is(f), tostring(f))
  return f
end

return batch
