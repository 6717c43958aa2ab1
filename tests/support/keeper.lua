--- A luamig of its own, which starts a server, says what it consists of, and waits to be killed.

local machine = require("support.machine")
local process = require("support.process")

local keeper = {}

local script = [[
  local fault = require("luamig.fault")
  local server = require("luamig.core.server")
  local kind, home = arg[1], arg[2]
  local ok, s = pcall(server[kind], { home = home })
  if not ok then
    print("failed", s.kind, s.message)
    os.exit(1)
  end
  local info = s:info()
  print(info.pid, info.socket, info.data, info.supervisor or 0)
  io.stdout:flush()
  local clock = require("luamig.core.clock")
  for _ = 1, 600 do
    if clock.interrupts() > 0 then break end
    clock.sleep_ms(100)
  end
]]

---Writes the script that the luamigs run; for setup().
function keeper.setup()
  keeper.file = os.tmpname()
  local handle = assert(io.open(keeper.file, "wb"))
  handle:write(script)
  handle:close()
  os.execute("chmod 644 " .. keeper.file)
end

---For teardown().
function keeper.teardown()
  os.remove(keeper.file)
end

---Starts one, without waiting for its server.
---@param kind "ephemeral"|"project"
---@param home? string
---@param prefix? string  such as "env A=b"
function keeper.launch(kind, home, prefix)
  return process.start(("%s %s lua %s %s %s"):format(prefix or "", process.luamig(), keeper.file,
    kind, home or ""))
end

---Starts one and waits for its server; `facts` says what that consists of.
---@return table
function keeper.start(kind, home, prefix)
  local child = keeper.launch(kind, home, prefix)
  local said = child:line() or "nothing"
  local pid, socket, data, supervisor = said:match("^(%d+)\t(%S+)\t(%S+)\t(%d+)$")
  if not pid then
    error("no server: " .. said)
  end
  child.facts = {
    pid = math.tointeger(tonumber(pid)),
    socket = socket,
    data = data,
    supervisor = kind == "project" and machine.supervisor_of(home)
      or math.tointeger(tonumber(supervisor)),
  }
  return child
end

---Ends one as Ctrl-C would.
function keeper.finish(child)
  process.kill(child.pid, "TERM")
  child:wait()
end

return keeper
