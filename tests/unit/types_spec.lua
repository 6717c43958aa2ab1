-- luacheck: no max line length (a case a line)
local cases = require("support.cases")
local op = require("luamig.op")
local record = require("support.record")

local call = cases.call

describe("enum types", function()
  cases.render({
    { "are made", call("create_enum", "mood", { "sad", "it's ok" }), "CREATE TYPE mood AS ENUM ('sad', 'it''s ok')" },
    { "are made in a schema, with a comment", call("create_enum", "App.mood", { "a" }, { comment = "how" }),
      [[CREATE TYPE "App".mood AS ENUM ('a')]] .. "\n" .. [[COMMENT ON TYPE "App".mood IS 'how']] },
    { "may be empty", call("create_enum", "mood", {}), "CREATE TYPE mood AS ENUM ()" },
    { "get a value", call("add_enum_value", "mood", "x"), "ALTER TYPE mood ADD VALUE 'x'" },
    { "get a value before another", call("add_enum_value", "mood", "x", { before = "y" }),
      "ALTER TYPE mood ADD VALUE 'x' BEFORE 'y'" },
    { "get a value after another, unless it is there", call("add_enum_value", "a.mood", "x", { after = "y", if_not_exists = true }),
      "ALTER TYPE a.mood ADD VALUE IF NOT EXISTS 'x' AFTER 'y'" },
    { "get a value renamed", call("rename_enum_value", "mood", "ok", "fine"),
      "ALTER TYPE mood RENAME VALUE 'ok' TO 'fine'" },
    { "are made anew without columns", call("replace_enum", "app.mood", { "a" }),
      "ALTER TYPE app.mood RENAME TO mood__old\nCREATE TYPE app.mood AS ENUM ('a')\nDROP TYPE app.mood__old" },
    { "are made anew with columns, each table once", call("replace_enum", "mood", { "low", "high" }, {
      columns = {
        { table = "diary", column = "mood", default = "low" },
        { table = "App.User", column = "now", default = op.none },
        { table = "diary", column = "past" },
      },
      map = { sad = "low", gone = op.null },
    }), [[
ALTER TYPE mood RENAME TO mood__old
CREATE TYPE mood AS ENUM ('low', 'high')
ALTER TABLE diary ALTER COLUMN mood DROP DEFAULT, ALTER COLUMN mood TYPE mood USING (CASE mood::text WHEN 'gone' THEN NULL WHEN 'sad' THEN 'low' ELSE mood::text END)::mood, ALTER COLUMN mood SET DEFAULT 'low', ALTER COLUMN past TYPE mood USING (CASE past::text WHEN 'gone' THEN NULL WHEN 'sad' THEN 'low' ELSE past::text END)::mood
ALTER TABLE "App"."User" ALTER COLUMN now DROP DEFAULT, ALTER COLUMN now TYPE mood USING (CASE now::text WHEN 'gone' THEN NULL WHEN 'sad' THEN 'low' ELSE now::text END)::mood
DROP TYPE mood__old]] },
    { "are made anew with the values kept", call("replace_enum", "mood", { "a" }, { columns = { { table = "t", column = "c" } } }), [[
ALTER TYPE mood RENAME TO mood__old
CREATE TYPE mood AS ENUM ('a')
ALTER TABLE t ALTER COLUMN c TYPE mood USING c::text::mood
DROP TYPE mood__old]] },
  })

  it("let a new value be used only after a commit", function()
    local statement = record.executor(call("add_enum_value", "mood", "x")).statements[1]
    assert.is_true(statement.boundary_after)
    assert.is_true(statement.transactional)
  end)

  cases.invert({
    { "go back: create", call("create_enum", "mood", { "a" }), "DROP TYPE mood" },
    { "go back: drop", call("drop_type", "mood", { definition = { values = { "a", "b" }, comment = "how" } }),
      "CREATE TYPE mood AS ENUM ('a', 'b')\nCOMMENT ON TYPE mood IS 'how'" },
    { "go back: rename a value", call("rename_enum_value", "mood", "ok", "fine"),
      "ALTER TYPE mood RENAME VALUE 'fine' TO 'ok'" },
    { "go back: replace", call("replace_enum", "mood", { "a" }, {
      columns = { { table = "t", column = "c", default = "a" } }, map = { b = "a" },
      from = { values = { "a", "b" } },
    }), [[
ALTER TYPE mood RENAME TO mood__old
CREATE TYPE mood AS ENUM ('a', 'b')
ALTER TABLE t ALTER COLUMN c DROP DEFAULT, ALTER COLUMN c TYPE mood USING c::text::mood, ALTER COLUMN c SET DEFAULT 'a'
DROP TYPE mood__old]] },
  })
  cases.not_invert({
    { "cannot lose a value", call("add_enum_value", "mood", "x"), "PostgreSQL cannot drop a value of an enum: write a "
      .. "downgrade() with op.replace_enum(\"mood\", …), or say that it stays" },
    { "cannot be brought back unknown", call("replace_enum", "mood", { "a" }),
      "the values it had are not known: give them as from = { values = …, map = … }" },
  })
  cases.refuse({
    { "have each value once", call("create_enum", "mood", { "a", "b", "a" }), "create_enum: the value 'a' is there twice" },
    { "have no empty value", call("create_enum", "mood", { "" }), "create_enum: a value of an enum is not empty" },
    { "have no value over 63 bytes", call("add_enum_value", "mood", ("x"):rep(64)),
      "add_enum_value: the value '" .. ("x"):rep(64) .. "' has 64 bytes, PostgreSQL takes 63" },
    { "have values that are strings", call("create_enum", "mood", { "a", 1 }),
      "create_enum: argument 2[2]: expected a string, got a number" },
    { "want a list of values", call("create_enum", "mood", "a"),
      "create_enum: argument 2 (values): expected a list, got the string 'a'", 'write { "a" }' },
    { "see a nil among the values", call("create_enum", "mood", { "a", nil, "b" }),
      "create_enum: argument 2[2]: expected a value, got nothing (a nil in the list)" },
    { "get a value in one place", call("add_enum_value", "mood", "x", { before = "a", after = "b" }),
      "add_enum_value: before and after exclude each other" },
    { "map old values to new ones", call("replace_enum", "mood", { "a" }, { map = { b = "c" } }),
      "replace_enum: map.b: 'c' is none of the new values" },
    { "name a column in full", call("replace_enum", "mood", { "a" }, { columns = { { table = "t" } } }),
      "replace_enum: argument 3.columns[1].column: expected a name (a string), got nothing" },
    { "leave room to be put aside", call("replace_enum", ("x"):rep(60), { "a" }), "replace_enum: the name '" .. ("x"):rep(60)
      .. "' leaves no room for '__old', under which the old type is put aside" },
  })
end)

describe("domains", function()
  cases.render({
    { "are made", call("create_domain", "d", "text"), "CREATE DOMAIN d AS text" },
    { "are made with everything", call("create_domain", "app.d", "text", {
      collation = "C", default = "x", nullable = false, check = "VALUE <> ''", comment = "what",
    }), [[CREATE DOMAIN app.d AS text COLLATE "C" DEFAULT 'x' NOT NULL CHECK (VALUE <> '')]]
      .. "\nCOMMENT ON DOMAIN app.d IS 'what'" },
    { "have conditions by name, in their order", call("create_domain", "d", "integer", {
      default = op.sql("1 + 1"), check = { small = "VALUE < 9", Big = op.sql("VALUE > 0") },
    }), [[CREATE DOMAIN d AS integer DEFAULT 1 + 1 CONSTRAINT "Big" CHECK (VALUE > 0) CONSTRAINT small CHECK (VALUE < 9)]] },
    { "are altered in an order that works", call("alter_domain", "d", {
      default = 0, nullable = false, add_checks = { b = "VALUE > 1", a = "VALUE > 0" }, drop_checks = { "c" },
      validate = { "e" },
    }), [[
ALTER DOMAIN d DROP CONSTRAINT c
ALTER DOMAIN d SET DEFAULT 0
ALTER DOMAIN d SET NOT NULL
ALTER DOMAIN d ADD CONSTRAINT a CHECK (VALUE > 0)
ALTER DOMAIN d ADD CONSTRAINT b CHECK (VALUE > 1)
ALTER DOMAIN d VALIDATE CONSTRAINT e]] },
    { "lose default and NOT NULL", call("alter_domain", "d", { default = op.none, nullable = true }),
      "ALTER DOMAIN d DROP DEFAULT\nALTER DOMAIN d DROP NOT NULL" },
    { "get a condition for new rows only", call("alter_domain", "d", { add_checks = { a = "VALUE > 0" }, not_valid = true }),
      "ALTER DOMAIN d ADD CONSTRAINT a CHECK (VALUE > 0) NOT VALID" },
  })
  cases.invert({
    { "go back: create", call("create_domain", "d", "text"), "DROP TYPE d" },
    { "go back: drop", call("drop_type", "d", { definition = { type = "text", check = { a = "VALUE <> ''" } } }),
      "CREATE DOMAIN d AS text CONSTRAINT a CHECK (VALUE <> '')" },
    { "go back: alter", call("alter_domain", "d", {
      default = 1, nullable = false, add_checks = { a = "VALUE > 0" }, drop_checks = { "b" },
      from = { default = op.none, checks = { b = "VALUE > 1" } },
    }), [[
ALTER DOMAIN d DROP CONSTRAINT a
ALTER DOMAIN d DROP DEFAULT
ALTER DOMAIN d DROP NOT NULL
ALTER DOMAIN d ADD CONSTRAINT b CHECK (VALUE > 1)]] },
  })
  cases.not_invert({
    { "keep a default that is not known", call("alter_domain", "d", { default = 1 }),
      "what default was is not known: give it as from = { default = … }" },
    { "keep a condition that is not known", call("alter_domain", "d", { drop_checks = { "b" } }),
      "what b was is not known: give it as from = { checks = { b = … } }" },
    { "keep what was proven", call("alter_domain", "d", { validate = { "b" } }), "a condition that was proven stays proven" },
  })
  cases.refuse({
    { "want something to change", call("alter_domain", "d", {}),
      "alter_domain: nothing to change: give at least one of add_checks, default, drop_checks, nullable, validate" },
    { "want not_valid to go with a condition", call("alter_domain", "d", { nullable = false, not_valid = true }),
      "alter_domain: not_valid goes with add_checks" },
    { "want conditions that are SQL", call("create_domain", "d", "text", { check = { a = 1 } }),
      "create_domain: argument 3.check.a: expected SQL (a string or op.sql), got a number" },
    { "name a mistyped option", call("create_domain", "d", "text", { chek = "VALUE > 0" }),
      "create_domain: argument 3.chek: there is no such option", "did you mean 'check'?" },
  })
end)

describe("composite types", function()
  cases.render({
    { "are made of pairs and columns", call("create_composite", "app.point", {
      { "x", "integer" }, op.column("Name", "text", { collation = "C", comment = "its name" }),
    }, { comment = "where" }), [[
CREATE TYPE app.point AS (x integer, "Name" text COLLATE "C")
COMMENT ON TYPE app.point IS 'where'
COMMENT ON COLUMN app.point."Name" IS 'its name']] },
    { "may be empty", call("create_composite", "nothing", {}), "CREATE TYPE nothing AS ()" },
    { "are altered in one statement", call("alter_composite", "point", {
      add = { { "z", "integer" } }, drop = { "x" }, alter = { op.column("y", "bigint") }, cascade = true,
    }), "ALTER TYPE point DROP ATTRIBUTE x CASCADE, ADD ATTRIBUTE z integer CASCADE, ALTER ATTRIBUTE y TYPE bigint CASCADE" },
    { "get attributes renamed", call("alter_composite", "point", { rename = { x = "a", b = "c" } }),
      "ALTER TYPE point RENAME ATTRIBUTE b TO c\nALTER TYPE point RENAME ATTRIBUTE x TO a" },
  })
  cases.invert({
    { "go back: create", call("create_composite", "p", { { "x", "int" } }), "DROP TYPE p" },
    { "go back: drop", call("drop_type", "p", { definition = { attributes = { { "x", "int" } } } }), "CREATE TYPE p AS (x int)" },
    { "go back: alter", call("alter_composite", "p", {
      add = { { "z", "int" } }, drop = { "x" }, alter = { { "y", "bigint" } },
      from = { attributes = { { "x", "int" }, { "y", "int" } } },
    }), "ALTER TYPE p DROP ATTRIBUTE z, ADD ATTRIBUTE x int, ALTER ATTRIBUTE y TYPE int" },
    { "go back: add alone", call("alter_composite", "p", { add = { { "z", "int" } } }), "ALTER TYPE p DROP ATTRIBUTE z" },
    { "go back: rename", call("alter_composite", "p", { rename = { x = "a" } }), "ALTER TYPE p RENAME ATTRIBUTE a TO x" },
  })
  cases.not_invert({
    { "keep an attribute that is not known", call("alter_composite", "p", { drop = { "x" } }),
      "what attribute 'x' was is not known: give it as from = { attributes = { op.column(\"x\", …) } }" },
  })
  cases.refuse({
    { "have no defaults", call("create_composite", "p", { op.column("x", "int", { default = 1 }) }),
      "create_composite: attribute 'x': default is for columns of tables" },
    { "have no NOT NULL", call("create_composite", "p", { op.column("x", "int", { nullable = false }) }),
      "create_composite: attribute 'x': nullable is for columns of tables" },
    { "count the words of an attribute", call("create_composite", "p", { { "x", "int", "y" } }),
      "create_composite: attribute 1: expected { name, type } or op.column, got 3 words" },
    { "check the name of an attribute", call("create_composite", "p", { { ("x"):rep(64), "int" } }),
      "create_composite: the name '" .. ("x"):rep(64) .. "' has 64 bytes, PostgreSQL takes 63" },
    { "rename in a call of its own", call("alter_composite", "p", { rename = { a = "b" }, drop = { "c" } }),
      "alter_composite: rename stands in a call of its own" },
    { "want something to change", call("alter_composite", "p"),
      "alter_composite: nothing to change: give at least one of add, alter, drop, rename" },
  })
end)

describe("types of any kind", function()
  cases.render({
    { "range types are made", call("create_range", "r", "time", {
      opclass = "time_ops", collation = "C", subtype_diff = "app.diff", canonical = "canon", multirange = "mr", comment = "x",
    }), [[CREATE TYPE r AS RANGE (subtype = time, subtype_opclass = time_ops, collation = "C", canonical = canon, ]]
      .. "subtype_diff = app.diff, multirange_type_name = mr)\nCOMMENT ON TYPE r IS 'x'" },
    { "are renamed", call("rename_type", "app.mood", "Feeling"), 'ALTER TYPE app.mood RENAME TO "Feeling"' },
    { "get an owner and a schema, the schema last", call("alter_type_set", "mood", { schema = "app", owner = "current_user" }),
      "ALTER TYPE mood OWNER TO CURRENT_USER\nALTER TYPE mood SET SCHEMA app" },
    { "are dropped", call("drop_type", "app.mood"), "DROP TYPE app.mood" },
    { "are dropped with what uses them", call("drop_type", "mood", { if_exists = true, cascade = true }),
      "DROP TYPE IF EXISTS mood CASCADE" },
  })
  cases.invert({
    { "go back: create_range", call("create_range", "r", "time"), "DROP TYPE r" },
    { "go back: drop a range", call("drop_type", "r", { definition = { subtype = "time" } }), "CREATE TYPE r AS RANGE (subtype = time)" },
    { "go back: rename", call("rename_type", "app.mood", "feeling"), "ALTER TYPE app.feeling RENAME TO mood" },
    { "go back: another schema, known by the name", call("alter_type_set", "a.mood", { schema = "b" }),
      "ALTER TYPE b.mood SET SCHEMA a" },
    { "go back: owner and schema", call("alter_type_set", "mood", { schema = "b", owner = "x", from = { schema = "a", owner = "y" } }),
      "ALTER TYPE b.mood OWNER TO y\nALTER TYPE b.mood SET SCHEMA a", one_way = true },
  })
  cases.not_invert({
    { "do not come back unknown", call("drop_type", "mood"),
      "what is dropped is not known: give it as definition = { … }" },
    { "do not come back after CASCADE", call("drop_type", "mood", { cascade = true, definition = { values = {} } }),
      "what CASCADE drops along is not known" },
    { "do not leave a schema for an unknown one", call("alter_type_set", "mood", { schema = "b" }),
      "what schema was is not known: give it as from = { schema = … }" },
  })
  cases.refuse({
    { "are of one kind", call("drop_type", "mood", { definition = { values = {}, type = "text" } }),
      "drop_type: definition has exactly one of values (enum), attributes (composite), type (domain), subtype (range)" },
    { "are of some kind", call("drop_type", "mood", { definition = { comment = "x" } }),
      "drop_type: definition has exactly one of values (enum), attributes (composite), type (domain), subtype (range)" },
    { "want something to change", call("alter_type_set", "mood", {}),
      "alter_type_set: nothing to change: give at least one of owner, schema" },
  })
end)
