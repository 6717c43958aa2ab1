--- create loans
-- Revision ID: 002
-- Revises: 001
-- Create Date: 2025-03-04 10:00:00+00:00

revision = "002"
down_revision = "001"

function upgrade()
  op.create_table("loans", {
    op.column("id", "bigint", { primary_key = true, identity = "always" }),
    op.column("book_id", "bigint", { nullable = false }),
    op.column("borrower", "text", { nullable = false }),
    op.column("due", "date", { nullable = false }),
    op.foreign_key({ "book_id" }, "books", { "id" }, { name = "fk_loans_book" }),
  })
  op.create_index("loans_due", "loans", { "due" })
end

function downgrade()
  op.drop_table("loans")
end
