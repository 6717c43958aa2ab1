-- What we show to others is what lint has nothing to say of.

local cli = require("support.cli")
local lfs = require("lfs")

local root = lfs.currentdir()

-- The folders with a luamig.lua and revisions beside it.
local function projects(folder, out)
  if lfs.attributes(folder .. "/luamig.lua") and lfs.attributes(folder .. "/versions") then
    out[#out + 1] = folder
  end
  for name in lfs.dir(folder) do
    local path = folder .. "/" .. name
    if not name:find("^%.") and lfs.attributes(path, "mode") == "directory" then
      projects(path, out)
    end
  end
  return out
end

describe("luamig lint", function()
  local list = projects(root .. "/examples", projects(root .. "/migrations", {}))

  it("knows our projects", function()
    assert.is_true(#list >= 4)
  end)

  for _, folder in ipairs(list) do
    it("has nothing to say of " .. folder:sub(#root + 2), function()
      local result = cli.run({ "lint" }, { cwd = folder })
      assert.matches("^nothing found in %d+ revisions[^\n;]*\n$", result.stdout)
      assert.equal(0, result.status)
    end)
  end
end)
