--- Opens files in the editor that the user has chosen.

local fault = require("luamig.fault")
local lfs = require("lfs")

local editor = {}

-- `editor` is Debian's link to the one the administrator has chosen.
local known = { "editor", "nano", "vim", "vi", "emacs" }

local function is_on_path(program)
  for folder in (os.getenv("PATH") or ""):gmatch("[^:]+") do
    local path = folder .. "/" .. program
    local permissions = lfs.attributes(path, "permissions")
    if permissions and permissions:find("x", 1, true)
      and lfs.attributes(path, "mode") == "file" then
      return true
    end
  end
  return false
end

---The editor's command line, as the shell takes it ("code --wait"), and where it comes from.
---Raises: config (there is none).
---@return string command
---@return string origin
function editor.command()
  for _, name in ipairs({ "VISUAL", "EDITOR" }) do
    local command = os.getenv(name)
    if command and command:find("%S") then
      return command, name
    end
  end
  for _, program in ipairs(known) do
    if is_on_path(program) then
      return program, "PATH"
    end
  end
  return fault.raise({
    kind = "config",
    message = "there is no editor",
    detail = ("looked at: VISUAL, EDITOR, and for %s on the PATH"):format(
      table.concat(known, ", ")),
    try = "export EDITOR=…",
  })
end

local function quoted(word)
  return "'" .. word:gsub("'", [['\'']]) .. "'"
end

---Opens files and waits until the editor ends. Raises: config (no editor), operation (it failed).
---@param paths string[]  absolute
function editor.open(paths)
  local command, origin = editor.command()
  local words = { command }
  for i, path in ipairs(paths) do
    words[i + 1] = quoted(path)
  end
  io.stdout:flush()
  local ok, how, code = os.execute(table.concat(words, " "))
  if not ok then
    fault.raise({
      kind = "operation",
      message = ("the editor '%s' (from %s) ended with %s %d"):format(command, origin,
        how == "exit" and "exit status" or "signal", code),
      hint = how == "exit" and code == 127 and "there is no such program" or nil,
    })
  end
end

return editor
