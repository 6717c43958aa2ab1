--- items leave the documents
-- Revision ID: 003
-- Revises: 002
-- Create Date: 2025-03-18 10:00:00+00:00
--
-- When every release that runs reads and writes order_items. Of a document all of whose items are
-- rows, the items go; the others stay as they are, to be looked at, and nothing is lost:
--   SELECT id, doc FROM orders WHERE doc ? 'items'

-- The way back gives every document the items of its order. Those that had none before, although
-- there are rows, get some, too: no release writes that, but whoever reads this should know.

revision = "003"
down_revision = "002"
data_loss = "which documents had no items although order_items had"

local items <const> = "(SELECT count(*) FROM order_items i WHERE i.order_id = orders.id)"

-- The same text as in 002: a revision stays what it was, so it shares nothing with others.
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
  -- First of all: with it, the rows would follow the documents into nothing.
  op.drop_trigger("items_follow", "orders")
  op.drop_function("order_items_follow", {})
  op.batch_execute("items_leave", {
    table = "orders",
    set = { doc = op.sql("doc - 'items'") },
    remaining = ([[%s > 0 AND %s = CASE jsonb_typeof(doc -> 'items')
      WHEN 'array' THEN jsonb_array_length(doc -> 'items') END]]):format(items, items),
  })
end

function downgrade()
  -- Back into the documents, in their order. What is written to order_items meanwhile does not come
  -- along: stop the release that does so first.
  op.batch_execute("items_return", {
    table = "orders",
    set = { doc = op.sql([[doc || jsonb_build_object('items', (
      SELECT jsonb_agg(jsonb_build_object('sku', i.sku, 'quantity', i.quantity)
               || coalesce(i.more, '{}') ORDER BY i.position)
        FROM order_items i WHERE i.order_id = orders.id))]]) },
    remaining = ("%s > 0 AND NOT doc ? 'items'"):format(items),
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
end
