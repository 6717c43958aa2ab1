local snapshots = require("support.snapshots")

local T = "CREATE TABLE t (a int, b int, r int4range, s int4range, x text)"
local P = "CREATE TABLE p (id int PRIMARY KEY, x int, UNIQUE (id, x)); "
  .. "CREATE TABLE t (a int, b int)"
local PARTS = "CREATE TABLE p (a int, b int) PARTITION BY LIST (a); "
  .. "CREATE TABLE t PARTITION OF p FOR VALUES IN (1)"

-- One constraint `k` of table t in two versions.
local function versions(name, setup, first, second, since, identities)
  return {
    name, setup .. "; ALTER TABLE t ADD CONSTRAINT k " .. first,
    "ALTER TABLE t DROP CONSTRAINT k; ALTER TABLE t ADD CONSTRAINT k " .. second,
    "ALTER TABLE t DROP CONSTRAINT k; ALTER TABLE t ADD CONSTRAINT k " .. first,
    identities or "constraint k on public.t", since = since,
  }
end

local function index(name, first, second, since)
  return {
    name, T .. "; CREATE INDEX i ON t " .. first,
    "DROP INDEX i; CREATE INDEX i ON t " .. second, "DROP INDEX i; CREATE INDEX i ON t " .. first,
    "index public.i", since = since,
  }
end

local function change(name, setup, there, back, identities, since)
  return { name, setup, there, back, identities, since = since }
end

describe("a snapshot of constraints and indexes", function()
  local session

  lazy_setup(function()
    session = snapshots.session()
  end)
  lazy_teardown(function()
    session.close()
  end)

  snapshots.cases(function()
    return session
  end, {
    change("a primary key", "CREATE TABLE t (a int NOT NULL)", "ALTER TABLE t ADD PRIMARY KEY (a)",
      "ALTER TABLE t DROP CONSTRAINT t_pkey", "constraint t_pkey on public.t"),
    versions("the columns of a unique constraint", T, "UNIQUE (a)", "UNIQUE (a, b)"),
    versions("included columns", T, "UNIQUE (a)", "UNIQUE (a) INCLUDE (b)"),
    versions("NULLS NOT DISTINCT of a constraint", T, "UNIQUE (a)", "UNIQUE NULLS NOT DISTINCT (a)",
      15),
    versions("WITHOUT OVERLAPS", T, "UNIQUE (r, s)", "UNIQUE (r, s WITHOUT OVERLAPS)", 18),
    change("a foreign key with PERIOD", T .. "; CREATE TABLE p (r int4range, s int4range, "
        .. "UNIQUE (r, s WITHOUT OVERLAPS))",
      "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (r, PERIOD s) REFERENCES p (r, PERIOD s)",
      "ALTER TABLE t DROP CONSTRAINT k", "constraint k on public.t", 18),
    versions("a check's expression", T, "CHECK (a > 0)", "CHECK (a > 1)"),
    versions("NO INHERIT", T, "CHECK (a > 0)", "CHECK (a > 0) NO INHERIT"),
    versions("NOT VALID of a check", T, "CHECK (a > 0)", "CHECK (a > 0) NOT VALID"),
    versions("NOT ENFORCED of a check", T, "CHECK (a > 0)", "CHECK (a > 0) NOT ENFORCED", 18),
    versions("an exclusion constraint", T, "EXCLUDE USING gist (r WITH &&)",
      "EXCLUDE USING gist (r WITH =)"),
    versions("the condition of an exclusion constraint", T, "EXCLUDE USING gist (r WITH &&)",
      "EXCLUDE USING gist (r WITH &&) WHERE (a > 0)"),
    versions("what a foreign key refers to", P, "FOREIGN KEY (a) REFERENCES p",
      "FOREIGN KEY (a, b) REFERENCES p (id, x)"),
    versions("ON DELETE", P, "FOREIGN KEY (a) REFERENCES p",
      "FOREIGN KEY (a) REFERENCES p ON DELETE CASCADE"),
    versions("the columns of ON DELETE SET NULL", P,
      "FOREIGN KEY (a, b) REFERENCES p (id, x) ON DELETE SET NULL",
      "FOREIGN KEY (a, b) REFERENCES p (id, x) ON DELETE SET NULL (a)", 15),
    versions("ON UPDATE", P, "FOREIGN KEY (a) REFERENCES p",
      "FOREIGN KEY (a) REFERENCES p ON UPDATE RESTRICT"),
    versions("MATCH FULL", P, "FOREIGN KEY (a) REFERENCES p",
      "FOREIGN KEY (a) REFERENCES p MATCH FULL"),
    versions("DEFERRABLE", P, "FOREIGN KEY (a) REFERENCES p",
      "FOREIGN KEY (a) REFERENCES p DEFERRABLE"),
    versions("INITIALLY DEFERRED", P, "FOREIGN KEY (a) REFERENCES p DEFERRABLE",
      "FOREIGN KEY (a) REFERENCES p DEFERRABLE INITIALLY DEFERRED"),
    versions("NOT VALID of a foreign key", P, "FOREIGN KEY (a) REFERENCES p",
      "FOREIGN KEY (a) REFERENCES p NOT VALID"),
    versions("NOT ENFORCED of a foreign key", P, "FOREIGN KEY (a) REFERENCES p",
      "FOREIGN KEY (a) REFERENCES p NOT ENFORCED", 18),
    change("that the triggers of a foreign key are off",
      P .. "; ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES p",
      "ALTER TABLE t DISABLE TRIGGER ALL", "ALTER TABLE t ENABLE TRIGGER ALL",
      "constraint k on public.t"),
    change("the comment of a constraint", T .. "; ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0)",
      "COMMENT ON CONSTRAINT k ON t IS 'x'", "COMMENT ON CONSTRAINT k ON t IS NULL",
      "constraint k on public.t"),
    change("the comment of a constraint's index",
      T .. "; ALTER TABLE t ADD CONSTRAINT k UNIQUE (a)",
      "COMMENT ON INDEX k IS 'x'", "COMMENT ON INDEX k IS NULL", "constraint k on public.t"),
    change("the options of a constraint's index",
      T .. "; ALTER TABLE t ADD CONSTRAINT k UNIQUE (a)", "ALTER INDEX k SET (fillfactor = 50)",
      "ALTER INDEX k RESET (fillfactor)", "constraint k on public.t"),
    change("the tablespace of a constraint's index",
      T .. "; ALTER TABLE t ADD CONSTRAINT k UNIQUE (a)",
      "UPDATE pg_class SET reltablespace = (SELECT oid FROM pg_tablespace "
        .. "WHERE spcname = 'pg_global') WHERE oid = 'k'::regclass",
      "UPDATE pg_class SET reltablespace = 0 WHERE oid = 'k'::regclass",
      "constraint k on public.t"),
    change("the tablespace of an index", T .. "; CREATE INDEX i ON t (a)",
      "UPDATE pg_class SET reltablespace = (SELECT oid FROM pg_tablespace "
        .. "WHERE spcname = 'pg_global') WHERE oid = 'i'::regclass",
      "UPDATE pg_class SET reltablespace = 0 WHERE oid = 'i'::regclass", "index public.i"),
    change("the name of a constraint", T .. "; ALTER TABLE t ADD CONSTRAINT k CHECK (a > 0)",
      "ALTER TABLE t RENAME CONSTRAINT k TO l", "ALTER TABLE t RENAME CONSTRAINT l TO k",
      { "constraint k on public.t", "constraint l on public.t" }),
    change("that a check is the parent's alone",
      "CREATE TABLE p (a int, CONSTRAINT k CHECK (a > 0)); CREATE TABLE t () INHERITS (p)",
      "DROP TABLE t; CREATE TABLE t (CONSTRAINT k CHECK (a > 0)) INHERITS (p)",
      "DROP TABLE t; CREATE TABLE t () INHERITS (p)", "constraint k on public.t"),
    change("the name of a NOT NULL", "CREATE TABLE t (a int CONSTRAINT k NOT NULL)",
      "ALTER TABLE t RENAME CONSTRAINT k TO l", "ALTER TABLE t RENAME CONSTRAINT l TO k",
      "table public.t", 18),
    change("NOT NULL that is not valid", "CREATE TABLE t (a int)",
      "ALTER TABLE t ADD CONSTRAINT t_a_not_null NOT NULL a NOT VALID",
      "ALTER TABLE t DROP CONSTRAINT t_a_not_null", "table public.t", 18),
    change("that a NOT NULL was validated",
      "CREATE TABLE t (a int); ALTER TABLE t ADD CONSTRAINT t_a_not_null NOT NULL a NOT VALID",
      "ALTER TABLE t VALIDATE CONSTRAINT t_a_not_null",
      "ALTER TABLE t DROP CONSTRAINT t_a_not_null; "
        .. "ALTER TABLE t ADD CONSTRAINT t_a_not_null NOT NULL a NOT VALID", "table public.t", 18),
    change("NO INHERIT of a NOT NULL", "CREATE TABLE t (a int NOT NULL)",
      "ALTER TABLE t ALTER a DROP NOT NULL, ADD CONSTRAINT t_a_not_null NOT NULL a NO INHERIT",
      "ALTER TABLE t ALTER a DROP NOT NULL, ALTER a SET NOT NULL", "table public.t", 18),
    change("the comment of a NOT NULL", "CREATE TABLE t (a int NOT NULL)",
      "COMMENT ON CONSTRAINT t_a_not_null ON t IS 'x'",
      "COMMENT ON CONSTRAINT t_a_not_null ON t IS NULL", "table public.t", 18),
    change("an index", T, "CREATE INDEX i ON t (a)", "DROP INDEX i", "index public.i"),
    index("the columns of an index", "(a)", "(b)"),
    index("the order of an index", "(a)", "(a DESC)"),
    index("where an index puts NULL", "(a)", "(a NULLS FIRST)"),
    index("the method of an index", "(a)", "USING hash (a)"),
    index("the operator class of an index", "(x)", "(x text_pattern_ops)"),
    index("an expression of an index", "((a + 1))", "((a + 2))"),
    index("the condition of an index", "(a)", "(a) WHERE b > 0"),
    index("the included columns of an index", "(a)", "(a) INCLUDE (b)"),
    index("the options of an index", "(a)", "(a) WITH (fillfactor = 50)"),
    index("NULLS NOT DISTINCT of an index", "(a)", "(a) NULLS DISTINCT WITH (fillfactor = 90)", 15),
    change("a unique index", T .. "; CREATE INDEX i ON t (a)",
      "DROP INDEX i; CREATE UNIQUE INDEX i ON t (a)", "DROP INDEX i; CREATE INDEX i ON t (a)",
      "index public.i"),
    change("a unique index with NULLS NOT DISTINCT", T .. "; CREATE UNIQUE INDEX i ON t (a)",
      "DROP INDEX i; CREATE UNIQUE INDEX i ON t (a) NULLS NOT DISTINCT",
      "DROP INDEX i; CREATE UNIQUE INDEX i ON t (a)", "index public.i", 15),
    change("the comment of an index", T .. "; CREATE INDEX i ON t (a)", "COMMENT ON INDEX i IS 'x'",
      "COMMENT ON INDEX i IS NULL", "index public.i"),
    change("the statistics target of an index's expression",
      T .. "; CREATE INDEX i ON t ((a + 1))", "ALTER INDEX i ALTER COLUMN 1 SET STATISTICS 7",
      "ALTER INDEX i ALTER COLUMN 1 SET STATISTICS -1", "index public.i"),
    change("the statistics target of an exclusion constraint's expression",
      T .. "; ALTER TABLE t ADD CONSTRAINT k EXCLUDE USING gist (int4range(a, b) WITH &&)",
      "ALTER INDEX k ALTER COLUMN 1 SET STATISTICS 7",
      "ALTER INDEX k ALTER COLUMN 1 SET STATISTICS -1", "constraint k on public.t"),
    change("that an index is not valid", T .. "; CREATE INDEX i ON t (a)",
      "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'i'::regclass",
      "UPDATE pg_index SET indisvalid = true WHERE indexrelid = 'i'::regclass", "index public.i"),
    change("an index that needs an extension", T .. "; CREATE INDEX i ON t (a)",
      "ALTER INDEX i DEPENDS ON EXTENSION plpgsql", "ALTER INDEX i NO DEPENDS ON EXTENSION plpgsql",
      "index public.i"),
    change("an index attached to that of the partitioned table",
      PARTS .. "; CREATE INDEX pi ON ONLY p (b); CREATE INDEX ti ON t (b)",
      "ALTER INDEX pi ATTACH PARTITION ti",
      "DROP INDEX pi; CREATE INDEX ti ON t (b); CREATE INDEX pi ON ONLY p (b)",
      { "index public.pi", "index public.ti" }),
    change("a partition's key that is the partitioned table's",
      PARTS .. "; ALTER TABLE t ADD CONSTRAINT k UNIQUE (a)",
      "ALTER TABLE p ADD CONSTRAINT pk UNIQUE (a)",
      "ALTER TABLE p DROP CONSTRAINT pk; ALTER TABLE t ADD CONSTRAINT k UNIQUE (a)",
      { "constraint k on public.t", "constraint pk on public.p" }),
    change("a foreign key of a partitioned table and its copy",
      PARTS .. "; CREATE TABLE q (id int PRIMARY KEY)",
      "ALTER TABLE p ADD CONSTRAINT k FOREIGN KEY (b) REFERENCES q",
      "ALTER TABLE p DROP CONSTRAINT k",
      { "constraint k on public.p", "constraint k on public.t" }),
    change("a foreign key to a partitioned table once",
      "CREATE TABLE p (id int PRIMARY KEY) PARTITION BY LIST (id); "
        .. "CREATE TABLE p1 PARTITION OF p FOR VALUES IN (1); "
        .. "CREATE TABLE p2 PARTITION OF p FOR VALUES IN (2); CREATE TABLE t (a int)",
      "ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (a) REFERENCES p",
      "ALTER TABLE t DROP CONSTRAINT k", "constraint k on public.t"),
  })

  it("tells what a partition's constraint and index are parts of", function()
    local value = session.read(PARTS .. [[;
      ALTER TABLE p ADD CONSTRAINT pk UNIQUE (a);
      CREATE INDEX pi ON p (b)]])
    assert.equal("constraint pk on public.p",
      value.objects["constraint t_a_key on public.t"].part_of)
    assert.equal("index public.pi", value.objects["index public.t_b_idx"].part_of)
  end)

  it("tells the columns of a foreign key", function()
    local key = session.read(P .. [[;
      ALTER TABLE t ADD CONSTRAINT k FOREIGN KEY (b, a) REFERENCES p (x, id)]])
      .objects["constraint k on public.t"]
    assert.same({ "b", "a" }, key.columns)
    assert.same({ table = "table public.p", columns = { "x", "id" } }, key.references)
  end)

  it("tells the parts of an index", function()
    local i = session.read(T .. [[;
      CREATE UNIQUE INDEX i ON t (a, (b + 1)) INCLUDE (b) WHERE a > 0]])
      .objects["index public.i"]
    assert.same({ "a" }, i.columns)
    assert.same({ "((b + 1))" }, i.expressions)
    assert.same({ "b" }, i.include)
    assert.equal("(a > 0)", i.where)
    assert.is_true(i.unique)
  end)
end)
