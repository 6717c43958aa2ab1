--- Attributes of composite types: changed in place when no column holds values of the type.

local columns = require("luamig.diff.columns")
local names = require("luamig.diff.names")
local records = require("luamig.diff.records")
local value = require("luamig.value")

local composites = {}

local function by_name(list)
  local out = {}
  for _, column in ipairs(list) do
    out[column.name] = column
  end
  return out
end

local function is_same_type(x, y)
  return x.type == y.type and x.collation == y.collation
end

-- The order that ALTER TYPE leads to: what stays, then what is new.
local function reachable_order(before, after)
  local old, new, out = by_name(before.columns), by_name(after.columns), {}
  for _, column in ipairs(before.columns) do
    out[#out + 1] = new[column.name] and column.name or nil
  end
  for _, column in ipairs(after.columns) do
    out[#out + 1] = not old[column.name] and column.name or nil
  end
  return out
end

local function has_order(after, list)
  for i, column in ipairs(after.columns) do
    if column.name ~= list[i] then
      return false
    end
  end
  return true
end

-- Values of the type are stored in a column of a table, or in another type's.
local function is_stored(plan, identity)
  for user in pairs(plan:users(identity)) do
    if user:find("^column ") then
      return true
    end
  end
  return false
end

local function set_fates(plan, before, after)
  local old, new = by_name(before.columns), by_name(after.columns)
  for name, column in pairs(new) do
    local fate = not old[name] and "create"
      or not is_same_type(old[name], column) and "retype" or nil
    plan.fate[plan.column_identity(after, name)] = fate
  end
  for name in pairs(old) do
    if not new[name] then
      plan.fate[plan.column_identity(after, name)] = "drop"
    end
  end
end

---@return "alter"|"remake"
function composites.compare(plan, before, after, identity)
  local old = by_name(before.columns)
  local is_retyped = false
  for _, column in ipairs(after.columns) do
    local was = old[column.name]
    is_retyped = is_retyped or was ~= nil and not is_same_type(was, column)
  end
  if not has_order(after, reachable_order(before, after))
    or is_retyped and is_stored(plan, identity) then
    return "remake"
  end
  set_fates(plan, before, after)
  return "alter"
end

local function attribute(plan, column, comment)
  if not column.collation and not comment then
    return { column.name, plan:type(column.type) }
  end
  return value.new("column", {
    name = column.name, type = plan:type(column.type),
    collation = names.unquoted(column.collation), comment = comment,
  })
end

local function has_typed_table(plan, after)
  for _, object in pairs(plan.a.objects) do
    if object.of_type == "composite " .. names.sql(after) then
      return true
    end
  end
  return false
end

local function comments(plan, before, after, out)
  local old = by_name(before.columns)
  for _, column in ipairs(after.columns) do
    local was = old[column.name]
    if was and was.comment ~= column.comment and plan.options.comments ~= false then
      out[#out + 1] = records.new("set_comment", {
        kind = "column", on = plan:name(after), name = column.name,
        text = column.comment or value.none,
      })
    end
  end
end

---The records that lead from one composite type to another.
---@return table[]
function composites.changes(plan, before, after)
  local old, new = by_name(before.columns), by_name(after.columns)
  local args = { add = {}, drop = {}, alter = {} }
  for _, column in ipairs(before.columns) do
    args.drop[#args.drop + 1] = not new[column.name] and column.name or nil
  end
  for _, column in ipairs(after.columns) do
    local was = old[column.name]
    if not was then
      args.add[#args.add + 1] = attribute(plan, column, column.comment)
    elseif not is_same_type(was, column) then
      args.alter[#args.alter + 1] = attribute(plan, column)
    end
  end
  local out = {}
  for name in pairs({ add = true, drop = true, alter = true }) do
    args[name] = args[name][1] and args[name] or nil
  end
  if next(args) then
    args.name = plan:name(after)
    args.cascade = has_typed_table(plan, after) or nil
    out[1] = records.new("alter_composite", args)
  end
  comments(plan, before, after, out)
  return out
end

---Tells the tables made OF the type who changes their columns.
function composites.own(plan, identity, node)
  node.gives, node.frees, node.takes = { [identity] = true }, { [identity] = true }, {}
  local object = plan.b.objects[identity]
  for _, list in ipairs({ object.columns, plan.a.objects[identity].columns }) do
    for _, column in ipairs(list) do
      local fate = plan.fate[plan.column_identity(object, column.name)]
      for one in pairs(fate and columns.covered(plan, identity, column.name) or {}) do
        plan.column_nodes[one] = node
        node.gives[one] = fate ~= "drop" or nil
        node.takes[one] = (fate == "drop" or fate == "retype") or nil
        node.frees[one] = true
      end
    end
  end
end

return composites
