--- JSON documents, natural and as wished: members that must be there. Pure.

local cjson = require("cjson")
local json = require("luamig.json")

local documents = {}

local object_edges = {
  "{}",
  '{"a": {"b": [1, 2, {"c": null}], "d": {}}, "e": []}',
  '{"quote": "say \\"hi\\" \\\\ \'back\'", "letters": "Ü 漢 🙂", "empty": ""}',
  '{"big": 12345678901234567890.5, "small": -0.000001, "yes": true, "none": null}',
}

local array_edges = {
  "[]", '[1, "two", null, {"three": 3}]', "[[1, 2], [], [{}]]",
  '["say \\"hi\\"", "Ü 漢 🙂", ""]',
}

local samples = {
  object = function(i) return { key = "k" .. i } end,
  array = function(i) return { i, "k" .. i } end,
  string = function(i) return "text " .. i end,
  number = function(i) return i end,
  boolean = function(i) return i % 2 == 0 end,
  null = function() return cjson.null end,
}

-- The value of a member that is wished: of a type, or with a text that ->> gives.
local function member(wish, i)
  if wish.type then
    local sample = samples[wish.type] or samples.string
    return sample(i)
  elseif not wish.text then
    return "text " .. i
  elseif wish.text == "true" or wish.text == "false" then
    return wish.text == "true"
  end
  return math.tointeger(tonumber(wish.text)) or wish.text
end

local function put(document, path, value)
  for depth = 1, #path - 1 do
    local inner = document[path[depth]]
    if type(inner) ~= "table" or #inner > 0 then
      inner = {}
      document[path[depth]] = inner
    end
    document = inner
  end
  document[path[#path]] = value
end

---@param i integer
---@param wishes? { path: string[], type?: string, text?: string }[]  an empty path: the document
---@param shape "object"|"array"  what the document is, unless a wish says it
---@return string
function documents.value(i, rng, wishes, shape)
  local document = { id = i, name = "entry " .. i, score = rng:int(0, 99) / 4 }
  local is_plain = true
  for _, wish in ipairs(wishes or {}) do
    if #wish.path > 0 then
      is_plain = false
      put(document, wish.path, member(wish, i))
    elseif wish.type and wish.type ~= "object" then
      return json.encode(member(wish, i))
    else
      shape = "object"
    end
  end
  if is_plain and shape == "array" then
    return json.encode({ i, "entry " .. i })
  end
  return json.encode(document)
end

---@param shape "object"|"array"
function documents.maker(shape)
  return {
    is_json = true,
    shape = shape,
    edges = shape == "array" and array_edges or object_edges,
    value = function(i, rng)
      return documents.value(i, rng, nil, shape)
    end,
  }
end

return documents
