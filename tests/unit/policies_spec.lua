-- luacheck: no max line length (a case a line)
local cases = require("support.cases")
local op = require("luamig.op")

local call = cases.call

describe("policies", function()
  cases.render({
    { "are made", call("create_policy", "p", "t", { using = "true" }), "CREATE POLICY p ON t USING (true)" },
    { "are made with everything", call("create_policy", "P", "App.t", {
      permissive = false, command = "update", roles = { "app", "public", "current_user", "Boss" }, using = "a = 1",
      check = op.sql("a = 2"), comment = "x",
    }), [[CREATE POLICY "P" ON "App".t AS RESTRICTIVE FOR UPDATE TO app, PUBLIC, CURRENT_USER, "Boss" USING (a = 1) WITH CHECK (a = 2)]]
      .. "\n" .. [[COMMENT ON POLICY "P" ON "App".t IS 'x']] },
    { "are for one role", call("create_policy", "p", "t", { roles = "app", command = "insert", check = "true" }),
      "CREATE POLICY p ON t FOR INSERT TO app WITH CHECK (true)" },
    { "are for whom SQL says", call("create_policy", "p", "t", { roles = op.sql("SESSION_USER"), using = "true" }),
      "CREATE POLICY p ON t TO SESSION_USER USING (true)" },
    { "are altered", call("alter_policy", "p", "t", { roles = { "public" }, check = "false" }),
      "ALTER POLICY p ON t TO PUBLIC WITH CHECK (false)" },
    { "are renamed", call("rename_policy", "p", "a.t", "q"), "ALTER POLICY p ON a.t RENAME TO q" },
    { "are dropped", call("drop_policy", "p", "t", { if_exists = true }), "DROP POLICY IF EXISTS p ON t" },
    { "count", call("enable_row_security", "a.t"), "ALTER TABLE a.t ENABLE ROW LEVEL SECURITY" },
    { "count for the owner", call("enable_row_security", "t", { force = true }),
      "ALTER TABLE t ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY" },
    { "do not count for the owner", call("enable_row_security", "t", { force = false }),
      "ALTER TABLE t ENABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY" },
    { "count no more", call("disable_row_security", "t"), "ALTER TABLE t DISABLE ROW LEVEL SECURITY" },
    { "count no more for the owner either", call("disable_row_security", "t", { force = true }),
      "ALTER TABLE t DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY" },
  })
  cases.invert({
    { "go back: create", call("create_policy", "p", "t", { using = "true" }), "DROP POLICY p ON t" },
    { "go back: drop", call("drop_policy", "p", "t", { definition = { using = "true", permissive = false } }),
      "CREATE POLICY p ON t AS RESTRICTIVE USING (true)" },
    { "go back: alter", call("alter_policy", "p", "t", { using = "false", roles = "a", from = { using = "true", roles = "public" } }),
      "ALTER POLICY p ON t TO PUBLIC USING (true)" },
    { "go back: rename", call("rename_policy", "p", "t", "q"), "ALTER POLICY q ON t RENAME TO p" },
    { "go back: enable", call("enable_row_security", "t", { force = true }),
      "ALTER TABLE t DISABLE ROW LEVEL SECURITY, NO FORCE ROW LEVEL SECURITY" },
    { "go back: disable", call("disable_row_security", "t"), "ALTER TABLE t ENABLE ROW LEVEL SECURITY" },
  })
  cases.not_invert({
    { "do not come back unknown", call("drop_policy", "p", "t"),
      "what is dropped is not known: give it as definition = { … }" },
    { "keep a condition when the former is not known", call("alter_policy", "p", "t", { using = "x", from = { roles = "a" } }),
      "what using was is not known: give it as from = { using = … }" },
  })
  cases.refuse({
    { "want a condition", call("create_policy", "p", "t", { roles = "app" }),
      "create_policy: give using (rows that are seen), check (rows that are written), or both" },
    { "see nothing when they insert", call("create_policy", "p", "t", { command = "insert", using = "true", check = "true" }),
      "create_policy: a policy for insert has no using: nothing is seen; give check" },
    { "write nothing when they delete", call("create_policy", "p", "t", { command = "delete", using = "true", check = "true" }),
      "create_policy: a policy for delete has no check: nothing is written; give using" },
    { "want a role", call("create_policy", "p", "t", { roles = {}, using = "true" }), "create_policy: roles: the list is empty" },
    { "know the commands", call("create_policy", "p", "t", { command = "truncate", using = "true" }),
      "create_policy: argument 3.command: expected one of all, select, insert, update, delete, got 'truncate'" },
    { "want something to change", call("alter_policy", "p", "t", {}),
      "alter_policy: nothing to change: give at least one of check, roles, using" },
    { "check what they come from", call("drop_policy", "p", "t", { definition = { roles = "app" } }),
      "drop_policy: definition: give using (rows that are seen), check (rows that are written), or both" },
  })
end)

describe("extended statistics", function()
  cases.render({
    { "are made", call("create_statistics", "s", "t", { "a", "B" }), 'CREATE STATISTICS s ON a, "B" FROM t' },
    { "are made with everything", call("create_statistics", "app.s", "app.t", { "a", op.sql("lower(b)") }, {
      if_not_exists = true, kinds = { "ndistinct", "mcv" }, target = 500, comment = "x",
    }), "CREATE STATISTICS IF NOT EXISTS app.s (ndistinct, mcv) ON a, (lower(b)) FROM app.t\n"
      .. "ALTER STATISTICS app.s SET STATISTICS 500\nCOMMENT ON STATISTICS app.s IS 'x'" },
    { "are made of one expression", call("create_statistics", "s", "t", { op.sql("lower(b)") }),
      "CREATE STATISTICS s ON (lower(b)) FROM t" },
    { "are altered", call("alter_statistics", "st", { target = -1, owner = "boss", schema = "app" }),
      "ALTER STATISTICS st SET STATISTICS -1\nALTER STATISTICS st OWNER TO boss\nALTER STATISTICS st SET SCHEMA app" },
    { "are dropped", call("drop_statistics", "app.s", { if_exists = true }), "DROP STATISTICS IF EXISTS app.s" },
  })
  cases.invert({
    { "go back: create", call("create_statistics", "s", "t", { "a", "b" }), "DROP STATISTICS s" },
    { "go back: alter", call("alter_statistics", "a.s", { target = 5, schema = "b", from = { target = -1 } }),
      "ALTER STATISTICS b.s SET STATISTICS -1\nALTER STATISTICS b.s SET SCHEMA a" },
    { "go back: drop", call("drop_statistics", "s", { definition = { table = "t", columns = { "a", "b" }, kinds = { "mcv" } } }),
      "CREATE STATISTICS s (mcv) ON a, b FROM t" },
  })
  cases.not_invert({
    { "do not come back unknown", call("drop_statistics", "s"),
      "what is dropped is not known: give it as definition = { … }" },
  })
  cases.refuse({
    { "want two columns", call("create_statistics", "s", "t", { "a" }),
      "create_statistics: columns: give at least two columns, or one expression as op.sql" },
    { "have no kinds of one expression", call("create_statistics", "s", "t", { op.sql("lower(b)") }, { kinds = { "mcv" } }),
      "create_statistics: kinds is for several columns; one expression has statistics of its own" },
    { "know the kinds", call("create_statistics", "s", "t", { "a", "b" }, { kinds = { "mvc" } }),
      "create_statistics: argument 4.kinds[1]: expected one of ndistinct, dependencies, mcv, got 'mvc'", "did you mean 'mcv'?" },
    { "want columns in from", call("drop_statistics", "s", { definition = { table = "t" } }),
      "drop_statistics: argument 2.definition.columns: expected a list of columns, got nothing" },
  })
end)
