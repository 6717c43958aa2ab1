-- Records as Lua source: what a person would write, and what reads back as the same record.

local op = require("luamig.op")
local record = require("support.record")
local source = require("luamig.source")

-- The source of what a function records.
local function written(fn)
  return source.calls(record.executor(fn).records)
end

local function read_back(text)
  return function()
    assert(load(text, "=source", "t", { op = op }))()
  end
end

local cases = {
  { "a call on one line", function()
    op.drop_table("users", { if_exists = true })
  end, [[op.drop_table("users", { if_exists = true })
]] },
  { "a list with options in it, one item a line", function()
    op.create_table("files", {
      op.column("id", "uuid", { primary_key = true, default = op.sql("gen_random_uuid()") }),
      op.column("user_id", "uuid", { nullable = false }),
      op.foreign_key({ "user_id" }, "users", { "id" }, { on_delete = "cascade" }),
      comment = "What users sent us",
    })
  end, [[
op.create_table("files", {
  op.column("id", "uuid", { primary_key = true, default = op.sql("gen_random_uuid()") }),
  op.column("user_id", "uuid", { nullable = false }),
  op.foreign_key({ "user_id" }, "users", { "id" }, { on_delete = "cascade" }),
  comment = "What users sent us",
})
]] },
  { "options that are too long, one a line", function()
    op.create_trigger("touch", "users", {
      timing = "before", events = { "insert", "update" }, for_each = "row", execute = "set_times",
      when = "new.a > 0",
    })
  end, [[
op.create_trigger("touch", "users", {
  timing = "before",
  events = { "insert", "update" },
  for_each = "row",
  execute = "set_times",
  when = "new.a > 0",
})
]] },
  { "texts of several lines between long brackets, their own indent kept", function()
    op.create_view("v", "SELECT id\n  FROM users", { comment = "x" })
  end, [==[
op.create_view("v", [[
SELECT id
  FROM users]], { comment = "x" })
]==] },
  { "long brackets that the text does not close", function()
    op.execute("SELECT a[b[1]]\nFROM t]")
  end, "op.execute([=[\nSELECT a[b[1]]\nFROM t]]=])\n" },
  { "texts that are too long in pieces", function()
    op.set_table_comment("users", ("word "):rep(30))
  end, [[
op.set_table_comment("users", "word word word word word word word word word word word word word "
  .. "word word word word word word word word word word word word word word word word word ")
]] },
  { "lines that are too long for long brackets in pieces", function()
    op.execute("SELECT 1\n" .. ("word "):rep(22))
  end, [[
op.execute("SELECT 1\n"
  .. "word word word word word word word word word word word word word word word word word word "
  .. "word word word word ")
]] },
  { "quotes that need the fewest backslashes", function()
    op.execute('SELECT "a"')
    op.execute([[SELECT "a" || 'b' || E'\n']])
  end, [[
op.execute('SELECT "a"')
op.execute("SELECT \"a\" || 'b' || E'\\n'")
]] },
  { "nil for a name that is left out, nothing behind the last argument", function()
    op.create_index(nil, "users", { "email" })
  end, [[op.create_index(nil, "users", { "email" })
]] },
  { "keys that are no names in brackets", function()
    op.alter_table_set("users", { with = { ["toast.autovacuum_enabled"] = false } })
  end, [[op.alter_table_set("users", { with = { ["toast.autovacuum_enabled"] = false } })
]] },
  { "op.none, op.null, arrays and JSON", function()
    op.alter_column("users", "a", { default = op.none })
    op.alter_column("users", "b", { default = op.null })
    op.alter_column("users", "c", { default = op.array({ "x", "y" }) })
    op.alter_column("users", "d", { default = op.json({ k = 1 }) })
  end, [[
op.alter_column("users", "a", { default = op.none })
op.alter_column("users", "b", { default = op.null })
op.alter_column("users", "c", { default = op.array({ "x", "y" }) })
op.alter_column("users", "d", { default = op.json({ k = 1 }) })
]] },
}

describe("the source of a record", function()
  for _, case in ipairs(cases) do
    it("shows " .. case[1], function()
      assert.equal(case[3], written(case[2]))
    end)

    it("reads back as the same: " .. case[1], function()
      assert.same(record.executor(case[2]):sql(), record.executor(read_back(case[3])):sql())
    end)
  end

  it("begins with the indent that is asked for, and its lines too", function()
    assert.equal("  op.create_table(\"t\", {})", source.call({
      op = "create_table", args = { name = "t", columns = {} },
    }, "  "))
  end)

  it("has lines of 100 columns at most", function()
    local text = written(function()
      op.create_table("a_table_with_quite_a_long_name_indeed", {
        op.column("a_column_with_quite_a_long_name", "character varying(255)",
          { nullable = false, default = "a default that is rather long" }),
        op.check(("some_condition > 0 AND "):rep(8) .. "true", { name = "a_check" }),
      })
    end)
    for line in text:gmatch("[^\n]+") do
      assert.is_true(#line <= 100, line)
    end
  end)
end)
