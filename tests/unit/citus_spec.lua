-- luacheck: no max line length (a case a line)
local cases = require("support.cases")
local record = require("support.record")

local call = cases.call

describe("tables of a Citus cluster", function()
  cases.render({
    { "are distributed", call("distribute_table", "App.orders", "Tenant"),
      [[SELECT pg_catalog.create_distributed_table('"App".orders'::pg_catalog.regclass, 'Tenant')]] },
    { "are distributed with others", call("distribute_table", "orders", "tenant", { colocate_with = "app.Tenants", shard_count = 64 }),
      [[SELECT pg_catalog.create_distributed_table('orders'::pg_catalog.regclass, 'tenant', colocate_with => 'app."Tenants"', shard_count => 64)]] },
    { "are distributed apart from others", call("distribute_table", "orders", "tenant", { colocate_with = "none" }),
      [[SELECT pg_catalog.create_distributed_table('orders'::pg_catalog.regclass, 'tenant', colocate_with => 'none')]] },
    { "are distributed while writers go on", call("distribute_table", "orders", "tenant", { concurrently = true }),
      [[SELECT pg_catalog.create_distributed_table_concurrently('orders'::pg_catalog.regclass, 'tenant')]] },
    { "are copied to every node", call("reference_table", "countries"),
      [[SELECT pg_catalog.create_reference_table('countries'::pg_catalog.regclass)]] },
    { "are brought home", call("undistribute_table", "a.orders"), [[SELECT pg_catalog.undistribute_table('a.orders'::pg_catalog.regclass)]] },
    { "are brought home with their kin", call("undistribute_table", "orders", { cascade_via_foreign_keys = true }),
      [[SELECT pg_catalog.undistribute_table('orders'::pg_catalog.regclass, cascade_via_foreign_keys => true)]] },
  })

  it("are distributed outside a transaction when writers go on", function()
    local statement = record.executor(call("distribute_table", "t", "c", { concurrently = true })).statements[1]
    assert.is_false(statement.transactional)
    assert.is_false(statement.lock_timeout)
    statement = record.executor(call("distribute_table", "t", "c")).statements[1]
    assert.is_true(statement.transactional)
    assert.is_nil(statement.lock_timeout)
  end)

  cases.invert({
    { "go back: distribute", call("distribute_table", "orders", "tenant", { shard_count = 4 }),
      [[SELECT pg_catalog.undistribute_table('orders'::pg_catalog.regclass)]] },
    { "go back: reference", call("reference_table", "t"), [[SELECT pg_catalog.undistribute_table('t'::pg_catalog.regclass)]] },
    { "go back: undistribute", call("undistribute_table", "t", { definition = { column = "c", shard_count = 4 } }),
      [[SELECT pg_catalog.create_distributed_table('t'::pg_catalog.regclass, 'c', shard_count => 4)]] },
    { "go back: undistribute a reference table", call("undistribute_table", "t", { definition = { reference = true } }),
      [[SELECT pg_catalog.create_reference_table('t'::pg_catalog.regclass)]] },
  })
  cases.not_invert({
    { "stay home when it is not known how they were spread", call("undistribute_table", "t"),
      "how the table was distributed is not known: give it as definition = { column = … } or definition = { reference = true }" },
    { "stay home with their kin", call("undistribute_table", "t", { cascade_via_foreign_keys = true }),
      "which tables the foreign keys take along is not known" },
  })
  cases.refuse({
    { "want a column", call("distribute_table", "t"), "distribute_table: argument 2 (column): expected a name (a string), got nothing",
      "op.distribute_table(table, column, options)" },
    { "have shards", call("distribute_table", "t", "c", { shard_count = 0 }), "distribute_table: shard_count: expected 1 or more, got 0" },
    { "were one or the other", call("undistribute_table", "t", { definition = { column = "c", reference = true } }),
      "undistribute_table: definition has either column or reference = true" },
    { "were something", call("undistribute_table", "t", { definition = {} }), "undistribute_table: definition has either column or reference = true" },
  })
end)
