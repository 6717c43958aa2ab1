--- The definition of a column as SQL. Pure.

local clause = require("luamig.clause")
local constraint = require("luamig.constraint")
local naming = require("luamig.naming")
local quote = require("luamig.quote")
local types = require("luamig.types")

local column = {}

column.sequence_fields = {
  generated = {
    type = "enum{always,by default}",
    default = "by default",
    doc = "\"by default\": an INSERT may give a value of its own",
  },
  start = { type = "integer", doc = "first value" },
  increment = { type = "integer", doc = "step" },
  min_value = { type = "integer", doc = "smallest value" },
  max_value = { type = "integer", doc = "greatest value" },
  cache = { type = "integer", doc = "values kept in memory by a session" },
  cycle = { type = "boolean", doc = "start again after the last value" },
}

column.options = {
  nullable = { type = "boolean", default = true, doc = "false: NOT NULL" },
  default = { type = "literal", doc = "a constant, or op.sql" },
  primary_key = { type = "boolean", doc = "part of the primary key" },
  unique = { type = "boolean", doc = "UNIQUE on this column alone" },
  references = {
    type = "name|fields",
    fields = constraint.reference_fields,
    class = "Reference",
    doc = "a table, or { table = …, column = …, on_delete = … }",
  },
  check = { type = "sql_or_string", doc = "condition every row must meet" },
  identity = {
    type = "enum{always,by default}|fields",
    fields = column.sequence_fields,
    class = "Identity",
    doc = "GENERATED … AS IDENTITY",
  },
  generated = {
    type = "sql_or_string|fields",
    fields = {
      sql = { type = "sql_or_string", required = true, doc = "the expression" },
      virtual = { type = "boolean", doc = "computed when read (PostgreSQL 18), not stored" },
    },
    doc = "expression of a generated column, stored",
  },
  collation = { type = "name", doc = "collation" },
  comment = { type = "string", doc = "comment" },
  storage = { type = "enum{plain,external,extended,main}", doc = "TOAST strategy" },
  compression = { type = "enum{pglz,lz4,default}", doc = "compression of values" },
  renamed_from = { type = "identifier", doc = "its former name, in a declared schema" },
}

---What does not go together in one column, or nil.
function column.check(args)
  local kinds = {}
  for _, name in ipairs({ "default", "identity", "generated" }) do
    if args[name] ~= nil then
      kinds[#kinds + 1] = name
    end
  end
  if #kinds > 1 then
    return ("column '%s' has both %s and %s"):format(args.name, kinds[1], kinds[2])
  end
  return nil
end

local sequence_words = {
  { "start", "START WITH" }, { "increment", "INCREMENT BY" }, { "min_value", "MINVALUE" },
  { "max_value", "MAXVALUE" }, { "cache", "CACHE" },
}

---The options of a sequence, in PostgreSQL's order.
---@return string
function column.sequence_options(fields)
  local out = {}
  for _, pair in ipairs(sequence_words) do
    if fields[pair[1]] then
      out[#out + 1] = ("%s %d"):format(pair[2], fields[pair[1]])
    end
  end
  if fields.cycle ~= nil then
    out[#out + 1] = fields.cycle and "CYCLE" or "NO CYCLE"
  end
  return table.concat(out, " ")
end

---@param identity string|table  "always", "by default" or the fields of a sequence
---@return string
function column.identity(identity)
  local fields = type(identity) == "table" and identity or { generated = identity }
  local options = column.sequence_options(fields)
  return clause.words("GENERATED", (fields.generated or "by default"):upper(), "AS IDENTITY",
    options ~= "" and "(" .. options .. ")")
end

local function generated(spec, context)
  if spec == nil then
    return nil
  end
  local is_virtual = type(spec) == "table" and spec.virtual
  local expression = type(spec) == "table" and not spec.tag and spec.sql or spec
  if is_virtual then
    clause.need(context, 18, "a virtual generated column")
  end
  return ("GENERATED ALWAYS AS (%s) %s"):format(clause.sql(expression),
    is_virtual and "VIRTUAL" or "STORED")
end

local function named(name, text)
  return name and "CONSTRAINT " .. quote.ident(name) .. " " .. text or text
end

local function key_clauses(spec, table_name, context, out)
  local fields = { table = table_name, columns = { spec.name } }
  if spec.primary_key then
    out[#out + 1] = named(naming.name(context, "pk", fields), "PRIMARY KEY")
  end
  if spec.unique then
    out[#out + 1] = named(naming.name(context, "uq", fields), "UNIQUE")
  end
  if spec.check then
    local expression = clause.sql(spec.check)
    local name = naming.name(context, "ck",
      { table = table_name, columns = fields.columns, expression = expression })
    out[#out + 1] = named(name, "CHECK (" .. expression .. ")")
  end
  if spec.references then
    out[#out + 1] = constraint.inline_reference(spec, table_name, context)
  end
end

---`name type …`, as in CREATE TABLE and ADD COLUMN.
---@param spec table  a column
---@param table_name string  for the names of its constraints
---@return string
function column.definition(spec, table_name, context)
  local out = {
    quote.ident(spec.name),
    spec.type,
  }
  if spec.storage and clause.since(context, 16) then
    out[#out + 1] = "STORAGE " .. spec.storage:upper()
  end
  if spec.compression then
    out[#out + 1] = "COMPRESSION " .. spec.compression
  end
  if spec.collation then
    out[#out + 1] = "COLLATE " .. quote.name(spec.collation)
  end
  if spec.default ~= nil then
    out[#out + 1] = "DEFAULT " .. types.literal(spec.default, spec.type)
  end
  out[#out + 1] = generated(spec.generated, context)
  if spec.identity then
    out[#out + 1] = column.identity(spec.identity)
  end
  if spec.nullable == false then
    out[#out + 1] = "NOT NULL"
  end
  key_clauses(spec, table_name, context, out)
  return table.concat(out, " ")
end

---Before PostgreSQL 16 the storage of a column could only be altered.
function column.storage_action(spec)
  return ("ALTER COLUMN %s SET STORAGE %s"):format(quote.ident(spec.name), spec.storage:upper())
end

return column
