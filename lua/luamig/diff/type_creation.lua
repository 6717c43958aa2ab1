--- New types, as the operations make them.

local clause = require("luamig.clause")
local expression = require("luamig.diff.expression")
local names = require("luamig.diff.names")
local quote = require("luamig.quote")
local records = require("luamig.diff.records")
local value = require("luamig.value")

local type_creation = {}

local function comment_of(plan, object)
  return plan.options.comments ~= false and object.comment or nil
end

-- By kind: the record that makes an object.
local creation = {}

function creation.enum(plan, object)
  local values = table.move(object.labels, 1, #object.labels, 1, {})
  return records.new("create_enum", {
    name = plan:name(object), values = values, comment = comment_of(plan, object),
  })
end

local function attribute(plan, column)
  local comment = plan.options.comments ~= false and column.comment or nil
  if not column.collation and not comment then
    return { column.name, plan:type(column.type) }
  end
  return value.new("column", {
    name = column.name, type = plan:type(column.type),
    collation = names.unquoted(column.collation),
    comment = comment,
  })
end

function creation.composite(plan, object)
  local attributes = {}
  for i, column in ipairs(object.columns) do
    attributes[i] = attribute(plan, column)
  end
  return records.new("create_composite", {
    name = plan:name(object), attributes = attributes, comment = comment_of(plan, object),
  })
end

---The default of a domain, as op.create_domain takes it.
function type_creation.domain_default(object)
  if object.default == nil then
    return nil
  end
  return expression.default(object.default, object.type, false)
end

function creation.domain(plan, object, parts)
  local checks
  for _, part in ipairs(parts or {}) do
    checks = checks or {}
    checks[part.name] = part.condition
  end
  return records.new("create_domain", {
    name = plan:name(object),
    type = plan:type(object.type),
    default = type_creation.domain_default(object),
    nullable = records.false_if(object.not_null and not object.not_null_name),
    collation = names.unquoted(object.collation),
    check = checks,
    comment = comment_of(plan, object),
  })
end

function creation.range(plan, object)
  return records.new("create_range", {
    name = plan:name(object),
    subtype = plan:type(object.subtype),
    opclass = object.subtype_opclass,
    collation = names.unquoted(object.collation),
    canonical = object.canonical,
    subtype_diff = object.subtype_diff,
    multirange = object.multirange and clause.dotted(object.schema, object.multirange),
    comment = comment_of(plan, object),
  })
end

creation["shell type"] = function(_, object)
  return records.sql("CREATE TYPE %s", names.sql(object))
end

local base_words = {
  { "input", "INPUT" }, { "output", "OUTPUT" }, { "receive", "RECEIVE" }, { "send", "SEND" },
  { "typmod_in", "TYPMOD_IN" }, { "typmod_out", "TYPMOD_OUT" }, { "analyze", "ANALYZE" },
  { "subscript", "SUBSCRIPT" }, { "element", "ELEMENT" },
}

local alignments = { c = "char", s = "int2", i = "int4", d = "double" }
local storages = { p = "plain", e = "external", m = "main", x = "extended" }

creation["base type"] = function(_, object)
  local out = {}
  local function add(word, text)
    if text ~= nil then
      out[#out + 1] = word .. " = " .. text
    end
  end
  for _, pair in ipairs(base_words) do
    add(pair[2], object[pair[1]])
  end
  add("INTERNALLENGTH", object.length == -1 and "VARIABLE" or ("%d"):format(object.length))
  add("ALIGNMENT", alignments[object.alignment])
  add("STORAGE", storages[object.storage])
  add("CATEGORY", object.category and quote.string(object.category))
  add("PREFERRED", object.preferred and "true")
  add("DEFAULT", object.default and quote.string(object.default))
  add("DELIMITER", object.delimiter and quote.string(object.delimiter))
  add("COLLATABLE", object.collatable and "true")
  if object.by_value then
    out[#out + 1] = "PASSEDBYVALUE"
  end
  return records.sql("CREATE TYPE %s (%s)", names.sql(object), table.concat(out, ", "))
end

---The record that makes a type.
---@param parts? table[]  conditions of a domain: { name =, condition = }
---@return table
function type_creation.record(plan, object, parts)
  return creation[object.kind](plan, object, parts)
end

---The record that makes the shell of a base type.
function type_creation.shell(object)
  return records.sql("CREATE TYPE %s", names.sql(object))
end

return type_creation
