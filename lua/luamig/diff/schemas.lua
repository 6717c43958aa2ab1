--- Schemas and extensions.

local annotations = require("luamig.diff.annotations")
local records = require("luamig.diff.records")

local schemas = {}

local creation = {}

function creation.schema(plan, object)
  return records.new("create_schema", {
    name = object.name,
    comment = plan.options.comments ~= false and object.comment or nil,
  })
end

-- What the server would choose by itself need not be said.
local function available(plan, object)
  return (plan.options.available_extensions or {})[object.name] or {}
end

function creation.extension(plan, object)
  local known = available(plan, object)
  return records.new("create_extension", {
    name = object.name,
    schema = object.schema ~= plan.options.plain_schema and object.schema ~= known.schema
      and object.schema or nil,
    version = object.version ~= known.version and object.version or nil,
  })
end

---Makes the node that creates a schema or an extension.
function schemas.create(plan, identity, object)
  local list = { creation[object.kind](plan, object) }
  local is_schema = object.kind == "schema"
  local comes_with_comment = is_schema
    or object.comment and available(plan, object).comment == object.comment
  if is_schema then
    annotations.create(plan, object, list, { comment = false })
  elseif not comes_with_comment and object.comment and plan.options.comments ~= false then
    list[#list + 1] = annotations.comment(plan, object, object.comment)
  end
  plan:node({
    when = "make", kind = object.kind, identity = identity, gives = { [identity] = true },
    needs = not is_schema and { [plan.schema_identity(object.schema)] = true } or nil,
    records = list,
  })
end

---Makes the node that drops a schema or an extension.
function schemas.drop(plan, identity, object)
  local set = plan:with_companions({ [identity] = true })
  plan:node({
    when = "drop", kind = object.kind, identity = identity, takes = set, frees = set,
    records = { records.new("drop_" .. object.kind, { name = object.name }) },
  })
end

local function extension_changes(plan, before, after, out)
  local args = {
    version = before.version ~= after.version and after.version or nil,
    schema = before.schema ~= after.schema and after.schema or nil,
  }
  if next(args) then
    args.name = after.name
    out[1] = records.new("alter_extension", args)
  end
  if before.comment ~= after.comment and plan.options.comments ~= false then
    out[#out + 1] = annotations.comment(plan, after, after.comment)
  end
end

---Makes the node that changes a schema or an extension.
function schemas.alter(plan, identity, before, after)
  local out = {}
  if after.kind == "extension" then
    extension_changes(plan, before, after, out)
    if plan.options.owners ~= false and before.owner and after.owner
      and before.owner ~= after.owner then
      plan:cannot(identity, "its owner")
    end
  else
    annotations.change(plan, before, after, out)
  end
  if out[1] then
    plan:node({
      when = "change", kind = after.kind, identity = identity, gives = { [identity] = true },
      frees = { [identity] = true }, records = out,
    })
  end
end

---@return "alter"
function schemas.compare()
  return "alter"
end

return schemas
