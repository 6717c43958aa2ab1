--- The SQL of one batch, as text for the workers. The byte \1 stands for the table of the range, \2
-- for the operator of its lower bound; keys come as text[] parameters. Pure.

local catalog = require("luamig.backfill.catalog")
local quote = require("luamig.quote")
local types = require("luamig.types")

local render = {}

local AFTER, TABLE <const> = "\2", "\1"

-- DateStyle and the like must not change what a key looks like: JSON's form of a time is fixed.
local is_time = {
  ["date"] = true,
  ["timestamp without time zone"] = true,
  ["timestamp with time zone"] = true,
}

-- Types whose values the server sends as ::text would make them.
local is_same_text = { smallint = true, integer = true, bigint = true, uuid = true, text = true,
  ["character varying"] = true, oid = true }

local is_integer = { smallint = true, integer = true, bigint = true }

-- Types whose text needs no quotes in an array.
local is_plain = { smallint = true, integer = true, bigint = true, uuid = true, oid = true }

---Whether keys can be halved by arithmetic.
---@return boolean
function render.is_integer(target)
  return #target.key == 1 and is_integer[target.key[1].base_type] == true
end

local function qualified(alias, column)
  return alias and alias .. "." .. quote.ident(column.name) or quote.ident(column.name)
end

local function key_texts(target, alias)
  local out = {}
  for i, column in ipairs(target.key) do
    local name = qualified(alias, column)
    out[i] = is_time[column.base_type]
      and ("(pg_catalog.to_jsonb(%s) OPERATOR(pg_catalog.#>>) '{}')"):format(name)
      or name .. "::text"
  end
  return out
end

---The key of a row as text[].
function render.key_array(target, alias)
  return "ARRAY[" .. table.concat(key_texts(target, alias), ", ") .. "]"
end

---The columns of the key, for ORDER BY or as what is selected.
function render.key_order(target, alias, direction)
  local out = {}
  for i, column in ipairs(target.key) do
    out[i] = qualified(alias, column) .. (direction and " " .. direction or "")
  end
  return table.concat(out, ", ")
end

-- One comparison of the key with a parameter, which PostgreSQL makes a condition of the index.
local function comparison(target, alias, operator, parameter)
  local left, right = {}, {}
  for i, column in ipairs(target.key) do
    left[i] = qualified(alias, column)
    right[i] = ("(%s::text[])[%d]::%s"):format(parameter, i, column.type)
  end
  if #left == 1 then
    return ("%s %s %s"):format(left[1], operator, right[1])
  end
  return ("ROW(%s) %s ROW(%s)"):format(table.concat(left, ", "), operator,
    table.concat(right, ", "))
end

---The condition that limits a statement to the keys above $lower, up to $upper.
---@param alias? string
function render.range(target, alias, lower, upper)
  return comparison(target, alias, AFTER, lower) .. " AND "
    .. comparison(target, alias, target.operator:format("<="), upper)
end

local function filter(spec)
  return spec.remaining and (" AND (%s)"):format(spec.remaining) or ""
end

local function from_table(target)
  return ("%s AS %s"):format(TABLE, target.alias)
end

local function render_set(target, spec)
  local list = {}
  for i, item in ipairs(spec.set) do
    list[i] = quote.ident(item.column) .. " = " .. item.sql
  end
  return ("UPDATE %s SET %s WHERE %s%s"):format(from_table(target), table.concat(list, ", "),
    render.range(target, target.alias, "$1", "$2"), filter(spec))
end

local function render_sql(target, spec)
  local sql = spec.sql:gsub("{range:?([^}]*)}", function(alias)
    local range = render.range(target, alias ~= "" and alias or nil, "$1", "$2")
    return "(" .. range .. ")"
  end)
  return (sql:gsub("{table}", TABLE))
end

---Where the key's texts are among the columns that are read, from 0: a column of the key that the
---map function reads too, and whose text is the same either way, is not sent twice.
---@return integer[] places
---@return integer count  columns before those that the map function sees
function render.key_places(target, spec)
  local places, count = {}, 0
  local shared = {}
  for i, column in ipairs(target.key) do
    for k, name in ipairs(spec.read) do
      if name == column.name and is_same_text[column.base_type] then
        shared[i] = k - 1
      end
    end
    if not shared[i] then
      places[i] = count
      count = count + 1
    end
  end
  for i, place in pairs(shared) do
    places[i] = count + place
  end
  return places, count
end

---What is read of a row: the columns of its key that the map function does not see, and those that
---it does.
---@return string
function render.read_list(target, spec)
  local texts = key_texts(target, target.alias)
  local places, count = render.key_places(target, spec)
  local list = {}
  for i, place in ipairs(places) do
    if place < count then
      list[place + 1] = ("%s AS luamig_key_%d"):format(texts[i], i)
    end
  end
  for _, name in ipairs(spec.read) do
    list[#list + 1] = target.alias .. "." .. quote.ident(name)
  end
  return table.concat(list, ", ")
end

local function render_read(target, spec)
  return ("SELECT %s FROM %s WHERE %s%s ORDER BY %s"):format(render.read_list(target, spec),
    from_table(target), render.range(target, target.alias, "$1", "$2"), filter(spec),
    render.key_order(target, target.alias))
end

-- How far an integer key is from $1, as a column.
local function width_of(target, key)
  return render.is_integer(target) and (", ((%s)[1]::numeric OPERATOR(pg_catalog.-) "
    .. "($1::text[])[1]::numeric)::float8 AS width"):format(key) or ""
end

-- The key of the $3rd row behind $1; without one, how many rows there are up to $2. Only the key
-- that is found is made a text: a scan evaluates what it returns for every row that OFFSET passes.
local function render_probe(target)
  local where = render.range(target, target.alias, "$1", "$2")
  return ([[
WITH bound AS MATERIALIZED (SELECT %s AS key FROM (SELECT %s FROM %s WHERE %s ORDER BY %s
 OFFSET $3::int8 OPERATOR(pg_catalog.-) 1 LIMIT 1) AS found)
SELECT key, $3::int8 AS rows%s FROM bound UNION ALL
SELECT NULL, (SELECT pg_catalog.count(*) FROM %s WHERE %s)%s
 WHERE NOT EXISTS (SELECT FROM bound)]]):format(render.key_array(target, "found"),
    render.key_order(target, target.alias), from_table(target), where,
    render.key_order(target, target.alias), width_of(target, "key"), from_table(target), where,
    render.is_integer(target) and ", NULL" or "")
end

-- The integer that is $3 behind $1, for rows that are all worked on: how many there are, the work
-- itself tells.
local function render_stride(target, spec)
  if not render.is_integer(target) or spec.kind == "sql" or spec.remaining then
    return nil
  end
  return [[SELECT CASE WHEN s.upper OPERATOR(pg_catalog.<) s.stop THEN ARRAY[s.upper::text] END AS]]
    .. [[ key, NULL::int8 AS rows, $3::int8::float8 AS width FROM (SELECT]]
    .. [[ ($1::text[])[1]::numeric OPERATOR(pg_catalog.+) $3::int8::numeric AS upper,]]
    .. [[ ($2::text[])[1]::numeric AS stop) AS s]]
end

-- In a text of ours: every operator between spaces is pg_catalog's, @name is a piece.
local function assemble(text, pieces)
  text = text:gsub(" ([<>+/-][=>]?) ", " OPERATOR(pg_catalog.%1) ")
  return (text:gsub("@(%a+)", pieces))
end

-- Rows without a key lie in blocks: so many blocks on, or, for less than one, so many rows in it.
local function render_ctid_probe(target, rows_per_block)
  return assemble([[
WITH place AS (SELECT p.at[0]::int8 AS block, p.at[1]::int8 AS line, p.stop[0]::int8 AS last
 FROM (SELECT ($1::text[])[1]::point AS at, ($2::text[])[1]::point AS stop) p),
goal AS (SELECT CASE WHEN $3::int8 >= @rows THEN LEAST(block + $3::int8 / @rows, last)
 WHEN line < 65535 THEN block ELSE LEAST(block + 1, last) END AS block, last FROM place),
bound AS MATERIALIZED (SELECT COALESCE((SELECT @alias.ctid::text FROM @table
 WHERE $3::int8 < @rows AND @alias.ctid > ($1::text[])[1]::tid
 AND @alias.ctid <= pg_catalog.format('(%s,65535)', goal.block)::tid
 ORDER BY @alias.ctid OFFSET $3::int8 - 1 LIMIT 1),
 pg_catalog.format('(%s,65535)', goal.block)) AS key,
 pg_catalog.format('(%s,65535)', goal.last) AS last FROM goal)
SELECT CASE WHEN key <> last THEN ARRAY[key] END AS key, (SELECT pg_catalog.count(*) FROM @table
 WHERE @alias.ctid > ($1::text[])[1]::tid
 AND @alias.ctid <= (SELECT key FROM bound)::tid) AS rows FROM bound]], {
    rows = tostring(rows_per_block),
    alias = target.alias,
    table = from_table(target),
  })
end

-- Half way between the cursor and the end, where that can be said without looking.
local function render_middle(target)
  if target.is_ctid then
    return [[SELECT ARRAY[pg_catalog.format('(%s,65535)', (]]
      .. [[(($1::text[])[1]::point)[0]::int8 OPERATOR(pg_catalog.+) ]]
      .. [[(($2::text[])[1]::point)[0]::int8) OPERATOR(pg_catalog./) 2)] AS key]]
  elseif render.is_integer(target) then
    return "SELECT ARRAY[pg_catalog.trunc((($1::text[])[1]::numeric OPERATOR(pg_catalog.+) "
      .. "($2::text[])[1]::numeric) OPERATOR(pg_catalog./) 2)::text] AS key"
  end
  return nil
end

local function equality(target, alias, i)
  return ("%s %s v.k%d%s"):format(qualified(alias, target.key[i]), target.operator:format("="), i,
    target.key[i].has_array and "" or "::" .. target.key[i].type)
end

local function array_type(column)
  return column.has_array and column.type or "text"
end

local function array_parameter(column, n, field)
  return ("pg_catalog.unnest($%d::%s[]) AS %s"):format(n, array_type(column), field)
end

---Rows that were changed outside, as arrays $1, $2 …: one for each column of the key, then one for
---each changed column, `v.c1` and so on. Raises: operation (no such column).
---@param names string[]  of the changed columns
---@return string[] arrays      for the list of a SELECT; in FROM they would be stored first
---@return string[] conditions  that find the row of each
function render.changed(target, names)
  local arrays, conditions = {}, {}
  for i, column in ipairs(target.key) do
    arrays[i] = array_parameter(column, i, "k" .. i)
    conditions[i] = equality(target, target.alias, i)
  end
  for i, name in ipairs(names) do
    arrays[#arrays + 1] = array_parameter(catalog.column(target, name, "the map function"),
      #arrays + 1, "c" .. i)
  end
  return arrays, conditions
end

-- Rows come in the order of their keys. Where comparing keys is cheap the planner is told so: it
-- then merges them with the index, row by row, instead of hashing one side (measured: 7 % less of
-- the server's time).
local function order(target)
  local column = target.key[1]
  local is_cheap = #target.key == 1 and column.has_array and is_plain[column.base_type]
  return is_cheap and " ORDER BY 1" or ""
end

---The statement that writes changed rows back, for one set of columns. Parameters: an array for
---each column of the key, one for each changed column, one for each old value; lower and upper key.
---With old values only rows are written that are still what they were when read.
---@param target luamig.backfill.Target
---@param spec luamig.BatchSpec
---@param names string[]
---@param is_compared boolean
---@return string
function render.write(target, spec, names, is_compared)
  local alias, sets = target.alias, {}
  local arrays, conditions = render.changed(target, names)
  for i, name in ipairs(names) do
    local column = target.columns[name]
    sets[i] = ("%s = v.c%d%s"):format(quote.ident(name), i,
      column.has_array and "" or "::" .. column.type)
  end
  for i, name in ipairs(is_compared and spec.read or {}) do
    local column = target.columns[name]
    arrays[#arrays + 1] = array_parameter(column, #arrays + 1, "o" .. i)
    conditions[#conditions + 1] = ("%s.%s::text IS NOT DISTINCT FROM v.o%d::%s::text"):format(alias,
      quote.ident(name), i, column.type)
  end
  local count = #arrays
  conditions[#conditions + 1] = render.range(target, alias, "$" .. count + 1, "$" .. count + 2)
  return ("UPDATE %s SET %s FROM (SELECT %s%s) AS v WHERE %s"):format(from_table(target),
    table.concat(sets, ", "), table.concat(arrays, ", "), order(target),
    table.concat(conditions, " AND "))
end

---What a map function may change, for the workers. Raises: operation (no such column).
---@return boolean  whether a Lua string is the text form of the column as it is
function render.is_text_plain(target, name)
  local column = catalog.changeable(target, name, "the map function")
  return column.base_type ~= "bytea" and column.category ~= "A"
    and not types.is_json(column.base_type)
end

---Which columns of the key need no quotes in an array.
---@return boolean[]
function render.is_key_plain(target)
  local out = {}
  for i, column in ipairs(target.key) do
    out[i] = is_plain[column.base_type] == true
  end
  return out
end

---The texts of a job, by the names that luamig.core.batch takes.
---@param rows_per_block integer  of a table without a key
---@return table<string, string>
function render.texts(target, spec, rows_per_block)
  local texts = {
    after = target.operator:format(">"),
    from = target.operator:format(">="),
    middle = render_middle(target),
    stride = render_stride(target, spec),
    probe = target.is_ctid and render_ctid_probe(target, rows_per_block) or render_probe(target),
    vacuum = "VACUUM (SKIP_LOCKED) " .. target.name,
  }
  if spec.kind == "map" then
    texts.read = render_read(target, spec)
  else
    texts.work = spec.kind == "set" and render_set(target, spec) or render_sql(target, spec)
  end
  return texts
end

return render
