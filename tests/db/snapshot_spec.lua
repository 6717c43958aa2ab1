local conn = require("luamig.core.conn")
local reader = require("luamig.snapshot.reader")
local server = require("support.server")
local snapshot = require("luamig.snapshot")
local snapshots = require("support.snapshots")

-- Many kinds that need one another, as two lists of statements that may be run in two orders.
local first_order = [[
  CREATE SCHEMA app;
  CREATE TYPE app.mood AS ENUM ('sad', 'happy');
  CREATE DOMAIN app.email AS text CHECK (value LIKE '%@%');
  CREATE TABLE app.users (id serial PRIMARY KEY, mail app.email NOT NULL, mood app.mood);
  CREATE TABLE app.posts (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, author int,
    body text);
  CREATE INDEX posts_author ON app.posts (author);
  CREATE UNIQUE INDEX users_mail ON app.users (lower(mail));
  ALTER TABLE app.posts ADD CONSTRAINT posts_author FOREIGN KEY (author) REFERENCES app.users;
  CREATE VIEW app.v AS SELECT mail FROM app.users;
  CREATE FUNCTION app.one() RETURNS int LANGUAGE sql AS 'SELECT 1';
  CREATE FUNCTION app.two() RETURNS int LANGUAGE sql AS 'SELECT 2';
  COMMENT ON TABLE app.users IS 'people';
  GRANT SELECT ON app.users TO PUBLIC;
  GRANT INSERT ON app.users TO PUBLIC]]
local other_order = [[
  CREATE SCHEMA app;
  CREATE FUNCTION app.two() RETURNS int LANGUAGE sql AS 'SELECT 2';
  CREATE FUNCTION app.one() RETURNS int LANGUAGE sql AS 'SELECT 1';
  CREATE TABLE app.posts (gone int, id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, author int,
    gone2 int, body text);
  CREATE DOMAIN app.email AS text CHECK (value LIKE '%@%');
  CREATE TYPE app.mood AS ENUM ('sad');
  CREATE INDEX posts_author ON app.posts (author);
  ALTER TABLE app.posts DROP gone, DROP gone2;
  CREATE TABLE app.users (gone text, id serial PRIMARY KEY, mail app.email NOT NULL, mood app.mood);
  ALTER TABLE app.users DROP gone;
  CREATE VIEW app.v AS SELECT mail FROM app.users;
  ALTER TYPE app.mood ADD VALUE 'happy';
  GRANT INSERT ON app.users TO PUBLIC;
  GRANT SELECT ON app.users TO PUBLIC;
  ALTER TABLE app.posts ADD CONSTRAINT posts_author FOREIGN KEY (author) REFERENCES app.users;
  CREATE UNIQUE INDEX users_mail ON app.users (lower(mail));
  COMMENT ON TABLE app.users IS 'people']]

local function keys(t)
  local out = {}
  for key in pairs(t) do
    out[#out + 1] = key
  end
  table.sort(out)
  return out
end

describe("a snapshot", function()
  local session

  lazy_setup(function()
    session = snapshots.session()
  end)
  lazy_teardown(function()
    session.close()
  end)

  it("is the same for databases built in different orders", function()
    local a, b = session.read(first_order), session.read(other_order)
    assert.same({}, snapshots.apart(a, b))
    assert.same(a.objects, b.objects)
    assert.same(a.depends, b.depends)
    assert.same(a.parts, b.parts)
    assert.equal(snapshot.fingerprint(a), snapshot.fingerprint(b))
  end)

  it("does not depend on settings of the session", function()
    local script = [[CREATE TABLE t (a timestamptz DEFAULT '2020-02-01 12:00+00',
      b interval DEFAULT '1 day 2 hours', c money DEFAULT '1.5', d text DEFAULT E'a\\b')
      PARTITION BY RANGE (a);
      CREATE TABLE t1 PARTITION OF t
        FOR VALUES FROM ('2020-01-01 00:00+00') TO ('2021-01-01 00:00+00');
      CREATE VIEW v AS SELECT a FROM t WHERE a > '2020-03-04 00:00+00']]
    local a = session.read(script)
    local b = session.read("SET LOCAL timezone = 'Asia/Tokyo'; SET LOCAL datestyle = 'SQL, DMY'; "
      .. "SET LOCAL intervalstyle = sql_standard; SET LOCAL quote_all_identifiers = on; "
      .. "SET LOCAL extra_float_digits = -5; " .. script)
    assert.same(a.objects, b.objects)
  end)

  it("reads in one round trip, and leaves the connection as it was", function()
    local before, path = session.conn:round_trips(), session.conn:exec("SHOW search_path")
    snapshot.read(session.conn)
    assert.equal(before + 2, session.conn:round_trips()) -- SHOW took one
    assert.equal("I", session.conn:transaction())
    assert.same(path, session.conn:exec("SHOW search_path"))
  end)

  it("reads in one round trip inside a transaction too", function()
    session.inside(function(connection)
      connection:exec("CREATE TABLE mine (a int)")
      local before = connection:round_trips()
      local value = snapshot.read(connection)
      assert.equal(before + 1, connection:round_trips())
      assert.is_table(value.objects["table public.mine"])
      assert.equal("T", connection:transaction())
      assert.is_not_equal("pg_catalog, pg_temp", connection:exec("SHOW search_path")[1].search_path)
    end)
  end)

  it("sees what was queued before", function()
    session.inside(function(connection)
      connection:send("CREATE TABLE queued (a int)")
      assert.is_table(snapshot.read(connection).objects["table public.queued"])
    end)
    session.conn:send("SELECT 1")
    assert.is_table(snapshot.read(session.conn).objects["schema public"])
    assert.equal("I", session.conn:transaction())
  end)

  it("reads the same from prepared queries, also when somebody threw them away", function()
    session.inside(function(connection)
      snapshots.run(connection, first_order)
      local expected = snapshot.read(connection)
      local app = snapshot.read(connection, { schemas = { "app" } })
      for _, script in ipairs({ "", "", "DEALLOCATE ALL", "" }) do
        snapshots.run(connection, script)
        assert.same(expected, snapshot.read(connection, { prepare = true }))
        assert.same(app, snapshot.read(connection, { prepare = true, schemas = { "app" } }))
      end
    end)
    local before = session.conn:round_trips()
    snapshot.read(session.conn, { prepare = true })
    assert.equal(before + 1, session.conn:round_trips())
  end)

  it("leaves the connection as it was when a query is refused", function()
    local function refused()
      local ok, f = pcall(snapshot.read, session.conn)
      assert.is_false(ok)
      assert.equal("42501", f.sqlstate)
    end
    session.inside(function(connection)
      snapshots.run(connection, "CREATE ROLE luamig_spec_role; "
        .. "REVOKE SELECT ON pg_catalog.pg_policy FROM PUBLIC; SET LOCAL ROLE luamig_spec_role")
      refused()
      assert.equal("T", connection:transaction())
      snapshots.run(connection, "RESET ROLE; GRANT SELECT ON pg_catalog.pg_policy TO PUBLIC")
      assert.is_table(snapshot.read(connection).objects["schema public"])
    end)
    snapshots.run(session.conn, "CREATE ROLE luamig_spec_role; "
      .. "REVOKE SELECT ON pg_catalog.pg_policy FROM PUBLIC; SET ROLE luamig_spec_role")
    refused()
    assert.equal("I", session.conn:transaction())
    snapshots.run(session.conn, "RESET ROLE; GRANT SELECT ON pg_catalog.pg_policy TO PUBLIC; "
      .. "DROP ROLE luamig_spec_role")
    assert.is_table(snapshot.read(session.conn).objects["schema public"])
  end)

  it("reads the same for a role that owns nothing", function()
    local script = first_order .. [[; CREATE EXTENSION postgres_fdw;
      CREATE SERVER s FOREIGN DATA WRAPPER postgres_fdw;
      CREATE SUBSCRIPTION sub CONNECTION '' PUBLICATION p WITH (connect = false, slot_name = NONE);
      CREATE USER MAPPING FOR PUBLIC SERVER s; CREATE ROLE luamig_spec_role]]
    local a = session.read(script)
    local b = session.read(script .. "; SET LOCAL ROLE luamig_spec_role")
    assert.same(a, b)
  end)

  it("sends at most 25 statements", function()
    local before = session.conn:send("SELECT 1")
    session.conn:sync()
    snapshot.read(session.conn)
    local after = session.conn:send("SELECT 1")
    session.conn:sync()
    assert.is_true(after - before - 1 <= 25, "sent " .. after - before - 1)
  end)

  it("leaves the objects of extensions out, and knows who needs them", function()
    local value = session.read([[CREATE EXTENSION citext; CREATE EXTENSION btree_gist;
      CREATE TABLE t (a citext, b int, EXCLUDE USING gist (b WITH =));
      CREATE FUNCTION f(citext) RETURNS int LANGUAGE sql AS 'SELECT 1']])
    assert.same({
      "constraint t_b_excl on public.t", "extension btree_gist", "extension citext",
      "extension plpgsql", "function public.f(public.citext)", "schema public", "table public.t",
    }, keys(value.objects))
    assert.equal("normal", value.depends["column public.t.a"]["extension citext"])
    assert.equal("normal", value.depends["constraint t_b_excl on public.t"]["extension btree_gist"])
    assert.equal("normal",
      value.depends["function public.f(public.citext)"]["extension citext"])
    assert.same({}, value.unmodelled)
  end)

  it("tells who needs whom", function()
    local depends = session.read(first_order .. [[;
      ALTER TABLE app.users ADD score int DEFAULT app.one(),
        ADD double int GENERATED ALWAYS AS (id * 2) STORED;
      CREATE FUNCTION app.tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
      CREATE TRIGGER tr BEFORE INSERT ON app.users FOR EACH ROW EXECUTE FUNCTION app.tf();
      CREATE POLICY p ON app.users USING (mood = 'sad');
      CREATE VIEW app.w AS SELECT v.mail, u FROM app.v, app.users u;
      CREATE MATERIALIZED VIEW app.m AS SELECT mail FROM app.w;
      CREATE TABLE app.part (a int) PARTITION BY LIST (a);
      CREATE TABLE app.part1 PARTITION OF app.part FOR VALUES IN (1);
      CREATE TABLE app.child (m app.mood[]) INHERITS (app.users);
      CREATE TYPE app.pair AS (m app.mood, u app.users);
      CREATE PUBLICATION pub FOR TABLE app.posts;
      CREATE STATISTICS app.st ON id, mood FROM app.users]]).depends
    assert.same({ ["sequence app.users_id_seq"] = "normal" }, depends["column app.users.id"])
    assert.same({ ["column app.users.id"] = "auto", ["schema app"] = "normal" },
      depends["sequence app.users_id_seq"])
    assert.same({ ["domain app.email"] = "normal" }, depends["column app.users.mail"])
    assert.same({ ["enum app.mood"] = "normal" }, depends["column app.users.mood"])
    assert.same({ ["function app.one()"] = "normal" }, depends["column app.users.score"])
    assert.equal(session.major < 15 and "auto" or "normal",
      depends["column app.users.double"]["column app.users.id"])
    assert.same({ ["domain app.email"] = "auto" }, depends["constraint email_check on app.email"])
    assert.same({
      ["column app.posts.author"] = "auto", ["column app.users.id"] = "normal",
      ["constraint users_pkey on app.users"] = "normal",
    }, depends["constraint posts_author on app.posts"])
    assert.same({ ["column app.posts.author"] = "auto" }, depends["index app.posts_author"])
    assert.same({ ["schema app"] = "normal", ["column app.users.mail"] = "normal" },
      depends["view app.v"])
    assert.equal("normal", depends["view app.w"]["column app.v.mail"])
    assert.equal("normal", depends["materialized view app.m"]["column app.w.mail"])
    assert.same({ ["function app.tf()"] = "normal", ["table app.users"] = "auto" },
      depends["trigger tr on app.users"])
    assert.equal("normal", depends["policy p on app.users"]["column app.users.mood"])
    assert.equal("auto", depends["policy p on app.users"]["table app.users"])
    assert.equal("auto", depends["table app.part1"]["table app.part"])
    assert.equal("normal", depends["table app.child"]["table app.users"])
    assert.equal("normal", depends["column app.child.m"]["enum app.mood"])
    assert.equal("normal", depends["column app.pair.m"]["enum app.mood"])
    assert.equal("normal", depends["column app.pair.u"]["table app.users"])
    assert.same({ ["table app.posts"] = "part" }, depends["publication pub"])
    assert.equal("auto", depends["statistics app.st"]["column app.users.mood"])
  end)

  it("names an object for every end of an edge", function()
    local value = session.read(first_order .. [[; CREATE EXTENSION citext;
      CREATE TABLE app.t (a citext); CREATE TYPE app.r AS RANGE (subtype = text);
      CREATE TABLE app.u (r app.r DEFAULT app.r('a', 'b'), m app.r_multirange[])]])
    for from, edges in pairs(value.depends) do
      assert.is_string(snapshot.object_of(value, from), from)
      for to in pairs(edges) do
        assert.is_string(snapshot.object_of(value, to), to)
      end
    end
    assert.same({ ["range app.r"] = "normal" }, value.depends["column app.u.r"])
    assert.same({ ["range app.r"] = "normal" }, value.depends["column app.u.m"])
  end)

  it("puts a sequence with its column", function()
    local objects = session.read([[CREATE TABLE t (a serial, b int GENERATED ALWAYS AS IDENTITY
      (START 5 INCREMENT 2), c int); CREATE SEQUENCE s OWNED BY t.c]]).objects
    local a, b, c = table.unpack(objects["table public.t"].columns)
    assert.equal("sequence public.t_a_seq", a.serial)
    assert.equal("column public.t.a", objects["sequence public.t_a_seq"].owned_by)
    assert.same({ name = "t_b_seq", start = 5, increment = 2 }, b.sequence)
    assert.is_nil(objects["sequence public.t_b_seq"])
    assert.is_nil(c.serial)
    assert.equal("column public.t.c", objects["sequence public.s"].owned_by)
  end)

  it("gives privileges in one order, and the owner no name", function()
    local acl = session.read([[CREATE ROLE luamig_spec_b; CREATE ROLE luamig_spec_a;
      CREATE TABLE t (a int);
      GRANT UPDATE, SELECT ON t TO luamig_spec_b WITH GRANT OPTION;
      GRANT SELECT ON t TO luamig_spec_a;
      REVOKE ALL ON t FROM CURRENT_USER; GRANT SELECT ON t TO CURRENT_USER;
      SET ROLE luamig_spec_b; GRANT SELECT ON t TO PUBLIC; RESET ROLE]])
      .objects["table public.t"].acl
    assert.same({
      { privileges = { "SELECT" } },
      { grantee = "luamig_spec_a", privileges = { "SELECT" } },
      { grantee = "luamig_spec_b", privileges = { "SELECT", "UPDATE" },
        grantable = { "SELECT", "UPDATE" } },
      { grantee = "public", grantor = "luamig_spec_b", privileges = { "SELECT" } },
    }, acl)
  end)

  it("takes privileges that are spelled out and the default ones for the same", function()
    assert.is_nil(session.read("CREATE TABLE t (a int); GRANT ALL ON t TO CURRENT_USER")
      .objects["table public.t"].acl)
  end)

  it("quotes names that need it", function()
    local value = session.read([[CREATE SCHEMA "My.App"; CREATE TABLE "My.App"."a ""b""" ("Id" int
      CONSTRAINT "c c" PRIMARY KEY); CREATE VIEW "My.App"."select" AS SELECT "Id" FROM
      "My.App"."a ""b"""]])
    assert.is_table(value.objects['table "My.App"."a ""b"""'])
    assert.is_table(value.objects['constraint "c c" on "My.App"."a ""b"""'])
    assert.equal("normal",
      value.depends['view "My.App"."select"']['column "My.App"."a ""b"""."Id"'])
  end)

  it("reads the chosen schemas only", function()
    local value = session.read(first_order .. [[; CREATE TABLE other (a int);
      CREATE PUBLICATION pub; ALTER TABLE app.posts ADD o int;
      ALTER TABLE other ADD PRIMARY KEY (a);
      ALTER TABLE app.posts ADD FOREIGN KEY (o) REFERENCES other]], { schemas = { "app" } })
    for identity, object in pairs(value.objects) do
      assert.equal("app", object.kind == "schema" and object.name or object.schema, identity)
    end
    assert.is_table(value.objects["schema app"])
    assert.same({ table = "table public.other" },
      value.objects["constraint posts_o_fkey on app.posts"].references)
    assert.same({ "extension citext", "schema app" }, keys(session.read([[CREATE SCHEMA app;
      CREATE EXTENSION citext SCHEMA app]], { schemas = { "app" } }).objects))
  end)

  it("reads nothing of no schema", function()
    assert.same({}, session.read(first_order, { schemas = {} }).objects)
  end)

  it("leaves luamig's own schema out, or what the caller names", function()
    local script = "CREATE SCHEMA luamig; CREATE TABLE luamig.version (v text PRIMARY KEY)"
    assert.same({ "extension plpgsql", "schema public" }, keys(session.read(script).objects))
    assert.same({ "extension plpgsql", "schema luamig" },
      keys(session.read("CREATE SCHEMA luamig", { ignore = { "public" } }).objects))
  end)

  it("leaves tables out that the caller names, with all that is of them", function()
    local value = session.read([[CREATE TABLE alembic_version (id serial PRIMARY KEY, v text);
      CREATE INDEX i ON alembic_version (v); COMMENT ON COLUMN alembic_version.v IS 'x';
      CREATE TABLE "Odd" (a int)]], { ignore = { "public.alembic_version", 'public."Odd"' } })
    assert.same({ "extension plpgsql", "schema public" }, keys(value.objects))
    assert.same({}, value.parts)
  end)

  it("leaves out what the caller refuses, with all that is of it", function()
    local value = session.read(first_order .. "; COMMENT ON COLUMN app.users.mail IS 'x'", {
      include = function(kind, name)
        return not (kind == "table" and name == "app.users")
      end,
    })
    for identity in pairs(value.objects) do
      assert.is_nil(identity:match("users"), identity)
    end
    assert.is_table(value.objects["view app.v"])
    assert.equal("table app.users",
      value.objects["constraint posts_author on app.posts"].references.table)
  end)

  it("passes over tables of the session", function()
    assert.same({ "extension plpgsql", "schema public" },
      keys(session.read("CREATE TEMP TABLE pg_class (a serial PRIMARY KEY, b text)").objects))
  end)

  it("names what it does not describe", function()
    local value = session.read([[SELECT lo_create(0); SELECT lo_create(0);
      GRANT EXECUTE ON FUNCTION pg_ls_dir(text) TO PUBLIC; CREATE EXTENSION hstore;
      REVOKE EXECUTE ON FUNCTION hstore(record) FROM PUBLIC;
      ALTER DATABASE ]] .. session.database.name .. [[ SET work_mem = '7MB']])
    local told = {}
    for i, item in ipairs(value.unmodelled) do
      told[i] = item.kind .. " " .. item.name
    end
    assert.same({
      "function pg_catalog.pg_ls_dir(pg_catalog.text)", "function public.hstore(pg_catalog.record)",
      "large objects owned by postgres", "setting of the database work_mem=7MB",
    }, told)
    assert.is_false(snapshot.equal(value, session.read("")))
  end)

  it("names kinds that it does not know", function()
    if session.major < 15 then
      pending("needs PostgreSQL 15")
    end
    -- A parameter's privileges stand for a kind of the future: a catalog that no query reads.
    local unmodelled = session.read([[GRANT SET ON PARAMETER work_mem TO PUBLIC;
      INSERT INTO pg_depend SELECT 'pg_parameter_acl'::regclass, oid, 0, 'pg_namespace'::regclass,
        'public'::regnamespace, 0, 'n' FROM pg_parameter_acl]]).unmodelled
    assert.same({ {
      kind = "parameter ACL", name = "work_mem",
      why = "this version of luamig does not know the kind",
    } }, unmodelled)
  end)

  it("can pass over the order of columns, owners, privileges and comments", function()
    local a = session.read("CREATE TABLE t (a int, b int)")
    local function differs(script, options)
      local b = session.read(script)
      assert.is_false(snapshot.equal(a, b))
      assert.is_true(snapshot.equal(a, b, options))
      for name in pairs(options) do
        assert.is_false(snapshot.equal(a, b, { [name] = true }))
      end
    end
    differs("CREATE TABLE t (b int, a int)", { column_order = false })
    differs("CREATE TABLE t (a int, b int); COMMENT ON TABLE t IS 'x'; "
      .. "COMMENT ON COLUMN t.a IS 'y'", { comments = false })
    differs("CREATE TABLE t (a int, b int); GRANT SELECT ON t TO PUBLIC; "
      .. "GRANT SELECT (a) ON t TO PUBLIC", { privileges = false })
    differs("CREATE ROLE luamig_spec_role; CREATE TABLE t (a int, b int); "
      .. "ALTER TABLE t OWNER TO luamig_spec_role", { owners = false })
  end)
end)

describe("a snapshot of a thousand tables", function()
  it("takes the statements and round trips of an empty database", function()
    local database = server.database()
    local connection <close> = conn.open({ url = database.url })
    connection:exec([[DO $$ BEGIN FOR i IN 1..1000 LOOP
      EXECUTE format('CREATE TABLE t%s (id int PRIMARY KEY, a int, b text, c text, d text, e text,
        f text, g text, h text DEFAULT ''x'', k int REFERENCES t%s)', i, greatest(i - 1, 1));
      EXECUTE format('CREATE INDEX ON t%s (a); CREATE INDEX ON t%s (b)', i, i);
      END LOOP; END $$]])
    local before = connection:send("SELECT 1")
    connection:sync()
    local trips = connection:round_trips()
    local value = snapshot.read(connection)
    local after = connection:send("SELECT 1")
    assert.equal(trips + 1, connection:round_trips())
    connection:sync()
    assert.equal(#reader.queries({}, connection:info().server_version) + 3, after - before - 1)
    local counts = {}
    for _, object in pairs(value.objects) do
      counts[object.kind] = (counts[object.kind] or 0) + 1
    end
    assert.same({ table = 1000, index = 2000, constraint = 2000, schema = 1, extension = 1 },
      counts)
    connection:close()
    database.drop()
  end)
end)
