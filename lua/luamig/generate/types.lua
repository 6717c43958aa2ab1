--- Which values a column of a type can hold: texts of types (format_type's) resolved, with the
-- snapshot's own types, to makers (ordinals.lua says what a maker is). Pure.
--
-- WHAT IS KNOWN OF A TYPE
--   { maker =, base = text of the type under all domains, not_null =,
--     checks = { { name =, sql =, tree = }, … } of its domains; they call the value "value" }

local cells = require("luamig.generate.cells")
local containers = require("luamig.generate.containers")
local extensions = require("luamig.generate.extensions")
local logic = require("luamig.generate.logic")
local ordinals = require("luamig.generate.ordinals")
local quote = require("luamig.quote")
local scalars = require("luamig.generate.scalars")
local wishes = require("luamig.generate.wishes")

local types = {}

local World = {}
World.__index = World

-- ---- domains ----

---The condition in the definition of a CHECK.
---@param definition string  CHECK ((a > 0)) NO INHERIT NOT VALID
---@return string
function types.check_sql(definition)
  local text = definition:gsub(" NOT ENFORCED$", ""):gsub(" NOT VALID$", "")
    :gsub(" NO INHERIT$", "")
  return text:match("^CHECK %((.*)%)$") or text
end

-- The value of a domain inside an array or a composite, where no column's wish leads to it.
local function domain_maker(base, checks)
  if #checks == 0 then
    return base
  end
  local maker = setmetatable({ edges = {} }, { __index = base })
  function maker.value(i, rng)
    local wish = wishes.new({ value = { maker = base } })
    for _, check in ipairs(checks) do
      wish = wishes.sample(check.tree, wish, i) or wish
    end
    return cells.value(base, wish:of("value"), i, rng)
  end
  return maker
end

local function domain(self, object, identity)
  local under, why = self:describe(object.type)
  if not under then
    return nil, why
  end
  local checks = { table.unpack(under.checks) }
  for _, definition in ipairs(self.domain_checks[identity] or object.checks or {}) do
    local sql = types.check_sql(definition)
    checks[#checks + 1] = { name = identity, sql = sql, tree = logic.parse(sql) }
  end
  return {
    maker = under.maker, base = under.base, checks = checks,
    not_null = object.not_null or under.not_null,
  }
end

-- ---- other types of the database ----

local function plain(maker, text)
  return { maker = maker, base = text, checks = {} }
end

-- The maker of a part of another type.
local function part(self, type_text)
  local known, why = self:describe(type_text)
  return known and domain_maker(known.maker, known.checks), why
end

local function composite(self, object, text)
  local fields = {}
  for i, column in ipairs(object.columns) do
    local maker, why = part(self, column.type)
    if not maker then
      return nil, why
    end
    fields[i] = maker
  end
  return plain(containers.composite(fields), text)
end

local function range(self, subtype)
  local maker, why = part(self, subtype)
  if not maker then
    return nil, why
  end
  local made = containers.range(maker)
  return made, not made and "no range of " .. subtype .. " is known" or nil
end

local readers = {
  enum = function(_, object, text)
    if #(object.labels or {}) == 0 then
      return nil, text .. " is an enum without labels"
    end
    return plain(scalars.list(object.labels), text)
  end,
  domain = domain,
  composite = composite,
  table = composite,
  range = function(self, object, text)
    local maker, why = range(self, object.subtype)
    return maker and plain(maker, text), why
  end,
}

local kinds = { "enum", "domain", "composite", "range", "table" }

local function of_database(self, text)
  for _, kind in ipairs(kinds) do
    local identity = kind .. " " .. text
    local object = self.objects[identity]
    if object then
      if kind == "domain" then
        return domain(self, object, identity)
      end
      return readers[kind](self, object, text)
    end
  end
  local subtype = self.multiranges[text]
  if subtype then
    local maker, why = range(self, subtype)
    return maker and plain(containers.multirange(maker), text), why
  end
  return self:asked(text)
end

---What the server said of a type that is not in the snapshot.
function World:asked(text)
  local fact = self.facts[text]
  if not fact then
    self.unknown[text] = true
    return nil, "no value of type " .. text .. " is known"
  elseif fact.labels then
    return plain(scalars.list(fact.labels), text)
  elseif fact.type then
    return domain(self, fact, "domain " .. text)
  end
  return plain(scalars.list(fact.texts), text)
end

-- ---- built-in types ----

local ranges = {
  int4range = "integer", int8range = "bigint", numrange = "numeric", daterange = "date",
  tsrange = "timestamp without time zone", tstzrange = "timestamp with time zone",
}

local function modifiers_of(text)
  local list = {}
  for word in (text:match("%(([^()]*)%)") or ""):gmatch("[^,%s]+") do
    list[#list + 1] = math.tointeger(tonumber(word)) or word
  end
  return list
end

local function built_in(self, text)
  local name = text:gsub("%s*%([^()]*%)", "")
  local modifiers = modifiers_of(text)
  name = name:find("^interval") and "interval" or name
  local subtype, multi = ranges[name], ranges[name:gsub("multirange$", "range")]
  if subtype then
    return plain(range(self, subtype), text)
  elseif multi then
    return plain(containers.multirange(range(self, multi)), text)
  end
  local maker = ordinals.maker(name, modifiers) or scalars.maker(name, modifiers, self.options)
  return maker and plain(maker, text)
end

local function of_extension(self, text)
  local name = text:gsub("%s*%([^()]*%)$", "")
  local parts = quote.parts(name)
  local maker = parts and extensions.maker(parts[#parts], modifiers_of(text), self.options)
  return maker and plain(maker, text)
end

local function resolve(self, text)
  local element = text:match("^(.*)%[%]$")
  if element then
    local maker, why = part(self, element)
    return maker and plain(containers.array(maker), text), why
  end
  local known = built_in(self, text)
  if known then
    return known
  end
  local why
  known, why = of_database(self, text)
  return known or of_extension(self, text), why
end

---What is known of a type.
---@param text string  as format_type writes it
---@return table|nil known, string|nil why
function World:describe(text)
  local known = self.known[text]
  if known == nil then
    -- A type that holds itself has NULL there.
    self.known[text] = plain({ edges = {}, value = function() end }, text)
    local why
    known, why = resolve(self, text)
    self.known[text] = known or false
    self.whys[text] = why
    if known then
      self.unknown[text] = nil
    end
  end
  return known or nil, self.whys[text]
end

---The types of a database.
---@param value table  of luamig.snapshot
---@param options { is_ascii?: boolean, facts?: table<string, table> }  facts: what the server said
---  of types that are not in the snapshot: { labels } | { type, checks, not_null } | { texts }
function types.world(value, options)
  local world = setmetatable({
    objects = value.objects, options = options, facts = options.facts or {}, known = {}, whys = {},
    unknown = {}, multiranges = {}, domain_checks = {},
  }, World)
  for identity, object in pairs(value.objects) do
    if object.kind == "range" and object.multirange then
      world.multiranges[quote.ident(object.schema) .. "." .. quote.ident(object.multirange)] =
        object.subtype
    elseif object.kind == "constraint" and object.parent:find("^domain ") and
      object.type == "check" then
      local list = world.domain_checks[object.parent] or {}
      world.domain_checks[object.parent] = list
      list[#list + 1] = { identity = identity, definition = object.definition }
    end
  end
  for _, list in pairs(world.domain_checks) do
    table.sort(list, function(a, b)
      return a.identity < b.identity
    end)
    for i, entry in ipairs(list) do
      list[i] = entry.definition
    end
  end
  return world
end

---The types that the server must be asked about, sorted.
---@return string[]
function World:unknown_types()
  local out = {}
  for text in pairs(self.unknown) do
    out[#out + 1] = text
  end
  table.sort(out)
  return out
end

return types
