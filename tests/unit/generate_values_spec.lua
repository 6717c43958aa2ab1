local cells = require("luamig.generate.cells")
local logic = require("luamig.generate.logic")
local random = require("luamig.generate.random")
local texts = require("luamig.generate.texts")
local types = require("luamig.generate.types")
local wishes = require("luamig.generate.wishes")

local function world(objects, options)
  return types.world({ objects = objects or {} }, options or {})
end

local function maker(type_text, objects)
  local known, why = world(objects):describe(type_text)
  assert.is_truthy(known, why)
  return known.maker
end

-- A generator of numbers that are not random at all.
local least = {
  int = function(_, low)
    return low
  end,
  pick = function(_, list)
    return list[1]
  end,
}

-- What a wish makes of a type: the condition is about "a".
local function wish_of(type_text, condition, turn)
  local columns = { a = { maker = maker(type_text) }, b = { maker = maker(type_text) } }
  local taken = wishes.sample(logic.parse(condition), wishes.new(columns), turn or 0)
  return taken and taken:of("a"), columns.a.maker
end

local function values(type_text, condition, count)
  local out, rng = {}, random.new(3)
  for i = 0, (count or 30) - 1 do
    local wish, made = wish_of(type_text, condition, i)
    out[#out + 1] = cells.value(made, wish, i, rng)
  end
  return out
end

local function first(type_text, condition, count)
  return table.concat(values(type_text, condition, count), " ")
end

describe("a value of a type", function()
  it("is another one for each number", function()
    for _, type_text in ipairs({
      "integer", "bigint", "smallint", "numeric", "numeric(10,2)", "real", "double precision",
      "text", "character varying(20)", "character varying(3)", "date", "bytea", "uuid", "inet",
      "timestamp with time zone", "interval", "time without time zone", "macaddr", "jsonb", "xml",
      "integer[]", "daterange", "tstzmultirange", "point", "money", "bit(12)", "pg_lsn", "tsvector",
    }) do
      local seen, made = {}, maker(type_text)
      for i = 0, 299 do
        local text = made.value(i, random.new(i))
        assert.is_nil(seen[text], type_text .. " " .. text)
        seen[text] = true
      end
    end
  end)

  it("is the same for the same seed", function()
    local made = maker("text")
    assert.equal(made.value(7, random.new(1)), made.value(7, random.new(1)))
    assert.not_equal(made.value(7, random.new(1)), made.value(7, random.new(2)))
  end)

  it("reads back as the number that it is made from", function()
    for _, type_text in ipairs({
      "integer", "numeric(10,2)", "date", "timestamp without time zone", "interval",
      "time without time zone", "timestamp(3) with time zone",
    }) do
      local ordinal = maker(type_text).ordinal
      for i = 0, 50 do
        local text = maker(type_text).value(i * 7, random.new(i))
        assert.equal(text, ordinal.format(ordinal.parse(text)), type_text)
      end
    end
  end)

  it("knows the calendar", function()
    local ordinal = maker("date").ordinal
    assert.equal(0, ordinal.parse("1970-01-01"))
    assert.equal(11016, ordinal.parse("2000-02-29"))
    assert.equal("1969-12-31", ordinal.format(-1))
    assert.equal("2000-03-01", ordinal.format(11017))
    assert.is_nil(ordinal.parse("infinity"))
  end)

  it("has few where the type has few", function()
    local objects = { ["enum app.mood"] = { kind = "enum", labels = { "a", "b" } } }
    assert.equal(2, maker("boolean").size)
    assert.equal(8, maker("bit(3)").size)
    assert.equal(2, maker("app.mood", objects).size)
  end)

  local function columns(...)
    local out = {}
    for i, type_text in ipairs({ ... }) do
      out[i] = { name = "c" .. i, type = type_text }
    end
    return out
  end

  it("is of the parts of a composite, an array, a range, a domain", function()
    local objects = {
      ["composite app.pair"] = { kind = "composite", columns = columns("app.small", "text[]") },
      ["domain app.small"] = { kind = "domain", type = "integer" },
      ["constraint c on app.small"] = {
        kind = "constraint", type = "check", parent = "domain app.small",
        definition = "CHECK ((VALUE > 10))",
      },
      ["range app.r"] = {
        kind = "range", schema = "app", subtype = "integer", multirange = "r_multi",
      },
    }
    local function made(type_text)
      return maker(type_text, objects).value(0, least)
    end
    assert.equal("11", made("app.small[]"):match("%d+"))
    assert.equal([[("11","{\"amber 0\"}")]], made("app.pair"))
    assert.equal([[{"(\"11\",\"{\\\"amber 0\\\"}\")"}]], made("app.pair[]"))
    assert.equal('["1","6")', made("app.r"))
    assert.equal('{["1","6"),["11","16")}', made("app.r_multi"))
  end)

  it("is unknown where the server must be asked", function()
    local place = world()
    assert.is_nil(place:describe("app.odd"))
    assert.is_nil(place:describe("app.odd[]"))
    assert.is_truthy(place:describe("public.citext"))
    assert.same({ "app.odd" }, place:unknown_types())
    assert.same({ "x" }, world({}, { facts = { ["app.odd"] = { labels = { "x" } } } })
      :describe("app.odd").maker.values)
  end)

  it("is NULL in a type that holds itself", function()
    local objects = {
      ["composite app.node"] = { kind = "composite", columns = columns("integer", "app.node[]") },
    }
    assert.equal('("1","{}")', maker("app.node", objects).value(0, least))
  end)
end)

describe("a wished value", function()
  it("keeps to bounds, and reaches them", function()
    assert.equal("5 9 6 7 8 5", first("integer", "a BETWEEN 5 AND 9", 6))
    assert.equal("6 8 7 6", first("integer", "a > 5 AND a < 9", 4))
    assert.equal("5 6 7", first("integer", "a >= 5", 3))
    assert.equal("-6 -7 -8", first("integer", "a < -5", 3))
    assert.equal("0.50 0.60", first("numeric(5,2)", "a BETWEEN 0.5 AND 0.6", 2))
    assert.equal("2020-01-01 2020-01-31 2020-01-02", first("date",
      "a BETWEEN '2020-01-01' AND '2020-01-31'", 3))
  end)

  it("keeps to a narrow interval with more digits than are usual", function()
    for _, text in ipairs(values("numeric", "a > 0.0001 AND a < 0.0002")) do
      assert.is_true(tonumber(text) > 0.0001 and tonumber(text) < 0.0002, text)
    end
  end)

  it("walks through a wide interval without going astray", function()
    local condition = "a >= -9000000000000000000 AND a <= 9000000000000000000"
    for _, text in ipairs(values("bigint", condition, 200)) do
      local number = math.tointeger(tonumber(text))
      assert.is_true(number >= -9000000000000000000 and number <= 9000000000000000000, text)
    end
  end)

  it("is one of a list, not one that is refused", function()
    assert.equal("x y x", first("text", "a IN ('x', 'y')", 3))
    assert.equal("y y", first("text", "a IN ('x', 'y') AND a <> 'x'", 2))
    assert.equal("7 9", first("integer", "a IN (3, 7, 9) AND a > 5", 2))
    for _, text in ipairs(values("integer", "a NOT IN (1, 2, 3, 4, 5, 6, 7, 8, 9)")) do
      assert.is_true(tonumber(text) > 9, text)
    end
  end)

  it("leaves a remainder", function()
    assert.equal("105 110 115", first("integer", "a % 5 = 0 AND a > 100", 3))
    assert.equal("3 10 17", first("integer", "mod(a, 7) = 3", 3))
    assert.equal("9 6 3", first("integer", "a % 3 = 0 AND a < 10", 3))
  end)

  it("is before or after the present", function()
    assert.is_true(first("date", "a < CURRENT_DATE", 1) < "2000")
    assert.is_true(first("timestamp with time zone", "a > now()", 1) > "2099")
    assert.equal("1999-01-01", first("date", "extract(year FROM a) = 1999", 1))
  end)

  it("is a text as is asked", function()
    for condition, lua_pattern in pairs({
      ["length(a) = 4"] = "^....$",
      ["length(a) BETWEEN 2 AND 3"] = "^...?$",
      ["a = upper(a) AND a <> ''"] = "^[^%l]+$",
      ["a LIKE 'x-%' AND a LIKE '%-y'"] = "^x%-.*%-y$",
      ["a ~ '^[a-z]+$' AND length(a) = 8"] = "^%l%l%l%l%l%l%l%l$",
      ["position('@' in a) > 1"] = "^[^@]+@.",
      ["starts_with(a, '50%_')"] = "^50%%_",
      ["a > 'm'"] = "^m.",
      ["a !~ '[0-9]'"] = "^[^%d]+$",
      ["a !~ '\\s'"] = "^[^%s]+$",
      ["a = btrim(a) AND length(a) > 3"] = "^%S.*%S$",
    }) do
      for _, text in ipairs(values("text", condition)) do
        assert.is_truthy(text:find(lua_pattern), ("%s: %q"):format(condition, text))
      end
    end
  end)

  it("is a document with the members asked for", function()
    for condition, part in pairs({
      ["jsonb_typeof(a) = 'array'"] = "^%[",
      ["a ? 'name' AND a ->> 'kind' = 'x'"] = '"kind":"x".*"name"',
      ["(a ->> 'n')::int > 7"] = '"n":8',
      ["a #>> '{x,y}' = 'z'"] = '"x":{"y":"z"}',
      ["jsonb_typeof(a -> 'list') = 'array'"] = '"list":%[',
    }) do
      local text = first("jsonb", condition, 1)
      assert.is_truthy(text:find(part), condition .. " " .. text)
    end
  end)

  it("is an array, bytes or a range of the size asked for", function()
    for i, text in ipairs(values("integer[]", "cardinality(a) BETWEEN 2 AND 3")) do
      local _, commas = text:gsub(",", "")
      assert.equal(1 + (i - 1) % 2, commas, text)
    end
    assert.equal(2 + 2 * 16, #first("bytea", "octet_length(a) = 16", 1))
    assert.equal('["1","2")', first("int4range", "lower(a) >= 1 AND upper(a) <= 13", 1))
  end)

  it("takes every branch in turn, and none that contradicts", function()
    assert.equal("1 20 2", first("integer", "a = 1 OR a >= 20 AND a < 21 OR a = 2", 3))
    assert.equal("2 2", first("integer", "(a = 1 OR a = 2) AND a > 1", 2))
    assert.is_nil((wish_of("integer", "a > 5 AND a < 3")))
    assert.is_nil((wish_of("integer", "a IN (1, 2) AND a IN (3)")))
    assert.is_nil((wish_of("integer", "a IS NULL AND a IS NOT NULL")))
    assert.is_nil((wish_of("numeric", "a > 1 AND a <= 1")))
    assert.is_truthy((wish_of("integer", "a > 5 AND a < 7")))
  end)

  it("allows what fits of values made for others", function()
    local function admits(type_text, condition, text)
      local wish, made = wish_of(type_text, condition)
      return cells.admits(made, wish, text)
    end
    assert.is_true(admits("integer", "a > 5", "2147483647"))
    assert.is_falsy(admits("integer", "a > 5", "-1"))
    assert.is_true(admits("date", "a IS NOT NULL", "infinity"))
    assert.is_falsy(admits("date", "a > '2020-01-01'", "infinity"))
    assert.is_true(admits("text", "length(a) > 2", "O'Brien"))
    assert.is_falsy(admits("text", "length(a) > 2", ""))
    assert.is_falsy(admits("text", "a ~ '^x'", "xyz"))
  end)
end)

describe("a text that programs trip over", function()
  it("is as long as the column takes, in characters", function()
    for _, text in ipairs(texts.edges({ limit = 5 })) do
      assert.is_true(utf8.len(text) <= 5, text)
    end
    assert.equal("Ünïcö", texts.cut("Ünïcödé", 5))
  end)

  it("is very long once, unless an index must hold it", function()
    local function longest(options)
      local length = 0
      for _, text in ipairs(texts.edges(options)) do
        length = math.max(length, #text)
      end
      return length
    end
    assert.is_true(longest({}) > 3000)
    assert.is_true(longest({ is_short = true }) < 100)
  end)

  it("is in ASCII where nothing else can be stored", function()
    for _, text in ipairs(texts.edges({ is_ascii = true })) do
      assert.is_nil(text:find("[\128-\255]"), text)
    end
  end)
end)
