--- Indexes that no constraint owns.

local annotations = require("luamig.diff.annotations")
local constraints = require("luamig.diff.constraints")
local index_sql = require("luamig.index")
local key_text = require("luamig.diff.key_text")
local names = require("luamig.diff.names")
local partitions = require("luamig.diff.partitions")
local quote = require("luamig.quote")
local records = require("luamig.diff.records")
local scan = require("luamig.diff.scan")

local indexes = {}

-- Index of a partitioned table: the server shows what it is without the partitions' own.
local function without_only(definition)
  return (definition:gsub(" ON ONLY ", " ON ", 1))
end

-- The keys stand in the first brackets behind USING method.
local function keys_of(object)
  local _, at = object.definition:find(" USING " .. quote.ident(object.method) .. " ", 1, true)
  return at and key_text.keys((scan.inside(object.definition, at + 1)))
end

local function where_of(object)
  local start, after = scan.word(object.definition, "WHERE")
  return start and scan.bare(object.definition:sub(after + 1)) or nil
end

local function fields_of(object)
  local columns = keys_of(object)
  return columns and {
    columns = columns,
    unique = object.unique,
    using = object.method ~= "btree" and object.method or nil,
    where = where_of(object),
    include = object.include,
    with = key_text.settings(object.options),
    tablespace = object.tablespace,
    nulls_not_distinct = object.nulls_not_distinct,
  }
end

-- An index of a partitioned table that lacks parts was made without any.
local function is_alone(plan, object)
  return object.invalid and plan:is_partitioned(object.parent) or nil
end

local function is_faithful(plan, object)
  local spec = fields_of(object)
  if not spec then
    return false
  end
  spec.table = names.parent(object.parent)
  local ok, body = pcall(index_sql.body, spec, plan.context)
  local text = ok and ("CREATE %s INDEX %s %s"):format(object.unique and "UNIQUE" or "",
    quote.ident(object.name), body)
  local expected = without_only(object.definition):gsub(" USING btree ", " ", 1)
  return ok and scan.same(text, expected)
end

---The record that creates an index.
function indexes.creation(plan, object)
  if not is_faithful(plan, object) then
    return records.sql(is_alone(plan, object) and object.definition
      or without_only(object.definition))
  end
  local args = fields_of(object)
  args.name, args.table, args.only = object.name, plan:parent_name(object), is_alone(plan, object)
  args.comment = plan.options.comments ~= false and object.comment or nil
  return records.new("create_index", args)
end

-- What is in the definition, but can be changed in place.
local function bare_definition(object)
  local definition = without_only(object.definition)
  local start = scan.word(definition, "WITH")
  if start and object.options then
    local _, after = scan.inside(definition, definition:find("(", start, true))
    definition = definition:sub(1, start - 2) .. definition:sub(after)
  end
  return (definition:gsub(" TABLESPACE " .. (object.tablespace or "\0"), "", 1))
end

---@return "replace"|"alter"
function indexes.compare(plan, before, after)
  local is_same = bare_definition(before) == bare_definition(after)
    and before.parent == after.parent
  if is_same and before.invalid ~= after.invalid then
    -- That of a partitioned table becomes valid with its last part.
    is_same = plan:is_partitioned(after.parent) == (before.invalid == true)
  end
  return is_same and "alter" or "replace"
end

local function is_automatic(plan, object)
  return object.part_of ~= nil and not plan.standalone[object.parent]
    and not partitions.is_joined_by_hand(plan, object)
end

local function relation(object)
  return { ["relation " .. names.sql(object)] = true }
end

-- Nobody builds an index halfway.
local function say_invalid(plan, identity, object)
  if object.invalid and not plan:is_partitioned(object.parent) then
    plan:cannot(identity, "it is invalid: an index that was not built to its end")
  end
end

---Makes the node that creates an index.
function indexes.create(plan, identity, object)
  if is_automatic(plan, object) then
    partitions.name_part(plan, identity, object, function(list)
      constraints.index_words(plan, object, {}, object, list)
    end)
    return
  end
  local record = indexes.creation(plan, object)
  local list = { record }
  local fresh = { comment = record.op == "create_index" and object.comment or nil }
  constraints.index_words(plan, object, fresh, object, list)
  annotations.extensions(object, nil, object.extensions, list)
  if object.part_of and not plan.standalone[object.parent] then
    list[#list + 1] = partitions.join(plan, object)
  end
  say_invalid(plan, identity, object)
  plan:node({
    when = "make", kind = "index", identity = identity, sort = object.parent,
    gives = { [identity] = true }, claims = relation(object), records = list,
  })
end

---Makes the node that drops an index.
function indexes.drop(plan, identity, object)
  local detached = plan.detached[object.parent]
  if object.part_of and not detached then
    return
  end
  local set = plan:with_companions({ [identity] = true })
  plan:node({
    when = "drop", kind = "index", identity = identity, sort = object.parent,
    takes = set, frees = set, vacates = relation(object),
    records = { records.new("drop_index", { name = plan:name(object) }) },
    after = { detached },
  })
end

---Makes the node that changes an index in place.
function indexes.alter(plan, identity, before, after)
  local out = {}
  local set, reset = records.options(before.options, after.options)
  for _, text in ipairs({ set or false, reset or false }) do
    if text then
      out[#out + 1] = records.sql("ALTER INDEX %s %s", names.sql(after), text)
    end
  end
  if before.tablespace ~= after.tablespace then
    out[#out + 1] = records.sql("ALTER INDEX %s SET TABLESPACE %s", names.sql(after),
      quote.ident(after.tablespace or "pg_default"))
  end
  constraints.index_words(plan, after, before, after, out)
  annotations.extensions(after, before.extensions, after.extensions, out)
  if before.part_of ~= after.part_of and partitions.is_joined_by_hand(plan, after) then
    out[#out + 1] = partitions.join(plan, after)
  end
  if before.invalid ~= after.invalid then
    say_invalid(plan, identity, after)
  end
  if out[1] then
    plan:node({
      when = "change", kind = "index", identity = identity, sort = after.parent,
      gives = { [identity] = true }, frees = { [identity] = true }, records = out,
    })
  end
end

return indexes
