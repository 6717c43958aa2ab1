--- Types: enums, domains, composites, ranges and base types. What ALTER TYPE cannot do is done by
-- putting the old type aside, making the new one and moving its columns over.

local annotations = require("luamig.diff.annotations")
local constraint_text = require("luamig.diff.constraint_text")
local constraints = require("luamig.diff.constraints")
local enums = require("luamig.diff.enums")
local names = require("luamig.diff.names")
local quote = require("luamig.quote")
local records = require("luamig.diff.records")
local type_creation = require("luamig.diff.type_creation")
local value = require("luamig.value")

local types = {}

local ASIDE <const> = "__old"

local has_comment = { enum = true, composite = true, domain = true, range = true }

local function claims(object)
  local set = { ["type " .. names.sql(object)] = true }
  if object.kind == "composite" then
    set["relation " .. names.sql(object)] = true
  end
  if object.multirange then
    set["type " .. names.sql({ schema = object.schema, name = object.multirange })] = true
  end
  return set
end

-- The conditions of a new domain stand in it, unless they need what needs the domain.
local function check_parts(plan, identity, object, gives)
  local parts = {}
  for _, child in ipairs(plan.children.b[identity] or {}) do
    local constraint = plan.b.objects[child]
    if not constraint.not_valid and not constraint.comment then
      gives[child] = true
      plan.folded[child] = true
      parts[#parts + 1] = {
        identity = child, gives = { [child] = true }, needs = plan.b.depends[child],
        name = constraint.name, condition = constraint_text.condition(constraint),
        alone = function()
          constraints.create(plan, child, constraint)
        end,
      }
    end
  end
  return parts, object
end

local function finish(plan, object, list)
  if object.not_null_name then
    list[#list + 1] = records.sql("ALTER DOMAIN %s ADD CONSTRAINT %s NOT NULL", names.sql(object),
      quote.ident(object.not_null_name))
  end
  annotations.create(plan, object, list, { comment = not has_comment[object.kind] })
  return list
end

local function node_of(plan, identity, object, extra)
  local gives = { [identity] = true }
  for _, column in ipairs(object.columns or {}) do
    gives[plan.column_identity(object, column.name)] = true
  end
  local parts = object.kind == "domain" and check_parts(plan, identity, object, gives) or {}
  local node = {
    when = "make", kind = object.kind, identity = identity, gives = gives, parts = parts,
    claims = claims(object), known_as = object.name,
    records = function(self)
      local list = extra.aside and { extra.aside } or {}
      records.append(list, extra.more or {})
      list[#list + 1] = type_creation.record(plan, object, self.parts)
      return finish(plan, object, list)
    end,
  }
  for name, field in pairs(extra.fields or {}) do
    node[name] = field
  end
  return plan:node(node)
end

-- A base type and its functions need each other: a shell comes first.
local function add_shell(plan, identity, object)
  if object.kind == "base type" then
    plan.early[identity] = plan:node({
      when = "make", kind = "shell type", identity = identity, gives = {},
      needs = { [plan.schema_identity(object.schema)] = true },
      records = { type_creation.shell(object) },
    })
  end
end

---Makes the nodes that create a type.
function types.create(plan, identity, object)
  add_shell(plan, identity, object)
  node_of(plan, identity, object, {})
end

local function drop_record(plan, object)
  if object.kind == "domain" or has_comment[object.kind] then
    return records.new("drop_type", { name = plan:name(object) })
  end
  return records.sql("DROP TYPE %s%s", names.sql(object),
    object.kind == "base type" and " CASCADE" or "")
end

-- The functions of a base type and the type itself need each other: they go together.
local function take_functions_along(plan, identity)
  for user in pairs(plan:users(identity)) do
    if (plan.a.depends[identity] or {})[user] then
      plan:go_with(user, identity)
    end
  end
end

---Makes the node that drops a type.
function types.drop(plan, identity, object)
  if object.kind == "base type" then
    take_functions_along(plan, identity)
  end
  local set = plan:with_companions({ [identity] = true })
  plan:node({
    when = "drop", kind = object.kind, identity = identity, takes = set, frees = set,
    parts = constraints.parts_that_go(plan, identity, set),
    vacates = claims(object), records = { drop_record(plan, object) },
  })
end

-- The functions that make ranges keep their names, and so does the multirange.
local function put_range_aside(plan, before)
  local name = plan:name(before)
  local multirange = plan:name({ schema = before.schema, name = before.multirange })
  local function rename(function_name, arguments, new_name)
    return records.new("rename_function", {
      name = function_name, arguments = arguments, new_name = new_name,
    })
  end
  local subtype = before.subtype
  return {
    records.new("rename_type", { name = multirange, new_name = before.multirange .. ASIDE }),
    rename(name, { subtype, subtype }, before.name .. ASIDE),
    rename(name, { subtype, subtype, "text" }, before.name .. ASIDE),
    rename(multirange, {}, before.multirange .. ASIDE),
  }
end

-- Values that go stop the conversion of a row that has them.
local function enum_warning(before, after)
  local kept, gone = {}, {}
  for _, label in ipairs(after.kind == "enum" and after.labels or {}) do
    kept[label] = true
  end
  for _, label in ipairs(before.kind == "enum" and before.labels or {}) do
    gone[#gone + 1] = not kept[label] and quote.string(label) or nil
  end
  return gone[1] and ("rows that hold %s stop this: change them first"):format(
    table.concat(gone, ", ")) or nil
end

---Makes the nodes that put a type aside, make it anew, and drop the old one at last.
function types.remake(plan, identity, before, after)
  local aside = before.name .. ASIDE
  local more = before.kind == "range" and put_range_aside(plan, before) or {}
  local node = node_of(plan, identity, after, {
    aside = records.new("rename_type", { name = plan:name(before), new_name = aside }),
    more = more,
    fields = { moves = { [identity] = true }, warning = enum_warning(before, after) },
  })
  plan:node({
    when = "drop", kind = before.kind, identity = identity, after = { node },
    ends = { [identity] = true }, frees = { [identity] = true },
    records = {
      records.new("drop_type", {
        name = plan:name({ schema = before.schema, name = aside }),
      }),
    },
  })
end

local compare = {}

function compare.enum(_, before, after)
  return enums.is_extended(before.labels, after.labels) and "alter" or "remake"
end

function compare.domain(_, before, after)
  return (before.type ~= after.type or before.collation ~= after.collation) and "remake" or "alter"
end

local range_fields = {
  "subtype", "subtype_opclass", "collation", "canonical", "subtype_diff", "multirange",
}

function compare.range(_, before, after)
  for _, field in ipairs(range_fields) do
    if before[field] ~= after[field] then
      return "remake"
    end
  end
  return "alter"
end

function compare.composite(plan, before, after, identity)
  return require("luamig.diff.composites").compare(plan, before, after, identity)
end

local annotation = {
  owner = true, acl = true, comment = true, labels = true, kind = true, extensions = true,
}

compare["base type"] = function(plan, before, after, identity)
  local apart, seen = {}, {}
  for _, object in ipairs({ before, after }) do
    for name in pairs(object) do
      if not annotation[name] and not seen[name] and before[name] ~= after[name] then
        apart[#apart + 1], seen[name] = name, true
      end
    end
  end
  table.sort(apart)
  if apart[1] then
    plan:cannot(identity, "a base type cannot be changed: " .. table.concat(apart, ", "))
  end
  return "alter"
end

---@return "alter"|"remake"
function types.compare(plan, before, after, identity)
  return compare[after.kind] and compare[after.kind](plan, before, after, identity) or "alter"
end

local change = {}

function change.enum(plan, before, after, out)
  records.append(out, enums.additions(plan:name(after), before.labels, after.labels))
end

local function domain_not_null(before, after, args, out)
  if before.not_null_name == after.not_null_name then
    if before.not_null ~= after.not_null then
      args.nullable = not after.not_null
    end
    return
  end
  if before.not_null then
    out[#out + 1] = records.sql("ALTER DOMAIN %s DROP NOT NULL", names.sql(after))
  end
  if after.not_null_name then
    out[#out + 1] = records.sql("ALTER DOMAIN %s ADD CONSTRAINT %s NOT NULL", names.sql(after),
      quote.ident(after.not_null_name))
  elseif after.not_null then
    args.nullable = false
  end
end

function change.domain(plan, before, after, out)
  local args = {}
  if before.default ~= after.default then
    args.default = records.or_none(type_creation.domain_default(after))
  end
  domain_not_null(before, after, args, out)
  if next(args) then
    args.name = plan:name(after)
    out[#out + 1] = records.new("alter_domain", args)
  end
end

function change.composite(plan, before, after, out)
  records.append(out, require("luamig.diff.composites").changes(plan, before, after))
end

---Makes the node that changes a type in place.
function types.alter(plan, identity, before, after, fate)
  local out = {}
  local first
  if fate == "refresh" and before.default then
    first = plan:node({
      when = "change", kind = before.kind, identity = identity, frees = { [identity] = true },
      records = {
        records.new("alter_domain", { name = plan:name(after), default = value.none }),
      },
    })
    before = setmetatable({ default = false }, { __index = before })
  end
  if change[after.kind] then
    change[after.kind](plan, before, after, out)
  end
  annotations.change(plan, before, after, out)
  if out[1] then
    local node = plan:node({
      when = "change", kind = after.kind, identity = identity, gives = { [identity] = true },
      frees = not first and { [identity] = true } or nil, after = { first }, records = out,
    })
    if after.kind == "composite" then
      require("luamig.diff.composites").own(plan, identity, node)
    end
  end
end

return types
