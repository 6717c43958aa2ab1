--- third
-- Revision ID: 003

revision = "003"
down_revision = "002"

function upgrade()
  op.execute("CREATE TABLE t3 (id int PRIMARY KEY, name text); COMMENT ON TABLE t3 IS 'third'")
  for i, row in ipairs(op.query("SELECT id, name FROM t1 ORDER BY id")) do
    op.execute("INSERT INTO t3 VALUES ($1, $2)", { i, row.name })
  end
  local ok = pcall(op.savepoint, function()
    op.execute("INSERT INTO t3 VALUES (1, 'again')")
  end)
  if ok then
    error("the savepoint did not fail")
  end
  local count = op.scalar("SELECT count(*) FROM t3")
  op.execute("INSERT INTO marks VALUES ($1)", { ("%03d"):format(count) })
end

function downgrade()
  op.execute("DELETE FROM marks WHERE part = '003'")
  op.execute("DROP TABLE t3")
end
