--- first
-- Revision ID: 001

revision = "001"

function upgrade()
  op.create_table("marks", {
    op.column("part", "text", { nullable = false }),
  })
  op.create_table("t1", {
    op.column("id", "bigint", { identity = "always", primary_key = true }),
    op.column("name", "varchar(80)", { nullable = false, default = "none" }),
    op.column("at", "timestamptz", { default = op.sql("now()") }),
  })
  op.execute("INSERT INTO marks VALUES ($1)", { "001" })
  op.bulk_insert("t1", { { name = "one" }, { name = "two" }, { name = "three" } })
end

function downgrade()
  op.drop_table("t1")
  op.drop_table("marks")
end
