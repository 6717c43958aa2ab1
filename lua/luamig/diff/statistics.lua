--- Extended statistics.

local annotations = require("luamig.diff.annotations")
local names = require("luamig.diff.names")
local records = require("luamig.diff.records")
local scan = require("luamig.diff.scan")
local value = require("luamig.value")

local statistics = {}

-- CREATE STATISTICS app.s (ndistinct) ON a, (b + 1) FROM app.t
local function args_of(object)
  local definition = object.definition
  local on, behind = scan.word(definition, "ON")
  local from = scan.word(definition, "FROM")
  if not on or not from or not object.table then
    return nil
  end
  local kinds = definition:sub(1, on - 1):match("%(([%w_, ]+)%)")
  local columns = {}
  for i, part in ipairs(scan.split(definition:sub(behind + 1, from - 2))) do
    local name, after = scan.name(part, 1)
    columns[i] = name and after > #part and name or value.sql(scan.bare(part))
  end
  return { columns = columns, kinds = kinds and scan.split(kinds) or nil }
end

local function creation(plan, object)
  local args = args_of(object)
  if args then
    args.name, args.table = names.of(object), names.parent(object.table)
  end
  local record = records.faithful(args and records.new("create_statistics", args),
    object.definition, plan.context)
  if record.op == "create_statistics" then
    args.name, args.table = plan:name(object), plan:name_of(object.table)
    args.target = object.statistics
    args.comment = plan.options.comments ~= false and object.comment or nil
  end
  return record
end

---Makes the node that creates statistics.
function statistics.create(plan, identity, object)
  local record = creation(plan, object)
  local is_raw = record.op == "execute"
  local list = { record }
  if is_raw and object.statistics then
    list[2] = records.new("alter_statistics", {
      name = plan:name(object), target = object.statistics,
    })
  end
  annotations.create(plan, object, list, { comment = is_raw })
  plan:node({
    when = "make", kind = "statistics", identity = identity, gives = { [identity] = true },
    records = list,
  })
end

---Makes the node that drops statistics.
function statistics.drop(plan, identity, object)
  plan:node({
    when = "drop", kind = "statistics", identity = identity, takes = { [identity] = true },
    frees = { [identity] = true },
    records = { records.new("drop_statistics", { name = plan:name(object) }) },
  })
end

---@return "replace"|"alter"
function statistics.compare(_, before, after)
  return before.definition ~= after.definition and "replace" or "alter"
end

---Makes the node that changes statistics in place.
function statistics.alter(plan, identity, before, after)
  local out = {}
  if before.statistics ~= after.statistics then
    out[1] = records.new("alter_statistics", {
      name = plan:name(after), target = after.statistics or -1,
    })
  end
  annotations.change(plan, before, after, out)
  if out[1] then
    plan:node({
      when = "change", kind = "statistics", identity = identity, records = out,
      gives = { [identity] = true }, frees = { [identity] = true },
    })
  end
end

return statistics
