--- An application at work while all rows of `users` are changed: what it waits, and what the change
-- costs the server. Measured apart from the timed rounds, which it would disturb.

local clock = require("luamig.core.clock")
local conn = require("luamig.core.conn")

local application = {}

local LOOK_MS <const> = 5

-- Of one row at a time, by a process of its own, until a file is there: prints the worst wait.
local updates <const> = [[
local clock = require("luamig.core.clock")
local app <close> = require("luamig.core.conn").open({ url = %q,
  application_name = "bench application" })
local worst = 0
repeat
  local start = clock.now_ms()
  app:exec("UPDATE users SET pad = pad WHERE id = $1", { math.random(1, %d) })
  worst = math.max(worst, clock.now_ms() - start)
  clock.sleep_ms(2)
  local ended = io.open(%q)
until ended
print(worst)
]]

local state_sql <const> = [[
SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint AS wal,
  pg_table_size('users') AS size]]

local longest_sql <const> = [[
SELECT COALESCE(max(extract(epoch FROM clock_timestamp() - a.xact_start) * 1000), 0)::int AS ms
  FROM pg_stat_activity a
 WHERE a.backend_type = 'client backend' AND a.datname = current_database()
   AND a.application_name NOT LIKE 'bench%']]

local function is_there(path)
  local file = io.open(path)
  return file ~= nil and file:close()
end

---@class bench.Beside
---@field wait_ms integer      worst wait of an UPDATE of one row
---@field longest_ms integer   longest transaction of the work, as seen from outside
---@field wal_per_row number   in bytes
---@field growth number        of the table: size behind by size before

---Runs a shell command beside the application.
---@param url string
---@param binary string  luamig
---@param rows integer  that the command changes
---@param command string
---@param p table  a project: a folder for files
---@return bench.Beside
function application.beside(url, binary, rows, command, p)
  local watch <close> = conn.open({ url = url, application_name = "bench watch" })
  local ended, longest_ms = p:path("ended"), 0
  local before = watch:exec(state_sql)[1]
  local app = io.popen(("%s lua %s"):format(binary,
    p:write("application.lua", updates:format(url, rows, ended))))
  os.execute(("{ %s; touch %s; } > /dev/null 2>&1 &"):format(command, ended))
  while not is_there(ended) do
    longest_ms = math.max(longest_ms, watch:exec(longest_sql)[1].ms)
    clock.sleep_ms(LOOK_MS)
  end
  local wait_ms = tonumber(app:read("a"))
  app:close()
  os.remove(ended)
  local after = watch:exec(state_sql)[1]
  return { wait_ms = wait_ms, longest_ms = longest_ms,
    wal_per_row = (after.wal - before.wal) / rows, growth = after.size / before.size }
end

return application
