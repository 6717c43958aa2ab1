local fault = require("luamig.fault")
local graphs = require("support.graphs")

local function set_of(list)
  local set = {}
  for _, word in ipairs(list) do
    set[word] = true
  end
  return set
end

local function words(text)
  local list = {}
  for word in (text or ""):gmatch("%S+") do
    list[#list + 1] = word
  end
  return list
end

-- The rows of a step must be those before it, without what it removes and with what it adds.
local function check_rows(before, step)
  local rows = set_of(before)
  for _, row in ipairs(step.remove) do
    assert.is_true(rows[row], step.id .. " removes a row that is not there: " .. row)
    rows[row] = nil
  end
  for _, row in ipairs(step.add) do
    assert.is_nil(rows[row], step.id .. " adds a row that is there: " .. row)
    rows[row] = true
  end
  assert.same(rows, set_of(step.rows))
end

-- A plan as text: "id(rows removed>rows added)" for each step.
local function plan(g, verb, rows, target)
  local before = words(rows)
  local steps = g[verb](g, before, target)
  local pieces = {}
  for _, step in ipairs(steps) do
    check_rows(before, step)
    before = step.rows
    pieces[#pieces + 1] = ("%s(%s>%s)"):format(step.id, table.concat(step.remove, " "),
      table.concat(step.add, " "))
  end
  return table.concat(pieces, " ")
end

local function ids(steps)
  local list = {}
  for _, step in ipairs(steps) do
    list[#list + 1] = step.id
  end
  return table.concat(list, " ")
end

local function failure(g, verb, rows, target, options)
  local ok, f = pcall(g[verb], g, words(rows), target, options)
  assert.is_false(ok, "no fault was raised")
  assert.is_true(fault.is(f), tostring(f))
  return f
end

local line = graphs.new("001\n002 < 001\n003 < 002")

-- Two branches on a trunk.
local forked = graphs.new([[
  t
  a1 < t [a]
  a2 < a1
  b1 < t [b]
  b2 < b1
]])

local merged = graphs.new([[
  t
  a1 < t
  b1 < t
  m < a1, b1
  n < m
]])

-- Two roots; a2 needs b1.
local needy = graphs.new([[
  a1 [a]
  a2 < a1 + b1
  a3 < a2
  b1 [b]
  b2 < b1
]])

describe("upgrade", function()
  it("runs what is missing, each taking the row of what it follows", function()
    assert.equal("001(>001) 002(001>002) 003(002>003)", plan(line, "upgrade", "", "head"))
    assert.equal("003(002>003)", plan(line, "upgrade", "002", "head"))
    assert.equal("002(001>002)", plan(line, "upgrade", "001", "002"))
  end)

  it("has nothing to do when the target is applied", function()
    for _, target in ipairs({ "head", "heads", "003", "002", "base", "current", "+0", "001-1" }) do
      assert.same({}, line:upgrade({ "003" }, target))
    end
  end)

  it("does not run siblings", function()
    assert.equal("t(>t) b1(t>b1) b2(b1>b2)", plan(forked, "upgrade", "", "b2"))
  end)

  it("adds a row for another branch of an applied trunk", function()
    assert.equal("b1(>b1)", plan(forked, "upgrade", "a1", "b1"))
    assert.equal("a1(t>a1) a2(a1>a2) b1(>b1) b2(b1>b2)", plan(forked, "upgrade", "t", "heads"))
  end)

  it("runs a branch by its label or an id of it", function()
    assert.equal("b1 b2", ids(forked:upgrade({ "a2" }, "b@head")))
    assert.equal("b1 b2", ids(forked:upgrade({ "a2" }, "b2@head")))
    assert.equal("b1", ids(forked:upgrade({ "a2" }, "b")))
  end)

  it("runs all branches in the order of the files", function()
    assert.equal("t a1 a2 b1 b2", ids(forked:upgrade({}, "heads")))
  end)

  it("lets a merge take the rows of all that it merges", function()
    assert.equal("t(>t) a1(t>a1) b1(>b1) m(a1 b1>m) n(m>n)", plan(merged, "upgrade", "", "head"))
    assert.equal("b1(>b1) m(a1 b1>m)", plan(merged, "upgrade", "a1", "m"))
  end)

  it("keeps a trunk's row out of a merge with what grew on it", function()
    -- As in Alembic: the rows {b} imply a, and the merge of both takes the one row.
    assert.equal("m(b>m)", plan(graphs.new("a\nb < a\nm < a, b"), "upgrade", "b", "m"))
  end)

  it("runs what is needed first, and takes its row", function()
    assert.equal("a1(>a1) b1(>b1) a2(a1 b1>a2)", plan(needy, "upgrade", "", "a2"))
    assert.equal("a2(a1 b1>a2)", plan(needy, "upgrade", "a1 b1", "a2"))
  end)

  it("leaves the row of what grew beyond the need", function()
    assert.equal("a2(a1>a2)", plan(needy, "upgrade", "a1 b2", "a2"))
  end)

  it("adds a row when a branch goes on beyond what is implied", function()
    assert.equal("b2(>b2)", plan(needy, "upgrade", "a2", "b2"))
    assert.equal("b2(>b2)", plan(needy, "upgrade", "a2", "b@+1"))
  end)

  it("needs are named by labels too", function()
    assert.equal("b1 a1", ids(graphs.new("a1 + shop\nb1 [shop]"):upgrade({}, "a1")))
  end)

  it("runs needs of needs", function()
    local g = graphs.new("a1 + b1\nb1 + c2\nc1\nc2 < c1\nc3 < c2")
    assert.equal("c1(>c1) c2(c1>c2) b1(c2>b1) a1(b1>a1)", plan(g, "upgrade", "", "a1"))
  end)

  it("takes a need that it follows anyway as nothing more", function()
    assert.equal("b(a>b) c(b>c)", plan(graphs.new("a\nb < a\nc < b + a"), "upgrade", "a", "c"))
  end)

  it("counts from the row of the branch", function()
    assert.equal("b2", ids(forked:upgrade({ "a1", "b1" }, "b@+1")))
    assert.equal("b1 b2", ids(forked:upgrade({ "a1" }, "b@+2")))
    assert.equal("t", ids(forked:upgrade({}, "b@+1")))
    assert.equal("001 002", ids(line:upgrade({}, "+2")))
  end)

  it("is ambiguous from several rows", function()
    local f = failure(forked, "upgrade", "a1 b1", "+1")
    assert.equal("Ambiguous upgrade from multiple current revisions: "
      .. "'+1' could count from a1, b1", f.message)
    assert.equal("luamig upgrade a1@+1\nluamig upgrade b1@+1", f.try)
  end)

  it("is ambiguous at a fork", function()
    local f = failure(forked, "upgrade", "t", "+1")
    assert.equal("Ambiguous walk: '+1' goes above t, which is followed by a1, b1", f.message)
    assert.equal("luamig upgrade a1@+1\nluamig upgrade b1@+1", f.try)
    assert.equal("a1", ids(forked:upgrade({ "t" }, "a1@+1")))
  end)

  it("with `head` and several of them is an error", function()
    local f = failure(forked, "upgrade", "", "head")
    assert.matches("^Multiple head revisions are present for given argument 'head'", f.message)
  end)

  it("runs what the history lacks below an applied merge never, as it counts as applied", function()
    assert.same({}, graphs.new("a\nlate\nm < a, late"):upgrade({ "m" }, "heads"))
  end)

  it("goes only up", function()
    assert.equal("usage", failure(line, "upgrade", "002", "-1").kind)
    assert.equal("usage", failure(line, "upgrade", "002", "001:003").kind)
  end)

  it("names rows that no revision has", function()
    local f = failure(line, "upgrade", "zap 001 004", "head")
    assert.equal("graph", f.kind)
    assert.equal("Can't locate revision identified by 'zap', '004': "
      .. "the database is there, but no file has it", f.message)
    assert.equal("luamig stamp --purge REVISION", f.try)
  end)

  it("takes out rows that others imply, with the first step", function()
    assert.equal("003(001 002>003)", plan(line, "upgrade", "002 001", "head"))
    assert.equal("a2(t a1>a2)", plan(forked, "upgrade", "a1 t", "a2"))
    assert.equal("a3(b1 a2>a3)", plan(needy, "upgrade", "a2 b1", "a3"))
    assert.same({}, line:upgrade({ "003", "001" }, "head"))
  end)
end)

describe("downgrade", function()
  it("undoes what is above the target, the last first", function()
    assert.equal("003(003>002) 002(002>001)", plan(line, "downgrade", "003", "001"))
    assert.equal("003(003>002) 002(002>001) 001(001>)", plan(line, "downgrade", "003", "base"))
  end)

  it("has nothing to do when it is there", function()
    assert.same({}, line:downgrade({ "002" }, "002"))
    assert.same({}, line:downgrade({}, "base"))
    assert.same({}, line:downgrade({ "002" }, "current"))
    assert.same({}, line:downgrade({ "002" }, "-0"))
    assert.same({}, line:downgrade({ "003" }, "head"))
  end)

  it("undoes exactly so many", function()
    assert.equal("003", ids(line:downgrade({ "003" }, "-1")))
    assert.equal("003 002 001", ids(line:downgrade({ "003" }, "-3")))
    assert.equal("Relative revision -4 didn't produce 4 migrations: "
      .. "there are only 3 from 003 down", failure(line, "downgrade", "003", "-4").message)
    assert.equal("Relative revision -1 didn't produce 1 migrations: nothing is applied",
      failure(line, "downgrade", "", "-1").message)
  end)

  it("to a revision relative to another ends there", function()
    assert.equal("003", ids(line:downgrade({ "003" }, "003-1")))
    assert.equal("003 002", ids(line:downgrade({ "003" }, "head-2")))
    assert.equal("003 002", ids(line:downgrade({ "003" }, "base+1")))
    assert.equal("003", ids(line:downgrade({ "003" }, "001+1")))
    assert.equal("003 002 001", ids(line:downgrade({ "003" }, "001-1")))
  end)

  it("leaves other branches alone", function()
    assert.equal("a2(a2>a1)", plan(forked, "downgrade", "a2 b2", "a1"))
    assert.equal("a2(a2>a1) a1(a1>)", plan(forked, "downgrade", "a2 b2", "a@t"))
  end)

  it("takes down all branches that grew on the target", function()
    assert.equal("b2(b2>b1) b1(b1>) a2(a2>a1) a1(a1>t)", plan(forked, "downgrade", "a2 b2", "t"))
  end)

  it("to the base of a branch takes down only that branch", function()
    local roots = graphs.new("a1 [a]\na2 < a1\nb1 [b]\nb2 < b1")
    assert.equal("a2(a2>a1) a1(a1>)", plan(roots, "downgrade", "a2 b2", "a@base"))
    assert.equal("b2(b2>b1) b1(b1>)", plan(roots, "downgrade", "a2 b2", "b2@base"))
    assert.same({}, roots:downgrade({ "b2" }, "a@base"))
  end)

  it("to the base of a branch takes the trunk that it grew on, as in Alembic", function()
    assert.equal("b2 b1 a2 a1 t", ids(forked:downgrade({ "a2", "b2" }, "a@base")))
  end)

  it("below the first revision of one root leaves the other roots alone", function()
    local roots = graphs.new("a1\nb1")
    assert.equal("a1", ids(roots:downgrade({ "a1", "b1" }, "a1-1")))
    assert.equal("a1", ids(roots:downgrade({ "a1", "b1" }, "a1@-1")))
  end)

  it("of -1 with several rows is an error that lists them", function()
    local f = failure(forked, "downgrade", "a1 b2", "-1")
    assert.equal("graph", f.kind)
    assert.equal("downgrade -1 from multiple heads is ambiguous: it could count from a1, b2",
      f.message)
    assert.equal("a1  versions/a1.lua\nb2  versions/b2.lua", f.detail)
    assert.equal("luamig downgrade a1@-1\nluamig downgrade b2@-1", f.try)
    assert.equal("b2", ids(forked:downgrade({ "a1", "b2" }, "b2@-1")))
    assert.equal("b2 b1", ids(forked:downgrade({ "a1", "b2" }, "b@-2")))
  end)

  it("of -1 over a merge brings back the rows that it merged", function()
    assert.equal("m(m>a1 b1)", plan(merged, "downgrade", "m", "-1"))
    assert.equal("n(n>m) m(m>a1 b1)", plan(merged, "downgrade", "n", "-2"))
    assert.equal("n(n>m) m(m>a1 b1)", plan(merged, "downgrade", "n", "m-1"))
  end)

  it("of more than that over a merge is ambiguous", function()
    local f = failure(merged, "downgrade", "m", "-2")
    assert.equal("Ambiguous walk: '-2' goes below m, which merges a1, b1", f.message)
    assert.equal("luamig downgrade a1@-2\nluamig downgrade b1@-2", f.try)
    assert.equal("m(m>a1 b1) b1(b1>)", plan(merged, "downgrade", "m", "b1@-2"))
  end)

  it("to one side of a merge keeps the other side", function()
    assert.equal("n(n>m) m(m>a1 b1)", plan(merged, "downgrade", "n", "a1"))
    assert.equal("n m b1 a1", ids(merged:downgrade({ "n" }, "t")))
    assert.equal("n(n>m) m(m>a1 b1) b1(b1>)", plan(merged, "downgrade", "n", "b1@t"))
  end)

  it("takes along what needs what goes", function()
    assert.equal("a3(a3>a2) a2(a2>a1 b1) b1(b1>)", plan(needy, "downgrade", "a3", "b@base"))
    assert.equal("b2(b2>) a2(a2>a1 b1) b1(b1>)", plan(needy, "downgrade", "a2 b2", "b1-1"))
  end)

  it("leaves what was needed in place and gives its row back", function()
    assert.equal("a2(a2>a1 b1)", plan(needy, "downgrade", "a2", "a1"))
    assert.equal("a2(a2>a1)", plan(needy, "downgrade", "a2 b2", "a1"))
    assert.equal("a2(a2>a1)", plan(needy, "downgrade", "a2 b2", "a@-1"))
  end)

  it("reaches a branch that is only implied", function()
    assert.equal("a2(a2>a1 b1) b1(b1>)", plan(needy, "downgrade", "a2", "b@-1"))
  end)

  it("to what is only implied has nothing to do", function()
    assert.same({}, needy:downgrade({ "a2" }, "b1"))
  end)

  it("to what is not applied is an error", function()
    local f = failure(line, "downgrade", "001", "002")
    assert.equal("graph", f.kind)
    assert.equal("Destination 002 is not a valid downgrade target from current head(s)", f.message)
    assert.equal("002 is not applied: the database is at 001", f.detail)
    assert.equal("luamig upgrade 002", f.try)
    assert.equal("002 is not applied: the database is at base",
      failure(line, "downgrade", "", "002").detail)
    assert.matches("^Destination b1 is not", failure(forked, "downgrade", "a2", "b1").message)
    assert.matches("^Destination n%-1 is not", failure(merged, "downgrade", "a1", "n-1").message)
  end)

  it("to a revision of another branch is an error", function()
    assert.equal("Can't locate revision identified by 'a@b1': "
      .. "revision b1 is not a member of branch 'a'",
      failure(forked, "downgrade", "a2 b2", "a@b1").message)
  end)

  it("of a branch that is not applied is an error", function()
    local roots = graphs.new("a1 [a]\nb1 [b]")
    assert.equal("Relative revision a@-1 didn't produce 1 migrations: "
      .. "nothing of branch a is applied", failure(roots, "downgrade", "b1", "a@-1").message)
    -- The trunk is of the branch too, but not its end while another branch stands on it.
    assert.matches("nothing of branch b is applied$",
      failure(forked, "downgrade", "a1", "b@-1").message)
  end)

  it("goes only down, and to one target", function()
    assert.equal("usage", failure(line, "downgrade", "001", "+1").kind)
    assert.matches("^Multiple head", failure(forked, "downgrade", "a2 b2", "heads").message)
  end)

  it("names rows that no revision has", function()
    assert.matches("^Can't locate revision identified by 'zap'",
      failure(line, "downgrade", "zap", "base").message)
  end)

  it("takes out rows that others imply, with the first step", function()
    assert.equal("003(001 003>002)", plan(line, "downgrade", "001 003", "-1"))
    assert.equal("003(001 003>002) 002(002>001)", plan(line, "downgrade", "001 003", "001"))
  end)

  it("undoes all in the reverse order of doing", function()
    local g = graphs.new("a1 + b1\na2 < a1\nb1\nb2 < b1\nm < a2, b2\nx < m + y\ny")
    local up, down = {}, {}
    for i, step in ipairs(g:upgrade({}, "heads")) do
      up[i] = step.id
    end
    for i, step in ipairs(g:downgrade({ "x" }, "base")) do
      down[#up - i + 1] = step.id
    end
    assert.same(up, down)
  end)
end)

describe("stamp", function()
  local function stamp(g, rows, targets, options)
    local before = words(rows)
    local move = g:stamp(before, words(targets), options)
    check_rows(before, { id = "stamp", remove = move.remove, add = move.add, rows = move.rows })
    return table.concat(move.rows, " ")
  end

  it("sets the row where there is none", function()
    assert.equal("002", stamp(line, "", "002"))
    assert.equal("003", stamp(line, "", "head"))
    assert.equal("a2 b2", stamp(forked, "", "heads"))
  end)

  it("moves a row up and down its branch", function()
    assert.equal("003", stamp(line, "001", "003"))
    assert.equal("001", stamp(line, "003", "001"))
    assert.same({ remove = { "003" }, add = { "001" }, rows = { "001" } },
      line:stamp({ "003" }, { "001" }))
  end)

  it("moves relative to where the database is", function()
    assert.equal("002", stamp(line, "003", "-1"))
    assert.equal("003", stamp(line, "001", "+2"))
  end)

  it("has nothing to do when it is there", function()
    assert.same({ remove = {}, add = {}, rows = { "002" } }, line:stamp({ "002" }, { "002" }))
  end)

  it("to base forgets everything", function()
    assert.equal("", stamp(forked, "a2 b1", "base"))
  end)

  it("to the base of a branch forgets that branch", function()
    local roots = graphs.new("a1 [a]\na2 < a1\nb1 [b]")
    assert.equal("b1", stamp(roots, "a2 b1", "a@base"))
  end)

  it("leaves other branches alone", function()
    assert.equal("a2 b1", stamp(forked, "a1 b1", "a2"))
    assert.equal("a1 b1", stamp(forked, "a1", "b1"))
    assert.equal("a1 b2", stamp(forked, "a2 b2", "a1"))
  end)

  it("takes several revisions", function()
    assert.equal("a1 b2", stamp(forked, "", "a1 b2"))
    assert.equal("a2 b1", stamp(forked, "b2", "a2 b1"))
  end)

  it("takes revisions of which one implies the other", function()
    assert.equal("003", stamp(line, "003", "001 003"))
  end)

  it("joins rows at a merge and parts them below it", function()
    assert.equal("m", stamp(merged, "a1 b1", "m"))
    assert.equal("a1 b1", stamp(merged, "m", "a1"))
  end)

  it("keeps what needs the stamped revision", function()
    assert.equal("a2", stamp(needy, "a2", "b1"))
    assert.equal("a2 b2", stamp(needy, "a2", "b2"))
  end)

  it("refuses to forget another branch that needs what goes", function()
    local f = failure(needy, "stamp", "a3 b2", words("b@base"))
    assert.equal("graph", f.kind)
    assert.equal("stamping b@base would forget the version row a3, of another branch", f.message)
    assert.equal("a3  versions/a3.lua", f.detail)
    assert.matches("%-%-purge", f.hint)
    assert.equal("luamig stamp --purge b@base", f.try)
  end)

  it("forgets it when that branch is named too", function()
    assert.equal("a1", stamp(needy, "a3 b2", "b@base a1"))
  end)

  it("with purge sets the rows to the targets, whatever they were", function()
    assert.equal("b1", stamp(needy, "a3 b2", "b1", { purge = true }))
    assert.same({ remove = { "zap" }, add = { "002" }, rows = { "002" } },
      line:stamp({ "zap" }, { "002" }, { purge = true }))
    assert.same({ remove = { "001" }, add = {}, rows = { "003" } },
      line:stamp({ "003", "001" }, { "head" }, { purge = true }))
    assert.equal("", stamp(forked, "a1 b1", "base", { purge = true }))
  end)

  it("without purge names rows that no revision has", function()
    local f = failure(line, "stamp", "zap", words("002"))
    assert.matches("^Can't locate revision identified by 'zap'", f.message)
    assert.equal("luamig stamp --purge REVISION", f.try)
  end)

  it("takes out rows that others imply", function()
    assert.same({ remove = { "001" }, add = {}, rows = { "003" } },
      line:stamp({ "001", "003" }, { "003" }))
  end)

  it("complains of its targets as of any", function()
    assert.matches("^Can't locate", failure(line, "stamp", "", words("zap")).message)
    assert.matches("^Multiple head revisions", failure(forked, "stamp", "", words("head")).message)
    assert.equal("no revision to stamp is named", failure(line, "stamp", "", {}).message)
    assert.equal("usage", failure(line, "stamp", "", words("+1"), { purge = true }).kind)
  end)
end)

describe("rows", function()
  local function joined(list)
    return table.concat(list, " ")
  end

  it("imply all that they follow and need", function()
    assert.equal("001 002", joined(line:applied({ "002" })))
    assert.equal("a1 b1 a2", joined(needy:applied({ "a2" })))
    assert.equal("", joined(line:applied({})))
  end)

  it("that no revision has are told, and passed over", function()
    assert.equal("zap x", joined(line:unknown({ "zap", "001", "x" })))
    assert.same({}, line:unknown({ "001" }))
    assert.equal("001", joined(line:applied({ "zap", "001" })))
    assert.equal("001", joined(line:current({ "zap", "001" })))
  end)

  it("show the ends of branches that are only implied", function()
    assert.equal("b1 a2", joined(needy:current({ "a2" })))
    assert.equal("a2 b2", joined(needy:current({ "a2", "b2" })))
    assert.equal("003", joined(line:current({ "003", "001" })))
  end)

  it("are ids in full", function()
    assert.same({ "00" }, line:unknown({ "00" }))
    assert.same({ "a" }, forked:unknown({ "a" }))
  end)

  it("that are no strings are a mistake of the caller", function()
    assert.has_error(function()
      line:applied({ 1 })
    end)
    assert.has_error(function()
      line:upgrade(nil, "head")
    end)
    assert.has_error(function()
      line:upgrade({ "a\0b" }, "head")
    end)
  end)
end)
