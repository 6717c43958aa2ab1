--- fourth
-- Revision ID: 004

revision = "004"
down_revision = "003"

local function mark(part)
  op.execute("INSERT INTO marks VALUES ($1)", { part })
end

function upgrade()
  op.create_table("t4", { op.column("id", "integer"), op.column("name", "text") })
  mark("004")
  op.step("rows", function()
    mark("004a")
    local count = op.scalar("SELECT count(*) FROM t1")
    op.execute("INSERT INTO t4 SELECT i, 'n' FROM generate_series(1, $1::int) AS i", { count })
  end)
  op.create_index("t4_id", "t4", { "id" }, { unique = true, concurrently = true })
  op.autocommit(function()
    mark("004b")
  end)
  if op.context.x.stop == "004" then
    op.execute("SELECT * FROM nowhere")
  end
  mark("004c")
end

function downgrade()
  op.execute("DELETE FROM marks WHERE part LIKE '004%'")
  op.drop_table("t4")
end
