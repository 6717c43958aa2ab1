local cjson = require("cjson")
local cli = require("support.cli")
local project = require("support.project")

describe("luamig init", function()
  local dir

  before_each(function()
    dir = project.new()
  end)

  after_each(function()
    dir:remove()
  end)

  local function init(args, options)
    options = options or {}
    options.cwd = options.cwd or dir:path()
    return cli.run({ "init", table.unpack(args or {}) }, options)
  end

  it("writes a project that works, and tells each file and the next step", function()
    local result = init()
    assert.equal("", result.stderr)
    assert.equal(0, result.status)
    for _, name in ipairs({ "luamig.lua", ".gitignore", ".luamig/meta/luamig.lua", ".luarc.json",
      ".luacheckrc", ".github/workflows/luamig.yml" }) do
      assert.truthy(dir:read(name), name)
      assert.truthy(result.stdout:find("wrote  " .. name .. " ", 1, true), name)
    end
    assert.matches("\nmade   versions/ ", result.stdout)
    assert.matches("\n\nnext: luamig new create_users\n$", result.stdout)
    local heads = cli.run({ "heads" }, { cwd = dir:path() })
    assert.same({ 0, "", "" }, { heads.status, heads.stdout, heads.stderr })
  end)

  it("run again changes nothing", function()
    init()
    local before = cli.sh("find . -type f | sort | xargs sha256sum", { cwd = dir:path() }).stdout
    local result = init()
    assert.equal(0, result.status)
    assert.is_nil(result.stdout:find("wrote", 1, true))
    assert.is_nil(result.stdout:find("yours", 1, true))
    assert.equal(before,
      cli.sh("find . -type f | sort | xargs sha256sum", { cwd = dir:path() }).stdout)
  end)

  it("keeps what exists and says what it lacks", function()
    dir:write("luamig.lua", 'return { versions = { "a", "b/c" } }')
    dir:write(".luarc.json", "{}")
    dir:write(".luacheckrc", "std = 'max'\n")
    dir:write(".gitignore", "build/")
    local result = init()
    assert.equal(0, result.status)
    assert.equal('return { versions = { "a", "b/c" } }', dir:read("luamig.lua"))
    assert.equal("{}", dir:read(".luarc.json"))
    assert.equal("build/\n.luamig/\n", dir:read(".gitignore"))
    assert.matches('kept   .luarc.json +yours; add ".luamig/meta" to its workspace.library\n',
      result.stdout)
    assert.matches("kept   .luacheckrc +yours; op needs a place in it", result.stdout)
    assert.matches("added  .gitignore +a line: git ignores .luamig/\n", result.stdout)
    assert.same({ "c" }, { table.unpack(dir:list("b")) })
    assert.same({}, dir:list("a"))
  end)

  it("renews the editor's file when luamig has another one", function()
    init()
    dir:write(".luamig/meta/luamig.lua", "-- of another version\n")
    assert.matches("renewed  .luamig/meta/luamig.lua", init().stdout)
    assert.matches("%-%-%-@meta", dir:read(".luamig/meta/luamig.lua"))
  end)

  it("puts what editors and CI read at the root of the repository", function()
    dir:write(".git/HEAD", "ref: refs/heads/main\n")
    local result = init({ "services/db" })
    assert.equal(0, result.status)
    assert.truthy(dir:read("services/db/luamig.lua"))
    assert.same({ "services/db/.luamig/meta" },
      cjson.decode(dir:read(".luarc.json"))["workspace.library"])
    assert.matches("luamig %-c services/db/luamig.lua test%-roundtrip",
      dir:read(".github/workflows/luamig.yml"))
    assert.matches("next: cd services/db && luamig new create_users\n$", result.stdout)
  end)

  it("works on ./migrations when the project is there", function()
    init({ "migrations" })
    local result = init()
    assert.matches("kept  migrations/luamig.lua ", result.stdout)
    assert.is_nil(dir:read("luamig.lua"))
    assert.matches("next: luamig new create_users\n$", result.stdout)
  end)

  it("has a template with environments", function()
    init({ "--template", "multi" })
    assert.matches("staging = {", dir:read("luamig.lua"))
    local result = init({ "--template", "mutli" })
    assert.equal(2, result.status)
    assert.matches("'%-%-template' must be one of 'basic', 'multi'", result.stderr)
  end)

  it("tells the same as JSON", function()
    local result = cjson.decode(init({ "--json" }).stdout)
    assert.equal(dir:path(), result.directory)
    assert.equal("luamig new create_users", result.next)
    assert.same({ status = "wrote", file = "luamig.lua",
      purpose = "the configuration, every key explained" }, result.files[1])
  end)

  it("says what is in its way and what it had done by then", function()
    dir:write("file", "")
    local result = init({ "file/db" })
    assert.equal(2, result.status)
    assert.equal("", result.stdout)
    assert.matches("error: '.*/file' is in the way: a folder is needed there\n", result.stderr)
    assert.matches("state: nothing was written\n", result.stderr)
    dir:write(".github", "a file")
    result = init()
    assert.equal(2, result.status)
    assert.matches("/.github' is in the way", result.stderr)
    assert.matches("state: 6 files were written; init may be run again\n", result.stderr)
  end)

  it("stops at a project file that is broken", function()
    dir:write("luamig.lua", "return {\n verions = 1 }")
    local result = init()
    assert.equal(2, result.status)
    assert.matches("error: unknown key 'verions'\n.*luamig.lua:2\n", result.stderr)
  end)
end)
