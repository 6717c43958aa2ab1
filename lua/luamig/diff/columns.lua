--- The columns of tables: what becomes of each, and the nodes that do it. Children follow their
-- parents by themselves in what PostgreSQL hands down.

local annotations = require("luamig.diff.annotations")
local column_changes = require("luamig.diff.column_changes")
local names = require("luamig.diff.names")
local records = require("luamig.diff.records")
local value = require("luamig.value")

local columns = {}

local function copy(column)
  local out = {}
  for name, field in pairs(column) do
    out[name] = field
  end
  return out
end

-- What ALTER TABLE hands down to children, and what a new column brings to them.
local handed_down = {
  "type", "collation", "default", "not_null", "generated", "expression", "statistics", "storage",
  "not_null_not_valid",
}
local handed_to_new = {
  "name", "type", "collation", "default", "not_null", "generated", "expression", "storage",
  "type_storage", "compression",
}

-- PostgreSQL 18: the NOT NULL that comes from a parent has the parent's name for it.
local function take_not_null_name(plan, parent, child, column, mine)
  if plan:since(18) and column.not_null then
    local name = column_changes.not_null_name(plan.b.objects[parent], column)
    local own = column_changes.not_null_name(plan.b.objects[child], { name = column.name })
    mine.not_null_name = name ~= own and name or nil
  end
end

---What a column of a parent is in a new child, or in a child that gets it.
---@param parent string  identity
---@param child string   identity
function columns.in_child(plan, parent, child, column)
  local out = { inherited = true }
  for _, field in ipairs(handed_to_new) do
    out[field] = column[field]
  end
  take_not_null_name(plan, parent, child, column, out)
  return out
end

local function has(list, item)
  for _, one in ipairs(list or {}) do
    if one == item then
      return true
    end
  end
  return false
end

---The parents that a table has before and afterwards: what they do, it follows.
---@return string[] identities
function columns.parents(plan, identity)
  local before, after = plan.a.objects[identity], plan.b.objects[identity]
  local out = {}
  if not before or not after then
    return out
  end
  if before.partition_of and before.partition_of == after.partition_of
    and before.bound == after.bound then
    out[1] = before.partition_of
  end
  for _, parent in ipairs(before.inherits or {}) do
    if has(after.inherits, parent) then
      out[#out + 1] = parent
    end
  end
  if before.of_type and before.of_type == after.of_type
    and plan.fate[before.of_type] ~= "remake" then
    out[#out + 1] = before.of_type
  end
  return out
end

local function follow_column(mine, old, new)
  local had_not_null = mine.not_null
  for _, field in ipairs(handed_down) do
    if old[field] ~= new[field] then
      mine[field] = new[field]
    end
  end
  return not had_not_null and mine.not_null or old.not_null_name ~= new.not_null_name
end

-- What the changes of a parent do to the columns of a child.
local function follow(plan, mine, parent, child)
  local old_columns, new_columns = columns.before(plan, parent), plan.columns.b[parent] or {}
  for name, new in pairs(new_columns) do
    local old = old_columns[name]
    if not old and not mine[name] then
      mine[name] = columns.in_child(plan, parent, child, new)
    elseif old and mine[name] and follow_column(mine[name], old, new) then
      take_not_null_name(plan, parent, child, new, mine[name])
    end
  end
  local is_type = plan.a.objects[parent].kind == "composite"
  for name in pairs(old_columns) do
    if not new_columns[name] and mine[name] and (is_type or mine[name].inherited) then
      mine[name] = nil
    end
  end
end

-- A sequence that gets another name gets it in the default too.
local function follow_sequence(plan, mine, identity)
  for name, column in pairs(plan.columns.b[identity] or {}) do
    local was = mine[name]
    if was and was.serial and column.serial and plan.renamed[column.serial] == was.serial then
      was.default, was.serial = column.default, column.serial
    end
  end
end

---The columns of a table as they are when its parents have been changed, by name.
---@return table<string, table>
function columns.before(plan, identity)
  plan.columns_before = plan.columns_before or {}
  local mine = plan.columns_before[identity]
  if not mine then
    mine = {}
    plan.columns_before[identity] = mine
    for name, column in pairs(plan.columns.a[identity] or {}) do
      mine[name] = copy(column)
    end
    for _, parent in ipairs(columns.parents(plan, identity)) do
      if plan.a.objects[parent] and plan.b.objects[parent] then
        follow(plan, mine, parent, identity)
      end
    end
    follow_sequence(plan, mine, identity)
  end
  return mine
end

local compared = {
  "default", "not_null", "generated", "expression", "identity", "storage",
  "compression", "statistics", "comment", "not_null_name", "not_null_no_inherit",
  "not_null_not_valid", "not_null_comment",
}

local switches = { comment = "comments", not_null_comment = "comments" }

local function differs(plan, before, after)
  for _, field in ipairs(compared) do
    local is_passed_over = switches[field] and plan.options[switches[field]] == false
    if before[field] ~= after[field] and not is_passed_over then
      return true
    end
  end
  return false
end

local deep = { "sequence", "options", "fdw_options", "acl", "labels" }
local deep_switches = { acl = "privileges", labels = "labels" }

local function differs_deeply(plan, before, after)
  local same = require("luamig.snapshot.compare").same_object
  for _, field in ipairs(deep) do
    local is_passed_over = deep_switches[field] and plan.options[deep_switches[field]] == false
    if not is_passed_over
      and not same({ before[field] }, { after[field] }, plan.options) then
      return true
    end
  end
  return false
end

-- A generated column can become a plain one, and get another expression from PostgreSQL 17 on.
local function must_be_made_anew(plan, before, after)
  if before.generated == after.generated then
    return before.expression ~= after.expression and not plan:since(17)
      or before.generated ~= nil and before.type ~= after.type
  end
  return after.generated ~= nil or before.generated == "virtual"
end

-- A column that tells in which partition a row is.
local function is_of_key(object, name)
  return object.partition_by ~= nil
    and object.partition_by:find("%f[%w_]" .. name:gsub("%p", "%%%0") .. "%f[^%w_]") ~= nil
end

local function is_retyped(plan, object, before, after)
  if before.type == after.type and before.collation == after.collation then
    return false
  elseif is_of_key(object, after.name) then
    plan:cannot("table " .. names.sql(object),
      ("the type of %s, by which it is partitioned"):format(after.name))
    return false
  end
  return true
end

local function fate_of(plan, object, before, after)
  if not before then
    return "create"
  elseif must_be_made_anew(plan, before, after) then
    return "replace"
  elseif is_retyped(plan, object, before, after) then
    return "retype"
  end
  return (differs(plan, before, after) or differs_deeply(plan, before, after)) and "alter" or nil
end

-- A child whose parent does it: the fate counts for those who use the column.
local function inherited_fate(plan, identity, name)
  for _, parent in ipairs(columns.parents(plan, identity)) do
    local object = plan.b.objects[parent]
    local fate = object and plan.fate[plan:column_identity(object, name)]
    if fate then
      return fate
    end
  end
  return nil
end

---Sets the fates of the columns of a table that stays. Parents must have been asked before.
---@return boolean  whether anything changes
function columns.compare(plan, identity)
  local before, after = columns.before(plan, identity), plan.columns.b[identity]
  local object, is_changed = plan.b.objects[identity], false
  for name, column in pairs(after) do
    local column_identity = plan:column_identity(object, name)
    local fate = fate_of(plan, object, before[name], column)
    plan.fate[column_identity] = fate or inherited_fate(plan, identity, name)
    is_changed = is_changed or fate ~= nil
  end
  for name in pairs(plan.columns.a[identity]) do
    if not after[name] then
      plan.fate[plan:column_identity(object, name)] = "drop"
      is_changed = is_changed or before[name] ~= nil
    end
  end
  return is_changed
end

local function order_after(plan, identity)
  local out, before = {}, columns.before(plan, identity)
  local object = plan.b.objects[identity]
  local function is_kept(name)
    local fate = plan.fate[plan:column_identity(object, name)]
    return before[name] and fate ~= "drop" and fate ~= "replace"
  end
  for _, column in ipairs(plan.a.objects[identity].columns) do
    out[#out + 1] = is_kept(column.name) and column.name or nil
  end
  for _, column in ipairs(object.columns) do
    local was = plan.columns.a[identity][column.name]
    if not was or not is_kept(column.name) then
      out[#out + 1] = column.name
    end
  end
  return out
end

---Says so when the columns will not stand in the order that is wanted.
function columns.check_order(plan, identity)
  local wanted = {}
  for i, column in ipairs(plan.b.objects[identity].columns) do
    wanted[i] = column.name
  end
  local got = order_after(plan, identity)
  if table.concat(got, "\n") ~= table.concat(wanted, "\n") then
    local what = ("the order of its columns: %s instead of %s"):format(table.concat(got, ", "),
      table.concat(wanted, ", "))
    if plan.options.column_order == false then
      plan:note(identity, what)
    else
      plan:cannot(identity, what)
    end
  end
end

local serial_types = { smallint = "smallserial", integer = "serial", bigint = "bigserial" }

local plain_sequence_fields = {
  "start", "increment", "min_value", "max_value", "cache", "cycle",
}

---The sequence that the type serial would make, when the column has just that one.
---@return string|nil identity
function columns.serial_of(plan, object, column)
  local sequence = column.serial and plan.b.objects[column.serial]
  if not sequence or not column.not_null or column.not_null_name
    or plan.fate[column.serial] ~= "create"
    or sequence.schema ~= object.schema or sequence.type ~= column.type
    or sequence.name ~= names.made_up(object.name, column.name, "seq")
    or plan:since(15) and sequence.unlogged ~= object.unlogged then
    return nil
  end
  for _, field in ipairs(plain_sequence_fields) do
    if sequence[field] ~= nil then
      return nil
    end
  end
  return column.serial
end

local function generated_of(column)
  if column.generated == "virtual" then
    return { sql = column.expression, virtual = true }
  end
  return column.generated and column.expression or nil
end

-- Columns that cannot be NULL anyway need not say so.
local function nullable_of(column, serial)
  if column.not_null and not column.identity and not serial then
    return false
  end
  return nil
end

---A column as op.column makes it.
---@return table column  for op.create_table and op.add_column
---@return table fresh   the column of a snapshot that it becomes
---@return string|nil serial  identity of the sequence that comes with it
function columns.definition(plan, object, column)
  local serial = columns.serial_of(plan, object, column)
  local fresh = copy(column)
  fresh.statistics, fresh.options, fresh.fdw_options, fresh.acl = nil, nil, nil, nil
  fresh.labels, fresh.not_null_name, fresh.not_null_no_inherit = nil, nil, nil
  fresh.not_null_not_valid, fresh.not_null_comment = nil, nil
  if column.identity then
    fresh.sequence = column_changes.fresh_sequence(object, column)
  end
  local comment = plan.options.comments ~= false and column.comment or nil
  fresh.comment = comment
  return value.new("column", {
    name = column.name,
    type = serial and serial_types[column.type] or names.type(column.type),
    nullable = nullable_of(column, serial),
    default = not serial and column_changes.default(plan, column) or nil,
    identity = column_changes.identity(column),
    generated = generated_of(column),
    collation = names.unquoted(column.collation),
    storage = column.storage,
    compression = column.compression,
    comment = comment,
  }), fresh, serial
end

---Owner, privileges and comment of a sequence that came with its column.
function columns.add_serial(plan, object, serial, out)
  local sequence = serial and plan.b.objects[serial]
  if sequence then
    local fresh = {
      kind = "sequence", schema = sequence.schema, name = sequence.name, owner = object.owner,
    }
    annotations.change(plan, fresh, sequence, out)
  end
end

---The column of a table and of all that follow it.
---@return table<string, true> identities
function columns.covered(plan, identity, name)
  local set = {}
  local function visit(one)
    local object = plan.b.objects[one] or plan.a.objects[one]
    set[plan:column_identity(object, name)] = true
    for _, child in ipairs(plan.followers[one] or {}) do
      visit(child)
    end
  end
  visit(identity)
  return set
end

-- Nodes of the columns of a child come behind those of its parents.
local function parent_nodes(plan, identity, name)
  local out = {}
  for _, parent in ipairs(columns.parents(plan, identity)) do
    local object = plan.b.objects[parent]
    out[#out + 1] = object and plan.column_nodes[plan:column_identity(object, name)]
  end
  return out
end

local function new_node(plan, identity, name, node)
  node.identity = plan:column_identity(plan.b.objects[identity], name)
  node.kind, node.member_of = "column", identity
  node.sort = identity
  node.after = parent_nodes(plan, identity, name)
  return plan:node(node)
end

local make = {}

function make.create(plan, identity, name, column)
  local object = plan.b.objects[identity]
  local definition, fresh, serial = columns.definition(plan, object, column)
  fresh.not_null_name = nil
  local list = { records.new("add_column", { table = plan:name(object), column = definition }) }
  records.append(list, column_changes.records(plan, object, fresh, column))
  columns.add_serial(plan, object, serial, list)
  local set = columns.covered(plan, identity, name)
  if serial then
    set[serial] = true
    plan.absorbed[serial] = true
  end
  return new_node(plan, identity, name, { when = "make", gives = set, records = list })
end

function make.drop(plan, identity, name)
  local set = plan:with_companions(columns.covered(plan, identity, name))
  local object = plan.b.objects[identity]
  return new_node(plan, identity, name, {
    when = "drop",
    takes = set,
    frees = set,
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
  return not differs(plan, before, after) and not differs_deeply(plan, before, after)
end

local function add_column(plan, identity, name)
  local object = plan.b.objects[identity]
  local column_identity = plan:column_identity(object, name)
  local fate = plan.fate[column_identity]
  local before, after = columns.before(plan, identity)[name], plan.columns.b[identity][name]
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
  columns.check_order(plan, identity)
end

return columns
