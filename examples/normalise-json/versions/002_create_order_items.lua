--- create order_items
-- Revision ID: 002
-- Revises: 001
-- Create Date: 2025-03-04 10:00:00+00:00
--
-- The items of each order become rows. The documents keep theirs as long as some release reads them
-- there, and a trigger carries over what is written to them.
--
-- Documents hold what nobody has thought of. What is no item (an object with a sku and a whole
-- quantity) makes no row; fields of an item that have no column go into `more`.

revision = "002"
down_revision = "001"

local insert <const> = [[
  INSERT INTO order_items (order_id, position, sku, quantity, more)
  SELECT o.id, item.at, item.value ->> 'sku', (item.value ->> 'quantity')::integer,
         NULLIF(item.value - 'sku' - 'quantity', '{}')
    FROM %s AS o, jsonb_array_elements(CASE jsonb_typeof(o.doc -> 'items')
           WHEN 'array' THEN o.doc -> 'items' ELSE '[]' END) WITH ORDINALITY AS item (value, at)
   WHERE jsonb_typeof(item.value -> 'sku') = 'string'
     AND jsonb_typeof(item.value -> 'quantity') = 'number'
     AND item.value ->> 'quantity' ~ '^[0-9]{1,9}$']]

function upgrade()
  op.create_table("order_items", {
    op.column("order_id", "bigint"),
    op.column("position", "bigint"),
    op.column("sku", "text", { nullable = false }),
    op.column("quantity", "integer", { nullable = false }),
    op.column("more", "jsonb", { comment = "Fields of the document that have no column" }),
    op.primary_key({ "order_id", "position" }),
    op.foreign_key({ "order_id" }, "orders", { "id" }, { on_delete = "cascade" }),
  })
  op.create_function("order_items_follow", {}, { returns = "trigger", language = "plpgsql",
    body = ([[
BEGIN
  DELETE FROM order_items WHERE order_id = NEW.id;
%s;
  RETURN NULL;
END]]):format(insert:format("(SELECT NEW.id, NEW.doc)")) })
  op.create_trigger("items_follow", "orders", {
    timing = "after", events = { "insert", "update" }, columns = { "doc" }, for_each = "row",
    execute = "order_items_follow" })

  -- Any statement can be run range by range. The orders are locked as they are read: who changes
  -- one waits for the batch, and the trigger then has the last word.
  op.batch_execute("order_items", {
    table = "orders",
    sql = "WITH part AS MATERIALIZED (SELECT id, doc FROM orders WHERE {range} FOR SHARE)\n"
      .. insert:format("part") .. "\nON CONFLICT DO NOTHING",
  })
end

function downgrade()
  op.drop_trigger("items_follow", "orders")
  op.drop_function("order_items_follow", {})
  op.drop_table("order_items") -- the documents have them all
end
