--- A database for the specs of batched migrations, and what is common to them.

local batch_spec = require("luamig.batch_spec")
local connection = require("luamig.core.conn")

local batch = {}

local Database = {}
Database.__index = Database

local count = 0

---A database of its own for one spec file.
function batch.database()
  local url = os.getenv("LUAMIG_TEST_URL") or "postgresql://postgres@/postgres?host=/tmp/pgdev"
  count = count + 1
  local name = ("batch_spec_%d_%d"):format(math.random(1 << 30), count)
  local admin <close> = connection.open({ url = url })
  admin:exec("CREATE DATABASE " .. name)
  local own = url:gsub("/[%w_]*%?", "/" .. name .. "?", 1)
  return setmetatable({ name = name, admin_url = url, url = own,
    conn = connection.open({ url = own }) }, Database)
end

function Database:drop()
  self.conn:close()
  local admin <close> = connection.open({ url = self.admin_url })
  admin:exec(("DROP DATABASE %s WITH (FORCE)"):format(self.name))
end

function Database:exec(sql, params)
  return self.conn:exec(sql, params)
end

---The first column of the first row.
function Database:value(sql, params)
  local rows = self.conn:exec(sql, params)
  return rows[1] and rows[1][rows.columns[1]]
end

---A table `users (id, email, email_norm)` with so many rows.
function Database:users(rows)
  self:exec("DROP TABLE IF EXISTS users")
  self:exec("CREATE TABLE users (id bigint PRIMARY KEY, email text, email_norm text)")
  self:exec("INSERT INTO users "
    .. "SELECT i, 'User' || i || '@X.org' FROM generate_series(1, $1::int) i", { rows })
end

---How many other sessions there are in the database.
function Database:sessions()
  return self:value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    .. "AND pid <> pg_backend_pid() AND backend_type = 'client backend'")
end

---Counts the writes of every row of a table, in `audit (key, writes)`. The counts are committed
---with the rows: a row that is written twice shows, whatever was killed.
function Database:audit(table_name, key)
  self:exec("DROP TABLE IF EXISTS audit")
  self:exec("CREATE TABLE audit (key text PRIMARY KEY, writes int NOT NULL)")
  self:exec(([[CREATE OR REPLACE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  INSERT INTO public.audit VALUES (NEW.%s::text, 1)
  ON CONFLICT (key) DO UPDATE SET writes = public.audit.writes + 1;
  RETURN NEW;
END $$]]):format(key))
  self:exec(("CREATE TRIGGER audit AFTER UPDATE ON %s FOR EACH ROW EXECUTE FUNCTION audit()")
    :format(table_name))
end

---How many rows were written how often: { rows, once, more }.
function Database:writes()
  return self:exec([[SELECT count(*) AS rows, count(*) FILTER (WHERE writes = 1) AS once,
    count(*) FILTER (WHERE writes > 1) AS more FROM audit]])[1]
end

---Runs a batched migration as a revision would.
---@param about? table
---@param place? table
function Database:run(name, given, about, place)
  place = place or {}
  place.url = self.url
  return require("luamig.backfill").run_inline(place, batch_spec.check(name, given), about or {})
end

---The fault that a run ends with.
function Database:fault(...)
  local ok, f = pcall(self.run, self, ...)
  assert(not ok, "no fault was raised")
  assert(require("luamig.fault").is(f), tostring(f))
  return f
end

return batch
