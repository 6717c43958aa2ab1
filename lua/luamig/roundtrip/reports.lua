--- The reports that --report asks for: which format, and where it goes.

local fault = require("luamig.fault")
local files = require("luamig.files")
local lfs = require("lfs")

local reports = {}

local modules = {
  junit = "luamig.roundtrip.junit", tap = "luamig.roundtrip.tap", json = "luamig.roundtrip.events",
  github = "luamig.roundtrip.github",
}

local NAMES <const> = "junit, tap, json or github"

---@class luamig.roundtrip.ReportSpec
---@field format string
---@field file string|nil  nil: standard output

local function parse(text)
  local format, file = text:match("^([^=]*)=(.+)$")
  format = format or text
  if not modules[format] then
    local near = require("luamig.nearest").of(format, { "junit", "tap", "json", "github" })
    fault.raise({
      kind = "usage",
      message = ("there is no report '%s'; it is %s"):format(format, NAMES),
      hint = near and ("did you mean '%s'?"):format(near) or nil,
      try = "luamig test-roundtrip --report junit=FILE",
    })
  end
  return { format = format, file = file }
end

---Reads the texts given with --report. Raises: usage.
---@param texts string[]  "junit=report.xml", "tap"
---@return luamig.roundtrip.ReportSpec[]
function reports.parse(texts)
  local specs, on_stdout, by_file = {}, nil, {}
  for i, text in ipairs(texts) do
    local spec = parse(text)
    local taken = spec.file and by_file[spec.file] or not spec.file and on_stdout
    if taken then
      fault.raise({
        kind = "usage",
        message = ("the reports %s and %s would both go to %s"):format(taken, spec.format,
          spec.file or "standard output"),
        try = ("--report %s=FILE"):format(spec.format),
      })
    elseif spec.file then
      by_file[spec.file] = spec.format
    else
      on_stdout = spec.format
    end
    specs[i] = spec
  end
  return specs
end

---@param specs luamig.roundtrip.ReportSpec[]
---@return boolean  whether one of them takes standard output
function reports.takes_stdout(specs)
  for _, spec in ipairs(specs) do
    if not spec.file then
      return true
    end
  end
  return false
end

-- A file is written whole, in the end.
local function file_sink(path)
  local folder = path:match("^(.+)/[^/]+$")
  if folder then
    files.make_folder(folder)
  end
  if path:sub(1, 1) ~= "/" then
    path = lfs.currentdir() .. "/" .. path
  end
  local pieces = {}
  return function(text)
    pieces[#pieces + 1] = text
  end, function()
    local text = table.concat(pieces)
    if not files.create(path, text) then
      files.replace(path, text)
    end
  end
end

local function append_summary(markdown)
  local path = os.getenv("GITHUB_STEP_SUMMARY")
  if not path or path == "" then
    return
  end
  local file, why = io.open(path, "ab")
  local ok = file and file:write(markdown)
  if file then
    ok = file:close() and ok
  end
  if not ok then
    fault.raise({
      kind = "config",
      message = "the step summary cannot be written: " .. tostring(why or path),
    })
  end
end

-- What is told to the format, and to the file when all of it has been.
local function with_end(observer, write)
  return setmetatable({
    finish = function(_, ...)
      observer:finish(...)
      write()
    end,
  }, { __index = function(_, event)
    local method = observer[event]
    return method and function(_, ...)
      return method(observer, ...)
    end
  end })
end

---Makes the observers. Folders of files are made now, so that a wrong path is known at once.
---Raises: config.
---@param specs luamig.roundtrip.ReportSpec[]
---@param report table  luamig.report
---@param strict boolean
---@return table[]
function reports.observers(specs, report, strict)
  local out = {}
  for i, spec in ipairs(specs) do
    local options = {
      out = report.raw,
      lines_of_fault = report.fault_lines,
      table_of_fault = report.fault_table,
      strict = strict,
      path = files.repository_path,
      append_summary = append_summary,
    }
    local write
    if spec.file then
      options.out, write = file_sink(spec.file)
    end
    local observer = require(modules[spec.format]).new(options)
    out[i] = write and with_end(observer, write) or observer
  end
  return out
end

return reports
