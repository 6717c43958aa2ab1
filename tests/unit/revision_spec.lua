local fault = require("luamig.fault")
local project = require("support.project")
local revision = require("luamig.revision")

local functions = "function upgrade() end\nfunction downgrade() end\n"

local function parse(text)
  return revision.parse(text, "versions/x.lua")
end

-- The fault of reading a text, and of compiling it when reading was not enough to notice.
local function failure(text, project_config)
  local ok, f = pcall(function()
    revision.compile(revision.parse(text, "versions/x.lua", project_config))
  end)
  assert.is_false(ok)
  assert.is_true(fault.is(f), tostring(f))
  assert.equal("versions/x.lua", f.file)
  return f
end

describe("revision header", function()
  it("is read from the text without running the file", function()
    local rev = parse([[
--- add analysis tables
-- Revision ID: 002
-- Revises: 001

revision = "002"
down_revision = "001"      -- nil for the first
branch_labels = { "billing", 'net' }
depends_on = nil
transactional = false
data_loss = "phone numbers"

function upgrade() error("not run") end
]])
    assert.is_nil(rawget(rev, "is_compiled"))
    assert.equal("002", rev.id)
    assert.same({ "001" }, rev.down)
    assert.same({ "billing", "net" }, rev.labels)
    assert.same({}, rev.depends_on)
    assert.is_false(rev.transactional)
    assert.equal("phone numbers", rev.data_loss)
    assert.is_false(rev.irreversible)
    assert.equal("add analysis tables", rev.doc)
  end)

  it("is the same when only running the file can tell", function()
    local rev = parse('revision = "0" .. "02"\ndown_revision = { "a",\n  "b" }\n' .. functions)
    assert.is_true(rev.is_compiled)
    assert.equal("002", rev.id)
    assert.same({ "a", "b" }, rev.down)
    assert.is_true(rev.transactional)
  end)

  it("is not fooled by a header in a comment or further down", function()
    assert.equal("2", parse('--[[\nrevision = "1"\n]]\nrevision = "2"\n' .. functions).id)
    assert.equal("2", parse('revision = "1"\nlocal a\nrevision = "2"\n' .. functions).id)
    assert.equal("2", parse('revision = "1"\nrevision = "2"\n' .. functions).id)
  end)

  it("must not differ from what the text shows", function()
    local f = failure('revision = "1"\nlocal a\nrevision, upgrade = "2", function() end\n')
    assert.equal("script", f.kind)
    assert.equal("running the file gives another header than its text shows", f.message)
  end)

  it("has defaults for what is not written", function()
    local rev = parse('revision = "1"\n' .. functions)
    assert.same({}, rev.down)
    assert.same({}, rev.depends_on)
    assert.same({}, rev.labels)
    assert.is_true(rev.transactional)
    assert.is_false(rev.data_loss)
  end)

  it("accepts a byte order mark, CRLF and a last line without an end", function()
    local text = '--- title\n-- Revision ID: 1\n\nrevision = "1"\n' .. functions
    local plain = parse(text)
    local windows = parse("\xEF\xBB\xBF" .. text:gsub("\n", "\r\n"))
    assert.equal("1", windows.id)
    assert.equal("title", windows.doc)
    assert.equal(plain.sha256, windows.sha256)
    assert.equal("1", parse('revision = "1"\nfunction upgrade() end').id)
  end)

  it("names a file without an id", function()
    local f = failure("--- title\n" .. functions)
    assert.equal("graph", f.kind)
    assert.equal("the file has no revision id", f.message)
    assert.equal('add a header line: revision = "x"', f.hint)
    assert.equal("the revision id is empty", failure('revision = ""\n' .. functions).message)
  end)

  it("notices a header that was made local", function()
    local f = failure('local revision = "1"\n' .. functions)
    assert.equal("`revision` is local there; header fields are global", f.hint)
  end)

  it("names a mistyped field with its line and the nearest one", function()
    local f = failure('revision = "2"\ndown_revison = "1"\n' .. functions)
    assert.equal("script", f.kind)
    assert.equal("'down_revison' is no header field of a revision: make your own names local",
      f.message)
    assert.equal("did you mean 'down_revision'?", f.hint)
    assert.equal(2, f.line)
  end)

  it("checks types", function()
    local f = failure("revision = 2\n" .. functions)
    assert.equal("graph", f.kind)
    assert.equal("revision must be a string, but it is number 2", f.message)
    assert.equal('write it in quotes: revision = "2"', f.hint)
    assert.equal(1, f.line)
    f = failure('revision = "2"\ndown_revision = { "1", 3 }\n' .. functions)
    assert.matches("^down_revision must be a string or a list of strings", f.message)
    assert.equal(2, f.line)
    assert.equal("transactional must be true or false, but it is a string",
      failure('revision = "2"\ntransactional = "no"\n' .. functions).message)
    assert.equal("upgrade must be a function, but it is a table",
      (failure('revision = "2"\nupgrade = {}\n').message:gsub(" with.*", "")))
    assert.is_nil(failure('revision = "2"\nupgrade = 5\n').hint)
  end)
end)

describe("revision comment", function()
  it("has a title that ends at an empty line or at the first field", function()
    local rev = parse('--- add the\n-- two tables\n-- Revision ID: 1\n--\n-- Why: because\n\n'
      .. 'revision = "1"\n' .. functions)
    assert.equal("add the two tables", rev.doc)
    assert.same({ "add the", "two tables", "Revision ID: 1", "", "Why: because" }, rev.comment)
  end)

  it("may be missing", function()
    assert.equal("", parse('revision = "1"\n' .. functions).doc)
  end)
end)

describe("revision script", function()
  it("is compiled when its functions are asked for", function()
    local rev = parse('revision = "1"\nfunction upgrade() return 7 end\n')
    assert.is_nil(rawget(rev, "upgrade"))
    assert.equal(7, rev.upgrade())
    assert.is_nil(rev.downgrade)
    assert.is_nil(rev.change)
  end)

  it("names the line of a syntax error", function()
    local f = failure('revision = "1"\nfunction upgrade()\n  local = 3\nend\n')
    assert.equal("script", f.kind)
    assert.equal(3, f.line)
    assert.equal("<name> expected near '='", f.message)
    assert.equal(9, fault.exit_status(f))
  end)

  it("names the line of a stray global, when it is a function too", function()
    local f = failure('revision = "1"\nfunction upgrade() end\nfunction downgrad() end\n')
    assert.equal(3, f.line)
    assert.equal("did you mean 'downgrade'?", f.hint)
    f = failure('revision = "1"\nfunction upgrade() end\nhelper = 1\n')
    assert.matches("'helper' is no header field", f.message)
    assert.is_nil(f.hint)
  end)

  it("names the line of a global that is assigned while running", function()
    local rev = parse('revision = "1"\nfunction upgrade()\n  total = 1\nend\n')
    local ok, f = pcall(revision.call, rev, "upgrade")
    assert.is_false(ok)
    assert.equal(3, f.line)
    assert.equal("1", f.revision)
  end)

  it("names the line of an unknown global", function()
    local rev = parse('revision = "1"\nfunction upgrade()\n  pritn("x")\nend\n')
    local ok, f = pcall(revision.call, rev, "upgrade")
    assert.is_false(ok)
    assert.equal("there is no global 'pritn'", f.message)
    assert.equal("did you mean 'print'?", f.hint)
    assert.equal(3, f.line)
  end)

  it("shows the script's own frames only", function()
    local rev = parse([[
revision = "1"
local function inner(t)
  return t.a.b
end
function upgrade()
  inner({})
  return nil
end
]])
    local ok, f = pcall(revision.call, rev, "upgrade")
    assert.is_false(ok)
    assert.equal("script", f.kind)
    assert.equal(3, f.line)
    assert.equal("attempt to index a nil value (field 'a')", f.message)
    assert.equal("versions/x.lua:3  inner\nversions/x.lua:6  function", f.context)
  end)

  it("keeps an error that is no text", function()
    local rev = parse('revision = "1"\nfunction upgrade()\n  error({})\nend\n')
    local ok, f = pcall(revision.call, rev, "upgrade")
    assert.is_false(ok)
    assert.equal("error with a table instead of a text", f.message)
  end)

  it("completes a fault that was raised below it", function()
    local rev = parse('revision = "1"\nfunction upgrade()\n  local f = table.pack\n  f()\n  '
      .. 'string.rep("x", -1)\n  return os.execute("x")\nend\n')
    local ok, f = pcall(revision.call, rev, "upgrade")
    assert.is_false(ok)
    assert.equal("os.execute is not available in a script", f.message)
    assert.equal(6, f.line)
  end)

  it("has no way out of the sandbox", function()
    for _, name in ipairs({ "os.execute", "os.exit", "io.popen", "debug", "package" }) do
      local rev = parse('revision = "1"\nfunction upgrade()\n  return ' .. name .. "\nend\n")
      local ok, f = pcall(revision.call, rev, "upgrade")
      assert.is_false(ok, name)
      assert.matches("not available in a script", f.message)
    end
    local f = failure('revision = "1"\nfunction upgrade() end\nassert(load("\\27Lua"))\n')
    assert.matches("attempt to load a binary chunk", f.message)
  end)

  it("cannot change the library of luamig", function()
    revision.compile(parse('revision = "1"\nstring.find = nil\nfunction upgrade() end\n'))
    assert.is_function(string.find)
  end)

  it("is source text only", function()
    local f = failure(string.dump(function() end))
    assert.equal("the file is Lua bytecode; only source text is loaded", f.message)
    assert.is_nil(f.line)
  end)

  it("must have something to run, in one way only", function()
    assert.equal("the file has neither upgrade() nor change()", failure('revision = "1"\n').message)
    assert.matches("^the file has change%(%) and also upgrade%(%)",
      failure('revision = "1"\nfunction change() end\n' .. functions).message)
  end)

  it("gets the same op as require gives", function()
    local rev = parse('revision = "1"\nfunction upgrade()\n  return op == require("luamig.op")\n'
      .. "end\n")
    package.loaded["luamig.op"] = package.loaded["luamig.op"] or {}
    assert.is_true(rev.upgrade())
  end)
end)

describe("revision.scan", function()
  local dir

  before_each(function()
    dir = project.new()
  end)

  after_each(function()
    dir:remove()
  end)

  local function scan(config)
    config = config or {}
    config.versions = config.versions or { dir:path("versions") }
    local ids = {}
    for i, rev in ipairs(revision.scan(config)) do
      ids[i] = rev.id
    end
    return ids
  end

  it("reads .lua files in the order of their names and nothing else", function()
    dir:revision("002_b", "2")
    dir:revision("001_a", "1")
    dir:write("versions/readme.md", "no")
    dir:write("versions/.#001_a.lua", "no")
    dir:write("versions/_helper.lua", "no")
    dir:write("versions/sub/003_c.lua", 'revision = "3"\n' .. functions)
    assert.same({ "1", "2" }, scan())
  end)

  it("descends when told to", function()
    dir:revision("001_a", "1")
    dir:write("versions/sub/deep/003_c.lua", 'revision = "3"\n' .. functions)
    assert.same({ "1", "3" }, scan({ recursive = true }))
  end)

  it("reads several folders", function()
    dir:write("v1/a.lua", 'revision = "a"\n' .. functions)
    dir:write("v2/b.lua", 'revision = "b"\n' .. functions)
    assert.same({ "a", "b" }, scan({ versions = { dir:path("v1"), dir:path("v2") } }))
  end)

  it("says which folder is missing", function()
    local ok, f = pcall(scan)
    assert.is_false(ok)
    assert.equal("config", f.kind)
    assert.matches("^the versions folder '.*/versions' cannot be read$", f.message)
    assert.matches("^mkdir .*versions$", f.try)
  end)

  it("lets scripts require the project's own modules, once, and strictly", function()
    dir:write("lib/names.lua", "local names = { list = {} }\nreturn names")
    dir:write("lib/bad.lua", "x = 1")
    dir:revision("001_a", "1", { body = 'local n = require("names")\nn.list[1] = "seen"\n'
      .. "function upgrade() end" })
    dir:revision("002_b", "2", { body = 'local n = require("names")\n'
      .. 'function upgrade() return n.list[1] end' })
    local config = { versions = { dir:path("versions") }, path = { dir:path("lib") } }
    local list = revision.scan(config)
    revision.compile(list[1])
    assert.equal("seen", list[2].upgrade())
    dir:revision("003_c", "3", { body = 'local b = require("bad")\nfunction upgrade() end' })
    local ok, f = pcall(revision.compile, revision.scan(config)[3])
    assert.is_false(ok)
    assert.matches("'x' is a global: make it local", f.message)
    assert.equal(dir:path("lib/bad.lua"), f.file)
    dir:revision("003_c", "3", { body = 'local b = require("gone")\nfunction upgrade() end' })
    ok, f = pcall(revision.compile, revision.scan(config)[3])
    assert.is_false(ok)
    assert.equal("module 'gone' not found", f.message)
  end)
end)

describe("revision.shown_path", function()
  it("is relative below the current directory, else absolute", function()
    assert.equal("v/a.lua", revision.shown_path("/p/v/a.lua", "/p"))
    assert.equal("/p2/v/a.lua", revision.shown_path("/p2/v/a.lua", "/p"))
  end)
end)
