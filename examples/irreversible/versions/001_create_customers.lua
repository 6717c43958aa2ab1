--- create customers
-- Revision ID: 001
-- Create Date: 2025-02-03 10:00:00+00:00
--
-- Reversible: what upgrade() makes, downgrade() takes away, and nothing else.

revision = "001"
down_revision = nil

function upgrade()
  op.create_table("customers", {
    op.column("id", "bigint", { primary_key = true, identity = "always" }),
    op.column("name", "text", { nullable = false }),
    op.column("phone", "text", { comment = "As the customer wrote it" }),
  })
end

function downgrade()
  op.drop_table("customers")
end
