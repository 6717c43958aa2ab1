--- The rows of a scratch database: kept as texts before a revision runs, and compared afterwards
-- with what is there then, in the columns that are there at both times. All of it is done by the
-- server, a statement a table, in one pipeline; only rows that differ are fetched.

local quote = require("luamig.quote")

local values = {}

local Values = {}
Values.__index = Values

local ROWS_TOLD <const> = 3 -- of each table

local keeping_sql = [[
  CREATE TEMPORARY TABLE luamig_roundtrip_rows (
    place pg_catalog.int4 NOT NULL, key pg_catalog.text[], cells pg_catalog.text[] NOT NULL)]]

-- Rows of a partition are in the partition.
local function has_rows(object)
  return object.kind == "table" and not object.partition_by and object.columns ~= nil
    and #object.columns > 0
end

local function primary_key(value, identity)
  for _, object in pairs(value.objects) do
    if object.parent == identity and object.type == "primary_key" then
      return object.columns
    end
  end
  return nil
end

local function array_sql(columns)
  local pieces = {}
  for i, column in ipairs(columns) do
    pieces[i] = quote.ident(column) .. "::pg_catalog.text"
  end
  return ("ARRAY[%s]::pg_catalog.text[]"):format(table.concat(pieces, ", "))
end

local function column_names(object)
  local names = {}
  for i, column in ipairs(object.columns) do
    names[i] = column.name
  end
  return names
end

local function tables_of(value)
  local list = {}
  for identity, object in pairs(value.objects) do
    if has_rows(object) then
      list[#list + 1] = {
        identity = identity,
        sql_name = quote.ident(object.schema) .. "." .. quote.ident(object.name),
        columns = column_names(object),
        key = primary_key(value, identity),
      }
    end
  end
  table.sort(list, function(a, b)
    return a.identity < b.identity
  end)
  return list
end

---Keeps the rows of all tables, for this connection.
---Raises: server, connection, interrupted.
---@param conn userdata
---@param value table  of luamig.snapshot: what is there now
---@return table
function values.keep(conn, value)
  local self = setmetatable({ conn = conn, tables = tables_of(value) }, Values)
  conn:send("DROP TABLE IF EXISTS pg_temp.luamig_roundtrip_rows")
  conn:send(keeping_sql)
  for i, each in ipairs(self.tables) do
    conn:send(("INSERT INTO pg_temp.luamig_roundtrip_rows SELECT %d, %s, %s FROM ONLY %s"):format(
      i, each.key and array_sql(each.key) or "NULL", array_sql(each.columns), each.sql_name))
  end
  conn:sync()
  return self
end

local function place_of(names, name)
  for i, each in ipairs(names) do
    if each == name then
      return i
    end
  end
  return nil
end

local function contains_all(names, wanted)
  for _, name in ipairs(wanted) do
    if not place_of(names, name) then
      return false
    end
  end
  return true
end

-- The columns that are there at both times, and where their values lie among those kept.
local function surviving(each, now)
  local common, places = {}, {}
  for i, name in ipairs(each.columns) do
    if place_of(now, name) then
      common[#common + 1] = name
      places[#places + 1] = "k.cells[" .. i .. "]"
    end
  end
  local key = each.key
  if key and not contains_all(common, key) then
    key = nil -- without its key a row is known by its values only
  end
  return common, ("ARRAY[%s]::pg_catalog.text[]"):format(table.concat(places, ", ")), key
end

-- Hashes are summed up, so that the order of rows does not matter and nothing need be sorted.
local sums_sql = [[
  SELECT t.rows AS rows_then, n.rows AS rows_now,
         t.rows OPERATOR(pg_catalog.=) n.rows AND t.sum OPERATOR(pg_catalog.=) n.sum AS is_same
    FROM (SELECT pg_catalog.count(*) AS rows, COALESCE(pg_catalog.sum(
            pg_catalog.hashtextextended(%s::pg_catalog.text, 0)), 0) AS sum
            FROM pg_temp.luamig_roundtrip_rows k WHERE k.place OPERATOR(pg_catalog.=) %d) t,
         (SELECT pg_catalog.count(*) AS rows, COALESCE(pg_catalog.sum(
            pg_catalog.hashtextextended(%s::pg_catalog.text, 0)), 0) AS sum FROM ONLY %s) n]]

local keyed_sql = [[
  SELECT COALESCE(k.key, n.key) AS key, k.cells AS was, n.cells AS now
    FROM (SELECT k.key, %s AS cells FROM pg_temp.luamig_roundtrip_rows k
           WHERE k.place OPERATOR(pg_catalog.=) %d) k
    FULL JOIN (SELECT %s AS key, %s AS cells FROM ONLY %s) n
      ON k.key OPERATOR(pg_catalog.=) n.key
   WHERE k.cells IS DISTINCT FROM n.cells
   ORDER BY COALESCE(k.key, n.key) LIMIT %d]]

local unkeyed_sql = [[
  (SELECT NULL::pg_catalog.text[] AS key, d.cells AS was, NULL::pg_catalog.text[] AS now
     FROM (SELECT %s AS cells FROM pg_temp.luamig_roundtrip_rows k
            WHERE k.place OPERATOR(pg_catalog.=) %d EXCEPT ALL SELECT %s FROM ONLY %s) d
    ORDER BY d.cells LIMIT %d)
  UNION ALL
  (SELECT NULL, NULL, d.cells
     FROM (SELECT %s AS cells FROM ONLY %s EXCEPT ALL
           SELECT %s FROM pg_temp.luamig_roundtrip_rows k
            WHERE k.place OPERATOR(pg_catalog.=) %d) d
    ORDER BY d.cells LIMIT %d)]]

local function differing_rows(self, i, each, common, then_sql, key)
  local now_sql, name = array_sql(common), each.sql_name
  if key then
    return self.conn:exec(keyed_sql:format(then_sql, i, array_sql(key), now_sql, name, ROWS_TOLD))
  end
  return self.conn:exec(unkeyed_sql:format(then_sql, i, now_sql, name, ROWS_TOLD, now_sql, name,
    then_sql, i, ROWS_TOLD))
end

---@class luamig.roundtrip.Loss
---@field identity string  of the table
---@field columns string[]  those compared
---@field rows_then integer
---@field rows_now integer
---@field key string[]|nil  names of the key columns
---@field rows { key: string[]|nil, was: table|nil, now: table|nil }[]  the first that differ: the
---  texts of the columns; a row that is gone has no `now`, a new one no `was`

local function compare_table(self, i, each, now, sums)
  local common, then_sql, key = surviving(each, now)
  if sums.is_same then
    return nil
  end
  return {
    identity = each.identity,
    columns = common,
    key = key,
    rows_then = sums.rows_then,
    rows_now = sums.rows_now,
    rows = differing_rows(self, i, each, common, then_sql, key),
  }
end

local columns_sql = [[
  SELECT n.nspname AS schema, c.relname AS name,
         pg_catalog.array_agg(a.attname::pg_catalog.text ORDER BY a.attnum) AS columns
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
    JOIN pg_catalog.pg_attribute a ON a.attrelid OPERATOR(pg_catalog.=) c.oid
   WHERE c.relkind OPERATOR(pg_catalog.=) 'r' AND c.relpersistence OPERATOR(pg_catalog.<>) 't'
     AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped
     AND n.nspname OPERATOR(pg_catalog.<>) ALL ('{pg_catalog,information_schema}')
   GROUP BY 1, 2]]

-- The columns of the tables that are there now, by identity.
local function columns_now(conn)
  local out = {}
  for _, row in ipairs(conn:exec(columns_sql)) do
    out[("table %s.%s"):format(quote.ident(row.schema), quote.ident(row.name))] = row.columns
  end
  return out
end

---Compares what was kept with what is there. Tables that are gone are for the schema to tell.
---Raises: server, connection, interrupted.
---@return luamig.roundtrip.Loss[]
function Values:losses()
  local conn, compared = self.conn, {}
  local all_now = columns_now(conn)
  for i, each in ipairs(self.tables) do
    local now = all_now[each.identity]
    local common, then_sql = surviving(each, now or {})
    if #common > 0 then
      conn:send(sums_sql:format(then_sql, i, array_sql(common), each.sql_name), nil,
        { keep = true })
      compared[#compared + 1] = { place = i, now = now }
    end
  end
  conn:sync()
  local all_sums = {}
  for n in ipairs(compared) do
    local _, rows = conn:take()
    all_sums[n] = rows[1]
  end
  local losses = {}
  for n, one in ipairs(compared) do
    losses[#losses + 1] = compare_table(self, one.place, self.tables[one.place], one.now,
      all_sums[n])
  end
  return losses
end

local CELL_AT_MOST <const> = 40 -- bytes

local escapes = { ["\\"] = "\\\\", ["'"] = "''", ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t" }

-- On one line, as SQL would have it; control characters must not reach the terminal.
local function cell(text)
  if type(text) ~= "string" then
    return "NULL"
  end
  if #text > CELL_AT_MOST then
    text = text:sub(1, (utf8.offset(text, 0, CELL_AT_MOST) or CELL_AT_MOST + 1) - 1) .. "…"
  end
  if not text:find("%c") then
    return quote.string(text)
  end
  return "E'" .. text:gsub("[%c\\']", function(c)
    return escapes[c] or ("\\x%02x"):format(c:byte())
  end) .. "'"
end

local function named(names, cells)
  local pieces = {}
  for i, name in ipairs(names) do
    pieces[i] = ("%s = %s"):format(name, cell(cells[i]))
  end
  return table.concat(pieces, ", ")
end

local function changes(loss, row)
  local pieces = {}
  for i, name in ipairs(loss.columns) do
    if row.was[i] ~= row.now[i] then
      pieces[#pieces + 1] = ("%s was %s, is %s"):format(name, cell(row.was[i]), cell(row.now[i]))
    end
  end
  return table.concat(pieces, "; ")
end

local function is_absent(cells)
  return type(cells) ~= "table"
end

local function row_line(loss, row)
  local who = loss.key and "row " .. named(loss.key, row.key) .. ": " or ""
  if is_absent(row.now) then
    return ("%sgone%s"):format(who, loss.key and "" or ": " .. named(loss.columns, row.was))
  elseif is_absent(row.was) then
    return ("%snew%s"):format(who, loss.key and "" or ": " .. named(loss.columns, row.now))
  end
  return who .. changes(loss, row)
end

local function count(rows)
  return ("%d row%s"):format(rows, rows == 1 and "" or "s")
end

---@param loss luamig.roundtrip.Loss
---@return string[]
function values.lines(loss)
  local head = count(loss.rows_then)
  if loss.rows_then ~= loss.rows_now then
    head = ("%s before, %d after"):format(head, loss.rows_now)
  end
  local lines = { ("%s (%s)"):format(loss.identity, head) }
  for _, row in ipairs(loss.rows) do
    lines[#lines + 1] = "  " .. row_line(loss, row)
  end
  return lines
end

return values
