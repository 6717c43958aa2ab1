--- The columns of tables: the nodes that make, change and drop them.

local column_changes = require("luamig.diff.column_changes")
local column_definition = require("luamig.diff.column_definition")
local column_fates = require("luamig.diff.column_fates")
local column_inheritance = require("luamig.diff.column_inheritance")
local conversion = require("luamig.diff.conversion")
local names = require("luamig.diff.names")
local records = require("luamig.diff.records")
local taken = require("luamig.diff.taken")

local columns = {}

local function copy(column)
  local out = {}
  for name, field in pairs(column) do
    out[name] = field
  end
  return out
end

---The column of a table and of all that follow it.
---@return table<string, true> identities
function columns.covered(plan, identity, name)
  local set = {}
  local function visit(one)
    local object = plan.b.objects[one] or plan.a.objects[one]
    set[plan.column_identity(object, name)] = true
    for _, child in ipairs(plan.followers[one] or {}) do
      visit(child)
    end
  end
  visit(identity)
  return set
end

-- Nodes of the columns of a child come behind those of its parents, or theirs.
local function parent_nodes(plan, identity, name, out)
  out = out or {}
  for _, parent in ipairs(column_inheritance.parents(plan, identity)) do
    local object = plan.b.objects[parent]
    local node = object and plan.column_nodes[plan.column_identity(object, name)]
    if node then
      out[#out + 1] = node
    else
      parent_nodes(plan, parent, name, out)
    end
  end
  return out
end

local function new_node(plan, identity, name, node)
  node.identity = plan.column_identity(plan.b.objects[identity], name)
  node.kind, node.member_of = "column", identity
  node.sort = identity
  node.after = parent_nodes(plan, identity, name)
  return plan:node(node)
end

-- What rows that are there may have against a column.
local function warning_of(before, after)
  if not after.not_null or before and before.not_null then
    return nil
  elseif before then
    return ("rows without a value of %s stop this: fill them first"):format(after.name)
  elseif after.default or after.generated or after.identity then
    return nil
  end
  return "rows stop this: give it a default, or make it NOT NULL when it is filled"
end

local make = {}

function make.create(plan, identity, name, column)
  local object = plan.b.objects[identity]
  local definition, fresh, serial = column_definition.new(plan, object, column)
  fresh.not_null_name = nil
  local list = { records.new("add_column", { table = plan:name(object), column = definition }) }
  records.append(list, column_changes.records(plan, object, fresh, column))
  column_definition.add_serial(plan, object, serial, list)
  local set = columns.covered(plan, identity, name)
  if serial then
    set[serial] = true
    plan.absorbed[serial] = true
  end
  return new_node(plan, identity, name, {
    when = "make", gives = set, records = list, warning = warning_of(nil, column),
  })
end

function make.drop(plan, identity, name)
  local set = plan:with_companions(columns.covered(plan, identity, name))
  local object = plan.b.objects[identity]
  return new_node(plan, identity, name, {
    when = "drop",
    takes = set, frees = set, vacates = taken.relations(plan, set),
    records = { records.new("drop_column", { table = plan:name(object), column = name }) },
    data_loss = ("column %s of %s"):format(name, plan:name(object)),
  })
end

function make.replace(plan, identity, name, column, before)
  local drop = make.drop(plan, identity, name)
  drop.data_loss = not before.generated and drop.data_loss or nil
  local create = make.create(plan, identity, name, column)
  table.insert(create.after, drop)
  return create
end

local function sequence_name(plan, identity, sequence)
  local object = { schema = plan.b.objects[identity].schema, name = sequence.name }
  return { ["relation " .. names.sql(object)] = true }
end

-- Returns the node, and the column as it is after it.
local function let_go(plan, identity, name, before)
  local record = column_changes.let_go(plan, plan.b.objects[identity], before)
  local sequence = before.identity and before.sequence
  local node = new_node(plan, identity, name, {
    when = "change",
    frees = columns.covered(plan, identity, name),
    vacates = sequence and sequence_name(plan, identity, sequence) or nil,
    records = { record },
  })
  local after = copy(before)
  after[before.generated and "expression" or before.identity and "identity" or "default"] = nil
  return node, after
end

-- The sequence of a serial column and that of an identity have the same name: one goes, then the
-- other comes.
local function must_let_go_first(before, after)
  return (before.default ~= nil and after.identity ~= nil)
    or (before.identity ~= nil and after.default ~= nil)
end

-- Primary keys and identities hold NOT NULL: they go before it does.
local function holders_of_not_null(plan, identity, before, after)
  local out = {}
  if before.not_null and not after.not_null then
    for _, child in ipairs(plan.children.a[identity] or {}) do
      local object = plan.a.objects[child]
      if object.type == "primary_key" and plan:is_gone(child) then
        out[child] = true
      end
    end
  end
  return out
end

-- Values that the new type cannot hold in full.
local function loss_of(plan, identity, before, after)
  if before.generated or not conversion.loses(plan, before.type, after.type) then
    return nil
  end
  return ("what %s does not hold of column %s of %s"):format(names.type(after.type), after.name,
    plan:name(plan.b.objects[identity]))
end

function make.alter(plan, identity, name, column, before, fate)
  local set = columns.covered(plan, identity, name)
  local first
  if fate == "refresh" or must_let_go_first(before, column) then
    first, before = let_go(plan, identity, name, before)
  end
  local node = new_node(plan, identity, name, {
    when = "change",
    gives = set,
    takes = fate == "retype" and set or nil,
    frees = not first and set or nil,
    behind = holders_of_not_null(plan, identity, before, column),
    claims = column.identity and not before.identity
      and sequence_name(plan, identity, column.sequence) or nil,
    records = column_changes.records(plan, plan.b.objects[identity], before, column),
    data_loss = loss_of(plan, identity, before, column),
    warning = warning_of(before, column),
  })
  if first then
    table.insert(node.after, first)
  end
  return node
end

make.retype, make.refresh = make.alter, make.alter

-- What a parent has done need not be done again.
local function is_done_by_parent(plan, identity, name, before, after)
  if not parent_nodes(plan, identity, name)[1] then
    return false
  elseif not before or not after then
    return true
  end
  return not column_fates.differs(plan, before, after)
end

local function add_column(plan, identity, name)
  local object = plan.b.objects[identity]
  local column_identity = plan.column_identity(object, name)
  local fate = plan.fate[column_identity]
  local before = column_inheritance.before(plan, identity)[name]
  local after = plan.columns.b[identity][name]
  if not fate or (not before and not after) then
    return
  elseif is_done_by_parent(plan, identity, name, before, after) then
    return
  end
  if before and plan.remade[column_identity] then
    before = copy(before)
    before.is_remade = plan.remade[column_identity]
  end
  plan.column_nodes[column_identity] = make[fate](plan, identity, name, after, before, fate)
end

---Makes the nodes of the columns of a table that stays.
function columns.nodes(plan, identity)
  for _, column in ipairs(plan.b.objects[identity].columns) do
    add_column(plan, identity, column.name)
  end
  for _, column in ipairs(plan.a.objects[identity].columns) do
    if not plan.columns.b[identity][column.name] then
      add_column(plan, identity, column.name)
    end
  end
end

return columns
