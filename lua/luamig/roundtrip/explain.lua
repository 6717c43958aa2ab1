--- What is said of a result, in words that all reports share. Pure.

local explain = {}

local functions = { down = "downgrade", data = "downgrade", up = "upgrade",
  ["up again"] = "upgrade" }

---"002 down", or "all the way down".
---@param result luamig.roundtrip.Result
---@return string
function explain.name(result)
  return result.revision and ("%s %s"):format(result.revision, result.step) or result.step
end

---@param result luamig.roundtrip.Result
---@return string|nil  "versions/002_x.lua:14"
function explain.place(result)
  if not result.file then
    return nil
  end
  return result.line and ("%s:%d"):format(result.file, result.line) or result.file
end

local function fault_lines(result, lines_of_fault)
  local lines = {}
  local is_headline = true
  for _, line in ipairs(lines_of_fault(result.fault)) do
    is_headline = is_headline and not line:find("^  %S") -- a message of several lines
    if not is_headline then
      lines[#lines + 1] = line:gsub("^  ", "")
    end
  end
  return lines
end

local MISSING_AT_MOST <const> = 20 -- lines

local function add_missing(lines, missing)
  lines[#lines + 1] = "missing on the way down:"
  for i = 1, math.min(#missing, MISSING_AT_MOST) do
    lines[#lines + 1] = "  " .. missing[i]
  end
  if #missing > MISSING_AT_MOST then
    lines[#lines + 1] = ("  … and %d lines more"):format(#missing - MISSING_AT_MOST)
  end
end

local function own_lines(result)
  local lines = {}
  if result.file and result.status == "failed" then
    local fn = result.direction or functions[result.step]
    lines[1] = explain.place(result) .. (fn and ("  %s()"):format(fn) or "")
  end
  for _, line in ipairs(result.lines or {}) do
    lines[#lines + 1] = "  " .. line
  end
  if result.missing and #result.missing > 0 then
    add_missing(lines, result.missing)
  end
  if result.hint then
    lines[#lines + 1] = "hint:  " .. result.hint
  end
  return lines
end

---Everything below the headline, which is `result.message`.
---@param result luamig.roundtrip.Result
---@param lines_of_fault fun(f: table): string[]  of luamig.report
---@return string[]
function explain.lines(result, lines_of_fault)
  return result.fault and fault_lines(result, lines_of_fault) or own_lines(result)
end

---@param ms integer
---@return string  "12 ms", "1.2 s"
function explain.duration(ms)
  return ms < 1000 and ("%d ms"):format(ms) or ("%.1f s"):format(ms / 1000)
end

---"5 revisions tested: 3 passed, 1 failed, 1 irreversible"
---@param summary luamig.roundtrip.Summary
---@return string
function explain.summary(summary)
  local pieces = { ("%d passed"):format(summary.passed) }
  for _, what in ipairs({ "failed", "irreversible", "skipped" }) do
    if summary[what] > 0 then
      pieces[#pieces + 1] = ("%d %s"):format(summary[what], what)
    end
  end
  return ("%d revision%s tested: %s"):format(summary.tested, summary.tested == 1 and "" or "s",
    table.concat(pieces, ", "))
end

-- The function that a failed step is about: "the downgrade of 002".
local function culprit(result)
  local id = result.revision or result.fault and result.fault.revision
  if not id then
    return nil
  elseif result.step == "up again" then -- the downgrade left something, or the upgrade depends
    return "revision " .. id
  end
  local fn = result.direction or functions[result.step] or result.fault.direction
  return fn and ("the %s of %s"):format(fn, id)
end

---What is to be mended, in words: one function when only one is to blame.
---@param results luamig.roundtrip.Result[]
---@return string
function explain.to_mend(results)
  local found
  for _, result in ipairs(results) do
    if result.status == "failed" then
      local this = culprit(result)
      if not this or found and found ~= this then
        return "what is marked FAIL"
      end
      found = this
    end
  end
  return found
end

return explain
