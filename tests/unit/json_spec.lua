local json = require("luamig.core.json")
local op = require("luamig.op")
local quote = require("luamig.quote")
local types = require("luamig.types")

local function back_and_forth(text)
  return types.json(json.decode(text))
end

describe("JSON", function()
  it("comes back as it was", function()
    for _, text in ipairs({
      "1", "-7", "9223372036854775807", "-9223372036854775808", "0.1", "3.141592653589793",
      "0.30000000000000004", "1.7976931348623157e+308", "true", "false", "null", '""',
      '"é 日本 😀"', '"a\\nb\\t\\"\\\\"', '"\\u0001"', "[]", "{}", '[[],{},[[]]]',
      '{"a":[1,null,"x"],"b":{"c":[]}}', ("["):rep(1000) .. ("]"):rep(1000),
    }) do
      assert.equal(text, back_and_forth(text))
    end
  end)

  it("is told in Lua's own types", function()
    local v = json.decode(' { "i" : 5 , "f" : 5.0, "e": 1e2, "n": null, "d": 1, "d": 2 } ')
    assert.equal("integer", math.type(v.i))
    assert.equal("float", math.type(v.f))
    assert.equal(100.0, v.e)
    assert.equal(op.null, v.n)
    assert.equal(2, v.d) -- the last one counts, as for jsonb
    assert.equal("é😀/\b\0", json.decode([["\u00E9\ud83d\ude00\/\b\u0000"]]))
    assert.equal("float", math.type(json.decode("9223372036854775808"))) -- beyond 64 bits
  end)

  it("keeps an empty array apart from an empty object until something is put in", function()
    local v = json.decode('{"a":[],"o":{}}')
    assert.equal('{"a":[],"o":{}}', types.json(v))
    v.a[1], v.o.x = 1, 2
    assert.equal('{"a":[1],"o":{"x":2}}', types.json(v))
    local other = json.decode("[]")
    other.x = 1
    assert.equal('{"x":1}', types.json(other))
    assert.equal("{}", types.json({}))
    assert.equal("[]", types.json(op.array({})))
  end)

  it("that is none, or cannot be told, is refused with its place", function()
    for _, text in ipairs({
      "", " ", "[", "[1,", "[1 2]", "[1,]", "{", '{"a"}', '{"a":}', '{"a":1,}', "{1:2}", '"abc',
      '"\\x"', '"\\u12"', '"\\', "tru", "nul", "1x", "-", "1 2", "--1", "'a'", "[]]",
    }) do
      assert.has_error(function()
        json.decode(text)
      end)
    end
    local ok, message = pcall(json.decode, [["a\ud800"]])
    assert.is_false(ok)
    assert.equal("the JSON value has half of a surrogate pair, which is no character, at byte 9",
      message)
    ok, message = pcall(json.decode, ("["):rep(1001) .. ("]"):rep(1001))
    assert.is_false(ok)
    assert.matches("nested more than 1000 levels deep", message)
  end)

  it("has the shortest form of a number that reads back as the same", function()
    assert.equal("0.1", quote.number_text(0.1))
    assert.equal("3.141592653589793", quote.number_text(math.pi))
    assert.equal("0.30000000000000004", quote.number_text(0.1 + 0.2))
    assert.equal("9007199254740993", quote.number_text(9007199254740993))
  end)
end)
