--- Columns that a condition gives the value of: CHECK (hash = md5(body)) holds when the column is
-- computed so, whatever the expression does. Pure.

local logic = require("luamig.generate.logic")
local operand = require("luamig.generate.operand")

local computed = {}

-- ---- texts of the two sides ----

-- Where the string or the quoted name that begins at `at` ends.
local function quoted_end(text, at)
  local quote = text:sub(at, at)
  local has_escapes = quote == "'" and text:find("^[eE]", at - 1)
  repeat
    at = text:find(has_escapes and "['\\]" or quote, at + 1)
    local is_pair = at and (text:sub(at, at) == "\\" or text:sub(at + 1, at + 1) == quote)
    at = is_pair and at + 1 or at
  until not is_pair
  return at or #text
end

-- The parentheses around a place: the positions of the nearest two.
local function around(text, place)
  local open, at = {}, 1
  while at <= #text do
    local c = text:sub(at, at)
    if c == "'" or c == '"' then
      at = quoted_end(text, at)
    elseif c == "(" then
      open[#open + 1] = at
    elseif c == ")" then
      local first = table.remove(open)
      if at > place and first and first < place then
        return first, at
      end
    end
    at = at + 1
  end
  return 0, #text + 1
end

-- ---- assignments ----

local function column_of(node)
  local name, fields = next(node)
  if name == "TypeCast" or name == "CollateClause" then
    return column_of(fields.arg)
  end
  return name == "ColumnRef" and operand.read(node).column or nil
end

local function add_equality(out, text, fields)
  local place = fields.location + 1
  local first, last = around(text, place)
  local left, right = column_of(fields.lexpr), column_of(fields.rexpr)
  if left and not right then
    out[#out + 1] = { column = left, sql = text:sub(place + 1, last - 1),
      columns = (operand.mentions(fields.rexpr)) }
  elseif right and not left then
    out[#out + 1] = { column = right, sql = text:sub(first + 1, place - 1),
      columns = (operand.mentions(fields.lexpr)) }
  end
end

-- Equalities that always hold when the whole does, and that are not understood otherwise.
local function collect(out, text, node)
  local name, fields = next(node)
  if name == "BoolExpr" and fields.boolop == "AND_EXPR" then
    for _, arg in ipairs(fields.args) do
      collect(out, text, arg)
    end
  elseif name == "A_Expr" and fields.kind == "AEXPR_OP" and #fields.name == 1
    and operand.name(fields.name) == "=" and fields.lexpr
    and logic.tree(node).op == "unknown" then
    add_equality(out, text, fields)
  end
end

---@param expression string  SQL of a condition
---@return { column: string, sql: string, columns: string[] }[]  columns: those in the SQL
function computed.assignments(expression)
  if not expression:find("=", 1, true) then
    return {}
  end
  local node, text = logic.node(expression)
  local out = {}
  if node then
    collect(out, text, node)
  end
  return out
end

-- ---- of a unit ----

-- Whether candidates have a value for the column.
local function has_value(column)
  return column and not column.is_left_out and not column.generated
    and (column.is_reference or not column.is_auto)
end

local function may_compute(unit, assignment, taken)
  local column = unit.by_name[assignment.column]
  if not has_value(column) or column.is_reference or taken[column] then
    return false
  end
  for _, name in ipairs(assignment.columns) do
    if not has_value(unit.by_name[name]) then
      return false
    end
  end
  return true
end

-- What an expression reads is computed before it; of a circle only the first is.
local function in_order(list)
  local by_column, out, state = {}, {}, {}
  for _, assignment in ipairs(list) do
    by_column[assignment.column] = assignment
  end
  local function visit(assignment)
    state[assignment] = "open"
    for _, name in ipairs(assignment.columns) do
      local other = by_column[name]
      if other and other ~= assignment and not state[other] then
        visit(other)
      end
    end
    out[#out + 1] = assignment
  end
  for _, assignment in ipairs(list) do
    if not state[assignment] then
      visit(assignment)
    end
  end
  return out
end

---The columns of a unit that its conditions compute, in the order to do it.
---@return { column: string, sql: string }[]
function computed.of(unit)
  local list, taken = {}, {}
  for _, condition in ipairs(unit.conditions) do
    for _, assignment in ipairs(condition.is_check and condition.is_usable
      and computed.assignments(condition.sql) or {}) do
      if may_compute(unit, assignment, taken) then
        taken[unit.by_name[assignment.column]] = true
        list[#list + 1] = assignment
      end
    end
  end
  return in_order(list)
end

return computed
