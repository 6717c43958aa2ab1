local config = require("luamig.config")
local fault = require("luamig.fault")
local hooks = require("luamig.hooks")
local project = require("support.project")

describe("a hook", function()
  local dir

  before_each(function()
    dir = project.new()
  end)

  after_each(function()
    dir:remove()
  end)

  local function load(body)
    dir:write("luamig.lua", "return { hooks = {\n" .. body .. "\n} }")
    return config.load({ config = dir:path("luamig.lua") })
  end

  local function failure(body, ...)
    local cfg = load(body)
    local ok, f = pcall(hooks.run, cfg, "after_write", ...)
    assert.is_false(ok)
    assert.is_true(fault.is(f), tostring(f))
    assert.equal("script", f.kind)
    assert.equal(cfg.file, f.file)
    return f
  end

  it("is given what the command has", function()
    local cfg = load('after_write = function(...) error({ ... }) end')
    cfg.hooks.after_write = function(...)
      cfg.seen = { ... }
    end
    hooks.run(cfg, "after_write", "/a/b.lua", 2)
    assert.same({ "/a/b.lua", 2 }, cfg.seen)
  end)

  it("that is not there is passed over", function()
    hooks.run(load(""), "after_write", "x")
  end)

  it("that raises an error is named with its line", function()
    local f = failure('after_write = function(path)\n  error("no " .. path)\nend', "x.lua")
    assert.equal("the hook after_write failed: no x.lua", f.message)
    assert.equal(3, f.line)
  end)

  it("that makes a Lua error is named with its line", function()
    local f = failure("after_write = function(path)\n\n  return path.a.b\nend", "x")
    assert.matches("^the hook after_write failed: attempt to index a nil value", f.message)
    assert.equal(4, f.line)
  end)

  it("that raises something else than a text is told too", function()
    assert.matches("^the hook after_write failed: table:",
      failure("after_write = function() error({}) end").message)
  end)

  it("fails when it returns what a failed program gives", function()
    local f = failure('after_write = function() return os.execute("exit 3") end')
    assert.equal("the hook after_write failed: its program ended with exit status 3", f.message)
    hooks.run(load('after_write = function() return os.execute("true") end'), "after_write")
    hooks.run(load("after_write = function() return nil end"), "after_write")
  end)

  it("on_error sees the error, and does not take its place when it fails", function()
    local f = fault.new({ kind = "server", message = "first" })
    local cfg = load('on_error = function(f, info) error(f.message .. info.revision) end')
    hooks.on_error(cfg, f, { revision = "002" })
    assert.equal("first", f.message)
    assert.matches("^then .*the hook on_error failed: first002$", f.context)
    hooks.on_error(load(""), f, {})
    assert.is_true(hooks.has(cfg, "on_error"))
    assert.is_false(hooks.has(cfg, "after_write"))
  end)
end)
