--- Foreign data wrappers, servers and user mappings.

local clause = require("luamig.clause")
local names = require("luamig.diff.names")
local quote = require("luamig.quote")
local raw = require("luamig.diff.raw")
local records = require("luamig.diff.records")

local foreign = {}

local function changed(before, after, text)
  local options = records.foreign_option_changes(before.options, after.options)
  local words = clause.words(text, options)
  return words ~= "" and {
    records.sql("ALTER %s %s %s", names.noun(after.kind), names.target(after), words),
  } or {}
end

local function wrapper_function(word, name)
  return name and word .. " " .. name or "NO " .. word
end

foreign["foreign data wrapper"] = raw.family({
  fields = { options = true, handler = true, validator = true },
  creation = function(object)
    return clause.words("CREATE FOREIGN DATA WRAPPER", names.sql(object),
      object.handler and "HANDLER " .. object.handler,
      object.validator and "VALIDATOR " .. object.validator,
      records.foreign_options(object.options))
  end,
  changes = function(before, after)
    return changed(before, after, clause.words(
      before.handler ~= after.handler and wrapper_function("HANDLER", after.handler),
      before.validator ~= after.validator and wrapper_function("VALIDATOR", after.validator)))
  end,
})

foreign.server = raw.family({
  fields = { options = true, version = true },
  creation = function(object)
    return clause.words("CREATE SERVER", names.sql(object),
      object.type and "TYPE " .. quote.string(object.type),
      object.version and "VERSION " .. quote.string(object.version),
      "FOREIGN DATA WRAPPER", quote.ident(object.wrapper),
      records.foreign_options(object.options))
  end,
  changes = function(before, after)
    return changed(before, after, before.version ~= after.version
      and "VERSION " .. (after.version and quote.string(after.version) or "NULL"))
  end,
})

local function has_secret(options)
  for _, text in pairs(options or {}) do
    if text:find("^sha256:") then
      return true
    end
  end
  return false
end

-- Of a password the snapshot has a digest only: enough to see that it differs.
local function without_secrets(object)
  local options = {}
  for name, text in pairs(object.options or {}) do
    options[name] = not text:find("^sha256:") and text or nil
  end
  return setmetatable({ options = options }, { __index = object })
end

local function say_secret(plan, identity)
  plan:cannot(identity, "its password: only a digest of it is known")
end

foreign["user mapping"] = raw.family({
  fields = { options = true },
  creation = function(object, plan)
    if has_secret(object.options) then
      say_secret(plan, "user mapping " .. names.target(object):lower())
    end
    return clause.words("CREATE USER MAPPING", names.target(object),
      records.foreign_options(without_secrets(object).options))
  end,
  changes = function(before, after, plan)
    for name, text in pairs(after.options or {}) do
      if text:find("^sha256:") and (before.options or {})[name] ~= text then
        say_secret(plan, "user mapping " .. names.target(after):lower())
      end
    end
    return changed(without_secrets(before), without_secrets(after))
  end,
})

return foreign
