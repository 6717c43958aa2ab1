--- Composite types: rows without a table.

local clause = require("luamig.clause")
local quote = require("luamig.quote")
local undo = require("luamig.undo")
local value = require("luamig.value")

local attributes_type = "list<list<string>|column>"

-- An attribute is a column, or just { name, type }.
local function attribute(item)
  if value.is(item, "column") then
    return item
  end
  return { name = item[1], type = item[2] }
end

local allowed = { tag = true, name = true, type = true, collation = true, comment = true }

local function column_defect(column)
  for name, v in pairs(column) do
    if not allowed[name] and not (name == "nullable" and v == true) then
      return ("attribute '%s': %s is for columns of tables"):format(column.name, name)
    end
  end
  return nil
end

local function attributes_defect(list)
  for i, item in ipairs(list or {}) do
    local defect
    if value.is(item, "column") then
      defect = column_defect(item)
    elseif #item ~= 2 then
      defect = ("attribute %d: expected { name, type } or op.column, got %d words"):format(i, #item)
    else
      defect = quote.name_defect(item[1])
    end
    if defect then
      return defect
    end
  end
  return nil
end

local function collate(spec)
  return spec.collation and "COLLATE " .. quote.name(spec.collation)
end

local function definition(spec)
  return clause.words(quote.ident(spec.name), spec.type, collate(spec))
end

local function comments(type_name, list, statements)
  for _, item in ipairs(list or {}) do
    local spec = attribute(item)
    if spec.comment then
      statements[#statements + 1] = clause.comment(
        "COLUMN " .. quote.name(type_name) .. "." .. quote.ident(spec.name), spec.comment)
    end
  end
end

local function render_create(args)
  local out = {}
  for i, item in ipairs(args.attributes) do
    out[i] = definition(attribute(item))
  end
  local target = quote.name(args.name)
  local statements = {
    { sql = ("CREATE TYPE %s AS (%s)"):format(target, table.concat(out, ", ")) },
  }
  if args.comment then
    statements[2] = clause.comment("TYPE " .. target, args.comment)
  end
  comments(args.name, args.attributes, statements)
  return statements
end

local function render_rename(args, target)
  local olds, statements = {}, {}
  for old in pairs(args.rename) do
    olds[#olds + 1] = old
  end
  table.sort(olds)
  for i, old in ipairs(olds) do
    statements[i] = {
      sql = clause.words("ALTER TYPE", target, "RENAME ATTRIBUTE", quote.ident(old), "TO",
        quote.ident(args.rename[old]), args.cascade and "CASCADE"),
    }
  end
  return statements
end

local function render_alter(args)
  local target = quote.name(args.name)
  if args.rename then
    return render_rename(args, target)
  end
  local actions = {}
  local function add(...)
    actions[#actions + 1] = clause.words(...)
  end
  local cascade = args.cascade and "CASCADE"
  for _, name in ipairs(args.drop or {}) do
    add("DROP ATTRIBUTE", quote.ident(name), cascade)
  end
  for _, item in ipairs(args.add or {}) do
    add("ADD ATTRIBUTE", definition(attribute(item)), cascade)
  end
  for _, item in ipairs(args.alter or {}) do
    local spec = attribute(item)
    add("ALTER ATTRIBUTE", quote.ident(spec.name), "TYPE", spec.type, collate(spec), cascade)
  end
  local statements = {
    { sql = ("ALTER TYPE %s %s"):format(target, table.concat(actions, ", ")) },
  }
  comments(args.name, args.add, statements)
  return statements
end

local changes = {
  add = { type = attributes_type, doc = "attributes to add" },
  drop = { type = "list<identifier>", doc = "names of attributes to drop" },
  alter = { type = attributes_type, doc = "attributes with their new types" },
  rename = { type = "map<identifier>", doc = "new names by old names, in a call of its own" },
}

local function check_alter(args)
  local defect = undo.nothing(args, changes)
  if not defect and args.rename and (args.add or args.drop or args.alter) then
    defect = "rename stands in a call of its own"
  end
  return defect or attributes_defect(args.add) or attributes_defect(args.alter)
end

-- The former attributes that are asked for, from `from.attributes`.
local function former(args, names)
  local known = {}
  for _, item in ipairs(args.from and args.from.attributes or {}) do
    known[attribute(item).name] = item
  end
  local out = {}
  for i, name in ipairs(names) do
    if not known[name] then
      return nil, ("what attribute '%s' was is not known: give it as from = { attributes = "
        .. "{ op.column(\"%s\", …) } }"):format(name, name)
    end
    out[i] = known[name]
  end
  return out[1] and out
end

local function names_of(list)
  local names = {}
  for i, item in ipairs(list or {}) do
    names[i] = attribute(item).name
  end
  return names
end

local function inverse_alter(args)
  local back = { name = args.name, cascade = args.cascade }
  local why
  if args.rename then
    back.rename = {}
    for old, new in pairs(args.rename) do
      back.rename[new] = old
    end
    return { op = "alter_composite", args = back }
  end
  back.drop = args.add and names_of(args.add)
  back.add, why = former(args, args.drop or {})
  if not why then
    back.alter, why = former(args, names_of(args.alter))
  end
  if why then
    return nil, why
  end
  local after = {}
  table.move(args.add or {}, 1, #(args.add or {}), 1, after)
  table.move(args.alter or {}, 1, #(args.alter or {}), #after + 1, after)
  back.from = { attributes = after }
  return { op = "alter_composite", args = back }
end

local name_parameter = { name = "name", type = "name", doc = "\"type\" or \"schema.type\"" }

return {
  {
    name = "create_composite",
    family = "types and schemas",
    summary = "Creates a composite type.",
    doc = "An attribute is { name, type }, or op.column with collation and comment.",
    raises = "server 42710 when the type exists",
    example = [[op.create_composite("address", { { "street", "text" }, { "zip", "text" } })]],
    parameters = {
      name_parameter,
      { name = "attributes", type = attributes_type, doc = "{ name, type } or op.column" },
    },
    options = { comment = { type = "string", doc = "comment" } },
    check = function(args)
      return attributes_defect(args.attributes)
    end,
    render = render_create,
    inverse = function(args)
      return undo.created("drop_type", args, { name = args.name },
        { attributes = true, comment = true })
    end,
  },
  {
    name = "alter_composite",
    family = "types and schemas",
    summary = "Changes a composite type: its attributes are added, dropped, altered, renamed.",
    doc = "A new type of an attribute cannot be given while a table has a column of the "
      .. "composite. cascade takes tables made OF the type along.",
    raises = "server 42703 when there is no such attribute, 0A000 when a column uses the type",
    example = [[op.alter_composite("address", { add = { { "country", "text" } } })]],
    parameters = { name_parameter },
    options = undo.with(changes, {
      cascade = { type = "boolean", doc = "tables made OF the type follow" },
      from = {
        type = "fields",
        fields = {
          attributes = {
            type = attributes_type,
            doc = "the attributes that are dropped or altered, as they were",
          },
        },
        doc = "what the type was, so that change() can go back",
      },
    }),
    check = check_alter,
    render = render_alter,
    inverse = inverse_alter,
  },
}
