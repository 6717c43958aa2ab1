--- The arguments of a call against the operation's description: by position, as scripts give them,
-- or by name, as records do.

local fault = require("luamig.fault")
local shape = require("luamig.shape")

local call = {}

-- Descriptions do not change, and their operations are called often.
local places = setmetatable({}, { __mode = "k" })

local function make_place(description, i, parameter)
  local bare = ("argument %d"):format(i)
  return {
    operation = description.name,
    path = parameter and ("%s (%s)"):format(bare, parameter.name) or bare,
    bare = bare,
  }
end

local function argument_place(description, i, parameter)
  local list = places[description]
  if not list then
    list = {}
    places[description] = list
  end
  list[i] = list[i] or make_place(description, i, parameter)
  return list[i]
end

-- The list and the options that share one table: op.create_table("t", { column, comment = "…" }).
local function split_mixed(given, place, options)
  local list = {}
  for key, v in pairs(given) do
    if math.type(key) == "integer" then
      list[key] = v
    elseif not options[key] then
      shape.unknown_option(place, key, options)
    end
  end
  return list
end

local function check_options(description, given, place, args)
  local options = description.options or {}
  if given ~= nil and not shape.is_plain_table(given) then
    shape.refuse(place, "expected options (a table), got " .. shape.found(given))
  end
  for name in pairs(given or {}) do
    if not options[name] then
      shape.unknown_option(place, name, options)
    end
  end
  shape.check_fields(given or {}, place, options, args)
end

local function check_parameter(description, i, v, args)
  local parameter = description.parameters[i]
  local place = argument_place(description, i, parameter)
  local is_mixed = description.options_in == parameter.name
  if is_mixed and shape.is_plain_table(v) then
    local options = description.options or {}
    shape.check_fields(v, place, options, args)
    v = split_mixed(v, place, options)
  end
  if v ~= nil then
    args[parameter.name] = shape.check_type(v, place, shape.parse(parameter.type), parameter)
  elseif not parameter.optional then
    shape.refuse(place, ("expected %s, got nothing"):format(shape.expected(parameter.type)))
  end
end

local function check_rules(description, args)
  local message = description.check and description.check(args)
  if message then
    fault.raise({
      kind = "operation",
      message = description.name .. ": " .. message,
      origin = description.name,
    })
  end
  return args
end

local function count_maximum(description)
  local parameters = #(description.parameters or {})
  local has_options = description.options and not description.options_in
  return has_options and parameters + 1 or parameters
end

---The arguments of a call, by name, options merged in and defaults filled.
---Raises: operation.
---@param description table
---@param given table  of table.pack
---@return table<string, any>
function call.check(description, given)
  local args = {}
  local maximum = count_maximum(description)
  if given.n > maximum then
    shape.refuse({ operation = description.name, path = ("argument %d"):format(maximum + 1) },
      ("it takes %d argument%s, got %d"):format(maximum, maximum == 1 and "" or "s", given.n))
  end
  for i in ipairs(description.parameters or {}) do
    check_parameter(description, i, given[i], args)
  end
  if maximum > #(description.parameters or {}) then
    check_options(description, given[maximum], argument_place(description, maximum), args)
  end
  return check_rules(description, args)
end

---The same for arguments that come by name: a record.
---@param description table
---@param named table<string, any>
---@return table<string, any>
function call.check_named(description, named)
  local fields = {}
  for _, parameter in ipairs(description.parameters or {}) do
    fields[parameter.name] = {
      type = parameter.type,
      fields = parameter.fields,
      required = not parameter.optional,
    }
  end
  for name, option in pairs(description.options or {}) do
    fields[name] = option
  end
  local place = { operation = description.name, path = "args", bare = "args" }
  return check_rules(description, shape.check_table(named, place, fields))
end

return call
