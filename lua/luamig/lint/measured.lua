--- What statements lock and do, as measured: what the pages of the rules show, and what
-- tests/db/lint_locks_spec.lua measures again on each version of PostgreSQL. They run one after
-- another, each in a transaction of its own or outside of one, on tables with rows.

local facts_of = require("luamig.lint.facts")
local trace = require("luamig.trace")

local measured = {}

---The tables they run on, as the body of a revision.
measured.setup = [[
  op.execute("CREATE TYPE mood AS ENUM ('a', 'b')")
  op.execute("CREATE DOMAIN short AS text")
  op.execute("CREATE DOMAIN checked AS text CHECK (VALUE <> '')")
  op.execute("CREATE TABLE users (id bigint PRIMARY KEY, email varchar(40), n integer, j json, "
    .. "price numeric(10,2), seen timestamptz, m mood, s short, role text NOT NULL DEFAULT 'a')")
  op.execute("CREATE TABLE orders (id bigint NOT NULL, user_id bigint, total integer)")
  op.execute("CREATE TABLE logs (id bigint)")
  op.execute("CREATE INDEX users_email ON users (email)")
  op.execute("CREATE INDEX users_n ON users (n)")
  op.execute("CREATE UNIQUE INDEX orders_id ON orders (id)")
  op.execute("CREATE UNIQUE INDEX orders_user ON orders (user_id)")
  op.execute("CREATE UNIQUE INDEX users_mail ON users (email)")
  op.execute("ALTER TABLE users ADD CONSTRAINT proven CHECK (n IS NOT NULL)")
  op.execute("CREATE SCHEMA other")
  op.execute("CREATE SEQUENCE q")
  op.execute("CREATE VIEW active AS SELECT id, n FROM users")
  op.execute("CREATE MATERIALIZED VIEW totals AS SELECT id, n FROM users")
  op.execute("CREATE UNIQUE INDEX totals_id ON totals (id)")
  op.execute("CREATE TABLE events (at date NOT NULL) PARTITION BY RANGE (at)")
  op.execute("CREATE TABLE events_rest PARTITION OF events DEFAULT")
  op.execute("CREATE TABLE events_2020 PARTITION OF events FOR VALUES FROM ('2020-01-01') TO "
    .. "('2021-01-01')")
  op.execute("CREATE TABLE events_2019 (at date NOT NULL)")
  op.execute("CREATE TABLE days (at date NOT NULL) PARTITION BY RANGE (at)")
  op.execute("CREATE TABLE days_2020 PARTITION OF days FOR VALUES FROM ('2020-01-01') TO "
    .. "('2021-01-01')")
  op.execute("CREATE TABLE days_2019 (at date NOT NULL CHECK (at >= '2019-01-01' AND at < "
    .. "'2020-01-01'))")
  op.execute("INSERT INTO events_2019 SELECT date '2019-01-01' + g FROM generate_series(1, 20) g")
  op.execute("INSERT INTO days_2019 SELECT at FROM events_2019")
]]

---@class luamig.lint.Fact
---@field [1] string   SQL
---@field [2] string   the locks, strongest first: "ACCESS EXCLUSIVE on users"
---@field [3] string   what it does to tables: "reads users"
---@field [4] string   rules it belongs to
---@field since? integer  server version

---@type luamig.lint.Fact[]
measured.facts = {
  { "CREATE INDEX i1 ON users (n)", "SHARE on users", "reads users", "LOCK001" },
  { "CREATE INDEX CONCURRENTLY i2 ON users (n)",
    "SHARE UPDATE EXCLUSIVE on users", "reads users", "LOCK001 TXN001 TXN003" },
  { "CREATE INDEX i3 ON events (at)",
    "SHARE on events, events_2020, events_rest", "reads events_2020, events_rest", "LOCK001" },
  { "CREATE INDEX i4 ON ONLY days (at)", "SHARE on days", "", "LOCK001" },
  { "DROP INDEX i1", "ACCESS EXCLUSIVE on users", "", "LOCK002" },
  { "DROP INDEX CONCURRENTLY i2", "SHARE UPDATE EXCLUSIVE on users", "", "LOCK002 TXN002" },
  { "REINDEX INDEX users_email", "SHARE on users", "rebuilds users_email, reads users", "LOCK003" },
  { "REINDEX INDEX CONCURRENTLY users_email",
    "SHARE UPDATE EXCLUSIVE on users", "rebuilds users_email, reads users", "LOCK003" },
  { "ALTER TABLE users ADD CONSTRAINT u1 UNIQUE (n)",
    "ACCESS EXCLUSIVE on users", "reads users", "LOCK004" },
  { "ALTER TABLE users ADD CONSTRAINT u2 UNIQUE USING INDEX users_mail",
    "ACCESS EXCLUSIVE on users", "", "LOCK004" },
  { "ALTER TABLE orders ADD CONSTRAINT k1 PRIMARY KEY USING INDEX orders_user",
    "ACCESS EXCLUSIVE on orders", "reads orders", "LOCK006" },
  { "ALTER TABLE orders DROP CONSTRAINT k1", "ACCESS EXCLUSIVE on orders", "", "ADVICE009" },
  { "ALTER TABLE orders ADD CONSTRAINT k2 PRIMARY KEY (user_id)",
    "ACCESS EXCLUSIVE on orders", "reads orders", "LOCK005" },
  { "ALTER TABLE orders DROP CONSTRAINT k2", "ACCESS EXCLUSIVE on orders", "", "" },
  { "ALTER TABLE orders ADD CONSTRAINT k3 PRIMARY KEY USING INDEX orders_id",
    "ACCESS EXCLUSIVE on orders", "", "LOCK005" },
  { "ALTER TABLE orders ADD EXCLUDE USING btree (user_id WITH =)",
    "ACCESS EXCLUSIVE on orders", "reads orders", "LOCK007" },
  { "ALTER TABLE users ADD CONSTRAINT c1 CHECK (n < 500)",
    "ACCESS EXCLUSIVE on users", "reads users", "LOCK008" },
  { "ALTER TABLE users ADD CONSTRAINT c2 CHECK (n < 600) NOT VALID",
    "ACCESS EXCLUSIVE on users", "", "LOCK008 LOCK010 COMPAT009" },
  { "ALTER TABLE users VALIDATE CONSTRAINT c2",
    "SHARE UPDATE EXCLUSIVE on users", "reads users", "LOCK008 LOCK010 LOCK012" },
  { "ALTER TABLE users DROP CONSTRAINT c2", "ACCESS EXCLUSIVE on users", "", "COMPAT009" },
  { "ALTER TABLE orders ADD CONSTRAINT f1 FOREIGN KEY (user_id) REFERENCES users (id)",
    "SHARE ROW EXCLUSIVE on orders, users", "reads orders, users", "LOCK009" },
  { "ALTER TABLE orders DROP CONSTRAINT f1", "ACCESS EXCLUSIVE on orders, users", "", "LOCK016" },
  { "ALTER TABLE orders ADD CONSTRAINT f2 FOREIGN KEY (user_id) REFERENCES users (id) NOT VALID",
    "SHARE ROW EXCLUSIVE on orders, users", "", "LOCK009 LOCK010 ADVICE004" },
  { "ALTER TABLE orders VALIDATE CONSTRAINT f2",
    "SHARE UPDATE EXCLUSIVE on orders; ROW SHARE on users",
    "reads orders, users", "LOCK009 LOCK010" },
  { "ALTER TABLE users ALTER email SET NOT NULL",
    "ACCESS EXCLUSIVE on users", "reads users", "LOCK011 LOCK006 COMPAT006" },
  { "ALTER TABLE users ALTER n SET NOT NULL", "ACCESS EXCLUSIVE on users", "", "LOCK011" },
  { "ALTER TABLE users ALTER n DROP NOT NULL", "ACCESS EXCLUSIVE on users", "", "COMPAT012" },
  { "ALTER TABLE users ADD CONSTRAINT set_j NOT NULL j NOT VALID",
    "ACCESS EXCLUSIVE on users", "", "LOCK011", since = 180000 },
  { "ALTER TABLE users ADD CONSTRAINT c3 CHECK (n < 9) NOT ENFORCED",
    "ACCESS EXCLUSIVE on users", "", "ADVICE013", since = 180000 },
  { "ALTER TABLE events ATTACH PARTITION events_2019 FOR VALUES FROM ('2019-01-01') TO "
      .. "('2020-01-01')",
    "ACCESS EXCLUSIVE on events_2019, events_rest; SHARE UPDATE EXCLUSIVE on events",
    "reads events_2019, events_rest", "LOCK013 LOCK014" },
  { "ALTER TABLE days ATTACH PARTITION days_2019 FOR VALUES FROM ('2019-01-01') TO "
      .. "('2020-01-01')",
    "ACCESS EXCLUSIVE on days_2019; SHARE UPDATE EXCLUSIVE on days",
    "reads days_2019", "LOCK013 LOCK025" },
  { "CREATE TABLE events_2021 PARTITION OF events FOR VALUES FROM ('2021-01-01') TO "
      .. "('2022-01-01')",
    "ACCESS EXCLUSIVE on events, events_rest", "reads events_rest", "LOCK014 LOCK025" },
  { "CREATE TABLE days_2021 PARTITION OF days FOR VALUES FROM ('2021-01-01') TO ('2022-01-01')",
    "ACCESS EXCLUSIVE on days", "", "LOCK025" },
  { "ALTER TABLE days DETACH PARTITION days_2020",
    "ACCESS EXCLUSIVE on days, days_2020", "", "LOCK015" },
  { "ALTER TABLE days DETACH PARTITION days_2019 CONCURRENTLY",
    "SHARE UPDATE EXCLUSIVE on days", "", "LOCK015" },
  { "ALTER TABLE events DETACH PARTITION events_2020",
    "ACCESS EXCLUSIVE on events, events_2020, events_rest", "", "LOCK015" },
  { "ALTER TABLE users ADD a text",
    "ACCESS EXCLUSIVE on users", "", "LOCK017 LOCK018 LOCK019 COMPAT005" },
  { "ALTER TABLE users ADD b text DEFAULT 'x'", "ACCESS EXCLUSIVE on users", "", "REWRITE002" },
  { "ALTER TABLE users ADD c timestamptz DEFAULT now()",
    "ACCESS EXCLUSIVE on users", "", "REWRITE002" },
  { "ALTER TABLE users ADD e uuid DEFAULT gen_random_uuid()",
    "ACCESS EXCLUSIVE on users", "rewrites users", "REWRITE002" },
  { "ALTER TABLE users ADD f serial",
    "ACCESS EXCLUSIVE on users", "rewrites users", "REWRITE003 ADVICE011" },
  { "ALTER TABLE users ADD g int GENERATED ALWAYS AS IDENTITY",
    "ACCESS EXCLUSIVE on users", "rewrites users", "REWRITE003" },
  { "ALTER TABLE users ADD h int GENERATED ALWAYS AS (n + 1) STORED",
    "ACCESS EXCLUSIVE on users", "rewrites users", "REWRITE004" },
  { "ALTER TABLE users ADD v int GENERATED ALWAYS AS (n + 1) VIRTUAL",
    "ACCESS EXCLUSIVE on users", "", "REWRITE004", since = 180000 },
  { "ALTER TABLE users ADD k checked",
    "ACCESS EXCLUSIVE on users", "rewrites users", "REWRITE005" },
  { "ALTER TABLE users ADD d short", "ACCESS EXCLUSIVE on users", "", "REWRITE005" },
  { "ALTER TABLE users ALTER f TYPE bigint",
    "ACCESS EXCLUSIVE on users", "rewrites users", "REWRITE001 REWRITE010 ADVICE002" },
  { "ALTER TABLE users ALTER price TYPE numeric(12,2)",
    "ACCESS EXCLUSIVE on users", "", "REWRITE001" },
  { "ALTER TABLE users ALTER price TYPE numeric(12,3)",
    "ACCESS EXCLUSIVE on users", "rewrites users", "REWRITE001" },
  { "ALTER TABLE users ALTER role TYPE varchar", "ACCESS EXCLUSIVE on users", "", "REWRITE001" },
  { "ALTER TABLE users ALTER role TYPE varchar(60)",
    "ACCESS EXCLUSIVE on users", "rewrites users", "REWRITE001 COMPAT007" },
  { "ALTER TABLE users ALTER role TYPE varchar(80)",
    "ACCESS EXCLUSIVE on users", "", "REWRITE001" },
  { "ALTER TABLE users ALTER role TYPE text", "ACCESS EXCLUSIVE on users", "", "REWRITE001" },
  { "ALTER TABLE users ALTER seen TYPE timestamp", "ACCESS EXCLUSIVE on users", "", "REWRITE001" },
  { "ALTER TABLE users ALTER j TYPE jsonb",
    "ACCESS EXCLUSIVE on users", "rewrites users", "REWRITE001 ADVICE003" },
  { "ALTER TABLE users ALTER email TYPE varchar(40) COLLATE \"C\"",
    "ACCESS EXCLUSIVE on users", "rebuilds u2, users_email, reads users", "REWRITE008" },
  { "ALTER TABLE orders SET UNLOGGED",
    "ACCESS EXCLUSIVE on orders", "rewrites orders", "REWRITE007" },
  { "CLUSTER users USING users_pkey",
    "ACCESS EXCLUSIVE on users", "rewrites users", "REWRITE006 REWRITE009" },
  { "VACUUM FULL users", "ACCESS EXCLUSIVE on users", "rewrites users", "REWRITE006" },
  { "VACUUM users", "SHARE UPDATE EXCLUSIVE on users", "", "REWRITE006" },
  { "ALTER TABLE users SET (autovacuum_vacuum_scale_factor = 0.01)",
    "SHARE UPDATE EXCLUSIVE on users", "", "ADVICE008" },
  { "CREATE TRIGGER t BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION "
      .. "suppress_redundant_updates_trigger()",
    "SHARE ROW EXCLUSIVE on users", "", "LOCK020 COMPAT004" },
  { "ALTER TABLE users DISABLE TRIGGER t", "SHARE ROW EXCLUSIVE on users", "", "DATA007" },
  { "DROP TRIGGER t ON users", "ACCESS EXCLUSIVE on users", "", "LOCK020" },
  { "LOCK TABLE users", "ACCESS EXCLUSIVE on users", "", "LOCK021" },
  { "REFRESH MATERIALIZED VIEW CONCURRENTLY totals",
    "EXCLUSIVE on totals", "reads totals, users", "LOCK022" },
  { "REFRESH MATERIALIZED VIEW totals",
    "ACCESS EXCLUSIVE on totals", "rewrites totals", "LOCK022" },
  { "ALTER SEQUENCE q INCREMENT 5", "SHARE ROW EXCLUSIVE on q", "", "LOCK023" },
  { "ALTER DOMAIN short ADD CONSTRAINT s1 CHECK (VALUE <> '') NOT VALID", "", "", "LOCK024" },
  { "ALTER DOMAIN short VALIDATE CONSTRAINT s1", "SHARE on users", "reads users", "LOCK024" },
  { "ALTER DOMAIN short ADD CONSTRAINT s2 CHECK (VALUE <> 'x')",
    "SHARE on users", "reads users", "LOCK024" },
  { "CREATE OR REPLACE VIEW active AS SELECT id, n, role FROM users",
    "ACCESS EXCLUSIVE on active", "", "LOCK026" },
  { "DROP VIEW active", "ACCESS EXCLUSIVE on active", "", "COMPAT011 COMPAT015" },
  { "ALTER TABLE users ALTER role SET DEFAULT 'b'", "ACCESS EXCLUSIVE on users", "", "COMPAT008" },
  { "ALTER TABLE users DROP COLUMN a",
    "ACCESS EXCLUSIVE on users", "", "COMPAT002 DATA001 DATA002" },
  { "ALTER TABLE users RENAME b TO bb", "ACCESS EXCLUSIVE on users", "", "COMPAT004" },
  { "ALTER TYPE mood ADD VALUE 'c'", "", "", "COMPAT010" },
  { "ALTER TYPE mood RENAME VALUE 'c' TO 'd'", "", "", "COMPAT010" },
  { "ALTER TABLE orders ALTER id ADD GENERATED ALWAYS AS IDENTITY",
    "ACCESS EXCLUSIVE on orders", "", "COMPAT013" },
  { "ALTER TABLE users ENABLE ROW LEVEL SECURITY",
    "ACCESS EXCLUSIVE on users", "", "COMPAT014 ADVICE007" },
  { "CREATE POLICY p ON users USING (true)", "ACCESS EXCLUSIVE on users", "", "COMPAT014" },
  { "GRANT SELECT ON logs TO PUBLIC", "", "", "ADVICE014" },
  { "UPDATE users SET role = 'x' WHERE c IS NULL",
    "ROW EXCLUSIVE on users", "reads users", "DATA006" },
  { "UPDATE users SET role = 'x' WHERE id = 1", "ROW EXCLUSIVE on users", "", "DATA006" },
  { "UPDATE users SET price = 1", "ROW EXCLUSIVE on users", "reads users", "DATA004 LOCK018" },
  { "TRUNCATE logs", "ACCESS EXCLUSIVE on logs", "empties logs", "DATA003" },
  { "ALTER TABLE logs RENAME TO old_logs", "ACCESS EXCLUSIVE on logs", "", "COMPAT003" },
  { "ALTER TABLE orders SET SCHEMA other", "ACCESS EXCLUSIVE on orders", "", "COMPAT003" },
  { "DROP TABLE other.orders",
    "ACCESS EXCLUSIVE on other.orders, users", "", "COMPAT001 LOCK016 DATA001 DATA002" },
}

local function by_name(list)
  table.sort(list)
  return table.concat(list, ", ")
end

-- Locks of one strength together: "SHARE ROW EXCLUSIVE on orders, users".
local function locks_text(facts, entry)
  local parts, at = {}, {}
  for _, lock in ipairs(facts:all_locks(entry, "locks")) do
    local mode = trace.mode(lock.rank)
    if not at[mode] then
      parts[#parts + 1] = mode
      at[mode] = {}
    end
    table.insert(at[mode], facts_of.name_in(entry, lock.relation))
  end
  for i, mode in ipairs(parts) do
    parts[i] = ("%s on %s"):format(mode, by_name(at[mode]))
  end
  return table.concat(parts, "; ")
end

local function shown(entry, list)
  local out = {}
  for i, relation in ipairs(list) do
    out[i] = facts_of.name_in(entry, relation)
  end
  return by_name(out)
end

---What a statement did, in the words of the facts.
---@param facts luamig.lint.Facts
---@param entry luamig.trace.Entry
---@return string locks, string effect
function measured.told(facts, entry)
  local tables, indexes = facts:rewritten(entry)
  local effects = {}
  for _, pair in ipairs({ { "rewrites", tables }, { "rebuilds", indexes },
    { "reads", #tables == 0 and facts:read_tables(entry) or {} },
    { "empties", entry.truncated } }) do
    if pair[2][1] then
      effects[#effects + 1] = ("%s %s"):format(pair[1], shown(entry, pair[2]))
    end
  end
  return locks_text(facts, entry), table.concat(effects, ", ")
end

return measured
