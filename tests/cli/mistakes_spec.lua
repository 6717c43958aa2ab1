-- Mistakes that anybody makes: what luamig says, and that it says it soon.
local scene = require("support.scene")

describe("a mistake in a script", function()
  local s

  before_each(function()
    s = scene.new()
  end)

  after_each(function()
    s:close()
  end)

  local function failing(up, words)
    s:revision("001", nil, up)
    local result = s:run(words or "upgrade")
    return result.stderr, result.status
  end

  it("that recurses without end is told at once, with the nearest frames only", function()
    local text, status = failing("  local function f() return f() + 1 end\n  f()")
    assert.equal(9, status)
    assert.matches("^error: stack overflow\n  versions/001.lua:9\n", text)
    assert.is_true(select(2, text:gsub("\n", "")) < 20)
  end)
end)
