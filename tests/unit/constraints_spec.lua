-- luacheck: no max line length (a case a line)
local cases = require("support.cases")
local op = require("luamig.op")
local record = require("support.record")

local NEW <const> = { server_version = 180000 }

local function inside(spec)
  return function()
    op.create_table("t", { spec() })
  end
end

local function unique(options)
  return function()
    op.create_unique_constraint("uq", "t", { "a" }, options)
  end
end

local function check(options)
  return function()
    op.create_check_constraint("ck", "t", "a > 0", options)
  end
end

local function foreign_key(options)
  return function()
    op.create_foreign_key("fk", "t", { "a" }, "u", { "id" }, options)
  end
end

local function exclude(elements, options)
  return function()
    op.create_exclude_constraint("ex", "t", elements, options)
  end
end

describe("constraints of a new table", function()
  local function shows(what, spec, sql, context)
    return { what, inside(spec), "CREATE TABLE t (\n  " .. sql .. "\n)", context }
  end

  cases.render({
    shows("primary_key", function()
      return op.primary_key({ "a", "B" })
    end, 'PRIMARY KEY (a, "B")'),
    shows("unique, with a name", function()
      return op.unique({ "a" }, { name = "Uq" })
    end, 'CONSTRAINT "Uq" UNIQUE (a)'),
    shows("check", function()
      return op.check("a > 0", { name = "ck", no_inherit = true })
    end, "CONSTRAINT ck CHECK (a > 0) NO INHERIT"),
    shows("foreign_key", function()
      return op.foreign_key({ "a", "b" }, "app.u", { "x", "y" }, {
        on_delete = "set_null", on_delete_columns = { "b" }, on_update = "RESTRICT", match = "full",
        deferrable = true,
      })
    end, "FOREIGN KEY (a, b) REFERENCES app.u (x, y) MATCH FULL ON DELETE SET NULL (b) ON UPDATE RESTRICT DEFERRABLE"),
    shows("foreign_key to the primary key", function()
      return op.foreign_key({ "a" }, "u")
    end, "FOREIGN KEY (a) REFERENCES u"),
    shows("exclude", function()
      return op.exclude({ { "room", "=" }, { op.sql("tstzrange(a, b)"), "&&" } })
    end, "EXCLUDE USING gist (room WITH =, (tstzrange(a, b)) WITH &&)"),
    shows("not_null", function()
      return op.not_null("a", { name = "nn" })
    end, "CONSTRAINT nn NOT NULL a", NEW),
  })
end)

describe("create_… of a constraint", function()
  cases.render({
    { "primary_key", function()
      op.create_primary_key("pk", "app.t", { "a", "b" })
    end, "ALTER TABLE app.t ADD CONSTRAINT pk PRIMARY KEY (a, b)" },
    { "primary_key of an index", function()
      op.create_primary_key("pk", "t", nil, { using_index = "i" })
    end, "ALTER TABLE t ADD CONSTRAINT pk PRIMARY KEY USING INDEX i" },
    { "a constraint of an index takes its name when it has none", function()
      op.create_unique_constraint(nil, "t", nil, { using_index = "I", initially = "deferred" })
    end, 'ALTER TABLE t ADD CONSTRAINT "I" UNIQUE USING INDEX "I" DEFERRABLE INITIALLY DEFERRED',
      { naming = { uq = "uq_{table}" } } },
    { "unique", unique(), "ALTER TABLE t ADD CONSTRAINT uq UNIQUE (a)" },
    { "unique, in full", unique({
      nulls_not_distinct = true, include = { "b", "C" }, with = { fillfactor = 70 }, tablespace = "fast",
      deferrable = false, comment = "why",
    }), 'ALTER TABLE t ADD CONSTRAINT uq UNIQUE NULLS NOT DISTINCT (a) INCLUDE (b, "C") '
      .. "WITH (fillfactor = 70) USING INDEX TABLESPACE fast NOT DEFERRABLE\n"
      .. "COMMENT ON CONSTRAINT uq ON t IS 'why'" },
    { "unique over time", function()
      op.create_unique_constraint("uq", "t", { "a", "during" }, { without_overlaps = true })
    end, "ALTER TABLE t ADD CONSTRAINT uq UNIQUE (a, during WITHOUT OVERLAPS)", NEW },
    { "check", check(), "ALTER TABLE t ADD CONSTRAINT ck CHECK (a > 0)" },
    { "check, op.sql", function()
      op.create_check_constraint("ck", "t", op.sql("a > 0"))
    end, "ALTER TABLE t ADD CONSTRAINT ck CHECK (a > 0)" },
    { "check, not valid", check({ not_valid = true, no_inherit = true }),
      "ALTER TABLE t ADD CONSTRAINT ck CHECK (a > 0) NO INHERIT NOT VALID" },
    { "check, not enforced", check({ enforced = false }),
      "ALTER TABLE t ADD CONSTRAINT ck CHECK (a > 0) NOT ENFORCED", NEW },
    { "foreign_key", foreign_key(), "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES u (id)" },
    { "foreign_key, not valid", foreign_key({ on_delete = "cascade", not_valid = true }),
      "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES u (id) ON DELETE CASCADE NOT VALID" },
    { "foreign_key, deferred", foreign_key({ initially = "deferred" }),
      "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES u (id) DEFERRABLE INITIALLY DEFERRED" },
    { "foreign_key, immediate", foreign_key({ deferrable = true, initially = "immediate" }),
      "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES u (id) DEFERRABLE INITIALLY IMMEDIATE" },
    { "foreign_key, not enforced", foreign_key({ enforced = false }),
      "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES u (id) NOT ENFORCED", NEW },
    { "foreign_key over time", function()
      op.create_foreign_key("fk", "t", { "a", "during" }, "u", { "id", "valid" }, { period = true })
    end, "ALTER TABLE t ADD CONSTRAINT fk FOREIGN KEY (a, PERIOD during) REFERENCES u (id, PERIOD valid)", NEW },
    { "exclude", exclude({ { "during", "&&" } }),
      "ALTER TABLE t ADD CONSTRAINT ex EXCLUDE USING gist (during WITH &&)" },
    { "exclude, in full", exclude({
      { "a", op.sql("OPERATOR(pg_catalog.=)"), opclass = "int4_ops", order = "desc", nulls = "last" },
      { "b", "=", collation = "C" },
    }, {
      using = "btree", where = "a > 0", include = { "c" }, with = { fillfactor = 50 }, deferrable = true,
    }), "ALTER TABLE t ADD CONSTRAINT ex EXCLUDE USING btree "
      .. '(a int4_ops DESC NULLS LAST WITH OPERATOR(pg_catalog.=), b COLLATE "C" WITH =) '
      .. "INCLUDE (c) WITH (fillfactor = 50) WHERE (a > 0) DEFERRABLE" },
    { "not_null", function()
      op.create_not_null_constraint("nn", "t", "a", { not_valid = true, no_inherit = true })
    end, "ALTER TABLE t ADD CONSTRAINT nn NOT NULL a NO INHERIT NOT VALID", NEW },
    { "without a name PostgreSQL chooses", function()
      op.create_check_constraint(nil, "t", "a > 0")
    end, "ALTER TABLE t ADD CHECK (a > 0)" },
    { "without a name the convention chooses, also for a comment", function()
      op.create_foreign_key(nil, "app.t", { "a" }, "u", { "id" }, { comment = "x" })
    end, "ALTER TABLE app.t ADD CONSTRAINT fk_t_a FOREIGN KEY (a) REFERENCES u (id)\n"
      .. "COMMENT ON CONSTRAINT fk_t_a ON app.t IS 'x'", { naming = { fk = "fk_{table}_{columns}" } } },
    { "names an exclusion by its columns", function()
      op.create_exclude_constraint(nil, "t", { { "a", "=" }, { "b", "&&" } })
    end, "ALTER TABLE t ADD CONSTRAINT ex_t_a_b EXCLUDE USING gist (a WITH =, b WITH &&)",
      { naming = { ex = "ex_{table}_{columns}" } } },
  })
end)

describe("what is done to a constraint", function()
  cases.render({
    { "validates", function()
      op.validate_constraint("Fk", "app.t")
    end, 'ALTER TABLE app.t VALIDATE CONSTRAINT "Fk"' },
    { "renames", function()
      op.rename_constraint("a", "t", "b")
    end, "ALTER TABLE t RENAME CONSTRAINT a TO b" },
    { "drops", function()
      op.drop_constraint("a", "t")
    end, "ALTER TABLE t DROP CONSTRAINT a" },
    { "drops, if_exists and cascade", function()
      op.drop_constraint("a", "t", { if_exists = true, cascade = true })
    end, "ALTER TABLE t DROP CONSTRAINT IF EXISTS a CASCADE" },
  })

  it("validates in the transaction, without lock_timeout", function()
    local statement = record.executor(function()
      op.validate_constraint("fk", "t")
    end).statements[1]
    assert.is_true(statement.transactional)
    assert.is_false(statement.lock_timeout)
  end)
end)

describe("the inverse of constraint operations", function()
  cases.invert({
    { "primary_key", function()
      op.create_primary_key("pk", "t", { "a" }, { include = { "b" } })
    end, "ALTER TABLE t DROP CONSTRAINT pk" },
    { "unique", unique({ nulls_not_distinct = true, comment = "x" }), "ALTER TABLE t DROP CONSTRAINT uq" },
    { "check", check({ not_valid = true }), "ALTER TABLE t DROP CONSTRAINT ck" },
    { "foreign_key", foreign_key({ on_delete = "cascade" }), "ALTER TABLE t DROP CONSTRAINT fk" },
    { "exclude", exclude({ { "a", "=" } }, { using = "hash" }), "ALTER TABLE t DROP CONSTRAINT ex" },
    { "not_null", function()
      op.create_not_null_constraint("nn", "t", "a")
    end, "ALTER TABLE t DROP CONSTRAINT nn", NEW },
    { "drop, with the definition", function()
      op.drop_constraint("fk", "app.t", {
        definition = op.foreign_key({ "a" }, "u", nil, { name = "other", on_update = "cascade" }),
      })
    end, "ALTER TABLE app.t ADD CONSTRAINT fk FOREIGN KEY (a) REFERENCES u ON UPDATE CASCADE" },
    { "rename", function()
      op.rename_constraint("a", "t", "b")
    end, "ALTER TABLE t RENAME CONSTRAINT b TO a" },
    { "validate, which does nothing to what is valid", function()
      op.validate_constraint("fk", "t")
    end, "ALTER TABLE t VALIDATE CONSTRAINT fk" },
  })

  cases.not_invert({
    { "needs a name", function()
      op.create_unique_constraint(nil, "t", { "a" })
    end, 'the unique constraint has no name here: give one, op.create_unique_constraint("…", "t", …)' },
    { "cannot give an index back", function()
      op.create_primary_key("pk", "t", nil, { using_index = "i" })
    end, "dropping the constraint drops the index i too: write downgrade() with op.drop_constraint and op.create_index" },
    { "needs the definition", function()
      op.drop_constraint("ck", "t")
    end, 'what the constraint was is not known: write op.drop_constraint("ck", "t", { definition = op.check(…) }), or op.unique, op.foreign_key …' },
    { "cannot know what went along", function()
      op.drop_constraint("ck", "t", { cascade = true, definition = op.check("a") })
    end, "what CASCADE drops along is not known" },
  })
end)

describe("wrong input of constraint operations", function()
  local use_index = "build the index with op.create_index(…, { unique = true, concurrently = true }), "
    .. "then give using_index"
  local OLD <const> = { server_version = 140000 }

  cases.refuse({
    { "says that a unique constraint is never NOT VALID", unique({ not_valid = true }),
      "create_unique_constraint: argument 4.not_valid: PostgreSQL has no NOT VALID for a unique constraint", use_index },
    { "says that a primary key is never NOT VALID", function()
      op.primary_key({ "a" }, { not_valid = true })
    end, "primary_key: argument 2.not_valid: PostgreSQL has no NOT VALID for a primary key", use_index },
    { "says that an exclusion is never NOT VALID", exclude({ { "a", "=" } }, { not_valid = true }),
      "create_exclude_constraint: argument 4.not_valid: PostgreSQL has no NOT VALID for an exclusion constraint",
      "mend the rows first: they are checked at once" },
    { "says that a check is never deferred", check({ deferrable = true }),
      "create_check_constraint: argument 4.deferrable: PostgreSQL has no DEFERRABLE for a check",
      "a constraint trigger can be checked at COMMIT" },
    { "does not offer what it refuses", unique({ zzz = 1 }),
      "create_unique_constraint: argument 4.zzz: there is no such option",
      "known: comment, deferrable, include, initially, nulls_not_distinct, tablespace, using_index, with, without_overlaps" },
    { "wants columns or an index", function()
      op.create_primary_key("pk", "t")
    end, "create_primary_key: give the list of columns, or using_index" },
    { "wants columns or an index, not both", function()
      op.create_primary_key("pk", "t", { "a" }, { using_index = "i" })
    end, "create_primary_key: columns and using_index exclude each other" },
    { "knows what the index settles", function()
      op.create_primary_key("pk", "t", nil, { using_index = "i", include = { "b" } })
    end, "create_primary_key: include is a matter of the index that using_index names" },
    { "wants columns in a new table", function()
      op.unique({})
    end, "unique: the list of columns is empty" },
    { "shows how one column is written", function()
      op.unique("a")
    end, "unique: argument 1 (columns): expected a list, got the string 'a'", 'write { "a" }' },
    { "counts the columns of both sides", function()
      op.foreign_key({ "a", "b" }, "u", { "id" })
    end, "foreign_key: 2 columns cannot refer to 1" },
    { "knows the words of an action", foreign_key({ on_delete = "cascad" }),
      "create_foreign_key: argument 6.on_delete: expected one of cascade, restrict, set null, set default, no action, got 'cascad'",
      "did you mean 'cascade'?" },
    { "wants on_delete_columns to go with on_delete", foreign_key({ on_delete_columns = { "a" } }),
      'create_foreign_key: on_delete_columns goes with on_delete = "set null" or "set default"' },
    { "sees deferred without deferrable", foreign_key({ deferrable = false, initially = "deferred" }),
      'create_foreign_key: initially = "deferred" needs deferrable = true' },
    { "wants an operator in every element", exclude({ { "a" } }),
      "create_exclude_constraint: argument 3[1][2]: expected a string or op.sql, got nothing" },
    { "wants an operator that is one", exclude({ { "a", "= b) --" } }),
      "create_exclude_constraint: element 1: '= b) --' is no operator; op.sql takes OPERATOR(schema.=)" },
    { "wants elements", exclude({}), "create_exclude_constraint: the list of elements is empty" },
    { "wants a condition", function()
      op.check("  ")
    end, "check: argument 1 (condition): the text is empty" },
    { "wants a definition made by op", function()
      op.drop_constraint("a", "t", { definition = "check" })
    end, "drop_constraint: argument 3.definition: expected a constraint, got the string 'check'" },
    { "wants a column beside the range", function()
      op.unique({ "during" }, { without_overlaps = true })
    end, "unique: without_overlaps needs a column before the range" },
    { "wants a column beside the period", function()
      op.foreign_key({ "a", "during" }, "u", nil, { period = true })
    end, "foreign_key: period needs a column before the range, on both sides" },
    { "knows what an older server lacks: enforced", check({ enforced = false }),
      "enforced needs PostgreSQL 18; the server is 15" },
    { "knows what an older server lacks: NOT NULL by name", function()
      op.create_not_null_constraint("nn", "t", "a")
    end, "a NOT NULL constraint with a name needs PostgreSQL 18, the server is 15: write nullable = false (op.column, op.alter_column)" },
    { "knows what an older server lacks: nulls_not_distinct", unique({ nulls_not_distinct = true }),
      "nulls_not_distinct needs PostgreSQL 15; the server is 14", context = OLD },
    { "knows what an older server lacks: on_delete_columns", foreign_key({ on_delete = "set null", on_delete_columns = { "a" } }),
      "on_delete_columns needs PostgreSQL 15; the server is 14", context = OLD },
  })
end)
