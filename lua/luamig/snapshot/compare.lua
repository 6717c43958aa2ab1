--- Two values of a snapshot: are they alike? And the mark of one.

local digest = require("luamig.core.digest")
local json = require("luamig.json")

local compare = {}

local function same(a, b, passed_over)
  if a == b then
    return true
  elseif type(a) ~= "table" or type(b) ~= "table" then
    return false
  end
  for key, item in pairs(a) do
    if not passed_over[key] and not same(item, b[key], passed_over) then
      return false
    end
  end
  for key in pairs(b) do
    if a[key] == nil and not passed_over[key] then
      return false
    end
  end
  return true
end

-- Field names that an option passes over. None of them is the name of anything else in an object.
local fields_of = {
  owners = { "owner" },
  privileges = { "acl" },
  comments = { "comment", "not_null_comment" },
  labels = { "labels" },
}

local function passed_over_fields(options)
  local fields = {}
  for option, names in pairs(fields_of) do
    if options[option] == false then
      for _, name in ipairs(names) do
        fields[name] = true
      end
    end
  end
  return fields
end

local function by_name(columns)
  local sorted = table.move(columns, 1, #columns, 1, {})
  table.sort(sorted, function(a, b)
    return a.name < b.name
  end)
  return sorted
end

local function with_sorted_columns(object)
  local copy = {}
  for name, value in pairs(object) do
    copy[name] = value
  end
  copy.columns = by_name(object.columns)
  return copy
end

local function has_columns(object)
  return object.columns and type(object.columns[1]) == "table"
end

---Whether two objects of one identity are alike.
---@param options? { column_order?: boolean, owners?: boolean, privileges?: boolean,
---  comments?: boolean, labels?: boolean }  false passes that over; all are true by default
---@return boolean
function compare.same_object(a, b, options)
  options = options or {}
  if options.column_order == false and has_columns(a) and has_columns(b) then
    a, b = with_sorted_columns(a), with_sorted_columns(b)
  end
  return same(a, b, passed_over_fields(options))
end

---@return boolean
function compare.equal(a, b, options)
  for identity, object in pairs(a.objects) do
    local other = b.objects[identity]
    if not other or not compare.same_object(object, other, options) then
      return false
    end
  end
  for identity in pairs(b.objects) do
    if not a.objects[identity] then
      return false
    end
  end
  return same(a.unmodelled, b.unmodelled, {})
end

---@return string  64 hexadecimal digits
function compare.fingerprint(value)
  return digest.sha256(json.encode({ objects = value.objects, unmodelled = value.unmodelled }))
end

return compare
