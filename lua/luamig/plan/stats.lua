--- Sizes of the tables of production, in a file without data: what a plan scales its durations by.

local cjson = require("cjson")
local fault = require("luamig.fault")
local files = require("luamig.files")

local stats = {}

-- Indexes are counted with their table, partitions for themselves.
local sizes_sql = [[
SELECT pg_catalog.format('%s.%s', n.nspname, c.relname) AS name,
       pg_catalog.greatest(c.reltuples, 0)::int8 AS rows, c.relpages::int8 AS pages,
       pg_catalog.pg_table_size(c.oid) AS bytes, pg_catalog.pg_indexes_size(c.oid) AS index_bytes,
       ((coalesce(s.n_tup_ins, 0) + coalesce(s.n_tup_upd, 0) + coalesce(s.n_tup_del, 0))
         / pg_catalog.greatest(1, pg_catalog.date_part('epoch', pg_catalog.now()
         - coalesce(d.stats_reset, pg_catalog.pg_postmaster_start_time()))))::float8
         AS writes_per_s
  FROM pg_catalog.pg_class c
  JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
  LEFT JOIN pg_catalog.pg_stat_user_tables s ON s.relid = c.oid
  JOIN pg_catalog.pg_stat_database d ON d.datname = pg_catalog.current_database()
 WHERE c.relkind IN ('r', 'm') AND c.relpersistence <> 't'
   AND n.nspname <> ALL (ARRAY['pg_catalog', 'information_schema', 'pg_toast'])
 ORDER BY 1]]

---Reads the sizes of a database. Raises: server, connection.
---@param conn userdata
---@return table  { format = "luamig stats 1", server_version =, tables = { [name] = … } }
function stats.export(conn)
  local tables = {}
  conn:exec("BEGIN READ ONLY")
  conn:exec("SET LOCAL search_path = pg_catalog")
  local ok, rows = pcall(conn.exec, conn, (sizes_sql:gsub("pg_catalog%.greatest", "greatest")))
  conn:exec("ROLLBACK")
  if not ok then
    error(rows, 0)
  end
  for _, row in ipairs(rows) do
    tables[row.name] = {
      rows = row.rows, pages = row.pages, bytes = row.bytes, index_bytes = row.index_bytes,
      writes_per_s = math.floor(row.writes_per_s * 100 + 0.5) / 100,
    }
  end
  return { format = "luamig stats 1", server_version = conn:info().server_version,
    tables = tables }
end

local function refuse(path, why)
  fault.raise({ kind = "usage", message = ("the file '%s' is no file of sizes: %s"):format(path,
    why), try = "luamig --env production plan --export-stats " .. path })
end

local fields = { "rows", "bytes", "index_bytes" }

local function check_table(path, name, sizes)
  for _, field in ipairs(fields) do
    if type(sizes) ~= "table" or type(sizes[field]) ~= "number" then
      refuse(path, ("'%s' of table '%s' is not a number"):format(field, name))
    end
  end
end

---Raises: usage (not there, not of luamig, damaged).
---@param path string
---@return { server_version: integer, tables: table<string, table> }
function stats.read(path)
  local text = files.read(path)
  if not text then
    refuse(path, "it is not there")
  end
  local ok, value = pcall(cjson.decode, text)
  if not ok or type(value) ~= "table" or value.format ~= "luamig stats 1"
    or type(value.tables) ~= "table" then
    refuse(path, "it does not begin as one of luamig's")
  end
  for name, sizes in pairs(value.tables) do
    check_table(path, name, sizes)
  end
  return value
end

return stats
