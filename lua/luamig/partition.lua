--- Partitions: how a table is split, and which part of it a partition holds. Pure.

local clause = require("luamig.clause")
local index = require("luamig.index")
local types = require("luamig.types")
local value = require("luamig.value")

local partition = {}

local function keys(doc)
  return {
    type = "list<identifier|sql|fields>",
    fields = index.key_fields,
    class = "Key",
    doc = doc,
  }
end

---How a table is split: one of the three.
partition.by_fields = {
  range = keys("columns whose ranges make the partitions"),
  list = keys("the column whose values make the partitions"),
  hash = keys("columns whose hash makes the partitions"),
}

---What a partition holds: one of the four forms.
partition.bound_fields = {
  from = {
    type = "list<literal>|literal",
    doc = "range: the lowest values, inside; op.sql(\"MINVALUE\") for no bound",
  },
  to = {
    type = "list<literal>|literal",
    doc = "range: the highest values, outside; op.sql(\"MAXVALUE\") for no bound",
  },
  values = { type = "list<literal>|literal", doc = "list: the values; op.null for NULL" },
  modulus = { type = "integer", doc = "hash: how many partitions share the rows" },
  remainder = { type = "integer", doc = "hash: which of them this is, from 0" },
  default = { type = "boolean", doc = "the rows that no other partition takes" },
}

local forms = { { "from", "to" }, { "values" }, { "modulus", "remainder" }, { "default" } }

local FORMS <const> = "give from and to, or values, or modulus and remainder, or default = true"

local function is_given(spec, name)
  if name == "default" then
    return spec.default == true
  end
  return spec[name] ~= nil
end

---The bound among other arguments, or nil.
---@return table|nil
function partition.bound_of(args)
  local bound = {}
  for name in pairs(partition.bound_fields) do
    if is_given(args, name) then
      bound[name] = args[name]
    end
  end
  return next(bound) and bound or nil
end

-- Of a form with two halves, how many are there.
local function count(spec, form)
  local given = 0
  for _, name in ipairs(form) do
    given = given + (is_given(spec, name) and 1 or 0)
  end
  return given
end

---What is wrong with a bound, or nil.
---@param spec table
---@return string|nil
function partition.bound_defect(spec)
  local found
  for _, form in ipairs(forms) do
    local given = count(spec, form)
    if given > 0 and found then
      return ("%s and %s exclude each other: %s"):format(found, form[1], FORMS)
    elseif given > 0 and given < #form then
      return ("%s and %s go together"):format(form[1], form[2])
    elseif given > 0 then
      found = form[1]
    end
  end
  return not found and "what the partition holds is missing: " .. FORMS or nil
end

---What is wrong with the way a table is split, or nil.
---@param by table
---@return string|nil
function partition.by_defect(by)
  local kind = next(by)
  if not kind or next(by, kind) then
    return "partition_by: give one of range, list and hash"
  elseif not by[kind][1] then
    return ("partition_by.%s: the list is empty"):format(kind)
  end
  return nil
end

local function literals(v)
  if type(v) ~= "table" or value.is(v) then
    v = { v }
  end
  local out = {}
  for i, item in ipairs(v) do
    out[i] = types.literal(item)
  end
  return "(" .. table.concat(out, ", ") .. ")"
end

---`FOR VALUES …`, or DEFAULT.
---@param spec table
---@return string
function partition.bound(spec)
  if spec.default then
    return "DEFAULT"
  elseif spec.values ~= nil then
    return "FOR VALUES IN " .. literals(spec.values)
  elseif spec.modulus then
    return ("FOR VALUES WITH (MODULUS %d, REMAINDER %d)"):format(spec.modulus, spec.remainder)
  end
  return ("FOR VALUES FROM %s TO %s"):format(literals(spec.from), literals(spec.to))
end

---`PARTITION BY …`
---@param by table
---@return string
function partition.by(by)
  local kind = next(by)
  return clause.words("PARTITION BY", kind:upper(), "(" .. index.keys(by[kind]) .. ")")
end

return partition
