-- luacheck: no max line length (a case a line)
-- Tables, constraints and indexes on a server: what an operation renders is run, then its inverse,
-- then the operation again, and the catalogs are compared.

local op = require("luamig.op")
local operations = require("luamig.operations")
local record = require("support.record")
local server = require("support.server")

local STATE <const> = [[
  WITH relation AS (
    SELECT c.*, pg_catalog.format('%s.%s', n.nspname, c.relname) AS full_name
      FROM pg_catalog.pg_class AS c
      JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
     WHERE n.nspname IN ('public', 'app') AND c.relkind IN ('r', 'p', 'i', 'I'))
  SELECT pg_catalog.concat_ws(' ', full_name, relkind, relpersistence, reloptions,
           relowner::pg_catalog.regrole, relreplident, pg_catalog.obj_description(oid, 'pg_class'),
           pg_catalog.pg_get_expr(relpartbound, oid),
           CASE relkind WHEN 'p' THEN pg_catalog.pg_get_partkeydef(oid) END,
           (SELECT pg_catalog.array_agg(inhparent::pg_catalog.regclass ORDER BY inhseqno)
              FROM pg_catalog.pg_inherits WHERE inhrelid = relation.oid)) AS line
    FROM relation
   UNION ALL
  SELECT pg_catalog.concat_ws(' ', full_name, attname,
           pg_catalog.format_type(atttypid, atttypmod), attnotnull, attstorage, attidentity,
           pg_catalog.pg_get_expr(adbin, adrelid), pg_catalog.col_description(attrelid, attnum))
    FROM relation
    JOIN pg_catalog.pg_attribute ON attrelid = relation.oid AND attnum > 0 AND NOT attisdropped
    LEFT JOIN pg_catalog.pg_attrdef ON adrelid = attrelid AND adnum = attnum
   UNION ALL
  SELECT pg_catalog.concat_ws(' ', full_name, conname, convalidated,
           pg_catalog.pg_get_constraintdef(k.oid),
           pg_catalog.obj_description(k.oid, 'pg_constraint'))
    FROM relation
    JOIN pg_catalog.pg_constraint AS k ON conrelid = relation.oid
   UNION ALL
  SELECT pg_catalog.concat_ws(' ', full_name, indisvalid, indisclustered, indisreplident,
           pg_catalog.pg_get_indexdef(indexrelid))
    FROM relation
    JOIN pg_catalog.pg_index ON indexrelid = relation.oid
   ORDER BY line]]

local function run_all(conn, statements)
  for _, statement in ipairs(statements) do
    if statement.transactional then
      conn:exec("BEGIN")
      conn:exec(statement.sql)
      conn:exec("COMMIT")
    else
      conn:exec(statement.sql)
    end
  end
end

describe("tables, constraints and indexes on a server", function()
  local database, conn, version

  setup(function()
    database = server.database()
    conn = database.connect()
    version = conn:info().server_version
  end)

  teardown(function()
    conn:close()
    database.drop()
  end)

  before_each(function()
    conn:exec("SET client_min_messages = warning")
    conn:exec("DROP SCHEMA IF EXISTS app CASCADE")
    conn:exec("DROP SCHEMA public CASCADE")
    conn:exec("CREATE SCHEMA public")
    conn:exec("CREATE SCHEMA app")
  end)

  local function state()
    local lines = {}
    for i, row in ipairs(conn:exec(STATE)) do
      lines[i] = row.line
    end
    return table.concat(lines, "\n")
  end

  local function run(fn)
    local executor = record.executor(fn, { server_version = version })
    run_all(conn, executor.statements)
    return executor.records[1]
  end

  local function inverse_of(made)
    return function()
      local back, why = operations.get(made.op).inverse(made.args)
      assert.is_nil(why)
      op.invoke(back)
    end
  end

  -- { what, SQL before, function, since = major version }
  local function goes_up(row, before)
    if row.since and version < row.since * 10000 then
      pending(("needs PostgreSQL %d"):format(row.since))
    end
    for statement in before:gmatch("[^;]+") do
      conn:exec(statement)
    end
    local start = state()
    local made = run(row[3])
    return start, made, state()
  end

  -- Up, down, up: the inverse gives back what was, the operation what it made.
  local function reversible(rows)
    for _, row in ipairs(rows) do
      it(row[1] .. ", and back", function()
        local start, made, made_state = goes_up(row, row[2])
        assert.not_equal(start, made_state)
        run(inverse_of(made))
        assert.equal(start, state())
        run(row[3])
        assert.equal(made_state, state())
      end)
    end
  end

  -- Up only, then a question that must be answered with true.
  local function one_way(rows)
    for _, row in ipairs(rows) do
      it(row[1], function()
        goes_up(row, row[2])
        assert.is_true(conn:exec("SELECT (SELECT " .. row[4] .. ") AS answer")[1].answer)
      end)
    end
  end

  local T <const> = "CREATE TABLE t (a integer NOT NULL, b text, c text); INSERT INTO t VALUES (1, 'x', 'y')"
  local TWO <const> = T .. "; CREATE TABLE u (id integer PRIMARY KEY, d text); INSERT INTO u VALUES (1, 'z')"
  local SPLIT <const> = "CREATE TABLE p (a integer, b text) PARTITION BY RANGE (a)"
  local RANGES <const> = "CREATE TABLE t (room int4range, during tstzrange)"

  reversible({
    { "create_table with everything", "CREATE TABLE u (id integer PRIMARY KEY)", function()
      op.create_table("app.Things", {
        op.column("id", "bigint", { primary_key = true, identity = "always" }),
        op.column("u_id", "integer", { nullable = false, references = { table = "u", on_delete = "cascade" } }),
        op.column("name", "text", { default = "it's", comment = "what it's called", storage = "external" }),
        op.column("tags", "text[]", { default = {} }),
        op.column("at", "timestamptz", { default = op.sql("now()"), nullable = false }),
        op.column("length", "integer", { generated = "length(name)" }),
        op.unique({ "u_id", "name" }, { name = "uq", include = { "at" }, with = { fillfactor = 80 } }),
        op.check("length > 0", { name = "ck", comment = "not empty" }),
        op.foreign_key({ "u_id" }, "u", { "id" }, { name = "fk", deferrable = true, initially = "deferred" }),
        op.exclude({ { "name", "=", opclass = "text_ops" }, { op.sql("u_id + 1"), "=" } },
          { name = "ex", using = "btree", where = "u_id > 0", tablespace = "pg_default" }),
        comment = "things", with = { fillfactor = 70, autovacuum_enabled = false, ["toast.autovacuum_enabled"] = false },
        tablespace = "pg_default", using = "heap", unlogged = true,
      })
    end },
    { "create_table with a primary key of several columns", "", function()
      op.create_table("t", { op.column("a", "integer", { primary_key = true }), op.column("b", "text", { primary_key = true }) })
    end },
    { "create_table without columns", "", function()
      op.create_table("t", { if_not_exists = true })
    end },
    { "create_table that inherits", "CREATE TABLE u (a integer); CREATE TABLE app.v (b integer)", function()
      op.create_table("t", { op.column("c", "integer"), inherits = { "u", "app.v" } })
    end },
    { "create_table like another", "CREATE TABLE u (a integer DEFAULT 5 CHECK (a > 0))", function()
      op.create_table("t", { op.sql("LIKE u INCLUDING ALL"), op.column("b", "text") })
    end },
    { "create_table split by range", "", function()
      op.create_table("t", {
        op.column("a", "integer"), op.column("b", "text"),
        partition_by = { range = { "a", { op.sql("lower(b)"), collation = "C", opclass = "text_ops" } } },
      })
    end },
    { "create_table split by list", "", function()
      op.create_table("t", { op.column("a", "integer"), partition_by = { list = { op.sql("a % 5") } } })
    end },
    { "create_table, a partition of a range", SPLIT, function()
      op.create_table("app.t", {
        op.check("b <> ''", { name = "ck" }),
        partition_of = { table = "p", from = op.sql("MINVALUE"), to = 10 }, with = { fillfactor = 50 },
      })
    end },
    { "create_table, a partition that is split again", SPLIT, function()
      op.create_table("t", { partition_of = { table = "p", from = { 1 }, to = { 10 } }, partition_by = { hash = { "a" } } })
    end },
    { "create_table, a partition of values", "CREATE TABLE p (a boolean) PARTITION BY LIST (a)", function()
      op.create_table("t", { partition_of = { table = "p", values = { true, op.null } } })
    end },
    { "create_table, a partition of a hash", "CREATE TABLE p (a integer) PARTITION BY HASH (a)", function()
      op.create_table("t", { partition_of = { table = "p", modulus = 4, remainder = 3 } })
    end },
    { "create_table, the default partition", SPLIT, function()
      op.create_table("t", { partition_of = { table = "p", default = true } })
    end },
    { "drop_table with a definition", "CREATE TABLE t (a integer NOT NULL, CONSTRAINT ck CHECK (a > 0)); COMMENT ON TABLE t IS 'x'", function()
      op.drop_table("t", { op.column("a", "integer", { nullable = false }), op.check("a > 0", { name = "ck" }), comment = "x" })
    end },
    { "rename_table", "CREATE TABLE app.t (a integer)", function()
      op.rename_table("app.t", '"u.v"')
    end },
    { "set_table_comment", T, function()
      op.set_table_comment("t", "it's\na \\ comment", { from = op.none })
    end },
    { "alter_table_set with everything", TWO .. "; CREATE UNIQUE INDEX i ON t (a); ALTER TABLE t SET (fillfactor = 90, parallel_workers = 2)", function()
      op.alter_table_set("public.t", {
        schema = "app", owner = "pg_database_owner", logged = false, tablespace = "pg_default",
        with = { fillfactor = op.none, parallel_workers = 3, autovacuum_enabled = false },
        replica_identity = { index = "i" }, cluster_on = "i",
        from = {
          owner = "postgres", replica_identity = "default", cluster_on = op.none, tablespace = "pg_default",
          with = { fillfactor = 90, parallel_workers = 2, autovacuum_enabled = op.none },
        },
      })
    end },
    { "alter_table_set inherit", T .. "; CREATE TABLE p (a integer NOT NULL)", function()
      op.alter_table_set("t", { inherit = "p" })
    end },
    { "attach_partition", SPLIT .. "; CREATE TABLE t (a integer, b text)", function()
      op.attach_partition("p", "t", { from = { 1 }, to = op.sql("MAXVALUE") })
    end },
    { "detach_partition", SPLIT .. "; CREATE TABLE t PARTITION OF p DEFAULT", function()
      op.detach_partition("p", "t", { default = true })
    end },
    { "create_primary_key", T, function()
      op.create_primary_key("pk", "t", { "a" }, { include = { "b" }, comment = "x" })
    end },
    { "create_unique_constraint", T, function()
      op.create_unique_constraint("uq", "t", { "a", "b" }, { deferrable = true, initially = "deferred", with = { fillfactor = 70 } })
    end },
    { "create_unique_constraint nulls_not_distinct", T, function()
      op.create_unique_constraint("uq", "t", { "b" }, { nulls_not_distinct = true, include = { "c" }, tablespace = "pg_default" })
    end, since = 15 },
    { "create_check_constraint", T, function()
      op.create_check_constraint("ck", "t", "a > 0 OR b IS NULL", { no_inherit = true })
    end },
    { "create_check_constraint not_valid", T, function()
      op.create_check_constraint("ck", "t", "a > 1", { not_valid = true })
    end },
    { "create_foreign_key", TWO, function()
      op.create_foreign_key("fk", "t", { "a" }, "public.u", { "id" },
        { on_delete = "set null", on_update = "cascade", match = "full", deferrable = true, comment = "x" })
    end },
    { "create_foreign_key not_valid", TWO .. "; DELETE FROM u", function()
      op.create_foreign_key("fk", "t", { "a" }, "u", nil, { not_valid = true, on_delete = "no action", on_update = "set default" })
    end },
    { "create_foreign_key on_delete_columns", TWO, function()
      op.create_foreign_key("fk", "t", { "a" }, "u", { "id" }, { on_delete = "set default", on_delete_columns = { "a" } })
    end, since = 15 },
    { "create_exclude_constraint", RANGES, function()
      op.create_exclude_constraint("ex", "t", { { "room", "=" }, { "during", op.sql("OPERATOR(pg_catalog.&&)") } },
        { where = "NOT isempty(during)", deferrable = true })
    end },
    { "drop_constraint with a definition", TWO .. "; ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES u ON DELETE CASCADE NOT VALID", function()
      op.drop_constraint("fk", "t", { definition = op.foreign_key({ "a" }, "u", { "id" }, { on_delete = "cascade", not_valid = true }) })
    end },
    { "rename_constraint", T .. "; ALTER TABLE t ADD CONSTRAINT x UNIQUE (a)", function()
      op.rename_constraint("x", "t", "Y")
    end },
    { "create_index with everything", T, function()
      op.create_index("I", "public.t", {
        "a", { "b", order = "desc", nulls = "last", collation = "C", opclass = "text_pattern_ops" },
        { op.sql("lower(b)"), nulls = "first" },
      }, {
        unique = true, using = "btree", where = "a > 0", include = { "c" }, tablespace = "pg_default",
        with = { fillfactor = 70, deduplicate_items = false }, comment = "x", if_not_exists = true,
        opclass = { a = "int4_ops" },
      })
    end },
    { "create_index nulls_not_distinct", T, function()
      op.create_index("i", "t", { "b" }, { unique = true, nulls_not_distinct = true })
    end, since = 15 },
    { "create_index with an operator class with parameters", "CREATE TABLE t (v tsvector)", function()
      op.create_index("i", "t", { { "v", opclass = op.sql("tsvector_ops(siglen = 32)") } }, { using = "gist" })
    end },
    { "create_index concurrently", T, function()
      op.create_index("i", "t", { "b" }, { concurrently = true, using = "hash", comment = "x" })
    end },
    { "create_index only", SPLIT .. "; CREATE TABLE p1 PARTITION OF p DEFAULT", function()
      op.create_index("i", "p", { "a" }, { only = true })
    end },
    { "drop_index with a definition", T .. "; CREATE INDEX i ON t (b)", function()
      op.drop_index("i", { concurrently = true, definition = { table = "t", columns = { "b" } } })
    end },
    { "rename_index", T .. "; CREATE INDEX i ON t (b)", function()
      op.rename_index("public.i", "J", { if_exists = true })
    end },
    { "create_check_constraint not enforced", T, function()
      op.create_check_constraint("ck", "t", "a > 1", { enforced = false })
    end, since = 18 },
    { "create_foreign_key not enforced", TWO, function()
      op.create_foreign_key("fk", "t", { "a" }, "u", { "id" }, { enforced = false, deferrable = true })
    end, since = 18 },
    { "create_not_null_constraint", T, function()
      op.create_not_null_constraint("nn", "t", "b", { not_valid = true, no_inherit = true, comment = "x" })
    end, since = 18 },
    { "create_table with keys over time", "CREATE TABLE u (id int4range, valid tstzrange, PRIMARY KEY (id, valid WITHOUT OVERLAPS))", function()
      op.create_table("t", {
        op.column("id", "int4range"), op.column("valid", "tstzrange"),
        op.primary_key({ "id", "valid" }, { without_overlaps = true }), op.not_null("valid", { name = "nn" }),
        op.foreign_key({ "id", "valid" }, "u", { "id", "valid" }, { period = true, name = "fk" }),
      })
    end, since = 18 },
  })

  one_way({
    { "create_table makes temporary tables", "", function()
      op.create_table("temporary", { op.column("a", "integer"), temporary = true, on_commit = "preserve rows" })
    end, "pg_catalog.to_regclass('pg_temp.temporary') IS NOT NULL" },
    { "drop_table takes along what depends", TWO .. "; ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u", function()
      op.drop_table("u", { if_exists = true, cascade = true })
    end, "pg_catalog.to_regclass('u') IS NULL" },
    { "drop_table passes over what is not there", "", function()
      op.drop_table("u", { if_exists = true })
    end, "true" },
    { "rename_table passes over what is not there", "", function()
      op.rename_table("u", "v", { if_exists = true })
    end, "true" },
    { "set_table_comment takes away", T .. "; COMMENT ON TABLE t IS 'x'", function()
      op.set_table_comment("t", op.none)
    end, "pg_catalog.obj_description('t'::pg_catalog.regclass, 'pg_class') IS NULL" },
    { "alter_table_set takes the other words", T .. "; CREATE INDEX i ON t (a); ALTER TABLE t CLUSTER ON i", function()
      op.alter_table_set("t", { owner = op.sql("CURRENT_USER"), replica_identity = "full", cluster_on = op.none, logged = true })
    end, "relreplident = 'f' FROM pg_catalog.pg_class WHERE relname = 't'" },
    { "alter_table_set changes the access method", T, function()
      op.alter_table_set("t", { access_method = "heap" })
    end, "true", since = 15 },
    { "detach_partition concurrently", SPLIT .. "; CREATE TABLE t PARTITION OF p FOR VALUES FROM (1) TO (2)", function()
      op.detach_partition("p", "t", { concurrently = true })
    end, "NOT relispartition FROM pg_catalog.pg_class WHERE relname = 't'" },
    { "create_primary_key of an index", T .. "; CREATE UNIQUE INDEX i ON t (a)", function()
      op.create_primary_key("pk", "t", nil, { using_index = "i", deferrable = true })
    end, "pg_catalog.to_regclass('pk') IS NOT NULL AND pg_catalog.to_regclass('i') IS NULL" },
    { "create_unique_constraint of an index keeps its name", T .. "; CREATE UNIQUE INDEX i ON t (a)", function()
      op.create_unique_constraint(nil, "t", nil, { using_index = "i" })
    end, "conname = 'i' FROM pg_catalog.pg_constraint WHERE conrelid = 't'::pg_catalog.regclass AND contype = 'u'" },
    { "validate_constraint", T .. "; ALTER TABLE t ADD CONSTRAINT ck CHECK (a > 0) NOT VALID", function()
      op.validate_constraint("ck", "t")
    end, "convalidated FROM pg_catalog.pg_constraint WHERE conname = 'ck'" },
    { "drop_constraint takes along what depends", TWO .. "; ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u", function()
      op.drop_constraint("u_pkey", "u", { if_exists = true, cascade = true })
    end, "NOT EXISTS (SELECT FROM pg_catalog.pg_constraint WHERE contype = 'f')" },
    { "drop_index takes along what depends", T .. "; CREATE INDEX i ON t (a)", function()
      op.drop_index("i", { if_exists = true, cascade = true })
    end, "pg_catalog.to_regclass('i') IS NULL" },
    { "attach_index makes the whole valid", SPLIT .. "; CREATE TABLE p1 PARTITION OF p DEFAULT; CREATE INDEX i ON ONLY p (a); CREATE INDEX i1 ON p1 (a)", function()
      op.attach_index("i", "public.i1")
    end, "indisvalid FROM pg_catalog.pg_index WHERE indexrelid = 'i'::pg_catalog.regclass" },
    { "reindex", T .. "; CREATE INDEX i ON t (b)", function()
      op.reindex("index", "i", { tablespace = "pg_default" })
      op.reindex("table", "public.t", { concurrently = true })
      op.reindex("schema", "public", { concurrently = true })
      op.reindex("database", database.name)
    end, "indisvalid FROM pg_catalog.pg_index WHERE indexrelid = 'i'::pg_catalog.regclass" },
  })

  it("finishes a detach that was stopped", function()
    local other = conn:twin()
    conn:exec(SPLIT)
    conn:exec("CREATE TABLE t PARTITION OF p FOR VALUES FROM (1) TO (2)")
    other:exec("BEGIN")
    other:exec("SELECT 1 FROM p") -- the detach waits for this one, in its second half
    conn:exec("SET statement_timeout = '200ms'")
    local ok, f = pcall(conn.exec, conn, "ALTER TABLE p DETACH PARTITION t CONCURRENTLY")
    conn:exec("RESET statement_timeout")
    other:close()
    assert.is_false(ok)
    assert.equal("57014", f.sqlstate)
    run(function()
      op.detach_partition("p", "t", { finalize = true })
    end)
    assert.is_false(conn:exec("SELECT relispartition FROM pg_class WHERE relname = 't'")[1].relispartition)
  end)
end)
