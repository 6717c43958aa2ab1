--- Debian's Alembic, for specs that compare with it or share a database with it.

local process = require("support.process")

local alembic = {}

local PYTHON <const> = "/usr/bin/python3" -- Debian's, which has Debian's Alembic

local Alembic = {}
Alembic.__index = Alembic

---Starts one that takes commands until it is closed.
function alembic.start()
  local fifo = os.tmpname()
  os.remove(fifo)
  assert(os.execute("mkfifo " .. fifo))
  local self = setmetatable({}, Alembic)
  self.process = process.start(("%s tests/support/alembic_shell.py < %s"):format(PYTHON, fifo))
  self.input = assert(io.open(fifo, "w")) -- waits until the other end is open
  os.remove(fifo)
  return self
end

---Runs a command line; fails unless it ends well.
---@param config string  path of alembic.ini
---@param words string
---@return string  what it printed
function Alembic:run(config, words)
  self.input:write(("-c %s %s\n"):format(config, words))
  self.input:flush()
  local lines = {}
  while true do
    local line = assert(self.process:line(), "Alembic has ended")
    local status = line:match("^exit (%d+)$")
    if status == "0" then
      return #lines > 0 and table.concat(lines, "\n") .. "\n" or ""
    elseif status then
      error(("alembic %s: exit %s\n%s"):format(words, status, table.concat(lines, "\n")), 2)
    end
    lines[#lines + 1] = line
  end
end

function Alembic:close()
  self.input:close()
  self.process:wait()
end

return alembic
