local batch_spec = require("luamig.batch_spec")
local op = require("luamig.op")
local render = require("luamig.backfill.render")

local function column(name, type, more)
  local out = { name = name, type = type, base_type = type, category = "N", has_array = true }
  for key, v in pairs(more or {}) do
    out[key] = v
  end
  return out
end

local function target(key, columns, more)
  local out = {
    written = "orders", name = "app.orders", alias = "orders", key = key,
    operator = "OPERATOR(pg_catalog.%s)", is_ctid = false, columns = {},
  }
  for _, each in ipairs(key) do
    out.columns[each.name] = each
  end
  for _, each in ipairs(columns or {}) do
    out.columns[each.name] = each
  end
  for name, v in pairs(more or {}) do
    out[name] = v
  end
  return out
end

-- The table and the bound as people would read them.
local function shown(text)
  return (text:gsub("\1", "<table>"):gsub("\2", "<after>"):gsub("OPERATOR%(pg_catalog%.(%S-)%)",
    "%1"):gsub("pg_catalog%.", ""):gsub("%s+", " "))
end

local id = column("id", "bigint")

describe("the SQL of a batch", function()
  it("is one UPDATE of a range of the key", function()
    local texts = render.texts(target({ id }), batch_spec.check("x", {
      table = "orders", set = { a = op.sql("lower(b)") }, remaining = "a IS NULL",
    }), 50)
    assert.equal("UPDATE <table> AS orders SET a = (lower(b)) WHERE orders.id <after> "
      .. "($1::text[])[1]::bigint AND orders.id <= ($2::text[])[1]::bigint AND (a IS NULL)",
      shown(texts.work))
    assert.equal("VACUUM (SKIP_LOCKED) app.orders", texts.vacuum)
    assert.equal(">", shown(texts.after))
    assert.equal(">=", shown(texts.from))
    assert.equal("SELECT ARRAY[trunc((($1::text[])[1]::numeric + ($2::text[])[1]::numeric) / 2)"
      .. "::text] AS key", shown(texts.middle))
  end)

  it("computes the end of a batch only for integers all of whose rows are worked on", function()
    local function stride_of(key, given)
      given.table = "orders"
      return render.texts(target(key), batch_spec.check("x", given), 50).stride
    end
    assert.equal("SELECT CASE WHEN s.upper < s.stop THEN ARRAY[s.upper::text] END AS key, "
      .. "NULL::int8 AS rows, $3::int8::float8 AS width FROM (SELECT ($1::text[])[1]::numeric + "
      .. "$3::int8::numeric AS upper, ($2::text[])[1]::numeric AS stop) AS s",
      shown(stride_of({ id }, { set = { a = 1 } })))
    assert.is_string(stride_of({ id }, { read = { "id" }, map = function() end }))
    assert.is_nil(stride_of({ id }, { set = { a = 1 }, remaining = "a IS NULL" }))
    assert.is_nil(stride_of({ id }, { sql = "DELETE FROM orders WHERE {range}" }))
    assert.is_nil(stride_of({ id, id }, { set = { a = 1 } }))
    assert.is_nil(stride_of({ column("day", "date") }, { set = { a = 1 } }))
  end)

  it("compares keys of several columns as rows", function()
    local texts = render.texts(target({ id, column("day", "date") }), batch_spec.check("x", {
      table = "orders", set = { a = 1 },
    }), 50)
    assert.equal("UPDATE <table> AS orders SET a = 1 WHERE ROW(orders.id, orders.day) <after> "
      .. "ROW(($1::text[])[1]::bigint, ($1::text[])[2]::date) AND ROW(orders.id, orders.day) <= "
      .. "ROW(($2::text[])[1]::bigint, ($2::text[])[2]::date)", shown(texts.work))
    assert.matches("ARRAY[found.id::text, (to_jsonb(found.day) #>> '{}')]", shown(texts.probe), 1,
      true)
    assert.is_nil(texts.middle)
  end)

  it("puts the range into a statement, for each alias", function()
    local texts = render.texts(target({ id }), batch_spec.check("x", {
      table = "orders", sql = "DELETE FROM {table} o WHERE {range:o} OR {range}",
    }), 50)
    assert.equal("DELETE FROM <table> o WHERE (o.id <after> ($1::text[])[1]::bigint AND o.id <= "
      .. "($2::text[])[1]::bigint) OR (id <after> ($1::text[])[1]::bigint AND id <= "
      .. "($2::text[])[1]::bigint)", shown(texts.work))
  end)

  local map = function() end
  local raw, cents = column("raw", "text"), column("cents", "bigint")

  it("reads only the named columns, and a column of the key once", function()
    local spec = batch_spec.check("x", { table = "orders", read = { "raw", "id" }, map = map })
    local orders = target({ id }, { raw })
    assert.equal("SELECT orders.raw, orders.id FROM <table> AS orders WHERE orders.id <after> "
      .. "($1::text[])[1]::bigint AND orders.id <= ($2::text[])[1]::bigint ORDER BY orders.id",
      shown(render.texts(orders, spec, 50).read))
    assert.same({ { 1 }, 0 }, { render.key_places(orders, spec) })
    spec.read = { "raw" }
    assert.matches("^SELECT orders.id::text AS luamig_key_1, orders.raw FROM",
      shown(render.texts(orders, spec, 50).read))
    assert.same({ { 0 }, 1 }, { render.key_places(orders, spec) })
  end)

  it("writes changed rows back by arrays, joined on the key within the range", function()
    local spec = batch_spec.check("x", { table = "orders", read = { "raw" }, map = map })
    local orders = target({ id }, { raw, cents, column("tags", "text[]", { has_array = false }) })
    assert.equal("UPDATE <table> AS orders SET cents = v.c1, tags = v.c2::text[] FROM (SELECT "
      .. "unnest($1::bigint[]) AS k1, unnest($2::bigint[]) AS c1, unnest($3::text[]) AS c2 "
      .. "ORDER BY 1) AS v WHERE orders.id = v.k1 AND orders.id <after> ($4::text[])[1]::bigint "
      .. "AND orders.id <= ($5::text[])[1]::bigint",
      shown(render.write(orders, spec, { "cents", "tags" }, false)))
  end)

  it("compares what was read, when rows are not locked", function()
    local spec = batch_spec.check("x", { table = "orders", read = { "raw" }, map = map,
      consistency = "compare" })
    assert.equal("UPDATE <table> AS orders SET cents = v.c1 FROM (SELECT unnest($1::bigint[]) AS "
      .. "k1, unnest($2::bigint[]) AS c1, unnest($3::text[]) AS o1 ORDER BY 1) AS v WHERE "
      .. "orders.id = v.k1 AND orders.raw::text IS NOT DISTINCT FROM v.o1::text::text AND "
      .. "orders.id <after> ($4::text[])[1]::bigint AND orders.id <= ($5::text[])[1]::bigint",
      shown(render.write(target({ id }, { raw, cents }), spec, { "cents" }, true)))
  end)

  it("quotes names, and uses the operators of the key's own type", function()
    local orders = target({ column("Key", "ext.citext") }, {}, { alias = '"Order"',
      operator = "OPERATOR(ext.%s)" })
    local texts = render.texts(orders, batch_spec.check("x", { table = "Order", set = { a = 1 } }),
      50)
    assert.equal('UPDATE <table> AS "Order" SET a = 1 WHERE "Order"."Key" <after> '
      .. '($1::text[])[1]::ext.citext AND "Order"."Key" OPERATOR(ext.<=) '
      .. "($2::text[])[1]::ext.citext", shown(texts.work))
    assert.equal("OPERATOR(ext.>)", texts.after)
  end)

  it("leaves only the byte for the table and the one for the bound in its texts", function()
    for _, text in pairs(render.texts(target({ id }), batch_spec.check("x", { table = "orders",
      set = { a = 1 } }), 50)) do
      assert.is_nil(text:find("[\0\3-\9\11-\31]"))
    end
  end)
end)
