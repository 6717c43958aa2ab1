--- What the catalogs say of the table that a batched migration walks through: its leaves, the key
-- that orders its rows, the types of its columns.

local fault = require("luamig.fault")
local nearest = require("luamig.nearest")
local quote = require("luamig.quote")

local catalog = {}

local function refuse(message, hint)
  fault.raise({ kind = "operation", message = message, hint = hint })
end

-- $1: the name as SQL text, found along the user's search_path.
local relation_sql = [[
SELECT c.oid, c.relkind::text AS kind, n.nspname AS schema, c.relname AS name
FROM pg_catalog.pg_class c
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
WHERE c.oid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)]]

-- Partitions, and the children of plain inheritance together with their parents.
local leaves_sql = [[
WITH RECURSIVE tree (oid) AS (
  SELECT $1::pg_catalog.oid
  UNION ALL
  SELECT i.inhrelid FROM pg_catalog.pg_inherits i
  JOIN tree t ON i.inhparent OPERATOR(pg_catalog.=) t.oid)
SELECT c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname) AS name, c.relkind::text AS kind,
  c.reltuples::float8 AS tuples, c.relpages AS pages,
  (pg_catalog.pg_relation_size(c.oid)
    / pg_catalog.current_setting('block_size')::int8) AS blocks
FROM tree JOIN pg_catalog.pg_class c ON c.oid OPERATOR(pg_catalog.=) tree.oid
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
WHERE c.relkind::text OPERATOR(pg_catalog.<>) 'p'
ORDER BY c.oid]]

-- char(n) without n, and bit likewise, must not become char(1): format_type(…, -1) names them so.
local columns_sql = [[
SELECT a.attname AS name, a.attnotnull AS is_not_null,
  pg_catalog.format_type(a.atttypid, -1) AS type,
  pg_catalog.format_type(COALESCE(NULLIF(t.typbasetype, 0), t.oid), -1) AS base_type,
  t.typcategory::text AS category,
  t.typarray OPERATOR(pg_catalog.<>) 0 AND t.typdelim OPERATOR(pg_catalog.=) ','
    AND t.typcategory OPERATOR(pg_catalog.<>) 'A' AS has_array
FROM pg_catalog.pg_attribute a
JOIN pg_catalog.pg_type t ON t.oid OPERATOR(pg_catalog.=) a.atttypid
WHERE a.attrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid
  AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped
ORDER BY a.attnum]]

-- Every unique index that holds each row once, with the schema of each column's "greater" operator.
local keys_sql = [[
SELECT i.indisprimary AS is_primary,
  pg_catalog.array_agg(a.attname::text ORDER BY k.nth) AS columns,
  pg_catalog.array_agg(DISTINCT n.nspname::text) AS schemas,
  pg_catalog.array_agg(DISTINCT o.oprname::text) AS operators,
  pg_catalog.count(DISTINCT i.indoption[k.nth - 1] OPERATOR(pg_catalog.&) 1) AS directions
FROM pg_catalog.pg_index i,
  LATERAL pg_catalog.generate_series(1, i.indnkeyatts::int4) AS k (nth)
JOIN pg_catalog.pg_attribute a ON true
JOIN pg_catalog.pg_opclass c ON true
JOIN pg_catalog.pg_amop m ON m.amopfamily OPERATOR(pg_catalog.=) c.opcfamily
  AND m.amoplefttype OPERATOR(pg_catalog.=) c.opcintype
  AND m.amoprighttype OPERATOR(pg_catalog.=) c.opcintype
  AND m.amopstrategy OPERATOR(pg_catalog.=) 5
JOIN pg_catalog.pg_operator o ON o.oid OPERATOR(pg_catalog.=) m.amopopr
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) o.oprnamespace
WHERE i.indrelid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND i.indisunique AND i.indisvalid
  AND i.indpred IS NULL AND i.indexprs IS NULL
  AND a.attrelid OPERATOR(pg_catalog.=) i.indrelid
  AND a.attnum OPERATOR(pg_catalog.=) i.indkey[k.nth - 1]
  AND c.oid OPERATOR(pg_catalog.=) i.indclass[k.nth - 1]
GROUP BY i.indexrelid, i.indisprimary
ORDER BY i.indisprimary DESC, pg_catalog.count(*), i.indexrelid]]

local kinds = { v = "a view", m = "a materialized view", f = "a foreign table", S = "a sequence",
  i = "an index", I = "an index", c = "a type" }

local function relation_of(conn, name)
  local row = conn:exec(relation_sql, { quote.name(name) })[1]
  if not row then
    refuse(("the table '%s' does not exist"):format(name),
      "a table outside the search_path is written \"schema.table\"")
  elseif row.kind ~= "r" and row.kind ~= "p" then
    refuse(("'%s' is %s; rows are changed in tables"):format(name, kinds[row.kind] or "no table"))
  end
  return row
end

local function same_set(a, b)
  if #a ~= #b then
    return false
  end
  local seen = {}
  for _, name in ipairs(a) do
    seen[name] = true
  end
  for _, name in ipairs(b) do
    if not seen[name] then
      return false
    end
  end
  return true
end

local function no_key_raise(name, wanted, keys)
  if not wanted then
    refuse(("the table '%s' has no primary key"):format(name),
      'name the columns of a unique index with key, or use key = "ctid" together with remaining')
  end
  local known = {}
  for i, key in ipairs(keys) do
    known[i] = table.concat(key.columns, ", ")
  end
  refuse(("spec.key: no unique index of '%s' has just these columns: %s"):format(name,
    table.concat(wanted, ", ")),
    #known > 0 and "there are: " .. table.concat(known, "; ")
      or "only a unique index gives every row exactly one place")
end

local function key_of(conn, relation, name, wanted)
  local keys = conn:exec(keys_sql, { relation.oid })
  for _, key in ipairs(keys) do
    local fits = not wanted and key.is_primary or wanted and same_set(wanted, key.columns)
    if fits and key.directions == 1 then
      return key
    end
  end
  return no_key_raise(name, wanted, keys)
end

local function columns_by_name(conn, relation)
  local columns = {}
  for _, column in ipairs(conn:exec(columns_sql, { relation.oid })) do
    columns[column.name] = column
  end
  return columns
end

---A column of the table. Raises: operation, with the nearest name.
---@param target luamig.backfill.Target
---@param where string  the option that names it
function catalog.column(target, name, where)
  local column = target.columns[name]
  if not column then
    local names = {}
    for known in pairs(target.columns) do
      names[#names + 1] = known
    end
    local near = nearest.of(name, names)
    refuse(("%s: there is no column '%s' in '%s'"):format(where, name, target.written),
      near and ("did you mean '%s'?"):format(near) or nil)
  end
  return column
end

local function check_no_key(target, name, where)
  for _, column in ipairs(target.key) do
    if column.name == name then
      refuse(("%s: the column '%s' is part of the key, by which the rows are walked through")
        :format(where, name), "a row that moves could be done twice or never; name another key")
    end
  end
end

---A column that may be changed. Raises: operation.
function catalog.changeable(target, name, where)
  local column = catalog.column(target, name, where)
  check_no_key(target, name, where)
  return column
end

local function check_columns(target, spec)
  for _, name in ipairs(spec.read or {}) do
    catalog.column(target, name, "spec.read")
  end
  for _, item in ipairs(spec.set or {}) do
    catalog.changeable(target, item.column, "spec.set")
  end
end

local function key_columns(target, key)
  local list = {}
  for i, name in ipairs(key.columns) do
    local column = catalog.column(target, name, "spec.key")
    if not column.is_not_null then
      refuse(("spec.key: the column '%s' may be NULL, and such rows have no place"):format(name),
        "take a key whose columns are NOT NULL")
    end
    list[i] = column
  end
  return list
end

local function has_key(conn, oid, key)
  for _, index in ipairs(conn:exec(keys_sql, { oid })) do
    if same_set(key, index.columns) then
      return true
    end
  end
  return false
end

-- A child of plain inheritance has indexes of its own, or none: its keys may be there twice.
local function check_children(conn, relation, target, leaves)
  local key = {}
  for i, column in ipairs(target.key) do
    key[i] = column.name
  end
  for _, leaf in ipairs(leaves) do
    if leaf.oid ~= relation.oid and not has_key(conn, leaf.oid, key) then
      refuse(("%s inherits from '%s', but no unique index of its own has just these columns: %s")
        :format(leaf.name, target.written, table.concat(key, ", ")),
        'create one, or use key = "ctid" together with remaining')
    end
  end
end

-- A partitioned table has no rows itself; one statement for all of it says nothing of its leaves.
local function leaves_of(conn, relation, target)
  if target.is_whole then
    local total = { oid = relation.oid, name = target.name, tuples = 0, pages = 0, blocks = 0 }
    for _, leaf in ipairs(conn:exec(leaves_sql, { relation.oid })) do
      total.tuples = total.tuples + math.max(leaf.tuples, 0)
      total.blocks = total.blocks + leaf.blocks
      total.pages = total.pages + leaf.pages
    end
    return { total }
  end
  local leaves = conn:exec(leaves_sql, { relation.oid })
  if relation.kind == "r" and not target.is_ctid then
    check_children(conn, relation, target, leaves)
  end
  for _, leaf in ipairs(leaves) do
    leaf.name = "ONLY " .. leaf.name
  end
  return leaves
end

---@class luamig.backfill.Target
---@field written string      as the script wrote it
---@field name string         qualified and quoted
---@field alias string        the bare name, quoted: what expressions of the script may say
---@field columns table<string, table>
---@field is_ctid boolean
---@field key table[]         columns of the key, in the order of its index
---@field operator string     "OPERATOR(pg_catalog.%s)", or "%s" for operators of several schemas
---@field is_whole boolean    the table is one range, not a range for each of its leaves
---@field leaves table[]

---Reads what is to be known of the table. Raises: operation (no such table, no key).
---@param conn userdata  along whose search_path the table is found
---@param spec luamig.BatchSpec
---@return luamig.backfill.Target
function catalog.read(conn, spec)
  local relation = relation_of(conn, spec.relation)
  local target = {
    written = spec.relation,
    name = quote.ident(relation.schema) .. "." .. quote.ident(relation.name),
    alias = quote.ident(relation.name),
    columns = columns_by_name(conn, relation),
    is_ctid = spec.key == "ctid",
    operator = "OPERATOR(pg_catalog.%s)",
    is_whole = spec.kind == "sql" and not spec.sql:find("{table}", 1, true)
      and spec.key ~= "ctid",
  }
  if target.is_ctid then
    target.key = { { name = "ctid", type = "pg_catalog.tid", base_type = "tid", category = "U",
      has_array = true } }
  else
    local key = key_of(conn, relation, spec.relation, spec.key)
    target.key = key_columns(target, key)
    if #key.schemas == 1 and #key.operators == 1 and key.operators[1] == ">" then
      target.operator = ("OPERATOR(%s.%%s)"):format(
        (quote.ident(key.schemas[1]):gsub("%%", "%%%%")))
    else
      target.operator = "%s"
    end
  end
  check_columns(target, spec)
  target.leaves = leaves_of(conn, relation, target)
  return target
end

return catalog
