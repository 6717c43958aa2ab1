op.create_enum("post_state", { "draft", "review", "published" })

op.create_table("authors", {
  op.column("id", "bigint", { primary_key = true, identity = "always" }),
  op.column("email", "text", { nullable = false, unique = true }),
})

op.create_table("posts", {
  op.column("id", "bigint", { primary_key = true, identity = "always" }),
  op.column("author_id", "bigint", { nullable = false }),
  op.column("state", "post_state", { nullable = false, default = "draft" }),
  op.column("title", "varchar(200)", { nullable = false, check = "title <> ''" }),
  op.column("changed_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
  op.foreign_key({ "author_id" }, "authors", { "id" }, { on_delete = "cascade" }),
})
op.create_index("posts_by_author", "posts", { "author_id", { "changed_at", order = "desc" } })

op.create_function("touch", {}, {
  returns = "trigger",
  language = "plpgsql",
  body = [[
BEGIN
  NEW.changed_at := now();
  RETURN NEW;
END
]],
})
op.create_trigger("touch", "posts", {
  timing = "before", events = "update", for_each = "row", execute = "touch",
})

op.create_view("published", [[
  SELECT p.id, p.title, a.email
    FROM posts p JOIN authors a ON a.id = p.author_id
   WHERE p.state = 'published']])
