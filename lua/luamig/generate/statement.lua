--- The SQL that tries candidates (rows.lua) on the server and keeps those that pass: one statement
-- a table, whatever the number of rows.
--
--   INSERT INTO app.t (a, b) SELECT … FROM (SELECT … FROM (VALUES …) AS luamig_v
--     LEFT JOIN LATERAL (a row of the table that a foreign key leads to) AS luamig_p1 ON true
--   ) AS t WHERE (each condition) IS NOT FALSE LIMIT … ON CONFLICT DO NOTHING
--
-- The alias of the candidates is the table's own name, their columns have its columns' names: so
-- the conditions read as they stand in the catalog.

local quote = require("luamig.quote")

local statement = {}

local PARENTS = 200 -- rows of another table that a foreign key chooses among

---@return string
function statement.cast(sql, type_text)
  return ("CAST(%s AS %s)"):format(sql, type_text)
end

local cast = statement.cast

-- "table app.t" → app.t
local function relation(identity)
  return (identity:gsub("^%l+ ", ""))
end

-- ---- values ----

local function literal(cell)
  if cell == nil then
    return "NULL"
  elseif type(cell) == "table" then
    return cell.sql
  end
  return quote.string(cell)
end

local function value_row(unit, candidate, number)
  local out = { ("%d"):format(number) }
  for _, column in ipairs(unit.given) do
    local cell = candidate.cells[column.name]
    -- Beside a typed value a plain text would have to be of its type.
    out[#out + 1] = column.value_sql and cast(literal(cell), column.base) or literal(cell)
  end
  for _, reference in ipairs(unit.picked) do
    local pick = candidate.picks[reference]
    out[#out + 1] = pick and ("%d"):format(pick) or "NULL"
  end
  return "(" .. table.concat(out, ", ") .. ")"
end

-- (VALUES …) AS luamig_v (luamig_n, luamig_c1, …, luamig_k1, …)
local function values_sql(unit, candidates)
  local list, names = {}, { "luamig_n" }
  for number, candidate in ipairs(candidates) do
    list[number] = value_row(unit, candidate, number)
  end
  for place in ipairs(unit.given) do
    names[#names + 1] = "luamig_c" .. place
  end
  for place in ipairs(unit.picked) do
    names[#names + 1] = "luamig_k" .. place
  end
  return ("(VALUES %s) AS luamig_v (%s)"):format(table.concat(list, ", "),
    table.concat(names, ", "))
end

-- ---- rows of other tables ----

-- The columns that earlier keys have chosen already must agree.
local function agreement(reference, chosen)
  local out = {}
  for place, name in ipairs(reference.columns) do
    for _, source in ipairs(chosen[name] or {}) do
      out[#out + 1] = ("(%s IS NULL OR CAST(%s AS pg_catalog.text) "
        .. "OPERATOR(pg_catalog.=) CAST(luamig_r.luamig_r%d AS pg_catalog.text))")
        :format(source, source, place)
    end
  end
  return #out > 0 and " WHERE " .. table.concat(out, " AND ") or ""
end

local function referred_columns(reference)
  local selected, conditions = {}, {}
  for place, name in ipairs(reference.parent_columns) do
    local ident = quote.ident(name)
    selected[place] = ("%s AS luamig_r%d"):format(ident, place)
    conditions[place] = ident .. " IS NOT NULL"
  end
  return table.concat(selected, ", "), table.concat(conditions, " AND ")
end

---A query of the rows that a foreign key may lead to: luamig_r1, luamig_r2 …
---@param more? string  a further condition
---@return string
function statement.parent_rows(reference, more)
  local selected, conditions = referred_columns(reference)
  -- Of a table that is not in the snapshot it is not known whether it has partitions.
  local is_alone = #reference.parents > 0 and not reference.is_partitioned
  return ("SELECT %s FROM %s%s WHERE %s%s LIMIT %d"):format(selected, is_alone and "ONLY " or "",
    relation(reference.parent), conditions, more and " AND " .. more or "", PARENTS)
end

---One of the rows that a foreign key may lead to, counted from 0, and again behind the last. The
---OFFSET keeps what is computed of it away from the other rows: a cast may fail on them.
---@param rows string  SQL of a query of the rows: luamig_r1, luamig_r2 …
---@param counter string  SQL of a number
---@param chosen table<string, string[]>  [column name] = SQL of what it must agree with
function statement.pick(rows, reference, counter, chosen)
  return ([[(SELECT luamig_q.*, true AS luamig_found FROM (SELECT luamig_r.*,
pg_catalog.row_number() OVER () OPERATOR(pg_catalog.-) 1 AS luamig_i,
pg_catalog.count(*) OVER () AS luamig_m FROM (%s) AS luamig_r%s) AS luamig_q
WHERE luamig_q.luamig_i OPERATOR(pg_catalog.=)
(CAST(%s AS bigint) OPERATOR(pg_catalog.%%) luamig_q.luamig_m) OFFSET 0)]]):format(rows,
    agreement(reference, chosen), counter)
end

-- LEFT JOIN LATERAL …; and [column name] = SQL of its value, one for each key.
local function picks_sql(unit)
  local joins, chosen = {}, {}
  for place, reference in ipairs(unit.picked) do
    local alias = "luamig_p" .. place
    local pick = statement.pick(statement.parent_rows(reference), reference,
      "luamig_v.luamig_k" .. place, chosen)
    joins[place] = ("LEFT JOIN LATERAL %s AS %s ON true"):format(pick, alias)
    for part, name in ipairs(reference.columns) do
      chosen[name] = { table.unpack(chosen[name] or {}) }
      table.insert(chosen[name], ("%s.luamig_r%d"):format(alias, part))
    end
  end
  return table.concat(joins, "\n"), chosen
end

-- ---- candidates as rows of the table ----

local function expression(column, sources)
  local casts = {}
  for i, source in ipairs(sources) do
    casts[i] = cast(source, column.base)
  end
  if #casts == 0 then
    return cast("NULL", column.base)
  end
  return #casts == 1 and casts[1] or "COALESCE(" .. table.concat(casts, ", ") .. ")"
end

local function place_of(list, item)
  for place, other in ipairs(list) do
    if other == item then
      return place
    end
  end
end

local function selected_columns(unit, chosen)
  local out = { "luamig_v.luamig_n" }
  for _, column in ipairs(unit.columns_out) do
    local sources = { table.unpack(chosen[column.name] or {}) }
    local place = place_of(unit.given, column)
    sources[#sources + 1] = place and "luamig_v.luamig_c" .. place or nil
    out[#out + 1] = expression(column, sources) .. " AS " .. column.ident
  end
  for place in ipairs(unit.picked) do
    out[#out + 1] = ("luamig_p%d.luamig_found AS luamig_f%d"):format(place, place)
  end
  return table.concat(out, ", ")
end

-- A column that is computed from the others, each in a layer of its own.
local function with_computed(unit, sql)
  local alias = quote.ident(unit.name)
  for _, assignment in ipairs(unit.computed) do
    local out = { "luamig_n" }
    for _, column in ipairs(unit.columns_out) do
      local is_it = column.name == assignment.column
      out[#out + 1] = is_it and ("%s AS %s"):format(
        cast("(" .. assignment.sql .. ")", column.base), column.ident) or column.ident
    end
    for place in ipairs(unit.picked) do
      out[#out + 1] = "luamig_f" .. place
    end
    sql = ("SELECT %s FROM (%s) AS %s"):format(table.concat(out, ", "), sql, alias)
  end
  return sql
end

-- Generated columns are computed on top, for the conditions that speak of them.
local function with_extra(unit, sql)
  if #unit.extra == 0 then
    return sql
  end
  local out, alias = {}, quote.ident(unit.name)
  for i, column in ipairs(unit.extra) do
    out[i] = ("%s AS %s"):format(cast("(" .. column.expression .. ")", column.type), column.ident)
  end
  return ("SELECT %s.*, %s FROM (%s) AS %s"):format(alias, table.concat(out, ", "), sql, alias)
end

---The candidates as rows of the table, not judged yet: SQL of a subquery with the table's name.
---@param unit table
---@param candidates table[]
---@param only? string  SQL of the number of the one candidate that counts
---@return string
function statement.source(unit, candidates, only)
  local joins, chosen = picks_sql(unit)
  local values = values_sql(unit, candidates)
  if only then -- OFFSET: nothing of the other candidates is computed
    values = ("(SELECT * FROM %s WHERE luamig_n OPERATOR(pg_catalog.=) %s OFFSET 0) AS luamig_v")
      :format(values, only)
  end
  local sql = ("SELECT %s FROM %s %s"):format(selected_columns(unit, chosen), values, joins)
  return ("(%s) AS %s"):format(with_extra(unit, with_computed(unit, sql)), quote.ident(unit.name))
end

-- ---- judging ----

-- A foreign key is made, or NULL says that it is not.
local function reference_condition(unit, reference, place)
  local nulls = {}
  for _, name in ipairs(reference.columns) do
    local column = unit.by_name[name]
    nulls[#nulls + 1] = column.ident .. " IS NULL"
  end
  local none = table.concat(nulls, reference.is_full and " AND " or " OR ")
  return ("(luamig_f%d IS TRUE OR (%s))"):format(place, none)
end

---What a candidate must pass: { sql =, condition = | reference = | column = }.
---@return table[]
function statement.filters(unit)
  local out = {}
  for place, reference in ipairs(unit.picked) do
    out[#out + 1] = { sql = reference_condition(unit, reference, place), reference = reference }
  end
  for _, column in ipairs(unit.columns_out) do
    if column.is_reference and not column.nullable then
      out[#out + 1] = { sql = column.ident .. " IS NOT NULL", column = column }
    end
  end
  for _, condition in ipairs(unit.usable) do
    out[#out + 1] = { sql = ("(%s) IS NOT FALSE"):format(condition.sql), condition = condition }
  end
  return out
end

-- A row with the same key is not there yet. Texts are compared, for every type has one; what they
-- do not tell is told when the row goes in.
local function untaken(unit, key)
  local alias, out = quote.ident(unit.name), {}
  for i, name in ipairs(key.columns) do
    local ident = quote.ident(name)
    out[i] = ("CAST(luamig_x.%s AS pg_catalog.text) OPERATOR(pg_catalog.=) "
      .. "CAST(%s.%s AS pg_catalog.text)"):format(ident, alias, ident)
  end
  return ("NOT EXISTS (SELECT FROM %s%s AS luamig_x WHERE %s)"):format(
    unit.root == unit.sql and "ONLY " or "", unit.root, table.concat(out, " AND "))
end

local function where_sql(unit, is_again)
  local out = {}
  for i, filter in ipairs(statement.filters(unit)) do
    out[i] = filter.sql
  end
  for _, key in ipairs(is_again and unit.plain_keys or {}) do
    out[#out + 1] = untaken(unit, key)
  end
  return #out > 0 and " WHERE " .. table.concat(out, " AND ") or ""
end

-- ---- statements ----

local function names_sql(unit)
  local out = {}
  for i, column in ipairs(unit.columns_out) do
    out[i] = column.ident
  end
  return #out > 0 and "(" .. table.concat(out, ", ") .. ") OVERRIDING SYSTEM VALUE" or ""
end

local function output_sql(unit)
  local out, alias = {}, quote.ident(unit.name)
  for i, column in ipairs(unit.columns_out) do
    local sql = alias .. "." .. column.ident
    out[i] = column.base ~= column.type and cast(sql, column.type) or sql
  end
  return table.concat(out, ", ")
end

---How many rows the table has, up to the number that is wanted.
---@return string
function statement.count(unit, want)
  return ("SELECT pg_catalog.count(*) AS rows FROM (SELECT FROM ONLY %s LIMIT %d) AS luamig_t")
    :format(unit.sql, want)
end

---How many rows each of some tables has, up to a number: { place, rows }.
---@param names string[]  of tables, as SQL
---@return string
function statement.counts(names, limit)
  local out = {}
  for place, name in ipairs(names) do
    out[place] = ("SELECT %d AS place, (SELECT pg_catalog.count(*) FROM (SELECT FROM ONLY %s "
      .. "LIMIT %d) AS luamig_t) AS rows"):format(place, name, limit)
  end
  return table.concat(out, " UNION ALL ")
end

---Inserts candidates that pass until the table has as many rows as are wanted.
---@param unit table
---@param candidates table[]
---@param want integer
---@param options? { only?: string, is_again?: boolean }  only: SQL of the number of the one
---  candidate that counts; is_again: rows that were made before are avoided
---@return string
function statement.insert(unit, candidates, want, options)
  local only, is_again = options and options.only, options and options.is_again
  return ("INSERT INTO %s %s SELECT %s FROM %s%s ORDER BY luamig_n LIMIT GREATEST(0, %d "
    .. "OPERATOR(pg_catalog.-) (%s))%s"):format(unit.root, names_sql(unit), output_sql(unit),
    statement.source(unit, candidates, only), where_sql(unit, is_again), want,
    statement.count(unit, want), unit.passes_over_conflicts and " ON CONFLICT DO NOTHING" or "")
end

---How many candidates pass each filter: columns tried, luamig_1, luamig_2 …
---@return string
function statement.probe(unit, candidates)
  local out = { "pg_catalog.count(*) AS tried" }
  for i, filter in ipairs(statement.filters(unit)) do
    out[#out + 1] = ("pg_catalog.count(*) FILTER (WHERE %s) AS luamig_%d"):format(filter.sql, i)
  end
  return ("SELECT %s FROM %s"):format(table.concat(out, ", "), statement.source(unit, candidates))
end

return statement
