--- add driver tree tables
-- Revision ID: 003
-- Revises: 002
-- Create Date: 2025-01-12 10:00:00+00:00
--
-- A driver tree breaks a figure down into what drives it: profit = sales - cost, and so on down.
-- Here a tree is a flat list of nodes, and a second list says which node hangs below which.
-- (Revision 004 makes one list of the two.)

revision = "003"
down_revision = "002"
branch_labels = nil
depends_on = nil

function upgrade()
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
    op.column("expressions", "text[]", { nullable = false, default = op.sql("'{}'") }),
    op.foreign_key({ "category_id" }, "driver_tree_categories", { "id" },
      { on_delete = "cascade" }),
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
    op.foreign_key({ "tree_id" }, "driver_trees", { "id" }, { on_delete = "cascade" }),
    -- Nothing new is said here, since `id` alone is unique; but a foreign key over both columns
    -- needs it, and that key is what keeps an edge inside one tree.
    op.unique({ "tree_id", "id" }, { name = "uq_driver_tree_nodes_tree_id" }),
    comment = "The nodes of all trees, in no order",
  })

  op.create_table("driver_tree_edges", {
    op.column("child_id", "uuid", { primary_key = true, comment = "A node hangs in one place" }),
    op.column("tree_id", "uuid", { nullable = false }),
    op.column("parent_id", "uuid", { nullable = false }),
    op.column("position", "integer", { nullable = false, default = 0,
      comment = "Place among the children of the parent" }),
    op.column("operator", "driver_operator", { nullable = false, default = "add",
      comment = "How the child enters the parent's figure" }),
    op.foreign_key({ "tree_id", "child_id" }, "driver_tree_nodes", { "tree_id", "id" },
      { name = "fk_driver_tree_edges_child", on_delete = "cascade" }),
    op.foreign_key({ "tree_id", "parent_id" }, "driver_tree_nodes", { "tree_id", "id" },
      { name = "fk_driver_tree_edges_parent", on_delete = "cascade" }),
    op.check("child_id <> parent_id", { name = "ck_driver_tree_edges_no_loop" }),
    comment = "Which node hangs below which",
  })
  op.create_index("idx_driver_tree_edges_parent", "driver_tree_edges",
    { "tree_id", "parent_id", "position" })

  -- Rows that every installation starts with. They go in by COPY.
  op.bulk_insert("driver_tree_categories", {
    { industry = "retail", name = "Store sales", description = "Visitors, conversion and basket" },
    { industry = "manufacturing", name = "Plant output", description = "Hours, speed and yield" },
    { industry = "software", name = "Subscriptions", description = "New, kept and lost customers" },
  })
end

function downgrade()
  op.drop_table("driver_tree_edges")
  op.drop_table("driver_tree_nodes")
  op.drop_table("driver_trees")
  op.drop_table("driver_tree_formulas")
  op.drop_table("driver_tree_categories")
  op.drop_type("driver_operator")
  op.drop_type("driver_node_type")
end
