-- luacheck: no max line length (a case a line)
local cases = require("support.cases")
local op = require("luamig.op")
local record = require("support.record")

local call = cases.call

describe("views", function()
  cases.render({
    { "are made", call("create_view", "v", "SELECT 1"), "CREATE VIEW v AS SELECT 1" },
    { "are made with everything", call("create_view", "App.v", op.sql("SELECT a, b FROM t"), {
      replace = true, columns = { "x", "Y" }, security_invoker = true, security_barrier = false, check_option = "cascaded",
      comment = "x",
    }), [[CREATE OR REPLACE VIEW "App".v (x, "Y") WITH (security_barrier = false, security_invoker = true) AS SELECT a, b FROM t WITH CASCADED CHECK OPTION]]
      .. "\n" .. [[COMMENT ON VIEW "App".v IS 'x']] },
    { "are made recursive", call("create_view", "v", "VALUES (1)", { recursive = true, columns = { "n" } }),
      "CREATE RECURSIVE VIEW v (n) AS VALUES (1)" },
    { "lose the semicolon that would end them", call("create_view", "v", "SELECT 1;\n ; ", { check_option = "local" }),
      "CREATE VIEW v AS SELECT 1 WITH LOCAL CHECK OPTION" },
    { "do not hide a clause in a comment", call("create_view", "v", "SELECT 1 -- one", { materialized = true, with_data = false }),
      "CREATE MATERIALIZED VIEW v AS SELECT 1 -- one\n WITH NO DATA" },
    { "keep their text byte for byte", call("create_view", "v", "SELECT\n\t'%d'::text,  ':x'"),
      "CREATE VIEW v AS SELECT\n\t'%d'::text,  ':x'" },
    { "are made materialized, with everything", call("create_view", "v", "SELECT 1", {
      materialized = true, if_not_exists = true, columns = { "n" }, using = "heap", tablespace = "fast", with_data = true,
      with = { fillfactor = 70, ["toast.autovacuum_enabled"] = false }, comment = "x",
    }), "CREATE MATERIALIZED VIEW IF NOT EXISTS v (n) USING heap WITH (fillfactor = 70, toast.autovacuum_enabled = false) "
      .. "TABLESPACE fast AS SELECT 1\nCOMMENT ON MATERIALIZED VIEW v IS 'x'" },
    { "are dropped", call("drop_view", "v"), "DROP VIEW v" },
    { "are dropped, materialized", call("drop_view", "a.v", { materialized = true, if_exists = true, cascade = true }),
      "DROP MATERIALIZED VIEW IF EXISTS a.v CASCADE" },
    { "are renamed", call("rename_view", "a.v", "w"), "ALTER VIEW a.v RENAME TO w" },
    { "are renamed, materialized", call("rename_view", "v", "w", { materialized = true }), "ALTER MATERIALIZED VIEW v RENAME TO w" },
    { "are set", call("alter_view_set", "v", {
      security_invoker = true, security_barrier = op.none, check_option = "local", owner = "boss", schema = "app",
    }), "ALTER VIEW v SET (check_option = 'local', security_invoker = true)\nALTER VIEW v RESET (security_barrier)\n"
      .. "ALTER VIEW v OWNER TO boss\nALTER VIEW v SET SCHEMA app" },
    { "are set, materialized", call("alter_view_set", "v", {
      materialized = true, with = { fillfactor = 50, autovacuum_enabled = op.none }, tablespace = "fast",
    }), "ALTER MATERIALIZED VIEW v SET (fillfactor = 50)\nALTER MATERIALIZED VIEW v RESET (autovacuum_enabled)\n"
      .. "ALTER MATERIALIZED VIEW v SET TABLESPACE fast" },
    { "are filled anew", call("refresh_view", "v"), "REFRESH MATERIALIZED VIEW v" },
    { "are filled beside their readers", call("refresh_view", "a.v", { concurrently = true }),
      "REFRESH MATERIALIZED VIEW CONCURRENTLY a.v" },
    { "are emptied", call("refresh_view", "v", { with_data = false }), "REFRESH MATERIALIZED VIEW v WITH NO DATA" },
  })

  it("are filled inside a transaction, concurrently too", function()
    assert.is_true(record.executor(call("refresh_view", "v", { concurrently = true })).statements[1].transactional)
  end)

  cases.invert({
    { "go back: create", call("create_view", "v", "SELECT 1"), "DROP VIEW v" },
    { "go back: create, materialized", call("create_view", "v", "SELECT 1", { materialized = true, if_not_exists = true }),
      "DROP MATERIALIZED VIEW IF EXISTS v" },
    { "go back: replace", call("create_view", "v", "SELECT 2", {
      replace = true, security_barrier = true, from = { sql = "SELECT 1", comment = "one" },
    }), "CREATE OR REPLACE VIEW v AS SELECT 1\nCOMMENT ON VIEW v IS 'one'" },
    { "go back: replace where there was none", call("create_view", "v", "SELECT 2", { replace = true, from = op.none }),
      "DROP VIEW v", one_way = true },
    { "go back: drop", call("drop_view", "v", { definition = { sql = "SELECT 1", columns = { "n" } } }), "CREATE VIEW v (n) AS SELECT 1" },
    { "go back: drop, materialized", call("drop_view", "v", { materialized = true, definition = { sql = "SELECT 1", with_data = false } }),
      "CREATE MATERIALIZED VIEW v AS SELECT 1 WITH NO DATA" },
    { "go back: rename", call("rename_view", "a.v", "w", { materialized = true }), "ALTER MATERIALIZED VIEW a.w RENAME TO v" },
    { "go back: set", call("alter_view_set", "a.v", { security_invoker = true, schema = "b", from = { security_invoker = op.none } }),
      "ALTER VIEW b.v RESET (security_invoker)\nALTER VIEW b.v SET SCHEMA a" },
    { "go back: refresh", call("refresh_view", "v", { with_data = false }), "REFRESH MATERIALIZED VIEW v", one_way = true },
  })
  cases.not_invert({
    { "do not come back unknown", call("drop_view", "v"), "what is dropped is not known: give it as definition = { … }" },
    { "do not come back after CASCADE", call("drop_view", "v", { cascade = true, definition = { sql = "SELECT 1" } }),
      "what CASCADE drops along is not known" },
    { "do not come back after replace", call("create_view", "v", "SELECT 1", { replace = true }),
      "what the view was is not known: give it as from = { sql = … }, or from = op.none when there was none" },
  })
  cases.refuse({
    { "want SQL", call("create_view", "v", "  "), "create_view: argument 2 (sql): the text is empty" },
    { "cannot be replaced when materialized", call("create_view", "v", "SELECT 1", { materialized = true, replace = true }),
      "create_view: a materialized view cannot be replaced: drop it and make it anew" },
    { "have no storage when plain", call("create_view", "v", "SELECT 1", { tablespace = "fast" }),
      "create_view: tablespace is for materialized views" },
    { "have no security_invoker when materialized", call("create_view", "v", "SELECT 1", { materialized = true, security_invoker = true }),
      "create_view: security_invoker is for plain views" },
    { "need columns when recursive", call("create_view", "v", "SELECT 1", { recursive = true }),
      "create_view: a recursive view needs columns" },
    { "take from with replace only", call("create_view", "v", "SELECT 1", { from = op.none }), "create_view: from goes with replace" },
    { "want the query in from", call("drop_view", "v", { definition = { columns = { "a" } } }),
      "drop_view: argument 2.definition.sql: expected SQL (a string or op.sql), got nothing" },
    { "name a mistyped option", call("create_view", "v", "SELECT 1", { materialised = true }),
      "create_view: argument 3.materialised: there is no such option", "did you mean 'materialized'?" },
    { "are not refreshed both ways", call("refresh_view", "v", { concurrently = true, with_data = false }),
      "refresh_view: concurrently and with_data = false exclude each other" },
    { "are set by kind", call("alter_view_set", "v", { tablespace = "fast" }), "alter_view_set: tablespace is for materialized views" },
    { "want something to change", call("alter_view_set", "v", { materialized = true }),
      "alter_view_set: nothing to change: give at least one of check_option, owner, schema, security_barrier, security_invoker, tablespace, with" },
    { "know what PostgreSQL 14 lacks", call("create_view", "v", "SELECT 1", { security_invoker = true }),
      "security_invoker needs PostgreSQL 15; the server is 14", context = { server_version = 140010 } },
  })
end)
