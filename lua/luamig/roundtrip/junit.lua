--- The report as JUnit XML: a test case a step. Pure.

local explain = require("luamig.roundtrip.explain")

local junit = {}

local Junit = {}
Junit.__index = Junit

---@param options { out: fun(text: string), lines_of_fault: function, strict?: boolean }
---@return table  an observer
function junit.new(options)
  return setmetatable({ options = options }, Junit)
end

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

-- XML 1.0 has no way to say most control characters.
local function escaped(text)
  text = utf8.len(text) and text or text:gsub("[\x80-\xff]", "?")
  return (text:gsub("[%z\1-\8\11\12\14-\31]", "?"):gsub('[&<>"]', entities))
end

local function attribute(name, text)
  local inside = escaped(tostring(text)):gsub("[\t\r\n]", { ["\t"] = "&#9;", ["\r"] = "&#13;",
    ["\n"] = "&#10;" })
  return (' %s="%s"'):format(name, inside)
end

local function seconds(ms)
  return ("%.3f"):format((ms or 0) / 1000)
end

local function kind_of(result, strict)
  if result.status == "failed" or result.status == "irreversible" and strict then
    return "failure"
  end
  return result.status ~= "passed" and "skipped" or nil
end

local function message_of(result)
  return (result.status == "irreversible" and "irreversible: " or "") .. (result.message or "")
end

local function body(result, options)
  local kind = kind_of(result, options.strict)
  if kind == "skipped" then
    return ("<skipped%s/>"):format(attribute("message", message_of(result)))
  elseif kind == "failure" then
    local lines = explain.lines(result, options.lines_of_fault)
    return ("<failure%s%s>%s</failure>"):format(attribute("message", message_of(result)),
      attribute("type", result.fault and result.fault.sqlstate or "roundtrip"),
      escaped(table.concat(lines, "\n")))
  elseif result.warning or result.message then
    return ("<system-out>%s</system-out>"):format(escaped(result.warning or result.message))
  end
  return nil
end

local function case(result, options)
  local head = "  <testcase" .. attribute("classname", result.file or "luamig test-roundtrip")
    .. attribute("name", explain.name(result)) .. attribute("time", seconds(result.ms))
    .. (result.file and attribute("file", result.file) or "")
    .. (result.line and attribute("line", result.line) or "")
  local inside = body(result, options)
  return inside and ("%s>%s</testcase>"):format(head, inside) or head .. "/>"
end

local function count(results, kind, strict)
  local n = 0
  for _, result in ipairs(results) do
    n = n + (kind_of(result, strict) == kind and 1 or 0)
  end
  return n
end

function Junit:finish(summary, results)
  local options = self.options
  local numbers = attribute("tests", #results)
    .. attribute("failures", count(results, "failure", options.strict)) .. attribute("errors", 0)
    .. attribute("skipped", count(results, "skipped", options.strict))
    .. attribute("time", seconds(summary.ms))
  local lines = {
    '<?xml version="1.0" encoding="UTF-8"?>',
    "<testsuites" .. numbers .. ">",
    "<testsuite" .. attribute("name", "luamig test-roundtrip") .. numbers .. ">",
  }
  for _, result in ipairs(results) do
    lines[#lines + 1] = case(result, options)
  end
  lines[#lines + 1] = "</testsuite>"
  lines[#lines + 1] = "</testsuites>\n"
  options.out(table.concat(lines, "\n"))
end

return junit
