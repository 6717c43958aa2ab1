--- How long a statement will take on tables of a given size. Coarse on purpose: the class is what
-- counts, and it errs on the long side.

local duration = {}

-- Bytes a millisecond, and milliseconds a row, of one backend on an ordinary disk.
local READ <const> = 200000
local WRITE <const> = 50000
local INDEX_ROW <const> = 0.0015
local CHANGE_ROW <const> = 0.02

local classes = {
  { 100, "instant" }, { 60 * 1000, "seconds" }, { 60 * 60 * 1000, "minutes" },
  { math.huge, "hours" },
}

-- Without sizes: a table of ten million rows of a hundred bytes.
duration.assumed = { rows = 10000000, bytes = 1000000000, index_bytes = 300000000 }

---@param ms number
---@return "instant"|"seconds"|"minutes"|"hours"
function duration.class(ms)
  for _, class in ipairs(classes) do
    if ms < class[1] then
      return class[2]
    end
  end
  return "hours"
end

---The size of a table by the file of --stats; what is not in it is taken for small.
---@param stats table|nil
---@param relation luamig.trace.Relation
---@return { rows: number, bytes: number, index_bytes: number }
function duration.size(stats, relation)
  if not stats then
    return duration.assumed
  end
  return stats.tables[relation.schema .. "." .. relation.name]
    or { rows = 0, bytes = 0, index_bytes = 0 }
end

local function changed_rows(item, size, rows)
  local count = item.updated + item.deleted
  return count >= rows and size.rows or math.min(size.rows, count) + 0
end

---@param entry luamig.trace.Entry
---@param facts luamig.lint.Facts
---@return number ms
function duration.of(entry, facts)
  local ms, written = 0, {}
  for _, relation in ipairs((facts:rewritten(entry))) do
    local size = duration.size(facts.stats, relation)
    ms = ms + size.bytes / READ + size.bytes / WRITE + size.index_bytes / WRITE
    written[relation] = true
  end
  for _, scan in ipairs(entry.scanned) do
    if facts:is_old(scan.relation) and not written[scan.relation] then
      ms = ms + duration.size(facts.stats, scan.relation).bytes / READ
    end
  end
  for _, index in ipairs(entry.created) do
    if index.table and facts:is_old(index) then
      ms = ms + duration.size(facts.stats, index.table).rows * INDEX_ROW
    end
  end
  if entry.batch then
    ms = ms + duration.size(facts.stats, entry.batch).rows * CHANGE_ROW
  end
  for _, item in ipairs(entry.changed) do
    if facts:is_old(item.relation) then
      local size = duration.size(facts.stats, item.relation)
      ms = ms + changed_rows(item, size, facts.many_rows) * CHANGE_ROW
    end
  end
  return ms
end

return duration
