--- What a table is beside its columns: storage, parents, row security, replica identity, words.

local annotations = require("luamig.diff.annotations")
local key_text = require("luamig.diff.key_text")
local names = require("luamig.diff.names")
local quote = require("luamig.quote")
local records = require("luamig.diff.records")
local value = require("luamig.value")

local table_settings = {}

---The storage parameters of a table and those of its TOAST table, in one map.
---@return table<string, string>|nil
function table_settings.all_options(object)
  local out = {}
  for name, text in pairs(object.options or {}) do
    out[name] = text
  end
  for name, text in pairs(object.toast_options or {}) do
    out["toast." .. name] = text
  end
  return next(out) and out or nil
end

local function option_changes(before, after)
  local old = table_settings.all_options(before) or {}
  local new = table_settings.all_options(after) or {}
  local out = {}
  for name, text in pairs(new) do
    if old[name] ~= text then
      out[name] = key_text.settings({ x = text }).x
    end
  end
  for name in pairs(old) do
    if new[name] == nil then
      out[name] = value.none
    end
  end
  return next(out) and out or nil
end

local function alter_table(object, text)
  return records.sql("ALTER %s %s %s", names.noun(object.kind), names.sql(object), text)
end

-- Returns whether that takes care of what is forced, too.
local function switch_row_security(plan, before, after, out)
  local was_forced, is_forced = before.force_row_security, after.force_row_security
  local name = plan:name(after)
  if after.row_security then
    out[#out + 1] = records.new("enable_row_security", {
      table = name, force = is_forced or records.false_if(was_forced),
    })
    return true
  end
  out[#out + 1] = records.new("disable_row_security", {
    table = name, force = was_forced and not is_forced or nil,
  })
  return not is_forced
end

local function row_security(plan, before, after, out)
  local is_settled = before.row_security ~= after.row_security
    and switch_row_security(plan, before, after, out)
  if not is_settled and before.force_row_security ~= after.force_row_security then
    out[#out + 1] = alter_table(after,
      (after.force_row_security and "FORCE" or "NO FORCE") .. " ROW LEVEL SECURITY")
  end
end

local function foreign_options(before, after, out)
  local text = records.foreign_option_changes(before.fdw_options, after.fdw_options)
  if text then
    out[#out + 1] = alter_table(after, text)
  end
end

local function storage(plan, identity, before, after, out)
  local args = { with = option_changes(before, after) }
  if before.unlogged ~= after.unlogged then
    args.logged = not after.unlogged
  end
  if before.tablespace ~= after.tablespace then
    args.tablespace = after.tablespace or "pg_default"
  end
  if before.access_method ~= after.access_method then
    if plan:since(15) and not after.partition_by then
      args.access_method = after.access_method or "heap"
    else
      plan:cannot(identity, "its access method")
    end
  end
  if next(args) then
    args.name = plan:name(after)
    out[#out + 1] = records.new("alter_table_set", args)
  end
end

---Everything of a new table that CREATE TABLE does not say.
function table_settings.create(plan, object, out)
  row_security(plan, {}, object, out)
end

-- The index that a name of replica_identity or clustered_on means, in the new snapshot.
local function index_of(plan, identity, object, name)
  local index = "index " .. names.sql({ schema = object.schema, name = name })
  if plan.b.objects[index] then
    return index
  end
  return ("constraint %s on %s"):format(quote.ident(name), (names.parent(identity)))
end

local words = { full = true, nothing = true }

-- Needs an index, so that it comes when the indexes are there; one made anew has lost it.
local function changes_with_index(plan, identity, before, after, field)
  local now = after[field]
  local is_index = now and not words[now]
  local index = is_index and index_of(plan, identity, after, now) or nil
  return before[field] ~= now or (index ~= nil and plan:is_made(index)), index
end

---Makes the node for what needs the indexes of the table.
function table_settings.settle(plan, identity, before, after)
  local args, needs = {}, { [identity] = true }
  local function add(field, set)
    local is_changed, index = changes_with_index(plan, identity, before, after, field)
    if is_changed then
      set(index)
      needs[index or identity] = true
    end
  end
  add("replica_identity", function(index)
    args.replica_identity = index and { index = after.replica_identity }
      or after.replica_identity or "default"
  end)
  add("clustered_on", function()
    args.cluster_on = after.clustered_on or value.none
  end)
  if not next(args) then
    return
  end
  args.name = plan:name(after)
  plan:node({
    when = "change", kind = "statistics", identity = identity, needs = needs,
    follows = { [identity] = true },
    records = {
      after.kind == "table" and records.new("alter_table_set", args)
        or alter_table(after, args.cluster_on == value.none and "SET WITHOUT CLUSTER"
          or "CLUSTER ON " .. quote.ident(after.clustered_on)),
    },
  })
end

local function set_of(list)
  local set = {}
  for _, item in ipairs(list or {}) do
    set[item] = true
  end
  return set
end

local function inherit(plan, identity, field, parent, node)
  node.kind, node.identity, node.when = "table", identity, "change"
  node.records = {
    records.new("alter_table_set", {
      name = plan:name_of(identity), [field] = plan:name_of(parent),
    }),
  }
  return plan:node(node)
end

-- Parents that go are left before anything else, parents that come are joined at last.
local function parents(plan, identity, before, after)
  local old, new = set_of(before.inherits), set_of(after.inherits)
  for _, parent in ipairs(before.inherits or {}) do
    if not new[parent] or plan:is_gone(parent) then
      plan.detached[identity] = inherit(plan, identity, "no_inherit", parent, {
        frees = { [identity] = true }, precedes = { [identity] = true, [parent] = true },
      })
    end
  end
  for _, parent in ipairs(after.inherits or {}) do
    if not old[parent] or plan:is_gone(parent) then
      inherit(plan, identity, "inherit", parent, {
        needs = { [parent] = true }, follows = { [identity] = true, [parent] = true },
      })
    end
  end
end

local function typed(plan, identity, before, after)
  local is_made = after.of_type and plan:is_made(after.of_type)
  if before.of_type == after.of_type and not is_made then
    return
  end
  if before.of_type then
    plan:node({
      when = "change", kind = "table", identity = identity, frees = { [identity] = true },
      precedes = { [identity] = true }, records = { alter_table(after, "NOT OF") },
    })
  end
  if after.of_type then
    plan:node({
      when = "change", kind = "table", identity = identity, needs = { [after.of_type] = true },
      follows = { [identity] = true },
      records = { alter_table(after, "OF " .. names.behind(after.of_type, "composite")) },
    })
  end
end

---Makes the nodes for everything of a table that stays, but its columns.
function table_settings.alter(plan, identity, before, after)
  parents(plan, identity, before, after)
  typed(plan, identity, before, after)
  local out = {}
  storage(plan, identity, before, after, out)
  foreign_options(before, after, out)
  row_security(plan, before, after, out)
  annotations.change(plan, before, after, out)
  if out[1] then
    plan:node({
      when = "change", kind = after.kind, identity = identity, sort = identity, records = out,
    })
  end
  table_settings.settle(plan, identity, before, after)
end

return table_settings
