--- Cleans up after a spec, also when its process is killed: a shell that waits for the end of a
-- pipe which only we hold.

local janitor = {}

local Janitor = {}
Janitor.__index = Janitor

---@param line string  shell command that cleans up; may find that there is nothing to do
function janitor.hire(line)
  -- What io.popen starts later does not inherit the pipe; what luamig starts closes it.
  local pipe = assert(io.popen(("trap '' INT TERM HUP; cat > /dev/null; { %s; } > /dev/null 2>&1")
    :format(line), "w"))
  return setmetatable({ pipe = pipe }, Janitor)
end

---Cleans up now, and waits for it.
function Janitor:close()
  if self.pipe then
    self.pipe:close()
    self.pipe = nil
  end
end

return janitor
