--- What must not be reported, and why: comments above a call, and the config.
--
--   -- luamig: ignore LOCK001 the table has 200 rows
--   op.create_index("i", "settings", { "name" })
--
-- In an SQL file that op.execute_file runs, such a comment stands above the statement.

local fault = require("luamig.fault")
local registry = require("luamig.lint.registry")

local ignores = {}

local Ignores = {}
Ignores.__index = Ignores

local function suggestion(id)
  local near = require("luamig.nearest").of(id, registry.ids())
  return near and ("did you mean %s?"):format(near) or nil
end

local function lines_of(text)
  local lines = {}
  for line in (text .. "\n"):gmatch("(.-)\n") do
    lines[#lines + 1] = line
  end
  return lines
end

-- The line that a comment speaks of: its own, when code stands before it, else the next with code.
local function target_of(lines, at)
  if not lines[at]:find("^%s*%-%-") then
    return at
  end
  for i = at + 1, #lines do
    if lines[i]:find("%S") and not lines[i]:find("^%s*%-%-") then
      return i
    end
  end
  return at
end

---@return table[]  { line=, target=, ids=, reason=, file= }
local function comments_of(file, text)
  local out, lines = {}, lines_of(text)
  for i, line in ipairs(lines) do
    local rest = line:match("%-%-%s*luamig:%s*ignore%s*(.*)$")
    if rest then
      local ids = {}
      rest = rest:gsub("^[%s,]*(%u+%d+)", function(id)
        ids[1] = id
        return ""
      end)
      while #ids > 0 and rest:find("^%s*,?%s*%u+%d+") do
        rest = rest:gsub("^%s*,?%s*(%u+%d+)", function(id)
          ids[#ids + 1] = id
          return ""
        end, 1)
      end
      out[#out + 1] = { line = i, target = target_of(lines, i), ids = ids, file = file,
        reason = rest:match("^%s*(.-)%s*$"), used = {} }
    end
  end
  return out
end

local severities = { error = true, warning = true, info = true, off = true }

local function config_raise(cfg, message, hint)
  fault.raise({ kind = "config", message = message, hint = hint, file = cfg.file })
end

local check_values

local known_keys = { ignore = true, severity = true }

-- Raises: config (an unknown key or rule, a reason that is missing).
local function check_config(cfg)
  for key in pairs(cfg.lint) do
    if not known_keys[key] then
      config_raise(cfg, ("unknown key 'lint.%s'"):format(tostring(key)), "known: ignore, severity")
    end
  end
  for _, key in ipairs({ "ignore", "severity" }) do
    for id in pairs(cfg.lint[key] or {}) do
      if not registry.get(id) then
        config_raise(cfg, ("lint.%s: there is no rule '%s'"):format(key, tostring(id)),
          suggestion(tostring(id)))
      end
    end
  end
  check_values(cfg)
end

function check_values(cfg)
  for id, reason in pairs(cfg.lint.ignore or {}) do
    if type(reason) ~= "string" or not reason:find("%S") then
      config_raise(cfg, ("lint.ignore.%s must be the reason, a text"):format(id))
    end
  end
  for id, severity in pairs(cfg.lint.severity or {}) do
    if not severities[severity] then
      config_raise(cfg, ("lint.severity.%s must be \"error\", \"warning\", \"info\" or \"off\"")
        :format(id))
    end
  end
end

---@param cfg luamig.Config
function ignores.new(cfg)
  check_config(cfg)
  return setmetatable({ cfg = cfg, of_config = cfg.lint.ignore or {}, used = {}, comments = {} },
    Ignores)
end

---Reads the comments of a file that is judged: a revision, or an SQL file that one runs.
---@param file string
---@param text string
function Ignores:read(file, text)
  for _, comment in ipairs(comments_of(file, text)) do
    self.comments[#self.comments + 1] = comment
  end
end

-- Whether a comment speaks of a place.
local function is_of(comment, place)
  return place ~= nil and comment.file == place.file and comment.target == place.line
end

---The reason why a finding is ignored, or nil.
---@param finding luamig.lint.Finding
---@return string|nil
function Ignores:reason(finding)
  for _, comment in ipairs(self.comments) do
    if comment.reason ~= "" and (is_of(comment, finding) or is_of(comment, finding.caller)) then
      for _, id in ipairs(comment.ids) do
        if id == finding.rule then
          comment.used[id] = true
          return comment.reason
        end
      end
    end
  end
  local reason = self.of_config[finding.rule]
  self.used[finding.rule] = reason and true or self.used[finding.rule]
  return reason
end

-- What is wrong with a comment: { rule, message } each.
local function defects_of(comment)
  if #comment.ids == 0 then
    return { { "LINT003", "no rule is named: -- luamig: ignore RULE reason" } }
  elseif comment.reason == "" then
    return { { "LINT001", ("the reason is missing: -- luamig: ignore %s <why>"):format(
      comment.ids[1]) } }
  end
  local out = {}
  for _, id in ipairs(comment.ids) do
    if not registry.get(id) then
      local near = suggestion(id)
      out[#out + 1] = { "LINT003", ("there is no rule %s%s"):format(id,
        near and "; " .. near or "") }
    elseif not comment.used[id] then
      out[#out + 1] = { "LINT002", ("%s is not found on line %d"):format(id, comment.target) }
    end
  end
  return out
end

---Findings about the comments and the config themselves; after all reasons were asked for.
---@param is_whole boolean  all revisions were judged, so what is unused in the config is unused
---@return table[]  { rule=, message=, file=, line= }
function Ignores:defects(is_whole)
  local out = {}
  for _, comment in ipairs(self.comments) do
    for _, defect in ipairs(defects_of(comment)) do
      out[#out + 1] = { rule = defect[1], message = defect[2], file = comment.file,
        line = comment.line }
    end
  end
  for id in pairs(is_whole and self.of_config or {}) do
    if not self.used[id] then
      out[#out + 1] = { rule = "LINT002", message = ("lint.ignore.%s is not needed"):format(id),
        file = self.cfg.file }
    end
  end
  table.sort(out, function(a, b)
    return a.message < b.message
  end)
  return out
end

return ignores
