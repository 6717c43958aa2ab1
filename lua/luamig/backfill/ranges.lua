--- Divides the keys of a table into ranges without reading the table: integers by the histogram of
-- the statistics or by their width, other keys by the histogram and a walk down the index, tables
-- without a key by blocks.

local render = require("luamig.backfill.render")
local quote = require("luamig.quote")
local types = require("luamig.types")
local value = require("luamig.value")

local ranges = {}

local SAMPLE_BLOCKS <const> = 32
local ROWS_PER_BLOCK <const> = 50 -- until something is known

local function text_array(list)
  return types.text(value.new("array", { values = list, element = "text" }))
end

-- How many rows lie in a block: by the last ANALYZE or VACUUM, else by a look at the first blocks.
local function density(conn, leaf)
  if leaf.tuples > 0 and leaf.pages > 0 then
    return leaf.tuples / leaf.pages
  elseif leaf.blocks == 0 then
    return 0
  end
  local blocks = math.min(leaf.blocks, SAMPLE_BLOCKS)
  local rows = conn:exec(("SELECT pg_catalog.count(*) AS rows FROM %s WHERE ctid "
    .. "OPERATOR(pg_catalog.<) '(%d,0)'::tid"):format(leaf.name, blocks))[1].rows
  return rows / blocks
end

-- Where the ranges are cut, as shares of the rows: each is smaller than the one before, so that
-- workers who take them in turn come to the end at nearly the same time.
local function cuts(count)
  local out = {}
  for i = 1, count - 1 do
    local left = (count - i) / count
    out[i] = 1 - left * left
  end
  return out
end

local function first_and_last(conn, target, leaf)
  local function at(direction)
    return ("(SELECT %s FROM %s AS t ORDER BY %s LIMIT 1)"):format(render.key_array(target, "t"),
      leaf.name, render.key_order(target, "t", direction))
  end
  local row = conn:exec(("SELECT %s::text AS first, %s::text AS last"):format(at("ASC"),
    at("DESC")))[1]
  return row.first, row.last
end

-- Bounds of the statistics' histogram for the first column of the key, as texts: one for each cut.
local function histogram(conn, target, leaf, at)
  local bounds = conn:exec([[
SELECT s.histogram_bounds::text::text[] AS bounds FROM pg_catalog.pg_stats s
JOIN pg_catalog.pg_class c ON c.relname OPERATOR(pg_catalog.=) s.tablename
JOIN pg_catalog.pg_namespace n ON n.oid OPERATOR(pg_catalog.=) c.relnamespace
 AND n.nspname OPERATOR(pg_catalog.=) s.schemaname
WHERE c.oid OPERATOR(pg_catalog.=) $1::pg_catalog.oid AND s.attname OPERATOR(pg_catalog.=) $2
 AND (NOT s.inherited OR $3::bool) ORDER BY s.inherited DESC LIMIT 1]], { leaf.oid,
    target.key[1].name, target.is_whole })[1]
  bounds = bounds and bounds.bounds or {}
  local out = {}
  for i, share in ipairs(at) do
    out[i] = bounds[1 + math.floor((#bounds - 1) * share)]
  end
  return #bounds > 2 and out or {}
end

-- Real keys at or behind each of the values, in order, without the first and the last; and the
-- share of the rows before each.
local function walk(conn, target, leaf, at, bounds, first, last)
  if #bounds == 0 then
    return {}, {}
  end
  local column = target.key[1]
  local rows = conn:exec(([[
SELECT k.key::text AS key, k.nth FROM (SELECT DISTINCT ON (%s) %s, key, b.nth FROM
 pg_catalog.unnest($1::text[]) WITH ORDINALITY AS b (bound, nth), LATERAL (SELECT %s, %s AS key
 FROM %s AS t WHERE t.%s %s b.bound::%s ORDER BY %s LIMIT 1) k ORDER BY %s, b.nth) k
WHERE k.key OPERATOR(pg_catalog.<>) $2::text[] AND k.key OPERATOR(pg_catalog.<>) $3::text[] ]])
    :format(render.key_order(target, "k"), render.key_order(target, "k"),
      render.key_order(target, "t"), render.key_array(target, "t"), leaf.name,
      quote.ident(column.name), target.operator:format(">="), column.type,
      render.key_order(target, "t"), render.key_order(target, "k")), { text_array(bounds), first,
    last })
  local keys, shares = {}, {}
  for i, row in ipairs(rows) do
    keys[i], shares[i] = row.key, at[row.nth]
  end
  return keys, shares
end

-- From the first integer to the last by their distance.
local function steps(first, last, at)
  local low, high = math.tointeger(first:sub(2, -2)), math.tointeger(last:sub(2, -2))
  local keys, shares = {}, {}
  local previous = low
  for _, share in ipairs(at) do
    local bound = math.tointeger(math.floor(low + (high + 0.0 - low) * share))
    if bound and bound > previous and bound < high then
      keys[#keys + 1] = ("{%d}"):format(bound)
      shares[#shares + 1] = share
      previous = bound
    end
  end
  return keys, shares
end

local function inner_bounds(conn, target, leaf, at, first, last)
  if #at == 0 then
    return {}, {}
  end
  local keys, shares = walk(conn, target, leaf, at, histogram(conn, target, leaf, at), first, last)
  if #keys == 0 and render.is_integer(target) then
    return steps(first, last, at)
  end
  return keys, shares
end

local function blocks_of(leaf, at)
  local keys, shares = {}, {}
  local previous = 0
  for _, share in ipairs(at) do
    local block = math.floor(leaf.blocks * share)
    if block > previous then
      keys[#keys + 1] = ('{"(%d,65535)"}'):format(block)
      shares[#shares + 1] = share
      previous = block
    end
  end
  return keys, shares
end

-- The ranges between the first key, the keys and the last, and the rows that each may have.
local function chain(rows, first, keys, shares, last)
  local lows, highs, estimates = { first }, {}, {}
  local before = 0
  for i, key in ipairs(keys) do
    highs[i] = key
    lows[i + 1] = key
    estimates[i] = math.floor(rows * (shares[i] - before))
    before = shares[i]
  end
  highs[#highs + 1] = last
  estimates[#highs] = math.floor(rows * (1 - before))
  return { lows = lows, highs = highs, estimates = estimates }
end

local function ranges_of(conn, target, leaf, count)
  local at = cuts(count)
  if target.is_ctid then
    if leaf.blocks == 0 then
      return nil
    end
    local keys, shares = blocks_of(leaf, at)
    return chain(leaf.rows, '{"(0,0)"}', keys, shares,
      ('{"(%d,65535)"}'):format(leaf.blocks - 1))
  end
  local first, last = first_and_last(conn, target, leaf)
  if not first then
    return nil
  end
  local keys, shares = inner_bounds(conn, target, leaf, at, first, last)
  return chain(leaf.rows, first, keys, shares, last)
end

-- How many ranges are wanted: enough to share the work, and the last and smallest of them, a share
-- of 1 / count², still one batch.
local function count_for(rows, batch_rows, share, at_most)
  return math.max(1, math.min(math.floor(math.sqrt(rows / batch_rows)),
    math.ceil(at_most * share)))
end

---@class luamig.backfill.Ranges  of one leaf
---@field relation string
---@field relid integer
---@field lows string[]   text[] in PostgreSQL's form
---@field highs string[]
---@field estimates integer[]  rows of each
---@field inclusive boolean  the first low belongs to the first range

---Plans the ranges of a table.
---@param conn userdata  with ISO dates
---@param target luamig.backfill.Target
---@param options { at_most: integer, batch_rows: integer }
---@return luamig.backfill.Ranges[]
---@return integer rows  estimated
---@return integer rows_per_block
function ranges.plan(conn, target, options)
  local list, total, blocks = {}, 0, 0
  for _, leaf in ipairs(target.leaves) do
    leaf.rows = math.floor(density(conn, leaf) * leaf.blocks + 0.5)
    total = total + leaf.rows
    blocks = blocks + leaf.blocks
  end
  for _, leaf in ipairs(target.leaves) do
    local share = total > 0 and leaf.rows / total or 1
    local count = count_for(leaf.rows, options.batch_rows, share, options.at_most)
    local found = ranges_of(conn, target, leaf, count)
    if found then
      found.relation = leaf.name
      found.relid = leaf.oid
      found.inclusive = not target.is_ctid
      list[#list + 1] = found
    end
  end
  local rows_per_block = blocks > 0 and math.max(1, total // blocks) or ROWS_PER_BLOCK
  return list, total, rows_per_block
end

return ranges
