--- Writes the safe way as calls of luamig's own operations, with the names of the case at hand.

local statement_of = require("luamig.trace.statement")

local safe = {}

---A text as a Lua literal.
---@param text string
function safe.text(text)
  return '"' .. text:gsub('[\\"]', "\\%0"):gsub("\n", "\\n") .. '"'
end

---A list of texts as a Lua table.
---@param list string[]
function safe.list(list)
  local out = {}
  for i, text in ipairs(list) do
    out[i] = safe.text(text)
  end
  return "{ " .. table.concat(out, ", ") .. " }"
end

---The name of a relation as an argument.
function safe.name(relation)
  local name = relation.schema == "public" and relation.name
    or relation.schema .. "." .. relation.name
  return safe.text(name)
end

local function columns_of(tree)
  local out = {}
  for _, item in ipairs(tree.indexParams or {}) do
    local name = item.IndexElem and item.IndexElem.name
    if not name then
      return nil -- an expression
    end
    out[#out + 1] = name
  end
  return out
end

---The call that builds an index while others write.
---@param index luamig.trace.Relation
function safe.create_index(index)
  local tree = statement_of.kind(index.definition or "").tree
  local columns = not tree.whereClause and columns_of(tree)
  local options = (index.is_unique and "unique = true, " or "")
    .. (tree.accessMethod and tree.accessMethod ~= "btree"
      and ("using = %s, "):format(safe.text(tree.accessMethod)) or "")
  if not columns or not index.table then
    local text = (index.definition or ""):gsub("^(CREATE %a* ?INDEX)", "%1 CONCURRENTLY", 1)
    return ("op.execute(%s)"):format(safe.text(text))
  end
  return ("op.create_index(%s, %s, %s, { %sconcurrently = true })"):format(safe.text(index.name),
    safe.name(index.table), safe.list(columns), options)
end

---The text of a CHECK without the word.
---@param definition string  "CHECK ((n > 1))"
function safe.check_text(definition)
  local text = definition:gsub("%s+NOT VALID$", "")
  text = text:match("^CHECK %((.*)%)$") or text
  return text:match("^%(([^()]*)%)$") or text
end

---The calls that add a constraint in two steps, a transaction each.
---@param constraint table  of luamig.trace
function safe.two_steps(constraint)
  local name, owner = safe.text(constraint.name), safe.name(constraint.table)
  local first
  if constraint.type == "foreign_key" then
    first = ("op.create_foreign_key(%s, %s, %s, %s, %s, { not_valid = true })"):format(name, owner,
      safe.list(constraint.columns), constraint.referred and safe.name(constraint.referred)
        or '"…"', safe.list(constraint.referred_columns))
  else
    first = ("op.create_check_constraint(%s, %s, %s, { not_valid = true })"):format(name, owner,
      safe.text(safe.check_text(constraint.definition)))
  end
  return first .. "\n-- in the next revision: writes go on while it reads\n"
    .. ("op.validate_constraint(%s, %s)"):format(name, owner)
end

---The calls that make a column NOT NULL without a scan under a strong lock.
function safe.not_null(relation, column, version)
  local owner = safe.name(relation)
  local name = safe.text(relation.name .. "_" .. column .. "_set")
  local lines = {
    ('op.create_check_constraint(%s, %s, %s, { not_valid = true })'):format(name, owner,
      safe.text(column .. " IS NOT NULL")),
    "-- in the next revision: writes go on while it reads",
    ("op.validate_constraint(%s, %s)"):format(name, owner),
    "-- and in the one behind it: nothing is read, for the CHECK proves it",
    ("op.alter_column(%s, %s, { nullable = false })"):format(owner, safe.text(column)),
    ("op.drop_constraint(%s, %s)"):format(name, owner),
  }
  if version and version >= 180000 then
    lines[#lines + 1] = ("-- where production is PostgreSQL 18 too, instead:\n"
      .. "-- op.create_not_null_constraint(%s, %s, %s, { not_valid = true })"):format(name, owner,
      safe.text(column))
    lines[#lines + 1] = ("-- in the next revision: op.validate_constraint(%s, %s)"):format(name,
      owner)
  end
  return table.concat(lines, "\n")
end

-- The first place, in bytes, that a part of a parse tree speaks of.
local function first_place(tree)
  local first
  for key, item in pairs(tree) do
    local place = key == "location" and item or type(item) == "table" and first_place(item) or nil
    first = place and math.min(first or place, place) or first
  end
  return first
end

-- Where the condition begins, behind WHERE; nil when the text does not show it.
local function condition_at(sql, tree)
  local before = sql:sub(1, first_place(tree.whereClause) or 0)
  local at
  for place in before:gmatch("%f[%w_][Ww][Hh][Ee][Rr][Ee]()%f[^%w_]") do
    at = place
  end
  return at
end

-- UPDATE or DELETE of one table with the range of a batch; nil when it is not that simple.
local function with_range(entry)
  local kind, sql = entry.kind, entry.sql
  local tree = kind.tree
  if kind.node ~= "UpdateStmt" and kind.node ~= "DeleteStmt" or tree.fromClause
    or tree.usingClause or tree.returningList or tree.withClause or #sql > 300
    or sql:find("--", 1, true) then
    return nil
  elseif not tree.whereClause then
    return (sql:gsub("[%s;]+$", "")) .. " WHERE {range}"
  end
  local at = condition_at(sql, tree)
  return at and ("%s {range} AND (%s)"):format(sql:sub(1, at - 1),
    sql:sub(at):match("^%s*(.-)[%s;]*$")) or nil
end

---The call that does in batches what a statement does to all rows at once.
---@param entry luamig.trace.Entry
---@param relation luamig.trace.Relation
function safe.in_batches(entry, relation)
  local text = with_range(entry)
  local what = text and "sql = " .. safe.text(text) or "set = { … }, remaining = \"…\""
  return ("op.batch_execute(%s, { table = %s, %s })"):format(
    safe.text(relation.name .. "_change"), safe.name(relation), what)
end

---The calls that bring a key in by an index built beforehand.
---@param kind "unique"|"primary_key"
function safe.using_index(constraint, kind)
  local owner, name = safe.name(constraint.table), safe.text(constraint.name)
  local made = kind == "unique" and "create_unique_constraint" or "create_primary_key"
  return ("op.create_index(%s, %s, %s, { unique = true, concurrently = true })\n"
    .. "op.%s(%s, %s, nil, { using_index = %s })"):format(name, owner,
    safe.list(constraint.columns), made, name, owner, name)
end

return safe
