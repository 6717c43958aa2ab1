--- Control: where a revision commits, what may fail, what cannot be undone.

local fault = require("luamig.fault")

return {
  {
    name = "step",
    family = "control",
    summary = "Commits what came before, then runs a function in a transaction of its own.",
    doc = "Each step is journaled in its own transaction: when the revision is run again after a "
      .. "failure or a crash, committed steps are passed over and the results of their queries are "
      .. "taken from the journal. Scripts must therefore do the same calls again.",
    raises = "edited when the file no longer makes the statements that were committed",
    example = [[op.step("copy names", function() op.execute("UPDATE …") end)]],
    parameters = {
      { name = "name", type = "string", doc = "shown while it runs" },
      { name = "fn", type = "function", doc = "what to do" },
    },
    record = false,
    runs_function = true,
    call = function(args, executor, place)
      return executor:step(args.name, args.fn, place)
    end,
  },
  {
    name = "autocommit",
    family = "control",
    summary = "Commits what came before, then runs each statement of a function by itself.",
    doc = "For what PostgreSQL refuses inside a transaction, and for procedures that commit. A "
      .. "statement that may run in a transaction is committed together with its entry in the "
      .. "journal, so that a rerun does it exactly once. One that may not (VACUUM, CALL) is run "
      .. "again when its end was not seen.",
    example = [[op.autocommit(function() op.execute("CALL archive_old_rows()") end)]],
    parameters = { { name = "fn", type = "function", doc = "what to do" } },
    record = false,
    runs_function = true,
    call = function(args, executor, place)
      return executor:autocommit(args.fn, place)
    end,
  },
  {
    name = "savepoint",
    family = "control",
    summary = "Runs a function inside a savepoint.",
    doc = "When the function fails, what it did is rolled back and the error is raised again; "
      .. "pcall around op.savepoint is the only way to go on after a failed statement.",
    example = [[local ok, why = pcall(op.savepoint, function() op.execute("…") end)]],
    parameters = { { name = "fn", type = "function", doc = "what to do" } },
    returns = "any",
    record = false,
    runs_function = true,
    call = function(args, executor, place)
      return executor:savepoint(args.fn, place)
    end,
  },
  {
    name = "irreversible",
    family = "control",
    summary = "Says that the revision cannot be undone, and why.",
    doc = "In downgrade(). With the header `irreversible = \"reason\"` luamig knows it before it "
      .. "begins.",
    raises = "refused, always",
    example = [[function downgrade() op.irreversible("the old keys were destroyed") end]],
    parameters = { { name = "reason", type = "string", doc = "shown to who tries" } },
    call = function(args, _, place)
      fault.raise({
        kind = "refused",
        message = "the revision cannot be undone: " .. args.reason,
        try = "go forward with a new revision, or restore a backup",
        origin = "irreversible",
        file = place.file,
        line = place.line,
      })
    end,
    inverse = function()
      return nil, "it says so itself"
    end,
  },
}
