local pattern = require("luamig.generate.pattern")
local random = require("luamig.generate.random")

local function samples(kind, text)
  local rng, out = random.new(7), {}
  for i = 0, 19 do
    out[i + 1] = pattern.sample({ kind = kind, text = text }, rng, i)
  end
  return out
end

local function all_match(kind, text, lua_pattern)
  local list = samples(kind, text)
  assert.equal(20, #list, text)
  for _, sample in ipairs(list) do
    assert.is_truthy(sample:find(lua_pattern), ("%s made %q"):format(text, sample))
  end
end

describe("a text for a pattern", function()
  it("matches a regular expression", function()
    for text, lua_pattern in pairs({
      ["^[A-Z]{2}[0-9]{4}$"] = "^%u%u%d%d%d%d$",
      ["^\\d{3}-\\d{4}$"] = "^%d%d%d%-%d%d%d%d$",
      ["^[^@\\s]+@[^@\\s]+\\.[^@\\s]+$"] = "^[^@%s]+@[^@%s]+%.[^@%s]+$",
      ["^[A-Za-z0-9._%-]+@[a-z]+[.][a-z]{2,4}$"] = "^[%w._%%-]+@%l+%.%l%l%l?%l?$",
      ["^(?:\\+\\d{1,3} )?\\d+$"] = "^%+?%d+ ?%d*$",
      ["^[[:alpha:]][[:alnum:]_]*$"] = "^%a[%w_]*$",
      ["^[]a]+$"] = "^[%]a]+$",
      ["^[a-]+$"] = "^[a%-]+$",
      ["^\\w+\\s\\w+$"] = "^[%w_]+ [%w_]+$",
      ["^a.c$"] = "^a.c$",
      ["^x{2,}$"] = "^xx+$",
      ["^(ab|cd)+?$"] = "^[abcd]+$",
      ["(?i)^abc$"] = "^abc$",
      ["^\\.$"] = "^%.$",
      ["^é{2}$"] = "^éé$",
    }) do
      all_match("regex", text, lua_pattern)
    end
  end)

  it("takes every branch in turn", function()
    local seen = {}
    for _, sample in ipairs(samples("regex", "^(red|green|blue)$")) do
      seen[sample] = true
    end
    assert.same({ red = true, green = true, blue = true }, seen)
  end)

  it("matches LIKE and SIMILAR TO", function()
    all_match("like", "A\\_%_z", "^A_%l*%lz$")
    all_match("like", "%@%", "^%l*@%l*$")
    all_match("similar", "(a|b)%_", "^[ab]%l*%l$")
  end)

  it("is nil when the expression is not understood", function()
    for _, text in ipairs({
      "^(?=a)b$", "(a)\\1", "^[[.hyphen.]]$", "(", "[", "a)", "*", "a{3,2}",
    }) do
      assert.is_nil(pattern.sample({ kind = "regex", text = text }, random.new(1), 0), text)
    end
  end)
end)
