--- What the changes made by a statement mean: a new file is a rewrite or a TRUNCATE; an index that
-- was dropped and is there again was rebuilt, as was a constraint.

local statement_of = require("luamig.trace.statement")

local meaning = {}

local rewriting = { AlterTableStmt = true, ClusterStmt = true, VacuumStmt = true,
  ReindexStmt = true, RefreshMatViewStmt = true, AlterSeqStmt = true, AlterTableMoveAllStmt = true }

-- TRUNCATE too gives a table a new file; unlike a rewrite it reads no row.
local function is_truncated(entry, item, scanned)
  local node = entry.kind.node
  if node == "TruncateStmt" then
    return true
  elseif rewriting[node] or item.is_moved then
    return false
  end
  return not scanned[item.relation.table or item.relation]
end

local changing = { InsertStmt = true, UpdateStmt = true, DeleteStmt = true, MergeStmt = true }

-- A foreign key looks its row up, and in a table as small as here it does so by reading it: a row a
-- scan. In production it uses the index.
local function without_lookups(entry, changes)
  local out = {}
  for _, scan in ipairs(changes.scanned) do
    local is_lookup = changing[entry.kind.node] and scan.scans > 1 and scan.tuples <= scan.scans
    out[#out + 1] = not is_lookup and scan or nil
  end
  changes.scanned = out
end

local function split_truncated(entry, changes)
  local scanned, rewritten = {}, {}
  for _, scan in ipairs(changes.scanned) do
    scanned[scan.relation] = scan.tuples > 0
  end
  for _, item in ipairs(changes.rewritten) do
    local list = is_truncated(entry, item, scanned) and entry.truncated or rewritten
    list[#list + 1] = list == rewritten and item or item.relation
  end
  changes.rewritten = rewritten
  for i = #changes.scanned, 1, -1 do
    if entry.kind.node == "TruncateStmt" and changes.scanned[i].tuples == 0 then
      table.remove(changes.scanned, i) -- the empty table, for its indexes
    end
  end
end

local function without(list, dead)
  local out = {}
  for _, item in ipairs(list) do
    out[#out + 1] = not dead[item] and item or nil
  end
  return out
end

-- A change of type drops an index and makes it again under its name; unless its file is kept, it
-- is built anew.
local function join_rebuilt(changes)
  local dropped, dead = {}, {}
  for _, relation in ipairs(changes.dropped) do
    dropped[relation.shown] = relation.table and relation or nil
  end
  for _, relation in ipairs(changes.created) do
    local before = relation.table and dropped[relation.shown]
    if before then
      dead[before], dead[relation] = true, true
      relation.born = before.born
      if relation.file ~= before.file then
        table.insert(changes.rewritten, { relation = relation })
      end
    end
  end
  changes.dropped, changes.created = without(changes.dropped, dead),
    without(changes.created, dead)
end

-- A change of type drops the constraints of the column, and makes them again.
local function join_constraints(entry, changes)
  if statement_of.has_command(entry.kind, "AT_AddConstraint") then
    return
  end
  local function key_of(constraint)
    return ("%d %s"):format(constraint.table_oid, constraint.name)
  end
  local dropped, dead = {}, {}
  for _, item in ipairs(changes.constraints) do
    if item.what == "dropped" then
      dropped[key_of(item.constraint)] = item
    end
  end
  for _, item in ipairs(changes.constraints) do
    local before = dropped[key_of(item.constraint)]
    if item.what == "added" and before then
      dead[before] = true
      item.what, item.constraint.born = "rebuilt", before.constraint.born
    end
  end
  changes.constraints = without(changes.constraints, dead)
end

---Sorts the changes of a statement out.
---@param entry luamig.trace.Entry  its `truncated` is filled
---@param changes table  of luamig.trace.delta; corrected in place
function meaning.find(entry, changes)
  without_lookups(entry, changes)
  split_truncated(entry, changes)
  join_rebuilt(changes)
  join_constraints(entry, changes)
end

return meaning
