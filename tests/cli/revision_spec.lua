local cjson = require("cjson")
local cli = require("support.cli")
local project = require("support.project")

describe("luamig revision", function()
  local dir

  before_each(function()
    dir = project.new()
    dir:write("luamig.lua", "return {}")
    dir:write("versions/.keep", "")
  end)

  after_each(function()
    dir:remove()
  end)

  local function run(...)
    return cli.run({ ... }, { cwd = dir:path() })
  end

  local function revise(...)
    local result = run("revision", ...)
    assert.equal(0, result.status, result.stderr)
    return result.stdout:gsub("\n$", "")
  end

  -- The one line of the message, the exit status, and everything.
  local function refused(...)
    local before = table.concat(dir:list("versions"), " ")
    local result = run("revision", ...)
    assert.are_not.equal(0, result.status)
    assert.equal("", result.stdout)
    assert.equal(before, table.concat(dir:list("versions"), " "))
    return result.stderr:match("^error: (.-)\n"), result.status, result.stderr
  end

  it("writes a file that upgrades and downgrades, and prints its path", function()
    local result = run("revision", "-m", "create users")
    assert.equal("versions/001_create_users.lua\n", result.stdout)
    assert.equal("revision 001, a first one\n", result.stderr)
    local text = dir:read("versions/001_create_users.lua")
    assert.matches("^%-%-%- create users\n%-%- Revision ID: 001\n%-%- Revises:\n"
      .. "%-%- Create Date: %d%d%d%d%-%d%d%-%d%d %d%d:%d%d:%d%d%+00:00\n\n"
      .. 'revision = "001"\ndown_revision = nil\nbranch_labels = nil\ndepends_on = nil\n\n'
      .. 'function upgrade%(%)\n  op.create_table%("users", {\n.*\nend\n\n'
      .. 'function downgrade%(%)\n  op.drop_table%("users"%)\nend\n$', text)
  end)

  it("follows the head", function()
    assert.equal("versions/001_a.lua", revise("-m", "a"))
    assert.equal("versions/002_b_c.lua", (revise("b", "c")))
    assert.equal("versions/003_d.lua", cli.run({ "new", "d" }, { cwd = dir:path() }).stdout
      :gsub("\n", ""))
    assert.equal("002 -> 003 (head), d\n001 -> 002, b c\n<base> -> 001, a\n",
      run("history").stdout)
  end)

  it("leaves empty functions when the message tells nothing", function()
    local text = dir:read((revise("-m", "tidy up")))
    assert.matches("function upgrade%(%)\n  %-%- the change, as calls of op; all of them: "
      .. "luamig help op\nend\n\nfunction downgrade%(%)\n  %-%- and the way back\nend\n$", text)
  end)

  it("takes an id, labels and dependencies", function()
    revise("-m", "a", "--rev-id", "aaa1")
    revise("-m", "b", "--rev-id", "bbb1", "--branch-label", "billing", "--branch-label", "money")
    revise("-m", "c", "--rev-id", "ccc1", "--head", "base", "--depends-on", "bbb",
      "--depends-on", "billing", "--depends-on", "aaa1")
    assert.matches('branch_labels = { "billing", "money" }', dir:read("versions/bbb1_b.lua"))
    assert.matches('down_revision = nil\nbranch_labels = nil\n'
      .. 'depends_on = { "bbb1", "billing", "aaa1" }', dir:read("versions/ccc1_c.lua"))
  end)

  it("begins a branch only with --splice", function()
    revise("-m", "a")
    revise("-m", "b")
    local message, status, all = refused("-m", "c", "--head", "001")
    assert.equal("revision 001 is no head: 002 follows it already", message)
    assert.equal(2, status)
    assert.matches("hint:  %-%-splice begins another branch there\n", all)
    assert.equal("versions/003_c.lua", (revise("-m", "c", "--head", "001", "--splice")))
  end)

  it("asks which of several heads it follows", function()
    revise("-m", "a")
    revise("-m", "b")
    revise("-m", "c", "--head", "001", "--splice", "--branch-label", "bill")
    local message, status, all = refused("-m", "d")
    assert.equal("Multiple heads are present: 002, 003", message)
    assert.equal(7, status)
    assert.matches("try:   luamig merge\n", all)
    assert.equal("--head heads means 2 revisions: 002, 003",
      (refused("-m", "d", "--head", "heads")))
    revise("-m", "d", "--head", "bill@head")
    assert.matches('down_revision = "003"', dir:read("versions/004_d.lua"))
  end)

  it("refuses what would make the project unsound, and writes nothing", function()
    revise("-m", "a", "--branch-label", "bill")
    revise("-m", "b")
    assert.equal("the revision id '001' is taken", (refused("-m", "x", "--rev-id", "001")))
    assert.equal("the revision id 'bill' is taken", (refused("-m", "x", "--rev-id", "bill")))
    assert.equal("'a-b' is no revision id: it has '-'", (refused("-m", "x", "--rev-id", "a-b")))
    assert.equal("'head' is no revision id: the word has a meaning of its own",
      (refused("-m", "x", "--rev-id", "head")))
    assert.matches("it has 65 characters, and 64 fit$",
      (refused("-m", "x", "--rev-id", ("a"):rep(65))))
    assert.equal("the branch label 'bill' is taken", (refused("-m", "x", "--branch-label", "bill")))
    assert.equal("the branch label '002' is taken", (refused("-m", "x", "--branch-label", "002")))
    assert.equal("the branch label 'y' is given twice",
      (refused("-m", "x", "--branch-label", "y", "--branch-label", "y")))
    assert.equal("the branch label '9' is given twice",
      (refused("-m", "x", "--rev-id", "9", "--branch-label", "9")))
    assert.equal("--depends-on base names no revision",
      (refused("-m", "x", "--depends-on", "base")))
    assert.matches("'zz'", (refused("-m", "x", "--head", "zz")))
    assert.matches("'zz'", (refused("-m", "x", "--depends-on", "zz")))
  end)

  it("knows how long an id of Alembic's table may be", function()
    dir:write("luamig.lua", 'return { version_table = "alembic_version" }')
    assert.matches("it has 33 characters, and 32 fit$",
      (refused("-m", "x", "--rev-id", ("a"):rep(33))))
  end)

  it("needs a message when there is nobody to ask", function()
    local message, status, all = refused()
    assert.equal("the message is missing", message)
    assert.equal(2, status)
    assert.matches("try:   luamig revision %-m 'add email to users'\n", all)
    assert.equal("the message is there twice: -m 'a' and 'b'", (refused("-m", "a", "b")))
    assert.equal("the message is empty", (refused("-m", "  ")))
    assert.equal("the message is not UTF-8", (refused("-m", "\xff")))
    assert.equal("the message has control characters in it", (refused("-m", "a\27[31m")))
  end)

  it("suggests the option that was meant", function()
    local message, status, all = refused("--mesage", "x")
    assert.equal("unknown option '--mesage'", message)
    assert.equal(2, status)
    assert.matches("hint:  did you mean '%-%-message'%?\n  try:   luamig revision %-%-help\n", all)
    assert.equal("'--sql' has no meaning for 'luamig revision'", (refused("--sql", "-m", "x")))
  end)

  it("has no name in common with a file that is there", function()
    dir:write("versions/001_a.lua", 'revision = "zz"\nfunction upgrade() end\n')
    assert.equal("the file 'versions/001_a.lua' exists already",
      (refused("-m", "a", "--rev-id", "001")))
  end)

  it("needs the versions folder", function()
    dir:write("luamig.lua", 'return { versions = "nope" }')
    local message, status, all = refused("-m", "x")
    assert.equal("the versions folder 'nope' cannot be read", message)
    assert.equal(2, status)
    assert.matches("hint:  the key `versions` of the config names it\n  try:   mkdir nope\n", all)
  end)

  it("stops at a broken revision that is there already", function()
    dir:write("versions/001_a.lua", "revision = 1\nfunction upgrade() end\n")
    local message, status = refused("-m", "x")
    assert.equal("revision must be a string, but it is number 1", message)
    assert.equal(7, status)
  end)

  it("goes on in sequence beside hash ids", function()
    revise("-m", "a")
    revise("-m", "b", "--rev-id", "856dac83d2e3")
    assert.equal("versions/002_c.lua", (revise("-m", "c")))
    assert.matches('down_revision = "856dac83d2e3"', dir:read("versions/002_c.lua"))
  end)

  it("follows the project's rules of ids, names and time", function()
    dir:write("luamig.lua", 'return { id = "hash", file_template = "{year}/{slug}-{id}", '
      .. 'recursive = true, timezone = "Asia/Kolkata" }')
    local path = revise("-m", "a b")
    assert.matches("^versions/%d%d%d%d/a_b%-%x%x%x%x%x%x%x%x%x%x%x%x.lua$", path)
    assert.matches("Create Date: .*%+05:30\n", dir:read(path))
    dir:write("luamig.lua", 'return { id = "timestamp", recursive = true }')
    assert.matches("^versions/%d%d%d%d%d%d%d%d%d%d%d%d%d%d_c.lua$", (revise("-m", "c")))
  end)

  it("names what is wrong with these rules", function()
    dir:write("luamig.lua", 'return { timezone = "Europe/Nowhere" }')
    assert.equal("timezone 'Europe/Nowhere' is not known", (refused("-m", "x")))
    dir:write("luamig.lua", 'return { file_template = "{rev}" }')
    assert.equal("file_template has {rev}, which is no word of it", (refused("-m", "x")))
    dir:write("luamig.lua", 'return { template = "t.lua" }')
    assert.matches("^there is no template '.*/t.lua'$", (refused("-m", "x")))
  end)

  it("uses the project's template, and checks what it makes", function()
    dir:write("luamig.lua", 'return { template = "t.lua" }')
    dir:write("t.lua", '-- {message}\nrevision = "{id}"\ndown_revision = {down_revision}\n'
      .. "function upgrade()\n\t{upgrade}\nend\n")
    assert.equal('-- create x\nrevision = "001"\ndown_revision = nil\nfunction upgrade()\n'
      .. '\top.create_table("x", {\n', dir:read((revise("-m", "create x"))):sub(1, 100)
      :match("^.-{\n"))
    local message, status, all = refused("-m", "y", "--branch-label", "b")
    assert.equal("the template does not set branch_labels as it should: a line `branch_labels = "
      .. "{branch_labels}` is missing", message)
    assert.equal(2, status)
    assert.matches("\n  t.lua\n", all)
    dir:write("t.lua", 'revision = "{id}"\ndown_revision = {down_revision}\nfunction upgrade(\n')
    message, status, all = refused("-m", "y")
    assert.matches("^the template makes no sound revision: ", message)
    assert.equal(2, status)
    assert.matches("\n  t.lua:4\n", all)
  end)

  it("goes where its parent is when there are several folders", function()
    dir:write("luamig.lua", 'return { versions = { "one", "two" } }')
    dir:write("one/.keep", "")
    dir:write("two/.keep", "")
    local several, _, text = refused("-m", "a")
    assert.equal("the project has several versions folders; name one with --version-path", several)
    assert.matches("hint:  folders: one, two\n", text)
    assert.equal("two/001_a.lua", (revise("-m", "a", "--version-path", "two")))
    assert.equal("two/002_b.lua", (revise("-m", "b")))
    local message, _, all = refused("-m", "c", "--version-path", "three")
    assert.equal("--version-path three is no versions folder of the project", message)
    assert.matches("hint:  folders: one, two\n", all)
    assert.equal("one/003_c.lua", (revise("-m", "c", "--version-path", dir:path("one"))))
  end)

  it("tells the same as JSON", function()
    local result = cjson.decode(run("revision", "--json", "-m", "add a to b").stdout)
    assert.equal("001", result.revision)
    assert.equal("versions/001_add_a_to_b.lua", result.file)
    assert.equal("add a to b", result.doc)
    assert.same({}, result.down_revision)
    assert.is_true(result.is_head)
    local failed = run("revision", "--json")
    assert.equal("the message is missing", cjson.decode(failed.stderr).error.message)
  end)

  it("calls the hook after_write with the path, and says when it fails", function()
    dir:write("luamig.lua", [[return { hooks = { after_write = function(path)
      return os.execute("echo '-- seen' >> '" .. path .. "' && exit ${RC:-0}")
    end } }]])
    assert.matches("%-%- seen\n$", dir:read((revise("-m", "a"))))
    local result = cli.run({ "revision", "-m", "b" }, { cwd = dir:path(), env = { RC = "4" } })
    assert.equal(9, result.status)
    assert.matches("^error: the hook after_write failed: its program ended with exit status 4\n",
      result.stderr)
    assert.matches("state: versions/002_b.lua was written\n", result.stderr)
  end)

  it("gives a fresh clone the editor's file that git ignores", function()
    assert.equal(0, run("init").status)
    os.remove(dir:path(".luamig/meta/luamig.lua"))
    revise("-m", "a")
    assert.matches("%-%-%-@meta", dir:read(".luamig/meta/luamig.lua"))
    os.remove(dir:path(".luarc.json"))
    os.remove(dir:path(".luamig/meta/luamig.lua"))
    revise("-m", "b")
    assert.is_nil(dir:read(".luamig/meta/luamig.lua"))
  end)

  it("opens the editor with -e", function()
    local result = cli.run({ "revision", "-e", "-m", "a" },
      { cwd = dir:path(), env = { EDITOR = "echo edited" } })
    assert.equal(0, result.status)
    assert.equal("versions/001_a.lua\nedited " .. dir:path("versions/001_a.lua") .. "\n",
      result.stdout)
  end)

  it("gives every one of many writers at once an id of its own", function()
    local writers = {}
    for i = 1, 8 do
      writers[i] = cli.start({ "revision", "-m", "r" .. i }, { cwd = dir:path() })
    end
    for _, writer in ipairs(writers) do
      local result = writer:wait()
      assert.equal(0, result.status, result.stderr)
    end
    local history = run("history", "--json")
    assert.equal(0, history.status, history.stderr)
    assert.equal(8, #cjson.decode(history.stdout))
    assert.equal("008 (head)\n", run("heads").stdout)
  end)

  it("has nothing to generate from without a declared schema", function()
    local message, status = refused("--autogenerate", "-m", "x")
    assert.equal("the project declares no schema: there is nothing to compare the database with",
      message)
    assert.equal(2, status)
  end)
end)
