-- luacheck: no max line length (a case a line)
local conn = require("luamig.core.conn")
local generate = require("luamig.generate")
local generated = require("support.generated")
local server = require("support.server")
local snapshot = require("luamig.snapshot")
local snapshots = require("support.snapshots")

local cases = generated.cases

describe("generated rows", function()
  local session

  lazy_setup(function()
    session = snapshots.session()
  end)
  lazy_teardown(function()
    session.close()
  end)

  local function with()
    return session
  end

  describe("of unique keys", function()
    cases(with, {
      { "primary keys of every kind", "CREATE TABLE a (id integer PRIMARY KEY); CREATE TABLE b (id text PRIMARY KEY); "
        .. "CREATE TABLE c (id uuid PRIMARY KEY); CREATE TABLE d (id date, n smallint, PRIMARY KEY (id, n)); "
        .. "CREATE TABLE e (id numeric(4,2) PRIMARY KEY); CREATE TABLE f (id timestamptz PRIMARY KEY); "
        .. "CREATE TABLE g (id varchar(2) PRIMARY KEY); CREATE TABLE h (id inet PRIMARY KEY); "
        .. "CREATE TABLE i (id bit(4) PRIMARY KEY); CREATE TABLE j (id int[] PRIMARY KEY)" },
      { "keys of few values", "CREATE TYPE size AS ENUM ('s', 'm', 'l'); CREATE TABLE a (id boolean PRIMARY KEY); "
        .. "CREATE TABLE b (a boolean, s size, PRIMARY KEY (a, s)); CREATE TABLE c (id smallint PRIMARY KEY CHECK (id BETWEEN 1 AND 3)); "
        .. "CREATE TABLE d (id text PRIMARY KEY CHECK (id IN ('x', 'y'))); CREATE TABLE e (s size NOT NULL UNIQUE); "
        .. "CREATE TABLE f (id integer PRIMARY KEY DEFAULT 1 CHECK (id = 1))",
        rows = { a = 2, c = 3, d = 2, e = 3, f = 1 } },
      { "unique constraints together", "CREATE TABLE t (a integer UNIQUE, b integer NOT NULL, c text NOT NULL, d boolean NOT NULL, "
        .. "UNIQUE (b, d), UNIQUE (c, d))" },
      { "unique expressions", "CREATE TABLE t (email text NOT NULL, at timestamp NOT NULL, n integer NOT NULL); "
        .. "CREATE UNIQUE INDEX ON t (lower(email)); CREATE UNIQUE INDEX ON t ((at::date)); CREATE UNIQUE INDEX ON t (abs(n), (n > 0))" },
      { "unique indexes over a part", "CREATE TABLE t (a integer NOT NULL, b integer NOT NULL, is_first boolean NOT NULL); "
        .. "CREATE UNIQUE INDEX ON t (b) WHERE a > 0; CREATE UNIQUE INDEX ON t (is_first) WHERE is_first" },
      { "NULLS NOT DISTINCT", "CREATE TABLE t (a integer UNIQUE NULLS NOT DISTINCT)", since = 15 },
      { "keys that are deferrable", "CREATE TABLE t (a integer PRIMARY KEY DEFERRABLE INITIALLY DEFERRED, b text UNIQUE DEFERRABLE)" },
      { "keys over long values", "CREATE TABLE t (a text UNIQUE NOT NULL, b bytea UNIQUE NOT NULL, c jsonb UNIQUE NOT NULL)" },
      { "indexes over expressions that fail on some values",
        "CREATE TABLE t (a text NOT NULL, b integer NOT NULL); CREATE INDEX ON t ((1000 / (b - 1)))" },
      { "exclusion constraints", "CREATE EXTENSION btree_gist; CREATE TABLE t (room integer NOT NULL, during tstzrange NOT NULL, "
        .. "EXCLUDE USING gist (room WITH =, during WITH &&)); CREATE TABLE u (c circle NOT NULL, EXCLUDE USING gist (c WITH &&)); "
        .. "CREATE TABLE v (s timestamptz NOT NULL, e timestamptz NOT NULL, EXCLUDE USING gist (tstzrange(s, e) WITH &&)); "
        .. "CREATE TABLE w (d daterange NOT NULL, EXCLUDE USING gist (d WITH &&) DEFERRABLE); "
        .. "CREATE TABLE x (s date NOT NULL, e date NOT NULL, CHECK (s < e), EXCLUDE USING gist (daterange(s, e) WITH &&)); "
        .. "CREATE TABLE y (tag text NOT NULL, kind text NOT NULL, EXCLUDE USING gist (tag WITH =, kind WITH <>))",
        needs = { "btree_gist" } },
      { "ranges of two columns in an index", "CREATE TABLE t (a timestamptz NOT NULL, b timestamptz NOT NULL); "
        .. "CREATE INDEX ON t USING gist (tstzrange(a, b)); "
        .. "CREATE TABLE u (a integer NOT NULL, b integer NOT NULL, r int4range GENERATED ALWAYS AS (int4range(a, b)) STORED)" },
      { "WITHOUT OVERLAPS and PERIOD", "CREATE EXTENSION btree_gist; CREATE TABLE a (id integer, during daterange, "
        .. "PRIMARY KEY (id, during WITHOUT OVERLAPS)); CREATE TABLE b (a integer NOT NULL, during daterange NOT NULL, "
        .. "FOREIGN KEY (a, PERIOD during) REFERENCES a (id, PERIOD during))", since = 18, needs = { "btree_gist" } },
    })
  end)

  describe("of foreign keys", function()
    cases(with, {
      { "foreign keys, NULL where they may be", "CREATE TABLE a (id integer PRIMARY KEY); CREATE TABLE b (id serial PRIMARY KEY, "
        .. "a integer NOT NULL REFERENCES a, other integer REFERENCES a)",
        holds = { "SELECT count(other) > 0 FROM b", "SELECT count(DISTINCT a) > 1 FROM b" } },
      { "tables in any order", "CREATE TABLE z (id uuid PRIMARY KEY); CREATE TABLE y (id bigint PRIMARY KEY, z uuid NOT NULL REFERENCES z); "
        .. "CREATE TABLE a (id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, y bigint NOT NULL REFERENCES y); "
        .. "CREATE TABLE m (a integer NOT NULL REFERENCES a, z uuid NOT NULL REFERENCES z)" },
      { "composite keys", "CREATE TABLE a (x integer, y text, PRIMARY KEY (x, y)); CREATE TABLE b (x integer NOT NULL, y text NOT NULL, "
        .. "FOREIGN KEY (x, y) REFERENCES a); CREATE TABLE c (x integer, y text, FOREIGN KEY (x, y) REFERENCES a MATCH FULL); "
        .. "CREATE TABLE d (x integer NOT NULL, y text, FOREIGN KEY (x, y) REFERENCES a)",
        holds = { "SELECT bool_and((x IS NULL) = (y IS NULL)) AND bool_or(x IS NULL) FROM c", "SELECT count(y) > 0 FROM d" } },
      { "keys that share a column", "CREATE TABLE tenants (id uuid PRIMARY KEY); CREATE TABLE users (tenant uuid NOT NULL REFERENCES tenants, id integer, "
        .. "PRIMARY KEY (tenant, id)); CREATE TABLE docs (tenant uuid NOT NULL REFERENCES tenants, id integer, author integer NOT NULL, reader integer, "
        .. "PRIMARY KEY (tenant, id), FOREIGN KEY (tenant, author) REFERENCES users, FOREIGN KEY (tenant, reader) REFERENCES users)",
        holds = { "SELECT count(reader) > 0 FROM docs" } },
      { "edges of a tree that may not be loops", "CREATE TABLE trees (id uuid PRIMARY KEY); CREATE TABLE nodes (id uuid PRIMARY KEY, "
        .. "tree uuid NOT NULL REFERENCES trees, UNIQUE (tree, id)); CREATE TABLE edges (child uuid PRIMARY KEY, tree uuid NOT NULL, parent uuid NOT NULL, "
        .. "FOREIGN KEY (tree, child) REFERENCES nodes (tree, id), FOREIGN KEY (tree, parent) REFERENCES nodes (tree, id), CHECK (child <> parent))" },
      { "many to many", "CREATE TABLE a (id serial PRIMARY KEY); CREATE TABLE b (id serial PRIMARY KEY); "
        .. "CREATE TABLE ab (a integer REFERENCES a, b integer REFERENCES b, PRIMARY KEY (a, b)); "
        .. "CREATE TABLE abc (a integer REFERENCES a, b integer REFERENCES b, c text CHECK (c IN ('x', 'y')), PRIMARY KEY (a, b, c)); "
        .. "CREATE TABLE aa (l integer REFERENCES a, r integer REFERENCES a, PRIMARY KEY (l, r), CHECK (l < r))" },
      { "one to one", "CREATE TABLE a (id serial PRIMARY KEY); CREATE TABLE b (id integer PRIMARY KEY REFERENCES a); "
        .. "CREATE TABLE c (b integer NOT NULL UNIQUE REFERENCES b)" },
      { "keys to other than the primary key", "CREATE TABLE a (id serial PRIMARY KEY, code varchar(5) UNIQUE, n bigint UNIQUE); "
        .. "CREATE TABLE b (code varchar(5) NOT NULL REFERENCES a (code), n integer NOT NULL REFERENCES a (n))", rows = { b = 5 } },
      { "keys to a row of which the value does not fit", "CREATE TABLE a (n bigint PRIMARY KEY); INSERT INTO a VALUES (9223372036854775807), (1); "
        .. "CREATE TABLE b (n integer NOT NULL REFERENCES a)" },
      { "a table that leads to itself", "CREATE TABLE t (id serial PRIMARY KEY, parent integer REFERENCES t, CHECK (parent <> id)); "
        .. "CREATE TABLE u (id uuid PRIMARY KEY, previous uuid UNIQUE REFERENCES u); "
        .. "CREATE TABLE v (tree integer NOT NULL, id integer NOT NULL, parent integer, PRIMARY KEY (tree, id), FOREIGN KEY (tree, parent) REFERENCES v)",
        holds = { "SELECT count(parent) = 4 AND bool_and(parent < id) FROM t", "SELECT count(previous) = 4 FROM u" } },
      { "a table that must lead to itself", "CREATE TABLE t (id serial PRIMARY KEY, root integer NOT NULL REFERENCES t); "
        .. "CREATE TABLE u (id uuid PRIMARY KEY, other uuid NOT NULL REFERENCES u CHECK (other <> id)); "
        .. "CREATE TABLE v (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, at bigint NOT NULL REFERENCES v DEFERRABLE INITIALLY DEFERRED)" },
      { "circles that a NULL opens", "CREATE TABLE a (id integer PRIMARY KEY, b integer); CREATE TABLE b (id serial PRIMARY KEY, a integer NOT NULL REFERENCES a); "
        .. "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b", holds = { "SELECT count(b) > 0 FROM a" } },
      { "circles that nothing opens", "CREATE TABLE a (id integer PRIMARY KEY, b integer NOT NULL); CREATE TABLE b (id serial PRIMARY KEY, c uuid NOT NULL); "
        .. "CREATE TABLE c (id uuid PRIMARY KEY, a integer NOT NULL REFERENCES a); ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b; "
        .. "ALTER TABLE b ADD FOREIGN KEY (c) REFERENCES c DEFERRABLE; CREATE TABLE d (a integer NOT NULL REFERENCES a)",
        holds = { "SELECT bool_and(b.id = a.b) FROM a JOIN b ON b.id = a.b" } },
      { "circles with conditions", "CREATE TABLE a (id integer PRIMARY KEY CHECK (id > 100), b integer, kind text NOT NULL, CHECK (kind <> 'x' OR b IS NULL)); "
        .. "CREATE TABLE b (id integer PRIMARY KEY, a integer NOT NULL REFERENCES a); ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b" },
      { "a circle of which a table has its rows", "CREATE TABLE a (id integer PRIMARY KEY, b integer NOT NULL); "
        .. "CREATE TABLE b (id integer PRIMARY KEY, a integer NOT NULL REFERENCES a DEFERRABLE INITIALLY DEFERRED); "
        .. "INSERT INTO b SELECT i, i FROM generate_series(1, 6) i; INSERT INTO a SELECT i, i FROM generate_series(1, 6) i; "
        .. "ALTER TABLE a ADD FOREIGN KEY (b) REFERENCES b; DELETE FROM a WHERE false", rows = { a = 6, b = 6 } },
      { "values that a partition or check of another table waits for",
        "CREATE TABLE tenants (id integer PRIMARY KEY, name text); "
        .. "CREATE TABLE t (id serial, tenant integer NOT NULL REFERENCES tenants) PARTITION BY LIST (tenant); "
        .. "CREATE TABLE t7 PARTITION OF t FOR VALUES IN (700); CREATE TABLE t8 PARTITION OF t FOR VALUES IN (800, 801); "
        .. "CREATE TABLE kinds (name text PRIMARY KEY); CREATE TABLE u (kind text NOT NULL REFERENCES kinds CHECK (kind IN ('big', 'small')))",
        rows = { t = 10, tenants = 5 }, holds = { "SELECT count(*) = 2 FROM kinds WHERE name IN ('big', 'small')" } },
      { "tenants whose rows must agree", "CREATE TABLE tenant (id uuid PRIMARY KEY); CREATE TABLE label (tenant uuid REFERENCES tenant, name text, PRIMARY KEY (tenant, name)); "
        .. "CREATE TABLE task (tenant uuid REFERENCES tenant, id integer, PRIMARY KEY (tenant, id)); CREATE TABLE task_label (tenant uuid, task integer, label text, "
        .. "PRIMARY KEY (tenant, task, label), FOREIGN KEY (tenant, task) REFERENCES task, FOREIGN KEY (tenant, label) REFERENCES label)" },
      { "accounts and members that need each other", "CREATE TABLE tenant (id uuid PRIMARY KEY); "
        .. "CREATE TABLE account (tenant uuid NOT NULL REFERENCES tenant, id uuid, owner uuid NOT NULL, PRIMARY KEY (tenant, id)); "
        .. "CREATE TABLE member (tenant uuid NOT NULL REFERENCES tenant, id uuid, account uuid NOT NULL, boss uuid, PRIMARY KEY (tenant, id), "
        .. "FOREIGN KEY (tenant, account) REFERENCES account, FOREIGN KEY (tenant, boss) REFERENCES member, CHECK (boss <> id)); "
        .. "ALTER TABLE account ADD FOREIGN KEY (tenant, owner) REFERENCES member DEFERRABLE INITIALLY DEFERRED" },
      { "a table that can have no rows", "CREATE TABLE a (id integer PRIMARY KEY CHECK (id <> id)); CREATE TABLE b (a integer NOT NULL REFERENCES a); "
        .. "CREATE TABLE c (a integer REFERENCES a)", rows = { a = 0, b = 0 }, unfilled = { "table public.a: no row",
          "table public.b: foreign key b_a_fkey needs a row of public.a, which has none" } },
      { "keys across schemas", "CREATE SCHEMA one; CREATE SCHEMA \"Two\"; CREATE TABLE one.a (\"Id\" integer PRIMARY KEY); "
        .. "CREATE TABLE \"Two\".b (\"A id\" integer NOT NULL REFERENCES one.a)" },
      { "NOT ENFORCED", "CREATE TABLE a (id integer PRIMARY KEY); CREATE TABLE b (a integer NOT NULL REFERENCES a NOT ENFORCED)", since = 18 },
    })
  end)

  describe("of partitions and heirs", function()
    cases(with, {
      { "ranges", "CREATE TABLE p (at date NOT NULL, n integer) PARTITION BY RANGE (at); "
        .. "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2020-02-01'); "
        .. "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (MINVALUE) TO ('2020-01-01'); "
        .. "CREATE TABLE p3 PARTITION OF p FOR VALUES FROM ('2020-02-01') TO (MAXVALUE)", rows = { p = 15 } },
      { "ranges of several columns and times", "CREATE TABLE p (a integer, b timestamptz NOT NULL, c text, PRIMARY KEY (a, b)) PARTITION BY RANGE (a, b); "
        .. "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1, '2020-01-01') TO (1, '2020-02-01'); "
        .. "CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (1, '2020-02-01') TO (5, '2020-01-01'); "
        .. "CREATE TABLE p3 PARTITION OF p DEFAULT", rows = { p = 15 } },
      { "lists, NULL and a default", "CREATE TABLE p (k text, n integer NOT NULL CHECK (n > 0)) PARTITION BY LIST (k); "
        .. "CREATE TABLE p1 PARTITION OF p FOR VALUES IN ('a', 'b'); CREATE TABLE p2 PARTITION OF p FOR VALUES IN (NULL); "
        .. "CREATE TABLE p3 PARTITION OF p DEFAULT", rows = { p = 15 } },
      { "hashes", "CREATE TABLE p (id integer PRIMARY KEY) PARTITION BY HASH (id); CREATE TABLE p0 PARTITION OF p FOR VALUES WITH (MODULUS 4, REMAINDER 0); "
        .. "CREATE TABLE p1 PARTITION OF p FOR VALUES WITH (MODULUS 4, REMAINDER 1); CREATE TABLE p2 PARTITION OF p FOR VALUES WITH (MODULUS 4, REMAINDER 2); "
        .. "CREATE TABLE p3 PARTITION OF p FOR VALUES WITH (MODULUS 4, REMAINDER 3)", rows = { p = 20 } },
      { "hashes of a foreign key", "CREATE TABLE tenant (id uuid PRIMARY KEY); CREATE TABLE project (tenant uuid REFERENCES tenant, id integer, PRIMARY KEY (tenant, id)); "
        .. "CREATE TABLE p (tenant uuid NOT NULL, project integer NOT NULL, id bigserial, FOREIGN KEY (tenant, project) REFERENCES project) PARTITION BY HASH (tenant); "
        .. "CREATE TABLE p0 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 0); CREATE TABLE p1 PARTITION OF p FOR VALUES WITH (MODULUS 2, REMAINDER 1)",
        rows = { p = 10, tenant = 8, project = 8 } },
      { "expressions", "CREATE TABLE p (at timestamp NOT NULL) PARTITION BY RANGE (date_trunc('day', at)); "
        .. "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (MINVALUE) TO ('2000-01-10'); CREATE TABLE p2 PARTITION OF p FOR VALUES FROM ('2000-01-10') TO (MAXVALUE)",
        rows = { p = 10 } },
      { "partitions of partitions", "CREATE TYPE region AS ENUM ('eu', 'us'); CREATE TABLE p (r region NOT NULL, at date NOT NULL, id bigint GENERATED ALWAYS AS IDENTITY) "
        .. "PARTITION BY LIST (r); CREATE TABLE eu PARTITION OF p FOR VALUES IN ('eu') PARTITION BY RANGE (at); "
        .. "CREATE TABLE us PARTITION OF p FOR VALUES IN ('us'); CREATE TABLE eu1 PARTITION OF eu FOR VALUES FROM ('2020-01-01') TO ('2021-01-01'); "
        .. "CREATE TABLE eu2 PARTITION OF eu DEFAULT", rows = { p = 15, eu = 10 }, holds = { "SELECT count(DISTINCT id) = 15 FROM p" } },
      { "many partitions beside a default", (function()
          local list = { "CREATE TABLE p (at date) PARTITION BY RANGE (at); CREATE TABLE d PARTITION OF p DEFAULT" }
          for month = 1, 12 do
            list[#list + 1] = ("CREATE TABLE p%d PARTITION OF p FOR VALUES FROM ('2020-%02d-01') TO ('%s-01')"):format(month, month,
              month < 12 and ("2020-%02d"):format(month + 1) or "2021-01")
          end
          return table.concat(list, "; ")
        end)(), rows = { p = 65 } },
      { "identity as the partition key", "CREATE TABLE p (id bigint GENERATED ALWAYS AS IDENTITY) PARTITION BY RANGE (id); "
        .. "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (1) TO (1000); CREATE TABLE p2 PARTITION OF p FOR VALUES FROM (1000) TO (2000)",
        rows = { p = 10 } },
      { "columns in another order", "CREATE TABLE p (a integer NOT NULL, b text NOT NULL) PARTITION BY LIST (a); "
        .. "CREATE TABLE p1 (b text NOT NULL CHECK (b <> 'x'), a integer NOT NULL); ALTER TABLE p ATTACH PARTITION p1 FOR VALUES IN (1)" },
      { "keys to and from partitioned tables", "CREATE TABLE o (id integer PRIMARY KEY); CREATE TABLE p (id integer, at date, o integer NOT NULL REFERENCES o, "
        .. "up integer, up_at date, PRIMARY KEY (id, at), FOREIGN KEY (up, up_at) REFERENCES p) PARTITION BY RANGE (at); "
        .. "CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2021-01-01'); CREATE TABLE p2 PARTITION OF p DEFAULT; "
        .. "CREATE TABLE q (p integer NOT NULL, at date NOT NULL, FOREIGN KEY (p, at) REFERENCES p)", rows = { p = 10 },
        holds = { "SELECT count(up) > 0 FROM p" } },
      { "a partitioned table without partitions", "CREATE TABLE p (a integer) PARTITION BY LIST (a); "
        .. "CREATE TABLE q (a integer) PARTITION BY LIST (a); CREATE TABLE q1 PARTITION OF q FOR VALUES IN (1) PARTITION BY LIST (a)",
        rows = { p = 0, q = 0, q1 = 0 },
        unfilled = { "table public.p: it has no partition", "table public.q: it has no partition", "table public.q1: it has no partition" } },
      { "inheritance", "CREATE TABLE a (id integer PRIMARY KEY, name text NOT NULL CHECK (name <> '')); CREATE TABLE b (extra date NOT NULL) INHERITS (a); "
        .. "CREATE TABLE c (a integer NOT NULL REFERENCES a)", rows = { a = 10, b = 5, c = 5 } },
    })
  end)

  describe("of code and rights", function()
    cases(with, {
      { "triggers that change rows", "CREATE TABLE t (id integer PRIMARY KEY, name text NOT NULL, at timestamptz); "
        .. "CREATE FUNCTION touch() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN NEW.at := now(); NEW.name := upper(NEW.name); RETURN NEW; END'; "
        .. "CREATE TRIGGER touch BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION touch()", holds = { "SELECT bool_and(at = now()) FROM t" } },
      { "triggers that write elsewhere", "CREATE TABLE log (n integer, what text); CREATE TABLE t (id integer PRIMARY KEY); "
        .. "CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO log VALUES (NEW.id, TG_OP); RETURN NULL; END'; "
        .. "CREATE TRIGGER note AFTER INSERT ON t FOR EACH ROW EXECUTE FUNCTION note()", at_least = 5 },
      { "triggers that refuse some rows", "CREATE TABLE t (a integer NOT NULL); "
        .. "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN IF NEW.a % 2 = 0 THEN RAISE ''odd only''; END IF; RETURN NEW; END'; "
        .. "CREATE TRIGGER refuse BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION refuse()", holds = { "SELECT bool_and(a % 2 <> 0) FROM t" } },
      { "triggers that refuse all rows", "CREATE TABLE t (a integer NOT NULL); CREATE TABLE u (a integer); "
        .. "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''nothing here''; END'; "
        .. "CREATE TRIGGER guard BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION refuse()", rows = { t = 0 },
        unfilled = { "table public.t: trigger guard on public.t refuses the rows that were tried: nothing here (P0001)" } },
      { "triggers that let nothing through", "CREATE TABLE t (a integer NOT NULL); "
        .. "CREATE FUNCTION skip() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'; "
        .. "CREATE TRIGGER skip BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION skip()", rows = { t = 0 },
        unfilled = { "table public.t: trigger skip on public.t lets no row through" } },
      { "constraint triggers that are deferred", "CREATE TABLE t (a integer NOT NULL); CREATE TABLE u (a integer); "
        .. "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''never''; END'; "
        .. "CREATE CONSTRAINT TRIGGER late AFTER INSERT ON t DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()",
        rows = { t = 0 }, unfilled = { "table public.t: trigger late on public.t refuses the rows that were tried: never" } },
      { "rules", "CREATE TABLE t (a integer); CREATE RULE gone AS ON INSERT TO t DO INSTEAD NOTHING; CREATE TABLE log (a integer); "
        .. "CREATE TABLE u (a integer PRIMARY KEY); CREATE RULE also AS ON INSERT TO u DO ALSO INSERT INTO log VALUES (NEW.a)",
        rows = { t = 0 }, at_least = 5, unfilled = { "table public.t: rule gone on public.t takes the rows away" } },
      { "row security", "CREATE TABLE t (a integer NOT NULL); ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE t FORCE ROW LEVEL SECURITY; "
        .. "CREATE POLICY none ON t USING (false)" },
      { "views and foreign tables, which have none", "CREATE TABLE t (a integer NOT NULL); CREATE VIEW v AS SELECT * FROM t; "
        .. "CREATE MATERIALIZED VIEW m AS SELECT * FROM t; CREATE EXTENSION file_fdw; CREATE SERVER s FOREIGN DATA WRAPPER file_fdw; "
        .. "CREATE FOREIGN TABLE f (a integer) SERVER s OPTIONS (filename '/nowhere')", needs = { "file_fdw" } },
      { "code that needs the search path", "CREATE SCHEMA app; SET LOCAL search_path = app, public; CREATE TABLE app.log (a integer); CREATE TABLE app.t (a integer NOT NULL); "
        .. "CREATE FUNCTION app.note() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN INSERT INTO log VALUES (NEW.a); RETURN NEW; END'; "
        .. "CREATE TRIGGER note BEFORE INSERT ON app.t FOR EACH ROW EXECUTE FUNCTION app.note()", at_least = 5,
        holds = { "SELECT current_setting('search_path') = 'app, public'" } },
    })
  end)

  describe("as a whole", function()
    local database

    before_each(function()
      database = server.database()
    end)
    after_each(function()
      database.drop()
    end)

    local function run(script, fn)
      local connection <close> = database.connect()
      snapshots.run(connection, script)
      return fn(connection, function(options)
        return generate.fill(connection, snapshot.read(connection), options)
      end)
    end

    local function rows_of(connection, sql)
      local out = {}
      for i, row in ipairs(connection:exec(sql)) do
        out[i] = row.row
      end
      return out
    end

    local shop = "CREATE TABLE a (id integer PRIMARY KEY, t text, d date, j jsonb); "
      .. "CREATE TABLE b (id serial PRIMARY KEY, a integer NOT NULL REFERENCES a, n numeric(8,2), at timestamptz)"

    it("are committed, and tell how many there are", function()
      run(shop, function(connection, fill)
        assert.same({ filled = { ["table public.a"] = 7, ["table public.b"] = 7 }, unfilled = {}, short = {} },
          fill({ rows = 7 }))
        assert.equal("I", connection:transaction())
        connection:exec("ROLLBACK")
        assert.equal(7, connection:exec("SELECT count(*) AS n FROM b")[1].n)
      end)
    end)

    it("are the same for the same seed, and others for another", function()
      run(shop, function(connection, fill)
        local function made(seed)
          fill({ seed = seed })
          local list = rows_of(connection, "SELECT a::text AS row FROM a ORDER BY a")
          table.move(rows_of(connection, "SELECT ROW(a, n, at)::text AS row FROM b ORDER BY id"), 1, 5, #list + 1, list)
          connection:exec("TRUNCATE a, b")
          return list
        end
        local first = made(1)
        assert.equal(10, #first)
        assert.same(first, made(1))
        assert.not_same(first, made(2))
      end)
    end)

    it("leave alone what is there, and lead to it", function()
      run(shop .. "; INSERT INTO a VALUES (1, 'mine', NULL, NULL), (-7, NULL, NULL, NULL); "
        .. "CREATE TABLE c (a integer PRIMARY KEY REFERENCES a); "
        .. "CREATE TABLE tree (id integer PRIMARY KEY, up integer REFERENCES tree); INSERT INTO tree VALUES (-1), (-2)", function(connection, fill)
        local report = fill()
        assert.equal(3, report.filled["table public.a"])
        assert.equal("mine", connection:exec("SELECT t FROM a WHERE id = 1")[1].t)
        assert.equal(1, #connection:exec("SELECT FROM a WHERE id = -7 AND t IS NULL"))
        assert.equal(2, #connection:exec("SELECT FROM c WHERE a IN (1, -7)"))
        assert.equal(2, #connection:exec("SELECT FROM tree WHERE id < 0 AND up IS NULL"))
        assert.is_true(#connection:exec("SELECT FROM tree WHERE up IS NOT NULL") > 0)
      end)
    end)

    it("are none where there are enough", function()
      run(shop, function(_, fill)
        fill()
        assert.same({ filled = {}, unfilled = {}, short = {} }, fill())
        assert.same({ filled = { ["table public.a"] = 2, ["table public.b"] = 2 }, unfilled = {}, short = {} },
          fill({ rows = 7 }))
      end)
    end)

    it("say which tables got fewer than were wanted, and why", function()
      run("CREATE TABLE t (a boolean PRIMARY KEY)", function(_, fill)
        local report = fill()
        assert.same({ ["table public.t"] = 2 }, report.filled)
        assert.same({ { identity = "table public.t", rows = 2, why = "every further row that was tried "
          .. "collides with a unique key or an exclusion constraint" } }, report.short)
      end)
    end)

    it("fill only some tables, with what these need", function()
      run(shop .. "; CREATE TABLE c (n integer)", function(connection, fill)
        assert.same({ ["table public.a"] = 5, ["table public.b"] = 5 }, fill({ only = { "table public.b" } }).filled)
        assert.equal(0, #connection:exec("SELECT FROM c"))
      end)
    end)

    it("join the caller's transaction and its savepoints", function()
      run(shop, function(connection)
        connection:exec("BEGIN")
        connection:exec("SET LOCAL timezone = 'Asia/Tokyo'")
        connection:exec("SET LOCAL search_path = pg_catalog")
        generate.fill(connection, snapshot.read(connection))
        assert.equal("T", connection:transaction())
        assert.same({ tz = "Asia/Tokyo", path = "pg_catalog" }, connection:exec(
          "SELECT current_setting('timezone') AS tz, current_setting('search_path') AS path")[1])
        assert.equal(5, #connection:exec("SELECT FROM public.b"))
        connection:exec("ROLLBACK")
        assert.equal(0, #connection:exec("SELECT FROM public.b"))
        assert.has_error(function()
          connection:exec("RELEASE SAVEPOINT luamig_generate")
        end)
      end)
    end)

    it("are not made in a transaction that has failed", function()
      run(shop, function(connection)
        local value = snapshot.read(connection)
        connection:exec("BEGIN")
        pcall(connection.exec, connection, "SELECT 1/0")
        local ok, f = pcall(generate.fill, connection, value)
        assert.is_false(ok)
        assert.equal("tables cannot be filled in a transaction that has failed", f.message)
        connection:exec("ROLLBACK")
      end)
    end)

    it("leave no transaction open and no row when the server ends the work", function()
      run(shop, function(connection)
        local value = snapshot.read(connection)
        connection:exec("CREATE FUNCTION stop() RETURNS trigger LANGUAGE plpgsql AS "
          .. "'BEGIN PERFORM pg_cancel_backend(pg_backend_pid()); PERFORM pg_sleep(10); RETURN NEW; END'")
        connection:exec("CREATE TRIGGER stop BEFORE INSERT ON b EXECUTE FUNCTION stop()")
        local ok, f = pcall(generate.fill, connection, value)
        assert.is_false(ok)
        assert.equal("57014", f.sqlstate)
        assert.equal("I", connection:transaction())
        assert.equal(0, #connection:exec("SELECT FROM a"))
        assert.same({}, connection:exec("SELECT 1 AS still").tag == "SELECT 1" and {} or { "out of step" })
      end)
    end)

    it("do not spoil other tables when one refuses", function()
      run(shop .. "; CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RAISE ''no''; END'; "
        .. "CREATE TRIGGER refuse BEFORE INSERT ON a EXECUTE FUNCTION refuse(); CREATE TABLE c (n integer)",
        function(_, fill)
          local report = fill()
          assert.same({ ["table public.c"] = 5 }, report.filled)
          assert.same({ "table public.a", "table public.b" }, { report.unfilled[1].identity, report.unfilled[2].identity })
          assert.equal("trigger refuse on public.a refuses the rows that were tried: no (P0001)", report.unfilled[1].why)
        end)
    end)

    it("are those of a table's owner, whom its policies may hold back", function()
      run("CREATE ROLE luamig_spec_owner; CREATE TABLE t (a integer NOT NULL); CREATE TABLE u (a integer NOT NULL); "
        .. "ALTER TABLE t ENABLE ROW LEVEL SECURITY; ALTER TABLE u ENABLE ROW LEVEL SECURITY; ALTER TABLE u FORCE ROW LEVEL SECURITY; "
        .. "ALTER TABLE t OWNER TO luamig_spec_owner; ALTER TABLE u OWNER TO luamig_spec_owner", function(connection, fill)
        connection:exec("SET ROLE luamig_spec_owner")
        local report = fill()
        connection:exec("RESET ROLE")
        connection:exec("DROP OWNED BY luamig_spec_owner")
        connection:exec("DROP ROLE luamig_spec_owner")
        assert.same({ ["table public.t"] = 5 }, report.filled)
        assert.equal("new row violates row-level security policy for table \"u\" (42501)", report.unfilled[1].why)
      end)
    end)

    it("hold ASCII only where the database is not in UTF-8", function()
      local name = database.name .. "_latin"
      local admin = database.connect()
      admin:exec(("CREATE DATABASE %s ENCODING 'LATIN1' LC_COLLATE 'C' LC_CTYPE 'C' TEMPLATE template0")
        :format(name))
      local connection = conn.open({ url = (database.url:gsub(database.name, name)) })
      finally(function()
        connection:close()
        admin:exec(("DROP DATABASE %s WITH (FORCE)"):format(name))
        admin:close()
      end)
      snapshots.run(connection, "CREATE TABLE t (a text NOT NULL, b jsonb NOT NULL, c text[] NOT NULL, "
        .. "d xml, e tsvector NOT NULL, f varchar(5) NOT NULL)")
      local report = generate.fill(connection, snapshot.read(connection), { rows = 20 })
      assert.same({ ["table public.t"] = 20 }, report.filled)
    end)

    it("name a table that the role may not write", function()
      run(shop .. "; CREATE ROLE luamig_spec_reader; GRANT SELECT ON ALL TABLES IN SCHEMA public TO luamig_spec_reader",
        function(connection, fill)
          connection:exec("SET ROLE luamig_spec_reader")
          local report = fill()
          connection:exec("RESET ROLE")
          connection:exec("DROP OWNED BY luamig_spec_reader")
          connection:exec("DROP ROLE luamig_spec_reader")
          assert.equal("permission denied for table a (42501)", report.unfilled[1].why)
        end)
    end)

    it("meet values that programs trip over", function()
      run("CREATE TABLE t (a text NOT NULL, b text NOT NULL, c text NOT NULL, d integer NOT NULL, e date NOT NULL, "
        .. "f text NOT NULL, g bigint NOT NULL, h timestamptz NOT NULL)", function(connection, fill)
        fill({ rows = 30 })
        local found = connection:exec([==[
          SELECT bool_or(a = '') AS empty, bool_or(b ~ '''') AS quote, bool_or(c ~ '\\') AS backslash,
            bool_or(length(f) > 3000) AS long, bool_or(a ~ '[^[:ascii:]]') AS letters,
            bool_or(d = 2147483647) AS most, bool_or(d = -2147483648) AS least,
            bool_or(NOT isfinite(e)) AS infinite, bool_or(g = 9223372036854775807) AS more FROM t]==])[1]
        for name, is_there in pairs(found) do
          assert.is_true(is_there, name)
        end
      end)
    end)

    it("take no more round trips for more rows and tables", function()
      local list = {}
      for i = 1, 40 do
        list[i] = ("CREATE TABLE t%d (id integer PRIMARY KEY, name text NOT NULL CHECK (name <> ''), at date, up integer%s)")
          :format(i, i > 1 and " NOT NULL REFERENCES t" .. i - 1 or "")
      end
      run(table.concat(list, "; "), function(connection)
        local value = snapshot.read(connection)
        local before = connection:round_trips()
        local report = generate.fill(connection, value, { rows = 20 })
        assert.same({}, report.unfilled)
        assert.is_true(connection:round_trips() - before <= 6, tostring(connection:round_trips() - before))
      end)
    end)

    it("refuse options that make no sense", function()
      run(shop, function(_, fill)
        local ok, f = pcall(fill, { rows = "many" })
        assert.is_false(ok)
        assert.equal("generate.fill: rows: expected a whole number that is not negative, got many", f.message)
      end)
    end)
  end)
end)

teardown(server.assert_clean)
