local fault = require("luamig.fault")
local ids = require("luamig.ids")
local moment = require("luamig.moment")
local slug = require("luamig.slug")

local noon = 1736596800 -- 2025-01-11 12:00:00 UTC

local function set(list)
  local out = {}
  for _, id in ipairs(list) do
    out[id] = true
  end
  return out
end

local function next_id(kind, taken, zone)
  return ids.next(kind, set(taken), moment.new({ timezone = zone or "UTC" }, noon))
end

local function message(...)
  local ok, f = pcall(...)
  assert.is_false(ok)
  assert.is_true(fault.is(f), tostring(f))
  return f.message, f.hint, f
end

describe("the next id in sequence", function()
  it("begins with 001", function()
    assert.equal("001", next_id("sequence", {}))
  end)

  it("follows the greatest number and keeps its width", function()
    assert.equal("003", next_id("sequence", { "001", "002" }))
    assert.equal("0011", next_id("sequence", { "0009", "0010" }))
    assert.equal("8", next_id("sequence", { "7", "3" }))
    assert.equal("1000", next_id("sequence", { "999" }))
  end)

  it("passes over hashes, also those that have no letter, and over moments", function()
    assert.equal("005", next_id("sequence", { "004", "856dac83d2e3", "123456789012" }))
    assert.equal("005", next_id("sequence", { "004", "20250111120000" }))
    assert.equal("001", next_id("sequence", { "856dac83d2e3" }))
  end)

  it("passes over a number that a label has", function()
    assert.equal("003", next_id("sequence", { "001", "2" }))
    assert.equal("011", next_id("sequence", { "009", "010", "x10" }))
  end)
end)

describe("other next ids", function()
  it("are 12 hexadecimal digits with a letter among them", function()
    local first, second = next_id("hash", {}), next_id("hash", {})
    assert.matches("^%x%x%x%x%x%x%x%x%x%x%x%x$", first)
    assert.matches("%a", first)
    assert.are_not.equal(first, second)
  end)

  it("are the moment in the project's time zone", function()
    assert.equal("20250111120000", next_id("timestamp", {}))
    assert.equal("20250111210000", next_id("timestamp", {}, "Asia/Tokyo"))
  end)

  it("are a second later when the moment is taken", function()
    assert.equal("20250111120002", next_id("timestamp", { "20250111120000", "20250111120001" }))
  end)
end)

describe("an id", function()
  it("may have letters of any script, digits, dots and underscores", function()
    for _, id in ipairs({ "001", "856dac83d2e3", "v1.2_3", "größe" }) do
      assert.is_true((pcall(ids.check, id, "revision id")), id)
    end
  end)

  it("names the characters that cannot be in it", function()
    local text, hint = message(ids.check, "a-b@c:d e/", "revision id")
    assert.equal("'a-b@c:d e/' is no revision id: it has '-' '@' ':' ' ' '/'", text)
    assert.equal("letters, digits, '_' and '.' may stand in it", hint)
    assert.equal("'a\nb' is no branch label: it has \\10", (message(ids.check, "a\nb",
      "branch label")))
  end)

  it("cannot be empty, begin with a dot, or be a word with a meaning", function()
    assert.equal("'' is no revision id: it is empty", (message(ids.check, "", "revision id")))
    assert.equal("'.a' is no revision id: it begins with '.'",
      (message(ids.check, ".a", "revision id")))
    for _, word in ipairs({ "head", "heads", "base", "current" }) do
      assert.equal(("'%s' is no branch label: the word has a meaning of its own"):format(word),
        (message(ids.check, word, "branch label")))
    end
    assert.equal("'\xff' is no revision id: it is not UTF-8",
      (message(ids.check, "\xff", "revision id")))
  end)

  it("has a length that fits, shorter in Alembic's table", function()
    assert.is_true((pcall(ids.check, ("a"):rep(64), "revision id")))
    assert.matches("it has 65 characters, and 64 fit$",
      (message(ids.check, ("a"):rep(65), "revision id")))
    assert.matches("it has 33 characters, and 32 fit$",
      (message(ids.check, ("a"):rep(33), "revision id", true)))
  end)
end)

describe("a moment", function()
  it("is written with the offset of the project's zone", function()
    assert.equal("2025-01-11 12:00:00+00:00", moment.new({ timezone = "UTC" }, noon):text())
    assert.equal("2025-01-11 17:30:00+05:30",
      moment.new({ timezone = "Asia/Kolkata" }, noon):text())
    assert.equal("2025-01-11 08:30:00-03:30",
      moment.new({ timezone = "America/St_Johns" }, noon):text())
  end)

  it("names a zone that is not known", function()
    local text, hint, f = message(moment.new, { timezone = "Mars/Olympus", file = "luamig.lua" })
    assert.equal("timezone 'Mars/Olympus' is not known", text)
    assert.matches("Europe/Berlin", hint)
    assert.equal("config", f.kind)
    assert.equal("luamig.lua", f.file)
  end)
end)

describe("a slug", function()
  it("is the words in lower case", function()
    assert.equal("add_email_to_users", slug.of("Add  email -- to: users!"))
    assert.equal("add_email", slug.of("add_email"))
    assert.equal("größe_ändern", slug.of("GRÖßE ändern"))
    assert.equal("таблица_日本語", slug.of("Таблица, 日本語"))
  end)

  it("is empty when there is no word", function()
    assert.equal("", slug.of("!!! — …"))
  end)

  it("is cut between words at 40 characters", function()
    assert.equal("a_very_long_message_that_goes_on_and_on",
      slug.of("a very long message that goes on and on and on"))
    assert.equal(("ä"):rep(40), slug.of(("ä"):rep(60)))
  end)
end)
