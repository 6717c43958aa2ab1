--- In a protected environment: what lint calls an error is not applied unless it is allowed.

local fault = require("luamig.fault")
local finding = require("luamig.lint.finding")
local lint = require("luamig.lint")
local registry = require("luamig.lint.registry")

local guard = {}

---The rules that --allow names. Raises: usage (there is none of that name).
---@param list? string[]
---@return table<string, true>
function guard.allowed(list)
  local allowed = {}
  for _, id in ipairs(list or {}) do
    if not registry.get(id) then
      local near = require("luamig.nearest").of(id, registry.ids())
      fault.raise({ kind = "usage", message = ("--allow: there is no rule '%s'"):format(id),
        hint = near and ("did you mean %s?"):format(near) or nil, state = "nothing changed",
        try = "luamig help lint" })
    end
    allowed[id] = true
  end
  return allowed
end

-- What cannot be judged is told, and goes on: a deployment must not depend on PostgreSQL's programs
-- being on the machine that runs it.
local function judged(migration, steps)
  local has_server = pcall(require("luamig.core.server").find)
  if not has_server then
    migration.report.warn("the revisions are not judged: there is no PostgreSQL on this machine; "
      .. "run luamig lint where there is one")
    return nil
  end
  local ids = {}
  for i, step in ipairs(steps) do
    ids[i] = step.id
  end
  local before = migration.report.rehearse("never") -- the run itself shows what is printed
  local ok, result = pcall(lint.run, migration.ctx, {
    base = migration.graph:applied(migration.state.rows), ids = ids,
  })
  migration.report.rehearse(before)
  if ok then
    return result
  elseif not fault.is(result) or result.kind == "interrupted" or result.kind == "config" then
    error(result, 0)
  end
  migration.report.warn(("the revisions could not be judged: %s"):format(tostring(result)))
  return nil
end

local function refuse(migration, list)
  local lines, ids, seen = {}, {}, {}
  for i, item in ipairs(list) do
    lines[i] = ("%s:%d  %s  %s"):format(item.file, item.line or 1, item.rule, item.message)
    if not seen[item.rule] then
      seen[item.rule] = true
      ids[#ids + 1] = "--allow " .. item.rule
    end
  end
  fault.raise({
    kind = "refused",
    message = ("environment '%s' is protected, and %s"):format(migration.cfg.environment or "",
      #list == 1 and "what one statement does is dangerous"
        or ("what %d statements do is dangerous"):format(#list)),
    detail = table.concat(lines, "\n"),
    hint = ("luamig lint %s shows the safe way to write it"):format(list[1].revision),
    file = list[1].file, line = list[1].line, revision = list[1].revision,
    state = "nothing changed",
    try = ("%s %s"):format(migration.command, table.concat(ids, " ")),
  })
end

---Raises: refused (an error of lint that is not allowed), usage (--allow of an unknown rule).
---@param migration table
---@param steps luamig.Step[]  upgrades
function guard.check(migration, steps)
  local allowed = guard.allowed(migration.ctx.options.allow)
  local result = judged(migration, steps)
  local list = {}
  for _, item in ipairs(result and result.findings or {}) do
    if finding.is_at_least(item, "error") and not allowed[item.rule]
      and item.direction == "upgrade" then
      list[#list + 1] = item
    end
  end
  if #list > 0 then
    refuse(migration, list)
  end
end

return guard
