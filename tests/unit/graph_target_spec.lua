local fault = require("luamig.fault")
local graphs = require("support.graphs")

--   t -+- a1 - a2        b: label of b1
--      +- b1 - b2 -+- m  (m merges b2 and c1)
--   c1 ------------+
local text = [[
  t
  a1 < t
  a2 < a1
  b1 < t [shop]
  b2 < b1
  c1
  m < b2, c1
]]

local g = graphs.new(text)
local line = graphs.new("001\n002 < 001\n003 < 002 [lab]\n004 < 003")

local function resolved(target, options, on)
  return table.concat((on or g):resolve(target, options), " ")
end

local function failure(target, options, on)
  local ok, f = pcall((on or g).resolve, on or g, target, options)
  assert.is_false(ok, "no fault was raised")
  assert.is_true(fault.is(f), tostring(f))
  return f
end

describe("target", function()
  it("head is the last revision", function()
    assert.equal("004", resolved("head", nil, line))
  end)

  it("heads are all last revisions that nothing needs", function()
    assert.equal("a2 m", resolved("heads"))
    assert.equal("a1", resolved("heads", nil, graphs.new("a1 + b1\nb1")))
  end)

  it("base is nothing", function()
    assert.equal("", resolved("base"))
    assert.equal("", resolved("shop@base"))
  end)

  it("a full id wins over what begins so", function()
    local ids = graphs.new("ab\nabc < ab\nabcd < abc")
    assert.equal("ab", resolved("ab", nil, ids))
    assert.equal("abcd", resolved("abcd", nil, ids))
  end)

  it("a beginning of any length will do when there is only one", function()
    assert.equal("t", resolved("t"))
    assert.equal("c1", resolved("c"))
    assert.equal("856dac83d2e3", resolved("8", nil, graphs.new("001\n856dac83d2e3 < 001")))
  end)

  it("a beginning may be of a label", function()
    assert.equal("b1", resolved("sh"))
  end)

  it("a beginning of an id and of its own label is no doubt", function()
    assert.equal("net1", resolved("net", nil, graphs.new("net1 [net_work]")))
  end)

  it("a label alone is the revision that has it, not the end of its branch", function()
    assert.equal("b1", resolved("shop"))
  end)

  it("current is where the database is", function()
    assert.equal("a1 b1", resolved("current", { current = { "b1", "a1" } }))
    assert.equal("", resolved("current", { current = {} }))
    assert.equal("b1", resolved("shop@current", { current = { "b1", "a1" } }))
  end)
end)

describe("target that cannot be found", function()
  it("is unknown, with what is near", function()
    local f = failure("856dac83d2e4", nil, graphs.new("856dac83d2e3\n756dac83d2e4\nx"))
    assert.equal("graph", f.kind)
    assert.equal("Can't locate revision identified by '856dac83d2e4'", f.message)
    assert.equal("did you mean '856dac83d2e3' or '756dac83d2e4'?", f.hint)
    assert.is_nil(failure("zebra").hint)
    assert.equal("luamig history", failure("zebra").try)
  end)

  it("may be a mistyped word, or one in capitals", function()
    assert.equal("did you mean 'head'?", failure("HEAD").hint)
    assert.equal("did you mean 'heads'?", failure("haeds").hint)
    assert.equal("did you mean 'base'?", failure("Base").hint)
  end)

  it("may be a number without its zeros", function()
    assert.equal("did you mean '003'?", failure("3", nil, line).hint)
  end)

  it("may be a mistyped label", function()
    assert.equal("did you mean 'shop'?", failure("shpo").hint)
  end)

  it("may be the name of a file", function()
    local files = require("luamig.core.graph").new({ { id = "1", file = "v/1_add_users.lua" } })
    for _, name in ipairs({ "1_add_users", "1_add_users.lua", "v/1_add_users.lua" }) do
      assert.equal("that is a file; its revision is '1'", failure(name, nil, files).hint)
    end
  end)

  it("is ambiguous, with all it could be", function()
    local f = failure("00", nil, line)
    assert.equal("Can't locate revision identified by '00': 4 revisions begin so", f.message)
    assert.equal("001  versions/001.lua\n002  versions/002.lua\n003  versions/003.lua\n"
      .. "004  versions/004.lua", f.detail)
    assert.equal("write more of the id", f.hint)
  end)

  it("is ambiguous, with some of the many it could be", function()
    local list = {}
    for i = 1, 30 do
      list[i] = ("r%02d"):format(i)
    end
    local f = failure("r", nil, graphs.new(table.concat(list, "\n")))
    assert.matches("30 revisions begin so", f.message)
    assert.matches("r08  versions/r08.lua\nand 22 more$", f.detail)
  end)

  it("says so of a project without revisions", function()
    assert.equal("the project has no revisions yet", failure("001", nil, graphs.new("")).hint)
  end)

  it("is no target at all", function()
    local usage = {
      [""] = "the target is empty",
      ["@a1"] = "'@a1' has no branch before its @",
      ["a1@"] = "'a1@' has no revision behind its @",
      ["a@b@c"] = "'a@b@c' has more than one @",
      ["a1:a2"] = "Range revision not allowed here: 'a1:a2'",
    }
    for target, message in pairs(usage) do
      local f = failure(target)
      assert.equal("usage", f.kind)
      assert.equal(message, f.message)
      assert.is_string(f.hint)
    end
    assert.equal("usage", failure("a1\0").kind)
    assert.equal("Can't locate revision identified by '+'", failure("+").message)
    assert.equal("Can't locate revision identified by 'a1+'", failure("a1+").message)
  end)
end)

describe("target of a branch", function()
  it("is named by its label or any id of it", function()
    assert.equal("m", resolved("shop@head"))
    assert.equal("m", resolved("c1@head"))
    assert.equal("a2", resolved("a1@head"))
    assert.equal("a2", resolved("a2@head"))
    assert.equal("m", resolved("shop@heads"))
  end)

  it("may be named by a beginning", function()
    assert.equal("m", resolved("sho@head"))
  end)

  it("from the trunk is all that grows on it", function()
    assert.equal("a2 m", resolved("t@heads"))
    local f = failure("t@head")
    assert.matches("^Multiple head revisions are present for given argument 't@head'", f.message)
    assert.equal('luamig merge a2 m -m "merge heads"\nluamig rebase b1 --onto a2', f.try)
  end)

  it("narrows a beginning", function()
    assert.equal("b2", resolved("shop@b2"))
    assert.equal("Can't locate revision identified by 'b': 2 revisions begin so",
      failure("b").message)
    assert.equal("a2", resolved("a1@a2"))
    local two = graphs.new("x1 [one]\nx2 [two]")
    assert.equal("x2", resolved("two@x", nil, two))
  end)

  it("must have the revision", function()
    assert.equal("Can't locate revision identified by 'shop@a2': "
      .. "revision a2 is not a member of branch 'shop'", failure("shop@a2").message)
    assert.equal("Can't locate revision identified by 'shop@zap': "
      .. "no revision of branch 'shop' has this id or begins so", failure("shop@zap").message)
    assert.equal("Can't locate revision identified by 'shop@b': 2 revisions begin so",
      failure("shop@b").message)
  end)

  it("must be there", function()
    local f = failure("shpo@head")
    assert.equal("Can't locate revision identified by 'shpo', as the branch of 'shpo@head'",
      f.message)
    assert.equal("did you mean 'shop'?", f.hint)
  end)
end)

describe("several heads", function()
  it("and `head` are an error with a picture and two ways out", function()
    local f = failure("head", nil, graphs.new("001\n002 < 001\n003a < 002\n003b < 002"))
    assert.equal("graph", f.kind)
    assert.equal("Multiple head revisions are present for given argument 'head'; please specify a "
      .. "specific target revision, '<branchname>@head' to narrow to a specific head, or 'heads' "
      .. "for all heads", f.message)
    assert.equal("002 -+- 003a (head)  versions/003a.lua\n"
      .. "     +- 003b (head)  versions/003b.lua", f.detail)
    assert.equal('luamig merge heads -m "merge heads"\nluamig rebase 003b --onto 003a', f.try)
  end)

  it("are drawn from where they part", function()
    local f = failure("head", nil, graphs.new("t\na1 < t\na2 < a1\na3 < a2\nb1 < t\nb2 < b1\n"
      .. "b3 < b2\nb4 < b3\nx\nc < a1"))
    assert.equal("a1 -+- a2 -> a3 (head)  versions/a3.lua\n"
      .. "    +- c (head)  versions/c.lua\n"
      .. "t -+- b1 -> (2 more) -> b4 (head)  versions/b4.lua\n"
      .. "<base> -+- x (head)  versions/x.lua", f.detail)
  end)

  it("that have nothing in common part at base", function()
    assert.equal("<base> -+- a (head)  versions/a.lua\n        +- b (head)  versions/b.lua",
      failure("head", nil, graphs.new("a\nb")).detail)
  end)

  it("are named some, when they are many", function()
    local list = { "t" }
    for i = 1, 40 do
      list[#list + 1] = ("h%02d < t"):format(i)
    end
    assert.matches("h08 %(head%)  versions/h08.lua\nand 32 more$",
      failure("head", nil, graphs.new(table.concat(list, "\n"))).detail)
  end)

  it("offer to move only what is not applied", function()
    local forked = graphs.new("t\na < t\nb < t")
    local ok, f = pcall(forked.upgrade, forked, { "b" }, "head")
    assert.is_false(ok)
    assert.matches("luamig rebase a %-%-onto b$", f.try)
    ok, f = pcall(forked.upgrade, forked, { "a", "b" }, "head")
    assert.is_false(ok)
    assert.equal('luamig merge heads -m "merge heads"', f.try)
  end)

  it("are no matter when a branch is named", function()
    assert.equal("a2", resolved("a1@head"))
  end)

  it("count although one needs the other, as in Alembic", function()
    local needy = graphs.new("a1 + b1\nb1")
    assert.matches("^Multiple head revisions", failure("head", nil, needy).message)
  end)
end)

describe("relative target", function()
  it("counts up from a revision, a label, base or the database", function()
    assert.equal("003", resolved("001+2", nil, line))
    assert.equal("004", resolved("lab+1", nil, line))
    assert.equal("002", resolved("base+2", nil, line))
    assert.equal("003", resolved("+2", { current = { "001" } }, line))
    assert.equal("001", resolved("+1", { current = {} }, line))
    assert.equal("003", resolved("current+2", { current = { "001" } }, line))
  end)

  it("counts down from a revision, a label, head or the database", function()
    assert.equal("001", resolved("003-2", nil, line))
    assert.equal("002", resolved("lab-1", nil, line))
    assert.equal("002", resolved("head-2", nil, line))
    assert.equal("001", resolved("-1", { current = { "002" } }, line))
  end)

  it("may end at base", function()
    assert.equal("", resolved("001-1", nil, line))
    assert.equal("", resolved("-2", { current = { "002" } }, line))
  end)

  it("of no steps stays", function()
    assert.equal("002", resolved("002+0", nil, line))
    assert.equal("002", resolved("-0", { current = { "002" } }, line))
  end)

  it("takes the beginning of an id", function()
    assert.equal("856dac83d2e3", resolved("8561+1", nil,
      graphs.new("8561f\n856dac83d2e3 < 8561f")))
  end)

  it("needs exactly so many steps", function()
    local function message(target, current)
      return failure(target, { current = current }, line).message
    end
    assert.equal("Relative revision 002+5 didn't produce 5 migrations: there are only 2 above 002",
      message("002+5"))
    assert.equal("Relative revision +2 didn't produce 2 migrations: there is only 1 above 003",
      message("+2", { "003" }))
    assert.equal("Relative revision +1 didn't produce 1 migrations: there is none above 004",
      message("+1", { "004" }))
    assert.equal("Relative revision base+5 didn't produce 5 migrations: "
      .. "there are only 4 above base", message("base+5"))
    assert.equal("Relative revision 002-3 didn't produce 3 migrations: "
      .. "there are only 2 from 002 down", message("002-3"))
    assert.equal("Relative revision -1 didn't produce 1 migrations: nothing is applied",
      message("-1", {}))
    assert.equal("Relative revision base-1 didn't produce 1 migrations: there is none below base",
      message("base-1"))
    assert.matches("didn't produce 1000000000 migrations", message("001+99999999999999999999"))
  end)

  it("stops at a fork, with the ways to go", function()
    local f = failure("t+1")
    assert.equal("Ambiguous walk: 't+1' goes above t, which is followed by a1, b1", f.message)
    assert.equal("a1  versions/a1.lua\nb1  versions/b1.lua", f.detail)
    assert.equal("name the branch: a1@t+1 or b1@t+1", f.hint)
    assert.equal("Ambiguous walk: 'base+1' could begin with t, c1", failure("base+1").message)
  end)

  it("finds its way with a branch", function()
    assert.equal("b2", resolved("shop@t+2"))
    assert.equal("a2", resolved("a2@base+3"))
    assert.equal("b1", resolved("shop@+1", { current = { "t" } }))
    assert.equal("m", resolved("c1@+2", { current = { "t" } }))
    assert.equal("b1", resolved("shop@head-2", nil, graphs.new("t\nb1 < t [shop]\nb2 < b1\n"
      .. "b3 < b2\na < t")))
  end)

  it("stops below a merge when steps are left, with the ways to go", function()
    local f = failure("m-2")
    assert.equal("Ambiguous walk: 'm-2' goes below m, which merges b2, c1", f.message)
    assert.equal("name the branch: b2@m-2 or c1@m-2", f.hint)
    assert.equal("b1", resolved("b2@m-2"))
    assert.equal("", resolved("c1@m-2"))
  end)

  it("is all that a merge merges when it ends below it", function()
    assert.equal("b2 c1", resolved("m-1"))
  end)

  it("needs one row to count from", function()
    local f = failure("-1", { current = { "a2", "m" } })
    assert.equal("'-1' is ambiguous with multiple current revisions: it could count from a2, m",
      f.message)
    assert.equal("a2  versions/a2.lua\nm  versions/m.lua", f.detail)
    assert.equal("name the branch: a2@-1 or m@-1", f.hint)
    assert.equal("a1", resolved("a2@-1", { current = { "a2", "m" } }))
  end)

  it("needs the rows of the database", function()
    for _, target in ipairs({ "+1", "-1", "current", "shop@+1", "current-1" }) do
      local f = failure(target)
      assert.equal("usage", f.kind)
      assert.matches("counts from where the database is, which is not known here$", f.message)
    end
  end)

  it("goes up in an upgrade and down in a downgrade", function()
    local f = failure("-1", { current = { "002" }, direction = "upgrade" }, line)
    assert.equal("usage", f.kind)
    assert.equal("luamig downgrade -1", f.try)
    f = failure("+1", { current = { "002" }, direction = "downgrade" }, line)
    assert.equal("luamig upgrade +1", f.try)
    assert.equal("002", resolved("003-1", { current = {}, direction = "upgrade" }, line))
    assert.equal("002", resolved("001+1", { current = {}, direction = "downgrade" }, line))
  end)

  it("names rows that no revision has", function()
    local f = failure("+1", { current = { "002", "zap" } }, line)
    assert.equal("Can't locate revision identified by 'zap': "
      .. "the database is there, but no file has it", f.message)
  end)
end)

describe("needs_rows", function()
  it("tells what counts from the database", function()
    for _, target in ipairs({ "current", "+1", "-2", "shop@-1", "current-1", "shop@current",
      "current:", ":current", "-3:current", "current:+2", "-1:+1", "+1:", ":-1" }) do
      assert.is_true(g:needs_rows(target), target)
    end
    for _, target in ipairs({ "head", "base", "a1", "a1+1", "head-1", "shop@head", "", "a@b@c",
      ":", "a1:a2", "-3:", ":+3", "-2:a2", "t:+2", "a:b:c" }) do
      assert.is_false(g:needs_rows(target), target)
    end
  end)

  it("is not fooled by a name", function()
    local named = graphs.new("current_users [v1-2]")
    assert.is_false(named:needs_rows("current_users"))
    assert.is_false(named:needs_rows("v1-2"))
  end)
end)

describe("range", function()
  local function range(ends, current, on)
    return table.concat((on or g):range(ends, { current = current }), " ")
  end

  local function range_failure(ends, current, on)
    local ok, f = pcall((on or g).range, on or g, ends, { current = current })
    assert.is_false(ok, "no fault was raised")
    assert.is_true(fault.is(f), tostring(f))
    return f
  end

  it("includes both ends", function()
    assert.equal("002 003", range("002:003", nil, line))
    assert.equal("002", range("002:002", nil, line))
  end)

  it("may be open", function()
    assert.equal("001 002 003 004", range(":", nil, line))
    assert.equal("003 004", range("003:", nil, line))
    assert.equal("001 002", range(":002", nil, line))
    assert.equal("001 002", range("base:002", nil, line))
    assert.equal("003 004", range("003:head", nil, line))
  end)

  it("keeps to what is between its ends", function()
    assert.equal("b1 b2 m", range("b1:m"))
    assert.equal("t b1 b2", range(":b2"))
    assert.equal("t c1 b1 b2 m", range(":m", nil, graphs.new("t\nc1\nb1 < t\nb2 < b1\nm < b2, c1")))
    assert.equal("t a1 a2 b1 b2 m", range("t:"))
  end)

  it("brings along what is needed, from base", function()
    local needy = graphs.new("a1 + b1\na2 < a1\nb1\nb2 < b1")
    assert.equal("b1 a1 a2", range(":a2", nil, needy))
    assert.equal("a1 a2", range("a1:a2", nil, needy))
  end)

  it("includes its ends although only depends_on joins them", function()
    local needy = graphs.new("a1 + b1\na2 < a1\nb1\nb2 < b1")
    assert.equal("b1 a1 a2", range("b1:a2", nil, needy))
  end)

  it("open above includes branches that another needs", function()
    local needy = graphs.new("a1 + b1\nb1 [b]")
    assert.equal("b1", range("b@base:", nil, needy))
    assert.equal("b1", range("b1:", nil, graphs.new("b1")))
  end)

  it("of a branch keeps to it", function()
    assert.equal("t a1 a2", range(":a1@head"))
    assert.equal("t b1 b2 c1 m", range("shop@base:"))
    assert.equal("b1 b2 m", range("shop@b1:"))
  end)

  it("counts from its other end", function()
    assert.equal("002 003 004", range("-2:", nil, line))
    assert.equal("002 003", range("-1:003", nil, line))
    assert.equal("001 002 003", range("-2:current", { "003" }, line))
    assert.equal("001 002", range(":+2", nil, line))
    assert.equal("002 003", range("002:+1", nil, line))
    assert.equal("002 003 004", range("current:+9", { "002" }, line))
  end)

  it("counts as far as there is something", function()
    assert.equal("001 002", range("-9:002", nil, line))
  end)

  it("counts past forks and merges", function()
    assert.equal("b2 c1 m", range("-1:m"))
    assert.equal("t a1 b1", range("t:+1"))
    assert.equal("t c1", range(":+1"))
    assert.equal("t b1", range("shop@t:+1"))
  end)

  it("counts both ends from the database when there is nothing else", function()
    assert.equal("001 002 003", range("-1:+1", { "002" }, line))
  end)

  it("begins and ends where the database is", function()
    assert.equal("003 004", range("current:", { "003" }, line))
    assert.equal("001 002 003", range(":current", { "003" }, line))
    assert.equal("a1 a2 b1 b2 m", range("current:", { "b1", "a1" }))
    assert.equal("001 002 003 004", range("current:head", {}, line))
  end)

  it("must lie along one branch", function()
    local f = range_failure("a1:m")
    assert.equal("graph", f.kind)
    assert.equal("Requested range a1:m does not refer to ancestor/descendant revisions along the "
      .. "same branch", f.message)
    assert.is_nil(f.hint)
  end)

  it("names the older end first", function()
    assert.equal("the older end comes first: 002:003", range_failure("003:002", nil, line).hint)
  end)

  it("has one colon", function()
    for _, ends in ipairs({ "002", "a:b:c" }) do
      local f = range_failure(ends)
      assert.equal("usage", f.kind)
      assert.equal("History range requires [start]:[end], [start]:, or :[end]", f.hint)
    end
  end)

  it("complains of its ends as of any target", function()
    assert.equal("Can't locate revision identified by 'zap'", range_failure("zap:").message)
    assert.matches("^Multiple head revisions", range_failure(":head").message)
    assert.equal("usage", range_failure("current:").kind)
  end)
end)
