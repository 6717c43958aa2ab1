--- Columns: what a column is, and how one is added, changed, renamed and dropped.

local clause = require("luamig.clause")
local column_sql = require("luamig.column")
local quote = require("luamig.quote")
local types = require("luamig.types")
local value = require("luamig.value")

local alter = {}

local sequence_fields = column_sql.sequence_fields

local function alter_table(name, actions)
  return { sql = "ALTER TABLE " .. quote.name(name) .. " " .. table.concat(actions, ", ") }
end

local function column_target(args, name)
  return "COLUMN " .. quote.name(args.table) .. "." .. quote.ident(name)
end

local function render_add(args, context)
  local column = args.column
  local actions = {
    clause.words("ADD COLUMN", args.if_not_exists and "IF NOT EXISTS",
      column_sql.definition(column, args.table, context)),
  }
  if column.storage and not clause.since(context, 16) then
    actions[2] = column_sql.storage_action(column)
  end
  local statements = { alter_table(args.table, actions) }
  if column.comment then
    statements[2] = clause.comment(column_target(args, column.name), column.comment)
  end
  return statements
end

local function column_name(column)
  return type(column) == "string" and column or column.name
end

local function render_drop(args)
  return {
    alter_table(args.table, {
      clause.words("DROP COLUMN", args.if_exists and "IF EXISTS",
        quote.ident(column_name(args.column)), args.cascade and "CASCADE"),
    }),
  }
end

local function render_rename(args)
  return {
    { sql = ("ALTER TABLE %s RENAME COLUMN %s TO %s"):format(quote.name(args.table),
      quote.ident(args.column), quote.ident(args.new_name)) },
  }
end

-- The actions of ALTER COLUMN in an order that PostgreSQL can follow: an old default may not fit
-- the new type, so it goes first; NOT NULL is checked on what the new type made of the rows.
alter.default = function(actions, args, at)
  if args.default ~= nil and not value.is(args.default, "none") then
    actions[#actions + 1] = at .. "SET DEFAULT " .. types.literal(args.default, args.type)
  end
end

alter.drop_default = function(actions, args, at)
  if args.default ~= nil and (args.type or value.is(args.default, "none")) then
    actions[#actions + 1] = at .. "DROP DEFAULT"
  end
end

alter.type = function(actions, args, at)
  if args.type then
    actions[#actions + 1] = at .. clause.words("TYPE", args.type,
      args.collation and "COLLATE " .. quote.name(args.collation),
      args.using and "USING " .. clause.sql(args.using))
  end
end

alter.generated = function(actions, args, at, context)
  if value.is(args.generated, "none") then
    actions[#actions + 1] = at .. "DROP EXPRESSION"
  elseif args.generated then
    clause.need(context, 17, "a new expression for a generated column")
    actions[#actions + 1] = at .. "SET EXPRESSION AS (" .. clause.sql(args.generated) .. ")"
  end
end

alter.nullable = function(actions, args, at)
  if args.nullable ~= nil then
    actions[#actions + 1] = at .. (args.nullable and "DROP NOT NULL" or "SET NOT NULL")
  end
end

alter.identity = function(actions, args, at)
  if args.identity == nil then
    return
  elseif value.is(args.identity, "none") then
    actions[#actions + 1] = at .. "DROP IDENTITY IF EXISTS"
  else
    actions[#actions + 1] = at .. "ADD " .. column_sql.identity(args.identity)
  end
end

alter.statistics = function(actions, args, at)
  if args.statistics then
    actions[#actions + 1] = at .. ("SET STATISTICS %d"):format(args.statistics)
  end
end

alter.storage = function(actions, args, at)
  if args.storage then
    actions[#actions + 1] = at .. "SET STORAGE " .. args.storage:upper()
  end
end

alter.compression = function(actions, args, at)
  if args.compression then
    actions[#actions + 1] = at .. "SET COMPRESSION " .. args.compression
  end
end

local alter_order = {
  "drop_default", "generated", "type", "default", "nullable", "identity", "statistics", "storage",
  "compression",
}

local function render_alter(args, context)
  local at = "ALTER COLUMN " .. quote.ident(args.column) .. " "
  local actions, statements = {}, {}
  for _, name in ipairs(alter_order) do
    alter[name](actions, args, at, context)
  end
  if #actions > 0 then
    statements[1] = alter_table(args.table, actions)
  end
  if args.comment then
    statements[#statements + 1] = clause.comment(column_target(args, args.column), args.comment)
  end
  if args.new_name then
    statements[#statements + 1] = render_rename(args)[1]
  end
  return statements
end

local changeable = {
  "type", "using", "collation", "nullable", "default", "comment", "new_name", "identity",
  "generated", "statistics", "storage", "compression",
}

local function check_alter(args)
  if (args.using or args.collation) and not args.type then
    return (args.using and "using" or "collation") .. " goes with type"
  end
  for _, name in ipairs(changeable) do
    if args[name] ~= nil then
      return nil
    end
  end
  return "nothing to change: give at least one of " .. table.concat(changeable, ", ")
end

-- What must be known of the column as it was, to bring it back.
local restorable = {
  "type", "default", "comment", "identity", "generated", "statistics", "storage", "compression",
  "collation",
}

local function inverse_alter(args)
  local before = args.from or {}
  local back = { table = args.table, column = args.new_name or args.column, using = before.using }
  if args.new_name then
    back.new_name = args.column
  end
  if args.nullable ~= nil then
    back.nullable = not args.nullable
  end
  for _, name in ipairs(restorable) do
    if args[name] ~= nil then
      if before[name] == nil then
        return nil, ("what %s was is not known: give it as from = { %s = … }"):format(name, name)
      end
      back[name] = before[name]
    end
  end
  local after = {}
  for _, name in ipairs(restorable) do
    after[name] = args[name]
  end
  after.using = args.using
  back.from = next(after) and after or nil
  return { op = "alter_column", args = back }
end

local function inverse_drop(args)
  if type(args.column) == "string" then
    return nil, ("the definition of the column is not known: write op.drop_column(\"%s\", "
      .. "op.column(\"%s\", …))"):format(args.table, args.column)
  elseif args.cascade then
    return nil, "what CASCADE drops along is not known"
  end
  return {
    op = "add_column",
    args = { table = args.table, column = args.column, if_not_exists = args.if_exists },
  }
end

local changes = {
  type = { type = "type", doc = "the new type" },
  using = { type = "sql_or_string", doc = "how a value of the new type is made of the old" },
  collation = { type = "name", doc = "collation, together with type" },
  default = { type = "literal|none", doc = "the new default; op.none drops it" },
  comment = { type = "string|none", doc = "the new comment; op.none drops it" },
  identity = {
    type = "enum{always,by default}|fields|none",
    fields = sequence_fields,
    doc = "make it an identity column; op.none makes it a plain one",
  },
  generated = {
    type = "sql_or_string|none",
    doc = "op.none keeps the values and drops the expression; SQL is a new one (PostgreSQL 17)",
  },
  statistics = { type = "integer", doc = "statistics target; -1 is the server's default" },
  storage = { type = "enum{plain,external,extended,main}", doc = "TOAST strategy" },
  compression = { type = "enum{pglz,lz4,default}", doc = "compression of new values" },
}

local function alter_options()
  local options = {
    nullable = { type = "boolean", doc = "false: SET NOT NULL, which reads the whole table" },
    new_name = { type = "identifier", doc = "rename, after everything else" },
    from = {
      type = "fields",
      fields = changes,
      doc = "what the column was, so that change() can go back",
    },
  }
  for name, option in pairs(changes) do
    options[name] = option
  end
  return options
end

local table_parameter = { name = "table", type = "name", doc = "\"table\" or \"schema.table\"" }

return {
  {
    name = "column",
    family = "columns",
    summary = "A column, for create_table and add_column.",
    doc = "The type is PostgreSQL's own spelling. A plain default is a constant, op.sql an "
      .. "expression.",
    example = [[op.column("id", "uuid", { primary_key = true, default = op.sql("uuidv7()") })]],
    parameters = {
      { name = "name", type = "identifier", doc = "name of the column" },
      { name = "type", type = "type", doc = "\"varchar(255)\", \"numeric(12,2)\", \"text[]\" …" },
    },
    options = column_sql.options,
    returns = "luamig.Column",
    check = column_sql.check,
    construct = function(args)
      return value.new("column", args)
    end,
  },
  {
    name = "add_column",
    family = "columns",
    summary = "Adds a column.",
    doc = "Takes ACCESS EXCLUSIVE for the catalogue change only; a volatile default, an identity "
      .. "or a stored expression rewrites the table.",
    raises = "server 42701 when the column exists",
    example = [[op.add_column("users", op.column("email", "text", { comment = "at work" }))]],
    parameters = {
      table_parameter,
      { name = "column", type = "column", doc = "made by op.column" },
    },
    options = {
      if_not_exists = { type = "boolean", doc = "pass over a column that exists already" },
    },
    render = render_add,
    inverse = function(args)
      return {
        op = "drop_column",
        args = { table = args.table, column = args.column, if_exists = args.if_not_exists },
      }
    end,
  },
  {
    name = "drop_column",
    family = "columns",
    summary = "Drops a column and what it holds.",
    doc = "With op.column in place of the name, change() can bring the column back, but not its "
      .. "values.",
    raises = "server 42703 when there is no such column, 2BP01 when something depends on it",
    example = [[op.drop_column("users", "phone", { if_exists = true })]],
    parameters = {
      table_parameter,
      { name = "column", type = "identifier|column", doc = "its name, or its whole definition" },
    },
    options = {
      if_exists = { type = "boolean", doc = "pass over a column that does not exist" },
      cascade = { type = "boolean", doc = "drop what depends on it too" },
    },
    render = render_drop,
    inverse = inverse_drop,
  },
  {
    name = "alter_column",
    family = "columns",
    summary = "Changes a column: type, default, NOT NULL, identity, comment, name and more.",
    doc = "One ALTER TABLE, in the order PostgreSQL needs: the old default goes before the type "
      .. "changes, the new one comes after it; the comment follows, the new name comes last. A "
      .. "new type rewrites the table unless the old values are right already (varchar to text).",
    raises = "server 42804 when the type cannot be cast (give using), 23502 when a row has NULL",
    example = [[op.alter_column("users", "age", { type = "integer", using = "age::integer" })]],
    parameters = {
      table_parameter,
      { name = "column", type = "identifier", doc = "its name now" },
    },
    options = alter_options(),
    check = check_alter,
    render = render_alter,
    inverse = inverse_alter,
    inverse_needs = "from, for all but nullable and new_name",
  },
  {
    name = "rename_column",
    family = "columns",
    summary = "Renames a column.",
    doc = "Running applications that know the old name fail at once.",
    raises = "server 42703 when there is no such column, 42701 when the new name is taken",
    example = [[op.rename_column("users", "mail", "email")]],
    parameters = {
      table_parameter,
      { name = "column", type = "identifier", doc = "its name now" },
      { name = "new_name", type = "identifier", doc = "its name afterwards" },
    },
    render = render_rename,
    inverse = function(args)
      return {
        op = "rename_column",
        args = { table = args.table, column = args.new_name, new_name = args.column },
      }
    end,
  },
}
