--- Foreign keys that were left for later, for their tables form a circle: when all rows are there,
-- one UPDATE a key leads them to each other.

local quote = require("luamig.quote")
local statement = require("luamig.generate.statement")

local later = {}

local function place_of(list, item)
  for place, other in ipairs(list) do
    if other == item then
      return place
    end
  end
end

-- Rows that this transaction has made. A row of one of its subtransactions has a younger number.
local MINE = "pg_catalog.age(xmin) OPERATOR(pg_catalog.<=) 0"

local function later_rows(unit, reference, want)
  local selected, nulls = {}, {}
  for _, column in ipairs(unit.columns) do
    selected[#selected + 1] = column.ident
  end
  for i, name in ipairs(reference.forgotten) do
    nulls[i] = quote.ident(name) .. " IS NULL"
  end
  return ("(SELECT %s, ctid AS luamig_ctid, tableoid AS luamig_tableoid, "
    .. "pg_catalog.row_number() OVER () AS luamig_n FROM ONLY %s WHERE %s AND %s LIMIT %d) "
    .. "AS luamig_v"):format(table.concat(selected, ", "), unit.sql, MINE,
    table.concat(nulls, " AND "), want)
end

local BEFORE = "ROW(tableoid, ctid) OPERATOR(pg_catalog.<) "
  .. "ROW(luamig_v.luamig_tableoid, luamig_v.luamig_ctid)"

-- In its own table a row leads to one before it, so that no circle comes about.
local function is_self(unit, reference)
  for _, identity in ipairs(unit.above) do
    if identity == reference.parent then
      return true
    end
  end
  return false
end

-- Which of the rows: in a unique key each another one, else a tree of pairs.
local function later_counter(unit, reference)
  if reference.is_key then
    return "luamig_v.luamig_n OPERATOR(pg_catalog.-) " .. (is_self(unit, reference) and 2 or 1)
  end
  return "luamig_v.luamig_n OPERATOR(pg_catalog./) 2"
end

-- The row as it would be, its forgotten columns filled.
local function later_columns(unit, reference)
  local out = {}
  for _, column in ipairs(unit.columns) do
    local place = place_of(reference.columns, column.name)
    local sql = "luamig_v." .. column.ident
    if place and place_of(reference.forgotten, column.name) then
      sql = statement.cast("luamig_p.luamig_r" .. place, column.base)
    end
    out[#out + 1] = sql .. " AS " .. column.ident
  end
  return table.concat(out, ", ")
end

local function later_chosen(reference)
  local chosen = {}
  for _, name in ipairs(reference.columns) do
    if not place_of(reference.forgotten, name) then
      chosen[name] = { "luamig_v." .. quote.ident(name) }
    end
  end
  return chosen
end

local function later_where(unit)
  local out = {}
  for _, condition in ipairs(unit.usable) do
    out[#out + 1] = ("(%s) IS NOT FALSE"):format(condition.sql)
  end
  return #out > 0 and " WHERE " .. table.concat(out, " AND ") or ""
end

---Gives the rows of this transaction the foreign key that they were made without. Some row keeps
---its NULL when the key leads to its own table: the first has none before it.
---@param unit table
---@param reference table
---@param want integer
---@param only? string  SQL of the number of the one row that counts
---@return string
function later.update(unit, reference, want, only)
  local assignments, alias = {}, quote.ident(unit.name)
  for i, name in ipairs(reference.forgotten) do
    assignments[i] = ("%s = luamig_s.%s"):format(quote.ident(name), quote.ident(name))
  end
  local parents = statement.parent_rows(reference, is_self(unit, reference) and BEFORE or nil)
  local pick = statement.pick(parents, reference, later_counter(unit, reference),
    later_chosen(reference))
  return ("UPDATE ONLY %s AS luamig_t SET %s FROM (SELECT %s.* FROM (SELECT %s, "
    .. "luamig_v.luamig_ctid, luamig_v.luamig_tableoid FROM %s JOIN LATERAL %s AS luamig_p ON %s) "
    .. "AS %s%s) AS luamig_s WHERE luamig_t.ctid OPERATOR(pg_catalog.=) luamig_s.luamig_ctid AND "
    .. "luamig_t.tableoid OPERATOR(pg_catalog.=) luamig_s.luamig_tableoid"):format(unit.sql,
    table.concat(assignments, ", "), alias, later_columns(unit, reference),
    later_rows(unit, reference, want), pick,
    only and "luamig_v.luamig_n OPERATOR(pg_catalog.=) " .. only or "true", alias,
    later_where(unit))
end

return later
