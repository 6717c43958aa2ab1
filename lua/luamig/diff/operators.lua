--- Operators and their classes and families, casts, transforms, conversions, collations, languages
-- and access methods.

local clause = require("luamig.clause")
local names = require("luamig.diff.names")
local quote = require("luamig.quote")
local raw = require("luamig.diff.raw")
local records = require("luamig.diff.records")

local operators = {}

-- "app.===(integer, integer)" as CREATE OPERATOR refers to another operator.
local function operator_name(text)
  local name = text:match("^(.-)%(") or text
  return name:find("%w%.") and "OPERATOR(" .. name .. ")" or name
end

local function operator_args(object)
  local out = { "FUNCTION = " .. object["function"] }
  local function add(word, text)
    out[#out + 1] = text and word .. " = " .. text or nil
  end
  add("LEFTARG", object.left)
  add("RIGHTARG", object.right)
  add("COMMUTATOR", object.commutator and operator_name(object.commutator))
  add("NEGATOR", object.negator and operator_name(object.negator))
  add("RESTRICT", object.restrict)
  add("JOIN", object.join)
  out[#out + 1] = object.hashes and "HASHES" or nil
  out[#out + 1] = object.merges and "MERGES" or nil
  return table.concat(out, ", ")
end

operators.operator = raw.family({
  fields = { restrict = true, join = true },
  can = function(_, _, object)
    return object["function"] ~= nil -- the shell that another operator's COMMUTATOR made
  end,
  creation = function(object)
    return ("CREATE OPERATOR %s.%s (%s)"):format(quote.ident(object.schema), object.name,
      operator_args(object))
  end,
  changes = function(before, after)
    local out = {}
    for _, name in ipairs({ "restrict", "join" }) do
      if before[name] ~= after[name] then
        out[#out + 1] = ("%s = %s"):format(name:upper(), after[name] or "NONE")
      end
    end
    return out[1] and {
      records.sql("ALTER OPERATOR %s SET (%s)", names.target(after), table.concat(out, ", ")),
    } or {}
  end,
})

local function members(object)
  local out = {}
  for _, list in ipairs({ object.operators or {}, object.functions or {} }) do
    table.move(list, 1, #list, #out + 1, out)
  end
  return out
end

-- "OPERATOR 1 app.<(integer, integer)" → how ALTER … DROP says it
local function member_key(text)
  local word, number, types = text:match("^(%a+) (%d+) (.*)$")
  local list = word == "OPERATOR" and types:match("%(.-%)") or types:match("^%(.-%)")
  return ("%s %s %s"):format(word, number, list)
end

operators["operator family"] = raw.family({
  fields = { operators = true, functions = true },
  creation = function(object)
    local list = { records.sql("CREATE OPERATOR FAMILY %s", names.target(object)) }
    local loose = members(object)
    if loose[1] then
      list[2] = records.sql("ALTER OPERATOR FAMILY %s ADD %s", names.target(object),
        table.concat(loose, ", "))
    end
    return list
  end,
  changes = function(before, after)
    local old, new, out = {}, {}, {}
    for _, text in ipairs(members(before)) do
      old[text] = true
    end
    for _, text in ipairs(members(after)) do
      new[text] = true
    end
    local function add(word, list, known, say)
      local texts = {}
      for _, text in ipairs(list) do
        texts[#texts + 1] = not known[text] and say(text) or nil
      end
      if texts[1] then
        out[#out + 1] = records.sql("ALTER OPERATOR FAMILY %s %s %s", names.target(after), word,
          table.concat(texts, ", "))
      end
    end
    add("DROP", members(before), new, member_key)
    add("ADD", members(after), old, function(text)
      return text
    end)
    return out
  end,
})

operators["operator class"] = raw.family({
  creation = function(object)
    local list = members(object)
    if object.storage then
      list[#list + 1] = "STORAGE " .. object.storage
    end
    local family = object.family:match("^operator family (.*) using ")
    return ("CREATE OPERATOR CLASS %s %sFOR TYPE %s USING %s FAMILY %s AS %s"):format(
      names.sql(object), object.default and "DEFAULT " or "", object.type,
      quote.ident(object.method), family, table.concat(list, ", "))
  end,
})

operators.cast = raw.family({
  creation = function(object)
    local way = object["function"] and "WITH FUNCTION " .. object["function"]
      or object.inout and "WITH INOUT" or "WITHOUT FUNCTION"
    return clause.words("CREATE CAST", names.target(object), way,
      object.context and "AS " .. object.context:upper())
  end,
})

operators.transform = raw.family({
  creation = function(object)
    local out = {}
    out[1] = object.from_sql and "FROM SQL WITH FUNCTION " .. object.from_sql or nil
    out[#out + 1] = object.to_sql and "TO SQL WITH FUNCTION " .. object.to_sql or nil
    return ("CREATE TRANSFORM %s (%s)"):format(names.target(object), table.concat(out, ", "))
  end,
})

operators.conversion = raw.family({
  creation = function(object)
    return clause.words("CREATE", object.default and "DEFAULT", "CONVERSION", names.sql(object),
      "FOR", quote.string(object.from), "TO", quote.string(object.to), "FROM", object["function"])
  end,
})

operators.collation = raw.family({
  aside = true,
  creation = function(object)
    local out = { "provider = " .. object.provider }
    local function add(word, text)
      out[#out + 1] = text and word .. " = " .. text or nil
    end
    local is_libc = object.provider == "libc"
    add("locale", not is_libc and object.locale and quote.string(object.locale))
    add("locale", not is_libc and not object.locale and object.collate
      and quote.string(object.collate))
    add("lc_collate", is_libc and quote.string(object.collate))
    add("lc_ctype", is_libc and quote.string(object.ctype))
    add("deterministic", object.nondeterministic and "false")
    add("rules", object.rules and quote.string(object.rules))
    return ("CREATE COLLATION %s (%s)"):format(names.sql(object), table.concat(out, ", "))
  end,
})

operators.language = raw.family({
  creation = function(object)
    return clause.words("CREATE", object.trusted and "TRUSTED", "LANGUAGE", names.sql(object),
      object.handler and "HANDLER " .. object.handler,
      object.inline and "INLINE " .. object.inline,
      object.validator and "VALIDATOR " .. object.validator)
  end,
})

operators["access method"] = raw.family({
  creation = function(object)
    return ("CREATE ACCESS METHOD %s TYPE %s HANDLER %s"):format(names.sql(object),
      object.type:upper(), object.handler)
  end,
})

return operators
