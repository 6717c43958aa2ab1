--- Where in the user's files a call comes from.

local origin = {}

-- Modules of luamig have chunk names "@luamig/…", from the binary or from a directory of sources.
local own = {}

local function is_own(source)
  local known = own[source]
  if known == nil then
    known = source:sub(1, 1) ~= "@" or source:find("^@luamig/") ~= nil
      or source:find("/luamig/[%w_/]+%.lua$") ~= nil
    own[source] = known
  end
  return known
end

---The nearest level of the stack that is a script of the project; when there is none (a spec, a
---tool), the nearest one that is not luamig's own.
---@param level integer  1 = the caller of this function
---@return { file: string, line: integer }|nil
function origin.capture(level)
  local sandbox = package.loaded["luamig.sandbox"]
  local fallback
  level = level + 1
  while true do
    local info = debug.getinfo(level, "Sl")
    if not info then
      return fallback
    end
    if info.currentline > 0 and not is_own(info.source) then
      local place = { file = info.source:sub(2), line = info.currentline }
      if not sandbox or sandbox.is_script(info.source) then
        return place
      end
      fallback = fallback or place
    end
    level = level + 1
  end
end

return origin
