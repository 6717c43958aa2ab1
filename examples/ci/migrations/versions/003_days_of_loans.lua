--- days of loans
-- Revision ID: 003
-- Revises: 002
-- Create Date: 2025-03-05 10:00:00+00:00
--
-- When a loan is due becomes when it began and for how many days, and comes back to the day.

revision = "003"
down_revision = "002"

function upgrade()
  op.add_column("loans", op.column("began", "date"))
  op.add_column("loans", op.column("days", "integer", { nullable = false, default = 28 }))
  -- luamig: ignore DATA004, LOCK018 a library lends some hundred books at a time
  op.execute("UPDATE loans SET began = due - days")
  -- luamig: ignore LOCK011 the same some hundred
  op.alter_column("loans", "began", { nullable = false })
  op.drop_column("loans", "due") -- and the index on it
end

function downgrade()
  op.add_column("loans", op.column("due", "date"))
  -- luamig: ignore DATA004, LOCK018 the same some hundred
  op.execute("UPDATE loans SET due = began + days")
  -- luamig: ignore LOCK011 the same some hundred
  op.alter_column("loans", "due", { nullable = false })
  -- luamig: ignore LOCK001 the same some hundred
  op.create_index("loans_due", "loans", { "due" })
  op.drop_column("loans", "days")
  op.drop_column("loans", "began")
end
