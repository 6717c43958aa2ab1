--- The descriptions of operations, in an order and in words, for those who show them: the editor's
-- definition file and `luamig help op.X`.

local operations = require("luamig.operations")
local shape = require("luamig.shape")
local value = require("luamig.value")

local description = {}

-- What scripts find in `op` beside the described operations.
local members = {
  {
    name = "invoke",
    family = "control",
    is_unrecorded = true, -- what it runs is recorded
    summary = "Runs a record, as made by a call: { op = \"drop_table\", args = { name = \"t\" } }.",
    example = [[op.invoke({ op = "drop_table", args = { name = "users" } })]],
    parameters = {
      { name = "record", type = "map<any>", doc = "op: the operation's name; args: by name" },
    },
  },
  {
    name = "register",
    family = "control",
    is_unrecorded = true,
    summary = "Makes an operation of your own.",
    doc = "op.NAME(…) calls the function, which calls other operations. change() can go back over "
      .. "it, for it records what is called in it.",
    example = [[
op.register("add_times", function(table_name)
  op.add_column(table_name, op.column("created_at", "timestamptz"))
end)]],
    parameters = {
      { name = "name", type = "identifier", doc = "its name: letters, digits and _" },
      { name = "fn", type = "function", doc = "what op.NAME(…) does" },
    },
  },
}

---Fields of `op` that are no functions.
description.values = {
  {
    name = "none",
    type = "luamig.None",
    summary = "Takes away what an option would set: default = op.none drops a default.",
  },
  {
    name = "null",
    type = "luamig.Null",
    summary = "SQL's NULL, where a nil would be no value at all: in lists, rows and defaults.",
  },
  {
    name = "context",
    type = "luamig.Context",
    summary = "What is being run: revision, direction, environment, offline, server_version, x.",
  },
}

---Fields of op.context.
description.context_fields = {
  { name = "revision", type = "string", doc = "id of the revision" },
  { name = "direction", type = "\"upgrade\"|\"downgrade\"", doc = "which of its functions runs" },
  { name = "environment", type = "string|nil", doc = "what --env said" },
  { name = "offline", type = "boolean", doc = "true when SQL is printed (--sql): nothing to read" },
  { name = "server_version", type = "integer", doc = "150004 is PostgreSQL 15.4" },
  { name = "x", type = "table<string, string>", doc = "values of -x key=value" },
}

---Every function of `op`, families together.
---@return table[]
function description.all()
  local list = table.move(operations.list(), 1, #operations.list(), 1, {})
  for _, member in ipairs(members) do
    if not operations.get(member.name) then
      list[#list + 1] = member
    end
  end
  return list
end

---@param name string
---@return table|nil
function description.get(name)
  for _, one in ipairs(description.all()) do
    if one.name == name then
      return one
    end
  end
  return nil
end

---@class luamig.NamedField
---@field key string|integer  an integer goes by position
---@field field table         type, doc, default, required, fields

---Fields or options in order: by position, then by name. What is refused is left out.
---@param fields table|nil
---@return luamig.NamedField[]
function description.fields(fields)
  local list = {}
  for key, field in pairs(fields or {}) do
    if not field.refused then
      list[#list + 1] = { key = key, field = field }
    end
  end
  table.sort(list, function(a, b)
    local is_position, is_other_position = math.type(a.key), math.type(b.key)
    if is_position ~= is_other_position then
      return is_position ~= nil
    end
    return a.key < b.key
  end)
  return list
end

---The words of a call: `op.create_index(name, table, columns, options)`.
---@param one table
---@return string
function description.signature(one)
  local words = {}
  for i, parameter in ipairs(one.parameters or {}) do
    words[i] = parameter.name
  end
  if one.options and next(one.options) and not one.options_in then
    words[#words + 1] = "options"
  end
  return ("op.%s(%s)"):format(one.name, table.concat(words, ", "))
end

---A default as a script would write it.
---@param v string|number|boolean
---@return string
function description.constant(v)
  return type(v) == "string" and ("%q"):format(v) or tostring(v)
end

---What a call raises, beside what the server may say.
---@param one table
---@return string
function description.raises(one)
  local own = "operation when an argument is wrong"
  return one.raises and own .. "; " .. one.raises or own
end

local samples = {
  boolean = true,
  integer = 1,
  number = 1,
  list = { "…" },
  columns = { "…" },
  column = value.new("column", { name = "…", type = "…" }),
  map = {},
  fields = {},
}

-- Arguments that a call cannot do without, so that an inverse can say what else it needs.
local function sample(one)
  local args = {}
  for _, parameter in ipairs(one.parameters or {}) do
    if not parameter.optional then
      local node = shape.parse(parameter.type)[1]
      local known = samples[node.kind]
      args[parameter.name] = known == nil and (node.words and node.words[1] or parameter.name)
        or known
    end
  end
  return args
end

---How change() goes back over a call, in words; nil for what change() never records.
---@param one table
---@return string|nil
function description.inverse(one)
  if one.construct or one.is_unrecorded then
    return nil
  elseif not one.inverse then
    return "none: write upgrade() and downgrade() instead of change()"
  end
  local ok, back, why = pcall(one.inverse, sample(one))
  local needs = one.inverse_needs and "; needs " .. one.inverse_needs or ""
  if ok and back then
    return ("op.%s%s"):format(back.op, needs)
  elseif ok and why then
    local is_hopeless = why:find("downgrade()", 1, true)
    return (is_hopeless and "none: " or "possible when the call says enough; at its shortest, ")
      .. why
  end
  return "yes" .. needs
end

return description
