--- Judges revisions by what they do on a throwaway server: each is run there, back and there again,
-- and the rules look at what was measured.

local facts_of = require("luamig.lint.facts")
local fault = require("luamig.fault")
local files = require("luamig.files")
local finding = require("luamig.lint.finding")
local ignores = require("luamig.lint.ignores")
local registry = require("luamig.lint.registry")
local rig = require("luamig.rig")

local lint = {}

local function identity_of(item)
  return table.concat({ item.rule, item.file, item.line or 0, item.message }, "\0")
end

-- Lets every rule look at one direction.
local function judge_direction(facts, add)
  for _, rule in ipairs(registry.rules()) do
    if not (rule.since and facts.version < rule.since) then
      rule.check(facts, function(given)
        local item = finding.new(rule, given, facts)
        if item then
          add(item)
        end
      end)
    end
  end
end

---What the rules say of a measured revision.
---@param measured luamig.Measured
---@param about { cfg: table, version: integer, stats: table|nil, rows: integer|nil }
---@return luamig.lint.Finding[]
function lint.judge(measured, about)
  local list, seen = {}, {}
  local function add(item)
    local identity = identity_of(item)
    if not seen[identity] then
      seen[identity] = true
      list[#list + 1] = item
    end
  end
  judge_direction(facts_of.new(measured, "upgrade", about), add)
  if measured.down then
    judge_direction(facts_of.new(measured, "downgrade", about), add)
  end
  return list
end

-- By revision, line, and what is worst.
local function by_place(order)
  local function place_of(item)
    return { order[item.revision] or 0, (item.caller or item).line or 0, item.line or 0,
      -finding.rank[item.severity], item.rule }
  end
  return function(a, b)
    local one, other = place_of(a), place_of(b)
    for i, part in ipairs(one) do
      if part ~= other[i] then
        return part < other[i]
      end
    end
    return false
  end
end

local function add_defects(self, result, is_whole)
  for _, defect in ipairs(self.ignores:defects(is_whole)) do
    local rule = registry.get(defect.rule)
    local rev = self.by_file[defect.file]
    result.findings[#result.findings + 1] = {
      rule = rule.id, severity = rule.severity, title = rule.title, message = defect.message,
      file = defect.file, line = defect.line, revision = rev and rev.id or "",
      direction = "upgrade", safe = rule.safe,
    }
  end
end

local function sort_out(self, list, result)
  for _, item in ipairs(list) do
    item.ignored = self.ignores:reason(item)
    local into = item.ignored and result.ignored or result.findings
    into[#into + 1] = item
  end
end

-- The SQL files of op.execute_file: comments in them ignore rules too.
local function read_scripts(self, measured)
  for _, traced in ipairs({ measured.up or {}, measured.down or {} }) do
    for _, entry in ipairs(traced.entries or {}) do
      local file = entry.caller and entry.origin.file
      if file and not self.by_file[file] then
        self.by_file[file] = measured.rev
        self.ignores:read(file, files.read(file) or "")
      end
    end
  end
end

-- Goes on behind a revision whose downgrade did not run.
local function go_on(r, base, ids, count)
  local done = table.move(ids, 1, count, #base + 1, table.move(base, 1, #base, 1, {}))
  local ok, is_renewed = pcall(r.renew, r, done)
  return ok and is_renewed
end

-- A revision that does not run stops the line: what follows it cannot be judged.
local function judge_all(self, r, base, ids, result)
  for i, id in ipairs(ids) do
    local measured = r:measure(id)
    self.ignores:read(measured.rev.file, measured.rev.text)
    read_scripts(self, measured)
    self.by_file[measured.rev.file] = measured.rev
    sort_out(self, lint.judge(measured, { cfg = self.cfg, version = r.version,
      stats = self.stats, rows = r.rows }), result)
    result.judged[#result.judged + 1] = id
    local has_failed = measured.failure
      or (measured.down_failure or measured.again_failure) and i < #ids
      and not go_on(r, base, ids, i)
    if has_failed then
      result.unjudged = table.move(ids, i + 1, #ids, 1, {})
      return
    end
  end
end

---@class luamig.lint.Result
---@field findings luamig.lint.Finding[]
---@field ignored luamig.lint.Finding[]
---@field judged string[]    ids
---@field unjudged string[]  ids behind a revision that does not run
---@field version integer    of the server

---Runs and judges revisions. Raises: config, graph, script, connection; what fails in a revision
---that is judged is a finding, in one before them a fault.
---@param ctx table  luamig.session
---@param options { base: string[], ids: string[], stats?: table, server?: string }
---  base: applied without a look; server: URL of one to use instead of a throwaway one
---@return luamig.lint.Result
function lint.run(ctx, options)
  local cfg, graph = ctx:config(), ctx:graph()
  local self = { cfg = cfg, stats = options.stats, ignores = ignores.new(cfg), by_file = {} }
  local result = { findings = {}, ignored = {}, judged = {}, unjudged = {} }
  if #options.ids == 0 then
    return result
  end
  local r <close> = rig.open(ctx, { server = options.server })
  result.version = r.version
  local ok, f = pcall(r.apply, r, options.base)
  if not ok then
    if fault.is(f) then
      fault.complete(f, { hint = "the revisions before those to be judged must run on an empty "
        .. "database" })
      f.state = nil
    end
    error(f, 0)
  end
  judge_all(self, r, options.base, options.ids, result)
  add_defects(self, result, #options.ids == #graph:ids())
  local order = {}
  for i, id in ipairs(graph:ids()) do
    order[id] = i
  end
  table.sort(result.findings, by_place(order))
  table.sort(result.ignored, by_place(order))
  return result
end

---How many findings of each severity there are.
---@return { error: integer, warning: integer, info: integer }
function lint.counts(list)
  local counts = { error = 0, warning = 0, info = 0 }
  for _, item in ipairs(list) do
    counts[item.severity] = counts[item.severity] + 1
  end
  return counts
end

return lint
