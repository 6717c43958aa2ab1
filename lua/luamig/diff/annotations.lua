--- What objects of every kind may have: owner, privileges, comment, security labels, extensions
-- they depend on.

local names = require("luamig.diff.names")
local privileges = require("luamig.diff.privileges")
local quote = require("luamig.quote")
local records = require("luamig.diff.records")
local role = require("luamig.role")
local value = require("luamig.value")

local annotations = {}

local is_type = {
  enum = true, composite = true, range = true, ["base type"] = true, ["shell type"] = true,
}

local with_schema_op = {
  table = "alter_table_set", sequence = "alter_sequence", view = "alter_view_set",
  ["materialized view"] = "alter_view_set", statistics = "alter_statistics",
  domain = "alter_type_set", enum = "alter_type_set", composite = "alter_type_set",
  range = "alter_type_set",
}

local routines = { ["function"] = true, procedure = true }

local function owner_record(plan, object, owner)
  local op = with_schema_op[object.kind]
  if op then
    return records.new(op, {
      name = plan:name(object),
      owner = owner,
      materialized = object.kind == "materialized view" or nil,
    })
  elseif routines[object.kind] then
    return records.new("alter_function_set", {
      name = plan:name(object),
      arguments = names.arguments(object),
      kind = object.kind == "procedure" and "procedure" or nil,
      owner = owner,
    })
  elseif object.kind == "schema" then
    return records.new("alter_schema_set", { name = object.name, owner = owner })
  elseif object.kind == "publication" then
    return records.new("alter_publication", { name = object.name, owner = owner })
  end
  return records.sql("ALTER %s %s OWNER TO %s", names.noun(object.kind), names.target(object),
    role.ident(owner))
end

local comment_kinds = { ["function"] = true, procedure = true }

local function comment_args(plan, object)
  local parent, parent_kind
  if object.parent and object.kind ~= "index" then
    parent_kind = select(2, names.parent(object.parent))
    parent = plan:parent_name(object)
  end
  if parent then
    local is_domain = parent_kind == "domain"
    return {
      kind = is_domain and "domain constraint" or object.kind,
      name = object.name,
      on = parent,
    }
  end
  return {
    kind = is_type[object.kind] and "type" or object.kind,
    name = plan:name(object),
    arguments = comment_kinds[object.kind] and names.arguments(object) or nil,
    using = object.kind:find("^operator ") and object.method or nil,
  }
end

-- Kinds whose names op.set_comment takes in another form.
local raw_comment = { cast = true, transform = true, operator = true, aggregate = true }

---The record that sets a comment; nil takes it away.
---@param text string|nil
function annotations.comment(plan, object, text)
  if raw_comment[object.kind] then
    return records.sql("COMMENT ON %s %s IS %s", names.noun(object.kind),
      names.target(object), text and quote.string(text) or "NULL")
  end
  local args = comment_args(plan, object)
  args.text = text or value.none
  return records.new("set_comment", args)
end

local function sorted_keys(...)
  local seen, keys = {}, {}
  for _, map in ipairs({ ... }) do
    for key in pairs(map) do
      if not seen[key] then
        seen[key] = true
        keys[#keys + 1] = key
      end
    end
  end
  table.sort(keys)
  return keys
end

---The statements that lead from one set of security labels to another.
---@param target string  "TABLE app.t", "COLUMN app.t.c"
function annotations.labels(plan, target, before, after, out)
  if plan.options.labels == false then
    return
  end
  before, after = before or {}, after or {}
  for _, provider in ipairs(sorted_keys(before, after)) do
    if before[provider] ~= after[provider] then
      out[#out + 1] = records.sql("SECURITY LABEL FOR %s ON %s IS %s", quote.ident(provider),
        target, after[provider] and quote.string(after[provider]) or "NULL")
    end
  end
end

-- In an enum the numbered items of the list are its values.
local function labels_of(object)
  local labels = {}
  for provider, text in pairs(object and object.labels or {}) do
    if type(provider) == "string" then
      labels[provider] = text
    end
  end
  return labels
end

local function has(list, wanted)
  for _, item in ipairs(list or {}) do
    if item == wanted then
      return true
    end
  end
  return false
end

---`DEPENDS ON EXTENSION` for what differs.
function annotations.extensions(object, before, after, out)
  local target = names.noun(object.kind) .. " " .. names.target(object)
  for _, identity in ipairs(before or {}) do
    if not has(after, identity) then
      out[#out + 1] = records.sql("ALTER %s NO DEPENDS ON %s", target,
        (identity:gsub("^extension", "EXTENSION")))
    end
  end
  for _, identity in ipairs(after or {}) do
    if not has(before, identity) then
      out[#out + 1] = records.sql("ALTER %s DEPENDS ON %s", target,
        (identity:gsub("^extension", "EXTENSION")))
    end
  end
end

local grant_kinds = {
  table = "table", view = "table", ["materialized view"] = "table", ["foreign table"] = "table",
  sequence = "sequence", ["function"] = "function", aggregate = "function",
  procedure = "procedure", enum = "type", composite = "type", range = "type",
  ["base type"] = "type", domain = "domain", schema = "schema", language = "language",
  server = "foreign server", ["foreign data wrapper"] = "foreign data wrapper",
}

---How op.grant calls an object; nil when it has no privileges.
---@return luamig.diff.Privileged|nil
function annotations.privileged(plan, object)
  local kind = grant_kinds[object.kind]
  return kind and {
    kind = kind,
    name = plan:name(object),
    arguments = object.signature and names.arguments(object) or nil,
    owner = object.owner,
  }
end

local function is_owner_new(plan, before, after)
  return plan.options.owners ~= false and after.owner ~= nil
    and (before and before.owner or plan.options.role) ~= after.owner
end

---Owner and privileges of a new object.
function annotations.belong(plan, object, out)
  if is_owner_new(plan, nil, object) then
    out[#out + 1] = owner_record(plan, object, object.owner)
  end
  local what = annotations.privileged(plan, object)
  if what then
    records.append(out, privileges.create(plan, what, object.acl, object.schema))
  end
end

---Everything that the making of an object did not give it.
---@param options? { comment?: boolean }  false: the comment came with the making
function annotations.create(plan, object, out, options)
  annotations.belong(plan, object, out)
  local has_comment = object.comment and plan.options.comments ~= false
  if has_comment and not (options and options.comment == false) then
    out[#out + 1] = annotations.comment(plan, object, object.comment)
  end
  annotations.labels(plan, names.noun(object.kind) .. " " .. names.target(object), nil,
    labels_of(object), out)
  annotations.extensions(object, nil, object.extensions, out)
end

---What differs between two objects of one identity.
function annotations.change(plan, before, after, out)
  if before.owner and is_owner_new(plan, before, after) then
    out[#out + 1] = owner_record(plan, after, after.owner)
  end
  local what = annotations.privileged(plan, after)
  if what then
    records.append(out, privileges.change(plan, what, before.acl, after.acl))
  end
  if before.comment ~= after.comment and plan.options.comments ~= false then
    out[#out + 1] = annotations.comment(plan, after, after.comment)
  end
  annotations.labels(plan, names.noun(after.kind) .. " " .. names.target(after),
    labels_of(before), labels_of(after), out)
  annotations.extensions(after, before.extensions, after.extensions, out)
end

return annotations
