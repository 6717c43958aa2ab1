local difference = require("luamig.roundtrip.difference")

local words = { gone = "gone", new = "new", before = "was", after = "is" }

local function value(objects, unmodelled)
  for identity, object in pairs(objects) do
    object.kind = object.kind or identity:match("^%S+")
  end
  return { objects = objects, unmodelled = unmodelled or {} }
end

local function lines(before, after)
  return difference.lines(difference.list(value(before), value(after)), words)
end

describe("the difference of two snapshots", function()
  it("is nothing when they are alike, whatever the order of columns", function()
    local function columns(...)
      return { ["table a"] = { columns = { ... }, options = { fillfactor = "70" } } }
    end
    assert.same({}, lines(columns({ name = "x", type = "text" }, { name = "y", type = "int" }),
      columns({ name = "y", type = "int" }, { name = "x", type = "text" })))
  end)

  it("names objects that are gone or new, with their definition", function()
    assert.same({ "index i: gone (CREATE INDEX i ON t USING btree (a))",
      "view v: new (SELECT 1;)" },
      lines({ ["index i"] = { definition = "CREATE INDEX i\n  ON t USING btree (a)" } },
      { ["view v"] = { definition = "SELECT 1;" } }))
  end)

  it("does not list what is of an object that is told anyway", function()
    assert.same({ "table t: new" }, lines({}, {
      ["table t"] = { columns = { { name = "id" } } },
      ["constraint t_pkey on t"] = { parent = "table t" },
    }))
    assert.same({ "constraint c on t: new" }, lines({ ["table t"] = {} },
      { ["table t"] = {}, ["constraint c on t"] = { parent = "table t" } }))
  end)

  it("goes down to the field of a column", function()
    local found = difference.list(
      value({ ["table t"] = { columns = { { name = "a", type = "text" }, { name = "b" } } } }),
      value({ ["table t"] = { columns = { { name = "a", type = "text", default = "1" },
        { name = "c" } } } }))
    assert.same({
      { identity = "table t", path = "columns.a.default", after = "1" },
      { identity = "table t", path = "columns.b", before = { name = "b" } },
      { identity = "table t", path = "columns.c", after = { name = "c" } },
    }, found)
    assert.same({
      "table t: column a: default: was nothing, is 1",
      "table t: column b: gone",
      "table t: column c: new",
    }, difference.lines(found, words))
  end)

  it("shows values that are no text as JSON, and long ones shortened", function()
    assert.same({
      'enum e: labels: was ["a","b"], is ["a"]',
      'table t: acl: was nothing, is [{"grantee":"bob"}]',
      'table t: comment: was ' .. ("x"):rep(160) .. " …, is y",
      "table t: unlogged: was true, is nothing",
    }, lines({
      ["enum e"] = { labels = { "a", "b" } },
      ["table t"] = { unlogged = true, comment = ("x"):rep(161) },
    }, {
      ["enum e"] = { labels = { "a" } },
      ["table t"] = { acl = { { grantee = "bob" } }, comment = "y" },
    }))
  end)

  it("shows long texts from where they part", function()
    local body = ("é"):rep(100)
    assert.same({ "view v: definition: was … " .. ("é"):rep(21) .. "1, is … " .. ("é"):rep(21)
      .. "2" }, lines({ ["view v"] = { definition = body .. "1" } },
      { ["view v"] = { definition = body .. "2" } }))
  end)

  it("tells of objects that the snapshot does not describe", function()
    local found = difference.list(value({}), value({}, {
      { kind = "large object", name = "16402", why = "it has no definition" },
    }))
    assert.same({ "large object 16402: new" }, difference.lines(found, words))
  end)
end)
