local builder = require("luamig.snapshot.builder")
local reader = require("luamig.snapshot.reader")
local scope = require("luamig.snapshot.scope")
local snapshot = require("luamig.snapshot")

local function value(objects)
  return { objects = objects or {}, unmodelled = {}, depends = {}, parts = {} }
end

describe("the places in a query", function()
  local function filled(template, options, version)
    return (scope.new(options or {}, version or 150000):sql(template):gsub("%s+", " "))
  end

  it("choose by version, also inside one another", function()
    local template = "SELECT {since 17 ? a.new : {since 15 ? a.old::text : NULL::text}} FROM a"
    assert.equal("SELECT NULL::text FROM a", filled(template, {}, 140023))
    assert.equal("SELECT a.old::text FROM a", filled(template, {}, 160000))
    assert.equal("SELECT a.new FROM a", filled(template, {}, 180004))
  end)

  it("may hold nothing", function()
    assert.equal("IN ('a')", filled("IN ('a'{since 17 ? , 'b' : })"))
    assert.equal("IN ('a', 'b')", filled("IN ('a'{since 17 ?, 'b' : })", {}, 170000))
  end)

  it("name schemas as constants", function()
    local sql = filled("{schemas}", { schemas = { "app", "it's" }, ignore = { "luamig" } })
    assert.matches("s.nspname IN ('app', 'it''s')", sql, 1, true)
    assert.matches("s.nspname NOT IN ('luamig')", sql, 1, true)
  end)

  it("read objects outside all schemas only when no schema is chosen", function()
    assert.equal("true", filled("{wide}"))
    assert.equal("false", filled("{wide}", { schemas = { "app" } }))
  end)
end)

describe("the queries of a snapshot", function()
  for major = 14, 18 do
    it("name every catalog and function with its schema on PostgreSQL " .. major, function()
      for _, sql in ipairs(reader.queries({}, major * 10000)) do
        assert.is_nil(sql:match("[{}]"))
        sql = sql:gsub("'[^']*'", "''")
        for word, name in sql:gmatch("(%u+)%s+(pg_[%w_]+)") do
          assert.is_true(not (word == "FROM" or word == "JOIN") or name == "pg_catalog", name)
        end
        for before, name in sql:gmatch("([%w_.]*)%f[%w_](%l[%w_]+)%(") do
          assert.equal("pg_catalog.", before, name)
        end
      end
    end)
  end
end)

describe("options of a catalog", function()
  it("become a table", function()
    assert.same({ fillfactor = "70", x = "a=b" }, builder.options({ "fillfactor=70", "x=a=b" }))
    assert.is_nil(builder.options(nil))
    assert.is_nil(builder.options({}))
  end)
end)

describe("two snapshots", function()
  local function table_of(...)
    return value({ ["table t"] = { kind = "table", columns = { ... } } })
  end

  it("are equal when everything in them is", function()
    assert.is_true(snapshot.equal(table_of({ name = "a" }), table_of({ name = "a" })))
    assert.is_false(snapshot.equal(table_of({ name = "a" }), table_of({ name = "b" })))
    assert.is_false(snapshot.equal(table_of({ name = "a" }), table_of({ name = "a", x = true })))
    assert.is_false(snapshot.equal(table_of({ name = "a" }), value()))
    assert.is_false(snapshot.equal(value(), table_of({ name = "a" })))
  end)

  it("differ by what is not modelled", function()
    local a = value()
    a.unmodelled = { { kind = "large objects", name = "owned by x", why = "1 of them" } }
    assert.is_false(snapshot.equal(a, value()))
  end)

  it("are compared without regard to the version they were read from", function()
    local a, b = value(), value()
    a.server_version, b.server_version = 140000, 180000
    assert.is_true(snapshot.equal(a, b))
    assert.equal(snapshot.fingerprint(a), snapshot.fingerprint(b))
  end)

  it("differ in the order of columns only when it counts", function()
    local a = table_of({ name = "a" }, { name = "b" })
    local b = table_of({ name = "b" }, { name = "a" })
    assert.is_false(snapshot.equal(a, b))
    assert.is_true(snapshot.equal(a, b, { column_order = false }))
    assert.equal("a", a.objects["table t"].columns[1].name)
    assert.is_false(snapshot.equal(a, table_of({ name = "b" }, { name = "c" }),
      { column_order = false }))
  end)

  it("have a mark that differs when they do", function()
    assert.equal(snapshot.fingerprint(table_of({ name = "a" })),
      snapshot.fingerprint(table_of({ name = "a" })))
    assert.not_equal(snapshot.fingerprint(table_of({ name = "a" })),
      snapshot.fingerprint(table_of({ name = "b" })))
    assert.not_equal(snapshot.fingerprint(value({ x = { acl = {} } })),
      snapshot.fingerprint(value({ x = {} })))
  end)
end)
