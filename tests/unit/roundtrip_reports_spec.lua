-- luacheck: no max line length
local cjson = require("cjson")
local fault = require("luamig.fault")
local report = require("luamig.report")
local reports = require("luamig.roundtrip.reports")

local function server_fault()
  return fault.new({
    kind = "server", sqlstate = "42703", message = 'column "x" does not exist',
    file = "versions/002.lua", line = 14, origin = "execute",
    statement = "ALTER TABLE t DROP x", position = 20,
  })
end

local results = {
  { revision = "001", title = "first", step = "up", status = "passed", ms = 12,
    file = "versions/001.lua" },
  { revision = "001", title = "first", step = "down", status = "failed", ms = 1500,
    message = 'not "the" <same> schema', lines = { "index i: left behind", "a | b" },
    file = "versions/001.lua", line = 9 },
  { revision = "002", title = "second", step = "down", status = "failed", fault = server_fault(),
    message = 'column "x" does not exist', file = "versions/002.lua", line = 14 },
  { revision = "002", title = "second", step = "up again", status = "skipped",
    message = "the downgrade failed", file = "versions/002.lua" },
  { revision = "003", title = "third", step = "down", status = "irreversible",
    message = "keys, gone", file = "versions/003.lua", line = 3 },
  { revision = "003", title = "third", step = "data", status = "passed", ms = 1,
    warning = "data_loss is declared", file = "versions/003.lua" },
  { step = "all the way down", status = "passed", ms = 40 },
}

local summary = { tested = 3, passed = 0, failed = 2, irreversible = 1, skipped = 0, warnings = 1,
  ok = false, ms = 2345, server_version = 150018 }

-- What a format makes of the results above.
local function output(format, strict, more)
  local pieces = {}
  local options = {
    out = function(text)
      pieces[#pieces + 1] = text
    end,
    lines_of_fault = report.fault_lines,
    table_of_fault = report.fault_table,
    strict = strict,
  }
  for name, option in pairs(more or {}) do
    options[name] = option
  end
  local observer = require("luamig.roundtrip." .. format).new(options)
  local function tell(event, ...)
    if observer[event] then
      observer[event](observer, ...)
    end
  end
  tell("begin", { count = 3, server_version = 150018, is_throwaway = true })
  for i, result in ipairs(results) do
    tell("result", result)
    if result.revision and (results[i + 1] or {}).revision ~= result.revision then
      tell("revision", { id = result.revision, title = result.title, verdict = "failed",
        results = { result } })
    end
  end
  tell("unfilled", { identity = "table t", why = "a check" })
  tell("finish", summary, results)
  return table.concat(pieces)
end

describe("reports of a round trip", function()
  it("JUnit: a test case a step", function()
    assert.equal([[
<?xml version="1.0" encoding="UTF-8"?>
<testsuites tests="7" failures="2" errors="0" skipped="2" time="2.345">
<testsuite name="luamig test-roundtrip" tests="7" failures="2" errors="0" skipped="2" time="2.345">
  <testcase classname="versions/001.lua" name="001 up" time="0.012" file="versions/001.lua"/>
  <testcase classname="versions/001.lua" name="001 down" time="1.500" file="versions/001.lua" line="9"><failure message="not &quot;the&quot; &lt;same&gt; schema" type="roundtrip">versions/001.lua:9  downgrade()
  index i: left behind
  a | b</failure></testcase>
  <testcase classname="versions/002.lua" name="002 down" time="0.000" file="versions/002.lua" line="14"><failure message="column &quot;x&quot; does not exist" type="42703">versions/002.lua:14  op.execute
  ALTER TABLE t DROP x
                     ^</failure></testcase>
  <testcase classname="versions/002.lua" name="002 up again" time="0.000" file="versions/002.lua"><skipped message="the downgrade failed"/></testcase>
  <testcase classname="versions/003.lua" name="003 down" time="0.000" file="versions/003.lua" line="3"><skipped message="irreversible: keys, gone"/></testcase>
  <testcase classname="versions/003.lua" name="003 data" time="0.001" file="versions/003.lua"><system-out>data_loss is declared</system-out></testcase>
  <testcase classname="luamig test-roundtrip" name="all the way down" time="0.040"/>
</testsuite>
</testsuites>
]], output("junit"))
  end)

  it("JUnit: an irreversible revision is a failure with --strict", function()
    local text = output("junit", true)
    assert.matches('failures="3" errors="0" skipped="1"', text, 1, true)
    assert.matches('<failure message="irreversible: keys, gone" type="roundtrip">', text, 1, true)
  end)

  it("JUnit: text that XML cannot hold is made harmless", function()
    local pieces = {}
    local observer = require("luamig.roundtrip.junit").new({
      out = function(text)
        pieces[#pieces + 1] = text
      end,
      lines_of_fault = report.fault_lines,
    })
    observer:finish(summary, { { step = "up", status = "failed", message = "a\1b\nc \255",
      lines = { "]]>" } } })
    assert.matches('message="a?b&#10;c ?"', pieces[1], 1, true)
    assert.matches("]]&gt;</failure>", pieces[1], 1, true)
  end)

  it("TAP 13", function()
    assert.equal([[
TAP version 13
ok 1 - 001 up: first # time=12ms
not ok 2 - 001 down: first
  ---
  message: |
    not "the" <same> schema
  details: |
    versions/001.lua:9  downgrade()
      index i: left behind
      a | b
  ...
not ok 3 - 002 down: second
  ---
  message: |
    column "x" does not exist
  details: |
    versions/002.lua:14  op.execute
      ALTER TABLE t DROP x
                         ^
  ...
ok 4 - 002 up again: second # SKIP the downgrade failed
ok 5 - 003 down: third # SKIP irreversible: keys, gone
ok 6 - 003 data: third # time=1ms
# warning: data_loss is declared
ok 7 - all the way down # time=40ms
1..7
# 3 revisions tested: 0 passed, 2 failed, 1 irreversible
]], output("tap"))
    assert.matches("not ok 5 - 003 down: third\n", output("tap", true), 1, true)
  end)

  it("JSON lines", function()
    local lines = {}
    for line in output("events"):gmatch("[^\n]+") do
      lines[#lines + 1] = cjson.decode(line)
    end
    assert.same({ event = "begin", revisions = 3, server_version = 150018, throwaway = true },
      lines[1])
    assert.same({ event = "step", revision = "001", title = "first", step = "down",
      status = "failed", ms = 1500, message = 'not "the" <same> schema', file = "versions/001.lua",
      line = 9, details = { "index i: left behind", "a | b" } }, lines[3])
    assert.equal("42703", lines[4].error.sqlstate)
    assert.equal(20, lines[4].error.position)
    assert.same({ event = "unfilled", identity = "table t", why = "a check" }, lines[#lines - 1])
    assert.equal(2, lines[#lines].failed)
    assert.is_false(lines[#lines].ok)
  end)

  it("GitHub: annotations at the lines of the files, and a table", function()
    local markdown
    local text = output("github", false, {
      path = function(file)
        return "db/" .. file
      end,
      append_summary = function(given)
        markdown = given
      end,
    })
    assert.equal(table.concat({
      '::error file=db/versions/001.lua,line=9,title=luamig%3A 001 down::not "the" <same> schema'
        .. "%0Aversions/001.lua:9  downgrade()%0A  index i: left behind%0A  a | b",
      '::error file=db/versions/002.lua,line=14,title=luamig%3A 002 down::column "x" does not exist'
        .. "%0Aversions/002.lua:14  op.execute%0A  ALTER TABLE t DROP x%0A" .. (" "):rep(21) .. "^",
      "::notice file=db/versions/003.lua,line=3,title=luamig%3A 003 down::irreversible: keys, gone",
      "::warning file=db/versions/003.lua,title=luamig%3A 003 data::data_loss is declared",
      "",
    }, "\n"), text)
    assert.matches("^### luamig test%-roundtrip\n\n❌ 3 revisions tested: 0 passed, 2 failed, "
      .. "1 irreversible, in 2%.3 s\n", markdown)
    assert.matches("| 001 | first |  | ❌ |  |  | down: not \"the\" \\<same\\> schema |", markdown, 1,
      true)
    assert.matches("| all the way down | | ✅ | | | |  |", markdown, 1, true)
  end)

  it("text: a line a revision, and what is wrong", function()
    local lines = {}
    local observer = require("luamig.roundtrip.text").new({
      out = function(line)
        lines[#lines + 1] = line
      end,
      progress = function() end,
      styled = function(_, text)
        return text
      end,
      lines_of_fault = report.fault_lines,
    })
    observer:begin({ count = 2 })
    observer:revision({ id = "001", title = "first", verdict = "failed",
      results = { results[1], results[2] } })
    observer:revision({ id = "003", title = "third", verdict = "irreversible",
      results = { results[1], results[5], results[6] } })
    observer:unfilled({ identity = "table t", why = "a check" })
    observer:result(results[7])
    observer:finish(summary)
    assert.same({
      "FAIL  001  first",
      '      down: not "the" <same> schema',
      "        versions/001.lua:9  downgrade()",
      "          index i: left behind",
      "          a | b",
      "stays 003  third",
      "      irreversible: keys, gone",
      "      data: warning: data_loss is declared",
      "      not filled: table t: a check",
      "ok    all the way down  (40 ms)",
      "",
      "3 revisions tested: 0 passed, 2 failed, 1 irreversible, in 2.3 s on PostgreSQL 15",
    }, lines)
  end)
end)

describe("--report", function()
  it("takes formats with and without files", function()
    assert.same({ { format = "junit", file = "out/a=b.xml" }, { format = "tap" } },
      reports.parse({ "junit=out/a=b.xml", "tap" }))
    assert.is_true(reports.takes_stdout(reports.parse({ "json" })))
    assert.is_false(reports.takes_stdout(reports.parse({ "json=x" })))
  end)

  it("refuses what would be mixed up", function()
    for _, texts in ipairs({ { "tap", "json" }, { "tap=x", "json=x" }, { "xml" }, { "" } }) do
      local ok, f = pcall(reports.parse, texts)
      assert.is_false(ok)
      assert.equal("usage", f.kind)
    end
  end)
end)
