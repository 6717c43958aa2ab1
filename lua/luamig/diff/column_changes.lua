--- The records that lead from one column of a table to another.

local annotations = require("luamig.diff.annotations")
local conversion = require("luamig.diff.conversion")
local expression = require("luamig.diff.expression")
local names = require("luamig.diff.names")
local privileges = require("luamig.diff.privileges")
local quote = require("luamig.quote")
local records = require("luamig.diff.records")
local sequences = require("luamig.diff.sequences")
local value = require("luamig.value")

local column_changes = {}

-- The fields of an identity's sequence that a script can say.
local sequence_fields = { "start", "increment", "min_value", "max_value", "cache", "cycle" }

local function is_enum(plan, type_name)
  return plan.b.objects["enum " .. type_name] ~= nil
    or plan.a.objects["enum " .. type_name] ~= nil
end

---A default as op.column takes it.
function column_changes.default(plan, column)
  if column.default == nil then
    return nil
  end
  return expression.default(column.default, column.type, is_enum(plan, column.type))
end

---What op.column calls identity.
---@return string|table|nil
function column_changes.identity(column)
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

local function alter(plan, object, column, args)
  args.table, args.column = plan:name(object), column.name
  return records.new("alter_column", args)
end

local function action(object, column, text)
  return records.sql("ALTER %s %s ALTER COLUMN %s %s",
    object.kind == "foreign table" and "FOREIGN TABLE" or "TABLE", names.sql(object),
    quote.ident(column.name), text)
end

-- The options that go into one op.alter_column.
local set = {}

function set.type(plan, before, after, args)
  local is_forced = before.is_remade
  if before.type == after.type and before.collation == after.collation and not is_forced then
    return
  end
  args.type = names.type(after.type)
  args.collation = names.unquoted(after.collation)
  if is_forced == "type" then
    args.using = ("%s::text::%s"):format(quote.ident(after.name), after.type)
  else
    args.using = conversion.using(plan, after.name, before.type, after.type)
  end
  if before.default and not before.generated then
    args.default = records.or_none(column_changes.default(plan, after))
  end
end

function set.default(plan, before, after, args)
  if before.default ~= after.default and args.default == nil then
    args.default = records.or_none(column_changes.default(plan, after))
  end
end

function set.generated(_, before, after, args)
  if before.generated and not after.generated then
    args.generated = value.none
  elseif before.expression ~= after.expression then
    args.generated = value.sql(after.expression)
  end
end

local function has_plain_not_null(column)
  return column.not_null and not column.not_null_name and not column.not_null_no_inherit
    and not column.not_null_not_valid
end

function set.nullable(_, before, after, args)
  if before.not_null and not after.not_null then
    args.nullable = true
  elseif not before.not_null and has_plain_not_null(after) then
    args.nullable = false
  end
end

function set.statistics(_, before, after, args)
  if before.statistics ~= after.statistics then
    args.statistics = after.statistics or -1
  end
end

function set.storage(_, before, after, args)
  local was = args.type == nil and before.storage or nil
  if was ~= after.storage then
    args.storage = after.storage or before.type_storage
  end
end

function set.compression(_, before, after, args)
  local was = args.type == nil and before.compression or nil
  if was ~= after.compression then
    args.compression = after.compression or "default"
  end
end

function set.comment(plan, before, after, args)
  if before.comment ~= after.comment and plan.options.comments ~= false then
    args.comment = after.comment or value.none
  end
end

local set_order = {
  "type", "default", "generated", "nullable", "statistics", "storage", "compression", "comment",
}

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
function column_changes.fresh_sequence(object, column)
  local fresh = { name = made_up_sequence(object, column) }
  for _, name in ipairs(sequence_fields) do
    fresh[name] = column.sequence[name]
  end
  return fresh
end

local function identity_change(object, before, after, text)
  local record = action(object, after, text)
  if sequences.is_narrowed(before.sequence, after.sequence) then
    local sequence = { schema = object.schema, name = before.sequence.name }
    return sequences.restart_unused(names.sql(sequence), record.args.sql)
  end
  return record
end

local function add_identity(plan, object, before, after, out)
  if not before.identity and after.identity then
    out[#out + 1] = alter(plan, object, after, { identity = column_changes.identity(after) })
    add_sequence(plan, object, column_changes.fresh_sequence(object, after), after.sequence, out)
  elseif before.identity and after.identity then
    local text = identity_text(before, after)
    if text then
      out[#out + 1] = identity_change(object, before, after, text)
    end
    add_sequence(plan, object, before.sequence, after.sequence, out)
  end
end

---The name of a NOT NULL (PostgreSQL 18).
function column_changes.not_null_name(object, column)
  return column.not_null_name or names.made_up(object.name, column.name, "not_null")
end

local function add_not_null(plan, object, column, out)
  out[#out + 1] = records.new("create_not_null_constraint", {
    name = column_changes.not_null_name(object, column),
    table = plan:name(object),
    column = column.name,
    no_inherit = column.not_null_no_inherit,
    not_valid = column.not_null_not_valid,
    comment = column.not_null_comment,
  })
end

-- PostgreSQL 18: NOT NULL has a name, and more.
local function change_not_null(plan, object, before, after, out)
  local old, new = column_changes.not_null_name(object, before),
    column_changes.not_null_name(object, after)
  local is_other = before.not_null_no_inherit ~= after.not_null_no_inherit
    or after.not_null_not_valid and not before.not_null_not_valid
  if is_other then
    out[#out + 1] = alter(plan, object, after, { nullable = true })
    add_not_null(plan, object, after, out)
    return
  end
  if old ~= new then
    out[#out + 1] = records.new("rename_constraint", {
      name = old, table = plan:name(object), new_name = new,
    })
  end
  if before.not_null_not_valid and not after.not_null_not_valid then
    out[#out + 1] = records.new("validate_constraint", { name = new, table = plan:name(object) })
  end
  if before.not_null_comment ~= after.not_null_comment then
    out[#out + 1] = records.new("set_comment", {
      kind = "constraint", name = new, on = plan:name(object),
      text = after.not_null_comment or value.none,
    })
  end
end

local function add_not_nulls(plan, object, before, after, out)
  if not plan:since(18) or not after.not_null then
    return
  elseif before.not_null then
    change_not_null(plan, object, before, after, out)
  elseif not has_plain_not_null(after) then
    add_not_null(plan, object, after, out)
  elseif after.not_null_comment then
    out[#out + 1] = records.new("set_comment", {
      kind = "constraint", name = column_changes.not_null_name(object, after), on = plan:name(object),
      text = after.not_null_comment,
    })
  end
end

local function add_options(object, before, after, out)
  local set_text, reset_text = records.options(before.options, after.options)
  for _, text in ipairs({ set_text or false, reset_text or false }) do
    if text then
      out[#out + 1] = action(object, after, text)
    end
  end
  local foreign = records.foreign_option_changes(before.fdw_options, after.fdw_options)
  if foreign then
    out[#out + 1] = action(object, after, foreign)
  end
end

local function add_words(plan, object, before, after, out)
  records.append(out, privileges.change(plan, {
    kind = "column", name = plan:name(object), columns = { after.name }, owner = object.owner,
  }, before.acl, after.acl))
  annotations.labels(plan, ("COLUMN %s.%s"):format(names.sql(object), quote.ident(after.name)),
    before.labels, after.labels, out)
end

---The records that change a column in place.
---@param object table  the table, as it shall be
---@param before table  the column as it is; is_remade: what of it was put aside and made anew,
---  "type" or "collation"
---@param after table
---@return table[] records
function column_changes.records(plan, object, before, after)
  local out, args = {}, {}
  if before.identity and not after.identity then
    out[1] = alter(plan, object, after, { identity = value.none })
  end
  for _, name in ipairs(set_order) do
    set[name](plan, before, after, args)
  end
  if next(args) then
    out[#out + 1] = alter(plan, object, after, args)
  end
  add_not_nulls(plan, object, before, after, out)
  add_identity(plan, object, before, after, out)
  add_options(object, before, after, out)
  add_words(plan, object, before, after, out)
  return out
end

---The record by which a column lets go of what its default or expression uses.
function column_changes.let_go(plan, object, column)
  if column.identity then
    return alter(plan, object, column, { identity = value.none })
  elseif column.generated then
    return alter(plan, object, column, {
      generated = value.sql(("NULL::%s"):format(column.type)),
    })
  end
  return alter(plan, object, column, { default = value.none })
end

return column_changes
