--- What functions and procedures are told apart by, their arguments; and their bodies, quoted.
-- Pure.

local clause = require("luamig.clause")
local quote = require("luamig.quote")
local types = require("luamig.types")

local routine = {}

routine.arguments_type = "list<string|fields>"

routine.argument_fields = {
  name = { type = "identifier", doc = "name of the argument" },
  type = { type = "type", required = true, doc = "its type" },
  mode = { type = "enum{in,out,inout,variadic}", doc = "\"in\" when left out" },
  default = { type = "literal", doc = "a constant, or op.sql" },
}

routine.arguments_parameter = {
  name = "arguments",
  type = routine.arguments_type,
  fields = routine.argument_fields,
  doc = "\"a integer DEFAULT 0\" or { name = \"a\", type = \"integer\", default = 0 }, one each",
}

routine.signature_option = {
  type = routine.arguments_type,
  fields = routine.argument_fields,
  doc = "the types of its arguments, when several have the name",
}

-- The text with what stands in double quotes made blank, so that only SQL's own signs are left.
local function blanked(text)
  return (text:gsub('"[^"]*"', function(quoted)
    return (" "):rep(#quoted)
  end))
end

-- Where the default of a declaration begins, and where its expression does; past the end when there
-- is none. What comes before a default has no sign `=`, and DEFAULT is a reserved word.
local function default_at(text)
  local plain = blanked(text):lower()
  local sign_at, sign_stop = plain:find(":?=")
  local word_at, word_stop = plain:find("%f[%w_]default%f[^%w_]")
  if word_at and (not sign_at or word_at < sign_at) then
    return word_at, word_stop
  end
  return sign_at or #text + 1, sign_stop or #text
end

local function without_default(text)
  return (text:sub(1, default_at(text) - 1):gsub("%s+$", ""))
end

local function of_fields(spec)
  return clause.words(spec.mode and spec.mode:upper(), spec.name and quote.ident(spec.name),
    spec.type)
end

---The arguments as CREATE FUNCTION takes them.
---@param arguments (string|table)[]
---@return string
function routine.declaration(arguments)
  local out = {}
  for i, spec in ipairs(arguments) do
    if type(spec) == "string" then
      out[i] = spec
    else
      out[i] = clause.words(of_fields(spec),
        spec.default ~= nil and "DEFAULT " .. types.literal(spec.default, spec.type))
    end
  end
  return table.concat(out, ", ")
end

---`name(arguments)` as DROP, COMMENT and GRANT take it: without defaults. The name alone when the
---arguments are nil.
---@param name string
---@param arguments? (string|table)[]
---@return string
function routine.signature(name, arguments)
  if not arguments then
    return quote.name(name)
  end
  local out = {}
  for i, spec in ipairs(arguments) do
    out[i] = type(spec) == "string" and without_default(spec) or of_fields(spec)
  end
  return quote.name(name) .. "(" .. table.concat(out, ", ") .. ")"
end

---What is wrong with a list of arguments, or nil.
---@return string|nil
function routine.defect(arguments)
  for i, spec in ipairs(arguments or {}) do
    if type(spec) == "string" then
      local declared = without_default(spec)
      if declared:find("^%s*$") then
        return ("arguments[%d]: expected an argument, got '%s'"):format(i, spec)
      elseif blanked(declared):gsub("%b()", ""):find(",", 1, true) then
        return ("arguments[%d]: one string holds one argument, got '%s'"):format(i, spec)
      end
    end
  end
  return nil
end

---Whether an argument gives a result: OUT or INOUT, wherever the word stands.
---@return boolean
function routine.has_output(arguments)
  for _, spec in ipairs(arguments) do
    local mode = type(spec) == "table" and (spec.mode or "in")
      or " " .. blanked(without_default(spec)):lower() .. " "
    if mode:find("%f[%w_]out%f[^%w_]") or mode:find("%f[%w_]inout%f[^%w_]") then
      return true
    end
  end
  return false
end

local function without_comments(text)
  local stop
  repeat
    text = text:gsub("^%s+", "")
    stop = select(2, text:find("^%-%-[^\n]*")) or select(2, text:find("^/%*.-%*/"))
    text = stop and text:sub(stop + 1) or text
  until not stop
  return text:lower()
end

---Whether a body of language sql is in the form of the SQL standard, which is parsed when the
---function is made: RETURN …, or BEGIN ATOMIC … END. Neither is a statement of a quoted body.
---@return boolean
function routine.is_standard(body)
  local text = without_comments(body)
  return text:find("^return%f[^%w_]") ~= nil or text:find("^begin%s+atomic%f[^%w_]") ~= nil
end

-- A closing mark may also be made by the last bytes of the body and the first of the mark.
local function is_inside(mark, body)
  return (body .. "$"):find(mark, 1, true) ~= nil
end

---A body between dollar quotes that do not occur in it.
---@param body string
---@return string
function routine.dollar_quoted(body)
  local mark, n = "$$", 0
  while is_inside(mark, body) do
    mark = n == 0 and "$body$" or ("$body%d$"):format(n)
    n = n + 1
  end
  return mark .. body .. mark
end

return routine
