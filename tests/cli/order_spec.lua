-- merge, rebase, edit: the commands that put revisions in order.
local cjson = require("cjson")
local cli = require("support.cli")
local project = require("support.project")

describe("heads side by side", function()
  local dir

  before_each(function()
    dir = project.new()
    dir:write("luamig.lua", "return {}")
    dir:revision("001_base", "001")
    dir:revision("002_ours", "002", { down = '"001"' })
    dir:revision("002b_theirs", "002b", { down = '"001"' })
    dir:revision("003b_theirs", "003b", { down = '"002b"' })
  end)

  after_each(function()
    dir:remove()
  end)

  local function run(args, options)
    options = options or {}
    options.cwd = dir:path()
    return cli.run(args, options)
  end

  local function done(...)
    local result = run({ ... })
    assert.equal(0, result.status, result.stderr)
    return result.stdout
  end

  local function all_texts()
    return cli.sh("cat versions/*.lua", { cwd = dir:path() }).stdout
  end

  -- The message of a command that must not change a file.
  local function refused(...)
    local before = all_texts()
    local result = run({ ... })
    assert.are_not.equal(0, result.status)
    assert.equal("", result.stdout)
    assert.equal(before, all_texts())
    return result.stderr:match("^error: (.-)\n"), result.status, result.stderr
  end

  describe("luamig merge", function()
    it("joins all of them", function()
      assert.equal("versions/003_merge_002_and_003b.lua\n", done("merge"))
      local text = dir:read("versions/003_merge_002_and_003b.lua")
      assert.matches("^%-%-%- merge 002 and 003b\n%-%- Revision ID: 003\n"
        .. "%-%- Revises: 002, 003b\n", text)
      assert.matches('\ndown_revision = { "002", "003b" }\n', text)
      assert.matches("\nfunction downgrade%(%)\nend\n$", text)
      assert.equal("003 (head)\n", done("heads"))
    end)

    it("joins those that are named, with an id, a label and a message", function()
      dir:revision("004_more", "004", { down = '"001"' })
      assert.equal("versions/m1_both.lua\n",
        done("merge", "002", "004", "-m", "both", "--rev-id", "m1", "--branch-label", "rel"))
      assert.matches('branch_labels = "rel"', dir:read("versions/m1_both.lua"))
      assert.equal("003b (head)\nm1 (rel) (head)\n", done("heads"))
    end)

    it("refuses when there is nothing to join", function()
      done("merge")
      local message, status = refused("merge")
      assert.equal("there is one revision only to join: 003", message)
      assert.equal(2, status)
      assert.equal("there is one revision only to join: 003", (refused("merge", "003")))
      assert.equal("revision 003 is named twice: by '003' and by 'head'",
        (refused("merge", "003", "head")))
    end)

    it("refuses what others follow, and a revision with what comes before it", function()
      local message, _, all = refused("merge", "002", "002b")
      assert.equal("revision 002b is no head: 003b follows it already", message)
      assert.matches("hint:  %-%-splice joins it all the same\n", all)
      assert.equal("revision 002b comes before 003b already; there is nothing to join",
        (refused("merge", "--splice", "003b", "002b")))
      assert.equal("versions/003_merge_002_and_002b.lua\n",
        done("merge", "--splice", "002", "002b"))
    end)

    it("refuses a name that no revision has", function()
      assert.matches("'zz'", (refused("merge", "002", "zz")))
    end)
  end)

  describe("luamig rebase", function()
    it("puts the branch onto the other head by its first revision", function()
      local before = dir:read("versions/002b_theirs.lua")
      local other = dir:read("versions/003b_theirs.lua")
      local result = run({ "rebase", "003b", "--offline" })
      assert.equal(0, result.status, result.stderr)
      assert.equal("002b follows 002 now, not 001: versions/002b_theirs.lua\n", result.stdout)
      assert.equal("no database was asked whether it has been applied (--offline)\n",
        result.stderr)
      assert.equal((before:gsub('down_revision = "001"', 'down_revision = "002"')),
        dir:read("versions/002b_theirs.lua"))
      assert.equal(other, dir:read("versions/003b_theirs.lua"))
      assert.equal("003b (head)\n", done("heads"))
    end)

    it("names any revision of the branch, and the head to follow", function()
      assert.equal("002 follows 003b now, not 001: versions/002_ours.lua\n",
        done("rebase", "002", "--onto", "003b", "--offline"))
      assert.equal("003b -> 002 (head), 002_ours\n", done("history", "-n", "1"))
    end)

    it("says so when it is there already", function()
      done("rebase", "002b", "--offline")
      assert.equal("there is no second head; nothing to do\n", run({ "rebase" }).stderr)
      assert.equal("002b follows 002 already\n", done("rebase", "003b", "--onto", "002"))
    end)

    it("takes a revision out of its line when it is to stand behind it", function()
      assert.equal("003b follows 001 now, not 002b: versions/003b_theirs.lua\n"
        .. "002b follows 003b now, not 001: versions/002b_theirs.lua\n",
        done("rebase", "002b", "--onto", "003b", "--offline"))
      assert.equal("002 (head)\n002b (head)\n", done("heads"))
    end)

    it("proposes the younger branch when it is not told which", function()
      local text = dir:read("versions/002_ours.lua")
      dir:write("versions/002_ours.lua", (text:gsub("\n\n",
        "\n-- Create Date: 2025-03-01 10:00:00+00:00\n\n", 1)))
      local message, status, all = refused("rebase")
      assert.equal("there are two heads, 002 and 003b: which branch moves?", message)
      assert.equal(2, status)
      assert.matches("detail: luamig rebase 002 puts versions/002_ours.lua onto 003b\n +luamig "
        .. "rebase 002b puts versions/002b_theirs.lua onto 002\n", all)
      assert.matches("try:   luamig rebase 002\n", all)
    end)

    it("needs a database to ask, unless it is told not to", function()
      local message, status, all = refused("rebase", "002b")
      assert.equal("no database is named", message)
      assert.equal(2, status)
      assert.matches("%-%-offline moves it without asking the database\n", all)
      assert.matches("state: no file was changed\n", all)
    end)

    it("refuses a move that makes no sense", function()
      local message, _, all = refused("rebase", "002", "--onto", "002b", "--offline")
      assert.equal("revision 002b is no head: 003b follows it", message)
      assert.matches("hint:  a branch is put onto a head", all)
      assert.equal("--onto 'base' names no revision; one is needed",
        (refused("rebase", "002", "--onto", "base")))
      assert.equal("the revision 'heads' names 2 revisions: 002, 003b; one is needed",
        (refused("rebase", "heads")))
      assert.equal("every head follows revision 001", (refused("rebase", "001")))
      assert.equal("revision 002 cannot follow itself", (refused("rebase", "002", "--onto", "002")))
      assert.equal("--onto needs the revision that moves", (refused("rebase", "--onto", "002")))
      assert.matches("'zz'", (refused("rebase", "zz")))
    end)

    it("refuses to choose among three heads", function()
      dir:revision("004_more", "004", { down = '"001"' })
      assert.equal("Multiple heads are present: 002, 003b, 004", (refused("rebase")))
      local message, _, all = refused("rebase", "004", "--offline")
      assert.equal("there are several heads to put revision 004 onto: 002, 003b", message)
      assert.matches("hint:  name one with %-%-onto\n", all)
    end)

    it("refuses a merge, and a branch with two beginnings", function()
      dir:revision("005_a", "005", { down = '"001"' })
      dir:revision("006_merge", "006", { down = '{ "003b", "005" }' })
      assert.equal("the branch of 006 has several beginnings: 002b, 005",
        (refused("rebase", "006", "--offline")))
    end)

    it("refuses what a dependency stands against", function()
      dir:revision("002_ours", "002", { down = '"001"', depends_on = '"003b"' })
      local message, status = refused("rebase", "002b", "--offline")
      assert.matches("002", message)
      assert.equal(7, status)
    end)

    it("leaves a file alone whose parent it cannot read, and names the line", function()
      dir:write("versions/002b_theirs.lua", 'revision = "002b"\ndown_revision =\n  "001"\n'
        .. "function upgrade() end\n")
      local message, status, all = refused("rebase", "002b", "--offline")
      assert.equal("down_revision is not written as one plain line; it is not changed by itself",
        message)
      assert.equal(7, status)
      assert.matches("versions/002b_theirs.lua:2\n", all)
      assert.matches('hint:  change it by hand to: down_revision = "002"\n', all)
    end)

    it("calls the hook and tells the same as JSON", function()
      dir:write("luamig.lua", [[return { hooks = { after_write = function(path)
        io.stderr:write("hook ", path:match("[^/]+$"), "\n")
      end } }]])
      local result = run({ "rebase", "002b", "--offline", "--json" })
      assert.equal("hook 002b_theirs.lua\n", result.stderr)
      assert.same({
        revision = "002b",
        onto = "002",
        edits = {
          { revision = "002b", file = "versions/002b_theirs.lua", down_revision = { "002" },
            was = { "001" } },
        },
      }, cjson.decode(result.stdout))
    end)
  end)

  describe("luamig edit", function()
    local function edit(...)
      return run({ "edit", ... }, { env = { EDITOR = "ls" } })
    end

    it("opens the files of what is named", function()
      assert.equal(dir:path("versions/002_ours.lua") .. "\n", edit("002").stdout)
      assert.equal(dir:path("versions/002_ours.lua") .. "\n"
        .. dir:path("versions/003b_theirs.lua") .. "\n", edit("heads").stdout)
      assert.equal("versions/002_ours.lua is as it was\n", edit("002").stderr)
    end)

    it("prefers VISUAL, takes a command with options, and quotes the path", function()
      dir:write("versions/it's a $x.lua", 'revision = "q"\nfunction upgrade() end\n')
      local result = run({ "edit", "q" },
        { env = { EDITOR = "false", VISUAL = "printf '<%s>' -w" } })
      assert.equal("<-w><" .. dir:path("versions/it's a $x.lua") .. ">", result.stdout)
    end)

    it("says when the editor fails or is not there", function()
      local result = run({ "edit", "002" }, { env = { EDITOR = "exit 3; true" } })
      assert.equal(1, result.status)
      assert.equal("error: the editor 'exit 3; true' (from EDITOR) ended with exit status 3\n",
        result.stderr)
      result = run({ "edit", "002" }, { env = { EDITOR = "no-such-editor" } })
      assert.matches("hint:  there is no such program\n", result.stderr)
      result = run({ "edit", "002" }, { env = { PATH = "/nope:/bin/nope" } })
      assert.equal(127, result.status)
    end)

    it("tells at once what is wrong with the file now", function()
      local result = run({ "edit", "002" }, { env = { EDITOR = "echo 'x = 1' >>" } })
      assert.equal(9, result.status)
      assert.matches("^error: 'x' is no header field of a revision", result.stderr)
      assert.matches("versions/002_ours.lua:%d+\n", result.stderr)
    end)

    it("needs one head when it is not told which", function()
      assert.are_not.equal(0, edit().status)
      local result = edit("base")
      assert.equal(2, result.status)
      assert.equal("error: 'base' names no revision file\n", result.stderr)
      assert.matches("'zz'", edit("zz").stderr)
    end)
  end)
end)
