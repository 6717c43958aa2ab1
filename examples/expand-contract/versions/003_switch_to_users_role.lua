--- switch: users.role
-- Revision ID: 003
-- Revises: 002
-- Create Date: 2025-03-11 10:00:00+00:00
--
-- With release 2, which reads and writes role alone. Release 1 may still run, and may come back.

revision = "003"
down_revision = "002"

function upgrade()
  op.require_backfill("users_role")
  op.step("prove that every user has a role", function()
    op.validate_constraint("ck_users_role", "users")
  end)
  op.alter_column("users", "role", { nullable = false }) -- proven: nothing is read
end

function downgrade()
  -- Unproven, as 002 leaves it.
  op.drop_constraint("ck_users_role", "users")
  op.create_check_constraint("ck_users_role", "users",
    "role IS NOT NULL AND role IN ('admin', 'member')", { not_valid = true })
  op.alter_column("users", "role", { nullable = true })
end
