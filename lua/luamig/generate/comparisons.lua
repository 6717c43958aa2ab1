--- Comparisons and patterns as leaves of a tree (logic.lua says what a tree is). Pure.

local operand = require("luamig.generate.operand")

local comparisons = {}

---A leaf that asks something of a column.
function comparisons.atom(kind, column, fields)
  fields.op, fields.kind, fields.column = "atom", kind, column
  return fields
end

---@return table  a tree that is always true, or always false
function comparisons.truth(is_true)
  return { op = is_true and "and" or "or" }
end

---@return table  a tree of what fn makes of each item
function comparisons.each(op, list, fn)
  local tree = { op = op }
  for i, item in ipairs(list) do
    tree[i] = fn(item)
  end
  return tree
end

local atom, truth = comparisons.atom, comparisons.truth

-- ---- comparisons ----

local flipped = { ["="] = "=", ["<>"] = "<>", ["<"] = ">", [">"] = "<", ["<="] = ">=",
  [">="] = "<=" }
local negated = { ["="] = "<>", ["<>"] = "=", ["<"] = ">=", [">"] = "<=", ["<="] = ">",
  [">="] = "<" }

local patterns = { -- which kind, and whether it refuses
  ["~"] = { "regex", false }, ["~*"] = { "regex", false }, ["!~"] = { "regex", true },
  ["!~*"] = { "regex", true }, ["~~"] = { "like", false }, ["~~*"] = { "like", false },
  ["!~~"] = { "like", true }, ["!~~*"] = { "like", true },
}

local comparers = {}

-- Both sides on one: left - right cmp 0
function comparers.sum(cmp, left, right)
  local sum = operand.sum(left, right, -1)
  if sum and #sum.terms > 0 then
    return atom("sum", sum.terms[1].column,
      { cmp = cmp, terms = sum.terms, constant = sum.constant })
  end
end

function comparers.column(cmp, left, right)
  if right.kind == "const" then
    return atom("compare", left.column, { cmp = cmp, text = right.text })
  elseif right.kind == "now" then
    return atom("compare", left.column, { cmp = cmp, is_now = true })
  elseif right.kind == "column" then
    return atom("columns", left.column, { cmp = cmp, other = right.column })
  elseif right.kind == "shift" then
    return atom("columns", left.column,
      { cmp = cmp, other = right.column, by = right.by, sign = right.sign })
  elseif right.kind == "null" then
    return truth(true) -- NULL is not false
  end
  local turned = comparers[right.kind]
  return turned and turned(flipped[cmp], right, left)
end

function comparers.shift(cmp, left, right)
  if right.kind == "const" then
    return atom("compare", left.column,
      { cmp = cmp, text = right.text, shift = left.by, sign = left.sign })
  elseif right.kind == "column" then
    return atom("columns", right.column,
      { cmp = flipped[cmp], other = left.column, by = left.by, sign = left.sign })
  end
  return comparers.sum(cmp, left, right)
end

-- left - right cmp constant: left cmp right + constant
function comparers.difference(cmp, left, right)
  if right.kind == "const" then
    return atom("columns", left.left,
      { cmp = cmp, other = left.right, by = right.text, sign = 1 })
  end
  return comparers.sum(cmp, left, right)
end

local function counting(kind)
  return function(cmp, left, right)
    local number = right.kind == "const" and tonumber(right.text)
    if not number then
      return nil
    end
    local tree = { op = "and", atom(kind, left.column, { cmp = cmp, number = number }) }
    tree[2] = left.is_trimmed and atom("blank", left.column, {}) or nil
    return tree
  end
end

comparers.length, comparers.cardinality = counting("length"), counting("cardinality")
comparers.year = counting("year")

local function in_case(case)
  return function(cmp, left, right)
    if cmp == "=" and right.kind == "column" and right.column == left.column then
      return atom("case", left.column, { case = case })
    elseif right.kind == "const" then -- or it is the end of a range
      return atom("compare", left.column, { cmp = cmp, text = right.text, end_of = case })
    end
  end
end

comparers.lower, comparers.upper = in_case("lower"), in_case("upper")

function comparers.trim(cmp, left, right)
  if right.kind == "column" and cmp == "=" then
    return atom("blank", left.column, { is_trimmed = true })
  elseif right.kind == "const" and cmp == "<>" and right.text == "" then
    return atom("blank", left.column, {})
  end
end

function comparers.part(cmp, left, right)
  if left.of == "any" then
    local is_there = right.kind == "const" and (cmp == ">" or cmp == ">=" or cmp == "<>")
    return is_there and atom("contains", left.column, { text = left.text }) or nil
  elseif cmp == "=" and right.kind == "const" then
    return atom("starts", left.column, { text = right.text })
  end
end

function comparers.remainder(cmp, left, right)
  local number = right.kind == "const" and math.tointeger(tonumber(right.text))
  if number and (cmp == "=" or left.by == 2 and cmp == "<>") then
    number = cmp == "=" and number or 1 - number
    return atom("remainder", left.column, { by = left.by, number = number })
  end
end

function comparers.json(cmp, left, right)
  if right.kind ~= "const" or cmp == "<>" and not left.is_type then
    return nil
  elseif left.is_type then
    return cmp == "=" and atom("json", left.column, { path = left.path, type = right.text }) or nil
  end
  local number = cmp ~= "=" and math.tointeger(tonumber(right.text))
  if number then
    number = cmp:sub(1, 1) == ">" and number + 1 or number - 1
  end
  return atom("json", left.column, { path = left.path, text = tostring(number or right.text) })
end

local compares_number = {
  ["="] = function(a, b) return a == b end, ["<>"] = function(a, b) return a ~= b end,
  ["<"] = function(a, b) return a < b end, ["<="] = function(a, b) return a <= b end,
  [">"] = function(a, b) return a > b end, [">="] = function(a, b) return a >= b end,
}

-- As many of the conditions as may be true are; each of them has its turn.
function comparers.count(cmp, left, right, build)
  local number = right.kind == "const" and tonumber(right.text)
  if not number then
    return nil
  end
  local tree, count = { op = "or" }, #left.conditions
  for size = 0, count do
    for first = 1, compares_number[cmp](size, number) and count or 0 do
      local choice = { op = "and" }
      for i, condition in ipairs(left.conditions) do
        choice[i] = build(condition, (i - first) % count >= size)
      end
      tree[#tree + 1] = choice
    end
  end
  return tree
end

---A comparison of two operands, or nil when it is not understood.
---@param cmp string  "=", "<>", "<", "<=", ">", ">="
---@param build fun(node: table, is_negated: boolean): table  for the conditions in an operand
---@return table|nil tree
function comparisons.compare(cmp, left, right, build)
  if left.kind == "null" or right.kind == "null" then
    return truth(true)
  elseif left.kind == "const" or left.kind == "now" then
    left, right, cmp = right, left, flipped[cmp]
  end
  local comparer = comparers[left.kind]
  return comparer and comparer(cmp, left, right, build)
end

function comparisons.pattern(name, left, right)
  local kind, is_negated = patterns[name][1], patterns[name][2]
  if (left.kind == "column" or left.kind == "lower" or left.kind == "upper")
    and right.kind == "const" then
    return atom("pattern", left.column, { of = kind, text = right.text, is_negated = is_negated })
  end
end

local pattern_negated = { ["~"] = "!~", ["~*"] = "!~*", ["!~"] = "~", ["!~*"] = "~*",
  ["~~"] = "!~~", ["~~*"] = "!~~*", ["!~~"] = "~~", ["!~~*"] = "~~*" }

---starts_with(column, text), column ^@ text
function comparisons.starts(left, right)
  if left.kind == "column" and right.kind == "const" then
    return atom("starts", left.column, { text = right.text })
  end
end

-- column ? 'key'
local function json_has(left, right)
  if (left.kind == "column" or left.kind == "json") and right.kind == "const" then
    local path = table.move(left.path or {}, 1, #(left.path or {}), 1, {})
    path[#path + 1] = right.text
    return atom("json", left.column, { path = path })
  end
end


---column SIMILAR TO text
function comparisons.similar(left, right)
  if left.kind == "column" and right.kind == "const" then
    return atom("pattern", left.column, { of = "similar", text = right.text })
  end
end

-- Operators that are not comparisons, as they stand and not negated.
local others = { ["?"] = json_has, ["^@"] = comparisons.starts }

---An operator between two operands, or nil when it is not understood.
---@param name string
---@return table|nil tree
function comparisons.operation(name, left, right, is_negated, build)
  if flipped[name] then
    return comparisons.compare(is_negated and negated[name] or name, left, right, build)
  elseif patterns[name] then
    return comparisons.pattern(is_negated and pattern_negated[name] or name, left, right)
  elseif others[name] and not is_negated then
    return others[name](left, right)
  end
end

return comparisons
