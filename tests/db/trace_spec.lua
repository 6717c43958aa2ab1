local rigs = require("support.rigs")
local trace = require("luamig.trace")

local tables = [[
  op.create_table("users", {
    op.column("id", "bigint", { primary_key = true }), op.column("email", "text"),
    op.column("n", "integer"),
  })
  op.create_table("orders", {
    op.column("id", "bigint", { primary_key = true }), op.column("user_id", "bigint"),
  })
]]

-- What an entry did, a word each: "users ACCESS EXCLUSIVE", "rewrites users", "reads users" …
local function told(entry)
  local words = {}
  local function add(text, ...)
    words[#words + 1] = text:format(...)
  end
  for _, lock in ipairs(entry.locks) do
    if not lock.relation.table then
      add("%s %s%s", lock.relation.shown, trace.mode(lock.rank), lock.is_new and " new" or "")
    end
  end
  for _, item in ipairs(entry.rewritten) do
    add("rewrites %s", item.relation.shown)
  end
  for _, scan in ipairs(entry.scanned) do
    add("reads %s", scan.relation.shown)
  end
  for _, item in ipairs(entry.changed) do
    add("changes %s +%d ~%d -%d", item.relation.shown, item.inserted, item.updated, item.deleted)
  end
  for _, relation in ipairs(entry.truncated) do
    add("truncates %s", relation.shown)
  end
  for _, relation in ipairs(entry.dropped) do
    add("drops %s", relation.shown)
  end
  for _, item in ipairs(entry.renamed) do
    add("renames %s to %s", item.from, item.to)
  end
  for _, item in ipairs(entry.columns) do
    add("column %s %s", item.name, item.what)
  end
  for _, item in ipairs(entry.constraints) do
    add("constraint %s %s", item.constraint.name, item.what)
  end
  for _, item in ipairs(entry.enums) do
    add("enum %s %s %s", item.type, item.label, item.what)
  end
  table.sort(words)
  return words
end

local function all_told(entries)
  local out = {}
  for i, entry in ipairs(entries) do
    assert.is_true(entry.is_complete)
    out[i] = table.concat(told(entry), ", ")
  end
  return out
end

local function measured(body, setup)
  local out
  rigs.measure({ setup or tables, { body, false } }, function(m)
    assert.is_nil(m.failure and tostring(m.failure))
    out = m.up.entries
  end)
  return out
end

describe("a trace", function()
  local cases = {
    { "an index", 'op.create_index("i", "users", { "email" })', "reads users, users SHARE" },
    { "an index built concurrently",
      'op.create_index("i", "users", { "n" }, { concurrently = true })',
      "reads users, users SHARE UPDATE EXCLUSIVE" },
    { "a column", 'op.add_column("users", op.column("x", "text"))',
      "column x added, users ACCESS EXCLUSIVE" },
    { "a column with a volatile default",
      'op.execute("ALTER TABLE users ADD x uuid DEFAULT gen_random_uuid()")',
      "column x added, reads users, rewrites users, rewrites users_pkey, users ACCESS EXCLUSIVE" },
    { "a type that rewrites", 'op.alter_column("users", "n", { type = "bigint" })',
      "column n type, reads users, rewrites users, rewrites users_pkey, users ACCESS EXCLUSIVE" },
    { "a type that does not", 'op.alter_column("users", "email", { type = "varchar" })',
      "column email type, users ACCESS EXCLUSIVE" },
    { "NOT NULL", 'op.alter_column("users", "n", { nullable = false })',
      "column n not_null, reads users, users ACCESS EXCLUSIVE" },
    { "a foreign key", 'op.create_foreign_key("f", "orders", { "user_id" }, "users", { "id" })',
      "constraint f added, orders SHARE ROW EXCLUSIVE, reads orders, reads users, "
        .. "users SHARE ROW EXCLUSIVE" },
    { "a foreign key that is not validated",
      'op.create_foreign_key("f", "orders", { "user_id" }, "users", { "id" },'
        .. ' { not_valid = true })',
      "constraint f added, orders SHARE ROW EXCLUSIVE, users SHARE ROW EXCLUSIVE" },
    { "a rename", 'op.rename_table("users", "people")',
      "people ACCESS EXCLUSIVE, renames users to people" },
    { "a column's rename", 'op.rename_column("users", "n", "m")',
      "column m renamed, users ACCESS EXCLUSIVE" },
    { "rows", 'op.execute("UPDATE users SET n = 1 WHERE id < 3")',
      "changes users +0 ~2 -0, users ROW EXCLUSIVE" },
    { "TRUNCATE", 'op.execute("TRUNCATE orders")',
      "orders ACCESS EXCLUSIVE, truncates orders, truncates orders_pkey" },
    { "VACUUM FULL", 'op.execute("VACUUM FULL users")',
      "rewrites users, rewrites users_pkey, users ACCESS EXCLUSIVE" },
    { "a table that is dropped", 'op.drop_table("orders")',
      "constraint orders_pkey dropped, drops orders, drops orders_pkey, orders ACCESS EXCLUSIVE" },
    { "what a DO block does", [[op.execute("DO 'BEGIN DROP TABLE orders; END'")]],
      "constraint orders_pkey dropped, drops orders, drops orders_pkey, orders ACCESS EXCLUSIVE" },
  }
  for _, case in ipairs(cases) do
    it("tells what " .. case[1] .. " does", function()
      local words = all_told(measured(case[2]))[1]
      words = words:gsub("users SHARE, users SHARE$", "users SHARE")
      assert.equal(case[3], words)
    end)
  end

  it("tells a table that the revision made from one that was there", function()
    local out = all_told(measured([[
      op.create_table("logs", { op.column("id", "bigint") })
      op.create_index("logs_id", "logs", { "id" })
    ]]))
    assert.equal("logs ACCESS EXCLUSIVE new", out[1])
    assert.equal("reads logs", out[2])
  end)

  it("knows what the transaction held already, and that it ended", function()
    local entries = measured([[
      op.add_column("users", op.column("x", "text"))
      op.execute("SELECT 1")
      op.step("two", function() op.execute("SELECT 2") end)
    ]])
    assert.same({}, entries[1].held)
    assert.equal("users", entries[2].held[1].relation.shown)
    assert.equal(8, entries[2].held[1].rank)
    assert.equal(entries[1].transaction, entries[2].transaction)
    assert.same({}, entries[3].held)
    assert.not_equal(entries[2].transaction, entries[3].transaction)
  end)

  it("forgets what a savepoint took back", function()
    local out = all_told(measured([[
      pcall(op.savepoint, function()
        op.add_column("users", op.column("x", "text"))
        error("no")
      end)
      op.add_column("users", op.column("x", "text"))
    ]]))
    assert.equal(out[1], out[2])
  end)

  it("sees values of enums come, and those renamed", function()
    local out = all_told(measured([[
      op.add_enum_value("mood", "c")
      op.rename_enum_value("mood", "a", "d")
    ]], 'op.create_enum("mood", { "a", "b" })'))
    assert.equal("enum mood c added", out[1])
    assert.equal("enum mood d renamed", out[2])
  end)

  it("names the operation and its line", function()
    local entry = measured('op.create_index("i", "users", { "email" })')[1]
    assert.equal("create_index", entry.op)
    assert.matches("002%.lua$", entry.origin.file)
    assert.equal("i", entry.record.args.name)
  end)

  it("says which locks were measured and which are known", function()
    local entries = measured([[
      op.create_index("i", "users", { "n" })
      op.create_index("j", "users", { "n" }, { concurrently = true })
    ]])
    assert.equal("measured", entries[1].source)
    assert.equal("known", entries[2].source)
    assert.equal(0, entries[2].transaction)
  end)
end)
