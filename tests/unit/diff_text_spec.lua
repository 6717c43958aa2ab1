-- The texts of the catalogs, read back: lists, keys, constants, names, casts.

local conversion = require("luamig.diff.conversion")
local enums = require("luamig.diff.enums")
local expression = require("luamig.diff.expression")
local key_text = require("luamig.diff.key_text")
local names = require("luamig.diff.names")
local partitions = require("luamig.diff.partitions")
local scan = require("luamig.diff.scan")
local value = require("luamig.value")

local function show(v)
  if value.is(v, "sql") then
    return "sql:" .. v.sql
  elseif type(v) == "table" then
    local keys, out = {}, {}
    for key in pairs(v) do
      keys[#keys + 1] = key
    end
    table.sort(keys, function(a, b)
      return tostring(a) < tostring(b)
    end)
    for i, key in ipairs(keys) do
      out[i] = math.type(key) and show(v[key]) or key .. "=" .. show(v[key])
    end
    return "{" .. table.concat(out, " ") .. "}"
  end
  return tostring(v)
end

describe("a list in a definition", function()
  it("is split outside brackets and quotes", function()
    assert.same({ "a integer", "b numeric(10,2)", "c text DEFAULT 'x,y''z'::text" },
      scan.split("a integer, b numeric(10,2), c text DEFAULT 'x,y''z'::text"))
    assert.same({ [["a,b" int]], "ARRAY[1, 2]", [[E'it\',s']], "$q$,$q$" },
      scan.split([["a,b" int, ARRAY[1, 2], E'it\',s', $q$,$q$]]))
    assert.same({}, scan.split(" "))
  end)

  it("gives what stands between brackets", function()
    local text = "CHECK ((a <> ')') AND (b > 0)) NO INHERIT"
    local inside, after = scan.inside(text, 7)
    assert.equal("(a <> ')') AND (b > 0)", inside)
    assert.equal(" NO INHERIT", text:sub(after))
  end)

  it("loses brackets around all of it, and no others", function()
    assert.equal("a > 0", scan.bare("((a > 0))"))
    assert.equal("(a > 0) AND (b > 0)", scan.bare("(a > 0) AND (b > 0)"))
  end)

  it("shows where a word stands outside brackets and quotes", function()
    assert.equal(1, (scan.word("WHERE x", "WHERE")))
    assert.equal(17, (scan.word("(a WHERE) 'WHERE' WHERE b", "WHERE") or 0) - 2)
    assert.is_nil(scan.word("SOMEWHERE WHEREVER", "WHERE"))
  end)
end)

describe("two statements", function()
  it("say the same with the same words in another order", function()
    assert.is_true(scan.same("CREATE INDEX i ON t (a) WHERE (b > 0) WITH (x=1)",
      "CREATE INDEX i ON t (a) WITH (x = 1) WHERE b > 0"))
  end)

  it("do not, when a word or a text differs", function()
    assert.is_false(scan.same("CREATE INDEX i ON t (a)", "CREATE UNIQUE INDEX i ON t (a)"))
    assert.is_false(scan.same("SELECT 'a b'", "SELECT 'b a'"))
    assert.is_false(scan.same("SELECT $$a b$$", "SELECT $$b a$$"))
  end)

  it("do, whatever the dollar quotes are called", function()
    assert.is_true(scan.same("AS $function$ BEGIN x; END $function$", "AS $$ BEGIN x; END $$"))
  end)
end)

describe("a key of an index", function()
  for text, expected in pairs({
    ["a"] = "a",
    ['"A b" DESC NULLS LAST'] = "{A b nulls=last order=desc}",
    ["lower(email)"] = "sql:lower(email)",
    ["(b + 1)"] = "sql:b + 1",
    ['a COLLATE "C" text_pattern_ops'] = "{a collation=C opclass=text_pattern_ops}",
    ["a app.my_ops (siglen='10')"] = "{a opclass=sql:app.my_ops (siglen='10')}",
  }) do
    it("is understood: " .. text, function()
      assert.equal(expected, show(key_text.keys(text)[1]))
    end)
  end
end)

describe("a default", function()
  for _, row in ipairs({
    { "0", "integer", "0" }, { "'-7'::integer", "integer", "-7" },
    { "'-1.5'::numeric", "numeric(10,2)", "-1.5" }, { "1.50", "numeric", "sql:1.50" },
    { "'x'::text", "text", "x" }, { "'it''s'::character varying", "character varying(9)", "it's" },
    { "'a'::app.mood", "app.mood", "a", true }, { "'a'::text", "app.other", "sql:'a'::text" },
    { "true", "boolean", "true" }, { "now()", "timestamp with time zone", "sql:now()" },
    { "('a'::text || 'b'::text)", "text", "sql:('a'::text || 'b'::text)" },
    { "12345678901234567890", "numeric", "sql:12345678901234567890" },
  }) do
    it(("%s of type %s is %s"):format(row[1], row[2], row[3]), function()
      assert.equal(row[3], show(expression.default(row[1], row[2], row[4])))
    end)
  end
end)

describe("a partition", function()
  for text, expected in pairs({
    ["DEFAULT"] = "{default=true}",
    ["FOR VALUES IN ('a', NULL)"] = "{values={a " .. tostring(value.null) .. "}}",
    ["FOR VALUES IN (1)"] = "{values=1}",
    ["FOR VALUES FROM ('2020-01-01') TO ('2021-01-01')"] = "{from=2020-01-01 to=2021-01-01}",
    ["FOR VALUES FROM (MINVALUE, 1) TO ('m', MAXVALUE)"]
      = "{from={sql:MINVALUE 1} to={m sql:MAXVALUE}}",
    ["FOR VALUES WITH (modulus 4, remainder 2)"] = "{modulus=4 remainder=2}",
  }) do
    it("holds " .. text, function()
      assert.equal(expected, show(partitions.bound(text)))
    end)
  end

  it("is split by keys", function()
    assert.equal("{range={at sql:lower(name)}}", show(partitions.by("RANGE (at, lower(name))")))
  end)
end)

describe("a name that PostgreSQL makes up", function()
  it("joins its parts", function()
    assert.equal("users_email_key", names.made_up("users", "email", "key"))
    assert.equal("users_pkey", names.made_up("users", nil, "pkey"))
  end)

  it("is cut to 63 bytes at the longer part", function()
    local name = names.made_up(("t"):rep(60), "abc", "idx")
    assert.equal(63, #name)
    assert.equal(("t"):rep(55) .. "_abc_idx", name)
  end)

  it("is cut between characters", function()
    assert.equal(("é"):rep(27) .. "_abc_idx", names.made_up(("é"):rep(30), "abc", "idx"))
  end)
end)

describe("a type", function()
  it("is written as people write it", function()
    assert.equal("varchar(20)", names.type("character varying(20)"))
    assert.equal("timestamptz(3)", names.type("timestamp(3) with time zone"))
    assert.equal("char(3)[]", names.type("character(3)[]"))
    assert.equal("app.mood", names.type("app.mood"))
  end)
end)

describe("values of a column that gets another type", function()
  local plan = {
    a = { objects = {} },
    b = { objects = { ["domain app.d"] = { type = "integer" } } },
  }
  for _, row in ipairs({
    { "integer", "bigint" }, { "integer", "text" }, { "character varying(10)", "text" },
    { "date", "timestamp with time zone" }, { "json", "jsonb" }, { "app.d", "bigint" },
    { "text", "integer", "c::integer" }, { "integer", "boolean", "c::boolean" },
    { "integer", "uuid", "c::text::uuid" }, { "app.mood", "app.other", "c::text::app.other" },
    { "integer", "integer[]", "c::text::integer[]" }, { "integer[]", "bigint[]" },
  }) do
    it(("from %s to %s: %s"):format(row[1], row[2], row[3] or "by themselves"), function()
      assert.equal(row[3], conversion.using(plan, "c", row[1], row[2]))
    end)
  end
end)

describe("values that get another type", function()
  local plan = { a = { objects = {} }, b = { objects = {} } }
  for _, row in ipairs({
    { "numeric(10,4)", "numeric(10,2)", true }, { "numeric", "numeric(10,2)", true },
    { "numeric(10,2)", "numeric(12,2)", false }, { "double precision", "integer", true },
    { "integer", "bigint", false }, { "bigint", "integer", false }, { "text", "uuid", false },
    { "timestamp with time zone", "date", true }, { "date", "timestamp without time zone", false },
    { "timestamp(6) without time zone", "timestamp(0) without time zone", true },
    { "json", "jsonb", true }, { "character varying(20)", "character varying(10)", false },
  }) do
    it(("%s something: %s to %s"):format(row[3] and "lose" or "do not lose", row[1], row[2]),
      function()
        assert.equal(row[3], conversion.loses(plan, row[1], row[2]))
      end)
  end
end)

describe("an enum", function()
  local function additions(before, after)
    local out = {}
    for i, record in ipairs(enums.additions("e", before, after)) do
      local args = record.args
      out[i] = args.value .. (args.before and " before " .. args.before or "")
        .. (args.after and " after " .. args.after or "")
    end
    return table.concat(out, ", ")
  end

  it("gets values in their places", function()
    assert.equal("a before b, c after b, e, f", additions({ "b", "d" },
      { "a", "b", "c", "d", "e", "f" }))
  end)

  it("is made anew when a value goes or moves", function()
    assert.is_true(enums.is_extended({ "a", "c" }, { "a", "b", "c" }))
    assert.is_false(enums.is_extended({ "a", "b" }, { "b", "a" }))
    assert.is_false(enums.is_extended({ "a", "b" }, { "a" }))
  end)
end)
