local lfs = require("lfs")
local machine = require("support.machine")
local process = require("support.process")
local project = require("support.project")
local server = require("luamig.core.server")

-- Like project.new(), in memory.
local function new_project()
  local dir = project.new()
  dir:remove()
  dir.root = machine.folder()
  return dir
end

describe("a server in an odd environment", function()
  local folder, binary, script

  setup(function()
    folder = machine.folder()
    binary = os.tmpname()
    script = os.tmpname()
    os.execute(("cp %s %s && chmod 755 %s"):format(process.luamig(), binary, binary))
    local handle = assert(io.open(script, "wb"))
    handle:write([[
      local fault = require("luamig.fault")
      local server = require("luamig.core.server")
      local conn = require("luamig.core.conn")
      local function use(s)
        local c <close> = conn.open({ url = s:url() })
        local row = c:exec("SELECT pg_catalog.lower('É') AS low, pg_catalog.getdatabaseencoding() "
          .. "AS encoding")[1]
        print(row.low, row.encoding)
        s:stop()
      end
      local ok, f = pcall(function()
        use(server.ephemeral({}))
        if arg[1] then
          use(server.project({ home = arg[1] }))
          use(server.project({ home = arg[1] }))
          print(server.shut_down(arg[1]))
        end
      end)
      if not ok then print(fault.is(f) and f.message .. (f.detail or "") or f) end
    ]])
    handle:close()
    os.execute("chmod 644 " .. script)
  end)

  teardown(function()
    os.remove(binary)
    os.remove(script)
    os.execute("rm -rf " .. folder)
  end)

  local function run(before, home)
    local pipe = io.popen(("cd /; export TMPDIR=%s; %s %s lua %s %s 2>&1"):format(folder, before,
      binary, script, home or ""))
    local text = pipe:read("a")
    pipe:close()
    return text
  end

  local once <const> = "é\tUTF8\n"
  local with_project <const> = once .. once .. once .. "true\n"
  local nobody <const> = "setpriv --reuid=nobody --regid=nogroup --clear-groups "

  it("starts without a home, in a long TMPDIR, with a locale that is not there", function()
    assert.equal(once, run("env -u HOME -u XDG_CACHE_HOME -u TMPDIR"))
    assert.equal(once, run("env TMPDIR=/tmp/" .. ("long"):rep(30)))
    assert.equal(once, run("env LC_ALL=xx_YY.UTF-8 LANG=tr_TR"))
    assert.equal(once, run("env PGDATA=/nowhere PGPORT=1 PGHOST=h PGOPTIONS=-cwork_mem=1MB"))
  end)

  it("starts under any umask, and is closed to others all the same", function()
    for _, mask in ipairs({ "0077", "0000" }) do
      local dir = new_project()
      local home = dir:path(".luamig")
      assert.equal(with_project, run(("umask %s; env"):format(mask), home))
      assert.equal("rwx------", lfs.attributes(home, "permissions"))
      assert.equal("rwx------", lfs.attributes(home .. "/pg", "permissions"))
      dir:remove()
    end
  end)

  it("makes a damaged template anew", function()
    local cache = machine.folder()
    local user = machine.is_root() and nobody or ""
    local before = ("%s env XDG_CACHE_HOME=%s"):format(user, cache)
    assert.equal(once, run(before))
    os.execute(("rm -r %s/luamig/template-*/global"):format(cache))
    assert.equal(once, run(before))
    assert.equal("0\n", io.popen(("find %s/luamig -name '*.new' | wc -l"):format(cache)):read("a"))
    os.execute("rm -rf " .. cache)
  end)

  it("forgets templates that nobody has used for a month", function()
    local cache = machine.folder()
    local user = machine.is_root() and nobody or ""
    os.execute(("%s sh -c 'mkdir -p -m 700 %s/luamig && cd %s/luamig && "
      .. "mkdir template-old template-new && touch template-new.lock && "
      .. "touch -d \"40 days ago\" template-old.lock'"):format(user, cache, cache))
    assert.equal(once, run(("%s env XDG_CACHE_HOME=%s"):format(user, cache)))
    assert.is_nil(lfs.attributes(cache .. "/luamig/template-old", "mode"))
    assert.equal("directory", lfs.attributes(cache .. "/luamig/template-new", "mode"))
    os.execute("rm -rf " .. cache)
  end)

  it("makes its template once when many start at the same time", function()
    local cache = machine.folder()
    local user = machine.is_root() and nobody or ""
    local children = {}
    for i = 1, 4 do
      children[i] = process.start(("%s env XDG_CACHE_HOME=%s TMPDIR=%s %s lua %s"):format(user,
        cache, folder, binary, script))
    end
    for _, child in ipairs(children) do
      assert.equal("é\tUTF8", child:line())
      child:wait()
    end
    assert.equal("1\n", io.popen(("ls -d %s/luamig/template-*[0-9a-f] | wc -l"):format(cache))
      :read("a"))
    os.execute("rm -rf " .. cache)
  end)

  it("runs for an ordinary user, and for one without a name", function()
    if not machine.is_root() then
      pending("becoming another user needs root")
      return
    end
    local dir = new_project()
    os.execute("chown nobody " .. dir:path())
    assert.equal(with_project, run(nobody .. "env -u HOME", dir:path(".luamig")))
    dir:remove()
    local text = run("setpriv --reuid=54321 --regid=54321 --clear-groups env -u HOME")
    if not text:find("could not look up effective user ID", 1, true) then -- no user namespaces
      assert.equal(once, text)
    end
    os.execute("rm -rf /tmp/luamig-54321")
  end)

  it("of root runs as the user whom the project belongs to", function()
    if not machine.is_root() then
      pending("becoming another user needs root")
      return
    end
    local dir = new_project()
    os.execute("chown nobody " .. dir:path())
    assert.equal(with_project, run("env", dir:path(".luamig")))
    assert.equal(lfs.attributes(dir:path(), "uid"),
      lfs.attributes(dir:path(".luamig/pg"), "uid"))
    assert.equal(with_project:gsub("\n$", ""), (run(nobody .. "env", dir:path(".luamig"))
      :gsub("\n$", "")))
    dir:remove()
  end)

  it("of another user is not taken over", function()
    if not machine.is_root() then
      pending("becoming another user needs root")
      return
    end
    local dir = new_project()
    local s = server.project({ home = dir:path(".luamig") })
    s:stop()
    local text = run(nobody .. "env", dir:path(".luamig"))
    assert.matches("cannot be used: Permission denied", text, 1, true)
    server.shut_down(dir:path(".luamig"))
    dir:remove()
  end)
end)
