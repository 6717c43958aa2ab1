local fault = require("luamig.fault")
local graph = require("luamig.core.graph")
local graphs = require("support.graphs")

local function joined(ids)
  return table.concat(ids, " ")
end

local function failure(list)
  local ok, f = pcall(graph.new, list)
  assert.is_false(ok, "no fault was raised")
  assert.is_true(fault.is(f), tostring(f))
  assert.equal("graph", f.kind)
  assert.equal(7, fault.exit_status(f))
  return f
end

local function drawn_failure(text)
  return failure(graphs.list(text))
end

describe("graph order", function()
  it("puts parents first, whatever the files are called", function()
    assert.equal("c b a", joined(graphs.new("a < b\nb < c\nc"):ids()))
  end)

  it("lets the order of the files decide between the rest", function()
    assert.equal("t a b c d", joined(graphs.new("a < t\nb < t\nc < a\nd < b\nt"):ids()))
    assert.equal("t b d a", joined(graphs.new("b < t\nd < t\nt\na < d"):ids()))
  end)

  it("counts dependencies as parents", function()
    assert.equal("b1 a1 a2", joined(graphs.new("a1 + b1\na2 < a1\nb1"):ids()))
  end)

  it("does not depend on how often something is asked", function()
    local g = graphs.new("a < t\nb < t\nt")
    assert.equal(joined(g:ids()), joined(g:ids()))
  end)

  it("is empty without revisions", function()
    local g = graph.new({})
    assert.same({}, g:ids())
    assert.same({}, g:heads())
    assert.same({}, g:resolve("head"))
    assert.same({}, g:upgrade({}, "head"))
    assert.same({}, g:downgrade({}, "base"))
    assert.same({}, g:range(":"))
  end)

  it("takes 5000 revisions", function()
    local list = {}
    for i = 1, 5000 do
      list[i] = { id = "r" .. i, down = { i > 1 and "r" .. i - 1 or nil }, file = i .. ".lua" }
    end
    local g = graph.new(list)
    assert.equal(5000, #g:upgrade({}, "head"))
    assert.equal("r4000", g:downgrade({ "r5000" }, "-1000")[1000].rows[1])
  end)
end)

describe("graph roles", function()
  local g = graphs.new([[
    t
    a1 < t
    b1 < t
    b2 < b1
    m < a1, b2
    x1
    y1 < x1 + m
  ]])

  it("heads are what nothing follows", function()
    assert.equal("m y1", joined(g:heads()))
  end)

  it("effective heads are what nothing follows or needs", function()
    assert.equal("y1", joined(g:heads(true)))
  end)

  it("bases follow nothing, though they may need something", function()
    assert.equal("t x1", joined(g:bases()))
    assert.equal("a b", joined(graphs.new("a\nb + a"):bases()))
  end)

  it("branch points are followed by several", function()
    assert.equal("t", joined(g:branches()))
  end)

  it("children follow by down_revision", function()
    assert.equal("a1 b1", joined(g:children("t")))
    assert.same({}, g:children("m"))
    assert.has_error(function()
      g:children("nope")
    end)
  end)

  it("has() knows exact ids only", function()
    assert.is_true(g:has("b2"))
    assert.is_false(g:has("b"))
    assert.is_false(g:has(""))
  end)

  it("a parent named twice is one parent", function()
    local twice = graphs.new("a\nb < a, a + a")
    assert.equal("b", joined(twice:children("a")))
    assert.same({ "a" }, twice:upgrade({ "a" }, "b")[1].remove)
  end)
end)

describe("graph labels", function()
  it("hold for what follows, and for what is before down to the fork", function()
    local labels = graphs.new("t\na0 < t\na1 < a0 [a]\na2 < a1\nb1 < t [b]"):labels()
    assert.same({ a0 = { "a" }, a1 = { "a" }, a2 = { "a" }, b1 = { "b" } }, labels)
  end)

  it("stop at a merge, and at what several need", function()
    assert.same({ x = { "l" } }, graphs.new("a\nb\nm < a, b\nx < m [l]"):labels())
    assert.same({ b1 = { "l" } }, graphs.new("b0\nb1 < b0 [l]\na + b0"):labels())
  end)

  it("hold for the revision itself when it is the fork", function()
    local labels = graphs.new("t [l]\na < t\nb < t"):labels()
    assert.same({ t = { "l" }, a = { "l" }, b = { "l" } }, labels)
  end)

  it("add up, sorted", function()
    assert.same({ a = { "k", "l" }, b = { "k", "l" } }, graphs.new("a [l, k]\nb < a"):labels())
  end)

  it("may look like what an id may not, as in Alembic", function()
    local g = graphs.new("a [web-shop, v1-2]\nb < a")
    assert.same({ "b" }, g:resolve("web-shop@head"))
    assert.same({ "a" }, g:resolve("v1-2"))
    assert.same({ "b" }, g:resolve("v1-2+1"))
  end)
end)

describe("graph defect:", function()
  it("a cycle names its revisions, files and why", function()
    local f = drawn_failure("a < c\nb < a\nc < b\nd < c")
    assert.equal("cycle is detected in revisions (a, c, b): "
      .. "versions/a.lua, versions/c.lua, versions/b.lua", f.message)
    assert.equal("a  versions/a.lua  follows c\nc  versions/c.lua  follows b\n"
      .. "b  versions/b.lua  follows a", f.detail)
    assert.equal("versions/a.lua", f.file)
    assert.equal("a", f.revision)
  end)

  it("a cycle is found although all else is sound", function()
    local f = drawn_failure("a\nb < a\nx < z\ny < x\nz < y\nc < b")
    assert.matches("^cycle is detected in revisions %(x, z, y%)", f.message)
    assert.equal("versions/x.lua", f.file)
  end)

  it("a cycle of two", function()
    local f = drawn_failure("a < b\nb < a")
    assert.matches("^cycle is detected in revisions %(a, b%)", f.message)
  end)

  it("a cycle by depends_on alone", function()
    local f = drawn_failure("a + b\nb + a")
    assert.matches("^dependency cycle is detected in revisions %(a, b%)", f.message)
    assert.equal("a  versions/a.lua  depends on b\nb  versions/b.lua  depends on a", f.detail)
  end)

  it("a cycle by both", function()
    local f = drawn_failure("a\nb < a + c\nc < b")
    assert.matches("^dependency cycle is detected in revisions %(b, c%)", f.message)
    assert.equal("b  versions/b.lua  depends on c\nc  versions/c.lua  follows b", f.detail)
  end)

  it("a cycle by a label", function()
    assert.matches("^dependency cycle", drawn_failure("a + l\nb < a [l]").message)
  end)

  it("a long cycle is cut short", function()
    local list = {}
    for i = 1, 50 do
      list[i] = { id = "r" .. i, down = { "r" .. (i % 50 + 1) }, file = "v/r" .. i .. ".lua" }
    end
    local f = failure(list)
    assert.matches("%(r1, r2, r3, r4, r5, r6, r7, r8 and 42 more%)", f.message)
    assert.matches("\nand 38 more$", f.detail)
  end)

  it("a revision that names itself", function()
    assert.equal("self-loop is detected in revisions (a): "
      .. "versions/a.lua names itself in its down_revision", drawn_failure("a < a").message)
    assert.equal("dependency self-loop is detected in revisions (a): "
      .. "versions/a.lua names itself in its depends_on", drawn_failure("a + a").message)
    assert.matches("^dependency self%-loop", drawn_failure("a + l [l]").message)
  end)

  it("a missing parent, with the nearest name", function()
    local f = drawn_failure("856dac83d2e3\nb < 856dac83d2e4")
    assert.equal("revision 856dac83d2e4 referenced from versions/b.lua (down_revision) "
      .. "is not present", f.message)
    assert.equal("versions/b.lua", f.file)
    assert.equal("b", f.revision)
    assert.equal("did you mean '856dac83d2e3'?", f.hint)
  end)

  it("a missing parent that is a number without its zeros", function()
    assert.equal("did you mean '001'?", drawn_failure("001\n002 < 1").hint)
  end)

  it("a parent is an id, not a beginning of one", function()
    assert.matches("^revision 856d referenced", drawn_failure("856dac83d2e3\nb < 856d").message)
  end)

  it("a parent that is a label", function()
    local f = drawn_failure("a [shop]\nb < shop")
    assert.matches("^revision shop referenced from versions/b.lua", f.message)
    assert.equal("'shop' is a branch label; its revision is 'a'", f.hint)
  end)

  it("a missing dependency", function()
    local f = drawn_failure("a\nb < a + zap")
    assert.equal("revision zap referenced from versions/b.lua (depends_on) is not present",
      f.message)
    assert.equal("versions/b.lua", f.file)
  end)

  it("an empty parent", function()
    local f = failure({ { id = "a", down = { "" }, file = "v/a.lua" } })
    assert.equal("revision '' referenced from v/a.lua (down_revision) is not present", f.message)
  end)

  it("an id in two files names both", function()
    local f = failure({
      { id = "a", file = "v/1.lua" },
      { id = "b", file = "v/2.lua" },
      { id = "a", file = "v/3.lua" },
    })
    assert.equal("revision a is present more than once: in v/1.lua and in v/3.lua", f.message)
    assert.equal("v/1.lua", f.file)
    assert.equal("a", f.revision)
  end)

  it("a label of two revisions names both", function()
    local f = drawn_failure("a [shop]\nb < a [shop]")
    assert.equal("branch name 'shop' in revision b (versions/b.lua) "
      .. "is already used by revision a (versions/a.lua)", f.message)
    assert.equal("versions/a.lua", f.file)
  end)

  it("a label named twice in one revision is none", function()
    assert.same({ a = { "l" } }, graphs.new("a [l, l]"):labels())
  end)

  it("a label that is an id", function()
    local f = drawn_failure("a [b]\nb < a")
    assert.equal("branch name 'b' in revision a (versions/a.lua) is the id of a revision "
      .. "(versions/b.lua)", f.message)
    assert.equal("versions/b.lua", f.file)
    assert.matches("is the id of a revision", drawn_failure("a [a]").message)
  end)

  it("a character that means something in a target", function()
    for _, c in ipairs({ "@", "-", "+", ":" }) do
      local f = failure({ { id = "a" .. c .. "b", file = "v/1.lua" } })
      assert.equal(("character '%s' is not allowed in revision id 'a%sb'"):format(c, c), f.message)
      assert.equal("v/1.lua", f.file)
      assert.matches("; use _$", f.hint)
    end
  end)

  it("white space and control characters", function()
    for _, c in ipairs({ " ", "\t", "\n", "\1", "\127" }) do
      local f = failure({ { id = "a" .. c, file = "v/1.lua" } })
      assert.matches("^white space is not allowed in revision id 'a", f.message)
    end
    local f = failure({ { id = "a\0b", file = "v/1.lua" } })
    assert.equal("a NUL byte is not allowed in id of a revision", f.message)
    assert.equal("v/1.lua", f.file)
  end)

  it("a character that ends a label", function()
    for _, c in ipairs({ "@", ":", " " }) do
      local f = failure({ { id = "a", labels = { "b" .. c }, file = "v/1.lua" } })
      assert.matches("is not allowed in branch label 'b", f.message)
    end
  end)

  it("an empty id or label", function()
    assert.equal("the revision id is empty", failure({ { id = "", file = "v/1.lua" } }).message)
    local f = failure({ { id = "a", labels = { "" }, file = "v/1.lua" } })
    assert.equal("the branch label is empty", f.message)
    assert.equal("v/1.lua", f.file)
  end)

  it("a word of targets as an id or label", function()
    for _, word in ipairs({ "head", "heads", "base", "current" }) do
      assert.equal(("'%s' cannot be a revision id: as a target it means something else")
        :format(word), drawn_failure(word).message)
      assert.matches("cannot be a branch label", drawn_failure("a [" .. word .. "]").message)
    end
  end)

  it("what is no revision at all is a mistake of the caller", function()
    for _, list in ipairs({ { 1 }, { {} }, { { id = 1 } }, { { id = "a", down = { 1 } } },
      { { id = "a", down = "b" } } }) do
      local ok, message = pcall(graph.new, list)
      assert.is_false(ok)
      assert.is_string(message)
    end
  end)
end)

describe("a graph", function()
  it("ends with its scope", function()
    local kept
    do
      local g <close> = graphs.new("a")
      kept = g
      assert.is_true(g:has("a"))
    end
    assert.has_error(function()
      kept:ids()
    end)
  end)

  it("keeps nothing of the list it was made of", function()
    local list = graphs.list("a\nb < a")
    local g = graph.new(list)
    list[1].id, list[2].down[1] = "z", "z"
    collectgarbage()
    assert.equal("a b", joined(g:ids()))
  end)
end)
