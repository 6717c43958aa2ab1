local computed = require("luamig.generate.computed")
local hints = require("luamig.generate.hints")
local layout = require("luamig.generate.layout")
local order = require("luamig.generate.order")
local rows = require("luamig.generate.rows")
local types = require("luamig.generate.types")
local units = require("luamig.generate.units")

-- A snapshot's value of tables: { t = { columns = "a integer, b text!", … } }; "!" is NOT NULL,
-- "+" a sequence. Each further entry is a constraint or an index.
local function value_of(tables)
  local objects = {}
  for name, spec in pairs(tables) do
    local identity, columns = "table app." .. name, {}
    for column, type_text, mark in spec[1]:gmatch("(%w+) ([%w ()%[%].]-)([!+]?),") do
      columns[#columns + 1] = {
        name = column, type = type_text, not_null = mark ~= "" or nil,
        default = mark == "+" and "nextval('app.s'::regclass)" or nil,
      }
    end
    objects[identity] = {
      kind = "table", schema = "app", name = name, columns = columns,
      partition_by = spec.partition_by, partition_of = spec.partition_of, bound = spec.bound,
    }
    for i = 2, #spec do
      local object = spec[i]
      object.kind, object.parent = object.kind or "constraint", identity
      object.name = object.name or "k" .. i
      object.definition = object.definition or ""
      objects[object.kind .. " " .. object.name .. " on app." .. name] = object
    end
  end
  return { objects = objects }
end

local function check(expression)
  return { type = "check", definition = "CHECK (" .. expression .. ")" }
end

local function key(...)
  return { type = "primary_key", columns = { ... } }
end

local function to(parent, columns, parent_columns)
  return {
    type = "foreign_key", columns = columns,
    references = { table = "table app." .. parent, columns = parent_columns or { "id" } },
  }
end

local function plan(tables, options)
  local value = value_of(tables)
  local list, unfilled = units.of(value, {
    world = types.world(value, {}), seed = options and options.seed or 1,
    bounds = options and options.bounds or {},
  })
  order.link(list)
  for _, unit in ipairs(list) do
    unit.want, unit.rows, unit.made = 5, 0, 0
  end
  local steps = order.steps(list)
  local by_name = {}
  for _, unit in ipairs(list) do
    layout.add(unit, 1)
    by_name[unit.name] = unit
  end
  hints.spread(steps)
  return by_name, steps, unfilled
end

local function names(steps)
  local out = {}
  for i, step in ipairs(steps) do
    local parts = {}
    for j, unit in ipairs(step.units) do
      parts[j] = unit.name
    end
    table.sort(parts)
    out[i] = (step.is_knot and "*" or "") .. table.concat(parts, "+")
  end
  return table.concat(out, " ")
end

local function cells(unit, column, options)
  local out = {}
  options = options or {}
  for i, candidate in ipairs(rows.candidates(unit, {
    count = options.count or 5, want = 5, round = options.round or 1, mode = options.mode,
  })) do
    out[i] = candidate.cells[column] or "NULL"
  end
  return out
end

describe("the order of tables", function()
  it("has what is referred to first", function()
    local _, steps = plan({
      a = { "id integer!, b integer,", to("b", { "b" }) },
      b = { "id integer!, c integer!,", to("c", { "c" }) },
      c = { "id integer!," },
    })
    assert.equal("c b a", names(steps))
  end)

  it("leaves a key that may be NULL for later, when it closes a circle", function()
    local tables, steps = plan({
      a = { "id integer!, b integer,", to("b", { "b" }) },
      b = { "id integer!, a integer!,", to("a", { "a" }) },
      t = { "id integer!, up integer,", to("t", { "up" }) },
    })
    assert.equal("a b t", names(steps))
    assert.is_true(tables.a.references[1].is_later)
    assert.is_true(tables.t.references[1].is_later)
    assert.is_nil(tables.b.references[1].is_later)
    assert.same({ "NULL", "NULL" }, { table.unpack(cells(tables.a, "b"), 1, 2) })
  end)

  it("has a knot where no key may be NULL", function()
    local tables, steps = plan({
      a = { "id integer!, b integer!,", to("b", { "b" }) },
      b = { "id integer+, a integer!,", to("a", { "a" }) },
      c = { "a integer!,", to("a", { "a" }) },
      s = { "id integer!, root integer!,", to("s", { "root" }) },
    })
    assert.equal("*a+b c *s", names(steps))
    assert.is_true(tables.a.references[1].is_inside)
  end)

  it("goes through partitions", function()
    local _, steps, unfilled = plan({
      p = { "id integer!,", partition_by = "LIST (id)" },
      q = { "id integer!,", partition_of = "table app.p" },
      r = { "p integer!,", to("p", { "p" }) },
      z = { "id integer!,", partition_by = "LIST (id)" },
    })
    assert.equal("q r", names(steps))
    assert.same({ { identity = "table app.z", why = "it has no partition" } }, unfilled)
  end)

  it("is that of a part, with what it needs", function()
    local value = value_of({
      a = { "id integer!," }, b = { "id integer!, a integer,", to("a", { "a" }) },
      c = { "id integer!," },
    })
    local list = units.of(value, { world = types.world(value, {}), seed = 1, bounds = {} })
    order.link(list)
    assert.equal("a b", names(order.steps(order.wanted(list, { "table app.b" }))))
  end)
end)

describe("a table to be filled", function()
  it("is left alone when a column's type is not known", function()
    local tables = plan({ t = { "a app.odd!, b integer," }, u = { "a app.odd, b integer," } })
    assert.equal("column a: no value of type app.odd is known", tables.t.why)
    assert.is_nil(tables.u.why)
    assert.equal(1, #tables.u.columns_out)
  end)

  it("gives no value to what a sequence fills, unless a condition speaks of it", function()
    local tables = plan({
      t = { "id integer+, b text!,", key("id") },
      u = { "id integer+, b text!,", check("id <> 7") },
      only = { "id integer+," },
    })
    assert.same({ "NULL" }, cells(tables.t, "id", { count = 1 }))
    local own = { { sql = "(nextval('app.s'::regclass))" } }
    assert.same(own, cells(tables.u, "id", { count = 1 }))
    assert.same(own, cells(tables.only, "id", { count = 1 }))
  end)

  it("keeps long texts out of indexed columns", function()
    local tables = plan({
      t = { "a text!, b text!,", { kind = "index", columns = { "a" } } },
    })
    local function longest(column)
      local length = 0
      for _, text in ipairs(cells(tables.t, column, { count = 40, mode = "varied" })) do
        length = math.max(length, #text)
      end
      return length
    end
    assert.is_true(longest("a") < 100)
    assert.is_true(longest("b") > 3000)
  end)

  it("takes columns that a condition computes", function()
    local tables = plan({
      t = {
        "a text!, hash text!, up text!,", check("(hash = md5(a))"),
        check("((up = upper(btrim(a))) AND (length(hash) = 32))"),
      },
    })
    assert.same({ { column = "hash", sql = " md5(a)", columns = { "a" } },
      { column = "up", sql = " upper(btrim(a))", columns = { "a" } } }, tables.t.computed)
  end)
end)

describe("a column that is computed", function()
  local function assigned(expression)
    local out = {}
    for i, assignment in ipairs(computed.assignments(expression)) do
      out[i] = assignment.column .. " :=" .. assignment.sql
    end
    return table.concat(out, "; ")
  end

  it("has the text of the other side", function()
    assert.equal("a := md5(b)", assigned("(a = md5(b))"))
    assert.equal("a :=(b || ')('::text) ", assigned("((b || ')('::text) = a)"))
    assert.equal([[a := f('it''s)', E'\')', "x)")]], assigned([[(a = f('it''s)', E'\')', "x)"))]]))
    assert.equal("a := f(b); c := g(d)", assigned("((a = f(b)) AND (c = g(d)))"))
    assert.equal("d := date_trunc('month', d)", assigned("(d = date_trunc('month', d))"))
  end)

  it("is none where the condition is understood, or not always true", function()
    assert.equal("", assigned("(a = 5)"))
    assert.equal("", assigned("(a = b)"))
    assert.equal("", assigned("(a > f(b))"))
    assert.equal("", assigned("((a = f(b)) OR (c > 1))"))
    assert.equal("", assigned("(f(a) = f(b))"))
    assert.equal("", assigned("not = sql"))
  end)
end)

describe("candidates", function()
  it("are the same for the same seed", function()
    local spec = { t = { "a text!, b integer!, c date," } }
    local first, again, other = plan(spec), plan(spec), plan(spec, { seed = 2 })
    assert.same(cells(first.t, "a"), cells(again.t, "a"))
    assert.not_same(cells(first.t, "a"), cells(other.t, "a"))
  end)

  it("keep columns that are compared in order", function()
    local tables = plan({
      t = { "a date!, b date!, c date!,", check("a < b"), check("b <= c") },
      u = {
        "s timestamp with time zone!, e timestamp with time zone!,",
        check("e >= s + '01:00:00'::interval AND e <= s + '08:00:00'::interval"),
      },
      v = { "x integer!, y integer!, z integer!,", check("x + y + z = 100"), check("x >= 0") },
      w = { "low integer!, high integer!,", check("low < high"), check("high <= 3") },
    })
    for _, candidate in ipairs(rows.candidates(tables.t, { count = 30, want = 5, round = 1 })) do
      local c = candidate.cells
      assert.is_true(c.a < c.b and c.b <= c.c, c.a .. " " .. c.b .. " " .. c.c)
    end
    for _, candidate in ipairs(rows.candidates(tables.u, { count = 30, want = 5, round = 1 })) do
      local ordinal = tables.u.by_name.s.maker.ordinal
      local hours = (ordinal.parse(candidate.cells.e) - ordinal.parse(candidate.cells.s)) / 3600e6
      assert.is_true(hours >= 1 and hours <= 8, tostring(hours))
    end
    for _, candidate in ipairs(rows.candidates(tables.v, { count = 30, want = 5, round = 1 })) do
      local c = candidate.cells
      assert.equal(100, tonumber(c.x) + tonumber(c.y) + tonumber(c.z))
    end
    for _, candidate in ipairs(rows.candidates(tables.w, { count = 30, want = 5, round = 1 })) do
      assert.is_true(tonumber(candidate.cells.low) < tonumber(candidate.cells.high))
      assert.is_true(tonumber(candidate.cells.high) <= 3)
    end
  end)

  it("count through the combinations of a key of few values", function()
    local tables = plan({
      a = { "id integer+,", key("id") },
      b = { "id integer+,", key("id") },
      t = {
        "a integer!, b integer!, c boolean!,", to("a", { "a" }), to("b", { "b" }),
        key("a", "b", "c"),
      },
    })
    local seen = {}
    for _, candidate in ipairs(rows.candidates(tables.t, { count = 50, want = 5, round = 1 })) do
      local picks = {}
      for i, reference in ipairs(tables.t.references) do
        picks[i] = candidate.picks[reference]
      end
      local combination = table.concat(picks, " ") .. " " .. candidate.cells.c
      assert.is_nil(seen[combination], combination)
      seen[combination] = true
    end
  end)

  it("take the bounds of a partition before other conditions", function()
    local tables = plan({
      p = { "k text, n integer!,", partition_by = "LIST (k)" },
      p1 = {
        "k text, n integer!,", check("k = 'a' OR k = 'b' OR n > 5"), partition_of = "table app.p",
      },
    }, { bounds = { ["table app.p1"] = "((k IS NOT NULL) AND (k = 'b'::text))" } })
    assert.same({ "b", "b", "b", "b", "b" }, cells(tables.p1, "k"))
  end)

  it("have the values that another table waits for", function()
    local tables = plan({
      tenant = { "id integer!,", key("id") },
      p = { "tenant integer!,", partition_by = "LIST (tenant)" },
      p1 = { "tenant integer!,", to("tenant", { "tenant" }), partition_of = "table app.p" },
    }, { bounds = { ["table app.p1"] = "(tenant = ANY (ARRAY[700, 800]))" } })
    assert.same({ "700", "800" }, { table.unpack(cells(tables.tenant, "id"), 1, 2) })
  end)

  it("are NULL wherever they may be, in a sparse row", function()
    local tables = plan({
      t = { "a integer, b text!, c date,", check("c IS NOT NULL OR b = 'x'") },
    })
    assert.same({ "NULL", "NULL" }, cells(tables.t, "a", { count = 2, mode = "sparse" }))
    assert.not_equal("NULL", cells(tables.t, "b", { count = 1, mode = "sparse" })[1])
  end)
end)
