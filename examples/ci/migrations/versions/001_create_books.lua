--- create books
-- Revision ID: 001
-- Create Date: 2025-03-03 10:00:00+00:00

revision = "001"
down_revision = nil

function upgrade()
  op.create_table("books", {
    op.column("id", "bigint", { primary_key = true, identity = "always" }),
    op.column("title", "text", { nullable = false }),
    op.column("pages", "integer"),
    op.check("pages > 0", { name = "ck_books_pages" }),
  })
end

function downgrade()
  op.drop_table("books")
end
