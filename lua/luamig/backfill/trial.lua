--- `backfill plan`: runs one batch, measures it, rolls it back.

local catalog = require("luamig.backfill.catalog")
local clock = require("luamig.core.clock")
local engine = require("luamig.backfill.engine")
local fault = require("luamig.fault")
local prepare = require("luamig.backfill.prepare")
local ranges = require("luamig.backfill.ranges")
local recorded = require("luamig.backfill.recorded")
local render = require("luamig.backfill.render")
local rehearsal = require("luamig.backfill.rehearsal")
local types = require("luamig.types")
local value = require("luamig.value")

local trial = {}

-- A batch that reads so many times its own rows does not find them by an index.
local READS_TOO_MUCH <const> = 4

local function expanded(text, relation, operator)
  return (text:gsub("[\1\2]", { ["\1"] = relation, ["\2"] = operator }))
end

local function text_array(list)
  return types.text(value.new("array", { values = list, element = "text" }))
end

-- Tables that are read from one end to the other, and how many rows that is.
local function full_scans(node, list)
  if node["Node Type"] == "Seq Scan" then
    list[#list + 1] = {
      relation = node["Relation Name"],
      rows = (node["Actual Rows"] + (node["Rows Removed by Filter"] or 0)) * node["Actual Loops"],
    }
  end
  for _, child in ipairs(node.Plans or {}) do
    full_scans(child, list)
  end
  return list
end

local function tuple_counts(conn, relid)
  return conn:exec("SELECT pg_catalog.pg_stat_get_xact_tuples_updated($1::oid) AS updated, "
    .. "pg_catalog.pg_stat_get_xact_tuples_hot_updated($1::oid) AS hot", { relid })[1]
end

local function measured(conn, sql, params, relid)
  local before = tuple_counts(conn, relid)
  local rows = conn:exec("EXPLAIN (ANALYZE, WAL, FORMAT JSON) " .. sql, params)
  local plan = rows[1]["QUERY PLAN"][1]
  local after = tuple_counts(conn, relid)
  return {
    ms = plan["Execution Time"] + plan["Planning Time"],
    wal_bytes = plan.Plan["WAL Bytes"] or 0,
    updated = after.updated - before.updated,
    hot = after.hot - before.hot,
    full_scans = full_scans(plan.Plan, {}),
  }
end

local function bound_of(conn, texts, range, rows)
  local row = conn:exec(expanded(texts.probe, range.relation, texts.from),
    { range.lows[1], range.highs[1], rows })[1]
  return row.key and text_array(row.key) or range.highs[1], row.rows
end

-- Reads the rows, runs the map function over them here, writes what it changes.
local function map_batch(conn, spec, target, texts, range, upper, script)
  local function text_for(sql)
    return expanded(sql, range.relation, texts.from)
  end
  local bounds = { range.lows[1], upper }
  local read = measured(conn, text_for(texts.read .. " FOR NO KEY UPDATE"), bounds, range.relid)
  local rows = conn:exec(text_for(texts.read), bounds)
  local map = recorded.map(spec.module, script, spec.name)
  local start = clock.now_ms()
  local out = rehearsal.map(map, rows, target, spec)
  read.map_ms = clock.now_ms() - start
  read.rejected, read.left = out.rejected, out.left
  for _, group in ipairs(out.groups) do
    local params = rehearsal.params(group, target)
    params[#params + 1], params[#params + 2] = bounds[1], bounds[2]
    local write = measured(conn, text_for(render.write(target, spec, group.names, false)), params,
      range.relid)
    for _, name in ipairs({ "ms", "wal_bytes", "updated", "hot" }) do
      read[name] = read[name] + write[name]
    end
  end
  read.ms = read.ms + read.map_ms
  return read
end

local function first_batch(conn, spec, target, list, options)
  local texts = render.texts(target, spec, options.rows_per_block)
  local range = list[1]
  local upper, count = bound_of(conn, texts, range, options.rows)
  local found
  if spec.kind == "map" then
    found = map_batch(conn, spec, target, texts, range, upper, options.script)
  else
    found = measured(conn, expanded(texts.work, range.relation, texts.from),
      { range.lows[1], upper }, range.relid)
  end
  found.rows = count
  return found
end

local function key_names(target)
  local names = {}
  for i, column in ipairs(target.key) do
    names[i] = column.name
  end
  return names
end

local function report_of(st, row, spec, place)
  local conn = st.conn
  prepare.settings(conn, place)
  local target = catalog.read(conn, spec)
  local list, rows, rows_per_block = ranges.plan(conn, target,
    { at_most = 64, batch_rows = row.batch_rows })
  local report = {
    name = row.name, kind = spec.kind, relation = target.written, key = key_names(target),
    rows = rows, leaves = #list, ranges = 0,
  }
  for _, leaf in ipairs(list) do
    report.ranges = report.ranges + #leaf.lows
  end
  if #list > 0 then
    report.batch = first_batch(conn, spec, target, list, {
      rows_per_block = rows_per_block,
      rows = row.batch_rows,
      script = engine.script_of(row),
    })
  end
  return report
end

---What follows from the measurements. Pure.
---@param report table
---@return table report
function trial.judged(report)
  local batch = report.batch
  if not batch or batch.rows == 0 then
    return report
  end
  report.rows_per_s = batch.ms > 0 and batch.rows * 1000 / batch.ms or nil
  report.eta_s = report.rows_per_s and report.rows / report.rows_per_s
  report.wal_per_row = batch.wal_bytes / batch.rows
  report.wal_bytes = report.wal_per_row * report.rows
  report.hot_share = batch.updated > 0 and batch.hot / batch.updated or nil
  report.problems = {}
  for _, scan in ipairs(batch.full_scans) do
    if scan.rows > READS_TOO_MUCH * batch.rows then
      report.problems[#report.problems + 1] =
        ("every batch of %d rows reads all %d rows of %s"):format(batch.rows, scan.rows,
          scan.relation)
    end
  end
  return report
end

---Runs one batch of a registered backfill and rolls it back. Raises what the batch raises.
---@param st table
---@param row table  of the backfill
---@param place luamig.backfill.Place
---@return table report
function trial.run(st, row, place)
  local spec = engine.spec_of(row)
  st.conn:exec("BEGIN")
  local ok, report = pcall(report_of, st, row, spec, place)
  pcall(st.conn.exec, st.conn, "ROLLBACK")
  if not ok then
    if fault.is(report) then
      fault.complete(report, { state = "nothing was changed" })
    end
    error(report, 0)
  end
  return trial.judged(report)
end

return trial
