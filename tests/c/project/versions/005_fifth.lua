--- fifth
-- Revision ID: 005

revision = "005"
down_revision = "004"

function upgrade()
  op.create_table("t5", { op.column("id", "integer", { primary_key = true }) })
  op.alter_column("t4", "name", { nullable = false })
  op.execute("INSERT INTO marks VALUES ('005')")
  if op.context.x.stop == "005" then
    op.execute("SELECT * FROM nowhere")
  end
end

function downgrade()
  op.execute("DELETE FROM marks WHERE part = '005'")
  op.alter_column("t4", "name", { nullable = true })
  op.drop_table("t5")
end
