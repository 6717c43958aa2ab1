--- Temporary project folders for specs.

local lfs = require("lfs")

local project = {}

local Project = {}
Project.__index = Project

---A new empty folder. Remove it with :remove().
function project.new()
  local name = os.tmpname()
  os.remove(name)
  assert(lfs.mkdir(name))
  return setmetatable({ root = name }, Project)
end

---@param relative? string
function Project:path(relative)
  return relative and self.root .. "/" .. relative or self.root
end

local function make_folders(path)
  for at in path:gmatch("()/") do
    local folder = path:sub(1, at - 1)
    if folder ~= "" and not lfs.attributes(folder, "mode") then
      assert(lfs.mkdir(folder))
    end
  end
end

---Writes a file, with the folders above it.
---@return string path
function Project:write(relative, text)
  local path = self:path(relative)
  make_folders(path)
  local file = assert(io.open(path, "wb"))
  assert(file:write(text))
  file:close()
  return path
end

---@return string|nil  nil when there is no such file
function Project:read(relative)
  local file = io.open(self:path(relative), "rb")
  if not file then
    return nil
  end
  local text = file:read("a")
  file:close()
  return text
end

---@return string[]  sorted names in a folder
function Project:list(relative)
  local names = {}
  for name in lfs.dir(self:path(relative)) do
    if name ~= "." and name ~= ".." then
      names[#names + 1] = name
    end
  end
  table.sort(names)
  return names
end

---A revision file as `luamig revision` would write it; fields are Lua source.
---@param fields { down?: string, depends_on?: string, labels?: string, doc?, body?: string }
function Project:revision(name, id, fields)
  fields = fields or {}
  local body = fields.body or "function upgrade()\nend\n\nfunction downgrade()\nend"
  return self:write("versions/" .. name .. ".lua", ([[
--- %s
-- Revision ID: %s

revision = "%s"
down_revision = %s
branch_labels = %s
depends_on = %s

%s
]]):format(fields.doc or name, id, id, fields.down or "nil", fields.labels or "nil",
    fields.depends_on or "nil", body))
end

local function remove(path)
  if lfs.symlinkattributes(path, "mode") == "directory" then
    for name in lfs.dir(path) do
      if name ~= "." and name ~= ".." then
        remove(path .. "/" .. name)
      end
    end
  end
  os.remove(path)
end

function Project:remove()
  remove(self.root)
end

return project
