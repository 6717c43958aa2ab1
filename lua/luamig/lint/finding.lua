--- A finding: a rule, a place, the statement, and the safe way to write it.

local duration = require("luamig.lint.duration")

local finding = {}

---@class luamig.lint.Finding
---@field rule string      "LOCK001"
---@field severity "error"|"warning"|"info"
---@field title string
---@field message string
---@field file string
---@field line? integer
---@field caller? { file: string, line: integer }  op.execute_file, when the place is in its file
---@field revision string
---@field direction "upgrade"|"downgrade"
---@field sql? string      the statement, and where in it the caret goes
---@field position? integer  in characters from 1
---@field op? string
---@field subject? string  the table
---@field safe string      Lua
---@field duration? string its class, when --stats told the size
---@field ignored? string  the reason

finding.rank = { info = 1, warning = 2, error = 3 }

-- The place of a name in a text, in characters from 1.
local function position_of(sql, name)
  local at = name and sql:find(name, 1, true)
  return at and utf8.len(sql:sub(1, at - 1)) and utf8.len(sql:sub(1, at - 1)) + 1 or nil
end

local function line_of_function(facts)
  local name = facts.rev.change and "change" or facts.direction
  local fn = facts.rev[name]
  return fn and debug.getinfo(fn, "S").linedefined or nil
end

local function severity_of(rule, given, facts)
  local cfg = facts.cfg
  local chosen = cfg.lint.severity and cfg.lint.severity[rule.id]
  if chosen then
    return chosen
  elseif rule.is_compat then
    if cfg.compat == "off" then
      return "off"
    elseif cfg.compat == "error" then
      return "error"
    end
  end
  return given.severity or rule.severity
end

local scaled = { LOCK = true, REWRITE = true }
local by_rows = { DATA004 = true, DATA006 = true }

-- On a table that is small in production, what takes long elsewhere takes a moment.
local function scale(out, rule, given, facts)
  if not facts.stats or not given.entry then
    return
  end
  out.duration = duration.class(duration.of(given.entry, facts))
  local is_of_size = out.severity == "error" and scaled[rule.id:match("^%u+")] or by_rows[rule.id]
  local chosen = facts.cfg.lint.severity and facts.cfg.lint.severity[rule.id]
  if is_of_size and out.duration == "instant" and not chosen then
    out.severity = "info"
  end
end

-- Of a statement that ran, or of the fault of one that did not.
local function place_of(given)
  local entry, f = given.entry, given.fault
  if entry then
    return entry.origin, entry.sql, position_of(entry.sql, given.name)
  elseif f then
    return f, f.statement, f.position
  end
  return {}
end

---@param rule luamig.lint.Rule
---@param given table  { message=, safe=, entry=?, subject=?, name=?, severity=?, fault=? }
---@param facts luamig.lint.Facts
---@return luamig.lint.Finding|nil  nil when the rule is off
function finding.new(rule, given, facts)
  local place, sql, position = place_of(given)
  local out = {
    rule = rule.id, severity = severity_of(rule, given, facts), title = rule.title,
    message = given.message, file = place.file or facts.rev.file,
    line = place.line or line_of_function(facts), revision = facts.rev.id,
    direction = facts.direction, sql = sql, op = given.entry and given.entry.op,
    subject = given.subject and given.subject.shown, safe = given.safe or rule.safe,
    position = position, caller = given.entry and given.entry.caller,
  }
  if out.severity == "off" then
    return nil
  end
  scale(out, rule, given, facts)
  return out
end

---Whether one is at least as severe as a level.
---@param level "error"|"warning"|"info"|"never"
function finding.is_at_least(item, level)
  return level ~= "never" and finding.rank[item.severity] >= finding.rank[level]
end

return finding
