--- Two values of a snapshot: are they alike? And the mark of one.

local digest = require("luamig.core.digest")
local json = require("luamig.json")
local versions = require("luamig.snapshot.versions")

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

local function same_objects(a, b, options)
  for identity, object in pairs(a) do
    local other = b[identity]
    if object ~= other and not (object and other and compare.same_object(object, other, options))
    then
      return false
    end
  end
  return true
end

local function has_all(a, b)
  for identity in pairs(a) do
    if not b[identity] then
      return false
    end
  end
  return true
end

-- Of two values that share what did not change, what did is enough.
local function have_same_objects(a, b, options)
  local of_a, of_b = versions.between(a, b)
  if of_a then
    return same_objects(of_a, of_b, options)
  end
  return same_objects(a.objects, b.objects, options) and has_all(b.objects, a.objects)
end

---@return boolean
function compare.equal(a, b, options)
  return have_same_objects(a, b, options) and same(a.unmodelled, b.unmodelled, {})
end

local marks = setmetatable({}, { __mode = "k" }) -- [object] = its mark, four integers packed

local MARK = "<i8i8i8i8"

local function mark_of(identity, object)
  local mark = marks[object]
  if not mark then
    local hex = digest.sha256(identity .. " " .. json.encode(object))
    local numbers = {}
    for digits in hex:gmatch(("%x"):rep(16)) do
      numbers[#numbers + 1] = tonumber(digits, 16)
    end
    mark = MARK:pack(table.unpack(numbers))
    marks[object] = mark
  end
  return mark
end

---The sum of the objects' marks does not depend on their order, and a mark is made once.
---@return string  64 hexadecimal digits
function compare.fingerprint(value)
  local a, b, c, d = 0, 0, 0, 0
  for identity, object in pairs(value.objects) do
    local w, x, y, z = MARK:unpack(mark_of(identity, object))
    a, b, c, d = a + w, b + x, c + y, d + z
  end
  return digest.sha256(MARK:pack(a, b, c, d) .. json.encode(value.unmodelled))
end

return compare
