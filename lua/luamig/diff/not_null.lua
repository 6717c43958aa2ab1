--- NOT NULL from PostgreSQL 18 on: it has a name, may be not valid, and may be for this table only.

local column_actions = require("luamig.diff.column_actions")
local names = require("luamig.diff.names")
local records = require("luamig.diff.records")
local value = require("luamig.value")

local not_null = {}

---Whether a column is NOT NULL and there is nothing more to say of it.
function not_null.is_plain(column)
  return column.not_null and not column.not_null_name and not column.not_null_no_inherit
    and not column.not_null_not_valid
end

---The name of a NOT NULL (PostgreSQL 18).
function not_null.name(object, column)
  return column.not_null_name or names.made_up(object.name, column.name, "not_null")
end

local function create(plan, object, column, out)
  out[#out + 1] = records.new("create_not_null_constraint", {
    name = not_null.name(object, column),
    table = plan:name(object),
    column = column.name,
    no_inherit = column.not_null_no_inherit,
    not_valid = column.not_null_not_valid,
    comment = column.not_null_comment,
  })
end

-- PostgreSQL 18: NOT NULL has a name, and more.
local function change_not_null(plan, object, before, after, out)
  local old, new = not_null.name(object, before),
    not_null.name(object, after)
  local is_other = before.not_null_no_inherit ~= after.not_null_no_inherit
    or after.not_null_not_valid and not before.not_null_not_valid
  if is_other then
    out[#out + 1] = column_actions.alter(plan, object, after, { nullable = true })
    create(plan, object, after, out)
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

---Adds the records for what NOT NULL has beside itself.
function not_null.add(plan, object, before, after, out)
  if not plan:since(18) or not after.not_null then
    return
  elseif before.not_null then
    change_not_null(plan, object, before, after, out)
  elseif not not_null.is_plain(after) then
    create(plan, object, after, out)
  elseif after.not_null_comment then
    out[#out + 1] = records.new("set_comment", {
      kind = "constraint", name = not_null.name(object, after), on = plan:name(object),
      text = after.not_null_comment,
    })
  end
end

return not_null
