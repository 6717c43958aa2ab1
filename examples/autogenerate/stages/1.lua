op.create_enum("post_state", { "draft", "published", "gone" })

op.create_table("writers", {
  op.column("id", "integer", { primary_key = true, identity = "always" }),
  op.column("mail", "text", { nullable = false, unique = true }),
  op.column("phone", "text"),
})

op.create_table("posts", {
  op.column("id", "integer", { primary_key = true, identity = "always" }),
  op.column("writer_id", "integer", { nullable = false }),
  op.column("state", "post_state", { nullable = false, default = "draft" }),
  op.column("title", "varchar(200)", { nullable = false, check = "title <> ''" }),
  op.column("changed_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
  op.foreign_key({ "writer_id" }, "writers", { "id" }, { on_delete = "cascade" }),
})
op.create_index("posts_by_writer", "posts", { "writer_id", { "changed_at", order = "desc" } })

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
  SELECT p.id, p.title, w.mail
    FROM posts p JOIN writers w ON w.id = p.writer_id
   WHERE p.state = 'published']])
