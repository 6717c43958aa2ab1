--- The definition of a constraint as SQL: inside CREATE TABLE, behind ADD, or at a column. Pure.

local clause = require("luamig.clause")
local naming = require("luamig.naming")
local quote = require("luamig.quote")

local constraint = {}

local actions = "enum{cascade,restrict,set null,set default,no action}"

constraint.deferrable_fields = {
  deferrable = { type = "boolean", doc = "may be checked at COMMIT" },
  initially = { type = "enum{deferred,immediate}", doc = "\"deferred\": checked at COMMIT" },
}

constraint.foreign_key_fields = {
  on_delete = { type = actions, doc = "what happens when the row referred to goes" },
  on_update = { type = actions, doc = "what happens when its key changes" },
  on_delete_columns = {
    type = "list<identifier>",
    doc = "the columns that on_delete = \"set null\" or \"set default\" sets (PostgreSQL 15)",
  },
  match = { type = "enum{simple,full}", doc = "what a key with a NULL in it means" },
}

constraint.reference_fields = {
  table = { type = "name", required = true, doc = "the table referred to" },
  column = { type = "identifier", doc = "its column; the primary key when left out" },
  name = { type = "identifier", doc = "name of the constraint" },
}

for _, fields in ipairs({ constraint.deferrable_fields, constraint.foreign_key_fields }) do
  for name, field in pairs(fields) do
    if name ~= "on_delete_columns" then
      constraint.reference_fields[name] = field
    end
  end
end

local function deferrable(spec)
  local text
  if spec.deferrable or spec.initially == "deferred" then
    text = "DEFERRABLE"
  elseif spec.deferrable == false then
    text = "NOT DEFERRABLE"
  end
  return clause.words(text, spec.initially and "INITIALLY " .. spec.initially:upper())
end

local function set_columns(spec, context)
  if not spec.on_delete_columns then
    return nil
  end
  clause.need(context, 15, "on_delete_columns")
  return "(" .. quote.idents(spec.on_delete_columns) .. ")"
end

local function foreign_key_tail(spec, context)
  return clause.words(
    spec.match and "MATCH " .. spec.match:upper(),
    spec.on_delete and "ON DELETE " .. spec.on_delete:upper(),
    set_columns(spec, context),
    spec.on_update and "ON UPDATE " .. spec.on_update:upper(),
    deferrable(spec))
end

local function references(table_name, columns)
  return clause.words("REFERENCES", quote.name(table_name),
    columns and "(" .. quote.idents(columns) .. ")")
end

---`REFERENCES …` behind a column.
---@return string
function constraint.inline_reference(column, table_name, context)
  local spec = column.references
  spec = type(spec) == "string" and { table = spec } or spec
  local name = spec.name or naming.name(context, "fk",
    { table = table_name, columns = { column.name }, referred = spec.table })
  return clause.words(name and "CONSTRAINT " .. quote.ident(name),
    references(spec.table, spec.column and { spec.column }), foreign_key_tail(spec, context))
end

local function include(spec)
  return spec.include and "INCLUDE (" .. quote.idents(spec.include) .. ")"
end

local function nulls(spec, context)
  if not spec.nulls_not_distinct then
    return nil
  end
  clause.need(context, 15, "nulls_not_distinct")
  return "NULLS NOT DISTINCT"
end

local function key_columns(spec, words, context)
  if spec.using_index then
    return clause.words(words, "USING INDEX", quote.ident(spec.using_index))
  end
  return clause.words(words, nulls(spec, context), "(" .. quote.idents(spec.columns) .. ")",
    include(spec))
end

local bodies = {}

function bodies.primary_key(spec, context)
  return clause.words(key_columns(spec, "PRIMARY KEY", context), deferrable(spec))
end

function bodies.unique(spec, context)
  return clause.words(key_columns(spec, "UNIQUE", context), deferrable(spec))
end

function bodies.check(spec)
  return clause.words("CHECK (" .. clause.sql(spec.condition) .. ")",
    spec.no_inherit and "NO INHERIT")
end

function bodies.foreign_key(spec, context)
  return clause.words("FOREIGN KEY (" .. quote.idents(spec.columns) .. ")",
    references(spec.referred_table, spec.referred_columns), foreign_key_tail(spec, context))
end

function bodies.exclude(spec)
  local elements = {}
  for i, element in ipairs(spec.elements) do
    local target = element[1]
    elements[i] = clause.words(
      type(target) == "string" and quote.ident(target) or "(" .. target.sql .. ")",
      element.opclass and quote.name(element.opclass), "WITH", element[2])
  end
  return clause.words("EXCLUDE USING", quote.ident(spec.using or "gist"),
    "(" .. table.concat(elements, ", ") .. ")", include(spec),
    spec.where and "WHERE (" .. clause.sql(spec.where) .. ")", deferrable(spec))
end

local naming_kinds = {
  primary_key = "pk", unique = "uq", check = "ck", foreign_key = "fk", exclude = "ex",
}

local function columns_of(spec)
  if spec.columns then
    return spec.columns
  end
  local columns = {}
  for i, element in ipairs(spec.elements or {}) do
    columns[i] = element[1]
  end
  return columns
end

---The name that the script gave, else the one of the naming convention, else nil.
---@return string|nil
function constraint.name(spec, table_name, context)
  return spec.name or naming.name(context, naming_kinds[spec.kind], {
    table = table_name,
    columns = columns_of(spec),
    referred = spec.referred_table,
    expression = spec.condition and clause.sql(spec.condition),
  })
end

---`[CONSTRAINT name] …`
---@return string
function constraint.definition(spec, table_name, context)
  local name = constraint.name(spec, table_name, context)
  return clause.words(name and "CONSTRAINT " .. quote.ident(name), bodies[spec.kind](spec, context),
    spec.not_valid and "NOT VALID")
end

return constraint
