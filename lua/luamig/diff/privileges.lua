--- Who may do what: grants and revocations that lead from one list of privileges to another.

local clause = require("luamig.clause")
local quote = require("luamig.quote")
local records = require("luamig.diff.records")

local privileges = {}

local table_words = {
  "SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER",
}

-- What the owner and everyone have when nothing was said; `on`: the word of default privileges.
local kinds = {
  table = { owner = table_words, on = "tables" },
  sequence = { owner = { "USAGE", "SELECT", "UPDATE" }, on = "sequences" },
  ["function"] = { owner = { "EXECUTE" }, public = { "EXECUTE" }, on = "functions" },
  type = { owner = { "USAGE" }, public = { "USAGE" }, on = "types" },
  schema = { owner = { "USAGE", "CREATE" }, on = "schemas" },
  language = { owner = { "USAGE" }, public = { "USAGE" } },
  ["foreign server"] = { owner = { "USAGE" } },
  ["foreign data wrapper"] = { owner = { "USAGE" } },
  column = {},
}
kinds.procedure, kinds.domain = kinds["function"], kinds.type

local function words_of(plan, kind)
  local words = table.move(kinds[kind].owner or {}, 1, 8, 1, {})
  if kind == "table" and plan:since(17) then
    words[#words + 1] = "MAINTAIN"
  end
  return words
end

local OWNER <const> = "\0owner" -- sorts first, and is no role's name

local function key_of(entry)
  return (entry.grantee or OWNER) .. "\0" .. (entry.grantor or "")
end

-- { [grantee and grantor] = { grantee=, grantor=, has = { [word] = "yes"|"grantable"|"maybe" } } }
local function holder(map, entry)
  local key = key_of(entry)
  map[key] = map[key] or { grantee = entry.grantee, grantor = entry.grantor, has = {} }
  return map[key].has
end

local function add(map, entry, state)
  local has = holder(map, entry)
  for _, word in ipairs(entry.privileges) do
    has[word] = state or "yes"
  end
  for _, word in ipairs(entry.grantable or {}) do
    has[word] = state or "grantable"
  end
end

local function default_acl(plan, kind)
  local acl = {}
  if kinds[kind].owner then
    acl[1] = { privileges = words_of(plan, kind) }
  end
  if kinds[kind].public then
    acl[#acl + 1] = { grantee = "public", privileges = kinds[kind].public }
  end
  return acl
end

local function map_of(plan, acl, kind)
  local map = {}
  for _, entry in ipairs(acl or default_acl(plan, kind)) do
    add(map, entry)
  end
  return map
end

local function is_own_role(plan, object)
  return not plan.options.role or object.role == plan.options.role
end

-- Everything of a full list that default privileges take away may be missing.
local function take_missing(map, acl)
  local full = {}
  for _, entry in ipairs(acl) do
    add(full, entry)
  end
  for key, holds in pairs(map) do
    for word in pairs(holds.has) do
      if not (full[key] and full[key].has[word]) then
        holds.has[word] = "maybe"
      end
    end
  end
end

local function add_maybe(map, acl)
  for _, entry in ipairs(acl) do
    local has = holder(map, entry)
    for _, word in ipairs(entry.privileges) do
      has[word] = has[word] == "yes" and "yes" or "maybe"
    end
  end
end

-- What a new object may have got from default privileges, which depend on who makes it.
local function map_of_new(plan, kind, schema)
  local map = map_of(plan, nil, kind)
  for _, object in pairs(plan.a.objects) do
    local concerns = object.kind == "default privileges" and object.on == kinds[kind].on
      and (object.schema == nil or object.schema == schema) and is_own_role(plan, object)
    if concerns then
      if not object.schema then
        take_missing(map, object.acl)
      end
      add_maybe(map, object.acl)
    end
  end
  return map
end

local function sorted(map)
  local keys = {}
  for key in pairs(map) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

-- Lists of words by what must be done with them.
local function changes(before, after)
  local list = { grant = {}, grant_option = {}, revoke = {}, revoke_option = {} }
  local function put(what, word)
    table.insert(list[what], word)
  end
  for word, wanted in pairs(after) do
    local had = before[word]
    if wanted == "grantable" and had ~= "grantable" then
      put("grant_option", word)
    elseif wanted == "yes" and had == "grantable" then
      put("revoke_option", word)
    elseif wanted == "yes" and had ~= "yes" then
      put("grant", word)
    end
  end
  for word in pairs(before) do
    if not after[word] then
      put("revoke", word)
    end
  end
  return list
end

local steps = {
  { "revoke", "revoke" },
  { "revoke_option", "revoke", { grant_option_only = true } },
  { "grant", "grant" },
  { "grant_option", "grant", { with_grant_option = true } },
}

local function in_words(plan, list, kind)
  local all = words_of(plan, kind)
  if #list == #all and #list > 1 then
    return "all"
  end
  table.sort(list)
  for i, word in ipairs(list) do
    list[i] = word:lower()
  end
  return list[2] and list or list[1]
end

-- Somebody else than the owner granted it: the statement must be theirs.
local function as_grantor(plan, record, grantor)
  local statement = records.statements(record, plan.context)[1].sql
  local text = ("DECLARE me text := current_user; BEGIN EXECUTE 'SET LOCAL ROLE %s'; %s; "
    .. "EXECUTE format('SET LOCAL ROLE %%I', me); END"):format(
    quote.ident(grantor):gsub("'", "''"), statement)
  return records.sql("DO " .. require("luamig.routine").dollar_quoted(text))
end

---@class luamig.diff.Privileged
---@field kind string         of op.grant: "table", "function" …; "column"
---@field name string         in the arguments of an operation
---@field arguments? string[]
---@field columns? string[]
---@field owner? string       role; nil: whoever runs it

local function record_of(plan, what, step, list, holds)
  local is_column = what.kind == "column"
  local args = clause.copy(step[3] or {})
  args.privileges = in_words(plan, list, is_column and "column" or what.kind)
  args.kind = is_column and "table" or what.kind
  args.names, args.arguments, args.columns = what.name, what.arguments, what.columns
  args.roles = holds.grantee or what.owner or "current_user"
  local record = records.new(step[2], args)
  return holds.grantor and as_grantor(plan, record, holds.grantor) or record
end

local NOBODY <const> = { has = {} }

local function between(plan, what, before, after)
  local out, all = {}, {}
  for _, map in ipairs({ before, after }) do
    for key, holds in pairs(map) do
      all[key] = holds
    end
  end
  for _, step in ipairs(steps) do
    for _, key in ipairs(sorted(all)) do
      local list = changes((before[key] or NOBODY).has, (after[key] or NOBODY).has)[step[1]]
      if list[1] then
        out[#out + 1] = record_of(plan, what, step, list, all[key])
      end
    end
  end
  return out
end

---The records that lead from one list to another.
---@param what luamig.diff.Privileged
---@param before table|nil  acl of a snapshot; nil is the default
---@param after table|nil
---@return table[] records
function privileges.change(plan, what, before, after)
  if plan.options.privileges == false then
    return {}
  end
  return between(plan, what, map_of(plan, before, what.kind), map_of(plan, after, what.kind))
end

---The records that give a new object its privileges, whatever default privileges gave it already.
---@param schema string|nil  its schema
---@return table[] records
function privileges.create(plan, what, after, schema)
  if plan.options.privileges == false then
    return {}
  end
  return between(plan, what, map_of_new(plan, what.kind, schema), map_of(plan, after, what.kind))
end

-- "tables" as op.grant_default says it.
local singular = {
  tables = "table", sequences = "sequence", functions = "function", types = "type",
  schemas = "schema",
}

local function default_record(plan, object, step, list, holds)
  local args = clause.copy(step[3] or {})
  args.privileges = list
  args.kind = singular[object.on]
  args.roles = holds.grantee or object.role
  args.for_role = object.role ~= plan.options.role and object.role or nil
  args.schema = object.schema
  return records.new(step[2] .. "_default", args)
end

-- Without a schema the list replaces what new objects get by themselves.
local function default_map(plan, object, acl)
  if acl or object.schema then
    return map_of(plan, acl or {}, "column")
  end
  return map_of(plan, nil, singular[object.on])
end

---The records that lead from one object "default privileges" to another; nil is none.
---@return table[] records
function privileges.defaults(plan, before, after)
  local object = after or before
  local out = {}
  if not singular[object.on] then
    plan:cannot("default privileges of " .. object.role, "there is no operation for " .. object.on)
    return out
  end
  local from = default_map(plan, object, before and before.acl)
  local to = default_map(plan, object, after and after.acl)
  for _, step in ipairs(steps) do
    local all = {}
    for _, map in ipairs({ from, to }) do
      for key, holds in pairs(map) do
        all[key] = holds
      end
    end
    for _, key in ipairs(sorted(all)) do
      local list = changes((from[key] or NOBODY).has, (to[key] or NOBODY).has)[step[1]]
      if list[1] then
        list = in_words(plan, list, singular[object.on])
        out[#out + 1] = default_record(plan, object, step, list, all[key])
      end
    end
  end
  return out
end


return privileges
