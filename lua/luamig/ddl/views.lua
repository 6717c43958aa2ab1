--- Views and materialized views.

local clause = require("luamig.clause")
local placement = require("luamig.placement")
local quote = require("luamig.quote")
local undo = require("luamig.undo")
local value = require("luamig.value")

local name_parameter = { name = "name", type = "name", doc = "\"view\" or \"schema.view\"" }

local materialized = { type = "boolean", doc = "it is a materialized view" }

local function kind_of(args)
  return args.materialized and "MATERIALIZED VIEW" or "VIEW"
end

-- What stands in WITH (…) of a plain view.
local function view_settings(args, context)
  local map = {}
  if args.security_invoker ~= nil then
    clause.need(context, 15, "security_invoker")
    map.security_invoker = args.security_invoker
  end
  map.security_barrier = args.security_barrier
  return map
end

local function with(map)
  return map and next(map) ~= nil and "WITH (" .. clause.settings(map) .. ")" or nil
end

local function columns(args)
  return args.columns and "(" .. quote.idents(args.columns) .. ")"
end

local function view(args, context)
  return clause.words("CREATE", args.replace and "OR REPLACE", args.recursive and "RECURSIVE",
    "VIEW", quote.name(args.name), columns(args), with(view_settings(args, context)), "AS",
    clause.unended(args.sql),
    args.check_option and "WITH " .. args.check_option:upper() .. " CHECK OPTION")
end

local function materialized_view(args)
  return clause.words("CREATE MATERIALIZED VIEW", args.if_not_exists and "IF NOT EXISTS",
    quote.name(args.name), columns(args), args.using and "USING " .. quote.ident(args.using),
    with(args.with), args.tablespace and "TABLESPACE " .. quote.ident(args.tablespace), "AS",
    clause.unended(args.sql), args.with_data == false and "WITH NO DATA")
end

local function render_create(args, context)
  local statements = {
    { sql = args.materialized and materialized_view(args) or view(args, context) },
  }
  if args.comment then
    statements[2] = clause.comment(kind_of(args) .. " " .. quote.name(args.name), args.comment)
  end
  return statements
end

local only_plain = { "security_invoker", "security_barrier", "check_option", "recursive" }
local only_materialized = { "if_not_exists", "with", "using", "tablespace", "with_data" }

local function kind_defect(args)
  for _, name in ipairs(args.materialized and only_plain or only_materialized) do
    if args[name] ~= nil then
      return ("%s is for %s views"):format(name, args.materialized and "plain" or "materialized")
    end
  end
  return nil
end

local function check_create(args)
  if args.materialized and args.replace then
    return "a materialized view cannot be replaced: drop it and make it anew"
  elseif args.recursive and not args.columns then
    return "a recursive view needs columns"
  end
  if args.from and not args.replace then
    return "from goes with replace"
  end
  return kind_defect(args)
end

local definition = {
  sql = { type = "sql_or_string", required = true, doc = "the query" },
  materialized = materialized,
  columns = { type = "list<identifier>", doc = "names of its columns" },
  recursive = { type = "boolean", doc = "WITH RECURSIVE; columns are required" },
  security_invoker = {
    type = "boolean",
    doc = "tables are read with the rights and policies of who asks (PostgreSQL 15)",
  },
  security_barrier = { type = "boolean", doc = "its conditions come before those of who asks" },
  check_option = { type = "enum{local,cascaded}", doc = "rows written must be rows of the view" },
  with = { type = "map<literal>", doc = "storage parameters of a materialized view" },
  using = { type = "identifier", doc = "table access method of a materialized view" },
  tablespace = { type = "identifier", doc = "tablespace of a materialized view" },
  with_data = { type = "boolean", doc = "false: a materialized view that is not filled yet" },
  comment = { type = "string", doc = "comment" },
}

local function inverse_create(args)
  local from = args.from
  if args.replace and not from then
    return nil, "what the view was is not known: give it as from = { sql = … }, or from = op.none "
      .. "when there was none"
  elseif args.replace and not value.is(from, "none") then
    return {
      op = "create_view",
      args = undo.with(from, {
        name = args.name,
        replace = true,
        from = undo.pick(args, undo.without(definition, { "materialized" })),
      }),
    }
  end
  return undo.created("drop_view", args, {
    name = args.name,
    materialized = args.materialized,
    if_exists = args.if_not_exists,
  }, undo.without(definition, { "materialized" }))
end

local settings = {
  security_invoker = { type = "boolean|none", doc = definition.security_invoker.doc },
  security_barrier = { type = "boolean|none", doc = definition.security_barrier.doc },
  check_option = { type = "enum{local,cascaded}|none", doc = definition.check_option.doc },
}

local changes = undo.with(settings, {
  with = { type = "map<literal|none>", doc = "storage parameters of a materialized view" },
  tablespace = { type = "identifier", doc = "tablespace of a materialized view" },
  owner = placement.fields.owner,
  schema = placement.fields.schema,
})

-- What is set and what is reset.
local function settings_of(args)
  local set, reset = {}, {}
  local function sort(name, v)
    if value.is(v, "none") then
      reset[#reset + 1] = quote.name(name)
    elseif v ~= nil then
      set[name] = v
    end
  end
  for name in pairs(settings) do
    sort(name, args[name])
  end
  for name, v in pairs(args.with or {}) do
    sort(name, v)
  end
  table.sort(reset)
  return set, reset
end

local function render_set(args, context)
  if args.security_invoker ~= nil then
    clause.need(context, 15, "security_invoker")
  end
  local target = kind_of(args) .. " " .. quote.name(args.name)
  local set, reset = settings_of(args)
  local statements = {}
  local function add(...)
    statements[#statements + 1] = { sql = clause.words("ALTER", target, ...) }
  end
  if next(set) then
    add("SET (" .. clause.settings(set) .. ")")
  end
  if reset[1] then
    add("RESET (" .. table.concat(reset, ", ") .. ")")
  end
  if args.tablespace then
    add("SET TABLESPACE " .. quote.ident(args.tablespace))
  end
  return placement.render(target, args, statements)
end

local function check_set(args)
  for name in pairs(args.materialized and settings or { with = true, tablespace = true }) do
    if args[name] ~= nil then
      return ("%s is for %s views"):format(name, args.materialized and "plain" or "materialized")
    end
  end
  return undo.nothing(args, changes)
end

local function render_refresh(args)
  return {
    { sql = clause.words("REFRESH MATERIALIZED VIEW", args.concurrently and "CONCURRENTLY",
      quote.name(args.name), args.with_data == false and "WITH NO DATA") },
  }
end

return {
  {
    name = "create_view",
    family = "code",
    summary = "Creates a view or a materialized view.",
    doc = "With replace, a view keeps its columns, in name, type and order, and may get more at "
      .. "the end. The query is stored as it was understood: SELECT * means the columns of today.",
    raises = "server 42P07 when something has that name, 42P16 when replace would change a column",
    example = [[op.create_view("active_users", "SELECT id, email FROM users WHERE active", {
  security_invoker = true,
})]],
    parameters = {
      name_parameter,
      { name = "sql", type = "sql_or_string", doc = "the query" },
    },
    options = undo.with(undo.without(definition, { "sql" }), {
      replace = { type = "boolean", doc = "take the place of a view of that name" },
      if_not_exists = { type = "boolean", doc = "pass over a materialized view that exists" },
      from = {
        type = "none|fields",
        fields = undo.without(definition, { "materialized" }),
        doc = "what the view was before replace, for change(); op.none: there was none",
      },
    }),
    check = check_create,
    render = render_create,
    inverse = inverse_create,
  },
  {
    name = "drop_view",
    family = "code",
    summary = "Drops a view or a materialized view.",
    raises = "server 42P01 when there is no such view, 2BP01 when another view uses it",
    example = [[op.drop_view("active_users", { definition = { sql = "SELECT id FROM users" } })]],
    parameters = { name_parameter },
    options = {
      materialized = materialized,
      if_exists = { type = "boolean", doc = "pass over a view that does not exist" },
      cascade = { type = "boolean", doc = "drop the views over it too" },
      definition = undo.definition(undo.without(definition, { "materialized" })),
    },
    render = function(args)
      return {
        { sql = clause.words("DROP", kind_of(args), args.if_exists and "IF EXISTS",
          quote.name(args.name), args.cascade and "CASCADE") },
      }
    end,
    inverse = function(args)
      return undo.dropped("create_view", args, {
        name = args.name,
        materialized = args.materialized,
        if_not_exists = args.materialized and args.if_exists or nil,
      })
    end,
  },
  {
    name = "rename_view",
    family = "code",
    summary = "Renames a view or a materialized view.",
    doc = "Views over it follow; applications and the text of functions do not.",
    raises = "server 42P01 when there is no such view, 42P07 when the new name is taken",
    example = [[op.rename_view("active_users", "current_users")]],
    parameters = {
      name_parameter,
      { name = "new_name", type = "identifier", doc = "its name afterwards, without a schema" },
    },
    options = { materialized = materialized },
    render = function(args)
      return {
        { sql = ("ALTER %s %s RENAME TO %s"):format(kind_of(args), quote.name(args.name),
          quote.ident(args.new_name)) },
      }
    end,
    inverse = function(args)
      return undo.renamed("rename_view", args)
    end,
  },
  {
    name = "alter_view_set",
    family = "code",
    summary = "Changes settings, owner or schema of a view.",
    doc = "op.none takes a setting away.",
    raises = "server 42P01 when there is no such view, 42809 when it is of the other kind",
    example = [[op.alter_view_set("active_users", { security_invoker = true })]],
    parameters = { name_parameter },
    options = undo.with(changes, {
      materialized = materialized,
      from = undo.definition(changes),
    }),
    check = check_set,
    render = render_set,
    inverse = function(args)
      local back, why = undo.moved(args, changes)
      if not back then
        return nil, why
      end
      back.materialized = args.materialized
      return { op = "alter_view_set", args = back }
    end,
  },
  {
    name = "refresh_view",
    family = "code",
    summary = "Fills a materialized view anew.",
    doc = "Nobody reads the view meanwhile (ACCESS EXCLUSIVE); with concurrently they do, which "
      .. "needs a unique index over plain columns and a view that is filled. Both run in a "
      .. "transaction.",
    raises = "server 55000 when concurrently lacks such an index, 0A000 when the view is not "
      .. "filled",
    example = [[op.refresh_view("daily_totals", { concurrently = true })]],
    parameters = { name_parameter },
    options = {
      concurrently = { type = "boolean", doc = "readers go on while it is filled" },
      with_data = { type = "boolean", doc = "false: empty it, so that it cannot be read" },
    },
    check = function(args)
      return args.concurrently and args.with_data == false
        and "concurrently and with_data = false exclude each other" or nil
    end,
    render = render_refresh,
    -- What a view holds follows from what its tables hold.
    inverse = function(args)
      return { op = "refresh_view", args = { name = args.name, concurrently = args.concurrently } }
    end,
  },
}
