-- luacheck: no max line length (a case a line)
local cases = require("support.cases")
local op = require("luamig.op")

local call = cases.call
local on_18 = { server_version = 180000 }
local on_14 = { server_version = 140000 }

describe("publications", function()
  cases.render({
    { "are made empty", call("create_publication", "p"), "CREATE PUBLICATION p" },
    { "are made of all tables", call("create_publication", "P", { all_tables = true, comment = "x" }),
      'CREATE PUBLICATION "P" FOR ALL TABLES\nCOMMENT ON PUBLICATION "P" IS \'x\'' },
    { "are made with everything", call("create_publication", "p", {
      tables = { "a.t", { table = "U", columns = { "id", "B" }, where = op.sql("id > 0") } }, schemas = { "s", "x y" },
      publish = { "insert", "truncate" }, via_root = true, generated_columns = "stored",
    }), [[CREATE PUBLICATION p FOR TABLE a.t, "U" (id, "B") WHERE (id > 0), TABLES IN SCHEMA s, "x y" ]]
      .. "WITH (publish = 'insert, truncate', publish_generated_columns = 'stored', publish_via_partition_root = true)", on_18 },
    { "are made of schemas", call("create_publication", "p", { schemas = { "s" } }), "CREATE PUBLICATION p FOR TABLES IN SCHEMA s" },
    { "are altered", call("alter_publication", "p", {
      add = { { table = "a.t", columns = { "id" } }, "u" }, drop = { "v", "w" }, via_root = false, owner = "boss",
    }), "ALTER PUBLICATION p DROP TABLE v, w\nALTER PUBLICATION p ADD TABLE a.t (id), u\n"
      .. "ALTER PUBLICATION p SET (publish_via_partition_root = false)\nALTER PUBLICATION p OWNER TO boss" },
    { "are dropped", call("drop_publication", "p", { if_exists = true }), "DROP PUBLICATION IF EXISTS p" },
  })
  cases.invert({
    { "go back: create", call("create_publication", "p"), "DROP PUBLICATION p" },
    { "go back: drop", call("drop_publication", "p", { definition = { tables = { "t" }, publish = { "insert" } } }),
      "CREATE PUBLICATION p FOR TABLE t WITH (publish = 'insert')" },
    { "go back: alter", call("alter_publication", "p", {
      add = { { table = "a", columns = { "id" } } }, drop = { "b" }, via_root = true,
      from = { tables = { { table = "b", columns = { "x" } } }, via_root = false },
    }), "ALTER PUBLICATION p DROP TABLE a\nALTER PUBLICATION p ADD TABLE b (x)\n"
      .. "ALTER PUBLICATION p SET (publish_via_partition_root = false)" },
  })
  cases.not_invert({
    { "do not come back unknown", call("drop_publication", "p"),
      "what is dropped is not known: give it as definition = { … }" },
    { "keep out what was published in an unknown way", call("alter_publication", "p", { drop = { "b" } }),
      "how b was published is not known: give it as from = { tables = { \"b\" } }" },
    { "keep settings whose former is not known", call("alter_publication", "p", { via_root = true }),
      "what via_root was is not known: give it as from = { via_root = … }" },
  })
  cases.refuse({
    { "are of all tables or some", call("create_publication", "p", { all_tables = true, tables = { "t" } }),
      "create_publication: all_tables stands without tables and schemas" },
    { "say what they were", call("drop_publication", "p", { definition = { all_tables = true, schemas = { "s" } } }),
      "drop_publication: definition: all_tables stands without tables and schemas" },
    { "want the name of a table", call("create_publication", "p", { tables = { { columns = { "id" } } } }),
      "create_publication: argument 2.tables[1].table: expected a name (a string), got nothing" },
    { "know the changes", call("create_publication", "p", { publish = { "updates" } }),
      "create_publication: argument 2.publish[1]: expected one of insert, update, delete, truncate, got 'updates'", "did you mean 'update'?" },
    { "want something to add", call("alter_publication", "p", { add = {} }), "alter_publication: add: the list is empty" },
    { "want something to change", call("alter_publication", "p"),
      "alter_publication: nothing to change: give at least one of add, drop, generated_columns, owner, publish, via_root" },
    { "know what PostgreSQL 14 lacks: columns", call("create_publication", "p", { tables = { { table = "t", columns = { "a" } } } }),
      "a publication of columns or rows needs PostgreSQL 15; the server is 14", context = on_14 },
    { "know what PostgreSQL 14 lacks: schemas", call("create_publication", "p", { schemas = { "s" } }),
      "a publication of schemas needs PostgreSQL 15; the server is 14", context = on_14 },
    { "know what PostgreSQL 15 lacks", call("create_publication", "p", { generated_columns = "none" }),
      "generated_columns needs PostgreSQL 18; the server is 15" },
  })
end)
