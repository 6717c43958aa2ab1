--- Constraints: inside a new table (op.unique, op.foreign_key …), and on a table that is there.

local clause = require("luamig.clause")
local constraint = require("luamig.constraint")
local constraint_kinds = require("luamig.constraint_kinds")
local quote = require("luamig.quote")
local value = require("luamig.value")

-- What each kind is called, in the order that the documentation shows them.
local kinds = {
  {
    kind = "primary_key",
    words = "primary key",
    article = "a",
    create = "create_primary_key",
    example = [[op.primary_key({ "project_id", "user_id" })]],
    create_example = [[op.create_primary_key("users_pkey", "users", { "id" })]],
    doc = "Takes ACCESS EXCLUSIVE while it builds its index and checks for NULLs. With using_index "
      .. "the index is there already, and only columns that may be NULL are read through.",
    raises = "server 42P16 when the table has a primary key, 23505 or 23502 when a row is not fit",
  },
  {
    kind = "unique",
    words = "unique constraint",
    article = "a",
    create = "create_unique_constraint",
    example = [[op.unique({ "session_id", "step_order" }, { name = "uq_steps_order" })]],
    create_example = [[op.create_unique_constraint("uq_email", "users", { "email" })]],
    doc = "Takes ACCESS EXCLUSIVE while it builds its index: on a big table build the index with "
      .. "op.create_index (unique, concurrently) and give using_index.",
    raises = "server 23505 when two rows have the same key",
  },
  {
    kind = "check",
    words = "check constraint",
    article = "a",
    create = "create_check_constraint",
    example = [[op.check("size_bytes >= 0", { name = "ck_files_size" })]],
    create_example = [[op.create_check_constraint("ck_files_size", "files", "size_bytes >= 0")]],
    doc = "Takes ACCESS EXCLUSIVE and reads the whole table: on a big one give not_valid, then "
      .. "op.validate_constraint in a later revision.",
    raises = "server 23514 when a row breaks it",
  },
  {
    kind = "foreign_key",
    words = "foreign key",
    article = "a",
    create = "create_foreign_key",
    example = [[op.foreign_key({ "user_id" }, "users", { "id" }, { on_delete = "cascade" })]],
    create_example = [[op.create_foreign_key("fk", "files", { "user_id" }, "users", { "id" })]],
    doc = "Takes SHARE ROW EXCLUSIVE on both tables and reads both: on big ones give not_valid, "
      .. "then op.validate_constraint in a later revision. Of a partitioned table that refers, "
      .. "not_valid needs PostgreSQL 18. The columns that refer get no index by themselves.",
    raises = "server 42830 when what is referred to is not unique, 23503 when a row refers to none",
  },
  {
    kind = "exclude",
    words = "exclusion constraint",
    article = "an",
    create = "create_exclude_constraint",
    example = [[op.exclude({ { "room", "=" }, { "during", "&&" } }, { name = "no_overlap" })]],
    create_example = [[op.create_exclude_constraint("no_clash", "stays", { { "during", "&&" } })]],
    doc = "No two rows for which every operator says yes. Takes ACCESS EXCLUSIVE while it builds "
      .. "its index. \"=\" on plain types in a gist index needs the extension btree_gist.",
    raises = "server 42704 when the type has no operator class for the access method, 23P01 when "
      .. "two rows exclude each other",
  },
  {
    kind = "not_null",
    words = "NOT NULL constraint",
    article = "a",
    create = "create_not_null_constraint",
    example = [[op.not_null("email", { name = "users_email_there" })]],
    create_example = [[op.create_not_null_constraint("email_there", "users", "email")]],
    doc = "One with a name needs PostgreSQL 18; before, op.alter_column sets nullable = false. "
      .. "Takes ACCESS EXCLUSIVE and reads the whole table unless not_valid is given.",
    raises = "server 23502 when a row has NULL",
  },
}

local by_kind = {}
for _, entry in ipairs(kinds) do
  by_kind[entry.kind] = entry
end

local name_parameter = {
  name = "name",
  type = "identifier",
  optional = true,
  doc = "name of the constraint; nil: the naming convention's, or PostgreSQL's own choice",
}
local known_name = { name = "name", type = "identifier", doc = "name of the constraint" }
local table_parameter = { name = "table", type = "name", doc = "\"table\" or \"schema.table\"" }

local function construct(entry)
  local of = constraint_kinds.of[entry.kind]
  local options = clause.copy(of.options)
  options.name = { type = "identifier", doc = name_parameter.doc:gsub("nil:", "without it,") }
  return {
    name = entry.kind,
    family = "constraints",
    summary = ("%s %s, for create_table."):format(entry.article:gsub("^a", "A"), entry.words),
    doc = entry.doc,
    example = entry.example,
    parameters = of.parameters,
    options = options,
    returns = "luamig.Constraint",
    check = function(args)
      return constraint_kinds.defect(entry.kind, args)
    end,
    construct = function(args)
      args.kind = entry.kind
      return value.new("constraint", args)
    end,
  }
end

-- The arguments of a create_… as a constraint, and back.
local function spec_of(kind, args)
  local spec = clause.copy(args)
  spec.kind, spec.table = kind, nil
  return spec
end

local function args_of(spec, name, table_name)
  local args = clause.copy(spec)
  args.kind, args.tag = nil, nil
  args.name, args.table = name, table_name
  return args
end

local function render_create(kind)
  return function(args, context)
    local spec = spec_of(kind, args)
    return {
      {
        sql = ("ALTER TABLE %s ADD %s"):format(quote.name(args.table),
          constraint.definition(spec, args.table, context)),
      },
      constraint.comment(spec, args.table, context),
    }
  end
end

local function inverse_create(entry)
  return function(args)
    if args.using_index then
      return nil, ("dropping the constraint drops the index %s too: write downgrade() with "
        .. "op.drop_constraint and op.create_index"):format(args.using_index)
    elseif not args.name then
      return nil, ("the %s has no name here: give one, op.%s(\"…\", \"%s\", …)"):format(entry.words,
        entry.create, args.table)
    end
    local definition = value.new("constraint", spec_of(entry.kind, args))
    return {
      op = "drop_constraint",
      args = { name = args.name, table = args.table, definition = definition },
    }
  end
end

local function create(entry)
  local of = constraint_kinds.of[entry.kind]
  local parameters = { name_parameter, table_parameter }
  local options = clause.copy(of.options)
  for _, parameter in ipairs(of.parameters) do
    parameter = clause.copy(parameter)
    if entry.kind == "primary_key" or entry.kind == "unique" then
      parameter.optional = true -- when using_index says them
      options.using_index = constraint_kinds.using_index
    end
    parameters[#parameters + 1] = parameter
  end
  return {
    name = entry.create,
    family = "constraints",
    summary = ("Adds %s %s."):format(entry.article, entry.words),
    doc = entry.doc,
    raises = entry.raises,
    example = entry.create_example,
    parameters = parameters,
    options = options,
    check = function(args)
      return constraint_kinds.defect(entry.kind, args)
    end,
    render = render_create(entry.kind),
    inverse = inverse_create(entry),
  }
end

local function render_validate(args)
  return {
    {
      sql = ("ALTER TABLE %s VALIDATE CONSTRAINT %s"):format(quote.name(args.table),
        quote.ident(args.name)),
      lock_timeout = false,
    },
  }
end

local function render_rename(args)
  return {
    { sql = ("ALTER TABLE %s RENAME CONSTRAINT %s TO %s"):format(quote.name(args.table),
      quote.ident(args.name), quote.ident(args.new_name)) },
  }
end

local function render_drop(args)
  return {
    { sql = clause.words("ALTER TABLE", quote.name(args.table), "DROP CONSTRAINT",
      args.if_exists and "IF EXISTS", quote.ident(args.name), args.cascade and "CASCADE") },
  }
end

local function inverse_drop(args)
  local definition = args.definition
  if args.cascade then
    return nil, "what CASCADE drops along is not known"
  elseif not definition then
    return nil, ("what the constraint was is not known: write op.drop_constraint(\"%s\", \"%s\", "
      .. "{ definition = op.check(…) }), or op.unique, op.foreign_key …"):format(args.name,
      args.table)
  end
  return {
    op = by_kind[definition.kind].create,
    args = args_of(definition, args.name, args.table),
  }
end

local descriptions = {}
for _, entry in ipairs(kinds) do
  descriptions[#descriptions + 1] = construct(entry)
end
for _, entry in ipairs(kinds) do
  descriptions[#descriptions + 1] = create(entry)
end

table.move({
  {
    name = "validate_constraint",
    family = "constraints",
    summary = "Checks the rows that a NOT VALID constraint has not seen yet.",
    doc = "Reads the whole table under SHARE UPDATE EXCLUSIVE, so rows go on being read and "
      .. "written, and runs without lock_timeout. In the revision that made the constraint it "
      .. "would hold that one's stronger lock: put it in a later one. Its inverse leaves the "
      .. "constraint valid.",
    raises = "server 23503, 23514 or 23502 when a row breaks it, 42704 when there is no such "
      .. "constraint",
    example = [[op.validate_constraint("fk_files_user", "files")]],
    parameters = { known_name, table_parameter },
    render = render_validate,
    inverse = function(args) -- nothing happens to a constraint that is valid
      return { op = "validate_constraint", args = { name = args.name, table = args.table } }
    end,
  },
  {
    name = "rename_constraint",
    family = "constraints",
    summary = "Renames a constraint, and its index with it.",
    raises = "server 42704 when there is no such constraint, 42710 when the new name is taken",
    example = [[op.rename_constraint("files_user_id_fkey", "files", "fk_files_user")]],
    parameters = {
      { name = "name", type = "identifier", doc = "its name now" },
      table_parameter,
      { name = "new_name", type = "identifier", doc = "its name afterwards" },
    },
    render = render_rename,
    inverse = function(args)
      return {
        op = "rename_constraint",
        args = { name = args.new_name, table = args.table, new_name = args.name },
      }
    end,
  },
  {
    name = "drop_constraint",
    family = "constraints",
    summary = "Drops a constraint, and the index that it was made with.",
    doc = "Takes ACCESS EXCLUSIVE, of a foreign key on the table referred to as well. With its "
      .. "definition, change() can bring it back.",
    raises = "server 42704 when there is no such constraint, 2BP01 when a foreign key needs it",
    example = [[op.drop_constraint("ck_size", "files", { definition = op.check("size > 0") })]],
    parameters = { known_name, table_parameter },
    options = {
      if_exists = { type = "boolean", doc = "pass over a constraint that does not exist" },
      cascade = { type = "boolean", doc = "drop what depends on it too" },
      definition = {
        type = "constraint",
        doc = "what it was, made by op.check, op.foreign_key …, so that change() can go back",
      },
    },
    render = render_drop,
    inverse = inverse_drop,
  },
}, 1, 3, #descriptions + 1, descriptions)

return descriptions
