--- What a server leaves on the machine: its processes, its folder, its shared memory.

local lfs = require("lfs")
local process = require("support.process")

local machine = {}

local function read(path)
  local file = io.open(path, "rb")
  local text = file and file:read("a")
  if file then
    file:close()
  end
  return text
end

local function children_of(pid, list)
  for child in (read(("/proc/%d/task/%d/children"):format(pid, pid)) or ""):gmatch("%d+") do
    list[#list + 1] = math.tointeger(tonumber(child))
    children_of(list[#list], list)
  end
  return list
end

---Everything that a running server consists of.
---@param facts { pid: integer, supervisor: integer, socket: string, data: string }
function machine.server(facts)
  local pids = children_of(facts.supervisor, { facts.supervisor })
  local file = assert(read(facts.data .. "/postmaster.pid"))
  local lines = {}
  for line in file:gmatch("([^\n]*)\n") do
    lines[#lines + 1] = line
  end
  return {
    pids = pids,
    folder = facts.socket,
    segment = assert(lines[7]:match("%d+%s+(%d+)")),
  }
end

local function has_segment(id)
  for line in read("/proc/sysvipc/shm"):gmatch("[^\n]+") do
    if line:match("^%s*%-?%d+%s+(%d+)") == id then
      return true
    end
  end
  return false
end

---What is left of it.
---@return string[]
function machine.left_of(parts)
  local list = {}
  for _, pid in ipairs(parts.pids) do
    if process.is_alive(pid) then
      list[#list + 1] = "process " .. pid
    end
  end
  if lfs.symlinkattributes(parts.folder, "mode") then
    list[#list + 1] = "folder " .. parts.folder
  end
  if has_segment(parts.segment) then
    list[#list + 1] = "segment " .. parts.segment
  end
  return list
end

-- The launcher of autovacuum of PostgreSQL 14, orphaned, asks ten seconds for statistics before it
-- looks at its postmaster.
local END_MS <const> = 40000

---Waits until nothing is left of it; `but` is a pattern of what may stay ("^folder").
---@return string[]  what is left all the same
function machine.await_end(parts, but)
  local left
  process.eventually(function()
    left = {}
    for _, what in ipairs(machine.left_of(parts)) do
      if not but or not what:find(but) then
        left[#left + 1] = what
      end
    end
    return #left == 0
  end, END_MS)
  return left
end

---The supervisor of a project's server: it has signed server.lock.
---@return integer
function machine.supervisor_of(home)
  return assert(math.tointeger(tonumber(read(home .. "/server.lock"):match("^%d+"))))
end

---A folder of a short name that everybody can write to, in memory when there is such a place:
---a server makes and deletes a thousand files.
---@return string
function machine.folder()
  local parent = lfs.attributes("/dev/shm", "mode") and "/dev/shm" or "/tmp"
  local path = ("%s/lt%d"):format(parent, math.random(1, 99999999))
  assert(lfs.mkdir(path))
  os.execute("chmod 1777 " .. path)
  return path
end

---@return string[]  names of what a folder holds
function machine.entries(path)
  local list = {}
  for name in lfs.dir(path) do
    if name ~= "." and name ~= ".." then
      list[#list + 1] = name
    end
  end
  return list
end

---@return boolean
function machine.is_root()
  local pipe = io.popen("id -u")
  local uid = pipe:read("l")
  pipe:close()
  return uid == "0"
end

return machine
