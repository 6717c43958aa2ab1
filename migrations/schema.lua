--- The schema of the sample application as it shall be: the same calls as in a revision, run once
-- in an empty database. `luamig check` compares the database with it, and
-- `luamig revision --autogenerate` writes what the two have apart. The order is free as long as
-- what is named is there.

---- People, and what they work in.

op.create_enum("project_role", { "owner", "editor", "viewer" })

op.create_table("users", {
  op.column("id", "uuid", { primary_key = true, default = op.sql("gen_random_uuid()") }),
  op.column("azure_oid", "varchar(36)", { comment = "Object id of the user in Azure" }),
  op.column("email", "varchar(255)", { nullable = false }),
  op.column("display_name", "varchar(255)"),
  op.column("is_active", "boolean", { nullable = false, default = true }),
  op.column("created_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
  op.column("last_login_at", "timestamptz"),
  op.unique({ "azure_oid" }, { name = "uq_users_azure_oid" }),
  comment = "People who sign in",
})
op.create_index("uq_users_email", "users", { op.sql("lower(email)") }, { unique = true })

op.create_table("projects", {
  op.column("id", "uuid", { primary_key = true, default = op.sql("gen_random_uuid()") }),
  op.column("name", "varchar(255)", { nullable = false }),
  op.column("description", "text"),
  op.column("created_by", "uuid"),
  op.column("is_archived", "boolean", { nullable = false, default = false }),
  op.column("created_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
  op.column("updated_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
  op.foreign_key({ "created_by" }, "users", { "id" }, { on_delete = "set null" }),
  comment = "What analyses and driver trees belong to",
})
op.create_index("idx_projects_created_by", "projects", { "created_by" })

op.create_table("project_members", {
  op.column("project_id", "uuid", { nullable = false }),
  op.column("user_id", "uuid", { nullable = false }),
  op.column("role", "project_role", { nullable = false, default = "viewer" }),
  op.column("joined_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
  op.primary_key({ "project_id", "user_id" }),
  op.foreign_key({ "project_id" }, "projects", { "id" }, { on_delete = "cascade" }),
  op.foreign_key({ "user_id" }, "users", { "id" }, { on_delete = "cascade" }),
  comment = "Who may do what in a project",
})
op.create_index("idx_project_members_user", "project_members", { "user_id" })

---- Analyses to start from.

op.create_enum("analysis_step_type", { "filter", "aggregate", "transform", "summary" })
op.create_enum("template_visibility", { "private", "project", "public" })

op.create_table("analysis_templates", {
  op.column("id", "uuid", { primary_key = true, default = op.sql("gen_random_uuid()") }),
  op.column("project_id", "uuid", { comment = "None: offered in every project" }),
  op.column("name", "varchar(255)", { nullable = false }),
  op.column("description", "text"),
  op.column("visibility", "template_visibility", { nullable = false, default = "project" }),
  op.column("tags", "text[]", { nullable = false, default = op.array({}) }),
  op.column("created_by", "uuid"),
  op.column("created_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
  op.foreign_key({ "created_by" }, "users", { "id" }, { on_delete = "set null" }),
  op.foreign_key({ "project_id" }, "projects", { "id" }, { on_delete = "cascade" }),
  comment = "Analyses to start from",
})
op.create_index("idx_analysis_templates_project", "analysis_templates", { "project_id" })
op.create_index("idx_analysis_templates_tags", "analysis_templates", { "tags" }, { using = "gin" })

op.create_table("analysis_template_steps", {
  op.column("id", "uuid", { primary_key = true, default = op.sql("gen_random_uuid()") }),
  op.column("template_id", "uuid", { nullable = false }),
  op.column("step_order", "integer", { nullable = false }),
  op.column("name", "varchar(255)", { nullable = false }),
  op.column("step_type", "analysis_step_type", { nullable = false }),
  op.column("config", "jsonb", { nullable = false, default = "{}" }),
  op.foreign_key({ "template_id" }, "analysis_templates", { "id" }, { on_delete = "cascade" }),
  op.unique({ "template_id", "step_order" }),
  op.check("step_order >= 0", { name = "ck_analysis_template_steps_order" }),
  comment = "The steps a new analysis begins with",
})

---- Analyses: a session, its snapshots, the steps of each.

op.create_table("analysis_sessions", {
  op.column("id", "uuid", { primary_key = true, default = op.sql("gen_random_uuid()") }),
  op.column("project_id", "uuid", { nullable = false }),
  op.column("creator_id", "uuid"),
  op.column("session_name", "varchar(255)"),
  op.column("current_snapshot_id", "uuid", { comment = "What is open; none before the first" }),
  op.column("is_active", "boolean", { nullable = false, default = true }),
  op.column("created_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
  op.column("updated_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
  op.column("template_id", "uuid", { comment = "The template it was started from" }),
  op.foreign_key({ "project_id" }, "projects", { "id" }, { on_delete = "cascade" }),
  op.foreign_key({ "creator_id" }, "users", { "id" }, { on_delete = "set null" }),
  op.foreign_key({ "template_id" }, "analysis_templates", { "id" }, {
    name = "fk_analysis_sessions_template",
    on_delete = "set null",
  }),
  comment = "One analysis of one project",
})
op.create_index("idx_analysis_sessions_project", "analysis_sessions", { "project_id" })
op.create_index("idx_analysis_sessions_creator", "analysis_sessions", { "creator_id" })
op.create_index("idx_analysis_sessions_template", "analysis_sessions", { "template_id" })

op.create_table("analysis_files", {
  op.column("id", "uuid", { primary_key = true, default = op.sql("gen_random_uuid()") }),
  op.column("session_id", "uuid", { nullable = false }),
  op.column("file_name", "varchar(255)", { nullable = false }),
  op.column("sheet_name", "varchar(255)"),
  op.column("axis_config", "jsonb", {
    nullable = false,
    default = "{}",
    comment = "Which columns are axes and which are values",
  }),
  op.column("size_bytes", "bigint", { nullable = false }),
  op.column("uploaded_by", "uuid"),
  op.column("uploaded_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
  op.foreign_key({ "session_id" }, "analysis_sessions", { "id" }, { on_delete = "cascade" }),
  op.foreign_key({ "uploaded_by" }, "users", { "id" }, { on_delete = "set null" }),
  op.check("size_bytes >= 0", { name = "ck_analysis_files_size" }),
  comment = "Files read into a session",
})
op.create_index("idx_analysis_files_session", "analysis_files", { "session_id" })

op.create_table("analysis_snapshots", {
  op.column("id", "uuid", { primary_key = true, default = op.sql("gen_random_uuid()") }),
  op.column("session_id", "uuid", { nullable = false }),
  op.column("parent_snapshot_id", "uuid", { comment = "The snapshot this one was made from" }),
  op.column("snapshot_order", "integer", { nullable = false }),
  op.column("created_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
  op.foreign_key({ "session_id" }, "analysis_sessions", { "id" }, { on_delete = "cascade" }),
  op.foreign_key({ "parent_snapshot_id" }, "analysis_snapshots", { "id" }, {
    on_delete = "set null",
  }),
  op.unique({ "session_id", "snapshot_order" }),
  op.check("snapshot_order >= 0", { name = "ck_analysis_snapshots_order" }),
  comment = "The state of a session at one moment",
})
op.create_index("idx_analysis_snapshots_parent", "analysis_snapshots", { "parent_snapshot_id" })

-- Sessions and snapshots refer to each other, so one of the two comes last; checked at COMMIT.
op.create_foreign_key("fk_analysis_sessions_current_snapshot", "analysis_sessions",
  { "current_snapshot_id" }, "analysis_snapshots", { "id" }, {
    on_delete = "set null",
    deferrable = true,
    initially = "deferred",
  })

op.create_table("analysis_steps", {
  op.column("id", "uuid", { primary_key = true, default = op.sql("gen_random_uuid()") }),
  op.column("snapshot_id", "uuid", { nullable = false }),
  op.column("step_order", "integer", { nullable = false }),
  op.column("name", "varchar(255)", { nullable = false }),
  op.column("step_type", "analysis_step_type", { nullable = false }),
  op.column("file_id", "uuid", { comment = "Input; none means the result of the step before" }),
  op.column("config", "jsonb", { nullable = false, default = "{}" }),
  op.column("is_enabled", "boolean", { nullable = false, default = true }),
  op.column("created_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
  op.foreign_key({ "snapshot_id" }, "analysis_snapshots", { "id" }, { on_delete = "cascade" }),
  op.foreign_key({ "file_id" }, "analysis_files", { "id" }, { on_delete = "set null" }),
  op.unique({ "snapshot_id", "step_order" }),
  op.check("step_order >= 0", { name = "ck_analysis_steps_order" }),
  comment = "What is computed in a snapshot, in order",
})
op.create_index("idx_analysis_steps_file", "analysis_steps", { "file_id" }, {
  where = "file_id IS NOT NULL",
})

---- Driver trees: a figure, broken down into what makes it.

op.create_enum("driver_node_type", { "input", "calculated", "constant" })
op.create_enum("driver_operator", { "add", "subtract", "multiply", "divide" })

op.create_table("driver_tree_categories", {
  op.column("id", "uuid", { primary_key = true, default = op.sql("gen_random_uuid()") }),
  op.column("industry", "varchar(100)", { nullable = false }),
  op.column("name", "varchar(255)", { nullable = false }),
  op.column("description", "text"),
  op.unique({ "industry", "name" }),
  comment = "Kinds of business that there are formulas for",
})

op.create_table("driver_tree_formulas", {
  op.column("id", "uuid", { primary_key = true, default = op.sql("gen_random_uuid()") }),
  op.column("category_id", "uuid", { nullable = false }),
  op.column("kpi", "varchar(100)", { nullable = false, comment = "The figure it explains" }),
  op.column("expressions", "text[]", { nullable = false, default = op.array({}) }),
  op.foreign_key({ "category_id" }, "driver_tree_categories", { "id" }, { on_delete = "cascade" }),
  op.unique({ "category_id", "kpi" }),
  comment = "Ready-made break-downs to start a tree from",
})

op.create_table("driver_trees", {
  op.column("id", "uuid", { primary_key = true, default = op.sql("gen_random_uuid()") }),
  op.column("project_id", "uuid", { nullable = false }),
  op.column("formula_id", "uuid", { comment = "What the tree was started from, if anything" }),
  op.column("name", "varchar(255)", { nullable = false }),
  op.column("created_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
  op.column("updated_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
  op.foreign_key({ "project_id" }, "projects", { "id" }, { on_delete = "cascade" }),
  op.foreign_key({ "formula_id" }, "driver_tree_formulas", { "id" }, { on_delete = "set null" }),
  comment = "One break-down of one figure",
})
op.create_index("idx_driver_trees_project", "driver_trees", { "project_id" })
op.create_index("idx_driver_trees_formula", "driver_trees", { "formula_id" })

op.create_table("driver_tree_nodes", {
  op.column("id", "uuid", { primary_key = true, default = op.sql("gen_random_uuid()") }),
  op.column("tree_id", "uuid", { nullable = false }),
  op.column("label", "varchar(255)", { nullable = false }),
  op.column("node_type", "driver_node_type", { nullable = false, default = "input" }),
  op.column("value", "numeric", { comment = "What the user typed; none in a calculated node" }),
  op.column("unit", "varchar(50)"),
  op.column("created_at", "timestamptz", { nullable = false, default = op.sql("now()") }),
  op.column("parent_id", "uuid", { comment = "The node above; none in a root" }),
  op.column("position", "integer", { comment = "Place among the children of the parent" }),
  op.column("operator", "driver_operator", {
    comment = "How the node enters the parent's figure",
  }),
  op.foreign_key({ "tree_id" }, "driver_trees", { "id" }, { on_delete = "cascade" }),
  op.unique({ "tree_id", "id" }, { name = "uq_driver_tree_nodes_tree_id" }),
  -- Of both columns, so that a parent is in the same tree as its children.
  op.foreign_key({ "tree_id", "parent_id" }, "driver_tree_nodes", { "tree_id", "id" }, {
    name = "fk_driver_tree_nodes_parent",
    on_delete = "cascade",
  }),
  op.check("id <> parent_id", { name = "ck_driver_tree_nodes_no_loop" }),
  op.check("num_nulls(parent_id, position, operator) IN (0, 3)", {
    name = "ck_driver_tree_nodes_place",
  }),
  comment = "The nodes of all trees, each with the node above it",
})
op.create_index("idx_driver_tree_nodes_parent", "driver_tree_nodes",
  { "tree_id", "parent_id", "position" })

op.create_view("driver_tree_outline", [[
  WITH RECURSIVE outline AS (
    SELECT node.tree_id, node.id, node.parent_id, node.label, 0 AS depth,
           ARRAY[]::integer[] AS place
      FROM driver_tree_nodes AS node
     WHERE node.parent_id IS NULL
     UNION ALL
    SELECT node.tree_id, node.id, node.parent_id, node.label, above.depth + 1,
           above.place || node.position
      FROM driver_tree_nodes AS node
      JOIN outline AS above ON above.id = node.parent_id
  ) CYCLE id SET is_cycle USING path
  SELECT tree_id, id, parent_id, label, depth, place FROM outline WHERE NOT is_cycle]])
