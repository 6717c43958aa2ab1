--- Schemas.

local clause = require("luamig.clause")
local placement = require("luamig.placement")
local quote = require("luamig.quote")
local role = require("luamig.role")
local undo = require("luamig.undo")

local definition = {
  owner = { type = role.type, doc = "its owner: a role, or \"current_user\"" },
  comment = { type = "string", doc = "comment" },
}

local name_parameter = { name = "name", type = "identifier", doc = "name of the schema" }

local function render_create(args)
  local target = quote.ident(args.name)
  local statements = {
    {
      sql = clause.words("CREATE SCHEMA", args.if_not_exists and "IF NOT EXISTS", target,
        args.owner and "AUTHORIZATION " .. role.ident(args.owner)),
    },
  }
  if args.comment then
    statements[2] = clause.comment("SCHEMA " .. target, args.comment)
  end
  return statements
end

local function inverse_drop(args)
  if args.cascade then
    return nil, undo.CASCADE
  end
  -- Without CASCADE only an empty schema can go, so that its name is nearly all of it.
  local back = clause.copy(args.definition or {})
  back.name, back.if_not_exists = args.name, args.if_exists
  return { op = "create_schema", args = back }
end

return {
  {
    name = "create_schema",
    family = "types and schemas",
    summary = "Creates a schema.",
    raises = "server 42P06 when the schema exists",
    example = [[op.create_schema("app", { owner = "app_owner", if_not_exists = true })]],
    parameters = { name_parameter },
    options = undo.with(definition, {
      if_not_exists = { type = "boolean", doc = "pass over a schema that exists already" },
    }),
    render = render_create,
    inverse = function(args)
      return undo.created("drop_schema", args,
        { name = args.name, if_exists = args.if_not_exists }, definition)
    end,
  },
  {
    name = "rename_schema",
    family = "types and schemas",
    summary = "Renames a schema.",
    doc = "Everything in it has a new name from then on; the text of functions does not follow.",
    raises = "server 3F000 when there is no such schema, 42P06 when the new name is taken",
    example = [[op.rename_schema("app", "shop")]],
    parameters = {
      name_parameter,
      { name = "new_name", type = "identifier", doc = "its name afterwards" },
    },
    render = function(args)
      return {
        { sql = ("ALTER SCHEMA %s RENAME TO %s"):format(quote.ident(args.name),
          quote.ident(args.new_name)) },
      }
    end,
    inverse = function(args)
      return { op = "rename_schema", args = { name = args.new_name, new_name = args.name } }
    end,
  },
  {
    name = "alter_schema_set",
    family = "types and schemas",
    summary = "Gives a schema another owner.",
    doc = "What is in the schema keeps its owners.",
    raises = "server 42501 without the right to",
    example = [[op.alter_schema_set("app", { owner = "app_owner" })]],
    parameters = { name_parameter },
    options = {
      owner = { type = role.type, required = true, doc = placement.owner.doc },
      from = undo.definition({ owner = placement.owner }),
    },
    render = function(args)
      return placement.render("SCHEMA " .. quote.ident(args.name), { owner = args.owner })
    end,
    inverse = function(args)
      local back, why = undo.changed(args, { owner = true })
      if not back then
        return nil, why
      end
      back.name = args.name
      return { op = "alter_schema_set", args = back }
    end,
  },
  {
    name = "drop_schema",
    family = "types and schemas",
    summary = "Drops a schema.",
    doc = "Without cascade the schema must be empty. With it, every table in the schema goes.",
    raises = "server 3F000 when there is no such schema, 2BP01 when it is not empty",
    example = [[op.drop_schema("app", { if_exists = true })]],
    parameters = { name_parameter },
    options = {
      if_exists = { type = "boolean", doc = "pass over a schema that does not exist" },
      cascade = { type = "boolean", doc = "drop everything in it too" },
      definition = undo.definition(definition),
    },
    render = function(args)
      return {
        { sql = clause.words("DROP SCHEMA", args.if_exists and "IF EXISTS", quote.ident(args.name),
          args.cascade and "CASCADE") },
      }
    end,
    inverse = inverse_drop,
  },
}
