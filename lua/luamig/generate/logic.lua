--- Conditions (CHECK, partition bounds, predicates) as trees of what they ask of the columns, read
-- by PostgreSQL's own parser. Negations are pushed down to the leaves. Pure.
--
-- A TREE
--   { op = "and" | "or", tree, … }        an empty "and" is true, an empty "or" false
--   { op = "unknown", columns =, texts = }   not understood: the columns and strings in it
--   { op = "atom", kind =, column = …}
--     null     is (boolean)
--     compare  cmp ("=", "<>", "<", "<=", ">", ">="), text; shift (text) and sign: the column plus
--              that is compared; is_now: with about the present;
--              end_of ("lower", "upper"): in that case, or that end of a range
--     columns  cmp, other; by (text) and sign: column cmp other + by
--     sum      cmp, terms = { { column, sign }, … }, constant: their sum cmp 0
--     among    texts, is_negated
--     pattern  text, of ("regex", "like", "similar"), is_negated
--     length   cmp, number; cardinality   cmp, number; year   cmp, number
--     case     case ("lower", "upper")
--     blank    is_trimmed: nothing but blanks is refused; blanks at the ends too
--     contains text; starts   text
--     remainder  by, number
--     json     path, and one of type, text, or neither: it is there

local cjson = require("cjson")
local comparisons = require("luamig.generate.comparisons")
local core = require("luamig.core.sql")
local operand = require("luamig.generate.operand")

local logic = {}

local atom, each, truth = comparisons.atom, comparisons.each, comparisons.truth

local build

local function unknown(node)
  local columns, texts = operand.mentions(node)
  return { op = "unknown", columns = columns, texts = texts }
end

-- ---- nodes ----

local nodes = {}

function nodes.BoolExpr(fields, is_negated)
  if fields.boolop == "NOT_EXPR" then
    return build(fields.args[1], not is_negated)
  end
  local is_and = (fields.boolop == "AND_EXPR") ~= is_negated
  return each(is_and and "and" or "or", fields.args, function(arg)
    return build(arg, is_negated)
  end)
end

local null_of

-- COALESCE is NULL when all are; a row IS NULL, or IS NOT NULL, when all of it are.
local function null_of_all(name, args, is)
  local is_and = is or name == "RowExpr"
  return each(is_and and "and" or "or", args, function(part)
    return null_of(part, is) or unknown(part)
  end)
end

local function null_of_operand(read, is)
  if read.kind == "const" then
    return truth(not is)
  elseif read.kind == "column" then
    return atom("null", read.column, { is = is })
  elseif read.kind == "json" and not is then
    return atom("json", read.column, { path = read.path })
  end
end

function null_of(arg, is)
  local name, fields = next(arg)
  if name == "CoalesceExpr" or name == "RowExpr" then
    return null_of_all(name, fields.args, is)
  elseif name == "A_Expr" and fields.kind == "AEXPR_NULLIF" then
    return comparisons.compare(is and "=" or "<>", operand.read(fields.lexpr),
      operand.read(fields.rexpr))
  end
  return null_of_operand(operand.read(arg), is)
end

function nodes.NullTest(fields, is_negated)
  return null_of(fields.arg, (fields.nulltesttype == "IS_NULL") ~= is_negated)
end

local tests = { IS_TRUE = true, IS_NOT_FALSE = true, IS_FALSE = false, IS_NOT_TRUE = false }

function nodes.BooleanTest(fields, is_negated)
  local is = tests[fields.booltesttype]
  if is == nil then
    return null_of(fields.arg, (fields.booltesttype == "IS_UNKNOWN") ~= is_negated)
  end
  return build(fields.arg, is_negated ~= not is)
end

function nodes.ColumnRef(fields, is_negated)
  local read = operand.read({ ColumnRef = fields })
  return read.kind == "column"
    and atom("compare", read.column, { cmp = "=", text = tostring(not is_negated) })
end

function nodes.A_Const(fields, is_negated)
  local read = operand.read({ A_Const = fields })
  return read.kind == "null" and truth(true) or truth((read.text == "true") ~= is_negated)
end

function nodes.TypeCast(fields, is_negated)
  return build(fields.arg, is_negated)
end

-- The first branch whose condition is true counts.
function nodes.CaseExpr(fields, is_negated)
  local tree, before = { op = "or" }, {}
  local function branch(condition, result)
    local choice = { op = "and", table.unpack(before) }
    choice[#choice + 1] = condition
    choice[#choice + 1] = build(result, is_negated)
    tree[#tree + 1] = choice
  end
  for _, arg in ipairs(fields.args) do
    local when = arg.CaseWhen
    local condition = when.expr
    if fields.arg then
      condition = { A_Expr = { kind = "AEXPR_OP", name = { { String = { sval = "=" } } },
        lexpr = fields.arg, rexpr = condition } }
    end
    branch(build(condition, false), when.result)
    before[#before + 1] = build(condition, true)
  end
  branch(nil, fields.defresult or { A_Const = { isnull = true } })
  return tree
end

function nodes.FuncCall(fields, is_negated)
  local name, args = operand.name(fields.funcname), fields.args or {}
  if #args < 2 or is_negated then
    return nil
  end
  local left, right = operand.read(args[1]), operand.read(args[2])
  if name == "starts_with" then
    return comparisons.starts(left, right)
  elseif name == "regexp_like" then
    return comparisons.pattern("~", left, right)
  end
end

-- ---- operators ----

local boolean_nodes = { NullTest = true, BoolExpr = true, BooleanTest = true }

local function is_boolean(node)
  return boolean_nodes[next(node)]
end

-- Of two conditions: both or neither; or just one of them.
local function equal_conditions(left, right, is_equal)
  return {
    op = "or",
    { op = "and", build(left, false), build(right, not is_equal) },
    { op = "and", build(left, true), build(right, is_equal) },
  }
end

local expressions = {}

function expressions.AEXPR_OP(fields, is_negated)
  local name = operand.name(fields.name)
  if not fields.lexpr then
    return nil
  elseif (name == "=" or name == "<>")
    and (is_boolean(fields.lexpr) or is_boolean(fields.rexpr)) then
    return equal_conditions(fields.lexpr, fields.rexpr, (name == "=") ~= is_negated)
  end
  local similar = name == "~" and not is_negated and fields.rexpr.FuncCall
  if similar and operand.name(similar.funcname):find("^similar_") then
    return comparisons.similar(operand.read(fields.lexpr), operand.read(similar.args[1]))
  end
  return comparisons.operation(name, operand.read(fields.lexpr), operand.read(fields.rexpr),
    is_negated, build)
end

local function is_among(name, is_any, is_negated)
  return name == (is_any and "=" or "<>"), is_any == is_negated
end

local function of_list(is_any)
  return function(fields, is_negated)
    local name = operand.name(fields.name)
    local left, right = operand.read(fields.lexpr), operand.read(fields.rexpr)
    if right.kind ~= "list" then
      return nil
    end
    local simple, refuses = is_among(name, is_any, is_negated)
    if simple and left.kind == "column" then
      return atom("among", left.column, { texts = right.texts, is_negated = refuses })
    end
    local is_or = is_any ~= is_negated
    return each(is_or and "or" or "and", right.texts, function(text)
      local element = { A_Const = { sval = { sval = text } } }
      return build({ A_Expr = { kind = "AEXPR_OP", name = fields.name, lexpr = fields.lexpr,
        rexpr = element } }, is_negated)
    end)
  end
end

expressions.AEXPR_OP_ANY, expressions.AEXPR_OP_ALL = of_list(true), of_list(false)

local function distinct(is_distinct)
  return function(fields, is_negated)
    local cmp = is_distinct ~= is_negated and "<>" or "="
    local left, right = operand.read(fields.lexpr), operand.read(fields.rexpr)
    if right.kind == "null" then
      return null_of(fields.lexpr, cmp == "=")
    end
    return comparisons.compare(cmp, left, right, build)
  end
end

expressions.AEXPR_DISTINCT, expressions.AEXPR_NOT_DISTINCT = distinct(true), distinct(false)

-- The words that the server prints otherwise: IN, LIKE, BETWEEN.
local function rewritten(kind, name, right)
  return function(fields, is_negated)
    return build({ A_Expr = { kind = kind, name = name and { { String = { sval = name } } }
      or fields.name, lexpr = fields.lexpr, rexpr = right(fields.rexpr) } }, is_negated)
  end
end

local like = rewritten("AEXPR_OP", nil, function(node)
  return node
end)

expressions.AEXPR_LIKE, expressions.AEXPR_ILIKE, expressions.AEXPR_SIMILAR = like, like, like

function expressions.AEXPR_IN(fields, is_negated)
  local is_any = operand.name(fields.name) == "="
  return rewritten(is_any and "AEXPR_OP_ANY" or "AEXPR_OP_ALL", nil, function(node)
    return { A_ArrayExpr = { elements = node.List.items } }
  end)(fields, is_negated)
end

local function between(is_outside)
  return function(fields, is_negated)
    local sides = fields.rexpr.List.items
    local function side(name, node)
      return { A_Expr = { kind = "AEXPR_OP", name = { { String = { sval = name } } },
        lexpr = fields.lexpr, rexpr = node } }
    end
    return build({ BoolExpr = { boolop = "AND_EXPR",
      args = { side(">=", sides[1]), side("<=", sides[2]) } } }, is_negated ~= is_outside)
  end
end

expressions.AEXPR_BETWEEN, expressions.AEXPR_NOT_BETWEEN = between(false), between(true)

function nodes.A_Expr(fields, is_negated)
  local expression = expressions[fields.kind]
  return expression and expression(fields, is_negated)
end

function build(node, is_negated)
  local name, fields = next(node)
  local reader = nodes[name]
  return reader and reader(fields, is_negated) or unknown(node)
end

-- The parser's JSON leaves out whole numbers below one: a negative one is read from the text.
local function restore_negatives(node, text)
  for key, child in pairs(node) do
    if key == "A_Const" and child.ival and not child.ival.ival then
      local digits = text:match("^%-%s*(%d+)", (child.location or 0) + 1)
      child.ival.ival = digits and -math.tointeger(digits) or 0
    elseif type(child) == "table" then
      restore_negatives(child, text)
    end
  end
end

---The node of an expression, or nil when the parser does not know it.
---@param expression string
---@return table|nil node, string|nil text  the text that the node's locations (from 0) are in
function logic.node(expression)
  local text = "SELECT (" .. expression .. ")"
  local tree = core.tree(text)
  if not tree then
    return nil
  end
  local node = cjson.decode(tree).stmts[1].stmt.SelectStmt.targetList[1].ResTarget.val
  restore_negatives({ node }, text)
  return node, text
end

---The tree of a node.
function logic.tree(node)
  return build(node, false)
end

local function parse(expression)
  local node = logic.node(expression)
  if not node then
    return { tree = { op = "unknown", columns = {}, texts = {} }, columns = { "*" } }
  end
  return { tree = build(node, false), columns = (operand.mentions(node)) }
end

local MOST_KNOWN = 10000
local known, known_count = {}, 0 -- trees are made once: a database is filled again and again

---@param expression string  SQL; newer syntax than the parser knows is one unknown leaf
---@return table tree, string[] columns  not to be changed; "*" stands for a whole row, or for what
---  nobody knows
function logic.parse(expression)
  local entry = known[expression]
  if not entry then
    if known_count == MOST_KNOWN then
      known, known_count = {}, 0
    end
    entry = parse(expression)
    known[expression], known_count = entry, known_count + 1
  end
  return entry.tree, entry.columns
end

---Calls fn with every leaf.
function logic.leaves(tree, fn)
  if tree.op == "and" or tree.op == "or" then
    for _, child in ipairs(tree) do
      logic.leaves(child, fn)
    end
  else
    fn(tree)
  end
end

return logic
