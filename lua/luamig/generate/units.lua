--- The tables that can be filled, each with all that its rows must respect, from a snapshot. A
-- partition is a unit of its own, whose rows go in through the partitioned table. Pure.
--
-- A UNIT
--   identity, name (plain), sql (qualified, quoted), root (sql of the table that rows go into)
--   above                 identities of the table and of those that it is a partition of
--   columns, by_name      columns.lua
--   conditions            { { name, sql, tree, columns = set, is_usable }, … }: CHECKs, those of
--                         domains, the partition's bound; is_usable: a query can evaluate it on a
--                         row that is not in the table
--   condition             the tree of all of them
--   relations             trees that follow from indexes and generated columns
--   keys                  keys.lua; passes_over_conflicts: ON CONFLICT DO NOTHING is possible
--   references            foreign keys: { name, columns, parent (identity), parent_columns,
--                         is_full, is_optional, is_self, optional_columns }
--   triggers, rules       objects of the snapshot, sorted by name
--   why                   it cannot be filled at all

local columns = require("luamig.generate.columns")
local comparisons = require("luamig.generate.comparisons")
local keys = require("luamig.generate.keys")
local logic = require("luamig.generate.logic")
local quote = require("luamig.quote")
local types = require("luamig.generate.types")

local units = {}

-- Objects of each parent, sorted by identity.
local function children_of(value)
  local children = {}
  for identity, object in pairs(value.objects) do
    if object.parent then
      local list = children[object.parent] or {}
      children[object.parent] = list
      list[#list + 1] = { identity = identity, object = object }
    end
  end
  for parent, list in pairs(children) do
    table.sort(list, function(a, b)
      return a.identity < b.identity
    end)
    for i, entry in ipairs(list) do
      list[i] = entry.object
    end
    children[parent] = list
  end
  return children
end

local function of_kind(children, kind)
  local out = {}
  for _, object in ipairs(children) do
    out[#out + 1] = object.kind == kind and object or nil
  end
  return out
end

local function sql_name(identity)
  return identity:gsub("^table ", "")
end

-- The topmost partitioned table, or the table itself; and all that a row of the table is a row of.
local function root_of(value, identity)
  local object, above = value.objects[identity], { identity }
  while object.partition_of and value.objects[object.partition_of] do
    identity = object.partition_of
    object = value.objects[identity]
    above[#above + 1] = identity
  end
  return object, above
end

-- ---- conditions ----

local system_columns = { tableoid = true, ctid = true, xmin = true, xmax = true, cmin = true,
  cmax = true }

local function condition(name, sql)
  local tree, mentioned = logic.parse(sql)
  local set, is_usable = {}, true
  for _, column in ipairs(mentioned) do
    set[column] = true
    is_usable = is_usable and not system_columns[column]
  end
  return {
    name = name, sql = sql, tree = tree, columns = set,
    -- A whole row would be of another type than the table's.
    is_usable = is_usable and not sql:find("%.%*"),
  }
end

-- A domain's condition speaks of "value": the tree speaks of the column.
local function renamed(tree, name)
  local copy = {}
  for key, value in pairs(tree) do
    copy[key] = type(key) == "number" and renamed(value, name) or value
  end
  copy.column = tree.column and name
  copy.other = tree.other and name
  copy.columns = tree.columns and { name }
  return copy
end

local function domain_conditions(out, column)
  for _, check in ipairs(column.checks) do
    out[#out + 1] = {
      name = check.name, tree = renamed(check.tree, column.name),
      columns = { [column.name] = true }, is_usable = true,
      sql = ("(SELECT (%s) FROM (SELECT %s) AS luamig_d (value))"):format(check.sql, column.ident),
    }
  end
end

local function conditions_of(unit, children, bound)
  local out = {}
  if bound then -- first: the branches of the others are chosen so that they agree with it
    out[1] = condition("the bounds of the partition", bound)
    unit.bound = out[1]
  end
  for _, object in ipairs(of_kind(children, "constraint")) do
    if object.type == "check" and not object.not_enforced then
      local read = condition(object.name, types.check_sql(object.definition))
      read.is_check = true
      out[#out + 1] = read
    end
  end
  for _, column in ipairs(unit.columns) do
    domain_conditions(out, column)
  end
  return out
end

-- ---- foreign keys ----

local function reference(unit, object)
  local optional, count = {}, 0
  for _, name in ipairs(object.columns) do
    local column = unit.by_name[name]
    if column.nullable and not column.generated then
      optional[name], count = true, count + 1
    end
  end
  local is_full = object.match == "full"
  return {
    name = object.name, columns = object.columns, parent = object.references.table,
    parent_columns = object.references.columns or keys.referred_columns(object.definition),
    is_full = is_full, optional_columns = optional,
    is_optional = count > 0 and (not is_full or count == #object.columns),
  }
end

local function references_of(unit, children)
  local out = {}
  for _, object in ipairs(of_kind(children, "constraint")) do
    if object.type == "foreign_key" and not object.not_enforced then
      out[#out + 1] = reference(unit, object)
    end
  end
  -- The most columns first: what they leave open is then little. Those that must be first too.
  table.sort(out, function(a, b)
    if #a.columns ~= #b.columns then
      return #a.columns > #b.columns
    elseif a.is_optional ~= b.is_optional then
      return b.is_optional
    end
    return a.name < b.name
  end)
  for _, made in ipairs(out) do
    for _, name in ipairs(made.columns) do
      unit.by_name[name].is_reference = true
    end
  end
  return out
end

-- ---- units ----

local function by_name(list)
  local out = {}
  for _, column in ipairs(list) do
    out[column.name] = column
  end
  return out
end

local function add_columns(unit, object, root, place)
  local of_root = root ~= object and by_name(root.columns) or {}
  for i, own in ipairs(object.columns) do
    local column = columns.new(own, of_root[own.name], place)
    unit.columns[i] = column
    unit.by_name[column.name] = column
    if column.generated then
      keys.read_expression(place.needs, column.expression)
    elseif column.is_left_out and not column.nullable and not column.default then
      unit.why = ("column %s: %s"):format(column.name, column.why)
    end
  end
end

local function mark_keys(unit)
  for _, key in ipairs(unit.keys) do
    for _, name in ipairs(key.columns) do
      local column = unit.by_name[name]
      if column then
        column.is_key = true
        column.is_exclusive = column.is_exclusive or key.is_exclusive
      end
    end
  end
end

local function unit_of(value, identity, children, options)
  local object = value.objects[identity]
  local root, above = root_of(value, identity)
  local unit = {
    identity = identity, name = object.name, sql = sql_name(identity), columns = {}, by_name = {},
    root = sql_name(above[#above]), above = above,
    modulus = object.bound and math.tointeger(tonumber(object.bound:match("modulus (%d+)"))),
    triggers = of_kind(children, "trigger"),
    rules = of_kind(children, "rule"),
  }
  local needs = keys.of(children)
  add_columns(unit, object, root,
    { world = options.world, identity = identity, seed = options.seed, needs = needs })
  unit.keys, unit.relations = needs.keys, needs.relations
  -- Neither rules nor deferrable keys go with ON CONFLICT.
  unit.passes_over_conflicts = not needs.is_deferrable and #unit.rules == 0
  unit.conditions = conditions_of(unit, children, options.bounds[identity])
  unit.condition = comparisons.each("and", unit.conditions, function(one)
    return one.tree
  end)
  unit.references = references_of(unit, children)
  mark_keys(unit)
  return unit
end

-- Partitioned tables that have some partition, however deep, that is a table or a foreign table.
local function with_partitions(value)
  local out = {}
  for _, object in pairs(value.objects) do
    if object.partition_of and not object.partition_by then
      local at = object.partition_of
      while at and not out[at] do
        out[at] = true
        at = value.objects[at] and value.objects[at].partition_of
      end
    end
  end
  return out
end

local function sorted_tables(value)
  local out = {}
  for identity, object in pairs(value.objects) do
    if object.kind == "table" then
      out[#out + 1] = identity
    end
  end
  table.sort(out)
  return out
end

---The identities of the tables that hold rows, and of those that are partitions.
---@return string[] tables, string[] partitions
function units.tables(value)
  local out, partitions = {}, {}
  for _, identity in ipairs(sorted_tables(value)) do
    local object = value.objects[identity]
    if not object.partition_by then
      out[#out + 1] = identity
      partitions[#partitions + 1] = object.partition_of and identity or nil
    end
  end
  return out, partitions
end

---Every table of a snapshot that can hold rows, sorted by identity.
---@param value table
---@param options { world: table, seed: integer, bounds: table<string, string> }  bounds: the
---  conditions of partitions, as SQL
---@return table[] units, table[] unfilled  { { identity, why }, … }
function units.of(value, options)
  local out, unfilled = {}, {}
  local children, is_partitioned = children_of(value), with_partitions(value)
  for _, identity in ipairs(sorted_tables(value)) do
    local object = value.objects[identity]
    if not object.partition_by then
      out[#out + 1] = unit_of(value, identity, children[identity] or {}, options)
    elseif not is_partitioned[identity] then
      unfilled[#unfilled + 1] = { identity = identity, why = "it has no partition" }
    end
  end
  return out, unfilled
end

---The name of a trigger or rule, as identities have it.
function units.child_identity(object)
  return ("%s %s on %s"):format(object.kind, quote.ident(object.name),
    object.parent:gsub("^%l+ ", ""))
end

return units
