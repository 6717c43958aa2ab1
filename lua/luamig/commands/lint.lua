local fault = require("luamig.fault")

local lint = {
  name = "lint",
  summary = "Tells what is dangerous in production: revisions are run on a throwaway server, and "
    .. "their locks, rewrites and scans measured.",
  rehearses = true,
}

local formats = { text = true, json = true, sarif = true, junit = true, github = true }

local function report_of(text)
  local format, file = text:match("^(%w+)=(.+)$")
  format = format or text
  if not formats[format] then
    return nil, ("'%s' is no report; there are text, json, sarif, junit and github, each with "
      .. "=FILE or without"):format(format)
  end
  return { format = format, file = file }
end

function lint.setup(parser)
  parser:argument("revisions", "ids, or ranges A:B; without: all, or those since --since")
    :args("*"):argname("REV")
  parser:option("--since", "only revisions that this one does not have below it: what a pull "
    .. "request adds"):argname("REV"):count("*")
  parser:option("--server", "measure in a database made on this server, not on a throwaway one")
    :argname("URL")
  parser:option("--stats", "sizes of production, made by luamig plan --export-stats")
    :argname("FILE")
  parser:option("--compat", "the application that still runs: off, warn or error")
    :choices({ "off", "warn", "error" })
  parser:option("--fail-on", "exit 3 for findings like this and worse: error (default), warning, "
    .. "info or never"):choices({ "error", "warning", "info", "never" })
  parser:option("--report", "text, json, sarif, junit or github; with =FILE into a file")
    :argname("FORMAT[=FILE]"):count("*"):convert(report_of):target("reports")
end

local function chosen(ctx, graph)
  local set = {}
  for _, word in ipairs(ctx.options.revisions) do
    local ids = word:find(":", 1, true) and graph:range(word, { direction = "read" })
      or graph:resolve(word, { direction = "read" })
    for _, id in ipairs(ids) do
      set[id] = true
    end
  end
  return set
end

-- What to apply without a look, and what to judge: in the order of the graph.
local function split(ctx, graph)
  local options, wanted = ctx.options, nil
  if #options.since > 0 then
    local before = {}
    for _, word in ipairs(options.since) do
      for _, id in ipairs(graph:applied(graph:resolve(word, { direction = "read" }))) do
        before[id] = true
      end
    end
    wanted = function(id)
      return not before[id]
    end
  elseif #options.revisions > 0 then
    local set = chosen(ctx, graph)
    wanted = function(id)
      return set[id]
    end
  end
  local base, ids, last = {}, {}, 0
  for _, id in ipairs(graph:ids()) do
    local is_wanted = not wanted or wanted(id)
    local list = (is_wanted or #ids > 0) and ids or base
    list[#list + 1] = id
    last = is_wanted and #ids or last
  end
  return base, table.move(ids, 1, last, 1, {}), wanted
end

-- Revisions between those asked for are run too; what they are found guilty of is not told.
local function only_wanted(result, wanted)
  if not wanted then
    return
  end
  for _, name in ipairs({ "findings", "ignored" }) do
    local list = {}
    for _, item in ipairs(result[name]) do
      list[#list + 1] = (item.revision == "" or wanted(item.revision)) and item or nil
    end
    result[name] = list
  end
  local judged = {}
  for _, id in ipairs(result.judged) do
    judged[#judged + 1] = wanted(id) and id or nil
  end
  result.judged = judged
end

local function without_info(result)
  local list = {}
  for _, item in ipairs(result.findings) do
    list[#list + 1] = item.severity ~= "info" and item or nil
  end
  result.findings = list
end

local writers = {}

function writers.json(_, result)
  local counts = require("luamig.lint").counts(result.findings)
  return require("luamig.json").encode({
    findings = result.findings, ignored = result.ignored, judged = result.judged,
    unjudged = result.unjudged, counts = counts, server_version = result.version,
  }) .. "\n"
end

function writers.sarif(_, result)
  local sarif = require("luamig.lint.sarif")
  return require("luamig.json").encode(sarif.document(result,
    require("luamig.core.about").luamig)) .. "\n"
end

function writers.junit(ctx, result)
  local finding = require("luamig.lint.finding")
  return require("luamig.lint.junit").document(result, function(item)
    return finding.is_at_least(item, ctx.options.fail_on or "error")
  end)
end

function writers.github(_, result)
  local lines = require("luamig.lint.github").lines(result)
  return #lines > 0 and table.concat(lines, "\n") .. "\n" or ""
end

local colors = { error = "red", warning = "yellow", info = "cyan" }

function writers.text(ctx, result, is_plain)
  local text = require("luamig.lint.text")
  local columns = require("luamig.core.terminal").columns(1) or 100
  local lines = {}
  for at, item in ipairs(result.findings) do
    for i, line in ipairs(text.finding(item, columns, result.findings[at - 1])) do
      if i == 1 and not is_plain then
        line = ctx.report.styled("stdout", colors[item.severity], line)
      end
      lines[#lines + 1] = line
    end
    lines[#lines + 1] = ""
  end
  lines[#lines + 1] = text.summary(result)
  if #result.findings > 0 then
    lines[#lines + 1] = ("more on a rule: luamig help %s"):format(result.findings[1].rule)
  end
  return table.concat(lines, "\n") .. "\n"
end

local function write(ctx, report, result)
  if not report.file then
    ctx.report.raw(writers[report.format](ctx, result))
    return
  end
  local files, text = require("luamig.files"), writers[report.format](ctx, result, true)
  if not files.create(report.file, text) then
    files.replace(report.file, text)
  end
end

local function reports_of(ctx)
  local reports = ctx.options.reports or {}
  local has_stdout = false
  for _, report in ipairs(reports) do
    has_stdout = has_stdout or not report.file
  end
  if not has_stdout then
    table.insert(reports, 1, { format = ctx.options.json and "json" or "text" })
  end
  return reports
end

local function fails(result, level)
  local finding = require("luamig.lint.finding")
  for _, item in ipairs(result.findings) do
    if finding.is_at_least(item, level) then
      return true
    end
  end
  return false
end

-- What cannot end well is told before a server is started.
local function check_options(options)
  local message, try
  if #options.since > 0 and #options.revisions > 0 then
    message, try = "--since and revisions exclude each other", "luamig lint --help"
  elseif options.url then
    message = "'--url' has no meaning for 'luamig lint': no database of yours is looked at"
    try = "luamig lint --server URL, to measure in a database made there"
  end
  if message then
    fault.raise({ kind = "usage", message = message, try = try })
  end
  for _, report in ipairs(options.reports or {}) do
    if report.file then
      require("luamig.files").check_place(report.file)
    end
  end
end

function lint.run(ctx)
  check_options(ctx.options)
  local cfg, graph = ctx:config(), ctx:graph()
  cfg.compat = ctx.options.compat or cfg.compat
  local base, ids, wanted = split(ctx, graph)
  local stats = ctx.options.stats and require("luamig.plan.stats").read(ctx.options.stats)
  local result = require("luamig.lint").run(ctx, { base = base, ids = ids, stats = stats,
    server = ctx.options.server })
  only_wanted(result, wanted)
  if ctx.options.verbose == 0 and ctx.options.fail_on ~= "info" then
    without_info(result)
  end
  for _, report in ipairs(reports_of(ctx)) do
    write(ctx, report, result)
  end
  return fails(result, ctx.options.fail_on or "error") and 3 or 0
end

return lint
