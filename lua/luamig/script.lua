--- Runs one direction of a revision's script on an executor, whatever form the file has.

local change = require("luamig.change")
local clock = require("luamig.core.clock")
local fault = require("luamig.fault")
local op = require("luamig.op")
local revision = require("luamig.revision")

local script = {}

-- A script that only computes must stop for Ctrl-C too.
local function interruptible(fn)
  clock.stop_at_signal(true)
  local restore <close> = setmetatable({}, { -- luacheck: no unused
    __close = function()
      clock.stop_at_signal(false)
    end,
  })
  return fn()
end

---What the header says about undoing: raises before anything runs.
---Raises: refused (irreversible), script (no downgrade function).
function script.check(rev, direction)
  if direction ~= "downgrade" then
    return
  elseif rev.irreversible then
    fault.raise({
      kind = "refused",
      message = ("revision %s cannot be undone: %s"):format(rev.id, rev.irreversible),
      file = rev.file,
      revision = rev.id,
      state = "nothing changed",
      try = "go forward with a new revision, or restore a backup",
    })
  elseif not rev.downgrade and not rev.change then
    fault.raise({
      kind = "script",
      message = ("revision %s has no downgrade()"):format(rev.id),
      hint = 'if it cannot be undone, say so: irreversible = "reason"',
      file = rev.file,
      revision = rev.id,
      state = "nothing changed",
    })
  end
end

---Raises: script, operation, and whatever the executor raises.
---@param rev luamig.Revision
---@param direction "upgrade"|"downgrade"
---@param executor table
function script.run(rev, direction, executor)
  interruptible(function()
    op.with(executor, function()
      if rev.change and direction == "downgrade" then
        change.downgrade(rev, executor)
      elseif rev.transactional then
        revision.call(rev, rev.change and "change" or direction)
      else
        executor:autocommit(function()
          revision.call(rev, rev.change and "change" or direction)
        end)
      end
    end)
  end)
end

return script
