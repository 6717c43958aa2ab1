--- Text search: parsers, templates, dictionaries and configurations.

local names = require("luamig.diff.names")
local raw = require("luamig.diff.raw")
local records = require("luamig.diff.records")
local scan = require("luamig.diff.scan")

local text_search = {}

local function create(object, pairs_list)
  local out = {}
  for _, pair in ipairs(pairs_list) do
    if pair[2] then
      out[#out + 1] = pair[1] .. " = " .. pair[2]
    end
  end
  return ("CREATE %s %s (%s)"):format(object.kind:upper(), names.sql(object),
    table.concat(out, ", "))
end

text_search["text search parser"] = raw.family({
  creation = function(object)
    return create(object, {
      { "START", object.start }, { "GETTOKEN", object.gettoken }, { "END", object["end"] },
      { "HEADLINE", object.headline }, { "LEXTYPES", object.lextypes },
    })
  end,
})

text_search["text search template"] = raw.family({
  creation = function(object)
    return create(object, { { "INIT", object.init }, { "LEXIZE", object.lexize } })
  end,
})

local function option_map(text)
  local out = {}
  for _, part in ipairs(scan.split(text or "")) do
    local name, setting = part:match("^%s*(%S+)%s*=%s*(.*)$")
    out[name or part] = setting or ""
  end
  return out
end

text_search["text search dictionary"] = raw.family({
  fields = { options = true },
  creation = function(object)
    local text = create(object, { { "TEMPLATE", object.template } })
    return object.options and text:gsub("%)$", ", " .. object.options:gsub("%%", "%%%%") .. ")")
      or text
  end,
  changes = function(before, after)
    local old, new, out = option_map(before.options), option_map(after.options), {}
    for name, setting in pairs(new) do
      if old[name] ~= setting then
        out[#out + 1] = name .. " = " .. setting
      end
    end
    for name in pairs(old) do
      out[#out + 1] = new[name] == nil and name or nil
    end
    table.sort(out)
    return out[1] and {
      records.sql("ALTER TEXT SEARCH DICTIONARY %s (%s)", names.sql(after),
        table.concat(out, ", ")),
    } or {}
  end,
})

local function sorted_keys(map)
  local keys = {}
  for key in pairs(map) do
    keys[#keys + 1] = key
  end
  table.sort(keys)
  return keys
end

local function alter(object, text, ...)
  return records.sql("ALTER TEXT SEARCH CONFIGURATION %s " .. text, names.sql(object), ...)
end

local function mappings(before, after, object)
  local list = {}
  for _, token in ipairs(sorted_keys(before)) do
    if not after[token] then
      list[#list + 1] = alter(object, "DROP MAPPING FOR %s", token)
    end
  end
  for _, token in ipairs(sorted_keys(after)) do
    local new = table.concat(after[token], ", ")
    local old = before[token] and table.concat(before[token], ", ")
    if old ~= new then
      list[#list + 1] = alter(object, "%s MAPPING FOR %s WITH %s", old and "ALTER" or "ADD",
        token, new)
    end
  end
  return list
end

text_search["text search configuration"] = raw.family({
  fields = { mappings = true },
  creation = function(object)
    local list = mappings({}, object.mappings or {}, object)
    table.insert(list, 1, records.sql(create(object, { { "PARSER", object.parser } })))
    return list
  end,
  changes = function(before, after)
    return mappings(before.mappings or {}, after.mappings or {}, after)
  end,
})

return text_search
