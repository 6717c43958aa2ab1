-- The comparison of snapshots that are made by hand: order, parts, what is named and not done.

local diff = require("luamig.diff")
local source = require("luamig.source")

local function snapshot(objects, depends)
  local value = {
    server_version = 150000, objects = {}, depends = depends or {}, parts = {}, unmodelled = {},
  }
  for identity, object in pairs(objects) do
    value.objects[identity] = object
    for _, column in ipairs(object.columns or {}) do
      if type(column) == "table" then
        value.parts[("column public.%s.%s"):format(object.name, column.name)] = identity
      end
    end
  end
  return value
end

local function tbl(name, columns, more)
  local object = { kind = "table", schema = "public", name = name, columns = columns }
  for key, field in pairs(more or {}) do
    object[key] = field
  end
  return object
end

local function column(name, type_name, more)
  local out = { name = name, type = type_name or "integer" }
  for key, field in pairs(more or {}) do
    out[key] = field
  end
  return out
end

local function foreign_key(from, to)
  return {
    kind = "constraint", type = "foreign_key", schema = "public", name = from .. "_" .. to,
    parent = "table public." .. from, columns = { "id" },
    definition = ("FOREIGN KEY (id) REFERENCES public.%s(id)"):format(to),
    references = { table = "table public." .. to, columns = { "id" } },
  }
end

local function primary_key(name)
  return {
    kind = "constraint", type = "primary_key", schema = "public", name = name .. "_pkey",
    parent = "table public." .. name, columns = { "id" }, definition = "PRIMARY KEY (id)",
  }
end

local function lines(result)
  local out = {}
  for _, change in ipairs(result.changes) do
    out[#out + 1] = (source.calls(change.records):gsub("\n$", ""))
  end
  return out
end

local function between(a, b, options)
  options = options or {}
  options.plain_schema = "public"
  return diff.between(a, b, options)
end

local empty = snapshot({})

describe("the comparison", function()
  it("finds nothing between a value and itself", function()
    local value = snapshot({ ["table public.t"] = tbl("t", { column("a") }) })
    local result = between(value, value)
    assert.same({ changes = {}, unsupported = {}, notes = {} }, result)
  end)

  it("makes what is referred to first, whatever the names", function()
    local value = snapshot({
      ["table public.a"] = tbl("a", { column("id") }),
      ["table public.z"] = tbl("z", { column("id", nil, { not_null = true }) }),
      ["constraint z_pkey on public.z"] = primary_key("z"),
      ["constraint a_z on public.a"] = foreign_key("a", "z"),
    }, {
      ["constraint a_z on public.a"] = {
        ["constraint z_pkey on public.z"] = "normal", ["column public.z.id"] = "normal",
      },
    })
    assert.same({
      'op.create_table("z", { op.column("id", "integer", { primary_key = true }) })',
      'op.create_table("a", {\n  op.column("id", "integer"),\n'
        .. '  op.foreign_key({ "id" }, "z", { "id" }, { name = "a_z" }),\n})',
    }, lines(between(empty, value)))
  end)

  local function two_that_refer_to_each_other()
    local objects, depends = {}, {}
    for _, pair in ipairs({ { "a", "b" }, { "b", "a" } }) do
      local from, to = pair[1], pair[2]
      objects["table public." .. from] = tbl(from, { column("id") })
      local identity = ("constraint %s_%s on public.%s"):format(from, to, from)
      objects[identity] = foreign_key(from, to)
      depends[identity] = {
        ["column public." .. to .. ".id"] = "normal", ["column public." .. from .. ".id"] = "auto",
      }
    end
    return snapshot(objects, depends)
  end

  it("takes foreign keys out of tables that refer to each other", function()
    local made = lines(between(empty, two_that_refer_to_each_other()))
    assert.equal('op.create_foreign_key("a_b", "a", { "id" }, "b", { "id" })', made[3])
    assert.equal(3, #made)
  end)

  it("drops foreign keys before tables that refer to each other", function()
    local made = lines(between(two_that_refer_to_each_other(), empty))
    assert.same({
      'op.drop_constraint("a_b", "a")', 'op.drop_table("b")', 'op.drop_table("a")',
    }, made)
  end)

  it("says what is lost", function()
    local a = snapshot({ ["table public.t"] = tbl("t", { column("a"), column("b") }) })
    local b = snapshot({ ["table public.t"] = tbl("t", { column("a") }) })
    assert.equal("column b of t", between(a, b).changes[1].data_loss)
    assert.equal("table t", between(a, empty).changes[1].data_loss)
    assert.is_nil(between(b, a).changes[1].data_loss)
  end)

  it("names an order of columns that it cannot make", function()
    local a = snapshot({ ["table public.t"] = tbl("t", { column("a") }) })
    local b = snapshot({ ["table public.t"] = tbl("t", { column("b"), column("a") }) })
    local result = between(a, b)
    assert.same({
      { identity = "table public.t", what = "the order of its columns: a, b instead of b, a" },
    }, result.unsupported)
    result = between(a, b, { column_order = false })
    assert.equal(0, #result.unsupported)
    assert.equal(1, #result.notes)
  end)

  it("names a way of partitioning that it cannot change", function()
    local a = snapshot({ ["table public.t"] = tbl("t", { column("a") }) })
    local b = snapshot({
      ["table public.t"] = tbl("t", { column("a") }, { partition_by = "RANGE (a)" }),
    })
    local result = between(a, b)
    assert.equal(0, #result.changes)
    assert.equal("how it is partitioned: not at all instead of RANGE (a)",
      result.unsupported[1].what)
  end)

  it("notes what no snapshot describes", function()
    local b = snapshot({})
    b.unmodelled = { { kind = "large objects", name = "owned by bob", why = "2 of them" } }
    assert.same({ { identity = "large objects owned by bob", what = "2 of them" } },
      between(empty, b).notes)
  end)

  for _, switch in ipairs({
    { "owners", { owner = "bob" } }, { "comments", { comment = "x" } },
    { "privileges", { acl = { { grantee = "bob", privileges = { "SELECT" } } } } },
    { "labels", { labels = { selinux = "x" } } },
  }) do
    it(("passes %s over when asked to"):format(switch[1]), function()
      local a = snapshot({ ["table public.t"] = tbl("t", { column("a") }, { owner = "eve" }) })
      local b = snapshot({ ["table public.t"] = tbl("t", { column("a") }, { owner = "eve" }) })
      for key, field in pairs(switch[2]) do
        b.objects["table public.t"][key] = field
      end
      assert.is_true(#between(a, b).changes > 0)
      assert.equal(0, #between(a, b, { [switch[1]] = false }).changes)
    end)
  end

  it("gives an owner only where one is said", function()
    local a = snapshot({ ["table public.t"] = tbl("t", { column("a") }, { owner = "eve" }) })
    local b = snapshot({ ["table public.t"] = tbl("t", { column("a") }) })
    assert.equal(0, #between(a, b).changes)
    assert.equal(0, #between(b, a, { role = "eve" }).changes)
  end)

  it("says the same every time", function()
    local objects = {}
    for i = 1, 30 do
      objects["table public.t" .. i] = tbl("t" .. i, { column("id") })
    end
    local first = lines(between(empty, snapshot(objects)))
    for _ = 1, 5 do
      assert.same(first, lines(between(empty, snapshot(objects))))
    end
  end)

  it("adds values to an enum, and makes it anew when one goes", function()
    local function enum(...)
      return snapshot({
        ["enum public.e"] = { kind = "enum", schema = "public", name = "e", labels = { ... } },
      })
    end
    assert.same({ 'op.add_enum_value("e", "b")' }, lines(between(enum("a"), enum("a", "b"))))
    assert.same({
      'op.rename_type("e", "e__old")\nop.create_enum("e", { "a" })', 'op.drop_type("e__old")',
    }, lines(between(enum("a", "b"), enum("a"))))
  end)
end)
