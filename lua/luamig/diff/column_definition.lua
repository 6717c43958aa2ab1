--- Columns as op.column makes them, and what that leaves to be said.

local annotations = require("luamig.diff.annotations")
local column_changes = require("luamig.diff.column_changes")
local column_identity = require("luamig.diff.column_identity")
local names = require("luamig.diff.names")
local scan = require("luamig.diff.scan")
local value = require("luamig.value")

local column_definition = {}

local function copy(column)
  local out = {}
  for name, field in pairs(column) do
    out[name] = field
  end
  return out
end

local serial_types = { smallint = "smallserial", integer = "serial", bigint = "bigserial" }

local plain_sequence_fields = {
  "start", "increment", "min_value", "max_value", "cache", "cycle",
}

local function is_made_by_serial(plan, object, column, sequence)
  for _, field in ipairs(plain_sequence_fields) do
    if sequence[field] ~= nil then
      return false
    end
  end
  return sequence.schema == object.schema and sequence.type == column.type
    and sequence.name == names.made_up(object.name, column.name, "seq")
    and (not plan:since(15) or sequence.unlogged == object.unlogged)
end

---The sequence that the type serial would make, when the column has just that one.
---@return string|nil identity
function column_definition.serial_of(plan, object, column)
  local sequence = column.serial and plan.b.objects[column.serial]
  local is_wanted = sequence and plan.fate[column.serial] == "create"
    and column.not_null and not column.not_null_name
  return is_wanted and is_made_by_serial(plan, object, column, sequence) and column.serial or nil
end

local function generated_of(column)
  if column.generated == "virtual" then
    return { sql = scan.bare(column.expression), virtual = true }
  end
  return column.generated and scan.bare(column.expression) or nil
end

-- Columns that cannot be NULL anyway need not say so.
local function nullable_of(column, serial)
  if column.not_null and not column.identity and not serial then
    return false
  end
  return nil
end

---A column as op.column makes it.
---@return table column  for op.create_table and op.add_column
---@return table fresh   the column of a snapshot that it becomes
---@return string|nil serial  identity of the sequence that comes with it
function column_definition.new(plan, object, column)
  local serial = column_definition.serial_of(plan, object, column)
  local default
  if not serial then
    default = column_changes.default(plan, column)
  end
  local fresh = copy(column)
  fresh.statistics, fresh.options, fresh.fdw_options, fresh.acl = nil, nil, nil, nil
  fresh.labels, fresh.not_null_name, fresh.not_null_no_inherit = nil, nil, nil
  fresh.not_null_not_valid, fresh.not_null_comment = nil, nil
  if column.identity then
    fresh.sequence = column_identity.fresh_sequence(object, column)
  end
  local comment = plan.options.comments ~= false and column.comment or nil
  fresh.comment = comment
  return value.new("column", {
    name = column.name,
    type = serial and serial_types[column.type] or plan:type(column.type),
    nullable = nullable_of(column, serial),
    default = default,
    identity = column_identity.of(column),
    generated = generated_of(column),
    collation = names.unquoted(column.collation),
    storage = column.storage,
    compression = column.compression,
    comment = comment,
  }), fresh, serial
end

---Owner, privileges and comment of a sequence that came with its column.
function column_definition.add_serial(plan, object, serial, out)
  local sequence = serial and plan.b.objects[serial]
  if sequence then
    local fresh = {
      kind = "sequence", schema = sequence.schema, name = sequence.name, owner = object.owner,
    }
    annotations.change(plan, fresh, sequence, out)
  end
end

return column_definition
