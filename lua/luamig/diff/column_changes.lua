--- The records that lead from one column of a table to another.

local annotations = require("luamig.diff.annotations")
local column_actions = require("luamig.diff.column_actions")
local column_identity = require("luamig.diff.column_identity")
local conversion = require("luamig.diff.conversion")
local expression = require("luamig.diff.expression")
local names = require("luamig.diff.names")
local not_null = require("luamig.diff.not_null")
local privileges = require("luamig.diff.privileges")
local quote = require("luamig.quote")
local records = require("luamig.diff.records")
local scan = require("luamig.diff.scan")
local value = require("luamig.value")

local column_changes = {}

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

-- The options that go into one op.alter_column.
local set = {}

function set.type(plan, before, after, args)
  local is_forced = before.is_remade
  if before.type == after.type and before.collation == after.collation and not is_forced then
    return
  end
  args.type = plan:type(after.type)
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
    args.generated = value.sql(scan.bare(after.expression))
  end
end


function set.nullable(_, before, after, args)
  if before.not_null and not after.not_null then
    args.nullable = true
  elseif not before.not_null and not_null.is_plain(after) then
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

local function add_options(object, before, after, out)
  local set_text, reset_text = records.options(before.options, after.options)
  for _, text in ipairs({ set_text or false, reset_text or false }) do
    if text then
      out[#out + 1] = column_actions.raw(object, after, text)
    end
  end
  local foreign = records.foreign_option_changes(before.fdw_options, after.fdw_options)
  if foreign then
    out[#out + 1] = column_actions.raw(object, after, foreign)
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
    out[1] = column_actions.alter(plan, object, after, { identity = value.none })
  end
  for _, name in ipairs(set_order) do
    set[name](plan, before, after, args)
  end
  if next(args) then
    out[#out + 1] = column_actions.alter(plan, object, after, args)
  end
  not_null.add(plan, object, before, after, out)
  column_identity.add(plan, object, before, after, out)
  add_options(object, before, after, out)
  add_words(plan, object, before, after, out)
  return out
end

---The record by which a column lets go of what its default or expression uses.
function column_changes.let_go(plan, object, column)
  if column.identity then
    return column_actions.alter(plan, object, column, { identity = value.none })
  elseif column.generated then
    return column_actions.alter(plan, object, column, {
      generated = value.sql(("NULL::%s"):format(column.type)),
    })
  end
  return column_actions.alter(plan, object, column, { default = value.none })
end

return column_changes
