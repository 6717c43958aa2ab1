--- Triggers and rules.

local annotations = require("luamig.diff.annotations")
local key_text = require("luamig.diff.key_text")
local names = require("luamig.diff.names")
local quote = require("luamig.quote")
local records = require("luamig.diff.records")
local scan = require("luamig.diff.scan")

local triggers = {}

local timings = {
  { "BEFORE ", "before" }, { "AFTER ", "after" }, { "INSTEAD OF ", "instead of" },
}

local function read_timing(text, args)
  for _, pair in ipairs(timings) do
    if text:sub(1, #pair[1]) == pair[1] then
      args.timing = pair[2]
      return text:sub(#pair[1] + 1)
    end
  end
  return nil
end

local function read_events(text, args)
  local events = {}
  for _, part in ipairs({ "INSERT", "UPDATE", "DELETE", "TRUNCATE" }) do
    events[#events + 1] = scan.word(text, part) and part:lower() or nil
  end
  local _, after = scan.word(text, "OF")
  if after then
    local list = text:sub(after + 1)
    list = list:sub(1, (scan.word(list, "OR") or #list + 2) - 2)
    args.columns = key_text.names(list)
  end
  args.events = events[2] and events or events[1]
end

local function read_arguments(text)
  local list = scan.split(text)
  for i, item in ipairs(list) do
    list[i] = item:match("^'(.*)'$"):gsub("''", "'")
  end
  return list[1] and list or nil
end

local function read_deferrable(text, args)
  if text:find("DEFERRABLE", 1, true) and not text:find("NOT DEFERRABLE", 1, true) then
    args.deferrable = true
    args.initially = text:find("INITIALLY DEFERRED", 1, true) and "deferred" or nil
  end
end

local function read_referencing(text, args)
  local old = text:match("OLD TABLE AS (%S+)")
  local new = text:match("NEW TABLE AS (%S+)")
  if old or new then
    args.referencing = { old = old and scan.name(old, 1), new = new and scan.name(new, 1) }
  end
end

-- CREATE [CONSTRAINT] TRIGGER name timing events ON table … FOR EACH … WHEN (…)
--   EXECUTE FUNCTION …
local function args_of(object)
  local definition = object.definition
  local head = ("CREATE %sTRIGGER %s "):format(object.constraint and "CONSTRAINT " or "",
    quote.ident(object.name))
  if definition:sub(1, #head) ~= head then
    return nil
  end
  local args = { name = object.name, constraint = object.constraint }
  local rest = read_timing(definition:sub(#head + 1), args)
  local on, behind = scan.word(rest or "", "ON")
  if not on then
    return nil
  end
  read_events(rest:sub(1, on - 2), args)
  rest = rest:sub(behind + 1)
  local each, after_each = rest:match(" FOR EACH (%a+)()")
  local _, from = scan.word(rest, "FROM")
  args.from_table = from and (scan.dotted(rest, from + 1)) or nil
  read_deferrable(rest, args)
  read_referencing(rest, args)
  args.for_each = each:lower()
  local when = rest:match("^ WHEN ()", after_each)
  if when then
    local inside, after = scan.inside(rest, when)
    args.when, after_each = scan.bare(inside), after
  end
  local call = rest:match("^ EXECUTE FUNCTION ()", after_each)
  local name, at = scan.dotted(rest, call)
  args.execute, args.arguments = name, read_arguments((scan.inside(rest, at)))
  return args
end

local function creation(plan, object, is_replaced)
  local args = args_of(object)
  if args then
    args.table = names.parent(object.parent)
  end
  local record = records.faithful(args and records.new("create_trigger", args), object.definition,
    plan.context)
  if record.op == "create_trigger" then
    args.table = plan:parent_name(object)
    args.execute = plan:plain(args.execute)
    args.replace = is_replaced
    args.comment = not is_replaced and plan.options.comments ~= false and object.comment or nil
  elseif is_replaced then
    record = records.sql((object.definition:gsub("^CREATE ", "CREATE OR REPLACE ")))
  end
  return record, record.op == "create_trigger"
end

local modes = { replica = "REPLICA", always = "ALWAYS" }

-- The state of a trigger or rule after it was made or changed.
local function enable(plan, object, out)
  local parent = plan:parent_name(object)
  if object.kind == "trigger" and object.enabled == "disabled" then
    out[#out + 1] = records.new("disable_trigger", { name = object.name, table = parent })
  elseif object.kind == "trigger" then
    out[#out + 1] = records.new("enable_trigger", {
      name = object.name, table = parent, mode = object.enabled,
    })
  else
    local mode = modes[object.enabled]
    out[#out + 1] = records.sql("ALTER TABLE %s %s%s RULE %s", names.parent(object.parent),
      object.enabled == "disabled" and "DISABLE" or "ENABLE", mode and " " .. mode or "",
      quote.ident(object.name))
  end
end

local function claims(object)
  return { [object.kind .. " " .. object.name .. " of " .. object.parent] = true }
end

-- A copy on a partition is made by the trigger of the partitioned table.
local function is_copy(object)
  return object.part_of ~= nil
end

---Makes the node that creates a trigger or a rule.
function triggers.create(plan, identity, object)
  local list, has_comment = {}, false
  if object.kind == "rule" then
    list[1] = records.sql((object.definition:gsub(";%s*$", "")))
  elseif not is_copy(object) then
    list[1], has_comment = creation(plan, object)
  end
  if object.enabled then
    enable(plan, object, list)
  end
  annotations.create(plan, object, list, { comment = not has_comment })
  if list[1] then
    plan:node({
      when = "make", kind = object.kind, identity = identity, sort = object.parent,
      gives = { [identity] = true }, claims = claims(object), records = list,
      after = { plan.detached[object.parent] },
      needs = is_copy(object) and { [object.part_of] = true } or nil,
    })
  end
end

---Makes the node that drops a trigger or a rule.
function triggers.drop(plan, identity, object)
  if is_copy(object) then
    return
  end
  local set = plan:with_companions({ [identity] = true })
  local record = object.kind == "rule"
    and records.sql("DROP RULE %s", names.target(object))
    or records.new("drop_trigger", { name = object.name, table = plan:parent_name(object) })
  plan:node({
    when = "drop", kind = object.kind, identity = identity, sort = object.parent,
    takes = set, frees = set, vacates = claims(object), records = { record },
  })
end

---@return "replace"|"alter"
function triggers.compare(plan, before, after)
  local is_other = before.definition ~= after.definition
  if is_other and (before.constraint or after.constraint) then
    return "replace"
  elseif (before.part_of == nil) ~= (after.part_of == nil) then
    -- A copy comes and goes with the partition; else see spread.lua.
    local old, new = plan.a.objects[before.parent], plan.b.objects[after.parent]
    return old.partition_of ~= new.partition_of and "replace" or "alter"
  end
  return "alter"
end

---Makes the node that changes a trigger or a rule in place.
function triggers.alter(plan, identity, before, after)
  local out, is_other = {}, before.definition ~= after.definition
  if is_other and after.kind == "rule" then
    out[1] = records.sql((after.definition:gsub(";%s*$", "")
      :gsub("^CREATE ", "CREATE OR REPLACE ")))
  elseif is_other and not is_copy(after) then
    out[1] = creation(plan, after, true)
  end
  if before.enabled ~= after.enabled or (is_other and after.enabled) then
    enable(plan, after, out)
  end
  annotations.change(plan, before, after, out)
  if out[1] then
    plan:node({
      when = "change", kind = after.kind, identity = identity, sort = after.parent,
      gives = { [identity] = true }, frees = { [identity] = true }, records = out,
    })
  end
end

return triggers
