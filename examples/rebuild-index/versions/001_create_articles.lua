--- create articles
-- Revision ID: 001
-- Revises:
-- Create Date: 2025-03-03 10:00:00+00:00

revision = "001"
down_revision = nil

function upgrade()
  op.create_table("articles", {
    op.column("id", "bigint", { primary_key = true, identity = "by default" }),
    op.column("body", "text", { nullable = false }),
    op.column("search", "tsvector", { comment = "Kept by a trigger" }),
  })
  op.create_function("articles_search", {}, { returns = "trigger", language = "plpgsql", body = [[
BEGIN
  NEW.search := to_tsvector('simple', NEW.body);
  RETURN NEW;
END]] })
  op.create_trigger("search", "articles", {
    timing = "before", events = { "insert", "update" }, for_each = "row",
    execute = "articles_search" })
  op.create_index("idx_articles_search", "articles", { "search" }, { using = "gin" })
end

function downgrade()
  op.drop_table("articles")
  op.drop_function("articles_search", {})
end
