--- second
-- Revision ID: 002

revision = "002"
down_revision = "001"

function change()
  op.create_table("t2", {
    op.column("id", "integer", { primary_key = true }),
    op.column("t1_id", "bigint"),
    op.foreign_key({ "t1_id" }, "t1", { "id" }, { on_delete = "cascade" }),
  })
  op.create_index("t2_t1", "t2", { "t1_id" }, { where = op.sql("t1_id IS NOT NULL") })
end
