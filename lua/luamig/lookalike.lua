--- What is there instead, when a statement names a relation that is not there or is of another
-- kind: one in capitals, in another schema, a materialized view where a view was meant.

local quote = require("luamig.quote")

local lookalike = {}

local UNDEFINED_TABLE <const> = "42P01"
local WRONG_OBJECT_TYPE <const> = "42809"

local kinds = {
  r = "table", p = "table", v = "view", m = "materialized view", f = "foreign table",
  S = "sequence", i = "index", I = "index",
}

-- A name with a dot is of a schema, or has a dot in it.
local relations_sql = [[
  SELECT n.nspname AS schema, c.relname AS name, c.relkind AS kind
    FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
   WHERE pg_catalog.lower(c.relname) OPERATOR(pg_catalog.=) ANY (ARRAY[pg_catalog.lower($1),
           pg_catalog.lower(pg_catalog.regexp_replace($1, '^[^.]*[.]', ''))])
     AND c.relkind OPERATOR(pg_catalog.=) ANY ('{r,p,v,m,f,S,i,I}')
     AND n.nspname OPERATOR(pg_catalog.!~) '^pg_|^information_schema$'
   ORDER BY c.relname OPERATOR(pg_catalog.=) $1 DESC, 1, 2 LIMIT 4]]

local function relations(conn, name)
  local ok, rows = pcall(conn.exec, conn, relations_sql, { name })
  return ok and rows or {}
end

local function shown(row)
  return quote.ident(row.schema) .. "." .. quote.ident(row.name)
end

local function listed(rows)
  local names = {}
  for i, row in ipairs(rows) do
    names[i] = ("the %s %s"):format(kinds[row.kind], shown(row))
  end
  return table.concat(names, " and ")
end

local function is_one_in_capitals(rows, name)
  local plain = name:match("([^.]*)$")
  return #rows == 1 and rows[1].name ~= plain and rows[1].name ~= name
end

-- The server leaves the schema out when it is a table to be dropped that is not there.
local function is_qualified(f, name)
  local statement = f.statement or ""
  return name:find(".", 1, true) or statement:find("." .. name, 1, true)
    or statement:find('."' .. name, 1, true)
end

local function of_absent(rows, name, f, search_path)
  if #rows == 0 then
    return nil
  elseif is_one_in_capitals(rows, name) then
    return ("there is %s: a name is taken as it is written, and in SQL one with capitals stands "
      .. "in quotes"):format(listed(rows))
  elseif is_qualified(f, name) then
    return "there is " .. listed(rows)
  end
  return ("there is %s, where search_path (%s) does not look"):format(listed(rows),
    search_path ~= "" and search_path or "empty")
end

-- The operations that take a view of both kinds have an option that tells which.
local function takes_both(op_name)
  local description = op_name and require("luamig.operations").get(op_name)
  return description ~= nil and (description.options or {}).materialized ~= nil
end

local of_kind = {
  m = "it is a materialized view: materialized = true",
  v = "it is a view, not a materialized one: leave materialized out",
}

local function of_other_kind(rows, op_name)
  local kind = rows[1] and rows[1].kind
  for _, row in ipairs(rows) do
    kind = row.kind == kind and kind
  end
  if not kind then
    return nil
  end
  return takes_both(op_name) and of_kind[kind] or ("it is a %s"):format(kinds[kind])
end

---@param conn userdata  outside a transaction
---@param f table        the fault of a statement
---@param search_path string  that the statement was run with
---@return string|nil hint
function lookalike.hint(conn, f, search_path)
  local is_absent = f.sqlstate == UNDEFINED_TABLE
  if not is_absent and f.sqlstate ~= WRONG_OBJECT_TYPE or not conn:alive() then
    return nil
  end
  local name = f.message:match('"(.-)"')
  local rows = name and relations(conn, name) or {}
  if is_absent then
    return of_absent(rows, name, f, search_path)
  end
  return of_other_kind(rows, f.origin)
end

return lookalike
