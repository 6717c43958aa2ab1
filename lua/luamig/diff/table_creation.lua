--- New tables: one op.create_table with as many of its constraints as can stand in it.

local annotations = require("luamig.diff.annotations")
local clause = require("luamig.clause")
local column_changes = require("luamig.diff.column_changes")
local column_definition = require("luamig.diff.column_definition")
local column_inheritance = require("luamig.diff.column_inheritance")
local column_sql = require("luamig.column")
local constraint_text = require("luamig.diff.constraint_text")
local constraints = require("luamig.diff.constraints")
local key_text = require("luamig.diff.key_text")
local names = require("luamig.diff.names")
local naming = require("luamig.naming")
local not_null = require("luamig.diff.not_null")
local partitions = require("luamig.diff.partitions")
local quote = require("luamig.quote")
local records = require("luamig.diff.records")
local table_settings = require("luamig.diff.table_settings")
local taken = require("luamig.diff.taken")
local value = require("luamig.value")

local table_creation = {}

-- What has no operation that makes it.
local function is_raw(object)
  return object.kind == "foreign table" or object.of_type ~= nil
end

local label_of = { primary_key = "pkey", unique = "key", foreign_key = "fkey" }
local naming_kind = { primary_key = "pk", unique = "uq", foreign_key = "fk" }

-- The name that a constraint gets when nobody says one.
local function unsaid_name(plan, spec, object)
  local label = label_of[spec.kind]
  if not label then
    return nil
  end
  local conventional = naming.name(plan.context, naming_kind[spec.kind], {
    table = plan:name(object), columns = spec.columns, referred = spec.referred_table,
  })
  local words = spec.kind ~= "primary_key" and table.concat(spec.columns, "_") or nil
  return conventional or names.made_up(object.name, words, label)
end

-- A name is left out when it is the one that comes by itself, and nothing else would get it too.
local function leave_names_out(plan, items, object)
  local count = {}
  for _, item in ipairs(items) do
    local name = value.is(item, "constraint") and unsaid_name(plan, item, object)
    if name then
      count[name] = (count[name] or 0) + 1
    end
  end
  for _, item in ipairs(items) do
    local name = value.is(item, "constraint") and unsaid_name(plan, item, object)
    if name and count[name] == 1 and item.name == name and not item.comment
      and not taken.is_shared(plan, object.schema, name) then
      item.name = nil
    end
  end
end

local key_options = {
  "name", "include", "with", "tablespace", "deferrable", "initially", "without_overlaps",
  "comment",
}

-- A primary key of one column with nothing more to say stands at the column.
local function fold_primary_key(items)
  for i, item in ipairs(items) do
    local is_plain = value.is(item, "constraint") and item.kind == "primary_key"
      and #item.columns == 1
    for _, option in ipairs(key_options) do
      is_plain = is_plain and item[option] == nil
    end
    for _, other in ipairs(is_plain and items or {}) do
      if value.is(other, "column") and other.name == item.columns[1] then
        other.primary_key, other.nullable = true, nil
        table.remove(items, i)
        return
      end
    end
  end
end

-- PostgreSQL 18: a NOT NULL with a name of its own.
local function named_not_null(plan, object, column)
  if not plan:since(18) or not column.not_null or column.not_null_not_valid then
    return nil
  end
  local name = column.not_null_name
    or taken.is_not_null(plan, object, column) and not_null.name(object, column)
  if not name and not column.not_null_no_inherit then
    return nil
  end
  return value.new("constraint", {
    kind = "not_null", column = column.name, name = name or nil,
    no_inherit = column.not_null_no_inherit,
  })
end

local function like_parent(plan, identity, object, name)
  local parents = object.partition_of and { object.partition_of } or object.inherits or {}
  for _, parent in ipairs(parents) do
    local column = (plan.columns.b[parent] or {})[name]
    if column then
      return column_inheritance.in_child(plan, parent, identity, column)
    end
  end
  return { name = name }
end

-- The columns as items, the records that must follow, the identities that are given.
local function column_items(plan, identity, object, made)
  for _, column in ipairs(object.columns) do
    if column.inherited and not made.is_standalone then
      records.append(made.behind,
        column_changes.records(plan, object,
        like_parent(plan, identity, object, column.name), column))
    else
      local definition, fresh, serial = column_definition.new(plan, object, column)
      if made.is_raw then
        fresh.comment, definition.comment = nil, nil
      end
      local own_not_null = named_not_null(plan, object, column)
      made.items[#made.items + 1] = definition
      if own_not_null then
        definition.nullable = nil
        made.not_nulls[#made.not_nulls + 1] = own_not_null
        fresh.not_null_name, fresh.not_null_no_inherit =
          column.not_null_name, column.not_null_no_inherit
      end
      records.append(made.behind, column_changes.records(plan, object, fresh, column))
      if serial then
        made.gives[serial], plan.absorbed[serial] = true, true
        column_definition.add_serial(plan, object, serial, made.behind)
      end
    end
    made.gives[plan.column_identity(object, column.name)] = true
  end
end

-- Of two tables that refer to each other, the one that need not refer is made first.
local function weight_of(plan, identity, constraint)
  for _, name in ipairs(constraint.columns or {}) do
    local column = plan.columns.b[identity][name]
    if column and column.not_null then
      return 1
    end
  end
  return 0
end

local function constraint_parts(plan, identity, object, made)
  for _, child in ipairs(plan.children.b[identity] or {}) do
    local constraint = plan.b.objects[child]
    local is_own = constraint.kind == "constraint"
      and not constraints.is_automatic(plan, constraint)
    local spec = is_own and not constraint.not_valid and constraint_text.value(plan, constraint)
    if spec then
      made.parts[#made.parts + 1] = {
        identity = child, item = spec, gives = { [child] = true },
        weight = weight_of(plan, identity, constraint),
        needs = plan.b.depends[child],
        alone = function()
          constraints.create(plan, child, constraint)
        end,
      }
      made.gives[child] = true
      plan.folded[child] = true
      for name in pairs(constraints.claims(constraint)) do
        made.prefers[name] = true
      end
    end
  end
  return object
end

-- Kinds that only a default or an expression can need.
local function is_of_expression(identity)
  return not identity:find("^enum ") and not identity:find("^domain ")
    and not identity:find("^composite ") and not identity:find("^range ")
    and not identity:find("^base type ") and not identity:find("^collation ")
    and not identity:find("^schema ") and not identity:find("^extension ")
end

-- A default that needs what needs the table can be set later.
local function default_parts(plan, object, made)
  for _, column in ipairs(object.columns) do
    local column_identity = plan.column_identity(object, column.name)
    local needs = {}
    for needed in pairs(plan.b.depends[column_identity] or {}) do
      needs[needed] = is_of_expression(needed) or nil
    end
    if column.default and next(needs) and not made.gives[column.serial or ""] then
      made.parts[#made.parts + 1] = {
        identity = column_identity, needs = needs, default = column.name,
        alone = function(node)
          node.skips = node.skips or {}
          for needed in pairs(needs) do
            node.skips[needed] = true
          end
          plan:node({
            when = "change", kind = "column", identity = column_identity, after = { node },
            needs = needs,
            records = {
              records.new("alter_column", {
                table = plan:name(object), column = column.name,
                default = column_changes.default(plan, column),
              }),
            },
          })
        end,
      }
    end
  end
end

local function parent_names(plan, object)
  local out = {}
  for i, parent in ipairs(object.inherits or {}) do
    out[i] = plan:name_of(parent)
  end
  return out[2] and out or out[1]
end

local function table_args(plan, object, is_standalone)
  return {
    name = plan:name(object),
    unlogged = object.unlogged,
    inherits = parent_names(plan, object),
    partition_by = object.partition_by and partitions.by(object.partition_by),
    partition_of = object.partition_of and not is_standalone and partitions.of(plan, object)
      or nil,
    with = key_text.settings(table_settings.all_options(object)),
    tablespace = object.tablespace,
    using = object.access_method,
    comment = plan.options.comments ~= false and object.comment or nil,
  }
end

local function without_default(item, removed)
  if not (value.is(item, "column") and removed[item.name]) then
    return item
  end
  local out = value.new("column", {})
  for name, field in pairs(item) do
    out[name] = field
  end
  out.default = nil
  return out
end

local function items_of(plan, object, made, node)
  local items, kept = {}, {}
  for _, part in ipairs(node.parts) do
    kept[part.default or part.identity] = true
  end
  local removed = {}
  for _, name in ipairs(made.defaults) do
    removed[name] = not kept[name] or nil
  end
  for i, item in ipairs(made.items) do
    items[i] = without_default(item, removed)
  end
  for _, item in ipairs(made.not_nulls) do
    items[#items + 1] = item
  end
  for _, part in ipairs(node.parts) do
    items[#items + 1] = part.item
  end
  leave_names_out(plan, items, object)
  fold_primary_key(items)
  return items
end

local function words_of_parts(plan, node, out)
  for _, part in ipairs(node.parts) do
    if part.item then
      local constraint = plan.b.objects[part.identity]
      constraints.words(plan, constraint, not is_raw(plan.b.objects[constraint.parent]), out)
    end
  end
end

-- CREATE TABLE … OF, CREATE FOREIGN TABLE: there is no operation.
local function elements_sql(plan, object, items)
  local out = {}
  for i, item in ipairs(items) do
    if value.is(item, "column") then
      local text = column_sql.definition(item, names.sql(object), plan.context)
      out[i] = object.of_type and text:gsub("^(%S+) " .. item.type:gsub("%p", "%%%0"),
        "%1 WITH OPTIONS", 1) or text
    else
      out[i] = require("luamig.constraint").definition(item, names.sql(object), plan.context)
    end
  end
  return out[1] and "(\n  " .. table.concat(out, ",\n  ") .. "\n)" or nil
end

local function inherits_sql(object)
  local out = {}
  for i, parent in ipairs(object.inherits or {}) do
    out[i] = names.parent(parent)
  end
  return out[1] and "INHERITS (" .. table.concat(out, ", ") .. ")"
end

local function foreign_creation(plan, object, items)
  local partition = object.partition_of
  return records.sql(clause.words("CREATE FOREIGN TABLE", names.sql(object),
    partition and "PARTITION OF " .. names.parent(partition),
    elements_sql(plan, object, items) or not partition and "()",
    partition and object.bound, inherits_sql(object),
    "SERVER " .. quote.ident(object.server), records.foreign_options(object.fdw_options)))
end

local function typed_creation(plan, object, items)
  local options = table_settings.all_options(object)
  return records.sql(clause.words("CREATE", object.unlogged and "UNLOGGED", "TABLE",
    names.sql(object), "OF " .. names.behind(object.of_type, "composite"),
    elements_sql(plan, object, items),
    object.partition_by and "PARTITION BY " .. object.partition_by,
    options and (records.options(nil, options):gsub("^SET", "WITH"))))
end

-- Columns of a typed table are those of its type, unless they say more.
local function typed_items(items)
  local out = {}
  for _, item in ipairs(items) do
    local is_plain = value.is(item, "column") and item.default == nil and item.nullable == nil
      and not item.primary_key and not item.generated and not item.identity
    if not is_plain then
      out[#out + 1] = item
    end
  end
  return out
end

local function build(plan, object, made, node)
  local items = items_of(plan, object, made, node)
  local list = {}
  if object.of_type then
    list[1] = typed_creation(plan, object, typed_items(items))
  elseif is_raw(object) then
    list[1] = foreign_creation(plan, object, items)
  else
    local args = table_args(plan, object, made.is_standalone)
    args.columns = items
    list[1] = records.new("create_table", args)
  end
  records.append(list, made.behind)
  words_of_parts(plan, node, list)
  table_settings.create(plan, object, list)
  annotations.create(plan, object, list, { comment = is_raw(object) })
  return list
end

---Names that a table takes.
function table_creation.claims(object)
  local name = names.sql(object)
  return { ["relation " .. name] = true, ["type " .. name] = true }
end

---Makes the nodes that create a table: itself, with as many of its constraints as can be.
function table_creation.create(plan, identity, object)
  local made = {
    items = {}, not_nulls = {}, behind = {}, parts = {}, defaults = {},
    gives = { [identity] = true }, prefers = {}, is_standalone = plan.standalone[identity],
    is_raw = is_raw(object),
  }
  column_items(plan, identity, object, made)
  constraint_parts(plan, identity, object, made)
  default_parts(plan, object, made)
  for _, part in ipairs(made.parts) do
    made.defaults[#made.defaults + 1] = part.default
  end
  local node
  node = plan:node({
    when = "make", kind = object.kind, identity = identity, gives = made.gives,
    parts = made.parts, claims = table_creation.claims(object), known_as = object.name,
    prefers = made.prefers, joins = not made.is_standalone and object.partition_of or nil,
    records = function()
      return build(plan, object, made, node)
    end,
  })
  table_settings.settle(plan, identity, {}, object)
  if object.partition_of and made.is_standalone then
    partitions.attach(plan, identity, object)
  end
end

return table_creation
