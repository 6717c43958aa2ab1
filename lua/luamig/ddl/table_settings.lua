--- What a table is beside its columns and constraints: schema, owner, storage and the like.

local clause = require("luamig.clause")
local quote = require("luamig.quote")
local value = require("luamig.value")

-- What must be known of the table as it was, to bring it back. The type of each, and its action.
local settings = {
  tablespace = { type = "identifier", doc = "where its file is; the table is copied" },
  with = {
    type = "map<string|number|boolean|none>",
    doc = "storage parameters; op.none sets one back to its default",
  },
  owner = { type = "identifier|sql", doc = "a role, or op.sql(\"CURRENT_USER\")" },
  replica_identity = {
    type = "enum{default,full,nothing}|fields",
    fields = {
      index = { type = "identifier", required = true, doc = "a unique index without NULLs" },
    },
    doc = "what logical replication knows an old row by; { index = … } for a unique index",
  },
  access_method = { type = "identifier", doc = "table access method (PostgreSQL 15)" },
  cluster_on = { type = "identifier|none", doc = "index that CLUSTER orders by; op.none: none" },
}

local function parameters(map)
  local set, reset = {}, {}
  for name, v in pairs(map) do
    if value.is(v, "none") then
      reset[#reset + 1] = quote.name(name)
    else
      set[name] = v
    end
  end
  table.sort(reset)
  return next(set) ~= nil and "SET (" .. clause.settings(set) .. ")",
    reset[1] ~= nil and "RESET (" .. table.concat(reset, ", ") .. ")"
end

local actions = {}

function actions.no_inherit(name)
  return "NO INHERIT " .. quote.name(name)
end

function actions.inherit(name)
  return "INHERIT " .. quote.name(name)
end

function actions.owner(role)
  return "OWNER TO " .. (type(role) == "string" and quote.ident(role) or role.sql)
end

function actions.with(map)
  return parameters(map)
end

function actions.replica_identity(identity)
  if type(identity) == "table" then
    return "REPLICA IDENTITY USING INDEX " .. quote.ident(identity.index)
  end
  return "REPLICA IDENTITY " .. identity:upper()
end

function actions.cluster_on(index)
  return value.is(index, "none") and "SET WITHOUT CLUSTER" or "CLUSTER ON " .. quote.ident(index)
end

function actions.logged(is_logged)
  return is_logged and "SET LOGGED" or "SET UNLOGGED"
end

function actions.access_method(method, context)
  clause.need(context, 15, "access_method")
  return "SET ACCESS METHOD " .. quote.ident(method)
end

function actions.tablespace(name)
  return "SET TABLESPACE " .. quote.ident(name)
end

-- Quick changes of the catalogue first, what copies the table last.
local order = {
  "no_inherit", "inherit", "owner", "with", "replica_identity", "cluster_on", "logged",
  "access_method", "tablespace",
}

local function render(args, context)
  local list = {}
  for _, name in ipairs(order) do
    if args[name] ~= nil then
      for _, action in ipairs({ actions[name](args[name], context) }) do
        list[#list + 1] = action or nil
      end
    end
  end
  local at = "ALTER TABLE " .. quote.name(args.name) .. " "
  local statements = {}
  if list[1] then
    statements[1] = { sql = at .. table.concat(list, ", ") }
  end
  if args.schema then
    statements[#statements + 1] = { sql = at .. "SET SCHEMA " .. quote.ident(args.schema) }
  end
  return statements
end

local function check(args)
  for _, name in ipairs(order) do
    if args[name] ~= nil then
      return args.with and not next(args.with) and "with: the table is empty" or nil
    end
  end
  return not args.schema
    and "nothing to change: give at least one of schema, " .. table.concat(order, ", ") or nil
end

-- The parameters of `with` as they were: each one that was changed must be known.
local function parameters_before(with, before)
  for name in pairs(with) do
    if before[name] == nil then
      return nil, ("what with.%s was is not known: give it as from = { with = { %s = … } }, with "
        .. "op.none when it was not set"):format(name, name)
    end
  end
  return before
end

local function back_to_schema(args, back)
  local schema, name = quote.split_name(args.name)
  if not schema then
    return ("the schema it was in is not known: write op.alter_table_set(\"schema.%s\", …)")
      :format(name)
  end
  back.name, back.schema = clause.dotted(args.schema, name), schema
  return nil
end

local function back_to_settings(args, back)
  local before, after = args.from or {}, {}
  for name in pairs(settings) do
    if args[name] ~= nil then
      if before[name] == nil then
        return ("what %s was is not known: give it as from = { %s = … }"):format(name, name)
      end
      back[name], after[name] = before[name], args[name]
    end
  end
  if args.with then
    local why
    back.with, why = parameters_before(args.with, before.with)
    if why then
      return why
    end
  end
  back.from = next(after) and after or nil
  return nil
end

local function inverse(args)
  local back = { name = args.name, inherit = args.no_inherit, no_inherit = args.inherit }
  if args.logged ~= nil then
    back.logged = not args.logged
  end
  local why = back_to_settings(args, back) or args.schema and back_to_schema(args, back)
  if why then
    return nil, why
  end
  return { op = "alter_table_set", args = back }
end

local options = {
  schema = { type = "identifier", doc = "move it to this schema, indexes and sequences with it" },
  logged = { type = "boolean", doc = "false: not in the WAL; the table is copied" },
  inherit = { type = "name", doc = "become a child of this table" },
  no_inherit = { type = "name", doc = "be no child of this table any more" },
  from = {
    type = "fields",
    fields = settings,
    doc = "what was before, so that change() can go back",
  },
}
for name, setting in pairs(settings) do
  options[name] = setting
end

return {
  {
    name = "alter_table_set",
    family = "tables",
    summary = "Changes a table's schema, owner, storage and the like.",
    doc = "One ALTER TABLE, and the schema last. Takes ACCESS EXCLUSIVE, or SHARE UPDATE EXCLUSIVE "
      .. "when it is only about storage parameters that allow it. logged, access_method and "
      .. "tablespace copy the table.",
    raises = "server 42P01 when there is no such table, 42501 when the role may not, 22023 when a "
      .. "storage parameter is unknown",
    example = [[op.alter_table_set("events", { logged = false, with = { fillfactor = 70 } })]],
    parameters = { { name = "name", type = "name", doc = "\"table\" or \"schema.table\"" } },
    options = options,
    check = check,
    render = render,
    inverse = inverse,
    inverse_needs = "from, for all but schema, logged, inherit and no_inherit",
  },
}
