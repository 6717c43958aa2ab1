-- What can be read of a project without a database.

local cli = require("support.cli")
local project = require("support.project")

local function words(text)
  local list = {}
  for word in text:gmatch("%S+") do
    list[#list + 1] = word
  end
  return list
end

-- What a command prints, when it ends well and has nothing to complain of.
local function printed(cwd, command)
  local result = cli.run(words(command), { cwd = cwd })
  assert.equal("", result.stderr)
  assert.equal(0, result.status)
  return result.stdout
end

describe("luamig on the sample history", function()
  it("lists it, newest first", function()
    assert.equal([[
004 -> 856dac83d2e3 (head), add analysis template tables
003 -> 004, refactor driver tree to true tree
002 -> 003, add driver tree tables
001 -> 002, add analysis tables
<base> -> 001, add azure oid to sample users
]], printed(nil, "history"))
  end)

  it("lists a part of it, both ends included", function()
    assert.equal("002 -> 003, add driver tree tables\n001 -> 002, add analysis tables\n",
      printed(nil, "history -r 002:003"))
    assert.equal("003 -> 004, refactor driver tree to true tree\n",
      printed(nil, "history -r 004: --limit 2"):match("\n(.*)$"))
    assert.equal(printed(nil, "history --limit 2"), printed(nil, "history -r -1:"))
  end)

  it("lists it oldest first", function()
    assert.equal("<base> -> 001, add azure oid to sample users\n001 -> 002, add analysis tables\n",
      printed(nil, "history -r :+2 --reverse"))
  end)

  it("has one head and no branches", function()
    assert.equal("856dac83d2e3 (head)\n", printed(nil, "heads"))
    assert.equal("", printed(nil, "branches"))
  end)

  it("shows a revision by the beginning of its id", function()
    local text = printed(nil, "show 856")
    assert.matches("^Rev: 856dac83d2e3 %(head%)\nParent: 004\nPath: migrations/versions/8", text)
    assert.equal(text, printed(nil, "show head"))
    assert.matches("^Rev: 003\nParent: 002\n", printed(nil, "show head-2"))
  end)

  it("says what an unknown revision could be", function()
    local result = cli.run({ "show", "00" })
    assert.equal(7, result.status)
    assert.equal("", result.stdout)
    assert.matches("^error: Can't locate revision identified by '00': 4 revisions begin so\n"
      .. "  detail: 001  migrations/versions/001_add_azure_oid_to_sample_users.lua\n",
      result.stderr)
    assert.equal("error: Can't locate revision identified by '4'\n  hint:  did you mean '004'?\n"
      .. "  try:   luamig history\n",
      cli.run({ "show", "4" }).stderr)
  end)
end)

local several_heads = "error: Multiple head revisions are present for given argument 'head'; "
  .. "please specify a specific target revision, '<branchname>@head' to narrow to a specific head, "
  .. "or 'heads' for all heads\n"

describe("luamig on a project with branches", function()
  local dir

  before_each(function()
    dir = project.new()
    dir:write("luamig.lua", 'return { url = "postgresql://nobody@localhost:1/none" }\n')
    dir:revision("001", "001", { doc = "users" })
    dir:revision("002_shop", "002a", { down = '"001"', labels = '"shop"', doc = "orders" })
    dir:revision("002_team", "002b", { down = '"001"', doc = "teams" })
    dir:revision("003_team", "003b", { down = '"002b"', depends_on = '"shop"', doc = "members" })
  end)

  after_each(function()
    dir:remove()
  end)

  local function out(command)
    return printed(dir.root, command)
  end

  local function failed(status, command)
    local result = cli.run(words(command), { cwd = dir.root })
    assert.equal(status, result.status)
    assert.equal("", result.stdout)
    return result.stderr
  end

  it("lists the history with its marks", function()
    assert.equal([[
002b (shop) -> 003b (head), members
001 -> 002b, teams
001 -> 002a (shop) (effective head), orders
<base> -> 001 (branchpoint), users
]], out("history"))
  end)

  it("lists the heads, and those that nothing needs", function()
    assert.equal("002a (shop) (effective head)\n003b (head)\n", out("heads"))
    assert.equal("003b (head)\n", out("heads --resolve-dependencies"))
  end)

  it("lists the branch points with what follows them", function()
    assert.equal("001 (branchpoint)\n    -> 002a (shop)\n    -> 002b\n\n", out("branches"))
  end)

  it("shows a branch", function()
    assert.matches("^Rev: 002a %(effective head%)\nParent: 001\nBranch names: shop\n",
      out("show shop@head"))
    assert.matches("^Rev: 003b %(head%)\nParent: 002b\nAlso depends on: shop\n", out("show 003b"))
    assert.matches("\nBranches into: 002a, 002b\n", out("show base+1"))
  end)

  it("lists a branch", function()
    assert.equal("001 -> 002a (shop) (effective head), orders\n"
      .. "<base> -> 001 (branchpoint), users\n", out("history -r shop@base:"))
  end)

  it("says that a revision is of another branch", function()
    assert.equal("error: Can't locate revision identified by 'shop@003b': "
      .. "revision 003b is not a member of branch 'shop'\n  try:   luamig history\n",
      failed(7, "show shop@003b"))
  end)

  it("draws the fork when one head is asked for", function()
    assert.equal(several_heads .. [[
  detail: 001 -+- 002a (head)  versions/002_shop.lua
               +- 002b -> 003b (head)  versions/003_team.lua
  try:   luamig merge heads -m "merge heads"
         luamig rebase 002b --onto 002a
]], failed(7, "show head"))
  end)

  it("lists ranges of one line only", function()
    assert.matches("^error: Requested range 002a:002b does not refer to ancestor/descendant",
      failed(7, "history -r 002a:002b"))
    assert.matches("^error: '002a' is no range of revisions\n", failed(2, "history -r 002a"))
  end)

  it("as JSON holds the same", function()
    local list = require("cjson").decode(out("heads --json"))
    assert.equal("002a", list[1].revision)
    assert.same({ "shop" }, list[1].branch_labels)
    assert.is_true(list[1].is_effective_head)
    assert.equal("versions/003_team.lua", list[2].file)
    local f = require("cjson").decode(failed(7, "show zap --json")).error
    assert.equal("graph", f.kind)
    assert.equal(7, f.exit_status)
  end)
end)

describe("luamig on a project that is not sound", function()
  local dir

  before_each(function()
    dir = project.new()
    dir:write("luamig.lua", 'return { url = "postgresql://nobody@localhost:1/none" }\n')
    dir:revision("001", "001")
  end)

  after_each(function()
    dir:remove()
  end)

  -- Every command that reads the graph says the same, before it connects.
  local commands = { "history", "heads", "branches", "show head", "current", "status",
    "upgrade", "downgrade base", "stamp head", "upgrade head --sql" }

  local function complaint()
    local first
    for _, command in ipairs(commands) do
      local result = cli.run(words(command), { cwd = dir.root })
      assert.equal(7, result.status, command .. ": " .. result.stderr)
      assert.equal("", result.stdout)
      first = first or result.stderr
      assert.equal(first, result.stderr)
    end
    return first
  end

  it("names the file whose parent is missing", function()
    dir:revision("002", "002", { down = '"00l"' })
    assert.equal("error: revision 00l referenced from versions/002.lua (down_revision) "
      .. "is not present\n  versions/002.lua\n  hint:  did you mean '001' or '002'?\n", complaint())
  end)

  it("names both files of an id", function()
    dir:revision("002", "001")
    assert.equal("error: revision 001 is present more than once: in versions/001.lua and in "
      .. "versions/002.lua\n  versions/001.lua\n"
      .. "  hint:  give one of them another id, and name that in what follows it\n", complaint())
  end)

  it("names the files of a cycle", function()
    dir:revision("002", "002", { down = '"003"' })
    dir:revision("003", "003", { down = '"002"' })
    assert.equal("error: cycle is detected in revisions (002, 003): versions/002.lua, "
      .. "versions/003.lua\n  versions/002.lua\n"
      .. "  detail: 002  versions/002.lua  follows 003\n"
      .. "          003  versions/003.lua  follows 002\n", complaint())
  end)
end)
