--- accounts.trial_ends is there
-- Revision ID: 003
-- Revises: 002
-- Create Date: 2025-03-05 10:00:00+00:00

revision = "003"
down_revision = "002"

function upgrade()
  -- Reads all rows while others write. A step, so that its lock is gone before the next one.
  op.step("prove that every account has it", function()
    op.validate_constraint("ck_accounts_trial_ends", "accounts")
  end)
  -- The check proves it, so SET NOT NULL does not read the table again.
  op.alter_column("accounts", "trial_ends", { nullable = false })
  op.drop_constraint("ck_accounts_trial_ends", "accounts")
end

function downgrade()
  op.create_check_constraint("ck_accounts_trial_ends", "accounts", "trial_ends IS NOT NULL",
    { not_valid = true })
  op.alter_column("accounts", "trial_ends", { nullable = true })
end
