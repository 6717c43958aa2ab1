-- A bad and a good revision for every rule.

local lint = require("luamig.lint")
local registry = require("luamig.lint.registry")
local rigs = require("support.rigs")
local server = require("support.server")

local setup = [[
  op.create_enum("mood", { "a", "b" })
  op.create_domain("short", "text")
  op.create_domain("checked", "text", { check = "VALUE <> ''" })
  op.create_table("users", {
    op.column("id", "bigint", { primary_key = true }),
    op.column("email", "varchar(40)"), op.column("n", "integer"), op.column("m", "mood"),
    op.column("s", "short"), op.column("role", "text", { nullable = false, default = "user" }),
  })
  op.create_table("orders", {
    op.column("id", "bigint", { nullable = false }), op.column("user_id", "bigint"),
    op.column("day", "date"), op.column("total", "numeric(10,2)"),
  })
  op.create_index("orders_user", "orders", { "user_id" })
  op.create_index("users_n", "users", { "n" })
]]

local linked = setup .. [[
  op.create_foreign_key("f", "orders", { "user_id" }, "users", { "id" })
]]

local parted = setup .. [[
  op.execute("CREATE TABLE events (at date NOT NULL) PARTITION BY RANGE (at)")
  op.execute("CREATE TABLE events_rest PARTITION OF events DEFAULT")
  op.execute("CREATE TABLE events_2020 PARTITION OF events FOR VALUES FROM ('2020-01-01') TO "
    .. "('2021-01-01')")
  op.create_table("events_2019", { op.column("at", "date", { nullable = false }) })
]]

local proven = [[
  op.create_check_constraint("p", "events_2019", "at >= '2019-01-01' AND at < '2020-01-01'",
    { not_valid = true })
  op.create_check_constraint("q", "events_rest", "NOT (at >= '2019-01-01' AND at < '2020-01-01')",
    { not_valid = true })
]]

local attach = [[op.execute("ALTER TABLE events ATTACH PARTITION events_2019 FOR VALUES FROM ]]
  .. [[('2019-01-01') TO ('2020-01-01')")]]

-- { rule, bad, good, setup = …, since = …, config = … }; a body is upgrade(), or { up, down }.
local cases = {
  { "LOCK001", 'op.create_index("i", "users", { "email" })',
    'op.create_index("i", "users", { "email" }, { concurrently = true })' },
  { "LOCK001", 'op.create_index("i", "users", { "email" })', [[
    op.create_table("logs", { op.column("id", "bigint"), op.column("x", "text") })
    op.create_index("logs_x", "logs", { "x" })]] },
  { "LOCK001", 'op.create_index("i", "events", { "at" })',
    'op.create_index("i", "events", { "at" }, { only = true })', setup = parted },
  { "LOCK002", 'op.drop_index("users_n")', 'op.drop_index("users_n", { concurrently = true })' },
  { "LOCK003", 'op.reindex("index", "users_n")',
    'op.reindex("index", "users_n", { concurrently = true })' },
  { "LOCK004", 'op.create_unique_constraint("u", "users", { "email" })', [[
    op.create_index("u", "users", { "email" }, { unique = true, concurrently = true })
    op.create_unique_constraint("u", "users", nil, { using_index = "u" })]] },
  { "LOCK005", 'op.create_primary_key("orders_pkey", "orders", { "id" })', [[
    op.create_index("orders_pkey", "orders", { "id" }, { unique = true, concurrently = true })
    op.create_primary_key("orders_pkey", "orders", nil, { using_index = "orders_pkey" })]] },
  { "LOCK006", [[
    op.execute("CREATE UNIQUE INDEX CONCURRENTLY k ON orders (user_id)")
    op.execute("ALTER TABLE orders ADD PRIMARY KEY USING INDEX k")]], [[
    op.execute("CREATE UNIQUE INDEX CONCURRENTLY k ON orders (id)")
    op.execute("ALTER TABLE orders ADD PRIMARY KEY USING INDEX k")]] },
  { "LOCK007", 'op.execute("ALTER TABLE users ADD EXCLUDE USING btree (n WITH =)")', [[
    op.create_table("stays", { op.column("n", "integer") })
    op.execute("ALTER TABLE stays ADD EXCLUDE USING btree (n WITH =)")]] },
  { "LOCK008", 'op.create_check_constraint("c", "users", "n < 1000")',
    'op.create_check_constraint("c", "users", "n < 1000", { not_valid = true })' },
  { "LOCK009", 'op.create_foreign_key("f", "orders", { "user_id" }, "users", { "id" })', [[
    op.create_foreign_key("f", "orders", { "user_id" }, "users", { "id" },
      { not_valid = true })]] },
  { "LOCK009", 'op.create_foreign_key("f", "orders", { "user_id" }, "users", { "id" })', [[
    op.create_table("logs", { op.column("user_id", "bigint"),
      op.foreign_key({ "user_id" }, "users", { "id" }) })]] },
  { "LOCK010", [[
    op.create_check_constraint("c", "users", "n < 1000", { not_valid = true })
    op.validate_constraint("c", "users")]], 'op.validate_constraint("d", "users")',
    setup = setup .. [[op.create_check_constraint("d", "users", "n < "
      .. "1000", { not_valid = true })]] },
  { "LOCK011", 'op.alter_column("users", "email", { nullable = false })', [[
    op.alter_column("users", "n", { nullable = false })
    op.drop_constraint("d", "users")]],
    setup = setup .. 'op.create_check_constraint("d", "users", "n IS NOT NULL")' },
  { "LOCK009", 'op.execute("ALTER TABLE orders ADD x bigint DEFAULT 1 REFERENCES users (id)")',
    'op.execute("ALTER TABLE orders ADD x bigint REFERENCES users (id)")' },
  { "LOCK012", [[op.execute("DO 'BEGIN LOCK TABLE users; PERFORM count(*) FROM users; END'")]],
    [[op.execute("DO 'BEGIN PERFORM count(*) FROM users; END'")]] },
  { "LOCK012", 'op.alter_column("users", "email", { type = "varchar(80)" })',
    'op.execute("ALTER TABLE users ALTER s TYPE text")',
    setup = setup .. [[op.create_check_constraint("d", "users", "email <> 'x'")]] },
  { "COMPAT011", 'op.execute("ALTER SCHEMA shop RENAME TO store")',
    'op.execute("CREATE SCHEMA store")', setup = setup .. [[
    op.execute("CREATE SCHEMA shop")
    op.create_table("shop.items", { op.column("x", "text") })]] },
  { "LOCK013", attach, attach, setup = parted, good_setup = parted .. proven
    .. 'op.validate_constraint("p", "events_2019") op.validate_constraint("q", "events_rest")' },
  { "LOCK014", attach, 'op.add_column("users", op.column("x", "text"))', setup = parted },
  { "LOCK015", 'op.detach_partition("events", "events_2020")',
    'op.detach_partition("events", "events_2020", { concurrently = true })',
    setup = parted, good_setup = parted .. 'op.drop_table("events_rest")' },
  { "LOCK016", 'op.drop_table("orders")', 'op.drop_table("logs")',
    setup = linked .. 'op.create_table("logs", { op.column("id", "bigint") })' },
  { "LOCK017", [[
    op.add_column("users", op.column("x", "text"))
    op.add_column("orders", op.column("x", "text"))
    op.add_column("logs", op.column("x", "text"))]], [[
    op.step("1", function() op.add_column("users", op.column("x", "text")) end)
    op.step("2", function() op.add_column("orders", op.column("x", "text")) end)
    op.step("3", function() op.add_column("logs", op.column("x", "text")) end)]],
    setup = setup .. 'op.create_table("logs", { op.column("id", "bigint") })' },
  { "LOCK018", [[
    op.add_column("users", op.column("x", "text"))
    op.execute("UPDATE orders SET total = 1")]], [[
    op.add_column("users", op.column("x", "text"))
    op.execute("UPDATE orders SET total = 1 WHERE id = 1")]] },
  { "LOCK019", [[
    op.execute("SET LOCAL lock_timeout = 0")
    op.add_column("users", op.column("x", "text"))]],
    'op.add_column("users", op.column("x", "text"))' },
  { "LOCK020", [[op.execute("CREATE TRIGGER t BEFORE UPDATE ON users FOR EACH ROW EXECUTE ]]
    .. [[FUNCTION suppress_redundant_updates_trigger()")]],
    'op.add_column("users", op.column("x", "text"))' },
  { "LOCK021", 'op.execute("LOCK TABLE users")', 'op.execute("SELECT 1")' },
  { "LOCK022", 'op.refresh_view("totals")', 'op.refresh_view("totals", { concurrently = true })',
    setup = setup .. [[
    op.create_view("totals", "SELECT id, n FROM users", { materialized = true })
    op.create_index("totals_id", "totals", { "id" }, { unique = true })]] },
  { "LOCK023", 'op.alter_sequence("q", { increment = 5 })',
    'op.create_sequence("r")', setup = setup .. 'op.create_sequence("q")' },
  { "LOCK024", [[op.alter_domain("short", { add_checks = { c = "VALUE <> ''" } })]],
    [[op.alter_domain("short", { add_checks = { c = "VALUE <> ''" }, not_valid = true })]] },
  { "ADVICE001", 'op.create_foreign_key("f", "orders", { "id" }, "users", { "id" })',
    'op.create_foreign_key("f", "orders", { "user_id" }, "users", { "id" })' },
  { "REWRITE001", 'op.alter_column("users", "n", { type = "bigint" })',
    'op.alter_column("users", "email", { type = "varchar(80)" })' },
  { "REWRITE001", 'op.alter_column("orders", "total", { type = "numeric(10,1)" })',
    'op.alter_column("orders", "total", { type = "numeric(12,2)" })' },
  { "REWRITE002", [[op.add_column("users", op.column("x", "uuid",
    { default = op.sql("gen_random_uuid()") }))]],
    'op.add_column("users", op.column("x", "timestamptz", { default = op.sql("now()") }))' },
  { "REWRITE003", 'op.execute("ALTER TABLE users ADD x serial")',
    'op.add_column("users", op.column("x", "integer"))' },
  { "REWRITE003", 'op.add_column("users", op.column("x", "bigint", { identity = "always" }))',
    'op.create_table("t", { op.column("x", "bigint", { identity = "always" }) })' },
  { "REWRITE004", 'op.execute("ALTER TABLE users ADD x int GENERATED ALWAYS AS (n + 1) STORED")',
    'op.add_column("users", op.column("x", "integer"))' },
  { "REWRITE005", 'op.add_column("users", op.column("x", "checked"))',
    'op.add_column("users", op.column("x", "short"))' },
  { "REWRITE006", 'op.execute("VACUUM FULL users")', 'op.execute("VACUUM users")' },
  { "REWRITE006", 'op.execute("CLUSTER users USING users_pkey")', 'op.execute("ANALYZE users")' },
  { "REWRITE007", 'op.alter_table_set("orders", { logged = false })',
    'op.alter_table_set("orders", { with = { fillfactor = 70 } })' },
  { "REWRITE008", [[op.execute('ALTER TABLE users ALTER email TYPE varchar(40) COLLATE "C"')]],
    [[op.execute('ALTER TABLE orders ALTER user_id TYPE bigint')]],
    setup = setup .. 'op.create_index("users_email", "users", { "email" })' },
  { "REWRITE009", [[op.execute("DO 'BEGIN ALTER TABLE users SET UNLOGGED; END'")]],
    'op.execute("SELECT 1")' },
  { "RUN001", 'op.add_column("nowhere", op.column("x", "text"))',
    'op.add_column("users", op.column("x", "text"))' },
  { "RUN002", { 'op.add_column("users", op.column("x", "text"))', 'op.drop_column("users", "y")' },
    { 'op.add_column("users", op.column("x", "text"))', 'op.drop_column("users", "x")' } },
  { "RUN003", 'op.add_column("users", op.column("x", "text", { nullable = false }))',
    'op.add_column("users", op.column("x", "text", { nullable = false, default = "" }))' },
  { "TXN001", 'op.execute("CREATE INDEX CONCURRENTLY IF NOT EXISTS i ON users (email)")',
    'op.create_index("i", "users", { "email" }, { concurrently = true })' },
  { "TXN002", [[
    op.drop_index("users_n", { concurrently = true })
    op.create_index("users_n2", "users", { "n", "id" }, { concurrently = true })]], [[
    op.create_index("users_n2", "users", { "n", "id" }, { concurrently = true })
    op.drop_index("users_n", { concurrently = true })]] },
  { "TXN003", 'op.create_index("i", "users", { "email" }, { concurrently = true })',
    'op.create_index("i", "users", { "email" }, { concurrently = true })',
    stats = { server_version = 140002, tables = {} },
    good_stats = { server_version = 140005, tables = {} } },
  { "TXN004", 'op.add_column("users", op.column("x", "text"))',
    'op.add_column("users", op.column("x", "text"))', config = 'transaction = "all"' },
  { "DATA001", 'op.drop_column("users", "n")', 'op.drop_column("users", "n")',
    good_header = 'data_loss = "n"' },
  { "DATA001", { 'op.drop_column("users", "n")', 'op.add_column("users", op.column("n", '
    .. '"integer"))' }, { [[
    op.add_column("users", op.column("x", "integer"))
    op.execute("UPDATE users SET x = n + 1")
    op.drop_column("users", "n")]], [[
    op.add_column("users", op.column("n", "integer"))
    op.execute("UPDATE users SET n = x - 1")
    op.drop_column("users", "x")]] } },
  { "DATA002", 'op.drop_table("users", { cascade = true })', [[
    op.drop_view("seen")
    op.drop_table("users")]], setup = setup .. 'op.create_view("seen", "SELECT id FROM users")' },
  { "DATA003", 'op.execute("TRUNCATE orders")', 'op.execute("DELETE FROM orders WHERE id = 1")' },
  { "DATA004", 'op.execute("UPDATE users SET n = 1")',
    'op.execute("UPDATE users SET n = 1 WHERE id = 1")' },
  { "DATA004", 'op.execute("DELETE FROM orders")', [[
    op.create_table("logs", { op.column("id", "integer") })
    op.execute("INSERT INTO logs SELECT generate_series(1, 40)")
    op.execute("UPDATE logs SET id = 1")]] },
  { "DATA005", { 'op.add_column("users", op.column("x", "text"))', "" },
    { 'op.add_column("users", op.column("x", "text"))', 'op.drop_column("users", "x")' } },
  { "COMPAT001", 'op.drop_table("orders")', 'op.create_table("o", { op.column("x", "text") })' },
  { "COMPAT002", 'op.drop_column("users", "n")', 'op.add_column("users", op.column("x", "text"))' },
  { "COMPAT003", 'op.rename_table("users", "people")', [[
    op.create_table("a", { op.column("x", "text") })
    op.rename_table("a", "b")]] },
  { "COMPAT003", 'op.execute("CREATE SCHEMA x") op.execute("ALTER TABLE users SET SCHEMA x")',
    'op.execute("CREATE SCHEMA x")' },
  { "COMPAT004", 'op.rename_column("users", "n", "nn")',
    'op.add_column("users", op.column("nn", "integer"))' },
  { "COMPAT005", 'op.add_column("users", op.column("x", "text", { nullable = false }))',
    'op.add_column("users", op.column("x", "text", { nullable = false, default = "" }))' },
  { "COMPAT006", 'op.alter_column("users", "n", { nullable = false })',
    'op.alter_column("users", "role", { nullable = true })' },
  -- What stands between two transactions is looked at along another search_path: an enum is no
  -- other type for that.
  { "COMPAT007", 'op.alter_column("users", "role", { type = "varchar(60)" })', [[
    op.create_check_constraint("k", "users", "n > 0", { not_valid = true })
    op.create_index("i", "users", { "email" }, { concurrently = true })
    op.validate_constraint("k", "users")]] },
  { "COMPAT007", 'op.alter_column("users", "role", { type = "varchar(60)" })',
    'op.alter_column("users", "email", { type = "text" })' },
  { "COMPAT008", 'op.alter_column("users", "role", { default = "guest" })',
    'op.alter_column("users", "n", { default = 1 })' },
  { "COMPAT009", 'op.create_check_constraint("c", "users", "n < 1000", { not_valid = true })', [[
    op.add_column("users", op.column("x", "integer"))
    op.create_check_constraint("c", "users", "x < 1000", { not_valid = true })]] },
  { "COMPAT010", 'op.rename_enum_value("mood", "a", "z")', 'op.create_enum("other", { "a" })' },
  { "COMPAT010", 'op.add_enum_value("mood", "z")', 'op.create_enum("other", { "a" })' },
  { "COMPAT011", 'op.drop_view("seen")', 'op.create_view("other", "SELECT 1 AS x")',
    setup = setup .. 'op.create_view("seen", "SELECT id FROM users")' },
  { "COMPAT011", 'op.drop_function("seen", {})', [[
    op.drop_trigger("touched", "users")
    op.drop_function("touch", {})]],
    setup = setup .. [[
    op.create_function("seen", {}, { returns = "integer", language = "sql", body = "SELECT 1" })
    op.create_function("touch", {}, { returns = "trigger", language = "plpgsql",
      body = "BEGIN RETURN NEW; END" })
    op.create_trigger("touched", "users", { timing = "before", events = "update",
      for_each = "row", execute = "touch" })]] },
  { "COMPAT012", 'op.alter_column("users", "role", { nullable = true })',
    'op.alter_column("users", "n", { default = 1 })' },
  { "COMPAT013", 'op.alter_column("orders", "id", { identity = "always" })',
    'op.alter_column("orders", "id", { identity = "by default" })' },
  { "COMPAT014", 'op.enable_row_security("users")', 'op.execute("SELECT 1")' },
  { "COMPAT015", 'op.drop_view("seen") op.create_view("seen", "SELECT email FROM users")',
    'op.create_view("seen", "SELECT id, email FROM users", { replace = true })',
    setup = setup .. 'op.create_view("seen", "SELECT id FROM users")' },
  { "COMPAT003", 'op.rename_table("users", "people")',
    'op.rename_table("users", "people") op.create_view("users", "SELECT * FROM people")' },
  { "COMPAT010", [[
    op.execute("CREATE TYPE mood2 AS ENUM ('a')")
    op.execute("ALTER TABLE users ALTER m TYPE mood2 USING 'a'")
    op.drop_type("mood")
    op.execute("ALTER TYPE mood2 RENAME TO mood")]], 'op.create_enum("other", { "a" })' },
  { "DATA006", [[op.execute("UPDATE users SET role = 'x' WHERE email = 'y'")]],
    [[op.execute("UPDATE users SET role = 'x' WHERE n = 1")]] },
  { "DATA006", 'op.execute("DELETE FROM orders a USING orders b WHERE a.id > b.id AND a.day = '
    .. 'b.day AND a.total = b.total AND a.user_id = b.user_id + 1")',
    'op.execute("DELETE FROM orders WHERE user_id = 7")' },
  { "DATA007", 'op.execute("ALTER TABLE users DISABLE TRIGGER ALL")', 'op.execute("SELECT 1")' },
  { "DATA007", 'op.execute("SET LOCAL session_replication_role = replica")',
    'op.execute("SET LOCAL session_replication_role = origin")' },
  { "LOCK025", [[op.execute("CREATE TABLE events_2021 PARTITION OF events FOR VALUES FROM ]]
    .. [[('2021-01-01') TO ('2022-01-01')")]], [[
    op.execute("CREATE TABLE events_2021 (LIKE events INCLUDING ALL)")
    op.execute("ALTER TABLE events ATTACH PARTITION events_2021 FOR VALUES FROM ('2021-01-01') TO "
      .. "('2022-01-01')")]], setup = parted .. 'op.drop_table("events_rest")' },
  { "LOCK026", 'op.create_view("seen", "SELECT id, n FROM users", { replace = true })',
    'op.create_view("other", "SELECT id, n FROM users")',
    setup = setup .. 'op.create_view("seen", "SELECT id FROM users")' },
  { "REWRITE010", [[
    op.execute("ALTER TABLE users ALTER n TYPE bigint")
    op.add_column("users", op.column("x", "uuid", { default = op.sql("gen_random_uuid()") }))]],
    [[op.execute("ALTER TABLE users ALTER n TYPE bigint, ADD x uuid DEFAULT ]]
    .. [[gen_random_uuid()")]] },
  { "ADVICE009", 'op.create_table("t", { op.column("x", "text") })',
    'op.create_table("t", { op.column("x", "text", { primary_key = true }) })' },
  { "ADVICE009", 'op.drop_constraint("users_pkey", "users")', 'op.execute("SELECT 1")' },
  { "ADVICE010", 'op.create_check_constraint("c", "orders", "day <= CURRENT_DATE", '
    .. '{ not_valid = true })', [[op.create_check_constraint("c", "orders", "day > '2020-01-01'",
    { not_valid = true })]] },
  { "ADVICE010", [[
    op.execute("CREATE FUNCTION f(n int) RETURNS boolean LANGUAGE sql STABLE AS 'SELECT n > 1'")
    op.execute("ALTER TABLE users ADD CONSTRAINT c CHECK (f(n)) NOT VALID")]], [[
    op.execute("CREATE FUNCTION f(n int) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT n > 1'")
    op.execute("ALTER TABLE users ADD CONSTRAINT c CHECK (f(n)) NOT VALID")]] },
  { "ADVICE011", 'op.execute("CREATE TABLE t (id bigserial PRIMARY KEY)")',
    'op.execute("CREATE TABLE t (id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY)")' },
  { "ADVICE012", 'op.create_index("i", "users", { "email", "n", "m", "role" })',
    'op.create_index("i", "users", { "email", "n", "m" })' },
  { "ADVICE013", 'op.execute("ALTER TABLE users ADD CONSTRAINT c CHECK (n > 1) NOT ENFORCED")',
    'op.execute("ALTER TABLE users ADD CONSTRAINT c CHECK (n > 1) NOT VALID")', since = 180000 },
  { "ADVICE014", 'op.grant("all", "table", "users", "public")',
    'op.grant("select", "table", "users", "public")' },
  { "ADVICE002", [[op.create_table("t",
    { op.column("id", "integer", { primary_key = true, identity = "always" }) })]],
    [[op.create_table("t",
    { op.column("id", "bigint", { primary_key = true, identity = "always" }) })]] },
  { "ADVICE003", 'op.add_column("users", op.column("x", "json"))',
    'op.add_column("users", op.column("x", "jsonb"))' },
  { "ADVICE004", [[op.create_table("t", { op.column("u", "integer"),
    op.foreign_key({ "u" }, "users", { "id" }) })]],
    [[op.create_table("t", { op.column("u", "bigint"),
    op.foreign_key({ "u" }, "users", { "id" }) })]] },
  { "ADVICE005", 'op.create_index("i", "users", { "n" }) op.create_index("j", "users", '
    .. '{ "n", "id" })', 'op.create_index("j", "users", { "email", "id" })' },
  { "ADVICE006", [[op.execute("CREATE FUNCTION f() RETURNS int LANGUAGE sql SECURITY DEFINER AS ]]
    .. [['SELECT 1'")]], [[op.execute("CREATE FUNCTION f() RETURNS int LANGUAGE sql AS ]]
    .. [['SELECT 1'")]] },
  { "ADVICE007", 'op.enable_row_security("users")',
    'op.enable_row_security("users") op.execute("CREATE POLICY p ON users USING (true)")' },
  { "ADVICE008", 'op.alter_table_set("users", { with = { autovacuum_enabled = false } })',
    'op.alter_table_set("users", { with = { autovacuum_vacuum_scale_factor = 0.01 } })' },
}

local function found(before, body, options)
  local rules = {}
  rigs.measure({ before, type(body) == "table" and body or { body, false } }, function(m, r, ctx)
    local list = lint.judge(m, { cfg = ctx:config(), version = r.version, stats = options.stats })
    for _, item in ipairs(list) do
      rules[item.rule] = item
    end
  end, options)
  return rules
end

local function names(rules)
  local list = {}
  for id in pairs(rules) do
    list[#list + 1] = id
  end
  table.sort(list)
  return table.concat(list, " ")
end

describe("the rule", function()
  local seen = {}
  for i, case in ipairs(cases) do
    seen[case[1]] = true
    it(("%s tells bad from good (%d)"):format(case[1], i), function()
      if server.version() < (case.since or 0) then
        pending(("needs PostgreSQL %d"):format(case.since // 10000))
      end
      local bad = found(case.setup or setup, case[2],
        { stats = case.stats, config = case.config })
      local item = bad[case[1]]
      assert(item, ("%s is not among: %s %s"):format(case[1], names(bad),
        bad.RUN001 and bad.RUN001.message or ""))
      assert.is_string(item.safe)
      assert.is_truthy(item.file:find("002.lua", 1, true))
      assert.is_truthy(item.line)
      local good = found(case.good_setup or case.setup or setup, case[3],
        { stats = case.good_stats, header = case.good_header })
      assert(not good[case[1]], ("%s is among: %s"):format(case[1],
        names(good)))
      assert(not good.RUN001, good.RUN001 and good.RUN001.message)
    end)
  end

  it("has a case here, whichever it is", function()
    for _, rule in ipairs(registry.rules()) do
      assert(seen[rule.id], "no case for " .. rule.id)
    end
  end)
end)
