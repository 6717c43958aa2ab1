--- Findings as JUnit's XML: a test a revision, which fails when it has findings.

local junit = {}

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

local function escaped(text)
  return (tostring(text):gsub("[%z\1-\8\11\12\14-\31]", "?"):gsub('[&<>"]', entities))
end

local function failure_lines(lines, items)
  for _, item in ipairs(items) do
    local place = ("%s:%d"):format(item.file, item.line or 1)
    lines[#lines + 1] = ('    <failure type="%s" message="%s">%s</failure>'):format(
      escaped(item.rule), escaped(("%s: %s"):format(place, item.message)),
      escaped(("%s %s\n%s\n%s\n\n%s"):format(place, item.rule, item.sql or "", item.message,
        item.safe)))
  end
end

local function by_revision(result, is_failure)
  local out = {}
  for _, item in ipairs(result.findings) do
    if is_failure(item) then
      out[item.revision] = out[item.revision] or {}
      table.insert(out[item.revision], item)
    end
  end
  return out
end

local function failed_tests(of, judged)
  local count = of[""] and 1 or 0
  for _, id in ipairs(judged) do
    count = count + (of[id] and 1 or 0)
  end
  return count
end

---@param result luamig.lint.Result
---@param is_failure fun(item: luamig.lint.Finding): boolean
---@return string
function junit.document(result, is_failure)
  local of = by_revision(result, is_failure)
  local count = #result.judged + #result.unjudged + (of[""] and 1 or 0)
  local lines = {
    '<?xml version="1.0" encoding="UTF-8"?>',
    ('<testsuite name="luamig lint" tests="%d" failures="%d" skipped="%d">'):format(count,
      failed_tests(of, result.judged), #result.unjudged),
  }
  local function add(id, name)
    lines[#lines + 1] = ('  <testcase classname="luamig.lint" name="%s">'):format(escaped(name))
    failure_lines(lines, of[id] or {})
    lines[#lines + 1] = "  </testcase>"
  end
  for _, id in ipairs(result.judged) do
    add(id, id)
  end
  for _, id in ipairs(result.unjudged) do
    lines[#lines + 1] = ('  <testcase classname="luamig.lint" name="%s"><skipped/></testcase>')
      :format(escaped(id))
  end
  if of[""] then
    add("", "luamig.lua")
  end
  lines[#lines + 1] = "</testsuite>\n"
  return table.concat(lines, "\n")
end

return junit
