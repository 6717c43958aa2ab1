--- The definition of a constraint as SQL: inside CREATE TABLE, behind ADD, or at a column. Pure.

local clause = require("luamig.clause")
local index = require("luamig.index")
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

local function index_clauses(spec)
  return clause.words(
    spec.include and "INCLUDE (" .. quote.idents(spec.include) .. ")",
    spec.with and "WITH (" .. clause.settings(spec.with) .. ")",
    spec.tablespace and "USING INDEX TABLESPACE " .. quote.ident(spec.tablespace))
end

local function nulls(spec, context)
  if not spec.nulls_not_distinct then
    return nil
  end
  clause.need(context, 15, "nulls_not_distinct")
  return "NULLS NOT DISTINCT"
end

local function enforcement(spec, context)
  if spec.enforced == nil then
    return nil
  end
  clause.need(context, 18, "enforced")
  return spec.enforced and "ENFORCED" or "NOT ENFORCED"
end

local function key_columns(spec, context)
  local columns = quote.idents(spec.columns)
  if spec.without_overlaps then
    clause.need(context, 18, "without_overlaps")
    columns = columns .. " WITHOUT OVERLAPS"
  end
  return "(" .. columns .. ")"
end

local function key(words)
  return function(spec, context)
    if spec.using_index then
      return clause.words(words, "USING INDEX", quote.ident(spec.using_index), deferrable(spec))
    end
    return clause.words(words, nulls(spec, context), key_columns(spec, context),
      index_clauses(spec), deferrable(spec))
  end
end

-- The last column of each side is the period.
local function period_columns(columns)
  local last = #columns
  return quote.idents(table.move(columns, 1, last - 1, 1, {})) .. ", PERIOD "
    .. quote.ident(columns[last])
end

local function foreign_key_head(spec, context)
  local idents = quote.idents
  if spec.period then
    clause.need(context, 18, "period")
    idents = period_columns
  end
  return clause.words("FOREIGN KEY (" .. idents(spec.columns) .. ")", "REFERENCES",
    quote.name(spec.referred_table),
    spec.referred_columns and "(" .. idents(spec.referred_columns) .. ")")
end

local bodies = { primary_key = key("PRIMARY KEY"), unique = key("UNIQUE") }

function bodies.check(spec, context)
  return clause.words("CHECK (" .. clause.sql(spec.condition) .. ")",
    spec.no_inherit and "NO INHERIT", enforcement(spec, context))
end

function bodies.foreign_key(spec, context)
  return clause.words(foreign_key_head(spec, context), foreign_key_tail(spec, context),
    enforcement(spec, context))
end

function bodies.exclude(spec)
  local elements = {}
  for i, element in ipairs(spec.elements) do
    elements[i] = index.key(element) .. " WITH " .. clause.sql(element[2])
  end
  return clause.words("EXCLUDE USING", quote.ident(spec.using or "gist"),
    "(" .. table.concat(elements, ", ") .. ")", index_clauses(spec),
    spec.where and "WHERE (" .. clause.sql(spec.where) .. ")", deferrable(spec))
end

function bodies.not_null(spec, context)
  if not clause.since(context, 18) then
    clause.refuse("a NOT NULL constraint with a name needs PostgreSQL 18, the server is %d: write "
      .. "nullable = false (op.column, op.alter_column)", context.server_version // 10000)
  end
  return clause.words("NOT NULL", quote.ident(spec.column), spec.no_inherit and "NO INHERIT")
end

local naming_kinds = {
  primary_key = "pk", unique = "uq", check = "ck", foreign_key = "fk", exclude = "ex",
  not_null = "nn",
}

local function columns_of(spec)
  return spec.columns or index.targets(spec.elements or { spec.column })
end

---The name that the script gave, else the one of the naming convention, else nil. A constraint made
---of an index takes the name of the index.
---@return string|nil
function constraint.name(spec, table_name, context)
  if spec.name or spec.using_index then
    return spec.name or spec.using_index
  end
  return naming.name(context, naming_kinds[spec.kind], {
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

---The statement behind one that made the constraint, or nil.
---@return table|nil
function constraint.comment(spec, table_name, context)
  if not spec.comment then
    return nil
  end
  local name = constraint.name(spec, table_name, context)
  if not name then
    clause.refuse("the %s has a comment and no name", (spec.kind:gsub("_", " ")))
  end
  return clause.comment(("CONSTRAINT %s ON %s"):format(quote.ident(name), quote.name(table_name)),
    spec.comment)
end

return constraint
