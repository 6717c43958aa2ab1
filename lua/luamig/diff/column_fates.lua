--- What becomes of each column of a table that stays.

local column_inheritance = require("luamig.diff.column_inheritance")
local names = require("luamig.diff.names")

local column_fates = {}

local compared = {
  "default", "not_null", "generated", "expression", "identity", "storage",
  "compression", "statistics", "comment", "not_null_name", "not_null_no_inherit",
  "not_null_not_valid", "not_null_comment",
}

local switches = { comment = "comments", not_null_comment = "comments" }

local function differs_plainly(plan, before, after)
  for _, field in ipairs(compared) do
    local is_passed_over = switches[field] and plan.options[switches[field]] == false
    if before[field] ~= after[field] and not is_passed_over then
      return true
    end
  end
  return false
end

local deep = { "sequence", "options", "fdw_options", "acl", "labels" }
local deep_switches = { acl = "privileges", labels = "labels" }

local function differs_deeply(plan, before, after)
  local same = require("luamig.snapshot.compare").same_object
  for _, field in ipairs(deep) do
    local is_passed_over = deep_switches[field] and plan.options[deep_switches[field]] == false
    if not is_passed_over
      and not same({ before[field] }, { after[field] }, plan.options) then
      return true
    end
  end
  return false
end

---Whether anything of two columns of one name and type is apart.
function column_fates.differs(plan, before, after)
  return differs_plainly(plan, before, after) or differs_deeply(plan, before, after)
end

-- A generated column can become a plain one, and get another expression from PostgreSQL 17 on.
local function must_be_made_anew(plan, before, after)
  if before.generated == after.generated then
    return before.expression ~= after.expression and not plan:since(17)
      or before.generated ~= nil and before.type ~= after.type
  end
  return after.generated ~= nil or before.generated == "virtual"
end

-- A column that tells in which partition a row is.
local function is_of_key(object, name)
  return object.partition_by ~= nil
    and object.partition_by:find("%f[%w_]" .. name:gsub("%p", "%%%0") .. "%f[^%w_]") ~= nil
end

local function is_retyped(plan, object, before, after)
  if before.type == after.type and before.collation == after.collation then
    return false
  elseif is_of_key(object, after.name) then
    plan:cannot("table " .. names.sql(object),
      ("the type of %s, by which it is partitioned"):format(after.name))
    return false
  end
  return true
end

local function fate_of(plan, object, before, after)
  if not before then
    return "create"
  elseif must_be_made_anew(plan, before, after) then
    return "replace"
  elseif is_retyped(plan, object, before, after) then
    return "retype"
  end
  return column_fates.differs(plan, before, after) and "alter" or nil
end

-- A child whose parent does it: the fate counts for those who use the column.
local function inherited_fate(plan, identity, name)
  for _, parent in ipairs(column_inheritance.parents(plan, identity)) do
    local object = plan.b.objects[parent]
    local fate = object and plan.fate[plan.column_identity(object, name)]
    if fate then
      return fate
    end
  end
  return nil
end

-- Whether a column is the table's own or its parents' alone cannot be said afterwards.
local function note_origin(plan, identity, before, column)
  local is_child = #column_inheritance.parents(plan, identity) > 0
    or plan.b.objects[identity].inherits ~= nil and column.inherited
  if before and before.inherited ~= column.inherited and is_child then
    plan:note(identity, ("that column %s is %s"):format(column.name,
      column.inherited and "its parents' alone" or "its own, too"))
  end
end

---Sets the fates of the columns of a table that stays. Parents must have been asked before.
---@return boolean  whether anything changes
function column_fates.compare(plan, identity)
  local before, after = column_inheritance.before(plan, identity), plan.columns.b[identity]
  local object, is_changed = plan.b.objects[identity], false
  for name, column in pairs(after) do
    local column_identity = plan.column_identity(object, name)
    local fate = fate_of(plan, object, before[name], column)
    note_origin(plan, identity, before[name], column)
    plan.fate[column_identity] = fate or inherited_fate(plan, identity, name)
    is_changed = is_changed or fate ~= nil
  end
  for name in pairs(plan.columns.a[identity]) do
    if not after[name] then
      plan.fate[plan.column_identity(object, name)] = "drop"
      is_changed = is_changed or before[name] ~= nil
    end
  end
  return is_changed
end

local function order_after(plan, identity)
  local out, before = {}, column_inheritance.before(plan, identity)
  local object = plan.b.objects[identity]
  local function is_kept(name)
    local fate = plan.fate[plan.column_identity(object, name)]
    return before[name] and fate ~= "drop" and fate ~= "replace"
  end
  for _, column in ipairs(plan.a.objects[identity].columns) do
    out[#out + 1] = is_kept(column.name) and column.name or nil
  end
  for _, column in ipairs(object.columns) do
    local was = plan.columns.a[identity][column.name]
    if not was or not is_kept(column.name) then
      out[#out + 1] = column.name
    end
  end
  return out
end

---Says so when the columns will not stand in the order that is wanted.
function column_fates.check_order(plan, identity)
  local wanted = {}
  for i, column in ipairs(plan.b.objects[identity].columns) do
    wanted[i] = column.name
  end
  local got = order_after(plan, identity)
  if table.concat(got, "\n") ~= table.concat(wanted, "\n") then
    local what = ("the order of its columns: %s instead of %s"):format(table.concat(got, ", "),
      table.concat(wanted, ", "))
    if plan.options.column_order == false then
      plan:note(identity, what)
    else
      plan:cannot(identity, what)
    end
  end
end

return column_fates
