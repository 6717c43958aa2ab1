--- What one side of a comparison stands for, read from a node of PostgreSQL's parse tree. Pure.
--   { kind = "const", text = }            a constant          { kind = "null" }
--   { kind = "list", texts = }            ARRAY[…] or '{…}' of constants
--   { kind = "column", column = }         a column; casts and collations are passed over
--   { kind = "now" }                      the time of the statement, give or take
--   { kind = "shift", column =, by = }    column + constant (text; with `sign`)
--   { kind = "difference", left =, right = }   column - column
--   { kind = "sum", terms = { { column =, sign = }, … }, constant = }   more than that
--   { kind = "length" | "cardinality" | "lower" | "upper" | "trim" | "year", column = }
--   { kind = "part", column =, of = "start"|"any" }  substr(column, 1, n), position(text in column)
--   { kind = "remainder", column =, by = }     column % number
--   { kind = "json", column =, path =, is_type = }   column -> 'a' ->> 'b'; its jsonb_typeof
--   { kind = "count", conditions = }      how many of these nodes are true
--   { kind = "unknown" }

local operand = {}

local UNKNOWN = { kind = "unknown" }

local readers = {}

---@param node table  { NodeName = fields }
---@return table
function operand.read(node)
  local name, fields = next(node)
  local reader = name and readers[name]
  return reader and reader(fields, node) or UNKNOWN
end

local function last_name(list)
  local last = list[#list].String
  return last and last.sval
end

---The plain name of an operator or function.
function operand.name(list)
  return last_name(list)
end

-- ---- constants ----

local function const(text)
  return { kind = "const", text = text }
end

function readers.A_Const(fields)
  if fields.isnull then
    return { kind = "null" }
  elseif fields.ival then
    return const(("%d"):format(fields.ival.ival or 0))
  elseif fields.fval then
    return const(fields.fval.fval)
  elseif fields.sval then
    return const(fields.sval.sval or "")
  elseif fields.boolval then
    return const(fields.boolval.boolval and "true" or "false")
  end
end

-- The text in double quotes at `at`, and the place behind it.
local function quoted_element(text, at)
  local stop = at
  repeat
    stop = text:find('["\\]', stop + 1)
    local is_escape = stop and text:sub(stop, stop) == "\\"
    stop = is_escape and stop + 1 or stop
  until not is_escape
  if stop then
    return (text:sub(at + 1, stop - 1):gsub("\\(.)", "%1")), stop + 1
  end
end

---The elements of a one-dimensional array's text; NULLs are left out.
---@param text string  {a,"b c",NULL}
---@return string[]|nil  nil when it has another form
function operand.elements(text)
  local inside = text:match("^{(.*)}$")
  local out, at = {}, 1
  while inside and at <= #inside do
    local element, after
    if inside:sub(at, at) == '"' then
      element, after = quoted_element(inside, at)
    else
      element, after = inside:match("^([^,{}]*)()", at)
    end
    if not element or inside:find("^[^,]", after) then
      return nil
    end
    out[#out + 1] = element ~= "NULL" and element or nil
    at = after + 1
  end
  return inside and out
end

function readers.A_ArrayExpr(fields)
  local texts = {}
  for i, element in ipairs(fields.elements or {}) do
    local read = operand.read(element)
    if read.kind ~= "const" then
      return UNKNOWN
    end
    texts[i] = read.text
  end
  return { kind = "list", texts = texts }
end

local condition_nodes = { NullTest = true, BoolExpr = true, BooleanTest = true, A_Expr = true }
local comparing = { ["="] = true, ["<>"] = true, ["<"] = true, [">"] = true, ["<="] = true,
  [">="] = true, ["~"] = true }

-- (a IS NULL)::integer counts one when it is true.
local function is_condition(node)
  local name, fields = next(node)
  return condition_nodes[name]
    and (name ~= "A_Expr" or fields.kind ~= "AEXPR_OP" or comparing[last_name(fields.name)])
end

function readers.TypeCast(fields)
  local names = fields.typeName.names
  if is_condition(fields.arg) and last_name(names):find("^int") then
    return { kind = "count", conditions = { fields.arg } }
  end
  local inner = operand.read(fields.arg)
  if inner.kind == "const" and fields.typeName.arrayBounds then
    local texts = operand.elements(inner.text)
    return texts and { kind = "list", texts = texts }
  end
  return inner
end

-- ---- columns ----

function readers.ColumnRef(fields)
  local name = last_name(fields.fields)
  return name and { kind = "column", column = name }
end

function readers.CollateClause(fields)
  return operand.read(fields.arg)
end

-- What holds for the first holds, unless it is NULL.
function readers.CoalesceExpr(fields)
  return operand.read(fields.args[1])
end

function readers.SQLValueFunction(fields)
  return (fields.op:find("DATE") or fields.op:find("TIME")) and { kind = "now" } or UNKNOWN
end

-- ---- operators ----

local operators = {}

-- Any of these as the terms and the constant of a sum.
local summands = {
  const = function(read) return {}, tonumber(read.text) end,
  column = function(read) return { { column = read.column, sign = 1 } }, 0 end,
  shift = function(read)
    local by = tonumber(read.by)
    return { { column = read.column, sign = 1 } }, by and by * read.sign
  end,
  difference = function(read)
    return { { column = read.left, sign = 1 }, { column = read.right, sign = -1 } }, 0
  end,
  sum = function(read) return read.terms, read.constant end,
}

---The sum of two operands, the second with a sign; nil when they are not made of columns and
---numbers.
---@param sign 1|-1
function operand.sum(left, right, sign)
  local first, second = summands[left.kind], summands[right.kind]
  if not first or not second then
    return nil
  end
  local terms, constant = first(left)
  local more, added = second(right)
  if not constant or not added then
    return nil
  end
  terms = table.move(terms, 1, #terms, 1, {})
  for _, term in ipairs(more) do
    terms[#terms + 1] = { column = term.column, sign = term.sign * sign }
  end
  return { kind = "sum", terms = terms, constant = constant + added * sign }
end

local function shift(left, right, sign)
  if left.kind == "column" and right.kind == "const" then
    return { kind = "shift", column = left.column, by = right.text, sign = sign }
  elseif left.kind == "now" then
    return left
  end
end

operators["+"] = function(left, right)
  if left.kind == "count" and right.kind == "count" then
    local all = table.move(left.conditions, 1, #left.conditions, 1, {})
    return {
      kind = "count",
      conditions = table.move(right.conditions, 1, #right.conditions, #all + 1, all),
    }
  end
  return shift(left, right, 1) or shift(right, left, 1) or operand.sum(left, right, 1)
end

operators["-"] = function(left, right)
  if left.kind == "column" and right.kind == "column" then
    return { kind = "difference", left = left.column, right = right.column }
  end
  return shift(left, right, -1) or operand.sum(left, right, -1)
end

local function remainder(left, right)
  local by = right.kind == "const" and math.tointeger(tonumber(right.text))
  return left.kind == "column" and by and by > 0
    and { kind = "remainder", column = left.column, by = by } or nil
end

operators["%"] = remainder

local function json_path(left, keys)
  local path = table.move(left.path or {}, 1, #(left.path or {}), 1, {})
  return {
    kind = "json", column = left.column,
    path = table.move(keys, 1, #keys, #path + 1, path),
  }
end

local function json_key(left, right)
  if (left.kind == "column" or left.kind == "json") and right.kind == "const" then
    return json_path(left, { right.text })
  end
end

operators["->"], operators["->>"] = json_key, json_key

operators["#>>"] = function(left, right)
  local path = right.texts or right.text and operand.elements(right.text)
  if left.kind == "column" and path then
    return json_path(left, path)
  end
end

local function negative(node)
  local inner = operand.read(node)
  return inner.kind == "const" and const("-" .. inner.text) or nil
end

function readers.A_Expr(fields)
  local name = fields.name and last_name(fields.name)
  if fields.kind == "AEXPR_NULLIF" then
    return operand.read(fields.lexpr)
  elseif fields.kind ~= "AEXPR_OP" then
    return UNKNOWN
  elseif not fields.lexpr then
    return name == "-" and negative(fields.rexpr) or UNKNOWN
  end
  local operator = operators[name]
  return operator and operator(operand.read(fields.lexpr), operand.read(fields.rexpr))
end

-- ---- functions ----

local functions = {}

-- Functions of a column, by what they tell of it.
local function of_column(kind)
  return function(args)
    local inner = operand.read(args[1])
    if inner.kind == "column" or inner.kind == "trim" then
      return { kind = kind, column = inner.column, is_trimmed = inner.kind == "trim" }
    end
  end
end

for kind, names in pairs({
  length = "length char_length character_length octet_length",
  cardinality = "cardinality array_length",
  lower = "lower", upper = "upper", trim = "btrim ltrim rtrim trim",
}) do
  for name in names:gmatch("%S+") do
    functions[name] = of_column(kind)
  end
end

local function now()
  return { kind = "now" }
end

for name in ("now transaction_timestamp statement_timestamp clock_timestamp"):gmatch("%S+") do
  functions[name] = now
end

local function year(args)
  local part, column = operand.read(args[1]), operand.read(args[2])
  if part.text == "year" and column.kind == "column" then
    return { kind = "year", column = column.column }
  end
end

functions.date_part, functions.extract = year, year

functions.date_trunc = function(args)
  local inner = operand.read(args[2])
  return inner.kind == "now" and inner or UNKNOWN
end

functions.mod = function(args)
  return remainder(operand.read(args[1]), operand.read(args[2]))
end

local function json_type(args)
  local inner = operand.read(args[1])
  if inner.kind == "column" or inner.kind == "json" then
    return { kind = "json", column = inner.column, path = inner.path or {}, is_type = true }
  end
end

functions.jsonb_typeof, functions.json_typeof = json_type, json_type

local function counted(test)
  return function(args)
    local conditions = {}
    for i, arg in ipairs(args) do
      conditions[i] = { NullTest = { arg = arg, nulltesttype = test } }
    end
    return { kind = "count", conditions = conditions }
  end
end

functions.num_nulls, functions.num_nonnulls = counted("IS_NULL"), counted("IS_NOT_NULL")

-- position(text in column): (column, text), as strpos.
local function position(args)
  local column, text = operand.read(args[1]), operand.read(args[2])
  if column.kind == "column" and text.kind == "const" then
    return { kind = "part", of = "any", column = column.column, text = text.text }
  end
end

functions.position, functions.strpos = position, position

local function start(args)
  local column, from = operand.read(args[1]), args[3] and operand.read(args[2])
  if column.kind == "column" and (not from or from.text == "1") then
    return { kind = "part", of = "start", column = column.column }
  end
end

functions.left, functions.substr, functions.substring = start, start, start

function readers.FuncCall(fields)
  local reader = functions[last_name(fields.funcname)]
  return reader and reader(fields.args or {})
end

-- ---- what is not understood ----

local function collect(node, columns, texts)
  for key, child in pairs(node) do
    if type(child) == "table" then
      if key == "ColumnRef" then
        columns[last_name(child.fields) or "*"] = true
      elseif key == "A_Const" and child.sval then
        texts[child.sval.sval or ""] = true
      elseif key ~= "typeName" and key ~= "funcname" and key ~= "name" then
        collect(child, columns, texts)
      end
    end
  end
end

local function sorted(set)
  local out = {}
  for name in pairs(set) do
    out[#out + 1] = name
  end
  table.sort(out)
  return out
end

---The columns and the strings anywhere in a node, sorted; "*" stands for a whole row.
---@return string[] columns, string[] texts
function operand.mentions(node)
  local columns, texts = {}, {}
  collect({ node }, columns, texts)
  return sorted(columns), sorted(texts)
end

return operand
