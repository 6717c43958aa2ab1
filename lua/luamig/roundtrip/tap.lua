--- The report in the Test Anything Protocol, version 13: a test point a step. Pure.

local explain = require("luamig.roundtrip.explain")

local tap = {}

local Tap = {}
Tap.__index = Tap

---@param options { out: fun(text: string), lines_of_fault: function, strict?: boolean }
---@return table  an observer
function tap.new(options)
  return setmetatable({ options = options, count = 0 }, Tap)
end

-- "#" begins a directive.
local function description(text)
  return (text:gsub("%s+", " "):gsub("[\\#]", "\\%0"))
end

function Tap:head()
  if not self.has_head then
    self.has_head = true
    self.options.out("TAP version 13\n")
  end
end

local function block(message, lines)
  local out = { "  ---\n", "  message: |\n", "    ", (message:gsub("\n", "\n    ")), "\n" }
  if #lines > 0 then
    out[#out + 1] = "  details: |\n"
    for _, line in ipairs(lines) do
      out[#out + 1] = "    " .. line .. "\n"
    end
  end
  out[#out + 1] = "  ...\n"
  return table.concat(out)
end

local function directive(result)
  if result.status == "irreversible" then
    return " # SKIP irreversible: " .. description(result.message)
  elseif result.status == "skipped" then
    return " # SKIP " .. description(result.message or "")
  end
  return result.ms and (" # time=%dms"):format(result.ms) or ""
end

local function name_of(result)
  local title = result.title ~= "" and result.title
  return description(explain.name(result) .. (title and ": " .. title or ""))
end

function Tap:result(result)
  self:head()
  self.count = self.count + 1
  local is_ok = result.status ~= "failed"
    and not (result.status == "irreversible" and self.options.strict)
  self.options.out(("%s %d - %s%s\n"):format(is_ok and "ok" or "not ok", self.count,
    name_of(result), is_ok and directive(result) or ""))
  if not is_ok then
    self.options.out(block(result.message, explain.lines(result, self.options.lines_of_fault)))
  elseif result.warning then
    self.options.out("# warning: " .. result.warning:gsub("\n", " ") .. "\n")
  end
end

function Tap:finish(summary)
  self:head()
  self.options.out(("1..%d\n# %s\n"):format(self.count, explain.summary(summary)))
end

return tap
