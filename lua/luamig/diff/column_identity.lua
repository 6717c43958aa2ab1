--- Identity columns and their sequences.

local annotations = require("luamig.diff.annotations")
local column_actions = require("luamig.diff.column_actions")
local names = require("luamig.diff.names")
local records = require("luamig.diff.records")
local sequences = require("luamig.diff.sequences")

local column_identity = {}

-- The fields of an identity's sequence that a script can say.
local sequence_fields = { "start", "increment", "min_value", "max_value", "cache", "cycle" }

---What op.column calls identity.
---@return string|table|nil
function column_identity.of(column)
  if not column.identity then
    return nil
  end
  local fields, count = { generated = column.identity }, 0
  for _, name in ipairs(sequence_fields) do
    fields[name] = column.sequence[name]
    count = count + (fields[name] ~= nil and 1 or 0)
  end
  return count > 0 and fields or column.identity
end

local sequence_words = {
  start = "START WITH %d", increment = "INCREMENT BY %d", min_value = "MINVALUE %d",
  max_value = "MAXVALUE %d", cache = "CACHE %d",
}

local sequence_defaults = { increment = "INCREMENT BY 1", cache = "CACHE 1" }
local sequence_none = { min_value = "NO MINVALUE", max_value = "NO MAXVALUE" }

-- The start that a sequence has when nothing is said.
local function default_start(sequence)
  local is_down = (sequence.increment or 1) < 0
  return is_down and (sequence.max_value or -1) or (sequence.min_value or 1)
end

local function sequence_change(name, after)
  if after[name] ~= nil then
    return sequence_words[name]:format(after[name])
  elseif name == "start" then
    return sequence_words.start:format(default_start(after))
  end
  return sequence_defaults[name] or sequence_none[name]
end

local function identity_text(before, after)
  local parts = {}
  if before.identity ~= after.identity then
    parts[1] = "SET GENERATED " .. after.identity:upper()
  end
  for _, name in ipairs({ "increment", "min_value", "max_value", "start", "cache" }) do
    if before.sequence[name] ~= after.sequence[name] then
      parts[#parts + 1] = "SET " .. sequence_change(name, after.sequence)
    end
  end
  if before.sequence.cycle ~= after.sequence.cycle then
    parts[#parts + 1] = after.sequence.cycle and "SET CYCLE" or "SET NO CYCLE"
  end
  return parts[1] and table.concat(parts, " ")
end

-- What is said of the sequence of an identity column beside its numbers.
local function add_sequence(plan, object, before, after, out)
  local function of(sequence)
    return {
      kind = "sequence", schema = object.schema, name = sequence.name, owner = object.owner,
      acl = sequence.acl, comment = sequence.comment, labels = sequence.labels,
    }
  end
  local old, new = of(before), of(after)
  if before.name ~= after.name then
    out[#out + 1] = records.new("rename_sequence", {
      name = plan:name(old), new_name = after.name,
    })
  end
  if plan:since(15)
    and (before.logged ~= after.logged or before.unlogged ~= after.unlogged) then
    local is_logged = after.logged or not (after.unlogged or object.unlogged)
    out[#out + 1] = records.sql("ALTER SEQUENCE %s SET %s", names.sql(new),
      is_logged and "LOGGED" or "UNLOGGED")
  end
  annotations.change(plan, old, new, out)
end

local function made_up_sequence(object, column)
  return names.made_up(object.name, column.name, "seq")
end

---What a new identity column gets without a word.
function column_identity.fresh_sequence(object, column)
  local fresh = { name = made_up_sequence(object, column) }
  for _, name in ipairs(sequence_fields) do
    fresh[name] = column.sequence[name]
  end
  return fresh
end

local function identity_change(object, before, after, text)
  local record = column_actions.raw(object, after, text)
  if sequences.is_narrowed(before.sequence, after.sequence) then
    local sequence = { schema = object.schema, name = before.sequence.name }
    return sequences.restart_unused(names.sql(sequence), record.args.sql)
  end
  return record
end

---Adds the records that make a column an identity, or change the one it is.
function column_identity.add(plan, object, before, after, out)
  if not before.identity and after.identity then
    out[#out + 1] = column_actions.alter(plan, object, after,
      { identity = column_identity.of(after) })
    add_sequence(plan, object, column_identity.fresh_sequence(object, after), after.sequence, out)
  elseif before.identity and after.identity then
    local text = identity_text(before, after)
    if text then
      out[#out + 1] = identity_change(object, before, after, text)
    end
    add_sequence(plan, object, before.sequence, after.sequence, out)
  end
end

return column_identity
