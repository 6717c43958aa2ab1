-- luacheck: no max line length (a case a line)
local cases = require("support.cases")
local lfs = require("lfs")
local op = require("luamig.op")
local operations = require("luamig.operations")
local record = require("support.record")

local function create(items)
  return function()
    op.create_table("t", items)
  end
end

local function set(options)
  return function()
    op.alter_table_set("t", options)
  end
end

local function a(options)
  return op.column("a", "integer", options)
end

local function b(options)
  return op.column("b", "text", options)
end

describe("create_table", function()
  cases.render({
    { "creates a table, an element a line", create({ a(), b({ nullable = false }) }),
      "CREATE TABLE t (\n  a integer,\n  b text NOT NULL\n)" },
    { "takes a table without columns", create({}), "CREATE TABLE t ()" },
    { "quotes names that need it", function()
      op.create_table("App.Order", { op.column("select", "text") })
    end, 'CREATE TABLE "App"."Order" (\n  "select" text\n)' },
    { "passes over what exists", create({ a(), if_not_exists = true }),
      "CREATE TABLE IF NOT EXISTS t (\n  a integer\n)" },
    { "takes options beside the columns", create({
      a(), unlogged = true, with = { fillfactor = 70, ["toast.autovacuum_enabled"] = false },
      tablespace = "fast", using = "heap", inherits = { "app.parent", "other" },
    }), "CREATE UNLOGGED TABLE t (\n  a integer\n) INHERITS (app.parent, other) USING heap "
      .. "WITH (fillfactor = 70, toast.autovacuum_enabled = false) TABLESPACE fast" },
    { "inherits from one table", create({ inherits = "parent" }), "CREATE TABLE t () INHERITS (parent)" },
    { "makes temporary tables", create({ a(), temporary = true, on_commit = "delete rows" }),
      "CREATE TEMPORARY TABLE t (\n  a integer\n) ON COMMIT DELETE ROWS" },
    { "comments on the table, then on columns and constraints", create({
      a({ comment = "it's" }), b(), op.check("a > 0", { name = "ck", comment = "why" }), comment = "what",
    }), "CREATE TABLE t (\n  a integer,\n  b text,\n  CONSTRAINT ck CHECK (a > 0)\n)\n"
      .. "COMMENT ON TABLE t IS 'what'\n"
      .. "COMMENT ON COLUMN t.a IS 'it''s'\n"
      .. "COMMENT ON CONSTRAINT ck ON t IS 'why'" },
    { "sets storage behind the table before 16", create({ a(), b({ storage = "external" }) }),
      "CREATE TABLE t (\n  a integer,\n  b text\n)\nALTER TABLE t ALTER COLUMN b SET STORAGE EXTERNAL" },
    { "sets storage in the column from 16 on", create({ b({ storage = "external" }) }),
      "CREATE TABLE t (\n  b text STORAGE EXTERNAL\n)", { server_version = 160000 } },
    { "makes one primary key of one column", create({ a({ primary_key = true }) }),
      "CREATE TABLE t (\n  a integer PRIMARY KEY\n)" },
    { "makes one primary key of several columns", create({
      a({ primary_key = true }), b({ primary_key = true }), op.check("a > 0"),
    }), "CREATE TABLE t (\n  a integer,\n  b text,\n  CHECK (a > 0),\n  PRIMARY KEY (a, b)\n)" },
    { "names all by the convention", create({
      a({ primary_key = true }), b({ primary_key = true, unique = true }), op.unique({ "a" }),
      op.foreign_key({ "b" }, "app.c"),
    }), "CREATE TABLE t (\n  a integer,\n  b text CONSTRAINT uq_t_b UNIQUE,\n"
      .. "  CONSTRAINT uq_t_a UNIQUE (a),\n  CONSTRAINT fk_t_c FOREIGN KEY (b) REFERENCES app.c,\n"
      .. "  CONSTRAINT pk_t PRIMARY KEY (a, b)\n)",
      { naming = { pk = "pk_{table}", uq = "uq_{table}_{columns}", fk = "fk_{table}_{referred}" } } },
    { "takes columns as plain data", create({ { name = "a", type = "integer", nullable = false } }),
      "CREATE TABLE t (\n  a integer NOT NULL\n)" },
    { "takes SQL where there is no operation", create({ op.sql("LIKE u INCLUDING ALL"), a() }),
      "CREATE TABLE t (\n  LIKE u INCLUDING ALL,\n  a integer\n)" },
    { "passes over renamed_from", create({ a({ renamed_from = "c" }), renamed_from = "old.t" }),
      "CREATE TABLE t (\n  a integer\n)" },
    { "is split by range", create({ a(), partition_by = { range = { "a" } } }),
      "CREATE TABLE t (\n  a integer\n) PARTITION BY RANGE (a)" },
    { "is split by list, with a collation", create({ b(), partition_by = { list = { { "b", collation = "C" } } } }),
      'CREATE TABLE t (\n  b text\n) PARTITION BY LIST (b COLLATE "C")' },
    { "is split by hash, with an expression", create({ a(), partition_by = { hash = { op.sql("a % 2"), "b" } } }),
      "CREATE TABLE t (\n  a integer\n) PARTITION BY HASH ((a % 2), b)" },
    { "is a partition of a range", create({ partition_of = { table = "app.p", from = "2025-01-01", to = "2026-01-01" } }),
      "CREATE TABLE t PARTITION OF app.p FOR VALUES FROM ('2025-01-01') TO ('2026-01-01')" },
    { "is a partition of an open range", create({
      partition_of = { table = "p", from = { op.sql("MINVALUE"), op.sql("MINVALUE") }, to = { 5, "x" } },
    }), "CREATE TABLE t PARTITION OF p FOR VALUES FROM (MINVALUE, MINVALUE) TO (5, 'x')" },
    { "is a partition of values", create({ partition_of = { table = "p", values = { "a", op.null, false } } }),
      "CREATE TABLE t PARTITION OF p FOR VALUES IN ('a', NULL, false)" },
    { "is a partition of one value", create({ partition_of = { table = "p", values = false } }),
      "CREATE TABLE t PARTITION OF p FOR VALUES IN (false)" },
    { "is a partition of a hash, with constraints, split again", create({
      op.check("a > 0"), partition_of = { table = "p", modulus = 4, remainder = 0 },
      partition_by = { range = { "a" } }, with = { fillfactor = 50 },
    }), "CREATE TABLE t PARTITION OF p (\n  CHECK (a > 0)\n) FOR VALUES WITH (MODULUS 4, REMAINDER 0) "
      .. "PARTITION BY RANGE (a) WITH (fillfactor = 50)" },
    { "is the default partition", create({ partition_of = { table = "p", default = true } }),
      "CREATE TABLE t PARTITION OF p DEFAULT" },
  })
end)

describe("drop_table", function()
  cases.render({
    { "drops", function()
      op.drop_table("app.t")
    end, "DROP TABLE app.t" },
    { "if_exists and cascade", function()
      op.drop_table("t", { if_exists = true, cascade = true })
    end, "DROP TABLE IF EXISTS t CASCADE" },
    { "takes a whole definition, options among it", function()
      op.drop_table("t", { a(), comment = "x", if_exists = true })
    end, "DROP TABLE IF EXISTS t" },
  })
end)

describe("rename_table", function()
  cases.render({
    { "renames within the schema", function()
      op.rename_table("app.old", "new")
    end, "ALTER TABLE app.old RENAME TO new" },
    { "takes the schema twice", function()
      op.rename_table("app.old", "app.new", { if_exists = true })
    end, "ALTER TABLE IF EXISTS app.old RENAME TO new" },
    { "takes a dot in double quotes", function()
      op.rename_table("old", '"a.b"')
    end, 'ALTER TABLE old RENAME TO "a.b"' },
  })
end)

describe("set_table_comment", function()
  cases.render({
    { "sets", function()
      op.set_table_comment("app.t", "it's")
    end, "COMMENT ON TABLE app.t IS 'it''s'" },
    { "takes away", function()
      op.set_table_comment("t", op.none)
    end, "COMMENT ON TABLE t IS NULL" },
  })
end)

describe("alter_table_set", function()
  cases.render({
    { "schema", set({ schema = "app" }), "ALTER TABLE t SET SCHEMA app" },
    { "tablespace", set({ tablespace = "fast" }), "ALTER TABLE t SET TABLESPACE fast" },
    { "logged", set({ logged = true }), "ALTER TABLE t SET LOGGED" },
    { "not logged", set({ logged = false }), "ALTER TABLE t SET UNLOGGED" },
    { "storage parameters", set({ with = { fillfactor = 70, autovacuum_enabled = false } }),
      "ALTER TABLE t SET (autovacuum_enabled = false, fillfactor = 70)" },
    { "storage parameters back to their defaults", set({ with = { fillfactor = op.none, ["toast.x"] = op.none } }),
      "ALTER TABLE t RESET (fillfactor, toast.x)" },
    { "owner", set({ owner = "Anna" }), 'ALTER TABLE t OWNER TO "Anna"' },
    { "owner, SQL", set({ owner = op.sql("CURRENT_USER") }), "ALTER TABLE t OWNER TO CURRENT_USER" },
    { "replica_identity", set({ replica_identity = "full" }), "ALTER TABLE t REPLICA IDENTITY FULL" },
    { "replica_identity, an index", set({ replica_identity = { index = "i" } }),
      "ALTER TABLE t REPLICA IDENTITY USING INDEX i" },
    { "access_method", set({ access_method = "heap" }), "ALTER TABLE t SET ACCESS METHOD heap" },
    { "cluster_on", set({ cluster_on = "i" }), "ALTER TABLE t CLUSTER ON i" },
    { "cluster_on nothing", set({ cluster_on = op.none }), "ALTER TABLE t SET WITHOUT CLUSTER" },
    { "inherit", set({ inherit = "app.p" }), "ALTER TABLE t INHERIT app.p" },
    { "no_inherit", set({ no_inherit = "p" }), "ALTER TABLE t NO INHERIT p" },
    { "does all in one go, and the schema last", set({
      schema = "app", owner = "o", logged = true, with = { fillfactor = 70, parallel_workers = op.none },
    }), "ALTER TABLE t OWNER TO o, SET (fillfactor = 70), RESET (parallel_workers), SET LOGGED\n"
      .. "ALTER TABLE t SET SCHEMA app" },
  })
end)

describe("attach_partition and detach_partition", function()
  local function detach(options)
    return function()
      op.detach_partition("app.p", "app.t", options)
    end
  end

  cases.render({
    { "attaches", function()
      op.attach_partition("app.p", "app.t", { from = { 1 }, to = { 10 } })
    end, "ALTER TABLE app.p ATTACH PARTITION app.t FOR VALUES FROM (1) TO (10)" },
    { "attaches as the default", function()
      op.attach_partition("p", "t", { default = true })
    end, "ALTER TABLE p ATTACH PARTITION t DEFAULT" },
    { "detaches", detach(), "ALTER TABLE app.p DETACH PARTITION app.t" },
    { "detaches concurrently", detach({ concurrently = true }),
      "ALTER TABLE app.p DETACH PARTITION app.t CONCURRENTLY" },
    { "finishes a detach", detach({ finalize = true }), "ALTER TABLE app.p DETACH PARTITION app.t FINALIZE" },
  })

  it("detaches concurrently outside a transaction, without lock_timeout", function()
    local statement = record.executor(detach({ concurrently = true })).statements[1]
    assert.is_false(statement.transactional)
    assert.is_false(statement.lock_timeout)
    statement = record.executor(detach()).statements[1]
    assert.is_true(statement.transactional)
    assert.is_nil(statement.lock_timeout)
  end)
end)

describe("the inverse of table operations", function()
  cases.invert({
    { "drops what was created", create({
      a({ comment = "x" }), op.unique({ "a" }), comment = "y", with = { fillfactor = 70 },
      partition_by = { hash = { { "a", opclass = "int4_ops" } } },
    }), "DROP TABLE t" },
    { "drops a partition that was created", create({ partition_of = { table = "p", values = { 1 } }, if_not_exists = true }),
      "DROP TABLE IF EXISTS t" },
    { "creates what was dropped, when its definition is there", function()
      op.drop_table("t", { a(), op.check("a > 0"), comment = "y" })
    end, "CREATE TABLE t (\n  a integer,\n  CHECK (a > 0)\n)\nCOMMENT ON TABLE t IS 'y'" },
    { "renames back", function()
      op.rename_table("app.old", "new")
    end, "ALTER TABLE app.new RENAME TO old" },
    { "renames back a name with a dot", function()
      op.rename_table('"a.b"."c.d"', '"e.f"')
    end, 'ALTER TABLE "a.b"."e.f" RENAME TO "c.d"' },
    { "sets the comment that was", function()
      op.set_table_comment("t", "new", { from = op.none })
    end, "COMMENT ON TABLE t IS NULL" },
    { "moves back to the schema", function()
      op.alter_table_set("old.t", { schema = "new" })
    end, "ALTER TABLE new.t SET SCHEMA old" },
    { "sets what was", set({
      owner = "b", with = { fillfactor = 70, parallel_workers = op.none }, logged = false, inherit = "p",
      from = { owner = "a", with = { fillfactor = op.none, parallel_workers = 2 } },
    }), "ALTER TABLE t NO INHERIT p, OWNER TO a, SET (parallel_workers = 2), RESET (fillfactor), SET LOGGED" },
    { "detaches what was attached", function()
      op.attach_partition("p", "t", { modulus = 2, remainder = 0 })
    end, "ALTER TABLE p DETACH PARTITION t" },
    { "attaches what was detached, when its values are there", function()
      op.detach_partition("p", "t", { values = { "x" } })
    end, "ALTER TABLE p ATTACH PARTITION t FOR VALUES IN ('x')" },
  })

  cases.not_invert({
    { "needs the definition of a dropped table", function()
      op.drop_table("t", { if_exists = true })
    end, 'the definition of the table is not known: write op.drop_table("t", { op.column(…), … }), as op.create_table has it' },
    { "cannot know what went along", function()
      op.drop_table("t", { a(), cascade = true })
    end, "what CASCADE drops along is not known" },
    { "needs the comment that was", function()
      op.set_table_comment("t", "x")
    end, 'what the comment was is not known: give it as from = "…", or from = op.none' },
    { "needs the owner that was", set({ owner = "o" }),
      "what owner was is not known: give it as from = { owner = … }" },
    { "needs every storage parameter that was", set({
      with = { fillfactor = 70 }, from = { with = { parallel_workers = 1 } },
    }), "what with.fillfactor was is not known: give it as from = { with = { fillfactor = … } }, with op.none when it was not set" },
    { "needs the schema that was", set({ schema = "new" }),
      'the schema it was in is not known: write op.alter_table_set("schema.t", …)' },
    { "needs what a detached partition held", function()
      op.detach_partition("p", "t", { concurrently = true })
    end, 'what the partition held is not known: write op.detach_partition("p", "t", { from = …, to = … }), or values, or modulus and remainder, or default' },
  })
end)

describe("wrong input of table operations", function()
  local forms = "give from and to, or values, or modulus and remainder, or default = true"

  local function partition(bound)
    bound.table = "p"
    return create({ partition_of = bound })
  end

  cases.refuse({
    { "wants a table", function()
      op.create_table("t")
    end, "create_table: argument 2 (columns): expected a list, got nothing",
      "op.create_table(name, columns)" },
    { "names a mistyped option among the columns", create({ a(), coment = "x" }),
      "create_table: argument 2.coment: there is no such option", "did you mean 'comment'?" },
    { "sees a nil in the list", create({ a(), nil, b() }),
      "create_table: argument 2[2]: expected a value, got nothing (a nil in the list)" },
    { "wants columns and constraints", create({ "a integer" }),
      "create_table: argument 2[1]: expected a column or a constraint or op.sql, got the string 'a integer'",
      'write op.column("a", "integer")' },
    { "gives the path into an option", create({ with = { fillfactor = {} } }),
      "create_table: argument 2.with.fillfactor: expected a string or a number or true or false, got a table" },
    { "sees a column twice", create({ a(), b(), a() }), "create_table: column 'a' is there twice" },
    { "sees two primary keys", create({ a({ primary_key = true }), op.primary_key({ "a" }) }),
      "create_table: there are two primary keys" },
    { "sees a constraint that cannot be not valid yet", create({ a(), op.foreign_key({ "a" }, "u", nil, { not_valid = true }) }),
      "create_table: not_valid of the foreign key: a new table has no rows to pass over" },
    { "sees that a partition needs no columns", create({ a(), partition_of = { table = "p", default = true } }),
      "create_table: a partition has the columns of its table: leave them out (constraints may stay)" },
    { "wants to know what a partition holds", partition({}),
      "create_table: partition_of: what the partition holds is missing: " .. forms },
    { "wants the other half of a bound", partition({ from = 1 }), "create_table: partition_of: from and to go together" },
    { "wants one form of a bound", partition({ values = { 1 }, default = true }),
      "create_table: partition_of: values and default exclude each other: " .. forms },
    { "wants a bound to attach a partition", function()
      op.attach_partition("p", "t")
    end, "attach_partition: what the partition holds is missing: " .. forms },
    { "wants one way of splitting", create({ partition_by = { range = { "a" }, hash = { "a" } } }),
      "create_table: partition_by: give one of range, list and hash" },
    { "wants keys to split by", create({ partition_by = { range = {} } }),
      "create_table: partition_by.range: the list is empty" },
    { "shows how one key is written", create({ partition_by = { range = "at" } }),
      "create_table: argument 2.partition_by.range: expected a list, got the string 'at'", 'write { "at" }' },
    { "knows that a partition key has no order", create({ partition_by = { range = { { "a", order = "desc" } } } }),
      "create_table: argument 2.partition_by.range[1].order: there is no such option", "known: collation, opclass" },
    { "keeps temporary and unlogged apart", create({ temporary = true, unlogged = true }),
      "create_table: a temporary table is never in the WAL: leave unlogged out" },
    { "wants on_commit to go with temporary", create({ on_commit = "drop" }),
      "create_table: on_commit goes with temporary = true" },
    { "knows a comment without a name", create({ a(), op.check("a > 0", { comment = "x" }) }),
      "the check has a comment and no name" },
    { "checks the definition of a dropped table too", function()
      op.drop_table("t", { a(), a() })
    end, "drop_table: column 'a' is there twice" },
    { "refuses another schema in a new name", function()
      op.rename_table("app.t", "other.t")
    end, "rename_table: a new name has no schema: write 't' (alter_table_set moves a table and its indexes)" },
    { "wants something to change", set({}), "alter_table_set: nothing to change: give at least one of "
      .. "schema, no_inherit, inherit, owner, with, replica_identity, cluster_on, logged, access_method, tablespace" },
    { "wants a storage parameter", set({ with = {} }), "alter_table_set: with: the table is empty" },
    { "knows the words of replica_identity", set({ replica_identity = "ful" }),
      "alter_table_set: argument 2.replica_identity: expected one of default, full, nothing, got 'ful'",
      "did you mean 'full'?" },
    { "knows what an older server lacks", set({ access_method = "x" }),
      "access_method needs PostgreSQL 15; the server is 14", context = { server_version = 140000 } },
    { "keeps concurrently and finalize apart", function()
      op.detach_partition("p", "t", { concurrently = true, finalize = true })
    end, "detach_partition: concurrently and finalize exclude each other" },
  })
end)

describe("the sample history", function()
  local families = { tables = true, columns = true, constraints = true, indexes = true, values = true }
  local schema_only = setmetatable({}, {
    __index = function(_, name)
      local description = operations.get(name)
      return description and families[description.family] and op[name] or function() end
    end,
  })

  local function load_revision(file)
    local environment = setmetatable({ op = schema_only }, { __index = _G })
    assert(loadfile("migrations/versions/" .. file, "t", environment))()
    return environment
  end

  for file in lfs.dir("migrations/versions") do
    if file:find("%.lua$") then
      it("renders both ways: " .. file, function()
        local revision = load_revision(file)
        assert.is_truthy(record.sql(revision.upgrade):find("^CREATE TABLE [%w_]+ %(\n  id uuid")
          or record.sql(revision.upgrade):find("^ALTER TABLE [%w_]+ ADD COLUMN"))
        assert.is_truthy(record.sql(revision.downgrade):find("DROP TABLE", 1, true)
          or record.sql(revision.downgrade):find("DROP COLUMN", 1, true))
      end)
    end
  end
end)
