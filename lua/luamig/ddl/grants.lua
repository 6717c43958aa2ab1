--- Privileges: granted and revoked, for what is there and for what will be.

local clause = require("luamig.clause")
local nearest = require("luamig.nearest")
local quote = require("luamig.quote")
local role = require("luamig.role")
local routine = require("luamig.routine")
local undo = require("luamig.undo")

local table_words = {
  "select", "insert", "update", "delete", "truncate", "references", "trigger", "maintain",
}
local sequence_words = { "usage", "select", "update" }
local execute, usage = { "execute" }, { "usage" }

-- What can be granted on each kind; `whole`: its name has no schema.
local kinds = {
  ["table"] = { words = table_words },
  ["sequence"] = { words = sequence_words },
  ["function"] = { words = execute, routine = true },
  ["procedure"] = { words = execute, routine = true },
  ["routine"] = { words = execute, routine = true },
  ["type"] = { words = usage },
  ["domain"] = { words = usage },
  ["schema"] = { words = { "usage", "create" }, whole = true },
  ["database"] = { words = { "connect", "create", "temporary" }, whole = true },
  ["language"] = { words = usage, whole = true },
  ["tablespace"] = { words = { "create" }, whole = true },
  ["foreign server"] = { words = usage, whole = true },
  ["foreign data wrapper"] = { words = usage, whole = true },
  ["parameter"] = { words = { "set", "alter system" } },
  ["all tables in schema"] = { words = table_words, whole = true },
  ["all sequences in schema"] = { words = sequence_words, whole = true },
  ["all functions in schema"] = { words = execute, whole = true },
  ["all procedures in schema"] = { words = execute, whole = true },
  ["all routines in schema"] = { words = execute, whole = true },
}

local default_kinds = {
  ["table"] = table_words,
  ["sequence"] = sequence_words,
  ["function"] = execute,
  ["routine"] = execute,
  ["type"] = usage,
  ["schema"] = kinds.schema.words,
}

local column_words = { select = true, insert = true, update = true, references = true, all = true }

local function as_list(v)
  return type(v) == "table" and v or { v }
end

local function enum_of(map)
  local names = {}
  for name in pairs(map) do
    names[#names + 1] = name
  end
  table.sort(names)
  return "enum{" .. table.concat(names, ",") .. "}"
end

-- A privilege in the words of this file: "ALL PRIVILEGES" and "all" are one.
local function word(privilege)
  local text = privilege:lower():gsub("_", " ")
  return text == "all privileges" and "all" or text == "temp" and "temporary" or text
end

local function privileges_defect(args, known)
  local list = as_list(args.privileges)
  local is_known = { all = true }
  for _, name in ipairs(known) do
    is_known[name] = true
  end
  for _, privilege in ipairs(list) do
    if word(privilege) == "all" and #list > 1 then
      return "privileges: \"all\" stands alone"
    elseif not is_known[word(privilege)] then
      local near = nearest.of(privilege, known)
      return ("privileges: '%s' is no privilege of kind '%s': expected all, %s%s"):format(privilege,
        args.kind, table.concat(known, ", "), near and (" (did you mean '%s'?)"):format(near) or "")
    end
  end
  return not list[1] and "privileges: the list is empty" or nil
end

local function columns_defect(args)
  if not args.columns then
    return nil
  elseif args.kind ~= "table" then
    return "columns is for kind \"table\""
  end
  for _, privilege in ipairs(as_list(args.privileges)) do
    if not column_words[word(privilege)] then
      return ("privileges: '%s' cannot be given for columns"):format(privilege)
    end
  end
  return nil
end

local function names_defect(args, kind)
  local names = as_list(args.names)
  if not names[1] then
    return "names: the list is empty"
  elseif args.arguments and (not kind.routine or #names > 1) then
    return "arguments is for one function, procedure or routine"
  end
  for _, name in ipairs(names) do
    if kind.whole and #quote.parts(name) > 1 then
      return ("names: the name of a %s has no dot, got '%s'")
        :format(args.kind:match("schema$") or args.kind, name)
    end
  end
  return nil
end

local function roles_defect(args)
  local roles = role.each(args.roles)
  if not roles[1] then
    return "roles: the list is empty"
  end
  for _, name in ipairs(roles) do
    if name == "public" and args.with_grant_option then
      return "with_grant_option is for roles, not for public"
    end
  end
  return nil
end

local function check(args)
  local kind = kinds[args.kind]
  return privileges_defect(args, kind.words) or columns_defect(args) or names_defect(args, kind)
    or routine.defect(args.arguments) or roles_defect(args)
end

local function check_default(args)
  if args.kind == "schema" and args.schema then
    return "schema: there is no schema inside a schema"
  end
  return privileges_defect(args, default_kinds[args.kind]) or roles_defect(args)
end

local function privileges(args, context)
  local out = {}
  local columns = args.columns and " (" .. quote.idents(args.columns) .. ")" or ""
  for i, privilege in ipairs(as_list(args.privileges)) do
    local name = word(privilege)
    if name == "maintain" then
      clause.need(context, 17, "the privilege maintain")
    end
    out[i] = (name == "all" and "ALL PRIVILEGES" or name:upper()) .. columns
  end
  return table.concat(out, ", ")
end

local function names(args)
  local out = {}
  for i, name in ipairs(as_list(args.names)) do
    out[i] = kinds[args.kind].routine and routine.signature(name, args.arguments)
      or quote.name(name)
  end
  return args.kind:upper() .. " " .. table.concat(out, ", ")
end

local function given(args, context, target)
  return clause.words("GRANT", privileges(args, context), "ON", target, "TO",
    role.list(args.roles), args.with_grant_option and "WITH GRANT OPTION")
end

local function taken(args, context, target)
  return clause.words("REVOKE", args.grant_option_only and "GRANT OPTION FOR",
    privileges(args, context), "ON", target, "FROM", role.list(args.roles),
    args.cascade and "CASCADE")
end

local function render_with(write)
  return function(args, context)
    if args.kind == "parameter" then
      clause.need(context, 15, "a privilege of a parameter")
    end
    return { { sql = write(args, context, names(args)) } }
  end
end

local function render_default_with(write)
  return function(args, context)
    return {
      {
        sql = clause.words("ALTER DEFAULT PRIVILEGES",
          args.for_role and "FOR ROLE " .. role.list(args.for_role),
          args.schema and "IN SCHEMA " .. quote.idents(as_list(args.schema)),
          write(args, context, args.kind:upper() .. "S")),
      },
    }
  end
end

local function inverse_grant(operation)
  return function(args)
    return { op = operation, args = undo.without(args, { "with_grant_option" }) }
  end
end

local function inverse_revoke(operation)
  return function(args)
    if args.cascade then
      return nil, "what CASCADE takes from others is not known"
    end
    local back = undo.without(args, { "cascade", "grant_option_only" })
    back.with_grant_option = args.grant_option_only
    return { op = operation, args = back }
  end
end

local privileges_parameter = {
  name = "privileges",
  type = "string|list<string>",
  doc = "\"select\", { \"select\", \"insert\" } or \"all\"",
}

local roles_parameter = {
  name = "roles",
  type = role.list_type,
  doc = "roles, or \"public\", \"current_user\"",
}

local parameters = {
  privileges_parameter,
  { name = "kind", type = enum_of(kinds), doc = "kind of the objects; a view is a table here" },
  {
    name = "names",
    type = "name|list<name>",
    doc = "the objects; of \"all … in schema\" the schemas",
  },
  roles_parameter,
}

local default_parameters = {
  privileges_parameter,
  { name = "kind", type = enum_of(default_kinds), doc = "kind of the objects to come" },
  roles_parameter,
}

local shared_options = {
  columns = { type = "list<identifier>", doc = "these columns of the table only" },
  arguments = routine.signature_option,
}

local default_options = {
  schema = {
    type = "identifier|list<identifier>",
    doc = "in these schemas only; everywhere when left out",
  },
  for_role = {
    type = role.list_type,
    doc = "made by these roles; the current one when left out",
  },
}

local grant_options = {
  with_grant_option = { type = "boolean", doc = "the roles may pass it on" },
}

local revoke_options = {
  grant_option_only = { type = "boolean", doc = "they keep it, but may not pass it on" },
  cascade = { type = "boolean", doc = "take it too from those they passed it on to" },
}

return {
  {
    name = "grant",
    family = "code",
    summary = "Grants privileges on objects to roles.",
    doc = "Read aloud: grant select on table orders to app. The kind is always said, so that a "
      .. "schema is never taken for a table. The way back revokes them: it takes for granted that "
      .. "the roles had none of them before.",
    raises = "server 42704 when there is no such role, 42P01 when there is no such table",
    example = [[op.grant({ "select", "insert" }, "table", "orders", "app")
op.grant("usage", "schema", "app", { "app", "reports" })
op.grant("select", "all tables in schema", "app", "reports")
op.grant("execute", "function", "full_name", "app", { arguments = { "users" } })]],
    parameters = parameters,
    options = undo.with(shared_options, grant_options),
    check = check,
    render = render_with(given),
    inverse = inverse_grant("revoke"),
  },
  {
    name = "revoke",
    family = "code",
    summary = "Takes privileges on objects from roles.",
    doc = "The way back grants them again: it takes for granted that the roles had them.",
    raises = "server 42704 when there is no such role, 2BP01 when they passed it on",
    example = [[op.revoke("all", "table", "orders", "public")]],
    parameters = parameters,
    options = undo.with(shared_options, revoke_options),
    check = check,
    render = render_with(taken),
    inverse = inverse_revoke("grant"),
  },
  {
    name = "grant_default",
    family = "code",
    summary = "Grants privileges on objects that will be made.",
    doc = "It holds for what the role for_role makes from now on; op.grant with \"all tables in "
      .. "schema\" is for what is there.",
    raises = "server 42704 when there is no such role, 42501 when for_role is another's",
    example = [[op.grant_default("select", "table", "reports", { schema = "app" })]],
    parameters = default_parameters,
    options = undo.with(default_options, grant_options),
    check = check_default,
    render = render_default_with(given),
    inverse = inverse_grant("revoke_default"),
  },
  {
    name = "revoke_default",
    family = "code",
    summary = "Takes back default privileges.",
    doc = "In a schema only what was granted there can be taken back.",
    raises = "server 42704 when there is no such role",
    example = [[op.revoke_default("execute", "function", "public", { for_role = "app_owner" })]],
    parameters = default_parameters,
    options = undo.with(default_options, revoke_options),
    check = check_default,
    render = render_default_with(taken),
    inverse = inverse_revoke("grant_default"),
  },
}
