local commands = require("luamig.commands")
local fault = require("luamig.fault")
local help = require("luamig.help")
local topics = require("luamig.topics")

local function failure(word)
  local ok, f = pcall(help.text, word)
  assert.is_false(ok)
  assert.is_true(fault.is(f), tostring(f))
  assert.equal("usage", f.kind)
  return f
end

describe("help", function()
  it("lists every command of this build once, and every topic", function()
    local text = help.overview()
    for _, command in ipairs(commands.list) do
      local _, count = text:gsub("\n  " .. command.name:gsub("%p", "%%%0") .. "[ ,]", "")
      local is_listed = commands.has(command.name) and not command.hidden
      assert.equal(is_listed and 1 or 0, count, command.name)
    end
    for _, name in ipairs(topics.names()) do
      assert.truthy(text:find("\n  " .. name .. " ", 1, true), name)
    end
    assert.matches("\nGlobal options:\n", text)
    assert.matches("\n   %-c, %-%-config FILE ", text)
  end)

  it("fits a screen of 100 columns", function()
    local texts = { help.overview() }
    for _, name in ipairs(topics.names()) do
      texts[#texts + 1] = topics.text(name)
    end
    for _, command in ipairs(commands.list) do
      if commands.has(command.name) and not command.hidden then
        texts[#texts + 1] = help.text(command.name)
      end
    end
    for _, text in ipairs(texts) do
      for line in text:gmatch("[^\n]+") do
        assert.is_true(utf8.len(line) <= 100, line)
      end
    end
  end)

  it("explains a command by each of its names", function()
    assert.matches("^Usage: luamig revision ", help.text("revision"))
    assert.matches("^Usage: luamig revision ", help.text("new"))
    assert.matches("\n   %-m, %-%-message TEXT +the same, as an option\n", help.text("new"))
    assert.matches("\n   TEXT +what changes", help.text("new"))
  end)

  it("explains the file where a command and a topic share a word", function()
    assert.matches("\n  function upgrade%(%)\n", help.text("revision"))
  end)

  it("knows a topic by its other words", function()
    assert.equal(help.overview(), help.text("topics"))
    assert.equal(help.text("script"), help.text("sandbox"))
    assert.equal(topics.text("offline"), help.text("sql"))
    assert.equal(topics.text("environment"), help.text("variables"))
  end)

  it("tells every exit status that an error can have", function()
    local text = help.text("exit-codes")
    for _, kind in ipairs({ "server", "usage", "pending", "lock", "connection", "edited", "graph",
      "roundtrip", "script", "refused", "partial", "interrupted" }) do
      local status = fault.exit_status(fault.new({ kind = kind, message = "x" }))
      assert.matches("\n  " .. status .. " ", "\n" .. text, kind)
    end
  end)

  it("shows the config that init writes, and the words of templates", function()
    assert.matches("\n  version_schema = \"luamig\"", (help.text("config"):gsub("%-%- ", "")))
    assert.matches("\n  {create_date} ", help.text("templates"))
  end)

  it("explains an operation", function()
    assert.matches("\n  add_column +Adds a column", help.text("op"))
    assert.matches("if_not_exists", help.text("op.add_column"))
  end)

  it("suggests what was meant", function()
    local f = failure("target")
    assert.equal("there is no help on 'target'", f.message)
    assert.equal("did you mean 'targets'?", f.hint)
    assert.equal("luamig help targets", f.try)
    assert.equal("did you mean 'op.add_column'?", failure("add_column").hint)
    assert.equal("did you mean op.add_column?", failure("op.add_colum").hint)
    assert.equal("luamig help op", failure("op.zzzzzzzz").try)
    assert.is_nil(failure("zzzzzzzz").hint)
    assert.equal("there is no help on '__complete'", failure("__complete").message)
  end)
end)

describe("what other linters look for", function()
  local others = require("luamig.lint.others")
  local registry = require("luamig.lint.registry")

  it("has a rule that is there, or a reason", function()
    local count = 0
    for _, group in ipairs(others.groups) do
      for _, item in ipairs(group.items) do
        count = count + 1
        assert(item[2] ~= "-" or item.why, item[1])
        for id in item[2]:gmatch("%u+%d+") do
          assert(registry.get(id), id)
        end
      end
    end
    assert.is_true(count > 64)
  end)

  it("names every rule of ours", function()
    local page = others.page()
    for _, rule in ipairs(registry.rules()) do
      local is_own = rule.id:find("^COMPAT") or page:find(rule.id, 1, true)
      assert(is_own or rule.id == "REWRITE009", rule.id)
    end
  end)
end)
