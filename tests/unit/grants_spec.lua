-- luacheck: no max line length (a case a line)
local cases = require("support.cases")
local op = require("luamig.op")

local call = cases.call

describe("privileges", function()
  cases.render({
    { "are granted", call("grant", "select", "table", "orders", "app"), "GRANT SELECT ON TABLE orders TO app" },
    { "are granted on several things to several roles", call("grant", { "SELECT", "insert" }, "table", { "a.t", "U" }, { "app", "public", "Boss" }),
      [[GRANT SELECT, INSERT ON TABLE a.t, "U" TO app, PUBLIC, "Boss"]] },
    { "are granted to what SQL says", call("grant", "select", "table", "t", { op.sql("CURRENT_ROLE"), "app" }),
      "GRANT SELECT ON TABLE t TO CURRENT_ROLE, app" },
    { "are granted for columns", call("grant", { "select", "update" }, "table", "t", "app", { columns = { "a", "B" } }),
      [[GRANT SELECT (a, "B"), UPDATE (a, "B") ON TABLE t TO app]] },
    { "are granted all", call("grant", "all privileges", "sequence", "s", "app", { with_grant_option = true }),
      "GRANT ALL PRIVILEGES ON SEQUENCE s TO app WITH GRANT OPTION" },
    { "are granted on a function", call("grant", "execute", "function", "a.f", "app", { arguments = { "a int DEFAULT 1" } }),
      "GRANT EXECUTE ON FUNCTION a.f(a int) TO app" },
    { "are granted on functions", call("grant", "execute", "routine", { "f", "g" }, "app"), "GRANT EXECUTE ON ROUTINE f, g TO app" },
    { "are granted on a schema", call("grant", { "usage", "create" }, "schema", "app", "current_user"),
      "GRANT USAGE, CREATE ON SCHEMA app TO CURRENT_USER" },
    { "are granted on a database", call("grant", { "connect", "temp" }, "database", "shop", "app"),
      "GRANT CONNECT, TEMPORARY ON DATABASE shop TO app" },
    { "are granted on a type", call("grant", "usage", "type", "a.mood", "app"), "GRANT USAGE ON TYPE a.mood TO app" },
    { "are granted on all that a schema has", call("grant", "select", "all tables in schema", { "app", "Lib" }, "r"),
      [[GRANT SELECT ON ALL TABLES IN SCHEMA app, "Lib" TO r]] },
    { "are granted on a foreign server", call("grant", "usage", "foreign_server", "s", "r"), "GRANT USAGE ON FOREIGN SERVER s TO r" },
    { "are granted on a parameter", call("grant", { "set", "alter_system" }, "parameter", "work_mem", "r"),
      "GRANT SET, ALTER SYSTEM ON PARAMETER work_mem TO r" },
    { "are granted to maintain", call("grant", "maintain", "table", "t", "r"), "GRANT MAINTAIN ON TABLE t TO r", { server_version = 170000 } },
    { "are revoked", call("revoke", "all", "table", "t", "public"), "REVOKE ALL PRIVILEGES ON TABLE t FROM PUBLIC" },
    { "are revoked with everything", call("revoke", { "select" }, "table", "t", "app", {
      columns = { "a" }, grant_option_only = true, cascade = true,
    }), "REVOKE GRANT OPTION FOR SELECT (a) ON TABLE t FROM app CASCADE" },
    { "are granted in advance", call("grant_default", { "select" }, "table", "r"), "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO r" },
    { "are granted in advance with everything", call("grant_default", "usage", "type", "r", {
      schema = { "a", "b" }, for_role = { "boss", "current_user" }, with_grant_option = true,
    }), "ALTER DEFAULT PRIVILEGES FOR ROLE boss, CURRENT_USER IN SCHEMA a, b GRANT USAGE ON TYPES TO r WITH GRANT OPTION" },
    { "are revoked in advance", call("revoke_default", "execute", "function", "public", { for_role = "boss" }),
      "ALTER DEFAULT PRIVILEGES FOR ROLE boss REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC" },
  })
  cases.invert({
    { "go back: grant", call("grant", "select", "table", "t", "app", { with_grant_option = true, columns = { "a" } }),
      "REVOKE SELECT (a) ON TABLE t FROM app", one_way = true },
    { "go back: grant on a function", call("grant", "execute", "function", "f", "app", { arguments = { "int" } }),
      "REVOKE EXECUTE ON FUNCTION f(int) FROM app" },
    { "go back: revoke", call("revoke", "select", "table", "t", "app"), "GRANT SELECT ON TABLE t TO app" },
    { "go back: revoke of the grant option", call("revoke", "select", "table", "t", "app", { grant_option_only = true }),
      "GRANT SELECT ON TABLE t TO app WITH GRANT OPTION", one_way = true },
    { "go back: grant_default", call("grant_default", "select", "table", "r", { schema = "a" }),
      "ALTER DEFAULT PRIVILEGES IN SCHEMA a REVOKE SELECT ON TABLES FROM r" },
    { "go back: revoke_default", call("revoke_default", "execute", "function", "public"),
      "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC" },
  })
  cases.not_invert({
    { "do not come back after CASCADE", call("revoke", "select", "table", "t", "app", { cascade = true }),
      "what CASCADE takes from others is not known" },
  })
  cases.refuse({
    { "are those of the kind", call("grant", { "select", "execute" }, "table", "t", "app"),
      "grant: privileges: 'execute' is no privilege of kind 'table': expected all, select, insert, update, delete, truncate, references, trigger, maintain" },
    { "are spelt right", call("revoke", "slect", "sequence", "s", "app"),
      "revoke: privileges: 'slect' is no privilege of kind 'sequence': expected all, usage, select, update (did you mean 'select'?)" },
    { "are all or some", call("grant", { "all", "select" }, "table", "t", "app"), "grant: privileges: \"all\" stands alone" },
    { "are some", call("grant", {}, "table", "t", "app"), "grant: privileges: the list is empty" },
    { "are on a kind of thing", call("grant", "select", "orders", "app"),
      "grant: argument 2 (kind): expected one of all functions in schema, all procedures in schema, all routines in schema, "
      .. "all sequences in schema, all tables in schema, database, domain, foreign data wrapper, foreign server, function, language, "
      .. "parameter, procedure, routine, schema, sequence, table, tablespace, type, got 'orders'" },
    { "are on something", call("grant", "select", "table", {}, "app"), "grant: names: the list is empty" },
    { "are somebody's", call("grant", "select", "table", "t", {}), "grant: roles: the list is empty" },
    { "want to be told whose", call("grant", "select", "table", "t"),
      "grant: argument 4 (roles): expected a name (a string) or op.sql or a list, got nothing",
      "op.grant(privileges, kind, names, roles, options)" },
    { "are on whole schemas", call("grant", "usage", "schema", "app.orders", "r"),
      "grant: names: the name of a schema has no dot, got 'app.orders'" },
    { "are on all that whole schemas have", call("grant", "select", "all tables in schema", { "a", "b.c" }, "r"),
      "grant: names: the name of a schema has no dot, got 'b.c'" },
    { "are for columns of tables", call("grant", "usage", "sequence", "s", "r", { columns = { "a" } }),
      "grant: columns is for kind \"table\"" },
    { "are for columns only some", call("grant", { "select", "delete" }, "table", "t", "r", { columns = { "a" } }),
      "grant: privileges: 'delete' cannot be given for columns" },
    { "have arguments of one function", call("grant", "execute", "function", { "f", "g" }, "r", { arguments = {} }),
      "grant: arguments is for one function, procedure or routine" },
    { "are not the public's to pass on", call("grant", "select", "table", "t", "public", { with_grant_option = true }),
      "grant: with_grant_option is for roles, not for public" },
    { "of schemas are not in a schema", call("grant_default", "usage", "schema", "r", { schema = "a" }),
      "grant_default: schema: there is no schema inside a schema" },
    { "in advance are those of the kind", call("revoke_default", "select", "function", "r"),
      "revoke_default: privileges: 'select' is no privilege of kind 'function': expected all, execute" },
    { "know what PostgreSQL 16 lacks", call("grant", "maintain", "table", "t", "r"),
      "the privilege maintain needs PostgreSQL 17; the server is 16", context = { server_version = 160004 } },
    { "know what PostgreSQL 14 lacks", call("grant", "set", "parameter", "work_mem", "r"),
      "a privilege of a parameter needs PostgreSQL 15; the server is 14", context = { server_version = 140004 } },
  })
end)

describe("comments", function()
  local function comment(kind, name, options)
    return call("set_comment", kind, name, "it's", options)
  end

  local function on(target)
    return "COMMENT ON " .. target .. " IS 'it''s'"
  end

  cases.render({
    { "are set", comment("table", "App.t"), on('TABLE "App".t') },
    { "are taken away", call("set_comment", "view", "v", op.none), "COMMENT ON VIEW v IS NULL" },
    { "are empty", call("set_comment", "view", "v", ""), "COMMENT ON VIEW v IS ''" },
    { "of a column", comment("column", "t.C"), on('COLUMN t."C"') },
    { "of a column, with its schema", comment("column", 'a."t.u".c'), on('COLUMN a."t.u".c') },
    { "of a column, with on", comment("column", "c.d", { on = "a.t" }), on('COLUMN a.t."c.d"') },
    { "of a trigger", comment("trigger", "tr", { on = "a.t" }), on("TRIGGER tr ON a.t") },
    { "of a constraint", comment("constraint", "c", { on = "t" }), on("CONSTRAINT c ON t") },
    { "of a domain constraint", comment("domain_constraint", "c", { on = "a.d" }), on("CONSTRAINT c ON DOMAIN a.d") },
    { "of a function", comment("function", "a.f", { arguments = { "int", { name = "b", type = "text", default = "x" } } }),
      on("FUNCTION a.f(int, b text)") },
    { "of the only function", comment("function", "f"), on("FUNCTION f") },
    { "of an aggregate", comment("aggregate", "a", { arguments = { "*" } }), on("AGGREGATE a(*)") },
    { "of an operator", comment("operator", "app.+", { arguments = { "none", "bigint" } }), on("OPERATOR app.+ (none, bigint)") },
    { "of an operator without a schema", comment("operator", "<=>", { arguments = { "int", "int" } }), on("OPERATOR <=> (int, int)") },
    { "of an operator class", comment("operator class", "a.ops", { using = "btree" }), on("OPERATOR CLASS a.ops USING btree") },
    { "of a cast", comment("cast", "text AS a.mood"), on("CAST (text AS a.mood)") },
    { "of a transform", comment("transform", "hstore", { on = "plperl" }), on("TRANSFORM FOR hstore LANGUAGE plperl") },
    { "of a large object", comment("large object", "16400"), on("LARGE OBJECT 16400") },
    { "of a materialized view", comment("MATERIALIZED VIEW", "v"), on("MATERIALIZED VIEW v") },
    { "of an extension", comment("extension", "uuid-ossp"), on('EXTENSION "uuid-ossp"') },
    { "of a role that looks like a word", comment("role", "public"), on("ROLE public") },
    { "of a database with a dot", comment("database", "a.b"), on('DATABASE "a.b"') },
  })
  cases.invert({
    { "go back", call("set_comment", "trigger", "tr", "new", { on = "t", from = "old" }), "COMMENT ON TRIGGER tr ON t IS 'old'" },
    { "go back to nothing", call("set_comment", "table", "t", "new", { from = op.none }), "COMMENT ON TABLE t IS NULL" },
    { "come back", call("set_comment", "table", "t", op.none, { from = "old" }), "COMMENT ON TABLE t IS 'old'" },
  })
  cases.not_invert({
    { "stay when the former is not known", call("set_comment", "table", "t", "new"),
      "what the comment was is not known: give it as from = \"…\", or from = op.none when there was none" },
  })
  cases.refuse({
    { "know the kinds", comment("tabel", "t"),
      "set_comment: argument 1 (kind): expected one of access method, aggregate, cast, collation, column, constraint, conversion, "
      .. "database, domain, domain constraint, event trigger, extension, foreign data wrapper, foreign table, function, index, language, "
      .. "large object, materialized view, operator, operator class, operator family, policy, procedure, publication, role, routine, "
      .. "rule, schema, sequence, server, statistics, subscription, table, tablespace, text search configuration, "
      .. "text search dictionary, text search parser, text search template, transform, trigger, type, view, got 'tabel'",
      "did you mean 'table'?" },
    { "want a text", call("set_comment", "table", "t"), "set_comment: argument 3 (text): expected a string or op.none, got nothing",
      "op.set_comment(kind, name, text, options)" },
    { "want the table of a trigger", comment("trigger", "tr"), "set_comment: kind 'trigger' needs the option on" },
    { "want the table of a column", comment("column", "c"),
      "set_comment: name: a column is \"table.column\", or has the option on, got 'c'" },
    { "want the types of an aggregate", comment("aggregate", "a"), "set_comment: kind 'aggregate' needs the option arguments" },
    { "want the types of an operator", comment("operator", "+"), "set_comment: kind 'operator' needs the option arguments" },
    { "want an operator", comment("operator", "plus", { arguments = { "int", "int" } }), "set_comment: name: expected an operator, got 'plus'" },
    { "want a whole cast", comment("cast", "text"), "set_comment: name: a cast is \"source AS target\", got 'text'" },
    { "want a number", comment("large object", "x"), "set_comment: name: a large object is a number, got 'x'" },
    { "have options by kind", comment("table", "t", { on = "u" }), "set_comment: the option on is not for kind 'table'" },
    { "see too many parts", comment("table", "a.b.c"), "set_comment: name: the name 'a.b.c' has more than 2 parts" },
    { "see too long a name", comment("schema", ("x"):rep(64)),
      "set_comment: name: the name '" .. ("x"):rep(64) .. "' has 64 bytes, PostgreSQL takes 63" },
  })
end)
