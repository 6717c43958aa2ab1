--- Extensions.

local clause = require("luamig.clause")
local quote = require("luamig.quote")
local undo = require("luamig.undo")

local definition = {
  schema = { type = "identifier", doc = "the schema its objects go to, when it can be chosen" },
  version = { type = "string", doc = "version; the default of its control file when left out" },
}

local name_parameter = { name = "name", type = "identifier", doc = "name of the extension" }

local function render_alter(args)
  local at = "ALTER EXTENSION " .. quote.ident(args.name) .. " "
  local statements = {}
  if args.version then
    statements[1] = {
      sql = at .. clause.words("UPDATE",
        args.version ~= "default" and "TO " .. quote.string(args.version)),
    }
  end
  if args.schema then
    statements[#statements + 1] = { sql = at .. "SET SCHEMA " .. quote.ident(args.schema) }
  end
  return statements
end

local changes = {
  version = {
    type = "string",
    doc = "the version to update to; \"default\" is the one of its control file",
  },
  schema = { type = "identifier", doc = "the schema its objects move to" },
}

return {
  {
    name = "create_extension",
    family = "types and schemas",
    summary = "Loads an extension into the database.",
    doc = "Its files must be on the server. Most extensions need a superuser; trusted ones take "
      .. "CREATE on the database.",
    raises = "server 0A000 when its files are not there (58P01 on PostgreSQL 14), 42710 when it is "
      .. "loaded already, 42501 without the right to",
    example = [[op.create_extension("pg_trgm", { schema = "public", if_not_exists = true })]],
    parameters = { name_parameter },
    options = undo.with(definition, {
      if_not_exists = { type = "boolean", doc = "pass over an extension that is there already" },
      cascade = { type = "boolean", doc = "load the extensions it needs too" },
    }),
    render = function(args)
      return {
        {
          sql = clause.words("CREATE EXTENSION", args.if_not_exists and "IF NOT EXISTS",
            quote.ident(args.name), args.schema and "SCHEMA " .. quote.ident(args.schema),
            args.version and "VERSION " .. quote.string(args.version),
            args.cascade and "CASCADE"),
        },
      }
    end,
    inverse = function(args)
      return undo.created("drop_extension", args,
        { name = args.name, if_exists = args.if_not_exists }, definition)
    end,
  },
  {
    name = "alter_extension",
    family = "types and schemas",
    summary = "Updates an extension, or moves it to another schema.",
    doc = "The way back needs a downgrade script of the extension itself; few have one.",
    raises = "server 42704 when it is not loaded, 22023 when there is no way to that version",
    example = [[op.alter_extension("pg_trgm", { version = "default" })]],
    parameters = { name_parameter },
    options = undo.with(changes, { from = undo.definition(changes) }),
    check = function(args)
      return undo.nothing(args, changes)
    end,
    render = render_alter,
    inverse = function(args)
      local back, why = undo.changed(args, changes)
      if not back then
        return nil, why
      end
      back.name = args.name
      return { op = "alter_extension", args = back }
    end,
  },
  {
    name = "drop_extension",
    family = "types and schemas",
    summary = "Drops an extension and everything that came with it.",
    raises = "server 42704 when it is not loaded, 2BP01 when something depends on it",
    example = [[op.drop_extension("pg_trgm", { if_exists = true })]],
    parameters = { name_parameter },
    options = {
      if_exists = { type = "boolean", doc = "pass over an extension that is not loaded" },
      cascade = { type = "boolean", doc = "drop what depends on it too" },
      definition = undo.definition(definition),
    },
    render = function(args)
      return {
        { sql = clause.words("DROP EXTENSION", args.if_exists and "IF EXISTS",
          quote.ident(args.name), args.cascade and "CASCADE") },
      }
    end,
    inverse = function(args)
      return undo.dropped("create_extension", args,
        { name = args.name, if_not_exists = args.if_exists })
    end,
  },
}
