-- luacheck: no max line length (a case a line)
-- Every operation on types, schemas and code runs on a server; the catalogs tell that it changed
-- something, and that its inverse brought back what was.
local cases = require("support.cases")
local catalog = require("support.catalog")
local op = require("luamig.op")
local operations = require("luamig.operations")
local server = require("support.server")

local call = cases.call

local role_a, role_b = "luamig_op_code_a", "luamig_op_code_b"

local executed = {} -- names of operations
local this_database -- its name

local function in_sequence(...)
  local list = { ... }
  return function()
    for _, fn in ipairs(list) do
      fn()
    end
  end
end

local tables = [[
  CREATE TABLE t (id integer, a text DEFAULT 'x', b text);
  CREATE SCHEMA s;
]]

local trigger_function = tables .. [[
  CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
]]

local mood = [[
  CREATE TYPE mood AS ENUM ('sad', 'ok', 'happy');
  CREATE TABLE diary (mood mood DEFAULT 'ok', past mood);
  INSERT INTO diary VALUES ('sad', 'ok'), ('happy', NULL);
]]

local v = "CREATE TABLE t (id integer, a text); CREATE SCHEMA s; CREATE VIEW v AS SELECT id FROM t;"
local mv = v .. "CREATE MATERIALIZED VIEW mv AS SELECT id FROM t;"
local tr = trigger_function
  .. "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f();"
local tr_definition = { timing = "before", events = "insert", for_each = "row", execute = "f" }
local p = tables .. "CREATE POLICY p ON t USING (true);"
local sum = [[CREATE SCHEMA s; CREATE FUNCTION sum2(a integer, b integer = 1) RETURNS integer LANGUAGE sql AS 'SELECT a + b';]]
local sum_definition = { returns = "integer", language = "sql", body = "SELECT a + b" }
local proc = [[CREATE SCHEMA s; CREATE PROCEDURE p(a integer) LANGUAGE sql AS 'SELECT a';]]

-- { what, SQL before, operations, needs = major version, proof = SQL that is true in between }
local there_and_back = {
  { "create_enum", "", call("create_enum", "mood", { "sad", "it's", "\\" }, { comment = "x" }),
    proof = [[SELECT enum_range(NULL::mood)::text = '{sad,it''s,"\\"}']] },
  { "drop_type, an enum", "CREATE TYPE mood AS ENUM ('a', 'b')", call("drop_type", "mood", { definition = { values = { "a", "b" } } }) },
  { "rename_enum_value", mood, call("rename_enum_value", "mood", "ok", "fine") },
  { "replace_enum", mood, call("replace_enum", "mood", { "low", "high" }, {
    columns = { { table = "diary", column = "mood", default = "low" }, { table = "diary", column = "past" } },
    map = { sad = "low", ok = "low", happy = "high" },
    from = {
      values = { "sad", "ok", "happy" }, map = { low = "ok", high = "happy" },
      columns = { { table = "diary", column = "mood", default = "ok" }, { table = "diary", column = "past" } },
    },
  }), proof = "SELECT string_agg(mood || '/' || coalesce(past::text, '-'), ' ' ORDER BY mood) = 'low/low high/-' FROM diary" },
  { "replace_enum, values to NULL", mood, call("replace_enum", "mood", { "sad", "happy" }, {
    columns = { { table = "diary", column = "mood", default = op.none }, { table = "diary", column = "past" } },
    map = { ok = op.null },
    from = {
      values = { "sad", "ok", "happy" },
      columns = { { table = "diary", column = "mood", default = "ok" }, { table = "diary", column = "past" } },
    },
  }), proof = "SELECT count(past) = 0 AND count(mood) = 2 FROM diary" },
  { "create_domain", "", call("create_domain", "d", "text", {
    collation = "C", default = "it's", nullable = false, check = { b = "VALUE <> ''", a = "length(VALUE) < 9" }, comment = "x",
  }) },
  { "drop_type, a domain", "CREATE DOMAIN d AS integer DEFAULT 1 CONSTRAINT a CHECK (VALUE > 0)",
    call("drop_type", "d", { definition = { type = "integer", default = 1, check = { a = "VALUE > 0" } } }) },
  { "alter_domain", "CREATE DOMAIN d AS integer CONSTRAINT old CHECK (VALUE > 0)", call("alter_domain", "d", {
    default = 5, nullable = false, add_checks = { new = "VALUE > 1" }, not_valid = true, drop_checks = { "old" }, validate = { "new" },
    from = { default = op.none, checks = { old = "VALUE > 0" } },
  }) },
  { "create_composite", "", call("create_composite", "place", {
    { "x", "integer" }, op.column("Y", "text", { collation = "C", comment = "why" }),
  }, { comment = "x" }) },
  { "drop_type, a composite", "CREATE TYPE p AS (x integer)", call("drop_type", "p", { definition = { attributes = { { "x", "integer" } } } }) },
  { "alter_composite", "CREATE TYPE p AS (a integer, b integer)", call("alter_composite", "p", {
    add = { { "c", "text" } }, drop = { "b" }, alter = { { "a", "bigint" } }, cascade = true,
    from = { attributes = { { "a", "integer" }, { "b", "integer" } } },
  }) },
  { "alter_composite, rename", "CREATE TYPE p AS (a integer, b integer)", call("alter_composite", "p", { rename = { a = "x" } }) },
  { "create_range", "", call("create_range", "r", "time", { opclass = "time_ops", multirange = "rs", comment = "x" }) },
  { "drop_type, a range", "CREATE TYPE r AS RANGE (subtype = text, collation = \"C\")",
    call("drop_type", "r", { definition = { subtype = "text", collation = "C" } }) },
  { "rename_type", mood, call("rename_type", "mood", "Feeling") },
  { "rename_type, a domain", "CREATE DOMAIN d AS text", call("rename_type", "d", "e") },
  { "alter_type_set", mood .. "CREATE SCHEMA s;", call("alter_type_set", "public.mood", {
    schema = "s", owner = role_a, from = { owner = "current_user" },
  }) },
  { "alter_type_set, a domain", "CREATE SCHEMA s; CREATE DOMAIN d AS text", call("alter_type_set", "public.d", { schema = "s" }) },

  { "create_schema", "", call("create_schema", "App", { owner = role_a, comment = "x" }) },
  { "rename_schema", tables, call("rename_schema", "s", "u") },
  { "alter_schema_set", tables, call("alter_schema_set", "s", { owner = role_a, from = { owner = "session_user" } }) },
  { "drop_schema", tables, call("drop_schema", "s") },
  { "create_sequence", tables, call("create_sequence", "s.q", {
    type = "integer", start = 10, increment = -2, min_value = 1, max_value = 99, cache = 5, cycle = true, comment = "x",
  }) },
  { "create_sequence, owned", tables, call("create_sequence", "q", { owned_by = "public.t.id", min_value = op.none, max_value = op.none }),
    proof = "SELECT pg_get_serial_sequence('t', 'id') = 'public.q'" },
  { "create_sequence, unlogged", "", call("create_sequence", "q", { unlogged = true }), needs = 15 },
  { "alter_sequence", "CREATE SCHEMA s; CREATE SEQUENCE q", call("alter_sequence", "public.q", {
    type = "integer", increment = 3, max_value = 500, cycle = true, owner = role_a, schema = "s", start = 4,
    from = { type = "bigint", increment = 1, max_value = op.none, cycle = false, owner = "current_user", start = 1 },
  }) },
  { "alter_sequence, logged", "CREATE SEQUENCE q", call("alter_sequence", "q", { logged = false }), needs = 15 },
  { "rename_sequence", "CREATE SEQUENCE q", call("rename_sequence", "q", "R") },
  { "drop_sequence", "CREATE SEQUENCE q START 5", call("drop_sequence", "q", { definition = { start = 5 } }) },
  { "create_extension", "CREATE SCHEMA lib", call("create_extension", "pg_trgm", { schema = "lib", if_not_exists = true }), contrib = true },
  { "alter_extension", "CREATE SCHEMA lib; CREATE EXTENSION pg_trgm", call("alter_extension", "pg_trgm", {
    schema = "lib", from = { schema = "public" },
  }), contrib = true },
  { "drop_extension", "CREATE EXTENSION pg_trgm", call("drop_extension", "pg_trgm", { definition = { schema = "public" } }), contrib = true },

  { "create_view", tables, call("create_view", "v", "SELECT id, a FROM t -- all;\n;", {
    columns = { "x", "Y" }, security_barrier = true, check_option = "local", comment = "x",
  }) },
  { "create_view, for who asks", tables, call("create_view", "v", "SELECT id FROM t", { security_invoker = true }), needs = 15 },
  { "create_view, recursive", "", call("create_view", "v", "VALUES (1) UNION ALL SELECT n + 1 FROM v WHERE n < 3", {
    recursive = true, columns = { "n" },
  }), proof = "SELECT count(*) = 3 FROM v" },
  { "create_view, replace", v, call("create_view", "v", "SELECT id FROM t WHERE id > 0", { replace = true, from = { sql = "SELECT id FROM t" } }) },
  { "create_view, replace none", tables, call("create_view", "v", "SELECT id FROM t", { replace = true, from = op.none }) },
  { "create_view, materialized", tables, call("create_view", "mv", "SELECT id FROM t -- one", {
    materialized = true, if_not_exists = true, columns = { "n" }, using = "heap", with = { fillfactor = 70 }, tablespace = "pg_default",
    with_data = false, comment = "x",
  }) },
  { "drop_view", v, call("drop_view", "v", { definition = { sql = "SELECT id FROM t" } }) },
  { "drop_view, materialized", mv, call("drop_view", "mv", { materialized = true, definition = { sql = "SELECT id FROM t" } }) },
  { "rename_view", v, call("rename_view", "v", "w") },
  { "rename_view, materialized", mv, call("rename_view", "mv", "w", { materialized = true }) },
  { "alter_view_set", v, call("alter_view_set", "public.v", {
    security_barrier = true, check_option = "cascaded", owner = role_a, schema = "s",
    from = { security_barrier = op.none, check_option = op.none, owner = "current_user" },
  }) },
  { "alter_view_set, materialized", mv, call("alter_view_set", "mv", {
    materialized = true, with = { fillfactor = 50 }, from = { with = { fillfactor = op.none } },
  }) },

  { "create_function", "", call("create_function", "f", { "a integer", { name = "B", type = "integer", default = 1 }, "VARIADIC c text[] = '{}'" }, {
    returns = "integer", language = "plpgsql", volatility = "stable", leakproof = true, strict = true, security_definer = true,
    parallel = "restricted", cost = 5, set = { search_path = { "public", "$user", "pg_temp" }, work_mem = "1MB", ["app.on"] = true },
    body = "BEGIN RETURN length('$$ $body$') + a; END", comment = "x",
  }), proof = "SELECT f(1, 2, 'x') = 10" },
  { "create_function, a table", "", call("create_function", "f", {}, {
    returns = "TABLE (n integer)", rows = 2, language = "sql", body = "SELECT 1", set = { search_path = "" },
  }) },
  { "create_function, RETURN", "", call("create_function", "f", { "a integer" }, { returns = "integer", language = "sql", body = "RETURN a + 1;" }),
    proof = "SELECT f(1) = 2" },
  { "create_function, BEGIN ATOMIC", tables, call("create_function", "f", {}, {
    returns = "bigint", language = "sql", body = "BEGIN ATOMIC\n  SELECT count(*) FROM t;\nEND;",
  }), proof = "SELECT f() = 0" },
  { "create_function, OUT", "", call("create_function", "f", { "OUT a integer", { type = "integer", mode = "inout", name = "b" } }, {
    language = "sql", body = "SELECT 1, 2",
  }) },
  { "create_function, replace", sum, call("create_function", "sum2", { "a integer", "b integer = 1" }, {
    replace = true, returns = "integer", language = "sql", body = "SELECT a + b + 0", volatility = "immutable",
    from = { body = "SELECT a + b", volatility = "volatile" },
  }) },
  { "create_procedure", "", call("create_procedure", "p", { "a integer" }, { language = "sql", body = "SELECT a", comment = "x" }) },
  { "rename_function", sum, call("rename_function", "sum2", { "integer", "integer" }, "sum3") },
  { "rename_function, a procedure", proc, call("rename_function", "p", { "integer" }, "q", { kind = "procedure" }) },
  { "alter_function_set", sum, call("alter_function_set", "public.sum2", nil, { schema = "s", owner = role_a, from = { owner = "current_user" } }) },
  { "drop_function", sum, call("drop_function", "sum2", { "a integer", "b integer = 1" }, { definition = sum_definition }) },
  { "drop_procedure", proc, call("drop_procedure", "p", { "a integer" }, { definition = { language = "sql", body = "SELECT a" } }) },

  { "create_trigger", trigger_function, call("create_trigger", "Tr", "t", {
    timing = "after", events = { "insert", "update" }, columns = { "a", "b" }, for_each = "row", when = "NEW.a <> 'it''s'", execute = "f",
    arguments = { "it's", 1 }, comment = "x",
  }) },
  { "create_trigger, for tables of rows", trigger_function, call("create_trigger", "tr", "t", {
    timing = "after", events = "update", for_each = "statement", referencing = { old = "was", new = "is_now" }, execute = "f",
  }) },
  { "create_trigger, for a view", trigger_function .. "CREATE VIEW v AS SELECT id FROM t;", call("create_trigger", "tr", "v", {
    timing = "instead of", events = { "insert", "delete" }, for_each = "row", execute = "f",
  }) },
  { "create_trigger, a constraint", trigger_function, call("create_trigger", "tr", "t", {
    timing = "after", events = "insert", for_each = "row", constraint = true, initially = "deferred", from_table = "t", execute = "f",
  }) },
  { "create_trigger, truncate", trigger_function, call("create_trigger", "tr", "t", {
    timing = "before", events = "truncate", for_each = "statement", execute = "f",
  }) },
  { "create_trigger, replace", tr, call("create_trigger", "tr", "t", {
    replace = true, timing = "before", events = "update", for_each = "row", execute = "f", from = { events = "insert" },
  }) },
  { "rename_trigger", tr, call("rename_trigger", "tr", "t", "a_tr") },
  { "disable_trigger", tr, call("disable_trigger", "tr", "t") },
  { "disable_trigger, the user's", tr, call("disable_trigger", "user", "t") },
  { "enable_trigger", tr .. "ALTER TABLE t DISABLE TRIGGER tr;", call("enable_trigger", "tr", "t", { mode = "always" }) },
  { "drop_trigger", tr, call("drop_trigger", "tr", "t", { definition = tr_definition }) },

  { "create_policy", tables, call("create_policy", "P", "t", {
    permissive = false, command = "update", roles = { role_a, "current_user" }, using = "id > 0", check = "id > 1", comment = "x",
  }) },
  { "create_policy, insert", tables, call("create_policy", "p", "t", { command = "insert", roles = "public", check = "true" }) },
  { "alter_policy", p, call("alter_policy", "p", "t", { roles = role_a, using = "id > 0", from = { roles = "public", using = "true" } }) },
  { "rename_policy", p, call("rename_policy", "p", "t", "q") },
  { "drop_policy", p, call("drop_policy", "p", "t", { definition = { using = "true" } }) },
  { "enable_row_security", tables, call("enable_row_security", "t", { force = true }) },
  { "disable_row_security", tables .. "ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY;",
    call("disable_row_security", "t", { force = true }) },
  { "create_statistics", tables, call("create_statistics", "s.st", "t", { "a", op.sql("lower(b)") }, {
    kinds = { "ndistinct", "mcv" }, target = 500, comment = "x",
  }) },
  { "create_statistics, an expression", tables, call("create_statistics", "st", "t", { op.sql("lower(b)") }) },
  { "alter_statistics", tables .. "CREATE STATISTICS st ON a, b FROM t;", call("alter_statistics", "public.st", {
    target = 5, schema = "s", owner = role_a, from = { target = -1, owner = "current_user" },
  }) },
  { "create_publication", tables .. "CREATE TABLE s.u ();", call("create_publication", "Pub", {
    tables = { "t", "s.u" }, publish = { "insert", "update" }, via_root = true, comment = "x",
  }) },
  { "create_publication, of all tables", "", call("create_publication", "pub", { all_tables = true }) },
  { "create_publication, of columns, rows and schemas", tables, call("create_publication", "pub", {
    tables = { { table = "t", where = "id > 0" } }, publish = { "insert" },
  }), needs = 15 },
  { "create_publication, of schemas", tables, call("create_publication", "pub", { tables = { "t" }, schemas = { "s" } }), needs = 15 },
  { "create_publication, of columns", tables, call("create_publication", "pub", {
    tables = { { table = "t", columns = { "id", "a" } } },
  }), needs = 15 },
  { "create_publication, with generated columns", tables, call("create_publication", "pub", {
    tables = { "t" }, generated_columns = "stored",
  }), needs = 18 },
  { "alter_publication", tables .. "CREATE TABLE s.u (); CREATE PUBLICATION pub FOR TABLE t;", call("alter_publication", "pub", {
    add = { "s.u" }, drop = { "t" }, publish = { "insert" }, via_root = true, owner = role_a,
    from = {
      tables = { "t" }, publish = { "insert", "update", "delete", "truncate" }, via_root = false, owner = "current_user",
    },
  }) },
  { "drop_publication", tables .. "CREATE PUBLICATION pub FOR TABLE t;", call("drop_publication", "pub", { definition = { tables = { "t" } } }) },
  { "drop_statistics", tables .. "CREATE STATISTICS st ON a, b FROM t;", call("drop_statistics", "st", {
    definition = { table = "t", columns = { "a", "b" } },
  }) },

  { "grant", tables, in_sequence(
    call("grant", { "select", "insert" }, "table", { "t" }, { role_a, "public" }),
    call("grant", "update", "table", "t", role_b, { columns = { "a", "b" } }),
    call("grant", "all", "schema", "s", role_a, { with_grant_option = true }),
    function()
      op.grant("temporary", "database", this_database, role_a)
    end) },
  { "grant, on code", sum .. "CREATE SEQUENCE q; CREATE DOMAIN d AS text;" .. "CREATE PROCEDURE p() LANGUAGE sql AS '';", in_sequence(
    call("grant", "execute", "function", "sum2", role_a, { arguments = { "integer", "b integer = 1" } }),
    call("grant", "execute", "procedure", "p", role_a, { arguments = {} }),
    call("grant", "execute", "routine", "p", role_b),
    call("grant", "usage", "sequence", "q", role_a),
    call("grant", "usage", "domain", "d", role_a),
    call("grant", "usage", "type", "d", role_b),
    call("grant", "usage", "language", "plpgsql", role_a)) },
  { "grant, all in a schema", tables .. "CREATE TABLE s.u (); CREATE SEQUENCE s.q;", in_sequence(
    call("grant", { "select", "trigger" }, "all tables in schema", { "s", "public" }, role_a),
    call("grant", "all", "all sequences in schema", "s", role_a)) },
  { "grant, maintain", tables, call("grant", "maintain", "table", "t", role_a), needs = 17 },
  { "grant, a parameter", "", call("grant", { "set", "alter system" }, "parameter", "work_mem", role_a), needs = 15 },
  { "revoke", tables .. ("GRANT SELECT ON t TO %s;"):format(role_a), call("revoke", "select", "table", "t", role_a) },
  { "revoke, the grant option", tables .. ("GRANT SELECT ON t TO %s WITH GRANT OPTION;"):format(role_a),
    call("revoke", "select", "table", "t", role_a, { grant_option_only = true }) },
  { "grant_default", tables, in_sequence(
    call("grant_default", { "select", "insert" }, "table", role_a, { schema = { "s", "public" } }),
    call("grant_default", "usage", "type", role_a, { for_role = { role_b, "current_user" }, schema = "s", with_grant_option = true }),
    call("grant_default", "usage", "schema", role_b)) },
  { "revoke_default", tables, call("revoke_default", "execute", "function", "public", { for_role = role_a }) },
}

-- Kind, name, options and what must be there: COMMENT takes all of them.
local comments = {
  { "table", "t" }, { "column", "public.t.a" }, { "column", "t.a" }, { "column", "a", { on = "t" } }, { "schema", "s" },
  { "view", "v" }, { "materialized view", "mv" }, { "index", "i" }, { "sequence", "q" }, { "type", "mood" }, { "domain", "d" },
  { "constraint", "positive", { on = "t" } }, { "domain constraint", "dc", { on = "d" } }, { "trigger", "tr", { on = "t" } },
  { "policy", "p", { on = "t" } }, { "rule", "r", { on = "t" } }, { "function", "sum2", { arguments = { "a integer", "b integer = 1" } } },
  { "routine", "sum2" }, { "procedure", "p", { arguments = {} } }, { "aggregate", "my_sum", { arguments = { "integer" } } },
  { "aggregate", "pg_catalog.count", { arguments = { "*" } } }, { "operator", "pg_catalog.+", { arguments = { "integer", "integer" } } },
  { "operator", "-", { arguments = { "none", "bigint" } } }, { "operator class", "int4_ops", { using = "btree" } },
  { "operator family", "pg_catalog.integer_ops", { using = "btree" } }, { "cast", "bigint AS integer" }, { "statistics", "st" },
  { "collation", "c" }, { "conversion", "pg_catalog.iso_8859_1_to_utf8" }, { "text search configuration", "english" },
  { "text search dictionary", "english_stem" }, { "text search parser", "default" }, { "text search template", "simple" },
  { "language", "plpgsql" }, { "extension", "plpgsql" }, { "role", role_a },
  { "tablespace", "pg_default" }, { "access method", "heap" }, { "event trigger", "e" }, { "publication", "pub" },
  { "foreign data wrapper", "w" }, { "server", "srv" }, { "foreign table", "ft" }, { "large object", "987654" },
}

local everything = tr .. p:sub(#tables + 1) .. sum:gsub("CREATE SCHEMA s;", "") .. [[
  ALTER TABLE t ADD CONSTRAINT positive CHECK (id > 0);
  CREATE VIEW v AS SELECT 1 AS one;
  CREATE MATERIALIZED VIEW mv AS SELECT 1 AS one;
  CREATE INDEX i ON t (id);
  CREATE SEQUENCE q;
  CREATE TYPE mood AS ENUM ();
  CREATE DOMAIN d AS integer CONSTRAINT dc CHECK (VALUE > 0);
  CREATE RULE r AS ON DELETE TO t DO INSTEAD NOTHING;
  CREATE PROCEDURE p() LANGUAGE sql AS '';
  CREATE AGGREGATE my_sum (integer) (sfunc = int4pl, stype = integer);
  CREATE STATISTICS st ON a, b FROM t;
  CREATE COLLATION c FROM "C";
  CREATE FUNCTION ef() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
  CREATE EVENT TRIGGER e ON sql_drop EXECUTE FUNCTION ef();
  CREATE PUBLICATION pub;
  CREATE FOREIGN DATA WRAPPER w;
  CREATE SERVER srv FOREIGN DATA WRAPPER w;
  CREATE FOREIGN TABLE ft (a integer) SERVER srv;
  SELECT lo_create(987654);
]]

-- { what, SQL before, operation, SQLSTATE }: what the descriptions say under `raises`.
local refused = {
  { "a type that exists", mood, call("create_enum", "mood", { "a" }), "42710" },
  { "a value that exists", mood, call("add_enum_value", "mood", "ok"), "42710" },
  { "a neighbour that does not", mood, call("add_enum_value", "mood", "x", { before = "y" }), "22023" },
  { "no value of that name", mood, call("rename_enum_value", "mood", "x", "y"), "22023" },
  { "a renamed value that exists", mood, call("rename_enum_value", "mood", "sad", "ok"), "42710" },
  { "a value that is not mapped", mood, call("replace_enum", "mood", { "sad" }, {
    columns = { { table = "diary", column = "mood", default = op.none }, { table = "diary", column = "past" } },
  }), "22P02" },
  { "a default that was not given", mood, call("replace_enum", "mood", { "sad", "ok", "happy" }, {
    columns = { { table = "diary", column = "mood" }, { table = "diary", column = "past" } },
  }), "42804" },
  { "a column that was left out", mood, call("replace_enum", "mood", { "sad", "ok", "happy" }, {
    columns = { { table = "diary", column = "mood", default = "ok" } },
  }), "2BP01" },
  { "a domain that exists", "CREATE DOMAIN d AS text", call("create_domain", "d", "text"), "42710" },
  { "a row that fails a condition", "CREATE DOMAIN d AS integer; CREATE TABLE t AS SELECT 1::d AS d;",
    call("alter_domain", "d", { add_checks = { a = "VALUE > 1" } }), "23514" },
  { "a row that is NULL", "CREATE DOMAIN d AS integer; CREATE TABLE t AS SELECT NULL::d AS d;", call("alter_domain", "d", { nullable = false }), "23502" },
  { "an attribute that does not exist", "CREATE TYPE p AS (a integer)", call("alter_composite", "p", { drop = { "x" } }), "42703" },
  { "an attribute of a column", "CREATE TYPE p AS (a integer); CREATE TABLE t (p p);", call("alter_composite", "p", { alter = { { "a", "text" } } }), "0A000" },
  { "a type that does not exist", "", call("drop_type", "mood"), "42704" },
  { "a type that is used", mood, call("drop_type", "mood"), "2BP01" },
  { "a new name that is taken", mood .. "CREATE TYPE feeling AS ENUM ();", call("rename_type", "mood", "feeling"), "42710" },
  { "a schema that exists", tables, call("create_schema", "s"), "42P06" },
  { "a schema that does not exist", "", call("drop_schema", "s"), "3F000" },
  { "a schema that is not empty", mv .. "CREATE TABLE s.t ();", call("drop_schema", "s"), "2BP01" },
  { "a sequence that exists", "CREATE SEQUENCE q", call("create_sequence", "q"), "42P07" },
  { "values that do not go together", "CREATE SEQUENCE q", call("alter_sequence", "q", { max_value = -5 }), "22023" },
  { "a sequence that is used", "CREATE TABLE t (id serial)", call("drop_sequence", "t_id_seq"), "2BP01" },
  { "an extension without files", "", call("create_extension", "no_such_extension"), "0A000", on_14 = "58P01" },
  { "an extension that is there", "", call("create_extension", "plpgsql"), "42710" },
  { "an extension that is not there", "", call("drop_extension", "pg_trgm"), "42704" },
  { "no way to that version", "", call("alter_extension", "plpgsql", { version = "99" }), "22023" },
  { "a view that exists", v, call("create_view", "v", "SELECT 1"), "42P07" },
  { "a view whose column would change", v, call("create_view", "v", "SELECT a AS id FROM t", { replace = true }), "42P16" },
  { "a view of the other kind", mv, call("rename_view", "v", "w", { materialized = true }), "42809" },
  { "a view that another uses", v .. "CREATE VIEW w AS SELECT * FROM v;", call("drop_view", "v"), "2BP01" },
  { "a view that does not exist", "", call("drop_view", "v"), "42P01" },
  { "a view without a unique index", mv, call("refresh_view", "mv", { concurrently = true }), "55000" },
  { "a view that is not filled", mv .. "CREATE UNIQUE INDEX u ON mv (id); REFRESH MATERIALIZED VIEW mv WITH NO DATA;",
    call("refresh_view", "mv", { concurrently = true }), "0A000" },
  { "a function that exists", sum, call("create_function", "sum2", { "integer", "integer" }, sum_definition), "42723" },
  { "a function whose result would change", sum, call("create_function", "sum2", { "a integer", "b integer = 1" }, {
    replace = true, returns = "bigint", language = "sql", body = "SELECT 1::bigint",
  }), "42P13" },
  { "a body that does not parse", "", call("create_function", "f", {}, { returns = "void", language = "plpgsql", body = "BEGIN oops END" }), "42601" },
  { "a function that does not exist", "", call("drop_function", "f", {}), "42883" },
  { "a function of several", sum .. "CREATE FUNCTION sum2() RETURNS integer LANGUAGE sql RETURN 1;", call("drop_function", "sum2"), "42725" },
  { "a trigger that exists", tr, call("create_trigger", "tr", "t", tr_definition), "42710" },
  { "a trigger without its function", tables, call("create_trigger", "tr", "t", tr_definition), "42883" },
  { "a trigger with another function", tables .. "CREATE FUNCTION f() RETURNS integer LANGUAGE sql RETURN 1;",
    call("create_trigger", "tr", "t", tr_definition), "42P17" },
  { "a trigger that does not exist", tables, call("drop_trigger", "tr", "t"), "42704" },
  { "a trigger that cannot be disabled", tables, call("disable_trigger", "tr", "t"), "42704" },
  { "a policy that exists", p, call("create_policy", "p", "t", { using = "true" }), "42710" },
  { "a policy for nobody", tables, call("create_policy", "p", "t", { using = "true", roles = "no_such_role" }), "42704" },
  { "a policy that does not exist", tables, call("alter_policy", "p", "t", { using = "true" }), "42704" },
  { "statistics that exist", tables .. "CREATE STATISTICS st ON a, b FROM t;", call("create_statistics", "st", "t", { "a", "b" }), "42710" },
  { "a publication that exists", "CREATE PUBLICATION pub", call("create_publication", "pub"), "42710" },
  { "a publication that does not exist", "", call("drop_publication", "pub"), "42704" },
  { "a table that is published already", tables .. "CREATE PUBLICATION pub FOR TABLE t;", call("alter_publication", "pub", { add = { "t" } }), "42710" },
  { "a table that is not published", tables .. "CREATE PUBLICATION pub;", call("alter_publication", "pub", { drop = { "t" } }), "42704" },
  { "statistics that do not exist", "", call("drop_statistics", "st"), "42704" },
  { "a privilege for nobody", tables, call("grant", "select", "table", "t", "no_such_role"), "42704" },
  { "a privilege on nothing", "", call("grant", "select", "table", "t", role_a), "42P01" },
  { "a comment on nothing", "", call("set_comment", "table", "t", "x"), "42P01" },
  { "a comment on no column", tables, call("set_comment", "column", "t.z", "x"), "42703" },
  { "a comment on no function", "", call("set_comment", "function", "f", "x", { arguments = {} }), "42883" },
  { "a table of Citus without Citus", tables, call("distribute_table", "t", "id"), "42883" },
  { "a reference table without Citus", tables, call("reference_table", "t"), "42883" },
}

describe("on a server", function()
  local database, connection, executor

  local function sql(text)
    for _, statement in ipairs(require("luamig.core.sql").split(text)) do
      connection:exec(statement.sql)
    end
  end

  setup(function()
    database = server.database()
    this_database = database.name
    connection = database.connect()
    for _, role in ipairs({ role_a, role_b }) do
      connection:exec("CREATE ROLE " .. role)
    end
    connection:exec("SET jit = off") -- it would take longer than the reading of the catalogs
    executor = { context = { server_version = connection:info().server_version } }
    function executor.run(_, statement)
      connection:exec(statement.sql)
    end
    function executor:on_record(record)
      self.records[#self.records + 1] = record
      executed[record.op] = true
    end
  end)

  teardown(function()
    for _, role in ipairs({ role_a, role_b }) do
      connection:exec("DROP ROLE " .. role)
    end
    connection:close()
    database.drop()
    server.assert_clean()
  end)

  before_each(function()
    connection:exec("BEGIN")
    executor.records = {}
  end)

  after_each(function()
    connection:exec("ROLLBACK")
  end)

  local function run_back(records)
    for i = #records, 1, -1 do
      local back, why = operations.get(records[i].op).inverse(records[i].args)
      assert.is_nil(why)
      op.invoke(back)
    end
  end

  local function major()
    return executor.context.server_version // 10000
  end

  local function lacks_contrib()
    return #connection:exec("SELECT FROM pg_catalog.pg_available_extensions WHERE name = 'pg_trgm'") == 0
  end

  for _, case in ipairs(there_and_back) do
    it(case[1] .. " is done and undone", function()
      if case.needs and major() < case.needs then
        return pending(("needs PostgreSQL %d"):format(case.needs))
      elseif case.contrib and lacks_contrib() then
        return pending("this server has no contrib extensions")
      end
      sql(case[2])
      local before = catalog.read(connection)
      op.with(executor, case[3])
      assert.is_not.same(before, catalog.read(connection))
      if case.proof then
        assert.is_true(connection:exec("SELECT (" .. case.proof .. ") AS ok")[1].ok)
      end
      op.with(executor, run_back, executor.records)
      assert.same(before, catalog.read(connection))
    end)
  end

  it("set_comment is done and undone for every kind of object", function()
    sql(everything)
    local seen = {}
    for _, case in ipairs(comments) do
      op.with(executor, call("set_comment", case[1], case[2], op.none, case[3]))
      local before = catalog.read(connection)
      local options = { from = op.none }
      for name, option in pairs(case[3] or {}) do
        options[name] = option
      end
      executor.records = {}
      op.with(executor, call("set_comment", case[1], case[2], "it's", options))
      assert.is_not.same(before, catalog.read(connection), case[1])
      op.with(executor, run_back, executor.records)
      assert.same(before, catalog.read(connection), case[1])
      seen[case[1]] = true
    end
    seen.transform, seen.subscription = true, true -- the server at hand can make neither
    op.with(executor, call("set_comment", "database", this_database, "x"))
    seen.database = true
    for _, kind in ipairs(require("luamig.shape").parse(operations.get("set_comment").parameters[1].type)[1].words) do
      assert.is_true(seen[kind], kind)
    end
  end)

  for _, case in ipairs(refused) do
    it("refuses " .. case[1], function()
      sql(case[2])
      local ok, f = pcall(op.with, executor, case[3])
      assert.is_false(ok)
      assert.equal(major() == 14 and case.on_14 or case[4], f.sqlstate or tostring(f))
    end)
  end

  it("add_enum_value adds a value that is usable after a commit", function()
    connection:exec("ROLLBACK")
    sql("CREATE TYPE feeling AS ENUM ('a', 'c')")
    connection:exec("BEGIN")
    op.with(executor, function()
      op.add_enum_value("feeling", "b", { before = "c" })
      op.add_enum_value("feeling", "b", { if_not_exists = true })
      op.add_enum_value("feeling", "d", { after = "c" })
    end)
    connection:exec("COMMIT")
    local rows = connection:exec("SELECT enum_range(NULL::feeling)::text AS all, 'b'::feeling < 'c' AS ok")
    sql("DROP TYPE feeling")
    connection:exec("BEGIN")
    assert.equal("{a,b,c,d}", rows[1].all)
    assert.is_true(rows[1].ok)
  end)

  it("alter_sequence restarts", function()
    sql("CREATE SEQUENCE q; SELECT nextval('q')")
    op.with(executor, call("alter_sequence", "q", { restart = 41 }))
    assert.equal(41, connection:exec("SELECT nextval('q') AS n")[1].n)
    op.with(executor, call("alter_sequence", "q", { restart = true }))
    assert.equal(1, connection:exec("SELECT nextval('q') AS n")[1].n)
  end)

  it("refresh_view fills and empties, concurrently too, inside a transaction", function()
    sql(mv .. "CREATE UNIQUE INDEX ON mv (id); INSERT INTO t VALUES (1)")
    local function count()
      return connection:exec("SELECT count(*)::integer AS n FROM mv")[1].n
    end
    assert.equal(0, count())
    op.with(executor, call("refresh_view", "mv", { concurrently = true }))
    assert.equal(1, count())
    sql("INSERT INTO t VALUES (2)")
    op.with(executor, call("refresh_view", "mv"))
    assert.equal(2, count())
    op.with(executor, call("refresh_view", "mv", { with_data = false }))
    assert.is_false(pcall(count))
  end)

  it("drops with if_exists what is not there, and with cascade what is used", function()
    op.with(executor, function()
      for _, name in ipairs({ "drop_type", "drop_schema", "drop_sequence", "drop_extension", "drop_view", "drop_statistics", "drop_publication" }) do
        op[name]("no_such_thing", { if_exists = true })
      end
      op.drop_function("no_such_thing", { "integer" }, { if_exists = true })
      op.drop_procedure("no_such_thing", {}, { if_exists = true, cascade = true })
      op.drop_trigger("no_such_thing", "no_such_table", { if_exists = true, cascade = true })
      op.drop_policy("no_such_thing", "no_such_table", { if_exists = true })
    end)
    sql(mood .. sum .. v:gsub("CREATE SCHEMA s;", "") .. "CREATE SEQUENCE q; CREATE TABLE s.u (n integer DEFAULT nextval('q'));"
      .. "CREATE VIEW w AS SELECT * FROM v;"
      .. "CREATE AGGREGATE my_sum (integer) (sfunc = int4pl, stype = integer);")
    op.with(executor, function()
      op.drop_type("mood", { cascade = true })
      op.drop_view("v", { cascade = true })
      op.drop_sequence("q", { cascade = true })
      op.drop_schema("s", { cascade = true })
      op.drop_function("sum2", nil, { cascade = true })
      op.drop_function("my_sum", { "integer" }, { kind = "aggregate" })
    end)
    assert.equal(0, #connection:exec("SELECT FROM pg_proc WHERE proname IN ('sum2', 'my_sum')"))
  end)

  it("makes with if_not_exists what is there already", function()
    sql(mv .. "CREATE SEQUENCE q; CREATE STATISTICS st ON id, a FROM t;")
    local before = catalog.read(connection)
    op.with(executor, function()
      op.create_schema("s", { if_not_exists = true })
      op.create_sequence("q", { if_not_exists = true })
      op.create_extension("plpgsql", { if_not_exists = true })
      op.create_view("mv", "SELECT 1", { materialized = true, if_not_exists = true })
      op.create_statistics("st", "t", { "id", "a" }, { if_not_exists = true })
    end)
    assert.same(before, catalog.read(connection))
  end)

  it("takes the grant option from those it was passed on to", function()
    sql(tables .. ("GRANT SELECT ON t TO %s WITH GRANT OPTION; SET ROLE %s; GRANT SELECT ON t TO %s; RESET ROLE")
      :format(role_a, role_a, role_b))
    op.with(executor, call("revoke", "select", "table", "t", role_a, { cascade = true }))
    assert.is_false(connection:exec(("SELECT has_table_privilege('%s', 't', 'select') AS ok"):format(role_b))[1].ok)
  end)

  it("ran every operation on types, schemas and code", function()
    local missing = {}
    for _, description in ipairs(operations.list()) do
      local family = description.family
      if (family == "types and schemas" or family == "code") and not executed[description.name] then
        missing[#missing + 1] = description.name
      end
    end
    assert.same({}, missing)
  end)
end)
