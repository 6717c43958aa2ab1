--- The built-in types that are not ordered like numbers, as makers (ordinals.lua says what a maker
-- is). `is_text`: of a text type, with its `limit` in characters; `size`: few values. Pure.

local documents = require("luamig.generate.documents")
local texts = require("luamig.generate.texts")

local scalars = {}

---@param values string[]
function scalars.list(values)
  return {
    size = #values, edges = {}, values = values,
    value = function(i)
      return values[i % #values + 1]
    end,
  }
end

local function text(limit, options)
  return {
    is_text = true,
    limit = limit,
    edges = texts.edges({ limit = limit, is_ascii = options.is_ascii }),
    short_edges = texts.edges({ limit = limit, is_ascii = options.is_ascii, is_short = true }),
    size = limit and limit < 4 and 36 ^ limit // 1 or nil,
    value = function(i, rng)
      return texts.value(i, rng, limit)
    end,
  }
end

-- Counted values from one format, whose numbers a function makes of i.
local function made(edges, value)
  return { edges = edges, value = value }
end

local function bytes(i)
  return i >> 16 & 255, i >> 8 & 255, i & 255
end

local function bits(i, count)
  local out = {}
  for place = count - 1, 0, -1 do
    out[#out + 1] = i >> place & 1
  end
  return table.concat(out)
end

local function fixed_bits(count)
  local maker = made({ ("0"):rep(count), ("1"):rep(count) }, function(i)
    return ("0"):rep(count - 32) .. bits(i, math.min(count, 32))
  end)
  maker.size = count < 16 and 1 << count or nil
  return maker
end

local function varying_bits(count)
  local width = math.min(count or 24, 24)
  local maker = made({ "", ("1"):rep(width) }, function(i)
    return bits(i, width)
  end)
  maker.size = width < 16 and 1 << width or nil
  return maker
end

local function formatted(format, edges, numbers)
  return function()
    return made(edges, function(i)
      return format:format(numbers(i))
    end)
  end
end

local function one(i)
  return i
end

local function twice(i)
  return i, i
end

local function box(i)
  return i * 10 + 5, 5, i * 10, 0
end

-- Names that every server has.
local function listed(...)
  local values = { ... }
  return function()
    return scalars.list(values)
  end
end

local makers = {
  boolean = listed("true", "false"),
  text = function(_, options)
    return text(nil, options)
  end,
  ["character varying"] = function(modifiers, options)
    return text(modifiers[1], options)
  end,
  character = function(modifiers, options)
    return text(modifiers[1] or 1, options)
  end,
  bpchar = function(_, options)
    return text(nil, options)
  end,
  name = function(_, options)
    return text(20, options)
  end,
  refcursor = function(_, options)
    return text(20, options)
  end,
  ['"char"'] = listed("a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k", "l", "m", "n", "o"),
  bytea = function()
    local maker = made({ "\\x", "\\x00ff5c27", "\\x" .. ("00deadbeef"):rep(600) }, function(i, rng)
      return ("\\x%08x%04x"):format(i & 0xffffffff, rng:int(0, 0xffff))
    end)
    maker.short_edges = { "\\x", "\\x00ff5c27" }
    maker.is_bytes = true
    return maker
  end,
  uuid = function()
    return made({
      "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff",
    }, function(_, rng)
      local high, low = rng:next(), rng:next()
      return ("%08x-%04x-4%03x-%04x-%012x"):format(high >> 32, high >> 16 & 0xffff, high & 0xfff,
        low >> 48 & 0x3fff | 0x8000, low & 0xffffffffffff)
    end)
  end,
  inet = formatted("10.%d.%d.%d",
    { "0.0.0.0/0", "::1", "2001:db8::1/64", "192.168.1.5/24", "255.255.255.255" }, bytes),
  cidr = formatted("10.%d.%d.%d/32", { "0.0.0.0/0", "2001:db8::/64", "192.168.1.0/24" }, bytes),
  macaddr = formatted("08:00:2b:%02x:%02x:%02x", { "00:00:00:00:00:00", "ff:ff:ff:ff:ff:ff" },
    bytes),
  macaddr8 = formatted("08:00:2b:01:02:%02x:%02x:%02x", { "ff:ff:ff:ff:ff:ff:ff:ff" }, bytes),
  bit = function(modifiers)
    return fixed_bits(modifiers[1] or 1)
  end,
  ["bit varying"] = function(modifiers)
    return varying_bits(modifiers[1])
  end,
  json = function()
    return documents.maker("object")
  end,
  jsonb = function()
    return documents.maker("object")
  end,
  jsonpath = formatted("$.\"a\".\"k%d\"", { "$", "$[*] ? (@ > 1)" }, one),
  xml = formatted("<entry id=\"%d\">text &amp; more</entry>",
    { "<a/>", "<a b=\"it's\">é &lt; 漢</a>", "<!-- none --><b><c/></b>" }, one),
  tsvector = formatted("'amber':1 'w%d':2", { "", "'it''s':1A,2 'Ünï':3" }, one),
  tsquery = formatted("'amber' & 'w%d'", { "", "!'a' | ('b' <-> 'c')" }, one),
  point = formatted("(%d,%d.5)", { "(0,0)", "(-1.5,1e-07)" }, twice),
  line = formatted("{1,-1,%d}", { "{0,1,0}" }, one),
  lseg = formatted("[(%d,0),(%d,1)]", { "[(0,0),(0,0)]" }, twice),
  box = function()
    local maker = formatted("(%d,%d),(%d,%d)", { "(0,0),(0,0)" }, box)()
    maker.delimiter = ";"
    return maker
  end,
  path = formatted("((0,0),(1,%d),(2,0))", { "[(0,0),(1,1)]", "((0,0))" }, one),
  polygon = formatted("((%d,0),(%d,5),(%d,0))", { "((0,0))" }, function(i)
    return i * 10, i * 10 + 2, i * 10 + 5
  end),
  circle = formatted("<(%d,0),2>", { "<(0,0),0>" }, function(i)
    return i * 10
  end),
  ["time with time zone"] = formatted("%02d:%02d:%02d+02",
    { "00:00:00-15:59", "24:00:00+00", "23:59:59.999999+14" }, function(i)
      return i // 3600 % 24, i // 60 % 60, i % 60
    end),
  pg_lsn = formatted("0/%X", { "FFFFFFFF/FFFFFFFF", "0/0" }, function(i)
    return i * 4096
  end),
  pg_snapshot = formatted("%d:%d:", { "10:20:10,14,15" }, function(i)
    return i + 1, i + 1
  end),
  txid_snapshot = formatted("%d:%d:", { "10:20:10,14,15" }, function(i)
    return i + 1, i + 1
  end),
  tid = formatted("(%d,1)", { "(0,0)" }, one),
  int2vector = formatted("1 2 %d", { "" }, function(i)
    return i % 30000
  end),
  oidvector = formatted("1 2 %d", { "" }, one),
  regclass = listed("pg_catalog.pg_class", "pg_catalog.pg_type", "pg_catalog.pg_proc"),
  regtype = listed("integer", "text", "timestamp with time zone"),
  regproc = listed("pg_catalog.now", "pg_catalog.pi", "pg_catalog.version"),
  regprocedure = listed("pg_catalog.now()", "pg_catalog.abs(integer)"),
  regoper = listed("pg_catalog.||/", "pg_catalog.|/"),
  regoperator = listed("pg_catalog.+(integer,integer)", "pg_catalog.=(text,text)"),
  regnamespace = listed("pg_catalog", "information_schema"),
  regrole = listed("pg_monitor", "pg_signal_backend", "pg_read_all_stats"),
  regcollation = listed('pg_catalog."C"', 'pg_catalog."POSIX"'),
  regconfig = listed("pg_catalog.simple", "pg_catalog.english"),
  regdictionary = listed("pg_catalog.simple", "pg_catalog.english_stem"),
  regdatabase = listed("template1", "postgres"),
  aclitem = listed("pg_monitor=r/pg_monitor", "=r/pg_monitor"),
}

---The maker of a built-in type, or nil.
---@param name string  as format_type writes it, without typmod
---@param modifiers integer[]
---@param options { is_ascii?: boolean }
---@return table|nil
function scalars.maker(name, modifiers, options)
  local make = makers[name]
  return make and make(modifiers, options)
end

return scalars
