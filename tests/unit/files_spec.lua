local fault = require("luamig.fault")
local files = require("luamig.files")
local lfs = require("lfs")
local project = require("support.project")

describe("files", function()
  local dir

  before_each(function()
    dir = project.new()
  end)

  after_each(function()
    dir:remove()
  end)

  local function failure(...)
    local ok, f = pcall(...)
    assert.is_false(ok)
    assert.is_true(fault.is(f), tostring(f))
    assert.equal("config", f.kind)
    return f
  end

  it("are made once, whole, and leave nothing else behind", function()
    local path = dir:path("a.lua")
    assert.is_true(files.create(path, "one\0\n"))
    assert.is_false(files.create(path, "two"))
    assert.equal("one\0\n", files.read(path))
    assert.same({ "a.lua" }, dir:list())
  end)

  it("are not made in the place of a link that leads nowhere", function()
    lfs.link("/nope/x", dir:path("a.lua"), true)
    assert.is_false(files.create(dir:path("a.lua"), "x"))
  end)

  it("are replaced with their permissions, also behind a link", function()
    local path = dir:write("a.lua", "old")
    os.execute("chmod 640 " .. path)
    lfs.link(path, dir:path("link.lua"), true)
    files.replace(dir:path("link.lua"), "new")
    assert.equal("new", files.read(path))
    assert.equal("rw-r-----", lfs.attributes(path, "permissions"))
    assert.equal("link", lfs.symlinkattributes(dir:path("link.lua"), "mode"))
    assert.same({ "a.lua", "link.lua" }, dir:list())
  end)

  it("have the permissions that new files have", function()
    dir:write("plain", "")
    files.create(dir:path("a"), "x")
    assert.equal(lfs.attributes(dir:path("plain"), "permissions"),
      lfs.attributes(dir:path("a"), "permissions"))
  end)

  it("that are not there are nil, and those that cannot be read are told", function()
    assert.is_nil(files.read(dir:path("nope")))
    assert.equal(("the file '%s' cannot be read"):format(dir:path()),
      failure(files.read, dir:path()).message)
  end)

  it("cannot be written where there is no folder", function()
    local f = failure(files.create, dir:path("nope/a"), "x")
    assert.equal(("the file '%s' cannot be written"):format(dir:path("nope/a")), f.message)
    assert.equal("No such file or directory", f.detail)
    assert.equal("No such file or directory",
      failure(files.replace, dir:path("nope/a"), "x").detail)
  end)

  it("get folders with those above them", function()
    assert.is_true(files.make_folder(dir:path("a/b/c")))
    assert.is_false(files.make_folder(dir:path("a/b/c/")))
    dir:write("file", "")
    assert.equal(("'%s' is in the way: a folder is needed there"):format(dir:path("file")),
      failure(files.make_folder, dir:path("file/x")).message)
  end)

  it("go with their folder, and what a link leads to stays", function()
    local other = project.new()
    other:write("kept.txt", "kept")
    dir:write("a/b/c.txt", "c")
    assert(lfs.link(other.root, dir:path("a/link"), true))
    files.remove_folder(dir:path("a"))
    assert.is_nil(lfs.attributes(dir:path("a")))
    assert.equal("kept", other:read("kept.txt"))
    other:remove()
  end)

  it("are locked by folder", function()
    do
      local lock <close> = files.lock(dir:path()) -- luacheck: no unused
      local busy = "flock -n -x " .. dir:path() .. " true"
      assert.is_nil((os.execute(busy)))
    end
    assert.is_true((os.execute("flock -n -x " .. dir:path() .. " true")))
    assert.equal(("the folder '%s' cannot be opened"):format(dir:path("nope")),
      failure(files.lock, dir:path("nope")).message)
  end)

  it("have paths from the root and between folders", function()
    assert.equal("/a/c", files.absolute("../c", "/a/b"))
    assert.equal("/a/b", files.absolute("/a/./x/../b/"))
    assert.equal("/", files.absolute("../..", "/a"))
    assert.equal("../c/d", files.relative("/a/c/d", "/a/b"))
    assert.equal("b", files.relative("/a/b", "/a"))
    assert.equal(".", files.relative("/a", "/a"))
    assert.equal("../..", files.relative("/", "/a/b"))
  end)
end)
