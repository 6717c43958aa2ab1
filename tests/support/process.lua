--- Programs that run beside a spec, and what the machine knows of processes.

local lfs = require("lfs")

local process = {}

local Process = {}
Process.__index = Process

---The luamig that runs the specs.
---@return string
function process.luamig()
  return assert(lfs.symlinkattributes("/proc/self/exe", "target"))
end

---Starts a shell command line and reads what it prints line by line.
---@param line string  of one program: it takes the shell's place
---@return table  with pid
function process.start(line)
  local pipe = assert(io.popen("echo $$; exec " .. line, "r"))
  local self = setmetatable({ pipe = pipe }, Process)
  self.pid = assert(math.tointeger(tonumber(pipe:read("l"))))
  return self
end

---@return string|nil  its next line
function Process:line()
  return self.pipe:read("l")
end

---Waits for its end.
---@return string how "exit" or "signal"
---@return integer code
function Process:wait()
  local _, how, code = self.pipe:close()
  return how, code
end

---@param signal string  "KILL", "TERM" …
function process.kill(pid, signal)
  return os.execute(("kill -%s %d 2>/dev/null"):format(signal, pid))
end

---Is the process there, and no zombie?
---@return boolean
function process.is_alive(pid)
  local file = io.open(("/proc/%d/stat"):format(pid), "rb")
  local text = file and file:read("a")
  if file then
    file:close()
  end
  return text ~= nil and text:match("^%d+ %(.*%) (.)") ~= "Z"
end

---Waits until the condition holds.
---@param condition fun(): boolean
---@param timeout_ms? integer  default 10 s
---@return boolean  false when it never did
function process.eventually(condition, timeout_ms)
  local clock = require("luamig.core.clock")
  local deadline = clock.now_ms() + (timeout_ms or 10000)
  while not condition() do
    if clock.now_ms() > deadline then
      return false
    end
    clock.sleep_ms(5)
  end
  return true
end

return process
