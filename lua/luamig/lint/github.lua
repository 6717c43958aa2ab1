--- Findings as workflow commands of GitHub, which it shows beside the lines of a pull request.

local files = require("luamig.files")

local github = {}

local words = { error = "error", warning = "warning", info = "notice" }

local function data(text)
  return (text:gsub("%%", "%%25"):gsub("\r", "%%0D"):gsub("\n", "%%0A"))
end

local function property(text)
  return (data(text):gsub(":", "%%3A"):gsub(",", "%%2C"))
end

---@param result luamig.lint.Result
---@return string[] lines
function github.lines(result)
  local lines = {}
  for i, item in ipairs(result.findings) do
    lines[i] = ("::%s file=%s,line=%d,title=%s::%s"):format(words[item.severity],
      property(files.repository_path(item.file)), item.line or 1,
      property(item.rule .. " " .. item.title), data(item.message .. "\n" .. item.safe))
  end
  return lines
end

return github
