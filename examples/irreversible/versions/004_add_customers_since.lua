--- add customers.since
-- Revision ID: 004
-- Revises: 003
-- Create Date: 2025-02-06 10:00:00+00:00
--
-- Reversible again. With change() there is one function for both ways.

revision = "004"
down_revision = "003"

function change()
  op.add_column("customers", op.column("since", "date"))
end
