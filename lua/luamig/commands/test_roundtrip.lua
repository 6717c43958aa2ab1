local command_line = require("luamig.command_line")
local fault = require("luamig.fault")

local test_roundtrip = {
  name = "test-roundtrip",
  summary = "Proves that every revision can be undone: up, down, up again in a scratch database.",
  accepts = { ephemeral = true },
  rehearses = true,
}

local function whole(least)
  return function(text)
    local number = math.tointeger(tonumber(text))
    if not number or number < least then
      return nil, ("'%s' is no whole number from %d"):format(text, least)
    end
    return number
  end
end

function test_roundtrip.setup(parser)
  parser:option("--from", "begin with the database at this revision"):argname("REV")
  parser:option("--to", "test up to this revision (default: heads)"):argname("REV")
  parser:option("--since", "test only what this revision does not have below it: what a pull "
    .. "request adds"):argname("REV"):count("*")
  parser:flag("--data", "with generated rows, whose values must come back, too")
  parser:option("--rows", "with --data: rows of each table (default 10)"):argname("N")
    :convert(whole(1))
  parser:option("--seed", "with --data: other rows, the same each time (default 1)"):argname("N")
    :convert(whole(0))
  parser:flag("--strict", "irreversible revisions fail")
  parser:option("--report", "junit, tap, json or github; to standard output or a file")
    :argname("FORMAT[=FILE]"):count("*")
  parser:option("--role", "a role that revisions grant to, made on the throwaway server")
    :argname("NAME"):count("*")
end

local function check_options(options)
  local message, try
  if (options.rows or options.seed) and not options.data then
    message = ("--%s has a meaning with --data only"):format(options.rows and "rows" or "seed")
    try = "luamig test-roundtrip --data"
  elseif options.ephemeral and options.url then
    message = "--ephemeral is a throwaway server, --url another one; only one can be meant"
    try = "luamig test-roundtrip"
  elseif options.url and #options.role > 0 then
    message = "--role makes roles on a throwaway server, not on the one of --url"
  end
  if message then
    fault.raise({ kind = "usage", message = message, try = try })
  end
end

local function text_options(report, is_stdout_taken, is_strict)
  local stream = is_stdout_taken and "stderr" or "stdout"
  return {
    out = is_stdout_taken and report.say or report.out,
    progress = report.live,
    lines_of_fault = report.fault_lines,
    strict = is_strict,
    styled = function(color, text)
      return report.styled(stream, color, text)
    end,
  }
end

local function observers_of(ctx)
  local reports = require("luamig.roundtrip.reports")
  local texts = table.move(ctx.options.report, 1, #ctx.options.report, 1, {})
  if ctx.report.is_json() then
    texts[#texts + 1] = "json"
  end
  local specs = reports.parse(texts)
  local is_strict = ctx.options.strict or false
  local observers = reports.observers(specs, ctx.report, is_strict)
  local options = text_options(ctx.report, reports.takes_stdout(specs), is_strict)
  table.insert(observers, 1, require("luamig.roundtrip.text").new(options))
  return observers
end

-- The command once more; without the server, whose URL may hold a password.
local function again(ctx)
  local options, words = ctx.options, { "test-roundtrip" }
  for _, name in ipairs({ "from", "to", "since", "data", "rows", "seed", "strict", "role" }) do
    local given = options[name]
    for _, word in ipairs(type(given) == "table" and given or { given }) do
      words[#words + 1] = "--" .. name
      words[#words + 1] = word ~= true and tostring(word) or nil
    end
  end
  return command_line.of(ctx, table.unpack(words))
end

local function failure(ctx, summary, results)
  local message, try
  if summary.failed > 0 then
    message = summary.failed == 1 and "one round trip failed"
      or ("%d round trips failed"):format(summary.failed)
    try = ("mend %s, and run again: %s"):format(
      require("luamig.roundtrip.explain").to_mend(results), again(ctx))
  else
    message = ("%d revision%s irreversible, and --strict does not allow that"):format(
      summary.irreversible, summary.irreversible == 1 and " is" or "s are")
    try = "write the downgrade, or leave --strict out"
  end
  fault.raise({ kind = "roundtrip", message = message, try = try })
end

-- What was made is dropped when the session closes.
local function run_told(ctx, ...)
  local outcome = table.pack(pcall(require("luamig.roundtrip").run, ctx, ...))
  local f = outcome[2]
  if outcome[1] then
    return f, outcome[3]
  elseif fault.is(f) and f.kind == "interrupted" then
    fault.complete(f, { state = "nothing changed; the scratch databases are dropped" })
  end
  error(f, 0)
end

function test_roundtrip.run(ctx)
  local options = ctx.options
  check_options(options)
  local summary, results = run_told(ctx, {
    from = options.from,
    to = options.to,
    since = options.since,
    data = options.data,
    rows = options.rows,
    seed = options.seed,
    strict = options.strict,
    roles = options.role,
  }, observers_of(ctx))
  if not summary.ok then
    failure(ctx, summary, results)
  end
  return 0
end

return test_roundtrip
