--- Batched migrations in a revision. Online, the work is done over connections of its own, so the
-- revision commits before it. Its segment is announced in the journal, and the moment of it names
-- this application of the revision: whatever is killed, it is gone on with, and done once.

local batch_spec = require("luamig.batch_spec")
local digest = require("luamig.core.digest")
local fault = require("luamig.fault")

local batches = {}

-- A failure is told with the line of the call.
local function placed(origin, operation, fn, ...)
  local ok, f = pcall(fn, ...)
  if ok then
    return f
  elseif fault.is(f) then
    fault.complete(f, { file = origin.file, line = origin.line, origin = operation })
  end
  return error(f, 0)
end

local function alone(self, operation, text, origin, work, is_gate)
  self:run({
    sql = operation .. " " .. text,
    transactional = false,
    op = operation,
    origin = origin,
    is_gate = is_gate,
    work = function(started)
      placed(origin, operation, work, started)
    end,
  })
end

-- The journal knows it by what it does, but for the functions: those are the engine's to compare.
local function known_as(spec)
  return ("%s (%s)"):format(spec.name, digest.sha256(batch_spec.encode(spec)):sub(1, 12))
end

local function batch_execute(self, spec, origin)
  alone(self, "batch_execute", known_as(spec), origin, function(started)
    self.batches():run(spec, started, self.context)
  end)
end

-- Registered in the revision's own transaction: it is there when the revision is.
local function backfill(self, spec, origin)
  local conn = {
    exec = function(_, sql, params)
      return self:query({
        sql = sql,
        params = params,
        op = "backfill",
        origin = origin,
        transactional = true,
      })
    end,
  }
  local provider = self.batches()
  placed(origin, "backfill", provider.register, provider, conn, spec, self.context)
end

-- A gate: where it does not let through, nothing of the revision has been done.
local function require_backfill(self, args, origin)
  alone(self, "require_backfill", args.name, origin, function()
    self.batches():require_finished(args)
  end, true)
end

---Gives an executor that runs online the operations for batched migrations.
---@param Online table  its methods
function batches.extend(Online)
  Online.batch_execute = batch_execute
  Online.backfill = backfill
  Online.require_backfill = require_backfill
end

-- Without a database there is nobody who could do the work later: it is done by the script, too.
local function offline_batch(operation)
  return function(self, spec, origin)
    local batch_script = require("luamig.batch_script")
    placed(origin, operation, function()
      self:run({
        sql = batch_script.render(spec, self.settings),
        transactional = false,
        op = operation,
        origin = origin,
      })
    end)
  end
end

---Gives an executor that writes a script the operations for batched migrations.
---@param Offline table  its methods
function batches.extend_offline(Offline)
  Offline.batch_execute = offline_batch("batch_execute")
  Offline.backfill = offline_batch("backfill")
  Offline.require_backfill = function(self, args)
    self:note(("the backfill '%s' is done by this script, or was before it"):format(args.name))
  end
end

return batches
