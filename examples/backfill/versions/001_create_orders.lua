--- create orders
-- Revision ID: 001
-- Revises:
-- Create Date: 2025-01-10 10:00:00+00:00

revision = "001"
down_revision = nil
branch_labels = nil
depends_on = nil

function upgrade()
  op.create_table("orders", {
    op.column("id", "bigint", { primary_key = true }),
    op.column("amount", "text", { nullable = false }),
  })
  -- The rows of years. Some were typed in by hand.
  op.execute([[
    INSERT INTO orders
    SELECT i, CASE WHEN i % 50000 = 7 THEN 'ask Jo' ELSE i || '.25 EUR' END
      FROM generate_series(1, 200000) AS i]])
end

function downgrade()
  op.drop_table("orders")
end
