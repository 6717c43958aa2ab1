--- Whether rows that are done hold what the specification gives: some at random are computed again
-- and compared. Nothing is written, and all is of one moment.

local catalog = require("luamig.backfill.catalog")
local engine = require("luamig.backfill.engine")
local fault = require("luamig.fault")
local prepare = require("luamig.backfill.prepare")
local quote = require("luamig.quote")
local ranges = require("luamig.backfill.ranges")
local recorded = require("luamig.backfill.recorded")
local rehearsal = require("luamig.backfill.rehearsal")
local render = require("luamig.backfill.render")

local spotcheck = {}

local SHOWN <const> = 20
local BLOCKS_AT_LEAST <const> = 64 -- a few blocks may hold nothing that counts
local ROWS_FOR_EACH <const> = 2    -- that are read, for not all of them are done

-- As the column would hold them: with the length and precision of its type.
local types_sql <const> = [[
SELECT a.attname AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type
FROM pg_catalog.pg_attribute a
WHERE a.attrelid OPERATOR(pg_catalog.=) pg_catalog.to_regclass($1)
  AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped]]

local function types_of(conn, target)
  local types = {}
  for _, row in ipairs(conn:exec(types_sql, { target.name })) do
    types[row.name] = row.type
  end
  return types
end

-- json has no equality, and keeps the order of its keys.
local function text_of(target, name, sql)
  local is_json = target.columns[name].base_type == "json"
  return sql .. (is_json and "::pg_catalog.jsonb::text" or "::text")
end

local function held_of(target, names)
  local list = {}
  for i, name in ipairs(names) do
    list[i] = text_of(target, name, target.alias .. "." .. quote.ident(name))
  end
  return "ARRAY[" .. table.concat(list, ", ") .. "]"
end

local function given_of(target, names, types, expressions)
  local list = {}
  for i, name in ipairs(names) do
    list[i] = text_of(target, name, ("(%s)::%s"):format(expressions[i], types[name]))
  end
  return "ARRAY[" .. table.concat(list, ", ") .. "]"
end

-- Blocks at random, and of their rows so many at random.
local function at_random(conn, target, spec, count)
  local _, rows = ranges.plan(conn, target, { at_most = 1, batch_rows = count })
  local blocks = 0
  for _, leaf in ipairs(target.leaves) do
    blocks = blocks + leaf.blocks
  end
  local share = math.max(ROWS_FOR_EACH * count / math.max(rows, 1),
    BLOCKS_AT_LEAST / math.max(blocks, 1))
  return ("%s AS %s TABLESAMPLE SYSTEM (%.6f) WHERE %s ORDER BY pg_catalog.random() LIMIT %d")
    :format(target.name, target.alias, math.min(100, 100 * share),
      spec.remaining and ("(%s) IS NOT TRUE"):format(spec.remaining) or "true", count)
end

-- Of the rows in `spot (key, held, given)`: how many, how many differ, and some of these.
local function compared(conn, spot, params)
  return conn:exec(([[
WITH spot AS MATERIALIZED (%s), other AS MATERIALIZED (
  SELECT * FROM spot s WHERE s.held IS DISTINCT FROM s.given)
SELECT (SELECT pg_catalog.count(*) FROM spot) AS rows,
  (SELECT pg_catalog.count(*) FROM other) AS differ, o.key::text AS key,
  pg_catalog.to_json(o.held) AS held, pg_catalog.to_json(o.given) AS given
FROM (SELECT) one LEFT JOIN (SELECT * FROM other LIMIT %d) o ON true]]):format(spot, SHOWN), params)
end

local function take(out, names, rows)
  out.rows, out.differ = out.rows + rows[1].rows, out.differ + rows[1].differ
  for _, row in ipairs(rows) do
    for i, name in ipairs(row.key and names or {}) do
      if row.held[i] ~= row.given[i] and #out.examples < SHOWN then
        out.examples[#out.examples + 1] = { key = row.key, column = name,
          held = type(row.held[i]) == "string" and row.held[i] or nil,
          given = type(row.given[i]) == "string" and row.given[i] or nil }
      end
    end
  end
end

local function check_set(conn, target, spec, from, out)
  local names, expressions = {}, {}
  for i, item in ipairs(spec.set) do
    names[i], expressions[i] = item.column, item.sql
  end
  take(out, names, compared(conn, ("SELECT %s AS key, %s AS held, %s AS given FROM %s"):format(
    render.key_array(target, target.alias), held_of(target, names),
    given_of(target, names, types_of(conn, target), expressions), from)))
end

local function check_map(conn, target, spec, from, out, map)
  local types = types_of(conn, target)
  local mapped = rehearsal.map(map, conn:exec(("SELECT %s FROM %s"):format(
    render.read_list(target, spec), from)), target, spec)
  for _, group in ipairs(mapped.groups) do
    local arrays, conditions = render.changed(target, group.names)
    local expressions = {}
    for i in ipairs(group.names) do
      expressions[i] = "v.c" .. i
    end
    take(out, group.names, compared(conn,
      ("SELECT %s AS key, %s AS held, %s AS given FROM %s AS %s, (SELECT %s) AS v WHERE %s"):format(
        render.key_array(target, target.alias), held_of(target, group.names),
        given_of(target, group.names, types, expressions), target.name, target.alias,
        table.concat(arrays, ", "), table.concat(conditions, " AND ")),
      rehearsal.params(group, target)))
  end
  out.rejected, out.left = mapped.rejected, mapped.left
end

local function check_kind(row, spec)
  if spec.kind == "sql" then
    fault.raise({
      kind = "usage",
      message = ("'%s' runs a statement over ranges: there is no value of a row to compute again")
        :format(row.name),
      hint = "compare what it has made by a query of your own",
      try = ("luamig backfill verify %s"):format(row.name),
    })
  end
end

---@class luamig.backfill.Spotcheck
---@field rows integer      compared; fewer than wanted when there are no more that are done
---@field differ integer    hold another value
---@field rejected? integer that the map function rejects, or fails on
---@field left? integer     that it leaves alone
---@field examples { key: string, column: string, held?: string, given?: string }[]  of those that
---  differ; NULL is nil

---Computes rows at random again, of those that do not match `remaining`, and compares.
---Raises: usage (a statement over ranges), script, server.
---@param st table
---@param row table  of the backfill
---@param place luamig.backfill.Place
---@param count integer
---@return luamig.backfill.Spotcheck
function spotcheck.run(st, row, place, count)
  local spec = engine.spec_of(row)
  check_kind(row, spec)
  local out = { rows = 0, differ = 0, examples = {} }
  st:transaction(function()
    st.conn:exec("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY")
    prepare.settings(st.conn, place)
    local target = catalog.read(st.conn, spec)
    local from = at_random(st.conn, target, spec, count)
    if spec.kind == "set" then
      check_set(st.conn, target, spec, from, out)
    else
      check_map(st.conn, target, spec, from, out,
        recorded.map(spec.module, engine.script_of(row), spec.name))
    end
  end)
  return out
end

return spotcheck
