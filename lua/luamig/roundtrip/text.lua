--- The report for people: a line a revision, and under it what is wrong.

local explain = require("luamig.roundtrip.explain")

local text = {}

local Text = {}
Text.__index = Text

local marks = {
  passed = { "ok   ", "green" }, failed = { "FAIL ", "red" },
  irreversible = { "stays", "yellow" }, skipped = { "skip ", "yellow" },
}

---@param options { out: fun(line: string), styled: fun(color: string, text: string): string,
---  lines_of_fault: function, progress: fun(line: string|nil), strict?: boolean }
---  out: prints a line; progress: shows one that the next replaces
---@return table  an observer
function text.new(options)
  return setmetatable({ options = options, done = 0, count = 0 }, Text)
end

function Text:line(verdict, line)
  local mark = marks[verdict == "irreversible" and self.options.strict and "failed" or verdict]
  self.options.out(("%s %s"):format(self.options.styled(mark[2], mark[1]), line))
end

local BAR_WIDTH <const> = 24

function Text:show_progress()
  if self.count > 0 then
    local filled = BAR_WIDTH * self.done // self.count
    self.options.progress(("[%s%s] %d of %d revisions"):format(("#"):rep(filled),
      ("."):rep(BAR_WIDTH - filled), self.done, self.count))
  end
end

function Text:begin(info)
  self.count = info.count
  self:show_progress()
end

local function times(results)
  local pieces = {}
  for _, result in ipairs(results) do
    if result.ms and result.status == "passed" then
      pieces[#pieces + 1] = ("%s %s"):format(result.step, explain.duration(result.ms))
    end
  end
  return #pieces > 0 and "  (" .. table.concat(pieces, ", ") .. ")" or ""
end

function Text:details(result)
  local out = self.options.out
  out(("      %s%s"):format(result.revision and result.step .. ": " or "", result.message))
  for _, line in ipairs(explain.lines(result, self.options.lines_of_fault)) do
    out("        " .. line)
  end
end

-- A loss that is declared is worth a line; its rows are not.
local function remark(result)
  if result.warning then
    return ("%s: warning: %s"):format(result.step, result.warning)
  elseif result.status == "irreversible" then
    return "irreversible: " .. result.message
  elseif result.status == "passed" and result.message then
    return ("%s: %s"):format(result.step, result.message)
  end
  return nil
end

function Text:revision(one)
  local name = one.title and one.title ~= "" and ("%s  %s"):format(one.id, one.title) or one.id
  self:line(one.verdict, name .. (one.verdict == "passed" and times(one.results) or ""))
  for _, result in ipairs(one.results) do
    if result.status == "failed" then
      self:details(result)
    elseif remark(result) then
      self.options.out("      " .. remark(result))
    elseif one.verdict == "skipped" then
      self.options.out("      " .. result.message)
    end
  end
  self.done = self.done + 1
  self:show_progress()
end

function Text:result(result)
  if result.revision then
    return
  end
  self:line(result.status, result.step .. (result.ms and result.status == "passed"
    and ("  (%s)"):format(explain.duration(result.ms)) or ""))
  if result.message then
    self:details(result)
  end
end

function Text:finish(summary)
  self.options.progress(nil)
  if summary.tested + summary.skipped == 0 then
    self.options.out("nothing to test: no revision is in the range")
    return
  end
  self.options.out("")
  self.options.out(("%s, in %s on PostgreSQL %d"):format(explain.summary(summary),
    explain.duration(summary.ms), summary.server_version // 10000))
end

function Text:unfilled(one)
  self.options.out(("      not filled: %s: %s"):format(one.identity, one.why))
end

return text
