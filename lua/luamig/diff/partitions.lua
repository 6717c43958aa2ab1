--- Partitions: how a table is split, what a partition holds, and how one comes and goes without
-- being built anew.

local expression = require("luamig.diff.expression")
local key_text = require("luamig.diff.key_text")
local names = require("luamig.diff.names")
local records = require("luamig.diff.records")
local scan = require("luamig.diff.scan")
local taken = require("luamig.diff.taken")
local value = require("luamig.value")

local partitions = {}

---What op.create_table calls partition_by.
---@param text string  "RANGE (created)"
function partitions.by(text)
  local kind, at = text:match("^(%a+) ()")
  return { [kind:lower()] = key_text.keys((scan.inside(text, at))) }
end

-- One value needs no list around it.
local function values(text)
  local out = {}
  for i, part in ipairs(scan.split(text)) do
    out[i] = expression.bound(part)
  end
  local is_single = #out == 1 and (type(out[1]) ~= "table" or value.is(out[1]))
  return is_single and out[1] or out
end

---What a partition holds, as op.create_table and op.attach_partition take it.
---@param text string  "FOR VALUES IN (1)"
---@return table
function partitions.bound(text)
  if text == "DEFAULT" then
    return { default = true }
  end
  local modulus, remainder = text:match("modulus (%d+), remainder (%d+)")
  if modulus then
    return { modulus = math.tointeger(modulus), remainder = math.tointeger(remainder) }
  end
  local at = text:find("(", 1, true)
  local first, after = scan.inside(text, at)
  if text:find("^FOR VALUES IN") then
    local list = values(first)
    return { values = list }
  end
  return { from = values(first), to = values((scan.inside(text, text:find("(", after, true)))) }
end

-- PostgreSQL's name for a column of an index.
local function column_word(text)
  local key = key_text.key(text)
  local target = key and key[1]
  if type(target) == "string" then
    return target
  end
  local call = target and target.sql:match("([%a_][%w_]*)%(")
  return call and target.sql:find("^[%w_.]+%(") and call or "expr"
end

local function index_words(object)
  local words = {}
  local _, at = object.definition:find(" USING %S+ ")
  for i, part in ipairs(scan.split((scan.inside(object.definition, at + 1)))) do
    words[i] = column_word(part)
  end
  return table.concat(table.move(object.include or {}, 1, #(object.include or {}), #words + 1,
    words), "_")
end

local labels = { unique = "key", exclude = "excl" }

---The name that a part of a partitioned table's index or constraint gets by itself.
---@param object table  the part
---@param table_name string
---@return string
function partitions.made_up_name(object, table_name)
  if object.kind == "index" then
    return names.made_up(table_name, index_words(object), "idx")
  elseif object.type == "primary_key" then
    return names.made_up(table_name, nil, "pkey")
  elseif labels[object.type] then
    return names.made_up(table_name, table.concat(object.columns or {}, "_"), labels[object.type])
  end
  return object.name
end

---Whether the index or constraint of a partition must be made and attached by itself: that of the
---partitioned table is there already, or was made without its parts.
---@param object table  with part_of
function partitions.is_joined_by_hand(plan, object)
  local whole = plan.b.objects[object.part_of or ""]
  local is_table_staying = plan.a.objects[object.parent] ~= nil
    and not plan:is_made(object.parent) and not plan.standalone[object.parent]
  return whole ~= nil and is_table_staying
    and (whole.invalid == true or not plan:is_made(object.part_of))
end

---The record that attaches the index of a partition.
function partitions.join(plan, object)
  return records.new("attach_index", {
    index = plan:name_of(object.part_of), partition_index = plan:name(object),
  })
end

-- PostgreSQL puts a number behind a name that is taken: "t_a_idx1", when "t_a_idx" is another's.
local function is_numbered(plan, object, made_up)
  local number = object.name:sub(1, #made_up) == made_up
    and math.tointeger(tonumber(object.name:match("^[1-9]%d*$", #made_up + 1)))
  for i = 0, (number or 0) - 1 do
    if not taken.is_there(plan, object.schema, i > 0 and made_up .. i or made_up) then
      return false
    end
  end
  return number ~= nil and number ~= false
end

---Makes the node that gives a part its name, when that is not the one it gets by itself.
---@param add_words fun(list: table)  adds the records of what is said about the part
function partitions.name_part(plan, identity, object, add_words)
  local parent = plan.b.objects[object.parent]
  local made_up = object.part_of and partitions.made_up_name(object, parent.name) or object.name
  local list = {}
  if made_up ~= object.name and not is_numbered(plan, object, made_up) then
    local old = { schema = object.schema, name = made_up }
    list[1] = records.new("rename_index", { name = plan:name(old), new_name = object.name })
  end
  add_words(list)
  if list[1] then
    plan:node({
      when = "make", kind = "index", identity = identity, sort = object.parent,
      gives = { [identity] = true }, records = list,
    })
  end
end

local function bound_args(plan, object, extra)
  local args = partitions.bound(object.bound)
  args.table = plan:name_of(object.partition_of)
  for name, field in pairs(extra) do
    args[name] = field
  end
  return args
end

local function detach(plan, identity, before)
  local parent = before.partition_of
  plan.detached[identity] = plan:node({
    when = "change", kind = "table", identity = identity,
    frees = { [identity] = true }, leaves = parent,
    precedes = { [identity] = true, [parent] = true },
    records = {
      records.new("detach_partition", {
        table = plan:name_of(parent), partition = plan:name(before),
        finalize = before.detach_pending,
      }),
    },
  })
end

-- The indexes and constraints that the parent asks for are there already, under their own names.
local function children_of(plan, identity)
  local set = {}
  for _, child in ipairs(plan.children.b[identity] or {}) do
    local object = plan.b.objects[child]
    if object.kind ~= "trigger" then
      set[child] = true
    end
  end
  return set
end

-- The table's own triggers whose names those of the parent will have.
local function triggers_in_the_way(plan, identity)
  local set = {}
  for _, child in ipairs(plan.children.b[identity] or {}) do
    local object, old = plan.b.objects[child], plan.a.objects[child]
    set[child] = object.kind == "trigger" and object.part_of ~= nil and old ~= nil or nil
  end
  return set
end

---Makes the node that attaches a table; it has what its parent asks for.
function partitions.attach(plan, identity, after)
  local warning = plan.a.objects[identity] and after.bound ~= "DEFAULT"
    and "rows outside these bounds stop this: move them first" or nil
  local needs = children_of(plan, identity)
  needs[identity], needs[after.partition_of] = true, true
  plan:node({
    when = "change", kind = "index", identity = "attach " .. identity, warning = warning,
    needs = needs, behind = triggers_in_the_way(plan, identity),
    gives = { ["attached " .. identity] = true }, joins = after.partition_of,
    follows = { [identity] = true, [after.partition_of] = true },
    records = {
      records.new("attach_partition",
        bound_args(plan, after, { partition = plan:name(after) })),
    },
  })
end

local function is_moved(plan, before, after)
  return before.partition_of ~= after.partition_of or before.bound ~= after.bound
    or before.detach_pending and not after.detach_pending
    or plan:is_gone(before.partition_of or "")
end

---Whether a table that stays becomes a partition, or one of another kind.
function partitions.is_attached(plan, before, after)
  return after.partition_of ~= nil and is_moved(plan, before, after)
end

---Makes the nodes by which a table that stays leaves and joins partitioned tables.
function partitions.move(plan, identity, before, after)
  if after.detach_pending and not before.detach_pending then
    plan:cannot(identity, "that it is detached halfway")
  end
  if not is_moved(plan, before, after) then
    return
  end
  if before.partition_of then
    detach(plan, identity, before)
  end
  if after.partition_of then
    partitions.attach(plan, identity, after)
  end
end

---What op.create_table calls partition_of.
function partitions.of(plan, object)
  return bound_args(plan, object, {})
end

return partitions
