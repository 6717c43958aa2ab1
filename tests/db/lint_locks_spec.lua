-- The table of locks in `luamig help lint`, measured again.

local rigs = require("support.rigs")
local server = require("support.server")
local trace = require("luamig.trace")

local setup = [[
  op.execute("CREATE TABLE users (id bigint PRIMARY KEY, email varchar(40), n integer, j json, "
    .. "price numeric(10,2), seen timestamptz)")
  op.execute("CREATE TABLE orders (id bigint NOT NULL, user_id bigint)")
  op.execute("CREATE UNIQUE INDEX orders_id ON orders (id)")
  op.execute("CREATE INDEX users_email ON users (email)")
  op.execute("CREATE INDEX users_n ON users (n)")
  op.execute("ALTER TABLE users ADD CONSTRAINT proven CHECK (n IS NOT NULL)")
  op.execute("ALTER TABLE users ADD CONSTRAINT later CHECK (n < 1000) NOT VALID")
  op.execute("CREATE TYPE mood AS ENUM ('a', 'b')")
  op.execute("CREATE SEQUENCE q")
  op.execute("CREATE DOMAIN short AS text")
  op.execute("CREATE DOMAIN checked AS text CHECK (VALUE <> '')")
  op.execute("CREATE MATERIALIZED VIEW totals AS SELECT id, n FROM users")
  op.execute("CREATE UNIQUE INDEX totals_id ON totals (id)")
]]

-- { SQL, strongest lock on a table that was there, what it does to it }
local facts = {
  { "ALTER TABLE users ADD a text", "ACCESS EXCLUSIVE", "" },
  { "ALTER TABLE users ADD b text DEFAULT 'x'", "ACCESS EXCLUSIVE", "" },
  { "ALTER TABLE users ADD c timestamptz DEFAULT now()", "ACCESS EXCLUSIVE", "" },
  { "ALTER TABLE users ADD d short", "ACCESS EXCLUSIVE", "" },
  { "ALTER TABLE users DROP COLUMN d", "ACCESS EXCLUSIVE", "" },
  { "ALTER TABLE users ALTER email SET DEFAULT 'x'", "ACCESS EXCLUSIVE", "" },
  { "ALTER TABLE users ALTER n SET NOT NULL", "ACCESS EXCLUSIVE", "" },
  { "ALTER TABLE users ALTER n DROP NOT NULL", "ACCESS EXCLUSIVE", "" },
  { "ALTER TABLE users RENAME email TO mail", "ACCESS EXCLUSIVE", "" },
  { "ALTER TABLE users ALTER mail TYPE varchar(80)", "ACCESS EXCLUSIVE", "" },
  { "ALTER TABLE users ALTER mail TYPE text", "ACCESS EXCLUSIVE", "" },
  { "ALTER TABLE users ALTER price TYPE numeric(12,2)", "ACCESS EXCLUSIVE", "" },
  { "ALTER TABLE users ALTER seen TYPE timestamp", "ACCESS EXCLUSIVE", "" },
  { "ALTER TABLE users ADD CONSTRAINT c1 CHECK (n < 500) NOT VALID", "ACCESS EXCLUSIVE", "" },
  { "ALTER TABLE orders ADD PRIMARY KEY USING INDEX orders_id", "ACCESS EXCLUSIVE", "" },
  { "ALTER TABLE users DROP CONSTRAINT c1", "ACCESS EXCLUSIVE", "" },
  { "DROP INDEX users_email", "ACCESS EXCLUSIVE", "" },
  { "ALTER TABLE users ALTER mail SET NOT NULL", "ACCESS EXCLUSIVE", "reads" },
  { "ALTER TABLE users ADD CONSTRAINT c2 CHECK (n < 500)", "ACCESS EXCLUSIVE", "reads" },
  { "ALTER TABLE users ADD UNIQUE (mail)", "ACCESS EXCLUSIVE", "reads" },
  { "ALTER TABLE orders ADD EXCLUDE USING btree (user_id WITH =)", "ACCESS EXCLUSIVE", "reads" },
  { "ALTER TABLE users ADD e uuid DEFAULT gen_random_uuid()", "ACCESS EXCLUSIVE", "rewrites" },
  { "ALTER TABLE users ADD f serial", "ACCESS EXCLUSIVE", "rewrites" },
  { "ALTER TABLE users ADD g int GENERATED ALWAYS AS IDENTITY", "ACCESS EXCLUSIVE", "rewrites" },
  { "ALTER TABLE users ADD h int GENERATED ALWAYS AS (n + 1) STORED", "ACCESS EXCLUSIVE",
    "rewrites" },
  { "ALTER TABLE users ADD i checked", "ACCESS EXCLUSIVE", "rewrites" },
  { "ALTER TABLE users ALTER f TYPE bigint", "ACCESS EXCLUSIVE", "rewrites" },
  { "ALTER TABLE users ALTER mail TYPE varchar(60)", "ACCESS EXCLUSIVE", "rewrites" },
  { "ALTER TABLE users ALTER j TYPE jsonb", "ACCESS EXCLUSIVE", "rewrites" },
  { "ALTER TABLE users ALTER price TYPE numeric(12,3)", "ACCESS EXCLUSIVE", "rewrites" },
  { "ALTER TABLE orders SET UNLOGGED", "ACCESS EXCLUSIVE", "rewrites" },
  { "CLUSTER users USING users_pkey", "ACCESS EXCLUSIVE", "rewrites" },
  { "REFRESH MATERIALIZED VIEW CONCURRENTLY totals", "EXCLUSIVE", "reads" },
  { "REFRESH MATERIALIZED VIEW totals", "ACCESS EXCLUSIVE", "rewrites" },
  { "CREATE TRIGGER t BEFORE UPDATE ON users FOR EACH ROW EXECUTE FUNCTION "
    .. "suppress_redundant_updates_trigger()", "SHARE ROW EXCLUSIVE", "" },
  { "ALTER TABLE users VALIDATE CONSTRAINT later", "SHARE UPDATE EXCLUSIVE", "reads" },
  { "ALTER TABLE users ALTER n SET STATISTICS 500", "SHARE UPDATE EXCLUSIVE", "" },
  { "COMMENT ON TABLE users IS 'x'", "SHARE UPDATE EXCLUSIVE", "" },
  { "ANALYZE users", "SHARE UPDATE EXCLUSIVE", "" },
  { "CREATE INDEX i2 ON users (n)", "SHARE", "reads" },
  { "REINDEX INDEX i2", "SHARE", "reads" },
  { "ALTER TYPE mood RENAME VALUE 'a' TO 'c'", "nothing", "" },
  { "ALTER DOMAIN short ADD CONSTRAINT s CHECK (VALUE <> '') NOT VALID", "nothing", "" },
}

local function told(entry)
  local lock, effect = "nothing", ""
  for i = #entry.locks, 1, -1 do
    local item = entry.locks[i]
    if not item.relation.table and item.rank >= 4 and item.relation.kind ~= "sequence"
      and not item.is_new then
      lock = trace.mode(item.rank)
    end
  end
  if #entry.scanned > 0 and entry.kind.node ~= "VacuumStmt" then
    effect = "reads"
  end
  for _, item in ipairs(entry.rewritten) do
    effect = not item.relation.table and "rewrites" or effect
  end
  return { entry.sql, lock, effect }
end

describe("the table of locks", function()
  it("is what the server does", function()
    local steps = {}
    for i, fact in ipairs(facts) do
      steps[i] = ('op.step("s%d", function() op.execute(%q) end)'):format(i, fact[1])
    end
    rigs.measure({ setup, { table.concat(steps, "\n"), false } }, function(m)
      assert.is_nil(m.failure and tostring(m.failure))
      assert.equal(#facts, #m.up.entries)
      for i, entry in ipairs(m.up.entries) do
        assert.same(facts[i], told(entry))
      end
    end)
  end)

  it("tells of foreign keys that both tables are locked", function()
    rigs.measure({ setup, { [[
      op.step("1", function() op.execute("ALTER TABLE orders ADD CONSTRAINT f FOREIGN KEY "
        .. "(user_id) REFERENCES users (id) NOT VALID") end)
      op.step("2", function() op.execute("ALTER TABLE orders VALIDATE CONSTRAINT f") end)
      op.step("3", function() op.execute("ALTER TABLE orders DROP CONSTRAINT f") end)]], false } },
      function(m)
        local list = {}
        for i, entry in ipairs(m.up.entries) do
          local words = {}
          for _, lock in ipairs(entry.locks) do
            if not lock.relation.table then
              words[#words + 1] = ("%s %s"):format(lock.relation.shown, trace.mode(lock.rank))
            end
          end
          table.sort(words)
          list[i] = table.concat(words, ", ")
        end
        assert.equal("orders SHARE ROW EXCLUSIVE, users SHARE ROW EXCLUSIVE", list[1])
        assert.equal("orders SHARE UPDATE EXCLUSIVE, users ROW SHARE", list[2])
        assert.equal("orders ACCESS EXCLUSIVE, users ACCESS EXCLUSIVE", list[3])
      end)
  end)

  it("tells of PostgreSQL 18 that a virtual column is written down only", function()
    if server.version() < 180000 then
      pending("needs PostgreSQL 18")
    end
    rigs.measure({ setup, { [[op.execute("ALTER TABLE users ADD v int GENERATED ALWAYS AS (n + "
      .. "1)")]],
      false } }, function(m)
      assert.same({}, m.up.entries[1].rewritten)
      assert.same({}, m.up.entries[1].scanned)
    end)
  end)
end)
