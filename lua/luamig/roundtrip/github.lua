--- The report for GitHub Actions: annotations at the lines of the files, and a table for the step
-- summary. Pure.

local explain = require("luamig.roundtrip.explain")

local github = {}

local Github = {}
Github.__index = Github

---@param options { out: fun(text: string), lines_of_fault: function, strict?: boolean,
---  path: fun(file: string): string, append_summary: fun(markdown: string) }
---  path: a file as it is called from the root of the repository
---@return table  an observer
function github.new(options)
  return setmetatable({ options = options, revisions = {}, whole = {} }, Github)
end

local function data(text)
  return (text:gsub("[%%\r\n]", { ["%"] = "%25", ["\r"] = "%0D", ["\n"] = "%0A" }))
end

local function property(text)
  return (data(text):gsub("[:,]", { [":"] = "%3A", [","] = "%2C" }))
end

function Github:annotate(level, result, message, lines)
  local properties = {}
  if result.file then
    properties[1] = "file=" .. property(self.options.path(result.file))
    properties[2] = result.line and ("line=%d"):format(result.line)
  end
  properties[#properties + 1] = "title=" .. property("luamig: " .. explain.name(result))
  local text = { message, table.unpack(lines) }
  self.options.out(("::%s %s::%s\n"):format(level, table.concat(properties, ","),
    data(table.concat(text, "\n"))))
end

function Github:result(result)
  if not result.revision then
    self.whole[#self.whole + 1] = result
  end
  if result.status == "failed" then
    self:annotate("error", result, result.message or "failed",
      explain.lines(result, self.options.lines_of_fault))
  elseif result.status == "irreversible" then
    self:annotate(self.options.strict and "error" or "notice", result,
      "irreversible: " .. result.message, {})
  elseif result.warning then
    self:annotate("warning", result, result.warning, {})
  end
end

function Github:revision(one)
  self.revisions[#self.revisions + 1] = one
end

-- Text inside a cell of a table.
local function cell(text)
  return (text:gsub("[|\\`*_<>]", "\\%0"):gsub("%s+", " "))
end

local symbols = { passed = "✅", failed = "❌", irreversible = "⚠️", skipped = "⏭️" }

local function status(results, step)
  for _, result in ipairs(results) do
    if result.step == step then
      return symbols[result.status]
        .. (result.ms and result.status == "passed" and " " .. explain.duration(result.ms) or "")
    end
  end
  return ""
end

local function first_message(results)
  for _, result in ipairs(results) do
    if result.status ~= "passed" and result.message then
      return ("%s: %s"):format(result.step, result.message)
    end
  end
  for _, result in ipairs(results) do
    if result.warning or result.message then
      return result.warning or result.message
    end
  end
  return ""
end

local ROWS_AT_MOST <const> = 200 -- a summary may be 1 MiB at most

-- What passed is left out when there is much.
local function told(revisions)
  if #revisions <= ROWS_AT_MOST then
    return revisions
  end
  local out = {}
  for _, one in ipairs(revisions) do
    if one.verdict ~= "passed" and #out < ROWS_AT_MOST then
      out[#out + 1] = one
    end
  end
  return out
end

---The summary as Markdown.
---@return string
function Github:markdown(summary)
  local lines = {
    "### luamig test-roundtrip", "",
    ("%s %s, in %s"):format(summary.ok and "✅" or "❌", explain.summary(summary),
      explain.duration(summary.ms)), "",
    "| revision | | up | down | up again | data | |", "|---|---|---|---|---|---|---|",
  }
  for _, one in ipairs(told(self.revisions)) do
    lines[#lines + 1] = ("| %s | %s | %s | %s | %s | %s | %s |"):format(cell(one.id),
      cell(one.title or ""), status(one.results, "up"), status(one.results, "down"),
      status(one.results, "up again"), status(one.results, "data"),
      cell(first_message(one.results)))
  end
  for _, result in ipairs(self.whole) do
    lines[#lines + 1] = ("| %s | | %s | | | | %s |"):format(result.step,
      symbols[result.status], cell(result.message or ""))
  end
  return table.concat(lines, "\n") .. "\n"
end

function Github:finish(summary)
  self.options.append_summary(self:markdown(summary))
end

return github
