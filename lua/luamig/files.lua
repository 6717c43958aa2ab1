--- The files luamig writes into a project, and what can go wrong with them in the user's words.

local core = require("luamig.core.file")
local fault = require("luamig.fault")
local lfs = require("lfs")

local files = {}

local function refuse(verb, path, why)
  fault.raise({
    kind = "config",
    message = ("the file '%s' cannot be %s"):format(
      require("luamig.revision").shown_path(path), verb),
    detail = why,
  })
end

---@return string|nil  the text, or nil when there is no such file. Raises: config (unreadable).
function files.read(path)
  local handle, message = io.open(path, "rb")
  if not handle then
    if not lfs.attributes(path, "mode") then
      return nil
    end
    refuse("read", path, (message:gsub("^.*: ", "")))
  end
  local text, why = handle:read("a")
  handle:close()
  return text or refuse("read", path, tostring(why):gsub("^.*: ", ""))
end

---Makes a new file. Raises: config (folder missing, no permission, disk full, …).
---@param path string
---@param text string
---@return boolean  false when there is one of that name already
function files.create(path, text)
  local ok, why, is_existing = core.create(path, text)
  if not ok and not is_existing then
    refuse("written", path, why)
  end
  return ok == true
end

---Puts a new text in the place of a file. Raises: config.
---@param path string
---@param text string
function files.replace(path, text)
  local ok, why = core.replace(path, text)
  if not ok then
    refuse("written", path, why)
  end
end

---Makes a file, or puts the text in the place of what is there. Raises: config.
---@param path string
---@param text string
function files.write(path, text)
  if not files.create(path, text) then
    files.replace(path, text)
  end
end

---Makes a folder and those above it. Raises: config.
---@return boolean  whether it had to be made
function files.make_folder(path)
  local mode = lfs.attributes(path, "mode")
  if mode == "directory" then
    return false
  elseif mode then
    fault.raise({
      kind = "config",
      message = ("'%s' is in the way: a folder is needed there"):format(path),
    })
  end
  local above = path:match("^(.+)/[^/]+/*$")
  if above then
    files.make_folder(above)
  end
  local ok, why = lfs.mkdir(path)
  if not ok and lfs.attributes(path, "mode") ~= "directory" then
    fault.raise({
      kind = "config",
      message = ("the folder '%s' cannot be made"):format(path),
      detail = why,
    })
  end
  return true
end

---Removes a folder with all that is in it, as far as that is possible; links are not followed.
---@param path string
function files.remove_folder(path)
  for name in lfs.dir(path) do
    local each = path .. "/" .. name
    if name ~= "." and name ~= ".." then
      if lfs.symlinkattributes(each, "mode") == "directory" then
        files.remove_folder(each)
      else
        os.remove(each)
      end
    end
  end
  lfs.rmdir(path)
end

---Waits until no other luamig writes to this folder; `local lock <close> = files.lock(dir)`.
---Raises: config, interrupted.
---@return userdata lock
function files.lock(folder)
  local lock, why = core.lock(folder)
  if lock then
    return lock
  elseif require("luamig.core.clock").interrupts() > 0 then
    fault.raise({ kind = "interrupted", message = "stopped; nothing was written" })
  end
  return fault.raise({
    kind = "config",
    message = ("the folder '%s' cannot be opened"):format(folder),
    detail = why,
  })
end

local function parts_of(path)
  local parts = {}
  for part in path:gmatch("[^/]+") do
    if part == ".." then
      parts[#parts] = nil
    elseif part ~= "." then
      parts[#parts + 1] = part
    end
  end
  return parts
end

---A path from the root, without "." and ".." in it.
---@param path string
---@param base? string  what it is relative to; the current folder when left out
---@return string
function files.absolute(path, base)
  if path:sub(1, 1) ~= "/" then
    path = (base or lfs.currentdir()) .. "/" .. path
  end
  return "/" .. table.concat(parts_of(path), "/")
end

---A path as seen from a folder: "../luamig.lua" from "versions".
---@param path string  absolute
---@param folder string  absolute
---@return string  "." for the folder itself
function files.relative(path, folder)
  local to, from = parts_of(path), parts_of(folder)
  local same = 0
  while to[same + 1] and to[same + 1] == from[same + 1] do
    same = same + 1
  end
  local out = {}
  for _ = same + 1, #from do
    out[#out + 1] = ".."
  end
  table.move(to, same + 1, #to, #out + 1, out)
  return #out > 0 and table.concat(out, "/") or "."
end

---Raises config when there is no folder to write a file to.
---@param path string
function files.check_place(path)
  local folder = path:match("^(.*)/[^/]*$") or "."
  if lfs.attributes(folder == "" and "/" or folder, "mode") ~= "directory" then
    fault.raise({ kind = "usage", message = ("the file '%s' cannot be written"):format(path),
      detail = ("there is no folder '%s'"):format(folder) })
  end
end

---A file as GitHub calls it in annotations: from the root of the repository it has checked out.
---@param file string
---@return string  the same where there is no such repository
function files.repository_path(file)
  local root = os.getenv("GITHUB_WORKSPACE")
  local path = files.absolute(file)
  if root and root ~= "" and path:sub(1, #root + 1) == root .. "/" then
    return path:sub(#root + 2)
  end
  return file
end

return files
