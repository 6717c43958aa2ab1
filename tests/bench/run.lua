-- Each row: the same work by luamig and by the limit it is measured against, in turns, in one run.
-- Prints medians and ratios. Usage: luamig lua tests/bench/run.lua [ROW…]
package.path = "tests/?.lua;" .. package.path

local application = require("bench.application")
local clock = require("luamig.core.clock")
local conn = require("luamig.core.conn")
local lfs = require("lfs")
local project = require("support.project")
local server = require("support.server")

local BINARY <const> = assert(os.getenv("LUAMIG"), "LUAMIG names the binary")
local FLOOR <const> = BINARY:gsub("luamig$", "bench_floor")
local DELAY <const> = BINARY:gsub("luamig$", "bench_delay")

local function shell(command)
  local ok, how, status = os.execute(command)
  if not ok then
    error(("%s: %s %s"):format(command, how, status))
  end
end

local function timed(fn)
  local start = clock.now_ms()
  fn()
  return clock.now_ms() - start
end

local function median(list)
  table.sort(list)
  return list[(#list + 1) // 2]
end

-- Both sides in turns, so that a noisy machine is noisy to both. What `clean` does after each is
-- not timed.
local function compare(rounds, luamig, limit, clean)
  local ours, theirs, ratios = {}, {}, {}
  clean = clean or function() end
  for i = 1, rounds do
    theirs[i] = timed(limit)
    clean()
    ours[i] = timed(luamig)
    clean()
    ratios[i] = ours[i] / theirs[i]
  end
  return median(ours), median(theirs), median(ratios)
end

local function line(row, what, ours, theirs, ratio, reach)
  print(("%-2s %-58s %7d ms  %7d ms  %5.2fx  (reach %s) %s"):format(row, what, ours, theirs, ratio,
    reach, ratio <= tonumber(reach) and "ok" or "MISSED"))
end

local function new_scene(url)
  local p = project.new()
  p:write("luamig.lua", ("return { url = %q }\n"):format(url))
  lfs.mkdir(p:path("versions"))
  return p
end

local function luamig(p, words)
  shell(("cd %s && %s %s -q"):format(p.root, BINARY, words))
end

local function revision(p, i, up, down)
  p:write(("versions/%05d.lua"):format(i), ([[
--- revision %d
-- Revision ID: %05d

revision = "%05d"
down_revision = %s

function upgrade()
%s
end

function downgrade()
%s
end
]]):format(i, i, i, i > 1 and ('"%05d"'):format(i - 1) or "nil", up, down or ""))
end

local function fresh(database)
  local c <close> = conn.open({ url = database.url })
  c:exec("DROP SCHEMA IF EXISTS public CASCADE")
  c:exec("DROP SCHEMA IF EXISTS luamig CASCADE")
  c:exec("CREATE SCHEMA public")
end

local function table_sql(i)
  return ("CREATE TABLE t%d (id integer PRIMARY KEY, name text)"):format(i),
    ("CREATE INDEX i%d ON t%d (name)"):format(i, i)
end

local function tables_file(p, count)
  local lines = {}
  for i = 1, count do
    local a, b = table_sql(i)
    lines[#lines + 1] = a .. "\n" .. b .. "\n\n"
  end
  return p:write("floor.sql", table.concat(lines))
end

local function table_revisions(p, count)
  for i = 1, count do
    revision(p, i, ([[
  op.create_table("t%d", { op.column("id", "integer", { primary_key = true }),
    op.column("name", "text") })
  op.create_index("i%d", "t%d", { "name" })]]):format(i, i, i))
  end
end

local rows = {}

rows[1] = function()
  local database <close> = server.database()
  local p = new_scene(database.url)
  table_revisions(p, 5)
  luamig(p, "upgrade")
  local times = 50
  local ours, theirs, ratio = compare(7, function()
    shell(("cd %s; i=0; while [ $i -lt %d ]; do %s current > /dev/null || exit 1; i=$((i+1)); done")
      :format(p.root, times, BINARY))
  end, function()
    shell(("i=0; while [ $i -lt %d ]; do %s row '%s' || exit 1; i=$((i+1)); done"):format(times,
      FLOOR, database.url))
  end)
  line(1, ("current, %d times (a C program that reads one row)"):format(times), ours, theirs, ratio,
    "1.5")
  p:remove()
end

rows[2] = function()
  local database <close> = server.database()
  local p = new_scene(database.url)
  table_revisions(p, 1000)
  local file = tables_file(p, 1000)
  local ours, theirs, ratio = compare(5, function()
    luamig(p, "upgrade")
  end, function()
    shell(("%s each '%s' %s"):format(FLOOR, database.url, file))
  end, function()
    fresh(database)
  end)
  line(2, "1000 revisions (the SQL in 1000 transactions)", ours, theirs, ratio, "1.1")
  p:remove()
end

rows[3] = function()
  local database <close> = server.database()
  local p = new_scene(database.url)
  local up, file = {}, {}
  for i = 1, 250 do
    local a, b = table_sql(i)
    up[#up + 1] = ("  op.execute(%q)\n  op.execute(%q)"):format(a, b)
    file[#file + 1] = a .. "\n" .. b .. "\n"
  end
  revision(p, 1, table.concat(up, "\n"))
  local path = p:write("floor.sql", table.concat(file))
  local ours, theirs, ratio = compare(9, function()
    luamig(p, "upgrade")
  end, function()
    shell(("%s pipeline '%s' %s"):format(FLOOR, database.url, path))
  end, function()
    fresh(database)
  end)
  line(3, "one revision of 500 statements (pipelined, one transaction)", ours, theirs, ratio, "1.1")
  p:remove()
end

local function names_file(p)
  local names = {}
  for _, name in ipairs(p:list("versions")) do
    names[#names + 1] = p:path("versions/" .. name) .. "\n"
  end
  return p:write("names", table.concat(names))
end

rows[4] = function()
  local database <close> = server.database()
  local p = new_scene(database.url)
  table_revisions(p, 1000)
  luamig(p, "upgrade")
  local names = names_file(p)
  local ours, theirs, ratio = compare(9, function()
    for _ = 1, 5 do
      luamig(p, "upgrade")
    end
  end, function()
    for _ = 1, 5 do
      shell(("%s read < %s > /dev/null; %s row '%s'"):format(FLOOR, names, FLOOR, database.url))
    end
  end)
  line(4, "no-op upgrade, 1000 applied, 5 times (reading the files)", ours, theirs, ratio, "3")
  p:remove()
  p = new_scene(database.url)
  table_revisions(p, 5000)
  names = names_file(p)
  ours, theirs, ratio = compare(9, function()
    for _ = 1, 5 do
      luamig(p, "history > /dev/null")
    end
  end, function()
    for _ = 1, 5 do
      shell(("%s read < %s > /dev/null"):format(FLOOR, names))
    end
  end)
  line(4, "history of 5000 files, 5 times (reading the files)", ours, theirs, ratio, "3")
  p:remove()
end

rows[5] = function()
  local round_trip_ms <const> = 10
  local database <close> = server.database()
  local socket = server.url():match("host=([^&]+)"):gsub("%%2F", "/")
  local folder = os.tmpname()
  os.remove(folder)
  lfs.mkdir(folder)
  shell(("%s %s/.s.PGSQL.5432 %s/.s.PGSQL.5432 %d > %s/log & echo $! > %s/pid"):format(DELAY,
    folder, socket, round_trip_ms, folder, folder))
  local slow = database.url:gsub("host=[^&]+", "host=" .. folder)
  local p = new_scene(slow)
  table_revisions(p, 200)
  local file = tables_file(p, 200)
  local ours, theirs, ratio = compare(9, function()
    luamig(p, "upgrade")
  end, function()
    shell(("%s stream '%s' %s"):format(FLOOR, slow, file))
  end, function()
    fresh(database)
  end)
  line(5, "200 revisions over a link of 10 ms (one libpq pipeline)", ours, theirs, ratio, "1.2")
  local pipe = io.popen(("cd %s && %s upgrade -vv 2>&1 | tail -1"):format(p.root, BINARY))
  print("   " .. pipe:read("a"):gsub("\n", ""))
  pipe:close()
  shell(("kill $(cat %s/pid); rm -r %s"):format(folder, folder))
  p:remove()
end

-- The queries of a snapshot as a script for psql.
local function snapshot_file(p, database)
  local c <close> = conn.open({ url = database.url })
  local queries = require("luamig.snapshot.reader").queries({}, c:info().server_version)
  return p:write("queries.sql", "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY;\n"
    .. "SET LOCAL search_path = pg_catalog; SET LOCAL jit = off;\n"
    .. table.concat(queries, ";\n") .. ";\nCOMMIT;\n")
end

rows[8] = function()
  local database <close> = server.database()
  local c <close> = conn.open({ url = database.url })
  c:exec([[DO $$ BEGIN FOR i IN 1..1000 LOOP
    EXECUTE format('CREATE TABLE t%s (id bigint PRIMARY KEY, parent bigint REFERENCES t%s, a text,
      b text, c varchar(100) NOT NULL, d text DEFAULT ''x'', e numeric(12,2) DEFAULT 0,
      f timestamptz NOT NULL DEFAULT now(), g jsonb, h boolean)', i, greatest(i - 1, 1));
    EXECUTE format('CREATE INDEX ON t%s (a); CREATE UNIQUE INDEX ON t%s (lower(b)) WHERE h', i, i);
    END LOOP; END $$]])
  local p = project.new()
  local queries = snapshot_file(p, database)
  local script = p:write("read.lua", ([[
    local c <close> = require("luamig.core.conn").open({ url = %q })
    require("luamig.snapshot").read(c)]]):format(database.url))
  local ours, theirs, ratio = compare(9, function()
    shell(("%s lua %s"):format(BINARY, script))
  end, function()
    shell(("psql -qX -v ON_ERROR_STOP=1 -o /dev/null -f %s '%s'"):format(queries, database.url))
  end)
  line(8, "snapshot of 1000 tables (its queries in psql)", ours, theirs, ratio, "1.5")
  p:remove()
end

local function reversible_tables(p, count)
  for i = 1, count do
    revision(p, i, ([[
  op.create_table("t%d", { op.column("id", "integer", { primary_key = true }),
    op.column("name", "text") })
  op.create_index("i%d", "t%d", { "name" })]]):format(i, i, i),
      ([[  op.drop_index("i%d")
  op.drop_table("t%d")]]):format(i, i))
  end
end

-- The DDL of all revisions three times, each time in an empty database, as up, down and up are.
rows[9] = function()
  local databases = { server.database(), server.database(), server.database() }
  local p = new_scene("embedded")
  reversible_tables(p, 1000)
  local file = tables_file(p, 1000)
  local ours, theirs, ratios = {}, {}, {}
  for i = 1, 5 do
    theirs[i] = timed(function()
      for _, database in ipairs(databases) do
        shell(("%s each '%s' %s"):format(FLOOR, database.url, file))
      end
    end)
    for _, database in ipairs(databases) do
      fresh(database)
    end
    ours[i] = timed(function()
      luamig(p, "test-roundtrip > /dev/null")
    end)
    ratios[i] = ours[i] / theirs[i]
  end
  line(9, "test-roundtrip of 1000 revisions (3 times their DDL)", median(ours), median(theirs),
    median(ratios), "2")
  p:remove()
  for _, database in ipairs(databases) do
    database.drop()
  end
end

local MILLION <const> = 1000000

local function users_fresh(database)
  local c <close> = conn.open({ url = database.url })
  c:exec("DROP TABLE IF EXISTS users")
  c:exec("CREATE TABLE users (id bigint, email text, pad text, email_norm text) "
    .. "WITH (autovacuum_enabled = false)")
  c:exec("INSERT INTO users SELECT i, 'User' || i || '@Example.COM', repeat('x', 120), NULL "
    .. "FROM generate_series(1, $1::int) i", { MILLION })
  c:exec("ALTER TABLE users ADD PRIMARY KEY (id)")
  c:exec("VACUUM ANALYZE users")
  c:exec("CHECKPOINT")
end

local function backfill_project(database, work)
  local p = new_scene(database.url)
  revision(p, 1, ('  op.batch_execute("users", { table = "users", %s })'):format(work),
    '  op.execute("SELECT 1")')
  return p
end

-- A server whose memory holds the table, as a production server's does.
local function roomy_server()
  local started = require("luamig.core.server").ephemeral({ in_memory = true,
    settings = { shared_buffers = "600MB", max_wal_size = "4GB", checkpoint_timeout = "1h" } })
  return setmetatable({ url = started:url() }, {
    __close = function()
      started:close()
    end,
  })
end

local floor_script <const> = [[
  local c <close> = require("luamig.core.conn").open({ url = %q })
  c:exec("UPDATE users SET email_norm = lower(email)")]]

-- Once more, with an application at work: what it waits for, and what is written.
local function beside_application(database, p)
  users_fresh(database)
  local theirs = application.beside(database.url, BINARY, MILLION, ("%s lua %s"):format(BINARY,
    p:write("floor.lua", floor_script:format(database.url))), p)
  users_fresh(database)
  local ours = application.beside(database.url, BINARY, MILLION,
    ("cd %s && %s upgrade -q"):format(p.root, BINARY), p)
  print(("   beside an application: worst wait of its UPDATE of a row %d ms (%d ms), longest "
    .. "transaction %d ms (%d ms)"):format(ours.wait_ms, theirs.wait_ms, ours.longest_ms,
    theirs.longest_ms))
  print(("   WAL %.0f B a row (%.0f B), the table grew to %.2f of its size (%.2f)"):format(
    ours.wal_per_row, theirs.wal_per_row, ours.growth, theirs.growth))
  luamig(p, "downgrade base --yes")
end

-- Each side on a table of its own making; only the work is timed.
local function backfill_row(database, row, what, work, reach)
  local p = backfill_project(database, work)
  local ours, theirs, ratios = {}, {}, {}
  for i = 1, 5 do
    users_fresh(database)
    theirs[i] = timed(function()
      local c <close> = conn.open({ url = database.url })
      c:exec("UPDATE users SET email_norm = lower(email)")
    end)
    users_fresh(database)
    ours[i] = timed(function()
      luamig(p, "upgrade")
    end)
    ratios[i] = ours[i] / theirs[i]
    luamig(p, "downgrade base --yes")
  end
  line(row, what, median(ours), median(theirs), median(ratios), reach)
  local c <close> = conn.open({ url = database.url })
  local batches = c:exec("SELECT sum(batches)::int AS n, (sum(ms) / sum(batches))::int AS ms "
    .. "FROM luamig.backfill_range")[1]
  print(("   %d batches of %d ms"):format(batches.n, batches.ms))
  beside_application(database, p)
  p:remove()
end

rows[6] = function()
  local database <close> = roomy_server()
  backfill_row(database, 6, "SQL backfill of 1,000,000 rows (one UPDATE)",
    'set = { email_norm = op.sql("lower(email)") }', "1.053")
end

local transform <const> = [[read = { "id", "email" }, workers = %d, consistency = "%s",
  map = function(row)
    return { email_norm = row.email:lower() }
  end]]

-- What two sessions make of the machine's processors and of the server's locks: the limit of two
-- workers.
local function two_sessions(database)
  local times = {}
  for i = 1, 5 do
    users_fresh(database)
    local a <close> = conn.open({ url = database.url })
    local b <close> = conn.open({ url = database.url })
    times[i] = timed(function()
      a:send("UPDATE users SET email_norm = lower(email) WHERE id <= $1::int", { MILLION // 2 })
      b:send("UPDATE users SET email_norm = lower(email) WHERE id > $1::int", { MILLION // 2 })
      a:push()
      b:push()
      a:sync()
      b:sync()
    end)
  end
  print(("   two sessions with an UPDATE of half the rows each: %d ms"):format(median(times)))
end

rows[7] = function()
  local database <close> = roomy_server()
  backfill_row(database, 7, "Lua row transform of 1,000,000 rows (one UPDATE)",
    transform:format(1, "lock"), "1.667")
  backfill_row(database, 7, "the same with two workers", transform:format(2, "lock"), "1.0")
  backfill_row(database, 7, "two workers, rows compared and not locked",
    transform:format(2, "compare"), "1.0")
  two_sessions(database)
end

local peak_script <const> = [[
  local spec = require("luamig.batch_spec").check("peak", { table = "users", read = { "email" },
    map = function(row)
      return { email_norm = row.email:lower() }
    end })
  require("luamig.backfill").run_inline({ url = %q }, spec, {})
  print(io.open("/proc/self/status"):read("a"):match("VmHWM:%%s*(%%d+)"))]]

-- The most memory that a transform of so many rows has in use, in kB.
local function peak_kb(p, url, row_count)
  local c <close> = conn.open({ url = url })
  c:exec("DROP TABLE IF EXISTS users")
  c:exec("CREATE UNLOGGED TABLE users (id bigint PRIMARY KEY, email text, email_norm text)")
  c:exec("INSERT INTO users SELECT i, 'User' || i FROM generate_series(1, $1::int) i",
    { row_count })
  c:exec("VACUUM ANALYZE users")
  local pipe = io.popen(("%s lua %s"):format(BINARY, p:write("peak.lua", peak_script:format(url))))
  local peak = tonumber(pipe:read("a"))
  pipe:close()
  return peak
end

rows[10] = function()
  local database <close> = roomy_server()
  local p = project.new()
  local few, many = peak_kb(p, database.url, MILLION // 10), peak_kb(p, database.url, 10 * MILLION)
  print(("10 %-58s %7d kB  %7d kB  %5.2fx"):format("memory of a transform of 10,000,000 rows "
    .. "(of 100,000)", many, few, many / few))
  p:remove()
end

print(("%-61s %10s %11s %7s"):format("", "luamig", "limit", "ratio"))
local wanted = #arg > 0 and arg or { 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 }
for _, name in ipairs(wanted) do
  rows[math.tointeger(tonumber(name))]()
end
