--- How the objects of a snapshot are called: in the arguments of operations, and in SQL. Pure.

local clause = require("luamig.clause")
local quote = require("luamig.quote")
local scan = require("luamig.diff.scan")

local names = {}

-- An extension is in no schema, but its objects are.
local function schema_of(object)
  return object.kind ~= "extension" and object.schema or nil
end

---"schema.name" as the operations take it; without the schema when that is the plain one.
---@param object table       of a snapshot
---@param plain? string      the schema whose objects need no schema in front
---@return string
function names.of(object, plain)
  local schema = schema_of(object)
  schema = schema ~= plain and schema or nil
  return clause.dotted(schema, object.name)
end

---A name that is written as SQL has it, as the operations take it: "C" needs no quotes there.
---@param text string|nil  `"C"`, `app.de`
---@return string|nil
function names.unquoted(text)
  if not text then
    return nil
  end
  local parts = quote.parts(text)
  return parts and clause.dotted(parts[#parts - 1], parts[#parts]) or text
end

---The name as SQL takes it, always with its schema.
---@return string
function names.sql(object)
  local name, schema = quote.ident(object.name), schema_of(object)
  return schema and quote.ident(schema) .. "." .. name or name
end

---What stands behind the kind in an identity: "app.users".
---@return string
function names.behind(identity, kind)
  return identity:sub(#kind + 2)
end

---The argument types of a function, one each.
---@return string[]
function names.arguments(object)
  return scan.split(object.signature)
end

local short = {
  { "^character varying", "varchar" },
  { "^character%f[^%w_]", "char" },
  { "^bit varying", "varbit" },
  { "^timestamp(%(?%d*%)?) with time zone", "timestamptz%1" },
  { "^timestamp(%(?%d*%)?) without time zone", "timestamp%1" },
  { "^time(%(?%d*%)?) with time zone", "timetz%1" },
  { "^time(%(?%d*%)?) without time zone", "time%1" },
}

---A type of format_type in the words that people write.
---@param type_name string  "character varying(20)"
---@return string           "varchar(20)"
function names.type(type_name)
  for _, pair in ipairs(short) do
    local text, count = type_name:gsub(pair[1], pair[2])
    if count > 0 then
      return text
    end
  end
  return type_name
end

---A type without its length, precision and array signs: what a type dependency is about.
---@return string
function names.base_type(type_name)
  return (type_name:gsub("%[%]$", ""):gsub("%b()", ""):gsub("%s+", " "))
end

-- A text of at most so many bytes that ends between two characters.
local function clipped(text, size)
  while size > 0 and (text:byte(size + 1) or 0) & 0xC0 == 0x80 do
    size = size - 1
  end
  return text:sub(1, size)
end

---The name that PostgreSQL makes up: "users_email_key".
---@param first string    of the table
---@param second string|nil  of the columns
---@param label string    "key", "seq", "idx" …
---@return string
function names.made_up(first, second, label)
  local room = quote.NAME_BYTES - #label - (second and 2 or 1)
  local size1, size2 = #first, second and #second or 0
  while size1 + size2 > room do
    if size1 > size2 then
      size1 = size1 - 1
    else
      size2 = size2 - 1
    end
  end
  local parts = { clipped(first, size1) }
  if second then
    parts[2] = clipped(second, size2)
  end
  parts[#parts + 1] = label
  return table.concat(parts, "_")
end

local words = {
  ["materialized view"] = "MATERIALIZED VIEW",
  ["enum"] = "TYPE",
  ["composite"] = "TYPE",
  ["range"] = "TYPE",
  ["base type"] = "TYPE",
  ["shell type"] = "TYPE",
}

---The words that ALTER and COMMENT call the kind by.
---@return string
function names.noun(kind)
  return words[kind] or kind:upper()
end

local parent_kinds = { "table", "foreign table", "view", "materialized view", "domain" }

---The qualified name in the identity of a parent, and its kind.
---@param identity string  "foreign table app.f"
---@return string name, string kind
function names.parent(identity)
  for _, kind in ipairs(parent_kinds) do
    if identity:sub(1, #kind + 1) == kind .. " " then
      return names.behind(identity, kind), kind
    end
  end
  return identity, ""
end

local subordinate = {
  constraint = true, trigger = true, rule = true, policy = true,
}

local function of_parent(object)
  local parent, kind = names.parent(object.parent)
  return ("%s ON %s%s"):format(quote.ident(object.name), kind == "domain" and "DOMAIN " or "",
    parent)
end

-- An ordered-set aggregate is called by its declaration, others by their types; none is *.
local function aggregate(object)
  local arguments = object.signature
  if object.type then
    arguments = object.arguments
  end
  return ("%s(%s)"):format(names.sql(object), arguments == "" and "*" or arguments)
end

local targets = {
  aggregate = aggregate,
  ["operator class"] = function(object)
    return names.sql(object) .. " USING " .. quote.ident(object.method)
  end,
  ["user mapping"] = function(object)
    return ("FOR %s SERVER %s"):format(
      object.role == "public" and "PUBLIC" or quote.ident(object.role), quote.ident(object.server))
  end,
  transform = function(object)
    return ("FOR %s LANGUAGE %s"):format(object.type, quote.ident(object.language))
  end,
  cast = function(object)
    return ("(%s AS %s)"):format(object.source, object.target)
  end,
  operator = function(object)
    return ("%s.%s (%s, %s)"):format(quote.ident(object.schema), object.name,
      object.left or "NONE", object.right)
  end,
}
targets["operator family"] = targets["operator class"]

local function callable(object)
  return ("%s(%s)"):format(names.sql(object), object.signature)
end
targets["function"], targets.procedure = callable, callable

---What stands behind the noun in ALTER, COMMENT ON and DROP.
---@return string  "app.users", "t ON app.users", "app.f(integer)"
function names.target(object)
  if targets[object.kind] then
    return targets[object.kind](object)
  elseif subordinate[object.kind] then
    return of_parent(object)
  end
  return names.sql(object)
end

return names
