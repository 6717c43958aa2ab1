local fault = require("luamig.fault")
local moment = require("luamig.moment")
local project = require("support.project")
local revision = require("luamig.revision")
local template = require("luamig.template")

local noon = 1736596800 -- 2025-01-11 12:00:00 UTC

local function draft(fields)
  local new = {
    id = "002",
    message = "add email",
    down = { "001" },
    labels = {},
    depends_on = {},
    moment = moment.new({ timezone = "UTC" }, noon),
    body = { upgrade = { "op.a()" }, downgrade = {} },
  }
  for name, value in pairs(fields or {}) do
    new[name] = value
  end
  return new
end

local function failure(...)
  local ok, f = pcall(...)
  assert.is_false(ok)
  assert.is_true(fault.is(f), tostring(f))
  assert.equal("config", f.kind)
  return f
end

describe("the text of a new revision", function()
  it("has the shape of luamig's own template", function()
    assert.equal([[
--- add email
-- Revision ID: 002
-- Revises: 001
-- Create Date: 2025-01-11 12:00:00+00:00

revision = "002"
down_revision = "001"
branch_labels = nil
depends_on = nil

function upgrade()
  op.a()
end

function downgrade()
end
]], template.text({}, draft()))
  end)

  it("leaves no space behind an empty Revises", function()
    local text = template.text({}, draft({ down = {} }))
    assert.matches("\n%-%- Revises:\n", text)
    assert.matches("\ndown_revision = nil\n", text)
  end)

  it("writes lists of several and fields of the header", function()
    local text = template.text({}, draft({
      down = { "a", "b" },
      labels = { "billing" },
      depends_on = { "x", "y" },
      body = { upgrade = {}, downgrade = {}, header = { 'data_loss = "why"' } },
    }))
    assert.matches("%-%- Revises: a, b\n", text)
    local rev = revision.parse(text, "x.lua")
    assert.same({ "a", "b" }, rev.down)
    assert.same({ "billing" }, rev.labels)
    assert.same({ "x", "y" }, rev.depends_on)
    assert.equal("why", rev.data_loss)
  end)

  it("keeps a message of several lines a comment", function()
    local text = template.text({}, draft({ message = "first\nrevision = 1\n[[x" }))
    assert.matches("^%-%-%- first\n%-%- revision = 1\n%-%- %[%[x\n%-%- Revision ID", text)
    local rev = revision.compile(revision.parse(text, "x.lua"))
    assert.equal("first revision = 1 [[x", rev.doc)
  end)

  it("does not look for words in what it puts in", function()
    local text = template.text({}, draft({
      message = "a {id} and 100%1",
      body = { upgrade = { 'op.execute("{id}")' }, downgrade = { "", "op.b()" } },
    }))
    assert.matches("^%-%-%- a {id} and 100%%1\n", text)
    assert.matches('  op.execute%("{id}"%)\n', text)
    assert.matches("function downgrade%(%)\n\n  op.b%(%)\nend\n$", text)
  end)

  describe("with a template of the project", function()
    local dir

    before_each(function()
      dir = project.new()
    end)

    after_each(function()
      dir:remove()
    end)

    local function text_of(source, fields)
      local path = dir:write("t.lua", source)
      return template.text({ template = path, file = "luamig.lua" }, draft(fields))
    end

    it("replaces the words and keeps everything else", function()
      assert.equal('revision = "002" -- add email\nlocal t = { id }\n\top.a()\n',
        text_of('\xEF\xBB\xBFrevision = "{id}" -- {message}\r\nlocal t = { id }\r\n'
          .. "\t{upgrade}\r\n"))
    end)

    it("leaves braces that are plain Lua alone", function()
      local source = "local t = {zzzzzzzz}\nlocal s = '{}' .. '{1}'\n"
      assert.equal(source, text_of(source))
    end)

    it("names a mistyped word with its line", function()
      local f = failure(text_of, "-- x\n-- {mesage}\n")
      assert.equal("the template has {mesage}, which is no word of a template", f.message)
      assert.matches("^did you mean {message}%?", f.hint)
      assert.equal(2, f.line)
      assert.matches("/t%.lua$", f.file)
    end)

    it("names a template that is not there", function()
      local f = failure(template.text, { template = "/nope/t.lua", file = "luamig.lua" }, draft())
      assert.equal("there is no template '/nope/t.lua'", f.message)
      assert.equal("luamig.lua", f.file)
    end)
  end)
end)

describe("the file name of a new revision", function()
  local function name(pattern, fields, recursive)
    return template.file_name({
      file_template = pattern,
      recursive = recursive or false,
      file = "luamig.lua",
    }, draft(fields))
  end

  it("follows the pattern", function()
    assert.equal("002_add_email.lua", name("{id}_{slug}"))
    assert.equal("2025-01-11_12-00-00_002.lua",
      name("{year}-{month}-{day}_{hour}-{minute}-{second}_{id}"))
    assert.equal("1736596800.lua", name("{epoch}.lua"))
    assert.equal("2025/002_add_email.lua", name("{year}/{id}_{slug}", nil, true))
  end)

  it("has no dangling mark when the message has no word", function()
    assert.equal("002.lua", name("{id}_{slug}", { message = "!!!" }))
  end)

  it("names an unknown word", function()
    local f = failure(name, "{id}_{slog}")
    assert.equal("file_template has {slog}, which is no word of it", f.message)
    assert.equal("did you mean {slug}?", f.hint)
    assert.matches("^known: {id} {slug}", failure(name, "{revision_number}").hint)
  end)

  it("must be one that luamig finds again", function()
    assert.equal("a name that begins with '.', '_' or '#' is passed over",
      failure(name, "_{id}").detail)
    assert.equal("the file must lie in the versions folder", failure(name, "../{id}").detail)
    assert.equal("the file must lie in the versions folder",
      failure(name, "/{id}", nil, true).detail)
    assert.equal("it lies in a folder below, and recursive is not true",
      failure(name, "{year}/{id}").detail)
    assert.equal("it is longer than a file name can be", failure(name, ("x"):rep(252)).detail)
  end)
end)
