--- The difference of two texts, as `diff -u` shows it.

local textdiff = {}

local function write(text)
  local name = os.tmpname()
  local file = assert(io.open(name, "wb"))
  file:write(text)
  file:close()
  return name
end

local function label(text)
  return "'" .. text:gsub("'", "'\\''") .. "'"
end

---@param before string
---@param after string
---@param names { before: string, after: string }
---@return string  "" when they are equal
function textdiff.unified(before, after, names)
  local a, b = write(before), write(after)
  local pipe = io.popen(("diff -u --label %s --label %s %s %s"):format(label(names.before),
    label(names.after), a, b))
  local text = pipe and pipe:read("a") or ""
  if pipe then
    pipe:close()
  end
  os.remove(a)
  os.remove(b)
  return text
end

return textdiff
