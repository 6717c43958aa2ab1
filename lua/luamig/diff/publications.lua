--- Publications. What one says of a table goes when the table, or a column it names, is made anew.

local annotations = require("luamig.diff.annotations")
local names = require("luamig.diff.names")
local quote = require("luamig.quote")
local records = require("luamig.diff.records")
local scan = require("luamig.diff.scan")

local publications = {}

local function entry_args(plan, entry)
  local name = plan:name_of(entry.table)
  if not entry.columns and not entry.where then
    return name
  end
  return { table = name, columns = entry.columns, where = entry.where and scan.bare(entry.where) }
end

local function entries_args(plan, entries)
  local out = {}
  for i, entry in ipairs(entries or {}) do
    out[i] = entry_args(plan, entry)
  end
  return out[1] and out or nil
end

local all_operations = "delete\0insert\0truncate\0update"

local function publish(object)
  local list = object.operations or {}
  return table.concat(list, "\0") ~= all_operations and list or nil
end

---Makes the node that creates a publication.
function publications.create(plan, identity, object)
  local list = {
    records.new("create_publication", {
      name = object.name,
      all_tables = object.all_tables,
      tables = entries_args(plan, object.tables),
      schemas = object.schemas,
      publish = publish(object),
      via_root = object.via_root,
      generated_columns = object.generated,
      comment = plan.options.comments ~= false and object.comment or nil,
    }),
  }
  annotations.create(plan, object, list, { comment = false })
  plan:node({
    when = "make", kind = "publication", identity = identity, gives = { [identity] = true },
    records = list,
  })
end

---Makes the node that drops a publication.
function publications.drop(plan, identity, object)
  plan:node({
    when = "drop", kind = "publication", identity = identity, takes = { [identity] = true },
    frees = { [identity] = true },
    records = { records.new("drop_publication", { name = object.name }) },
  })
end

---@return "replace"|"alter"
function publications.compare(_, before, after)
  return before.all_tables ~= after.all_tables and "replace" or "alter"
end

local function by_table(object)
  local out = {}
  for _, entry in ipairs(object.tables or {}) do
    out[entry.table] = entry
  end
  return out
end

local function is_same_entry(x, y)
  return x.where == y.where and table.concat(x.columns or {}, "\0")
    == table.concat(y.columns or {}, "\0")
end

local function has_disturbed_column(plan, entry)
  for name in pairs(plan.columns.a[entry.table] or {}) do
    local fate = plan.fate[plan.column_identity(plan.a.objects[entry.table], name)]
    if fate == "retype" or fate == "drop" or fate == "replace" then
      return true
    end
  end
  return false
end

local function must_go(plan, entry, now)
  if plan:is_gone(entry.table) then
    return false -- it goes with the table
  end
  return not now or not is_same_entry(entry, now)
    or (entry.where ~= nil or entry.columns ~= nil) and has_disturbed_column(plan, entry)
end

local function table_changes(plan, before, after)
  local old, new = by_table(before), by_table(after)
  local drop, add = {}, {}
  for _, entry in ipairs(before.tables or {}) do
    drop[#drop + 1] = must_go(plan, entry, new[entry.table]) and plan:name_of(entry.table) or nil
  end
  for _, entry in ipairs(after.tables or {}) do
    local was = old[entry.table]
    if not was or plan:is_gone(entry.table) or must_go(plan, was, entry) then
      add[#add + 1] = entry_args(plan, entry)
    end
  end
  return drop, add
end

local function difference(x, y)
  local known, out = {}, {}
  for _, item in ipairs(y or {}) do
    known[item] = true
  end
  for _, item in ipairs(x or {}) do
    out[#out + 1] = not known[item] and quote.ident(item) or nil
  end
  return out
end

local function schema_change(object, word, list, out)
  if list[1] then
    out[#out + 1] = records.sql("ALTER PUBLICATION %s %s TABLES IN SCHEMA %s", names.sql(object),
      word, table.concat(list, ", "))
  end
end

local function parameters(before, after, args)
  if table.concat(before.operations or {}, "\0") ~= table.concat(after.operations or {}, "\0") then
    args.publish = after.operations or {}
  end
  if before.via_root ~= after.via_root then
    args.via_root = after.via_root or false
  end
  if before.generated ~= after.generated then
    args.generated_columns = after.generated or "none"
  end
end

local function let_go(plan, identity, before, after, drop)
  local out = {}
  if drop[1] then
    out[1] = records.new("alter_publication", { name = after.name, drop = drop })
  end
  schema_change(after, "DROP", difference(before.schemas, after.schemas), out)
  return out[1] and plan:node({
    when = "change", kind = "publication", identity = identity, frees = { [identity] = true },
    records = out,
  }) or nil
end

---Makes the nodes that change a publication.
function publications.alter(plan, identity, before, after)
  local drop, add = table_changes(plan, before, after)
  local first = let_go(plan, identity, before, after, drop)
  local args, out = { add = add[1] and add or nil }, {}
  parameters(before, after, args)
  if next(args) then
    args.name = after.name
    out[1] = records.new("alter_publication", args)
  end
  schema_change(after, "ADD", difference(after.schemas, before.schemas), out)
  annotations.change(plan, before, after, out)
  if out[1] then
    plan:node({
      when = "change", kind = "publication", identity = identity, records = out,
      gives = { [identity] = true }, frees = not first and { [identity] = true } or nil,
      after = { first },
    })
  end
end

return publications
