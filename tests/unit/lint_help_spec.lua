-- The pages of the rules: what they say to write can be written.

local op = require("luamig.op")
local recording = require("luamig.executor.recording")
local registry = require("luamig.lint.registry")

local function nothing() end

-- Runs Lua text with the operations recorded. Returns what was wrong.
local function tried(text)
  local executor = recording.new({})
  executor.batch_execute, executor.step = nothing, nothing
  local fn, defect = load(text, "safe", "t", { op = op })
  if not fn then
    return defect
  end
  local ok, f = pcall(op.with, executor, fn)
  return not ok and tostring(f) or nil
end

describe("the safe way on the page of", function()
  for _, id in ipairs(registry.ids()) do
    local text = registry.get(id).safe
    local is_lua = text:find("op%.") and not text:find("…", 1, true)
      and not text:find("^op%.column")
    if is_lua then
      it(id .. " is Lua that op takes", function()
        assert.is_nil(tried(text))
      end)
    end
  end
end)

describe("the page of a rule", function()
  local help = require("luamig.lint.help")

  it("says what it is, why, the safe way, and the locks", function()
    for _, id in ipairs(registry.ids()) do
      local page = help.rule(id)
      assert.matches("^" .. id .. "  .-\n%l+, PostgreSQL %d+ and newer\n\n.-\n\nSafe:\n\n", page)
      assert(page:find("\nMeasured on ", 1, true) or page:find("\nIt is not about locks.", 1, true))
    end
  end)

  it("tells who waits, and how long", function()
    local page = help.rule("LOCK008")
    assert.matches("ADD CONSTRAINT c1 CHECK %(n < 500%)\n      ACCESS EXCLUSIVE on users: reads "
      .. "and writes wait while it reads users\n", page)
    assert.matches("CHECK %(n < 600%) NOT VALID\n      ACCESS EXCLUSIVE on users: reads and writes "
      .. "wait for a moment\n", page)
    assert.matches("VALIDATE CONSTRAINT c2\n      SHARE UPDATE EXCLUSIVE on users: nobody waits; "
      .. "it reads users\n", page)
  end)
end)
