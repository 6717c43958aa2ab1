--- Row security: policies, and the switch that makes them count.

local clause = require("luamig.clause")
local quote = require("luamig.quote")
local role = require("luamig.role")
local undo = require("luamig.undo")

local name_parameter = { name = "name", type = "identifier", doc = "name of the policy" }
local table_parameter = { name = "table", type = "name", doc = "\"table\" or \"schema.table\"" }

local rules = {
  roles = {
    type = role.list_type,
    doc = "whom it is for; \"public\" is everybody, \"current_user\" who runs this",
  },
  using = { type = "sql_or_string", doc = "which rows are seen" },
  check = { type = "sql_or_string", doc = "which rows may be written; using when left out" },
}

local definition = undo.with(rules, {
  command = {
    type = "enum{all,select,insert,update,delete}",
    doc = "the command it is for; all when left out",
  },
  permissive = { type = "boolean", doc = "false: it restricts what permissive ones allow" },
  comment = { type = "string", doc = "comment" },
})

local function target(args)
  return quote.ident(args.name) .. " ON " .. quote.name(args.table)
end

local function rules_of(args)
  return clause.words(args.roles and "TO " .. role.list(args.roles),
    args.using and "USING (" .. clause.sql(args.using) .. ")",
    args.check and "WITH CHECK (" .. clause.sql(args.check) .. ")")
end

local function render_create(args)
  local statements = {
    {
      sql = clause.words("CREATE POLICY", target(args),
        args.permissive == false and "AS RESTRICTIVE",
        args.command and "FOR " .. args.command:upper(), rules_of(args)),
    },
  }
  if args.comment then
    statements[2] = clause.comment("POLICY " .. target(args), args.comment)
  end
  return statements
end

local function roles_defect(args)
  if args.roles and not role.each(args.roles)[1] then
    return "roles: the list is empty"
  end
  return nil
end

local function check_create(args)
  if not args.using and not args.check then
    return "give using (rows that are seen), check (rows that are written), or both"
  elseif args.command == "insert" and args.using then
    return "a policy for insert has no using: nothing is seen; give check"
  elseif (args.command == "select" or args.command == "delete") and args.check then
    return ("a policy for %s has no check: nothing is written; give using"):format(args.command)
  end
  return roles_defect(args)
end

local function inverse_alter(args)
  local back, why = undo.changed(args, rules)
  if not back then
    return nil, why
  end
  back.name, back.table = args.name, args.table
  return { op = "alter_policy", args = back }
end

local function force_clause(force)
  if force == nil then
    return nil
  end
  return force and "FORCE ROW LEVEL SECURITY" or "NO FORCE ROW LEVEL SECURITY"
end

local function alter_table(args, ...)
  local actions = { ... }
  return {
    { sql = "ALTER TABLE " .. quote.name(args.table) .. " " .. table.concat(actions, ", ") },
  }
end

return {
  {
    name = "create_policy",
    family = "code",
    summary = "Creates a row security policy.",
    doc = "It counts once op.enable_row_security has been called for the table.",
    raises = "server 42710 when the table has one of that name, 42704 when there is no such role",
    example = [[op.create_policy("own_rows", "orders", {
  roles = "app", using = "tenant = current_setting('app.tenant')::integer",
})]],
    parameters = { name_parameter, table_parameter },
    options = definition,
    check = check_create,
    render = render_create,
    inverse = function(args)
      return undo.created("drop_policy", args, { name = args.name, table = args.table }, definition)
    end,
  },
  {
    name = "alter_policy",
    family = "code",
    summary = "Changes whom a policy is for, or its conditions.",
    raises = "server 42704 when there is no such policy",
    example = [[op.alter_policy("own_rows", "orders", { roles = { "app", "reports" } })]],
    parameters = { name_parameter, table_parameter },
    options = undo.with(rules, { from = undo.definition(rules) }),
    check = function(args)
      return undo.nothing(args, rules) or roles_defect(args)
    end,
    render = function(args)
      return { { sql = clause.words("ALTER POLICY", target(args), rules_of(args)) } }
    end,
    inverse = inverse_alter,
  },
  {
    name = "rename_policy",
    family = "code",
    summary = "Renames a policy.",
    raises = "server 42704 when there is no such policy, 42710 when the new name is taken",
    example = [[op.rename_policy("own_rows", "orders", "tenant_rows")]],
    parameters = {
      name_parameter,
      table_parameter,
      { name = "new_name", type = "identifier", doc = "its name afterwards" },
    },
    render = function(args)
      return {
        { sql = ("ALTER POLICY %s RENAME TO %s"):format(target(args), quote.ident(args.new_name)) },
      }
    end,
    inverse = function(args)
      return {
        op = "rename_policy",
        args = { name = args.new_name, table = args.table, new_name = args.name },
      }
    end,
  },
  {
    name = "drop_policy",
    family = "code",
    summary = "Drops a policy.",
    doc = "A table with row security and no permissive policy shows no row to anybody but its "
      .. "owner.",
    raises = "server 42704 when there is no such policy",
    example = [[op.drop_policy("own_rows", "orders", { if_exists = true })]],
    parameters = { name_parameter, table_parameter },
    options = {
      if_exists = { type = "boolean", doc = "pass over a policy that does not exist" },
      definition = undo.definition(definition),
    },
    check = function(args)
      local defect = args.definition and check_create(args.definition)
      return defect and "definition: " .. defect
    end,
    render = function(args)
      return {
        { sql = clause.words("DROP POLICY", args.if_exists and "IF EXISTS", target(args)) },
      }
    end,
    inverse = function(args)
      return undo.dropped("create_policy", args, { name = args.name, table = args.table })
    end,
  },
  {
    name = "enable_row_security",
    family = "code",
    summary = "Makes the policies of a table count.",
    doc = "Without a permissive policy nobody but the owner and roles with BYPASSRLS sees a row.",
    raises = "server 42501 when the table is another's",
    example = [[op.enable_row_security("orders", { force = true })]],
    parameters = { table_parameter },
    options = {
      force = { type = "boolean", doc = "true: for the owner too; false: not for the owner" },
    },
    render = function(args)
      return alter_table(args, "ENABLE ROW LEVEL SECURITY", force_clause(args.force))
    end,
    inverse = function(args)
      return {
        op = "disable_row_security",
        args = { table = args.table, force = args.force or nil },
      }
    end,
  },
  {
    name = "disable_row_security",
    family = "code",
    summary = "Makes the policies of a table count no more.",
    doc = "The policies stay.",
    raises = "server 42501 when the table is another's",
    example = [[op.disable_row_security("orders")]],
    parameters = { table_parameter },
    options = {
      force = { type = "boolean", doc = "true: it was forced for the owner; take that away too" },
    },
    render = function(args)
      return alter_table(args, "DISABLE ROW LEVEL SECURITY",
        args.force and force_clause(false) or nil)
    end,
    inverse = function(args)
      return {
        op = "enable_row_security",
        args = { table = args.table, force = args.force or nil },
      }
    end,
  },
}
