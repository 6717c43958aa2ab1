--- Tables whose foreign keys form a circle of columns that may not be NULL: one statement inserts
-- into all of them, and the server checks the keys at its end.
--
--   WITH luamig_s1 AS MATERIALIZED (candidates of the first), luamig_s2 AS …,
--     luamig_i1 AS (INSERT INTO … SELECT … RETURNING 1), …
--   SELECT (SELECT count(*) FROM luamig_i1) AS luamig_1, …

local quote = require("luamig.quote")
local statement = require("luamig.generate.statement")

local knot = {}

-- The columns that rows of the same statement refer to must be seen before they are stored.
local function mark_referred(units)
  local members = {}
  for _, unit in ipairs(units) do
    members[unit], unit.is_knotted = true, {}
  end
  for _, unit in ipairs(units) do
    for _, reference in ipairs(unit.references) do
      for _, parent in ipairs(reference.is_inside and reference.parents or {}) do
        for _, name in ipairs(members[parent] and reference.parent_columns or {}) do
          parent.is_knotted[name] = true
        end
      end
    end
  end
end

---Takes out the tables that have their rows already: they are like any other table then.
---@param units table[]
---@return table[] units  the rest
function knot.loosen(units)
  local rest = {}
  for _, unit in ipairs(units) do
    rest[#rest + 1] = unit.rows < unit.want and unit or nil
    for _, reference in ipairs(unit.references) do
      for _, parent in ipairs(reference.parents) do
        reference.is_inside = reference.is_inside and parent.rows < parent.want
      end
    end
  end
  mark_referred(rest)
  return rest
end

local function place_in(units, list)
  for place, unit in ipairs(units) do
    for _, other in ipairs(list) do
      if unit == other then
        return place
      end
    end
  end
end

local function candidate_rows(reference, place)
  local out = {}
  for i, name in ipairs(reference.parent_columns) do
    out[i] = ("%s AS luamig_r%d"):format(quote.ident(name), i)
  end
  return ("SELECT %s FROM luamig_s%d"):format(table.concat(out, ", "), place)
end

-- The joins that lead to candidates of this statement, and [column name] = SQL of its value.
local function inside_joins(units, unit, shift)
  local joins, chosen, values = {}, {}, {}
  local alias = quote.ident(unit.name)
  for _, reference in ipairs(unit.picked) do
    for _, name in ipairs(reference.columns) do
      chosen[name] = { alias .. "." .. quote.ident(name) }
    end
  end
  for place, reference in ipairs(unit.references) do
    if reference.is_inside then
      local rows = candidate_rows(reference, place_in(units, reference.parents))
      local counter = ("%s.luamig_n OPERATOR(pg_catalog.+) %d"):format(alias, shift - 1)
      joins[#joins + 1] = ("LEFT JOIN LATERAL %s AS luamig_p%d ON true"):format(
        statement.pick(rows, reference, counter, chosen), place)
      for i, name in ipairs(reference.columns) do
        local sql = ("luamig_p%d.luamig_r%d"):format(place, i)
        values[name], chosen[name] = values[name] or sql, chosen[name] or { sql }
      end
    end
  end
  return table.concat(joins, "\n"), values
end

local function insert_sql(units, place, shift)
  local unit = units[place]
  local joins, values = inside_joins(units, unit, shift)
  local names, out, alias = {}, {}, quote.ident(unit.name)
  for i, column in ipairs(unit.columns_out) do
    names[i] = column.ident
    out[i] = ("CAST(%s AS %s)"):format(values[column.name] or alias .. "." .. column.ident,
      column.type)
  end
  return ("luamig_i%d AS (INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s "
    .. "FROM luamig_s%d AS %s %s ORDER BY %s.luamig_n RETURNING 1)"):format(place, unit.root,
    table.concat(names, ", "), table.concat(out, ", "), place, alias, joins, alias)
end

---Inserts all candidates of all units: all or none.
---@param units table[]
---@param candidates table<table, table[]>  of each unit
---@param shift integer  0: a row leads to the row of its own number; 1: to the next
---@return string  a query of one row: luamig_1, … are the numbers of rows
function knot.insert(units, candidates, shift)
  local parts, counts = {}, {}
  for place, unit in ipairs(units) do
    parts[#parts + 1] = ("luamig_s%d AS MATERIALIZED (SELECT * FROM %s)"):format(place,
      statement.source(unit, candidates[unit]))
    counts[place] = ("(SELECT pg_catalog.count(*) FROM luamig_i%d) AS luamig_%d"):format(place,
      place)
  end
  for place in ipairs(units) do
    parts[#parts + 1] = insert_sql(units, place, shift)
  end
  return ("WITH %s SELECT %s"):format(table.concat(parts, ",\n"), table.concat(counts, ", "))
end

return knot
