--- Sequences that are objects of their own.

local annotations = require("luamig.diff.annotations")
local names = require("luamig.diff.names")
local records = require("luamig.diff.records")
local value = require("luamig.value")

local sequences = {}

local fields = { "start", "increment", "min_value", "max_value", "cache", "cycle" }

local function claims(object)
  return { ["relation " .. names.sql(object)] = true }
end

-- "schema.table.column"; the identity has it in SQL's quotes, which the operation understands.
local function owner_name(plan, owned_by)
  return plan:plain(names.behind(owned_by, "column"))
end

-- Ownership ties the sequence to a column that may need it for its default: it comes last.
local function link(plan, identity, object, after)
  plan:node({
    when = "change", kind = "index", identity = identity, after = { after },
    needs = { [object.owned_by] = true, [identity] = true },
    records = {
      records.new("alter_sequence", {
        name = plan:name(object), owned_by = owner_name(plan, object.owned_by),
      }),
    },
  })
end

---Makes the nodes that create a sequence, unless a column brings it.
function sequences.create(plan, identity, object)
  if plan.absorbed[identity] then
    return
  end
  local args = {
    name = plan:name(object),
    type = object.type ~= "bigint" and object.type or nil,
    unlogged = object.unlogged,
    comment = plan.options.comments ~= false and object.comment or nil,
  }
  for _, field in ipairs(fields) do
    args[field] = object[field]
  end
  local list = { records.new("create_sequence", args) }
  annotations.create(plan, object, list, { comment = false })
  local node = plan:node({
    when = "make", kind = "sequence", identity = identity, gives = { [identity] = true },
    skips = object.owned_by and { [object.owned_by] = true } or nil,
    claims = claims(object), known_as = object.name, records = list,
  })
  if object.owned_by then
    link(plan, identity, object, node)
  end
end

---Makes the node that drops a sequence.
function sequences.drop(plan, identity, object)
  local set = plan:with_companions({ [identity] = true })
  plan:node({
    when = "drop", kind = "sequence", identity = identity, takes = set, frees = set,
    vacates = claims(object),
    records = { records.new("drop_sequence", { name = plan:name(object) }) },
  })
end

-- Bounds that were not said are the type's own, so that a new type asks for them anew.
local function changes(before, after)
  local args, is_down = {}, (after.increment or 1) < 0
  if before.type ~= after.type then
    args.type = after.type
  end
  local unsaid = {
    increment = 1, cache = 1, cycle = false, min_value = value.none, max_value = value.none,
    start = is_down and (after.max_value or -1) or (after.min_value or 1),
  }
  for _, field in ipairs(fields) do
    if before[field] ~= after[field] then
      args[field] = after[field]
      if args[field] == nil then
        args[field] = unsaid[field]
      end
    end
  end
  if before.unlogged ~= after.unlogged then
    args.logged = not after.unlogged
  end
  return args
end

-- The first value of a sequence.
local function start_of(sequence)
  if sequence.start then
    return sequence.start
  end
  local is_down = (sequence.increment or 1) < 0
  return is_down and (sequence.max_value or -1) or (sequence.min_value or 1)
end

---Whether a sequence that nobody has used yet would stand outside its new bounds.
function sequences.is_narrowed(before, after)
  local start, is_down = start_of(before), (after.increment or 1) < 0
  local low = after.min_value or is_down and math.mininteger or 1
  local high = after.max_value or is_down and -1 or math.maxinteger
  return start < low or start > high
end

---The change of a sequence, which starts anew when nobody has used it yet.
---@param name string  of the sequence, as SQL has it
---@param text string  ALTER …
---@return table record
function sequences.restart_unused(name, text)
  return records.sql(([[
DO $$
BEGIN
  IF (SELECT is_called FROM NAME) THEN
    ALTERED;
  ELSE
    ALTERED RESTARTED;
  END IF;
END $$]]):gsub("%u%u%u%u+", {
    NAME = name, ALTERED = text, RESTARTED = "RESTART",
  }))
end

---Makes the nodes that change a sequence.
function sequences.alter(plan, identity, before, after)
  local out = {}
  local args = changes(before, after)
  local is_moved = before.owned_by ~= after.owned_by
  if is_moved and not after.owned_by then
    args.owned_by = value.none
  end
  if next(args) then
    args.name = plan:name(after)
    local record = records.new("alter_sequence", args)
    out[1] = sequences.is_narrowed(before, after)
      and sequences.restart_unused(names.sql(after),
        records.statements(record, plan.context)[1].sql) or record
  end
  annotations.change(plan, before, after, out)
  local node
  if out[1] then
    node = plan:node({
      when = "change", kind = "sequence", identity = identity, records = out,
      gives = { [identity] = true }, frees = { [identity] = true },
      skips = after.owned_by and { [after.owned_by] = true } or nil,
    })
  end
  if is_moved and after.owned_by then
    link(plan, identity, after, node)
  end
end

---What is said of a sequence beside its numbers.
function sequences.words(plan, before, after, out)
  annotations.change(plan, before, after, out)
end

---@return "alter"
function sequences.compare()
  return "alter"
end

return sequences
