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
-- The rows move in batches that are committed one by one, while the application works. So this is
-- not one transaction, and others see the states in between. Each of them is sound:
--
--   1  the columns are there, empty; the edges are what counts. A trigger carries into the nodes
--      whatever is written to the edges from now on
--   2  more and more nodes say what their edge says. Whoever reads edges sees whole trees
--   3  all of them do, and the index is built; the edges still count
--   4  the edges are gone, the nodes count: one transaction, so nobody ever sees neither or both
--   5  the foreign key is proven for old rows too. (It holds for new ones since 4, and for the old
--      ones because the edges had the same one.)
--
-- The downgrade does the same the other way round: a new list of edges fills up while the nodes
-- count, until one transaction takes the columns away. Whatever is killed on the way, the same
-- command goes on with the batch where it stopped.

revision = "004"
down_revision = "003"
branch_labels = nil
depends_on = nil

function upgrade()
  -- 1. Make room, without defaults: no row is touched, and no lock is held for longer than a
  --    change of the catalogue takes. The checks hold from the first row on that is filled.
  op.add_column("driver_tree_nodes", op.column("parent_id", "uuid",
    { comment = "The node above; none in a root" }))
  op.add_column("driver_tree_nodes", op.column("position", "integer",
    { comment = "Place among the children of the parent" }))
  op.add_column("driver_tree_nodes", op.column("operator", "driver_operator",
    { comment = "How the node enters the parent's figure" }))
  op.create_check_constraint("ck_driver_tree_nodes_no_loop", "driver_tree_nodes",
    "id <> parent_id", { not_valid = true })
  op.create_check_constraint("ck_driver_tree_nodes_place", "driver_tree_nodes",
    "num_nulls(parent_id, position, operator) IN (0, 3)", { not_valid = true })

  -- OLD is null in an INSERT and NEW in a DELETE, so that the first statement is for a child that
  -- has lost its edge, and the second for one that has it.
  op.create_function("driver_tree_edges_into_nodes", {}, {
    returns = "trigger", language = "plpgsql", body = [[
BEGIN
  UPDATE driver_tree_nodes SET parent_id = NULL, position = NULL, operator = NULL
   WHERE id = OLD.child_id AND OLD.child_id IS DISTINCT FROM NEW.child_id;
  UPDATE driver_tree_nodes
     SET parent_id = NEW.parent_id, position = NEW.position, operator = NEW.operator
   WHERE id = NEW.child_id;
  RETURN NULL;
END]] })
  op.create_trigger("into_nodes", "driver_tree_edges", {
    timing = "after", events = { "insert", "update", "delete" }, for_each = "row",
    execute = "driver_tree_edges_into_nodes" })

  -- 2. Move the rows that were there: each edge becomes three values of its child. The edges are
  --    locked first, so that none is moved or deleted between being read and being written down.
  op.batch_execute("driver_tree_edges_into_nodes", {
    table = "driver_tree_edges",
    batch_rows = 1000,
    sql = [[
      WITH edge AS MATERIALIZED (
        SELECT * FROM driver_tree_edges AS e WHERE {range:e} FOR SHARE)
      UPDATE driver_tree_nodes AS node
         SET parent_id = edge.parent_id, position = edge.position, operator = edge.operator
        FROM edge
       WHERE node.id = edge.child_id]],
  })

  -- 3. The index comes after the rows: with it in place, every update above would have cost twice.
  op.create_index("idx_driver_tree_nodes_parent", "driver_tree_nodes",
    { "tree_id", "parent_id", "position" }, { concurrently = true })
  op.step("prove the checks", function()
    op.validate_constraint("ck_driver_tree_nodes_no_loop", "driver_tree_nodes")
    op.validate_constraint("ck_driver_tree_nodes_place", "driver_tree_nodes")
  end)

  -- 4. Nothing is left in the edges that the nodes do not say. The trigger goes with its table. The
  --    foreign key could not come earlier: in a tree of edges the children of a deleted node stay
  --    and become roots; from here on they go with it.
  op.create_foreign_key("fk_driver_tree_nodes_parent",
    "driver_tree_nodes", { "tree_id", "parent_id" }, "driver_tree_nodes", { "tree_id", "id" },
    { on_delete = "cascade", not_valid = true })
  -- luamig: ignore COMPAT001 the rows are in the nodes, where the application looks now
  -- luamig: ignore LOCK016 the moment of the switch: nothing else is done under the lock
  op.drop_table("driver_tree_edges")
  op.drop_function("driver_tree_edges_into_nodes", {})
  op.set_table_comment("driver_tree_nodes", "The nodes of all trees, each with the node above it")

  -- A tree from the root down, for reports. CYCLE ends the walk should somebody tie a knot.
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

  -- 5. Writes go on while this reads.
  op.step("prove the foreign key", function()
    op.validate_constraint("fk_driver_tree_nodes_parent", "driver_tree_nodes")
  end)
end

function downgrade()
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

  -- What the application writes to the nodes from now on comes into the edges. (Deleted nodes take
  -- their edges along, by the foreign keys.)
  op.create_function("driver_tree_nodes_into_edges", {}, {
    returns = "trigger", language = "plpgsql", body = [[
BEGIN
  IF NEW.parent_id IS NULL THEN
    DELETE FROM driver_tree_edges WHERE child_id = NEW.id;
  ELSE
    INSERT INTO driver_tree_edges (child_id, tree_id, parent_id, position, operator)
    VALUES (NEW.id, NEW.tree_id, NEW.parent_id, NEW.position, NEW.operator)
    ON CONFLICT (child_id) DO UPDATE SET parent_id = excluded.parent_id,
      position = excluded.position, operator = excluded.operator;
  END IF;
  RETURN NULL;
END]] })
  op.create_trigger("into_edges", "driver_tree_nodes", {
    timing = "after", events = { "insert", "update" },
    columns = { "parent_id", "position", "operator" }, for_each = "row",
    execute = "driver_tree_nodes_into_edges" })

  -- The rows go back before their columns do.
  op.batch_execute("driver_tree_nodes_into_edges", {
    table = "driver_tree_nodes",
    batch_rows = 1000,
    sql = [[
      WITH node AS MATERIALIZED (
        SELECT * FROM driver_tree_nodes AS n WHERE n.parent_id IS NOT NULL AND {range:n} FOR SHARE)
      INSERT INTO driver_tree_edges (child_id, tree_id, parent_id, position, operator)
      SELECT id, tree_id, parent_id, position, operator FROM node
      ON CONFLICT (child_id) DO NOTHING]],
  })

  -- The edges are whole, and count from here on.
  op.drop_index("idx_driver_tree_nodes_parent", { concurrently = true })
  op.drop_view("driver_tree_outline")
  op.drop_trigger("into_edges", "driver_tree_nodes")
  op.drop_function("driver_tree_nodes_into_edges", {})
  op.drop_constraint("ck_driver_tree_nodes_place", "driver_tree_nodes")
  op.drop_constraint("ck_driver_tree_nodes_no_loop", "driver_tree_nodes")
  op.drop_constraint("fk_driver_tree_nodes_parent", "driver_tree_nodes")
  op.drop_column("driver_tree_nodes", "operator")
  op.drop_column("driver_tree_nodes", "position")
  op.drop_column("driver_tree_nodes", "parent_id")
  op.set_table_comment("driver_tree_nodes", "The nodes of all trees, in no order")
end
