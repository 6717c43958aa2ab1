local graph = require("luamig.core.graph")
local plan = require("luamig.roundtrip.plan")

local function revision(id, down, needs)
  return { id = id, down = down or {}, depends_on = needs or {}, labels = {}, file = id .. ".lua" }
end

-- "001 002* 003*": those with a star are tested.
local function text(items)
  local out = {}
  for i, item in ipairs(items) do
    out[i] = item.id .. (item.is_tested and "*" or "")
  end
  return table.concat(out, " ")
end

describe("the plan of a round trip", function()
  local line = graph.new({ revision("1"), revision("2", { "1" }), revision("3", { "2" }) })
  local fork = graph.new({ revision("1"), revision("l", { "1" }), revision("r", { "1" }),
    revision("m", { "l", "r" }), revision("x"), revision("y", { "m" }, { "x" }) })

  it("is every revision, what it follows or needs before it", function()
    assert.equal("1* 2* 3*", text(plan.make(line, {})))
    assert.equal("1* l* r* m* x* y*", text(plan.make(fork, {})))
  end)

  it("begins behind --from and ends with --to", function()
    assert.equal("1 2* 3*", text(plan.make(line, { from = "1" })))
    assert.equal("1 2*", text(plan.make(line, { from = "1", to = "2" })))
    assert.equal("1* r*", text(plan.make(fork, { to = "r" })))
    assert.equal("1 2 3", text(plan.make(line, { from = "head" })))
    assert.equal("1* 2* 3*", text(plan.make(line, { from = "base" })))
  end)

  it("tests what a revision does not have below it with --since", function()
    assert.equal("1 2 3*", text(plan.make(line, { since = { "2" } })))
    assert.equal("1 l r* m* x* y*", text(plan.make(fork, { since = { "l" } })))
    assert.equal("1 l r m x* y*", text(plan.make(fork, { since = { "m" } })))
    assert.equal("1 l r m* x* y*", text(plan.make(fork, { since = { "l", "r" } })))
  end)

  it("counts those that are tested", function()
    assert.equal(2, plan.count_tested(plan.make(line, { from = "1" })))
  end)

  it("names a revision that is not there", function()
    local ok, f = pcall(plan.make, line, { to = "9" })
    assert.is_false(ok)
    assert.equal("graph", f.kind)
    assert.matches("Can't locate revision identified by '9'", f.message, 1, true)
  end)
end)
