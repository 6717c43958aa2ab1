--- refactor driver tree to true tree
-- Revision ID: 004
-- Revises: 003
-- Create Date: 2025-01-13 10:00:00+00:00
--
-- The list of edges goes: every node says itself which node it hangs below, at which place, and how
-- it enters the figure above. Rows move up and down without loss, because a node has at most one
-- edge above it (the primary key of `driver_tree_edges`), so an edge and three columns of its child
-- say the same thing.
--
--   before   driver_tree_nodes (id, tree_id, label, …)
--            driver_tree_edges (child_id, tree_id, parent_id, position, operator)
--   after    driver_tree_nodes (id, tree_id, label, …, parent_id, position, operator)
--
-- Schema and rows change in one transaction: nobody ever sees half a tree.

revision = "004"
down_revision = "003"
branch_labels = nil
depends_on = nil

function upgrade()
  -- 1. Make room. Without defaults, so no row is touched yet.
  op.add_column("driver_tree_nodes", op.column("parent_id", "uuid",
    { comment = "The node above; none in a root" }))
  op.add_column("driver_tree_nodes", op.column("position", "integer",
    { comment = "Place among the children of the parent" }))
  op.add_column("driver_tree_nodes", op.column("operator", "driver_operator",
    { comment = "How the node enters the parent's figure" }))

  -- 2. Move the rows: each edge becomes three values of its child.
  op.execute([[
    UPDATE driver_tree_nodes AS node
       SET parent_id = edge.parent_id, position = edge.position, operator = edge.operator
      FROM driver_tree_edges AS edge
     WHERE edge.child_id = node.id]])

  -- 3. What the edges were held to, the nodes are held to. Checking rows is quicker once they are
  --    in place, so constraints and indexes come last.
  op.create_foreign_key("fk_driver_tree_nodes_parent",
    "driver_tree_nodes", { "tree_id", "parent_id" }, "driver_tree_nodes", { "tree_id", "id" },
    { on_delete = "cascade" }) -- a branch goes with the node it hangs from
  op.create_check_constraint("ck_driver_tree_nodes_no_loop", "driver_tree_nodes",
    "id <> parent_id")
  op.create_check_constraint("ck_driver_tree_nodes_place", "driver_tree_nodes",
    "num_nulls(parent_id, position, operator) IN (0, 3)")
  op.create_index("idx_driver_tree_nodes_parent", "driver_tree_nodes",
    { "tree_id", "parent_id", "position" })

  -- 4. Nothing is left in the edges that the nodes do not say.
  op.drop_table("driver_tree_edges")
  op.set_table_comment("driver_tree_nodes", "The nodes of all trees, each with the node above it")

  -- 5. A tree from the root down, for reports. CYCLE ends the walk should somebody tie a knot.
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
end

function downgrade()
  op.drop_view("driver_tree_outline")

  -- The table as revision 003 made it, to the letter: a downgrade leads back to the same schema.
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

  -- The rows go back before their columns do.
  op.execute([[
    INSERT INTO driver_tree_edges (child_id, tree_id, parent_id, position, operator)
    SELECT id, tree_id, parent_id, position, operator
      FROM driver_tree_nodes
     WHERE parent_id IS NOT NULL]])

  op.drop_index("idx_driver_tree_nodes_parent")
  op.drop_constraint("ck_driver_tree_nodes_place", "driver_tree_nodes")
  op.drop_constraint("ck_driver_tree_nodes_no_loop", "driver_tree_nodes")
  op.drop_constraint("fk_driver_tree_nodes_parent", "driver_tree_nodes")
  op.drop_column("driver_tree_nodes", "operator")
  op.drop_column("driver_tree_nodes", "position")
  op.drop_column("driver_tree_nodes", "parent_id")
  op.set_table_comment("driver_tree_nodes", "The nodes of all trees, in no order")
end
