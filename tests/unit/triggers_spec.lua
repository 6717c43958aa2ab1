-- luacheck: no max line length (a case a line)
local cases = require("support.cases")

local call = cases.call

local function trigger(options)
  local all = { timing = "before", events = "insert", for_each = "row", execute = "f" }
  for name, v in pairs(options) do
    all[name] = v
  end
  return call("create_trigger", "tr", "t", all)
end

describe("triggers", function()
  cases.render({
    { "are made", trigger({}), "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()" },
    { "are made with everything", call("create_trigger", "Tr", "App.t", {
      replace = true, timing = "AFTER", events = { "insert", "update", "delete" }, columns = { "a", "B" }, for_each = "statement",
      referencing = { old = "was", new = "Is" }, when = "pg_trigger_depth() = 0", execute = "app.f",
      arguments = { "it's", 1, 2.5 }, comment = "x",
    }), [[CREATE OR REPLACE TRIGGER "Tr" AFTER INSERT OR UPDATE OF a, "B" OR DELETE ON "App".t ]]
      .. [[REFERENCING OLD TABLE AS was NEW TABLE AS "Is" FOR EACH STATEMENT WHEN (pg_trigger_depth() = 0) ]]
      .. [[EXECUTE FUNCTION app.f('it''s', '1', '2.5')]] .. "\n" .. [[COMMENT ON TRIGGER "Tr" ON "App".t IS 'x']] },
    { "fire instead", trigger({ timing = "instead of", events = { "update", "delete" } }),
      "CREATE TRIGGER tr INSTEAD OF UPDATE OR DELETE ON t FOR EACH ROW EXECUTE FUNCTION f()" },
    { "fire at COMMIT", trigger({ timing = "after", constraint = true, initially = "deferred", from_table = "a.u" }),
      "CREATE CONSTRAINT TRIGGER tr AFTER INSERT ON t FROM a.u DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION f()" },
    { "fire at once", trigger({ timing = "after", constraint = true, deferrable = false }),
      "CREATE CONSTRAINT TRIGGER tr AFTER INSERT ON t NOT DEFERRABLE FOR EACH ROW EXECUTE FUNCTION f()" },
    { "are renamed", call("rename_trigger", "tr", "a.t", "u"), "ALTER TRIGGER tr ON a.t RENAME TO u" },
    { "are disabled", call("disable_trigger", "tr", "a.t"), "ALTER TABLE a.t DISABLE TRIGGER tr" },
    { "are disabled, the user's", call("disable_trigger", "user", "t"), "ALTER TABLE t DISABLE TRIGGER USER" },
    { "are enabled, all", call("enable_trigger", "all", "t"), "ALTER TABLE t ENABLE TRIGGER ALL" },
    { "are enabled always", call("enable_trigger", "tr", "t", { mode = "always" }), "ALTER TABLE t ENABLE ALWAYS TRIGGER tr" },
    { "are dropped", call("drop_trigger", "tr", "t", { if_exists = true, cascade = true }), "DROP TRIGGER IF EXISTS tr ON t CASCADE" },
  })
  cases.invert({
    { "go back: create", trigger({}), "DROP TRIGGER tr ON t" },
    { "go back: replace", trigger({ replace = true, from = { events = "update", when = "true" } }),
      "CREATE OR REPLACE TRIGGER tr BEFORE UPDATE ON t FOR EACH ROW WHEN (true) EXECUTE FUNCTION f()", one_way = true },
    { "go back: drop", call("drop_trigger", "tr", "t", {
      definition = { timing = "before", events = { "insert" }, for_each = "row", execute = "f" },
    }), "CREATE TRIGGER tr BEFORE INSERT ON t FOR EACH ROW EXECUTE FUNCTION f()" },
    { "go back: rename", call("rename_trigger", "tr", "t", "u"), "ALTER TRIGGER u ON t RENAME TO tr" },
    { "go back: disable", call("disable_trigger", "tr", "t"), "ALTER TABLE t ENABLE TRIGGER tr" },
    { "go back: enable", call("enable_trigger", "tr", "t"), "ALTER TABLE t DISABLE TRIGGER tr" },
  })
  cases.not_invert({
    { "do not come back unknown", call("drop_trigger", "tr", "t"),
      "what is dropped is not known: give it as definition = { … }" },
    { "do not come back after replace", trigger({ replace = true }),
      "what the trigger was is not known: give what differs as from = { … }" },
  })
  cases.refuse({
    { "want to be told when", call("create_trigger", "tr", "t", { events = "insert", for_each = "row", execute = "f" }),
      "create_trigger: argument 3.timing: expected one of before, after, instead of, got nothing" },
    { "want to be told how often", call("create_trigger", "tr", "t", { events = "insert", timing = "after", execute = "f" }),
      "create_trigger: argument 3.for_each: expected one of row, statement, got nothing" },
    { "know the events", trigger({ events = { "insert", "updates" } }),
      "create_trigger: argument 3.events[2]: expected one of insert, update, delete, truncate, got 'updates'", "did you mean 'update'?" },
    { "want an event", trigger({ events = {} }), "create_trigger: events: the list is empty" },
    { "want each event once", trigger({ events = { "insert", "insert" } }), "create_trigger: events: 'insert' is there twice" },
    { "want columns to go with update", trigger({ columns = { "a" } }), "create_trigger: columns goes with the event update" },
    { "truncate by the statement", trigger({ events = "truncate" }), "create_trigger: a truncate trigger is for_each = \"statement\"" },
    { "fire instead for rows", trigger({ timing = "instead of", for_each = "statement" }),
      "create_trigger: an instead of trigger is for_each = \"row\"" },
    { "have no condition instead", trigger({ timing = "instead of", when = "true" }), "create_trigger: an instead of trigger has no when" },
    { "are constraints after rows", trigger({ constraint = true }),
      "create_trigger: a constraint trigger is timing = \"after\", for_each = \"row\"" },
    { "are not replaced as constraints", trigger({ timing = "after", constraint = true, replace = true }),
      "create_trigger: a constraint trigger cannot be replaced: drop it and make it anew" },
    { "wait as constraints only", trigger({ initially = "deferred" }),
      "create_trigger: initially is for constraint triggers: constraint = true" },
    { "see tables of rows afterwards", trigger({ referencing = { new = "n" } }), "create_trigger: referencing is for after triggers" },
    { "see the old rows of what had some", trigger({ timing = "after", referencing = { old = "n" } }),
      "create_trigger: referencing.old is for update and delete" },
    { "see the new rows of what has some", trigger({ timing = "after", events = "delete", referencing = { new = "n" } }),
      "create_trigger: referencing.new is for insert and update" },
    { "see some rows", trigger({ timing = "after", referencing = {} }), "create_trigger: referencing: give old, new or both" },
  })
end)
