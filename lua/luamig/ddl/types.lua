--- What all types have in common: dropped, renamed, moved. And range types.

local clause = require("luamig.clause")
local placement = require("luamig.placement")
local quote = require("luamig.quote")
local undo = require("luamig.undo")

local range_options = {
  opclass = { type = "name", doc = "b-tree operator class of the subtype" },
  collation = { type = "name", doc = "collation of the subtype" },
  canonical = { type = "name", doc = "function that brings a value to its one form" },
  subtype_diff = { type = "name", doc = "function that tells how far two values are apart" },
  multirange = { type = "name", doc = "name of its multirange type" },
}

local range_words = {
  { "opclass", "subtype_opclass" }, { "collation", "collation" }, { "canonical", "canonical" },
  { "subtype_diff", "subtype_diff" }, { "multirange", "multirange_type_name" },
}

local comment = { type = "string", doc = "comment" }

local function render_range(args)
  local out = { "subtype = " .. args.subtype }
  for _, pair in ipairs(range_words) do
    if args[pair[1]] then
      out[#out + 1] = pair[2] .. " = " .. quote.name(args[pair[1]])
    end
  end
  local target = quote.name(args.name)
  local statements = {
    { sql = ("CREATE TYPE %s AS RANGE (%s)"):format(target, table.concat(out, ", ")) },
  }
  if args.comment then
    statements[2] = clause.comment("TYPE " .. target, args.comment)
  end
  return statements
end

-- Which field of `definition` says what kind of type it was.
local kinds = {
  values = "create_enum", attributes = "create_composite", type = "create_domain",
  subtype = "create_range",
}

local function creation(definition)
  local found
  for field, operation in pairs(kinds) do
    if definition[field] ~= nil then
      if found then
        return nil
      end
      found = operation
    end
  end
  return found
end

local definition_fields = undo.with(range_options, {
  values = { type = "list<string>", doc = "of an enum" },
  attributes = { type = "list<list<string>|column>", doc = "of a composite type" },
  type = { type = "type", doc = "the type under a domain" },
  default = { type = "literal", doc = "of a domain" },
  nullable = { type = "boolean", doc = "of a domain" },
  check = { type = "sql_or_string|map<sql_or_string>", doc = "of a domain" },
  subtype = { type = "type", doc = "of a range type" },
  comment = comment,
})

local name_parameter = { name = "name", type = "name", doc = "\"type\" or \"schema.type\"" }

return {
  {
    name = "create_range",
    family = "types and schemas",
    summary = "Creates a range type.",
    doc = "The server makes its multirange type along with it.",
    raises = "server 42710 when the type exists",
    example = [[op.create_range("timerange", "time")]],
    parameters = {
      name_parameter,
      { name = "subtype", type = "type", doc = "the type of its bounds" },
    },
    options = undo.with(range_options, { comment = comment }),
    render = render_range,
    inverse = function(args)
      return undo.created("drop_type", args, { name = args.name },
        undo.with(range_options, { subtype = true, comment = true }))
    end,
  },
  {
    name = "rename_type",
    family = "types and schemas",
    summary = "Renames a type of any kind.",
    doc = "Columns follow; the text of functions does not.",
    raises = "server 42704 when there is no such type, 42710 when the new name is taken",
    example = [[op.rename_type("mood", "feeling")]],
    parameters = {
      name_parameter,
      { name = "new_name", type = "identifier", doc = "its name afterwards, without a schema" },
    },
    render = function(args)
      return {
        { sql = ("ALTER TYPE %s RENAME TO %s"):format(quote.name(args.name),
          quote.ident(args.new_name)) },
      }
    end,
    inverse = function(args)
      return undo.renamed("rename_type", args)
    end,
  },
  {
    name = "alter_type_set",
    family = "types and schemas",
    summary = "Gives a type of any kind another owner or schema.",
    raises = "server 42501 without the right to, 42710 when the schema has one of that name",
    example = [[op.alter_type_set("mood", { schema = "app" })]],
    parameters = { name_parameter },
    options = undo.with(placement.fields, { from = undo.definition(placement.fields) }),
    check = function(args)
      return undo.nothing(args, placement.fields)
    end,
    render = function(args)
      return placement.render("TYPE " .. quote.name(args.name), args)
    end,
    inverse = function(args)
      local back, why = undo.moved(args, placement.fields)
      return back and { op = "alter_type_set", args = back }, why
    end,
  },
  {
    name = "drop_type",
    family = "types and schemas",
    summary = "Drops a type of any kind: enum, composite, range, domain.",
    doc = "With its definition, change() can bring it back: { values = … } of an enum, "
      .. "{ attributes = … } of a composite type, { type = … } of a domain, { subtype = … } of a "
      .. "range type, with the options of the operation that creates it.",
    raises = "server 42704 when there is no such type, 2BP01 when a column uses it",
    example = [[op.drop_type("mood", { definition = { values = { "sad", "ok", "happy" } } })]],
    parameters = { name_parameter },
    options = {
      if_exists = { type = "boolean", doc = "pass over a type that does not exist" },
      cascade = { type = "boolean", doc = "drop the columns that use it too" },
      definition = undo.definition(definition_fields),
    },
    check = function(args)
      if args.definition and not creation(args.definition) then
        return "definition has exactly one of values (enum), attributes (composite), type "
          .. "(domain), subtype (range)"
      end
      return nil
    end,
    render = function(args)
      return {
        { sql = clause.words("DROP TYPE", args.if_exists and "IF EXISTS", quote.name(args.name),
          args.cascade and "CASCADE") },
      }
    end,
    inverse = function(args)
      return undo.dropped(args.definition and creation(args.definition), args, { name = args.name })
    end,
  },
}
