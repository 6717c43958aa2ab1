--- What must be unique or must not overlap in a table, and what its indexes compute. Pure.
--
-- A KEY  { name =, columns = names, is_exclusive =, is_plain = }
--   is_exclusive: EXCLUDE, WITHOUT OVERLAPS; is_plain: of columns, and of all rows

local cjson = require("cjson")
local core = require("luamig.core.sql")
local logic = require("luamig.generate.logic")
local operand = require("luamig.generate.operand")

local keys = {}

-- The column that an argument is, whatever it is cast to.
local function column_of(node)
  return node and operand.read(node).column
end

-- Calls fn with the two columns of every tsrange(a, b) in a node: a above b is an error there.
local function each_range(node, fn)
  for name, child in pairs(node) do
    if type(child) == "table" then
      each_range(child, fn)
      local called = name == "FuncCall" and operand.name(child.funcname)
      local args = called and called:find("range$") and child.args or {}
      local low, high = column_of(args[1]), column_of(args[2])
      if low and high then
        fn(low, high)
      end
    end
  end
end

---Notes what an expression of an index, a key or a generated column needs.
---@param needs table  { relations = trees }: it gets one more for each range of two columns
---@param expression string
---@return string[] columns
function keys.read_expression(needs, expression)
  local node = logic.node(expression)
  if not node then
    return {}
  end
  each_range({ node }, function(low, high)
    table.insert(needs.relations,
      { op = "atom", kind = "columns", column = low, cmp = "<", other = high })
  end)
  return (operand.mentions(node))
end

-- ---- exclusion constraints ----

local function constraint_node(definition)
  local tree = core.tree("ALTER TABLE x ADD " .. definition)
  local command = tree and cjson.decode(tree).stmts[1].stmt.AlterTableStmt.cmds[1].AlterTableCmd
  return command and command.def.Constraint
end

---The columns that a foreign key refers to, read from its definition.
---@return string[]
function keys.referred_columns(definition)
  local node = constraint_node(definition)
  local names = {}
  for i, attribute in ipairs(node and node.pk_attrs or {}) do
    names[i] = attribute.String.sval
  end
  return names
end

-- Rows may only agree in a column that is excluded WITH <>.
local function exclusion(needs, object)
  local node = constraint_node(object.definition)
  local columns = {}
  for _, pair in ipairs(node and node.exclusions or {}) do
    local element, operators = pair.List.items[1].IndexElem, pair.List.items[2].List.items
    local names = { element.name }
    if element.expr then
      each_range({ element.expr }, function(low, high)
        table.insert(needs.relations,
          { op = "atom", kind = "columns", column = low, cmp = "<", other = high })
      end)
      names = operand.mentions(element.expr)
    end
    for _, name in ipairs(names) do
      columns[#columns + 1] = name
      needs.constants[name] = operand.name(operators) == "<>" or needs.constants[name]
    end
  end
  return { name = object.name, columns = columns, is_exclusive = true }
end

-- ---- keys of a table ----

local function of_constraint(needs, object)
  if object.type == "exclude" then
    return exclusion(needs, object)
  elseif object.type == "primary_key" or object.type == "unique" then
    return {
      name = object.name, columns = object.columns, is_plain = true,
      is_exclusive = object.definition:find("WITHOUT OVERLAPS", 1, true) ~= nil,
    }
  end
end

local function of_index(needs, object)
  local columns = { table.unpack(object.columns or {}) }
  for _, expression in ipairs(object.expressions or {}) do
    for _, name in ipairs(keys.read_expression(needs, expression)) do
      columns[#columns + 1] = name
    end
  end
  for _, name in ipairs(columns) do
    needs.indexed[name] = true
  end
  for _, name in ipairs(object.include or {}) do
    needs.indexed[name] = true
  end
  return object.unique and {
    name = object.name, columns = columns, is_plain = not object.expressions and not object.where,
  } or nil
end

---What the constraints and indexes of one table need.
---@param children table[]  objects of the snapshot whose parent the table is, sorted
---@return table needs  { keys = list, indexed = set of columns, constants = set of columns that
---  are the same in all rows, relations = trees, is_deferrable = some key is }
function keys.of(children)
  local needs = { keys = {}, indexed = {}, constants = {}, relations = {} }
  for _, object in ipairs(children) do
    local key
    if object.kind == "constraint" then
      key = of_constraint(needs, object)
    elseif object.kind == "index" then
      key = of_index(needs, object)
    end
    needs.keys[#needs.keys + 1] = key
    needs.is_deferrable = needs.is_deferrable or key and object.deferrable
    for _, name in ipairs(key and key.columns or {}) do
      needs.indexed[name] = true
    end
  end
  return needs
end

return keys
