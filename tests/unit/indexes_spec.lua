-- luacheck: no max line length (a case a line)
local cases = require("support.cases")
local op = require("luamig.op")
local record = require("support.record")

local function create(columns, options)
  return function()
    op.create_index("i", "t", columns, options)
  end
end

local function drop(options)
  return function()
    op.drop_index("app.i", options)
  end
end

describe("create_index", function()
  cases.render({
    { "names the columns", create({ "a", "B" }), 'CREATE INDEX i ON t (a, "B")' },
    { "quotes names that need it", function()
      op.create_index("I", "App.t", { "a" })
    end, 'CREATE INDEX "I" ON "App".t (a)' },
    { "takes the schema of the table in its name", function()
      op.create_index("app.i", "app.t", { "a" })
    end, "CREATE INDEX i ON app.t (a)" },
    { "takes expressions", create({ op.sql("lower(email)"), "a" }), "CREATE INDEX i ON t ((lower(email)), a)" },
    { "takes order, NULLs, collation and operator class of a key", create({
      { "a", order = "desc", nulls = "last", collation = "app.de", opclass = "text_pattern_ops" },
      { op.sql("lower(b)"), order = "ASC", nulls = "First" },
    }), "CREATE INDEX i ON t (a COLLATE app.de text_pattern_ops DESC NULLS LAST, (lower(b)) ASC NULLS FIRST)" },
    { "takes an operator class with parameters", create({ { "a", opclass = op.sql("gist_trgm_ops(siglen=32)") } }, { using = "gist" }),
      "CREATE INDEX i ON t USING gist (a gist_trgm_ops(siglen=32))" },
    { "unique", create({ "a" }, { unique = true }), "CREATE UNIQUE INDEX i ON t (a)" },
    { "using", create({ "a" }, { using = "gin" }), "CREATE INDEX i ON t USING gin (a)" },
    { "where", create({ "a" }, { where = "a > 0" }), "CREATE INDEX i ON t (a) WHERE a > 0" },
    { "include", create({ "a" }, { include = { "b", "C" } }), 'CREATE INDEX i ON t (a) INCLUDE (b, "C")' },
    { "with", create({ "a" }, { with = { fillfactor = 70, deduplicate_items = false } }),
      "CREATE INDEX i ON t (a) WITH (deduplicate_items = false, fillfactor = 70)" },
    { "opclass of all", create({ "a", op.sql("b || c") }, { using = "gin", opclass = "gin_trgm_ops" }),
      "CREATE INDEX i ON t USING gin (a gin_trgm_ops, (b || c) gin_trgm_ops)" },
    { "opclass by column", create({ "a", { "b", order = "desc" }, op.sql("c") }, { opclass = { b = "app.ops" } }),
      "CREATE INDEX i ON t (a, b app.ops DESC, (c))" },
    { "tablespace", create({ "a" }, { tablespace = "fast" }), "CREATE INDEX i ON t (a) TABLESPACE fast" },
    { "nulls_not_distinct", create({ "a" }, { unique = true, nulls_not_distinct = true }),
      "CREATE UNIQUE INDEX i ON t (a) NULLS NOT DISTINCT" },
    { "if_not_exists", create({ "a" }, { if_not_exists = true }), "CREATE INDEX IF NOT EXISTS i ON t (a)" },
    { "only", create({ "a" }, { only = true }), "CREATE INDEX i ON ONLY t (a)" },
    { "comment", function()
      op.create_index("i", "app.t", { "a" }, { comment = "why" })
    end, "CREATE INDEX i ON app.t (a)\nCOMMENT ON INDEX app.i IS 'why'" },
    { "concurrently", create({ "a" }, { concurrently = true, unique = true, if_not_exists = true }),
      "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS i ON t (a)" },
    { "does all in the order of the grammar", create({ "a" }, {
      where = "a > 0", tablespace = "fast", with = { fillfactor = 70 }, nulls_not_distinct = true,
      include = { "b" }, using = "btree", unique = true,
    }), "CREATE UNIQUE INDEX i ON t USING btree (a) INCLUDE (b) NULLS NOT DISTINCT WITH (fillfactor = 70) "
      .. "TABLESPACE fast WHERE a > 0" },
    { "without a name PostgreSQL chooses", function()
      op.create_index(nil, "t", { "a" })
    end, "CREATE INDEX ON t (a)" },
    { "without a name the convention chooses", function()
      op.create_index(nil, "app.t", { { "a", order = "desc" }, op.sql("lower(b)") }, { concurrently = true })
    end, "CREATE INDEX CONCURRENTLY ix_t_a_lower_b_ ON app.t (a DESC, (lower(b)))",
      { naming = { ix = "ix_{table}_{columns}" } } },
  })

  it("builds concurrently outside a transaction, without lock_timeout, over what was left behind", function()
    local statements = record.executor(function()
      op.create_index("app.i", "app.t", { "a" }, { concurrently = true, comment = "x" })
    end).statements
    assert.is_false(statements[1].transactional)
    assert.is_false(statements[1].lock_timeout)
    assert.same({ index = "i", table = "app.t" }, statements[1].leftover)
    assert.is_true(statements[2].transactional)
  end)

  it("names what was left behind as SQL does: the table quoted, the index as it is", function()
    local statement = record.executor(function()
      op.create_index("Ix", "App.Order", { "a" }, { concurrently = true })
    end).statements[1]
    assert.same({ index = "Ix", table = '"App"."Order"' }, statement.leftover)
  end)

  it("knows of nothing left behind by one in a transaction", function()
    local statement = record.executor(create({ "a" })).statements[1]
    assert.is_true(statement.transactional)
    assert.is_nil(statement.lock_timeout)
    assert.is_nil(statement.leftover)
  end)
end)

describe("drop_index", function()
  cases.render({
    { "drops", drop(), "DROP INDEX app.i" },
    { "if_exists and cascade", drop({ if_exists = true, cascade = true }), "DROP INDEX IF EXISTS app.i CASCADE" },
    { "concurrently", drop({ concurrently = true, if_exists = true }), "DROP INDEX CONCURRENTLY IF EXISTS app.i" },
  })

  it("drops concurrently outside a transaction, without lock_timeout", function()
    local statement = record.executor(drop({ concurrently = true })).statements[1]
    assert.is_false(statement.transactional)
    assert.is_false(statement.lock_timeout)
    assert.is_true(record.executor(drop()).statements[1].transactional)
  end)
end)

describe("what is done to an index", function()
  local function reindex(kind, name, options)
    return function()
      op.reindex(kind, name, options)
    end
  end

  cases.render({
    { "renames", function()
      op.rename_index("app.a", "b")
    end, "ALTER INDEX app.a RENAME TO b" },
    { "renames if it is there", function()
      op.rename_index("a", "b", { if_exists = true })
    end, "ALTER INDEX IF EXISTS a RENAME TO b" },
    { "attaches", function()
      op.attach_index("app.i", "app.i_2025")
    end, "ALTER INDEX app.i ATTACH PARTITION app.i_2025" },
    { "rebuilds", reindex("index", "app.i"), "REINDEX INDEX app.i" },
    { "rebuilds all of a table", reindex("table", "app.t", { concurrently = true, tablespace = "fast" }),
      "REINDEX (TABLESPACE fast) TABLE CONCURRENTLY app.t" },
    { "rebuilds all of a schema", reindex("schema", "App"), 'REINDEX SCHEMA "App"' },
  })

  it("rebuilds in the transaction what can be", function()
    local function transactional(...)
      return record.executor(reindex(...)).statements[1].transactional
    end
    assert.is_true(transactional("index", "i"))
    assert.is_true(transactional("table", "t"))
    assert.is_false(transactional("table", "t", { concurrently = true }))
    assert.is_false(transactional("schema", "s"))
    assert.is_false(transactional("database", "d"))
  end)
end)

describe("the inverse of index operations", function()
  cases.invert({
    { "drops what was created", function()
      op.create_index("i", "app.t", { { "a", order = "desc" }, op.sql("lower(b)") }, {
        unique = true, where = "a > 0", include = { "c" }, with = { fillfactor = 70 }, comment = "x",
      })
    end, "DROP INDEX app.i" },
    { "drops concurrently what was created so", create({ "a" }, { concurrently = true, if_not_exists = true }),
      "DROP INDEX CONCURRENTLY IF EXISTS i" },
    { "creates what was dropped, when its definition is there", drop({
      definition = { table = "app.t", columns = { "a" }, using = "hash" },
    }), "CREATE INDEX i ON app.t USING hash (a)" },
    { "renames back", function()
      op.rename_index("app.a", "b")
    end, "ALTER INDEX app.b RENAME TO a" },
    { "rebuilds again", function()
      op.reindex("index", "i")
    end, "REINDEX INDEX i" },
  })

  cases.not_invert({
    { "needs a name", function()
      op.create_index(nil, "t", { "a" })
    end, 'the index has no name here: give one, op.create_index("…", "t", …)' },
    { "needs the definition", drop(),
      'what the index was is not known: write op.drop_index("app.i", { definition = { table = …, columns = { … } } })' },
    { "cannot know what went along", drop({ cascade = true }), "what CASCADE drops along is not known" },
    { "cannot detach an index", function()
      op.attach_index("i", "j")
    end, 'PostgreSQL cannot take an index off again: write downgrade() with op.drop_index("i")' },
    { "cannot move indexes back", function()
      op.reindex("index", "i", { tablespace = "fast" })
    end, "which tablespace the indexes were in is not known: write downgrade()" },
  })
end)

describe("wrong input of index operations", function()
  local function unnamed(options)
    return function()
      op.create_index(nil, "t", { "a" }, options)
    end
  end

  cases.refuse({
    { "shows how one column is written", create("email"),
      "create_index: argument 3 (columns): expected a list, got the string 'email'", 'write { "email" }' },
    { "wants columns", create({}), "create_index: the list of columns is empty" },
    { "names a mistyped word of a key", create({ { "a", oder = "desc" } }),
      "create_index: argument 3[1].oder: there is no such option", "did you mean 'order'?" },
    { "lists the words of a key", create({ "a", { "b", zzz = 1 } }),
      "create_index: argument 3[2].zzz: there is no such option", "known: collation, nulls, opclass, order" },
    { "wants a column in a key", create({ { order = "desc" } }),
      "create_index: argument 3[1][1]: expected a name (a string) or op.sql, got nothing" },
    { "sees one thing too many in a key", create({ { "a", "desc" } }),
      "create_index: argument 3[1][2]: expected options by name only", "known: collation, nulls, opclass, order" },
    { "knows the words of an order", create({ { "a", order = "down" } }),
      "create_index: argument 3[1].order: expected one of asc, desc, got 'down'" },
    { "sees a class for a column that is not there", create({ "a" }, { opclass = { b = "x" } }),
      "create_index: opclass.b: the index has no such column" },
    { "refuses another schema", function()
      op.create_index("app.i", "t", { "a" })
    end, "create_index: an index lives in the schema of its table: write 'i'" },
    { "wants a name for a concurrent build", unnamed({ concurrently = true }),
      "concurrently needs a name, by which a half-made index is found again" },
    { "wants a name for if_not_exists", unnamed({ if_not_exists = true }), "if_not_exists needs a name for the index" },
    { "wants a name for a comment", unnamed({ comment = "x" }), "comment needs a name for the index" },
    { "wants nulls_not_distinct to go with unique", create({ "a" }, { nulls_not_distinct = true }),
      "create_index: nulls_not_distinct goes with unique = true" },
    { "keeps only and concurrently apart", create({ "a" }, { only = true, concurrently = true }),
      "create_index: concurrently has no meaning with only: an index without its partitions takes no time" },
    { "knows what an older server lacks", create({ "a" }, { unique = true, nulls_not_distinct = true }),
      "nulls_not_distinct needs PostgreSQL 15; the server is 14", context = { server_version = 140000 } },
    { "takes no table where options stand", function()
      op.drop_index("i", "t")
    end, "drop_index: argument 2: expected options (a table), got the string 't'",
      "op.drop_index(name, options)" },
    { "knows that a concurrent drop does not cascade", drop({ concurrently = true, cascade = true }),
      "drop_index: PostgreSQL has no CASCADE for a concurrent drop" },
    { "wants a whole definition", drop({ definition = { table = "t" } }),
      "drop_index: argument 2.definition.columns: expected a list, got nothing" },
    { "refuses another schema in a new name", function()
      op.rename_index("a", "app.b")
    end, "rename_index: a new name has no schema: write 'b' (alter_table_set moves a table and its indexes)" },
    { "knows the kinds of what has indexes", function()
      op.reindex("tabel", "t")
    end, "reindex: argument 1 (kind): expected one of index, table, schema, database, system, got 'tabel'", "did you mean 'table'?" },
    { "wants one part for a schema", function()
      op.reindex("schema", "a.b")
    end, "reindex: the name of a schema has one part" },
    { "leaves catalogs alone while others work", function()
      op.reindex("system", "d", { concurrently = true })
    end, "reindex: PostgreSQL cannot rebuild the indexes of its catalogs concurrently" },
  })
end)
