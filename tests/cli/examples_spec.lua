--- The examples of batched data migrations: models to copy, so they are held to what they teach.
-- (What they show by their `run` is a test of its own.)

local cli = require("support.cli")
local lfs = require("lfs")

local root = lfs.currentdir()

local examples = { "backfill-default", "type-change", "split-name", "normalise-json",
  "lua-transform", "rebuild-index", "expand-contract" }

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local function revisions(name)
  local list = {}
  for file in lfs.dir(("%s/examples/%s/versions"):format(root, name)) do
    list[#list + 1] = file:match("%.lua$")
  end
  return #list
end

for _, name in ipairs(examples) do
  describe("examples/" .. name, function()
    local config = ("%s/examples/%s/luamig.lua"):format(root, name)

    it("comes back with rows, every revision of it", function()
      local result = cli.run({ "-c", config, "test-roundtrip", "--data", "--strict" })
      assert.equal(0, result.status, result.stdout .. result.stderr)
      local count = revisions(name)
      assert.matches(("%d revisions tested: %d passed"):format(count, count), result.stdout, 1,
        true)
      assert.not_matches("not filled", result.stdout, 1, true)
      assert.not_matches("warning", result.stdout, 1, true)
    end)

    it("is what lint asks for", function()
      local result = cli.run({ "-c", config, "lint" })
      assert.matches(("nothing found in %d revisions"):format(revisions(name)), result.stdout, 1,
        true)
    end)

    it("is named in the README", function()
      assert.matches("examples/" .. name, read(root .. "/README.md"), 1, true)
    end)
  end)
end
