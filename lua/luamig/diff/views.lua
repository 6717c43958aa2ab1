--- Views and materialized views.

local annotations = require("luamig.diff.annotations")
local column_changes = require("luamig.diff.column_changes")
local key_text = require("luamig.diff.key_text")
local names = require("luamig.diff.names")
local records = require("luamig.diff.records")
local table_settings = require("luamig.diff.table_settings")
local value = require("luamig.value")

local views = {}

-- The query without what the server puts around it.
local function query(object)
  return (object.definition:gsub("^%s+", ""):gsub(";%s*$", ""))
end

local function comment_of(plan, object)
  return plan.options.comments ~= false and object.comment or nil
end

local settings = { "security_invoker", "security_barrier", "check_option" }

local function setting(object, name)
  local text = (object.options or {})[name]
  if name == "check_option" or text == nil then
    return text
  end
  return text == "true" or text == "on"
end

local function creation(plan, object, is_replaced)
  local args = { name = plan:name(object), sql = query(object), replace = is_replaced }
  if object.kind == "materialized view" then
    args.materialized = true
    args.with = key_text.settings(table_settings.all_options(object))
    args.using, args.tablespace = object.access_method, object.tablespace
    args.with_data = records.false_if(object.not_populated)
  else
    for _, name in ipairs(settings) do
      args[name] = setting(object, name)
    end
  end
  args.comment = not is_replaced and comment_of(plan, object) or nil
  return records.new("create_view", args)
end

-- What is said of the columns of a view: comments, defaults, privileges, statistics.
local function column_words(plan, before, after, out)
  local old = {}
  for _, column in ipairs(before.columns) do
    old[column.name] = column
  end
  for _, column in ipairs(after.columns) do
    local was = old[column.name] or {}
    local base = {
      name = column.name, type = column.type, collation = column.collation,
      not_null = column.not_null, type_storage = column.type_storage or was.type_storage,
      default = was.default, comment = was.comment, acl = was.acl, labels = was.labels,
      statistics = was.statistics, options = was.options, storage = was.storage,
      compression = was.compression,
    }
    records.append(out, column_changes.records(plan, after, base, column))
  end
end

local function claims(object)
  local name = names.sql(object)
  return { ["relation " .. name] = true, ["type " .. name] = true }
end

---Makes the node that creates a view.
function views.create(plan, identity, object)
  local list = { creation(plan, object) }
  column_words(plan, { columns = {} }, object, list)
  annotations.create(plan, object, list, { comment = false })
  plan:node({
    when = "make", kind = object.kind, identity = identity, gives = { [identity] = true },
    claims = claims(object), known_as = object.name, records = list,
  })
  table_settings.settle(plan, identity, {}, object)
end

---Makes the node that drops a view.
function views.drop(plan, identity, object)
  local set = plan:with_companions({ [identity] = true })
  plan:node({
    when = "drop", kind = object.kind, identity = identity, takes = set, frees = set,
    vacates = claims(object),
    records = {
      records.new("drop_view", {
        name = plan:name(object),
        materialized = object.kind == "materialized view" or nil,
      }),
    },
  })
end

-- The view, and the columns that come with its new query: other views may wait for these.
local function new_self(plan, identity, before, after)
  local set = { [identity] = true }
  for i = #before.columns + 1, #after.columns do
    set[plan.column_identity(after, after.columns[i].name)] = true
  end
  return set
end

-- CREATE OR REPLACE keeps the columns that are there, and may add others behind them.
local function has_old_columns(before, after)
  for i, column in ipairs(before.columns) do
    local now = after.columns[i]
    if not now or now.name ~= column.name or now.type ~= column.type
      or now.collation ~= column.collation then
      return false
    end
  end
  return true
end

---@return "replace"|"alter"
function views.compare(plan, before, after)
  if after.kind == "materialized view" then
    local is_same = before.definition == after.definition
      and (before.access_method == after.access_method or plan:since(15))
    return is_same and "alter" or "replace"
  end
  return has_old_columns(before, after) and "alter" or "replace"
end

local function view_settings(plan, before, after, out)
  local args = {}
  for _, name in ipairs(settings) do
    local was, is = setting(before, name), setting(after, name)
    if was ~= is then
      args[name] = is
      if is == nil then
        args[name] = value.none
      end
    end
  end
  if next(args) then
    args.name = plan:name(after)
    out[#out + 1] = records.new("alter_view_set", args)
  end
end

local function materialized_settings(plan, before, after, out)
  local set, reset = records.options(table_settings.all_options(before),
    table_settings.all_options(after))
  for _, text in ipairs({ set or false, reset or false }) do
    if text then
      out[#out + 1] = records.sql("ALTER MATERIALIZED VIEW %s %s", names.sql(after), text)
    end
  end
  if before.tablespace ~= after.tablespace then
    out[#out + 1] = records.new("alter_view_set", {
      name = plan:name(after), materialized = true,
      tablespace = after.tablespace or "pg_default",
    })
  end
  if before.access_method ~= after.access_method then
    out[#out + 1] = records.sql("ALTER MATERIALIZED VIEW %s SET ACCESS METHOD %s",
      names.sql(after), after.access_method or "heap")
  end
  if before.not_populated ~= after.not_populated then
    out[#out + 1] = records.new("refresh_view", {
      name = plan:name(after), with_data = records.false_if(after.not_populated),
    })
  end
end

---Makes the node that changes a view in place.
function views.alter(plan, identity, before, after)
  local out = {}
  if after.kind == "materialized view" then
    materialized_settings(plan, before, after, out)
  elseif before.definition ~= after.definition then
    out[1] = creation(plan, after, true)
  else
    view_settings(plan, before, after, out)
  end
  column_words(plan, before, after, out)
  annotations.change(plan, before, after, out)
  if out[1] then
    plan:node({
      when = "change", kind = after.kind, identity = identity, records = out,
      gives = new_self(plan, identity, before, after), frees = { [identity] = true },
      known_as = after.name,
    })
  end
  table_settings.settle(plan, identity, before, after)
end

return views
