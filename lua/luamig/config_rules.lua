--- What must hold of the values of a project file beyond their types. Pure.

local config_rules = {}

local naming_kinds <const> = { pk = true, uq = true, fk = true, ck = true, ex = true, nn = true,
  ix = true }
local naming_words <const> = { table = true, columns = true, column = true, referred = true,
  hash = true }

local function sorted(set)
  local list = {}
  for name in pairs(set) do
    list[#list + 1] = name
  end
  table.sort(list)
  return list
end

local function hint_for(word, known, form)
  local list = sorted(known)
  local near = require("luamig.nearest").of(word, list)
  if near then
    return ("did you mean '%s'?"):format(form:format(near))
  end
  for i, each in ipairs(list) do
    list[i] = form:format(each)
  end
  return "known: " .. table.concat(list, ", ")
end

local function pattern_defect(kind, pattern)
  if type(pattern) == "function" then
    return nil
  elseif type(pattern) ~= "string" then
    return ("naming.%s must be a string or a function, but it is a %s"):format(kind, type(pattern))
  end
  for word in pattern:gmatch("{(.-)}") do
    if not naming_words[word] then
      return ("naming.%s has {%s}, which is no word of it"):format(kind, word),
        hint_for(word, naming_words, "{%s}")
    end
  end
  return nil
end

local function naming_defect(naming)
  for _, kind in ipairs(sorted(naming)) do
    if not naming_kinds[kind] then
      return ("unknown kind of name 'naming.%s'"):format(tostring(kind)),
        hint_for(tostring(kind), naming_kinds, "%s"), tostring(kind)
    end
    local message, hint = pattern_defect(kind, naming[kind])
    if message then
      return message, hint, kind
    end
  end
  return nil
end

-- "public.alembic_version" would be a table of that name, with a dot, in the schema luamig.
local function version_table_defect(values)
  local schema, name = (values.version_table or ""):match("^([^.]*)%.(.*)$")
  if not schema then
    return nil
  end
  return ("version_table '%s' has a dot in it"):format(values.version_table),
    ('its schema has a key of its own: version_schema = "%s", version_table = "%s"'):format(schema,
      name), "version_table"
end

local function versions_defect(values)
  if type(values.versions) == "table" and #values.versions == 0 then
    return "versions names no folder", 'write versions = "versions"', "versions"
  end
  return nil
end

---The first defect of the values of a file or of one of its environments; nil when there is none.
---@param values table  their types are right
---@return string|nil message, string|nil hint, string|nil key  where to look for it
function config_rules.defect(values)
  local message, hint, key = naming_defect(values.naming or {})
  if not message then
    message, hint, key = version_table_defect(values)
  end
  if not message then
    message, hint, key = versions_defect(values)
  end
  return message, hint, key
end

return config_rules
