--- Types of well-known extensions, as makers, by their plain name; and texts to try on a type that
-- nothing is known of. Pure.

local scalars = require("luamig.generate.scalars")

local extensions = {}

local function made(edges, value)
  return { edges = edges, value = value }
end

local function numbers(count, i)
  local out = {}
  for place = 1, count do
    out[place] = (i + place) % 7 + place / 4
  end
  out[1] = i
  return table.concat(out, ",")
end

local function vector(modifiers)
  local count = modifiers[1] or 3
  return made({}, function(i)
    return "[" .. numbers(count, i) .. "]"
  end)
end

local shapes = {
  POINT = "POINT(%d 1.5)",
  LINESTRING = "LINESTRING(0 0,%d 1)",
  POLYGON = "POLYGON((0 0,0 4,%d 4,0 0))",
  MULTIPOINT = "MULTIPOINT((0 0),(%d 1))",
  MULTILINESTRING = "MULTILINESTRING((0 0,%d 1))",
  MULTIPOLYGON = "MULTIPOLYGON(((0 0,0 4,%d 4,0 0)))",
}

-- geometry(Point,4326)
local function geometry(modifiers)
  local shape = shapes[tostring(modifiers[1] or "Point"):upper()]
  local srid = modifiers[2] and ("SRID=%s;"):format(modifiers[2]) or ""
  return shape and made({}, function(i)
    return srid .. shape:format(i % 90 + 1)
  end)
end

local makers = {
  citext = function(_, options)
    return scalars.maker("text", {}, options)
  end,
  hstore = function()
    return made({ "", '"k"=>NULL', '"say \\"hi\\""=>"it\'s", "é"=>"漢"' }, function(i)
      return ('"name"=>"entry %d", "n"=>"%d"'):format(i, i)
    end)
  end,
  ltree = function()
    return made({ "", "top.a_b.c1" }, function(i)
      return "top.branch.n" .. i
    end)
  end,
  lquery = function()
    return made({ "*" }, function(i)
      return "top.*.n" .. i
    end)
  end,
  ltxtquery = function()
    return made({}, function(i)
      return "top & n" .. i
    end)
  end,
  cube = function()
    return made({ "(0,0),(1,1)" }, function(i)
      return ("(%d,1.5)"):format(i)
    end)
  end,
  seg = function()
    return made({ "1 .. 2" }, function(i)
      return tostring(i)
    end)
  end,
  query_int = function()
    return made({}, function(i)
      return "1&" .. i
    end)
  end,
  vector = vector,
  halfvec = vector,
  sparsevec = function(modifiers)
    return made({}, function(i)
      return ("{1:%d}/%d"):format(i + 1, modifiers[1] or 3)
    end)
  end,
  geometry = geometry,
  geography = geometry,
}

---@param name string  plain
---@param modifiers (integer|string)[]
---@param options { is_ascii?: boolean }
---@return table|nil
function extensions.maker(name, modifiers, options)
  local make = makers[name]
  return make and make(modifiers, options)
end

---Texts that the input function of one or another type takes.
extensions.texts = {
  "1", "0", "a", "", "{}", "[]", "(1,2)", "[1,2]", "{1,2}", "(1,2,3)", "1 .. 2", "1.5", "true",
  "a.b", "2001-02-03", "2001-02-03 04:05:06", "10.0.0.1", "POINT(1 2)", "978-0-393-04002-9",
  "0-393-04002-X", "9780393040029", "<a/>", "01", "a=>b", "1:2", "1/2", "(1,1),(2,2)", "USD 1",
}

return extensions
