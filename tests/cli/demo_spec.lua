local cli = require("support.cli")
local project = require("support.project")

describe("the demo", function()
  it("shows a mistake and its mending, a round trip and lint, and leaves nothing", function()
    local dir = project.new()
    local result = cli.run({ "demo" }, { cwd = dir.root })
    assert.equal(0, result.status, result.stderr)
    for _, words in ipairs({
      "$ luamig upgrade\n", "$ luamig status\n", "current:     001\n",
      "001 -> 002 (head), lower emails\n", "2 revisions tested: 2 passed", "error LOCK001",
      "$ luamig downgrade base --yes\n",
    }) do
      assert.matches(words, result.stdout, 1, true)
    end
    assert.matches('error: column "emial" does not exist (42703)\n'
      .. "  versions/002_lower_emails.lua:7", result.stderr, 1, true)
    assert.same({}, dir:list("."))
    assert.is_nil(result.stdout:find(dir.root, 1, true))
    dir:remove()
  end)

  it("needs the programs of PostgreSQL and says so", function()
    local dir = project.new()
    local result = cli.run({ "demo" }, { cwd = dir.root, env = { LUAMIG_PGBIN = dir.root } })
    assert.equal(2, result.status)
    assert.equal("", result.stdout)
    assert.matches("^error: LUAMIG_PGBIN is ", result.stderr)
    dir:remove()
  end)
end)
