local cjson = require("cjson")
local config = require("luamig.config")
local project = require("support.project")
local scaffold = require("luamig.scaffold")

describe("a new project", function()
  local dir

  before_each(function()
    dir = project.new()
  end)

  after_each(function()
    dir:remove()
  end)

  local function project_of(text, options)
    dir:write("luamig.lua", text)
    options = options or {}
    options.config = dir:path("luamig.lua")
    return config.load(options)
  end

  -- The names of all keys, from the error that lists them.
  local function known_keys()
    local ok, f = pcall(project_of, "return { zzzzzzzzzz = 1 }")
    assert.is_false(ok)
    return f.hint:gsub("^known: ", "")
  end

  it("has a config that loads, in both kinds", function()
    assert.equal("embedded", project_of(scaffold.config_text("basic")).url)
    local cfg = project_of(scaffold.config_text("multi"), { env = "production" })
    assert.is_true(cfg.protected)
    assert.equal("2s", cfg.lock_timeout)
  end)

  it("names every key of the config, with its default when it is a comment", function()
    local seen = {}
    for key in scaffold.config_text("basic"):gmatch("\n  [- ]*([%w_]+) = ") do
      assert.is_nil(seen[key], key .. " is explained twice")
      seen[key] = true
    end
    local text = scaffold.config_text("basic")
    for key in known_keys():gmatch("[%w_]+") do
      assert.truthy(text:find("\n  " .. key .. " = ", 1, true)
        or text:find("\n  -- " .. key .. " = ", 1, true), key .. " is not explained")
    end
  end)

  it("has a config that still loads with every comment taken away", function()
    local text = scaffold.config_text("basic"):gsub("\n  %-%- ([%w_]+ = )", "\n  %1")
      :gsub("\n    %-%- (production)", "\n    %1")
    local cfg = project_of(text)
    assert.equal("sequence", cfg.id)
    assert.same({ "public" }, cfg.include.schemas)
  end)

  -- What a comment shows as default is what the config fills in.
  it("shows the defaults as they are", function()
    local plain = project_of("return {}")
    local shown = {
      "recursive", "id", "file_template", "timezone", "transaction", "lock_timeout",
      "lock_deadline", "lock_wait", "statement_timeout", "version_schema", "version_table",
      "protected",
    }
    local text = scaffold.config_text("basic"):gsub("\n  %-%- ([%w_]+ = )", "\n  %1")
    local cfg = project_of(text)
    for _, key in ipairs(shown) do
      assert.equal(plain[key], cfg[key], key)
    end
  end)

  it("tells the editor and luacheck the same names", function()
    dir:write(".git/HEAD", "")
    local root = dir:path()
    local by_name = {}
    for _, file in ipairs(scaffold.companions(root .. "/db", { root .. "/db/versions" })) do
      by_name[file.path:match("[^/]+$")] = file
    end
    assert.equal(root .. "/.luarc.json", by_name[".luarc.json"].path)
    local luarc = cjson.decode(by_name[".luarc.json"].text)
    assert.same({ "db/.luamig/meta" }, luarc["workspace.library"])
    assert.same(scaffold.header_names, luarc["diagnostics.globals"])
    local rules = { files = {} }
    assert(load(by_name[".luacheckrc"].text, "luacheckrc", "t", rules))()
    assert.same(scaffold.header_names, rules.files["db/versions"].globals)
    assert.same({ "op" }, rules.files["db/versions"].read_globals)
    assert.same({ "db/.luamig/meta" }, rules.exclude_files)
  end)

  it("has a workflow that names the config only when it is not found by itself", function()
    dir:write(".git/HEAD", "")
    local root = dir:path()
    local function workflow(folder)
      return scaffold.companions(folder, { folder .. "/versions" })[3].text
    end
    assert.matches("run: luamig %-%-url embedded upgrade\n", workflow(root))
    assert.matches("run: luamig test%-roundtrip", workflow(root .. "/migrations"))
    assert.matches("run: luamig %-c a/b%%c/luamig.lua %-%-url embedded check\n",
      workflow(root .. "/a/b%c"))
  end)

  it("belongs to the repository around it, or to the folder of ./migrations", function()
    assert.equal("/srv/app", scaffold.root("/srv/app/migrations"))
    assert.equal("/srv/app/db", scaffold.root("/srv/app/db"))
    dir:write(".git/HEAD", "")
    assert.equal(dir:path(), scaffold.root(dir:path("a/b/migrations")))
  end)

  it("adds its line to .gitignore once, in the form it has", function()
    assert.equal(".luamig/\n", scaffold.gitignore(nil))
    assert.equal("build\n.luamig/\n", scaffold.gitignore("build"))
    assert.equal("build\n.luamig/\n", scaffold.gitignore("build\n"))
    for _, line in ipairs({ ".luamig/", "/.luamig", "**/.luamig/", ".luamig" }) do
      assert.is_nil(scaffold.gitignore("a\r\n" .. line .. "\r\nb"))
    end
  end)
end)
