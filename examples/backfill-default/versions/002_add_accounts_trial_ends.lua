--- add accounts.trial_ends
-- Revision ID: 002
-- Revises: 001
-- Create Date: 2025-03-04 10:00:00+00:00
--
-- A default that is the same for all rows would be one line, and free:
--   op.column("plan", "text", { nullable = false, default = "basic" })
-- PostgreSQL keeps it in the catalogue and touches no row. Here the old rows get a value each.

revision = "002"
down_revision = "001"

function upgrade()
  -- Column and default by two calls: in one, the default would be computed for the old rows, too.
  op.add_column("accounts", op.column("trial_ends", "timestamptz"))
  op.alter_column("accounts", "trial_ends", { default = op.sql("now() + interval '14 days'") })
  -- From here on no row without it comes in. Old rows are not looked at, so this takes no time.
  op.create_check_constraint("ck_accounts_trial_ends", "accounts", "trial_ends IS NOT NULL",
    { not_valid = true })

  -- All of the above is committed now. Accounts that come meanwhile have the default; the old ones
  -- follow in batches, and until theirs has come they read as NULL.
  op.batch_execute("accounts_trial_ends", {
    table = "accounts",
    set = { trial_ends = op.sql("created_at + interval '14 days'") },
    remaining = "trial_ends IS NULL",
  })
end

function downgrade()
  op.drop_column("accounts", "trial_ends") -- and the check on it
end
