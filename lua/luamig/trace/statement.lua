--- What kind of statement an SQL text is, by PostgreSQL's own parser, and the locks of those that
-- can only run outside a transaction: they let go of them before anybody can look.

local cjson = require("cjson")
local sql = require("luamig.core.sql")

local statement = {}

local LONGEST <const> = 200000 -- bytes; a longer text is data, not a definition

---@class luamig.trace.Kind
---@field node string   the parser's word: "IndexStmt", "AlterTableStmt", …; "" when unknown
---@field tree table    the node
---@field is_concurrent boolean

local unknown = { node = "", tree = {}, is_concurrent = false }

local function is_set(options, name)
  for _, option in ipairs(options or {}) do
    local element = option.DefElem
    if element and element.defname == name then
      local text = element.arg and element.arg.String and element.arg.String.sval
      return not (text == "false" or text == "off")
    end
  end
  return false
end

local function detaches_concurrently(node, body)
  for _, command in ipairs(node == "AlterTableStmt" and body.cmds or {}) do
    local definition = command.AlterTableCmd and command.AlterTableCmd.def
    local partition = definition and definition.PartitionCmd
    if partition and partition.concurrent then
      return true
    end
  end
  return false
end

local function parsed(text)
  local json = #text <= LONGEST and not text:find("\0", 1, true) and sql.tree(text)
  local tree = json and cjson.decode(json)
  return tree and tree.stmts and tree.stmts[1]
end

---@param text string  one statement
---@return luamig.trace.Kind
function statement.kind(text)
  local first = parsed(text)
  if not first then
    return unknown
  end
  local node = next(first.stmt)
  local body = first.stmt[node]
  return { node = node, tree = body, is_concurrent = body.concurrent == true
    or is_set(body.params, "concurrently") or detaches_concurrently(node, body) }
end

---Whether an ALTER TABLE has a command of this kind: "AT_ValidateConstraint", …
---@param kind luamig.trace.Kind
---@param subtype string
---@return boolean
function statement.has_command(kind, subtype)
  for _, command in ipairs(kind.tree.cmds or {}) do
    if command.AlterTableCmd and command.AlterTableCmd.subtype == subtype then
      return true
    end
  end
  return false
end

local dropping = { DropStmt = true, DropOwnedStmt = true, DoStmt = true, CallStmt = true }

---Whether a statement may drop what is no relation: functions, types, triggers, policies.
---@param kind luamig.trace.Kind
---@return boolean
function statement.may_drop(kind)
  for _, command in ipairs(kind.node == "AlterTableStmt" and kind.tree.cmds or {}) do
    if command.AlterTableCmd and command.AlterTableCmd.behavior == "DROP_CASCADE" then
      return true
    end
  end
  return dropping[kind.node] == true
end

local SHARE_UPDATE <const> = "ShareUpdateExclusiveLock"

local known = {
  IndexStmt = SHARE_UPDATE, DropStmt = SHARE_UPDATE, ReindexStmt = SHARE_UPDATE,
  AlterTableStmt = SHARE_UPDATE, VacuumStmt = SHARE_UPDATE, ClusterStmt = "AccessExclusiveLock",
}

---The lock that a statement outside a transaction takes on its table, from the manual ("Explicit
---Locking"); nil when it takes none.
---@param kind luamig.trace.Kind
---@return string|nil mode
function statement.known_lock(kind)
  if kind.node == "VacuumStmt" and is_set(kind.tree.options, "full") then
    return "AccessExclusiveLock"
  elseif kind.node == "ReindexStmt" and not kind.is_concurrent then
    return "ShareLock"
  end
  return known[kind.node]
end

---Whether a statement outside a transaction reads the whole table: an index that is built
---concurrently is, twice.
---@param kind luamig.trace.Kind
---@return boolean
function statement.scans(kind)
  return kind.node == "IndexStmt" or kind.node == "ReindexStmt" or kind.node == "ClusterStmt"
end

local function names_of(list)
  local parts = {}
  for _, item in ipairs(list.List and list.List.items or list) do
    parts[#parts + 1] = item.String and item.String.sval
  end
  return parts[#parts], parts[#parts - 1]
end

---The relations that a statement names: list of { name, schema|nil }.
---@param kind luamig.trace.Kind
function statement.targets(kind)
  local tree, out = kind.tree, {}
  if tree.relation and tree.relation.relname then
    out[1] = { name = tree.relation.relname, schema = tree.relation.schemaname }
  end
  for _, item in ipairs(tree.rels or {}) do
    local relation = item.VacuumRelation and item.VacuumRelation.relation
    if relation then
      out[#out + 1] = { name = relation.relname, schema = relation.schemaname }
    end
  end
  for _, item in ipairs(kind.node == "DropStmt" and tree.objects or {}) do
    local name, schema = names_of(item)
    if name then
      out[#out + 1] = { name = name, schema = schema }
    end
  end
  return out
end

return statement
