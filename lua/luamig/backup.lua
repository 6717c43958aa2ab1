--- `--backup`: pg_dump before anything is changed.

local database = require("luamig.database")
local fault = require("luamig.fault")
local lfs = require("lfs")

local backup = {}

-- A folder gets a file of its own for each run; a file name is taken as it is.
local function path_of(target, name)
  if lfs.attributes(target, "mode") == "directory" or target:sub(-1) == "/" then
    return ("%s/%s-%s.dump"):format(target:gsub("/+$", ""), name, os.date("!%Y%m%dT%H%M%SZ"))
  end
  return target
end

local function refuse(message, path, try)
  fault.raise({
    kind = "refused",
    message = message,
    hint = path and ("the backup was to go to " .. path) or nil,
    state = "nothing changed",
    try = try or "mend it, or run again without --backup",
  })
end

local function check_folder(path)
  local folder = path:match("^(.*)/[^/]*$")
  if folder and folder ~= "" and lfs.attributes(folder, "mode") ~= "directory" then
    refuse(("there is no folder '%s' for the backup"):format(folder), nil,
      ("mkdir -p %s, or run again without --backup"):format(folder))
  end
end

---Dumps the database of the command with pg_dump (custom format). Raises: refused, when it fails:
---then nothing may be changed.
---@param ctx table
---@param conn userdata  for the name of the database
---@param target string  a file, or a folder
---@return string path
function backup.run(ctx, conn, target)
  local path = path_of(target, conn:info().database)
  if lfs.attributes(path) then
    refuse(("the backup file '%s' exists already"):format(path), nil,
      "name another file, or a folder: each run then has a file of its own")
  end
  check_folder(path)
  local info, environment = require("luamig.client").conninfo((database.url(ctx)))
  local process = require("luamig.core.process")
  local partial = path .. ".partial"
  local ok, status = pcall(process.run, "pg_dump",
    { "--format=custom", "--file=" .. partial, "--dbname=" .. info }, environment)
  if not ok then
    refuse(fault.is(status) and status.message or tostring(status), path)
  elseif status ~= 0 then
    os.remove(partial)
    refuse(("pg_dump failed with exit status %d"):format(status), path)
  end
  local moved, message = os.rename(partial, path)
  if not moved then
    refuse(message, path)
  end
  ctx.report.info(("backup written: %s (restore with: pg_restore --clean --dbname=… %s)"):format(
    path, path))
  return path
end

return backup
