-- luacheck: no max line length (a case a line)
local cases = require("support.cases")
local op = require("luamig.op")

local call = cases.call

describe("schemas", function()
  cases.render({
    { "are made", call("create_schema", "app"), "CREATE SCHEMA app" },
    { "are made with everything", call("create_schema", "App", { if_not_exists = true, owner = "Boss", comment = "x" }),
      [[CREATE SCHEMA IF NOT EXISTS "App" AUTHORIZATION "Boss"]] .. "\n" .. [[COMMENT ON SCHEMA "App" IS 'x']] },
    { "are owned by who runs this", call("create_schema", "app", { owner = "current_user" }),
      "CREATE SCHEMA app AUTHORIZATION CURRENT_USER" },
    { "may have a dot in their name", call("create_schema", "a.b"), 'CREATE SCHEMA "a.b"' },
    { "are owned by whom SQL says", call("create_schema", "app", { owner = op.sql("SESSION_USER") }),
      "CREATE SCHEMA app AUTHORIZATION SESSION_USER" },
    { "are renamed", call("rename_schema", "app", "shop"), "ALTER SCHEMA app RENAME TO shop" },
    { "get an owner", call("alter_schema_set", "app", { owner = "boss" }), "ALTER SCHEMA app OWNER TO boss" },
    { "are dropped", call("drop_schema", "app", { if_exists = true, cascade = true }), "DROP SCHEMA IF EXISTS app CASCADE" },
  })
  cases.invert({
    { "go back: create", call("create_schema", "app", { if_not_exists = true }), "DROP SCHEMA IF EXISTS app" },
    { "go back: rename", call("rename_schema", "app", "shop"), "ALTER SCHEMA shop RENAME TO app" },
    { "go back: owner", call("alter_schema_set", "app", { owner = "a", from = { owner = "b" } }), "ALTER SCHEMA app OWNER TO b" },
    { "go back: drop", call("drop_schema", "app"), "CREATE SCHEMA app" },
    { "go back: drop, with its owner", call("drop_schema", "app", { if_exists = true, definition = { owner = "b" } }),
      "CREATE SCHEMA IF NOT EXISTS app AUTHORIZATION b" },
  })
  cases.not_invert({
    { "do not come back after CASCADE", call("drop_schema", "app", { cascade = true }), "what CASCADE drops along is not known" },
    { "keep the owner when the former is not known", call("alter_schema_set", "app", { owner = "a" }),
      "what owner was is not known: give it as from = { owner = … }" },
  })
  cases.refuse({
    { "want an owner", call("alter_schema_set", "app", {}), "alter_schema_set: argument 2.owner: expected a name (a string) or op.sql, got nothing" },
    { "name a mistyped option", call("create_schema", "app", { onwer = "x" }),
      "create_schema: argument 2.onwer: there is no such option", "did you mean 'owner'?" },
  })
end)

describe("sequences", function()
  cases.render({
    { "are made", call("create_sequence", "s"), "CREATE SEQUENCE s" },
    { "are made with everything", call("create_sequence", "app.s", {
      type = "integer", start = 10, increment = -2, min_value = 1, max_value = 99, cache = 5, cycle = true,
      owned_by = "app.T.id", if_not_exists = true, comment = "x",
    }), [[CREATE SEQUENCE IF NOT EXISTS app.s AS integer START WITH 10 INCREMENT BY -2 MINVALUE 1 MAXVALUE 99 CACHE 5 CYCLE ]]
      .. [[OWNED BY app."T".id]] .. "\nCOMMENT ON SEQUENCE app.s IS 'x'" },
    { "are made without limits and owner", call("create_sequence", "s", {
      min_value = op.none, max_value = op.none, cycle = false, owned_by = op.none,
    }), "CREATE SEQUENCE s NO CYCLE NO MINVALUE NO MAXVALUE OWNED BY NONE" },
    { "are made unlogged", call("create_sequence", "s", { unlogged = true }), "CREATE UNLOGGED SEQUENCE s" },
    { "start again", call("alter_sequence", "s", { restart = true }), "ALTER SEQUENCE s RESTART" },
    { "go on at a value", call("alter_sequence", "s", { restart = 7, increment = 3 }),
      "ALTER SEQUENCE s INCREMENT BY 3 RESTART WITH 7" },
    { "change everything", call("alter_sequence", "s", {
      type = "bigint", cache = 1, owned_by = "t.c", logged = false, owner = "boss", schema = "app",
    }), "ALTER SEQUENCE s AS bigint CACHE 1 OWNED BY t.c\nALTER SEQUENCE s SET UNLOGGED\n"
      .. "ALTER SEQUENCE s OWNER TO boss\nALTER SEQUENCE s SET SCHEMA app" },
    { "are renamed", call("rename_sequence", "app.s", "u"), "ALTER SEQUENCE app.s RENAME TO u" },
    { "are dropped", call("drop_sequence", "s", { if_exists = true, cascade = true }), "DROP SEQUENCE IF EXISTS s CASCADE" },
  })
  cases.invert({
    { "go back: create", call("create_sequence", "s"), "DROP SEQUENCE s" },
    { "go back: drop", call("drop_sequence", "s", { definition = { start = 5, comment = "x" } }),
      "CREATE SEQUENCE s START WITH 5\nCOMMENT ON SEQUENCE s IS 'x'" },
    { "go back: rename", call("rename_sequence", "app.s", "u"), "ALTER SEQUENCE app.u RENAME TO s" },
    { "go back: alter", call("alter_sequence", "a.s", {
      increment = 2, max_value = op.none, logged = false, schema = "b", from = { increment = 1, max_value = 99 },
    }), "ALTER SEQUENCE b.s INCREMENT BY 1 MAXVALUE 99\nALTER SEQUENCE b.s SET LOGGED\nALTER SEQUENCE b.s SET SCHEMA a" },
  })
  cases.not_invert({
    { "do not know where they stood", call("alter_sequence", "s", { restart = 1 }), "where the sequence stood is not known" },
    { "do not know what they were", call("alter_sequence", "s", { cache = 2 }), "what cache was is not known: give it as from = { cache = … }" },
  })
  cases.refuse({
    { "are owned by a column", call("create_sequence", "s", { owned_by = "t" }),
      "create_sequence: owned_by: expected \"table.column\" or \"schema.table.column\", got 't'" },
    { "see a broken owner", call("alter_sequence", "s", { owned_by = '"t.c' }),
      'alter_sequence: owned_by: the name "t.c lacks a closing double quote' },
    { "see a broken owner in from", call("drop_sequence", "s", { definition = { owned_by = "t" } }),
      "drop_sequence: definition.owned_by: expected \"table.column\" or \"schema.table.column\", got 't'" },
    { "know their types", call("create_sequence", "s", { type = "text" }),
      "create_sequence: argument 2.type: expected one of smallint, integer, bigint, got 'text'" },
    { "count in integers", call("create_sequence", "s", { start = 1.5 }),
      "create_sequence: argument 2.start: expected an integer, got a number" },
    { "do not restart false", call("alter_sequence", "s", { restart = false }),
      "alter_sequence: restart: expected an integer or true, got false" },
    { "are logged before PostgreSQL 15", call("create_sequence", "s", { unlogged = true }),
      "an unlogged sequence needs PostgreSQL 15; the server is 14", context = { server_version = 140005 } },
  })
end)

describe("extensions", function()
  cases.render({
    { "are loaded", call("create_extension", "uuid-ossp"), 'CREATE EXTENSION "uuid-ossp"' },
    { "are loaded with everything", call("create_extension", "pg_trgm", {
      if_not_exists = true, schema = "Lib", version = "1.5", cascade = true,
    }), [[CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA "Lib" VERSION '1.5' CASCADE]] },
    { "are updated", call("alter_extension", "pg_trgm", { version = "default" }), "ALTER EXTENSION pg_trgm UPDATE" },
    { "are updated to a version and moved", call("alter_extension", "pg_trgm", { version = "1.6", schema = "lib" }),
      "ALTER EXTENSION pg_trgm UPDATE TO '1.6'\nALTER EXTENSION pg_trgm SET SCHEMA lib" },
    { "are dropped", call("drop_extension", "pg_trgm", { if_exists = true, cascade = true }),
      "DROP EXTENSION IF EXISTS pg_trgm CASCADE" },
  })
  cases.invert({
    { "go back: create", call("create_extension", "pg_trgm"), "DROP EXTENSION pg_trgm" },
    { "go back: drop", call("drop_extension", "pg_trgm", { if_exists = true, definition = { schema = "lib" } }),
      "CREATE EXTENSION IF NOT EXISTS pg_trgm SCHEMA lib" },
    { "go back: alter", call("alter_extension", "pg_trgm", { schema = "a", from = { schema = "b" } }),
      "ALTER EXTENSION pg_trgm SET SCHEMA b" },
  })
  cases.not_invert({
    { "do not come back unknown", call("drop_extension", "pg_trgm"),
      "what is dropped is not known: give it as definition = { … }" },
  })
  cases.refuse({
    { "want something to change", call("alter_extension", "pg_trgm", {}),
      "alter_extension: nothing to change: give at least one of schema, version" },
  })
end)
