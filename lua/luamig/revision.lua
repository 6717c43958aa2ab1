--- Revision files: their headers, their functions, and the graph they form.
-- Most commands need only headers. These are read straight from the text when they are written the
-- way `luamig revision` writes them; anything else, and any function, compiles and runs the file.

local core_file = require("luamig.core.file")
local core_header = require("luamig.core.header")
local fault = require("luamig.fault")
local lfs = require("lfs")

local revision = {}

-- What a file may assign; the value tells the types allowed.
local header = {
  revision = "string",
  down_revision = "names",
  branch_labels = "names",
  depends_on = "names",
  transactional = "boolean",
  data_loss = "string",
  irreversible = "string",
  upgrade = "function",
  downgrade = "function",
  change = "function",
}

local rules = {
  globals = {},
  stray = "'%s' is no header field of a revision: make your own names local",
}
for name in pairs(header) do
  rules.globals[name] = true
end

local function line_of(text, name)
  local number = 0
  for line in (text .. "\n"):gmatch("(.-)\n") do
    number = number + 1
    if line:find("^%s*" .. name .. "%s*=") then
      return number
    end
  end
  return nil
end

local function names_list(value)
  if value == nil then
    return {}
  elseif type(value) == "string" then
    return { value }
  elseif type(value) ~= "table" then
    return nil
  end
  local count = 0
  for key, name in pairs(value) do
    count = count + 1
    if math.type(key) ~= "integer" or type(name) ~= "string" then
      return nil
    end
  end
  return count == #value and value or nil
end

local expected = {
  string = "a string",
  names = "a string or a list of strings",
  boolean = "true or false",
  ["function"] = "a function",
}

local function shown(value)
  if type(value) == "number" or type(value) == "boolean" then
    return ("%s %s"):format(type(value), tostring(value))
  end
  return type(value) == "table" and "a table with other things in it" or "a " .. type(value)
end

-- Both the table that the text gave and an environment hold names of the header only.
local function check_types(rev, fields)
  for name, value in pairs(fields) do
    local kind = header[name]
    local good = type(value) == kind or (kind == "names" and names_list(value))
    if not good then
      local hint
      if (kind == "string" or kind == "names") and math.type(value) == "integer" then
        hint = ('write it in quotes: %s = "%s"'):format(name, value)
      end
      fault.raise({
        kind = kind == "function" and "script" or "graph",
        message = ("%s must be %s, but it is %s"):format(name, expected[kind], shown(value)),
        hint = hint,
        file = rev.file,
        line = line_of(rev.text, name),
      })
    end
  end
end

local function check_id(rev, fields)
  if fields.revision ~= nil and fields.revision ~= "" then
    return
  end
  local name = rev.file:match("([^/]+)%.lua$")
  local is_local = rev.text:find("\n?local revision%s*=")
  fault.raise({
    kind = "graph",
    message = fields.revision == "" and "the revision id is empty"
      or "the file has no revision id",
    hint = is_local and "`revision` is local there; header fields are global"
      or ('add a header line: revision = "%s"'):format(name:match("^[^_]+")),
    file = rev.file,
    line = line_of(rev.text, "revision"),
  })
end

local function set_header(rev, fields)
  check_types(rev, fields)
  check_id(rev, fields)
  rev.id = fields.revision
  rev.down = names_list(fields.down_revision)
  rev.depends_on = names_list(fields.depends_on)
  rev.labels = names_list(fields.branch_labels)
  rev.transactional = fields.transactional ~= false
  rev.data_loss = fields.data_loss or false
  rev.irreversible = fields.irreversible or false
end

local function header_of_text(text)
  local fields = core_header.read(text)
  local has_id = fields and fields.revision and fields.revision ~= ""
  return has_id and fields or nil
end

local metadata = "^%u[%a ]*:"

-- First paragraph of the leading comment: it ends at an empty comment line or at "Revision ID:".
local function title_of_text(text)
  -- The form that `luamig revision` writes, first.
  local title, position = text:match("^%-%-+ ?([^\n]*)\n()")
  if title and text:find("^%-%- Revision ID:", position) and title:find("%S$") then
    return title
  end
  local words = {}
  for line in text:gmatch("([^\n]*)\n?") do
    local comment = line:match("^%-%-+%s?(.-)%s*$")
    if not comment or comment == "" or (#words > 0 and comment:find(metadata)) then
      break
    end
    words[#words + 1] = comment
  end
  return table.concat(words, " ")
end

---The whole leading comment, without its dashes.
---@return string[]
local function comment_of_text(text)
  local lines = {}
  for line in text:gmatch("([^\n]*)\n?") do
    local comment = line:match("^%-%-+%s?(.-)%s*$")
    if not comment then
      break
    end
    lines[#lines + 1] = comment
  end
  while lines[#lines] == "" do
    lines[#lines] = nil
  end
  return lines
end

local function check_functions(rev, environment)
  local has = function(name)
    return rawget(environment, name) ~= nil
  end
  local message
  if has("change") and (has("upgrade") or has("downgrade")) then
    message = "the file has change() and also upgrade() or downgrade(); only one way can be meant"
  elseif not has("change") and not has("upgrade") then
    message = "the file has neither upgrade() nor change()"
  end
  if message then
    fault.raise({ kind = "script", message = message, file = rev.file })
  end
end

-- A header read from the text and one made by running the file must be one and the same.
local function check_same(rev, fields)
  local function same(list, value)
    return table.concat(list, "\n") == table.concat(names_list(value), "\n")
  end
  if rev.id == fields.revision and same(rev.down, fields.down_revision)
    and same(rev.depends_on, fields.depends_on) and same(rev.labels, fields.branch_labels) then
    return
  end
  fault.raise({
    kind = "script",
    message = "running the file gives another header than its text shows",
    hint = "assign the header fields once, at the top of the file",
    file = rev.file,
  })
end

-- One sandbox a project: modules that revisions require are loaded once.
local function project_box(project)
  if not project.box then
    local options = { path = project.path, print = project.print }
    project.box = require("luamig.sandbox").new(options)
  end
  return project.box
end

-- The text of an applied script is stored in the database, which takes neither.
local function check_bytes(rev)
  if rev.text:sub(1, 1) == "\27" then
    return -- bytecode: refused when it is loaded
  end
  local is_utf8, position = utf8.len(rev.text)
  local nul = rev.text:find("\0", 1, true)
  if is_utf8 and not nul then
    return
  end
  local at = math.min(position or nul, nul or position)
  local byte = rev.text:byte(at)
  fault.raise({
    kind = "script",
    message = byte == 0 and "the file has a NUL byte in it"
      or ("the file is not UTF-8: it has the byte 0x%02x"):format(byte),
    hint = byte > 0 and ("save it as UTF-8, or: iconv -f latin1 -t utf-8 %s"):format(rev.file)
      or nil,
    file = rev.file,
    line = select(2, rev.text:sub(1, at):gsub("\n", "")) + 1,
  })
end

local function compile(rev)
  check_bytes(rev)
  local sandbox = require("luamig.sandbox")
  local box = project_box(rev.project or {})
  local chunk, environment = box:load(rev.text, rev.file, rules)
  local ok, f = pcall(sandbox.call, chunk)
  if not ok then
    error(fault.complete(f, { file = rev.file, revision = rev.id }), 0)
  end
  if rev.id then
    check_types(rev, environment)
    check_same(rev, environment)
  else
    set_header(rev, environment)
  end
  check_functions(rev, environment)
  rawset(rev, "env", environment)
  rawset(rev, "upgrade", rawget(environment, "upgrade"))
  rawset(rev, "downgrade", rawget(environment, "downgrade"))
  rawset(rev, "change", rawget(environment, "change"))
  rawset(rev, "is_compiled", true)
end

-- Fields made when first asked for.
local on_demand = {
  sha256 = function(rev)
    return require("luamig.core.digest").sha256(rev.text)
  end,
  doc = function(rev)
    return title_of_text(rev.text)
  end,
  comment = function(rev)
    return comment_of_text(rev.text)
  end,
}
for _, name in ipairs({ "env", "upgrade", "downgrade", "change" }) do
  on_demand[name] = function(rev)
    if not rawget(rev, "is_compiled") then
      compile(rev)
    end
    return rawget(rev, name)
  end
end

local metatable = {
  __index = function(rev, name)
    local make = on_demand[name]
    if not make then
      return nil
    end
    local value = make(rev)
    rawset(rev, name, value)
    return value
  end,
}

-- Line ends and a byte order mark are the editor's business, not a change of the revision.
local function normalised(text)
  if text:sub(1, 3) == "\xEF\xBB\xBF" then
    text = text:sub(4)
  end
  if text:find("\r", 1, true) then
    text = text:gsub("\r\n?", "\n")
  end
  return text
end

---A revision from its text; `load` and the copy stored in the database both come through here.
---The file is compiled when `upgrade`, `downgrade`, `change` or `env` is first read.
---Raises: graph (header), script (Lua errors).
---@param file string  as users should see it
---@param project? luamig.Config  whose modules the script may require
---@return luamig.Revision
function revision.parse(text, file, project)
  text = normalised(text)
  local rev = setmetatable({ text = text, file = file, project = project }, metatable)
  local fields = header_of_text(text)
  if fields then
    set_header(rev, fields)
  else
    compile(rev)
  end
  return rev
end

---A path as users should see it: from the current directory when it lies below.
---@return string
function revision.shown_path(path, cwd)
  cwd = cwd or lfs.currentdir()
  if cwd and cwd ~= "/" and path:sub(1, #cwd + 1) == cwd .. "/" then
    return path:sub(#cwd + 2)
  end
  return path
end

local function read_file(path, file)
  local text, message, is_large = core_file.read_small(path)
  if is_large then
    local handle
    handle, message = io.open(path, "rb")
    if handle then
      text, message = handle:read("a")
      handle:close()
    end
  end
  if not text then
    fault.raise({
      kind = "graph",
      message = "cannot read the revision file: " .. tostring(message):gsub("^.-: ", ""),
      file = file,
    })
  end
  return text
end

---Loads one revision file. Raises: graph (unreadable, header), script (Lua errors).
---@param path string
---@param project? luamig.Config
---@param cwd? string  the current directory, when the caller knows it
---@return luamig.Revision
function revision.load(path, project, cwd)
  local file = revision.shown_path(path, cwd)
  local rev = revision.parse(read_file(path, file), file, project)
  rev.path = path
  return rev
end

-- Editors leave files behind whose names are no names of revisions: .#001.lua, #001.lua#, 001.lua~
local function is_revision_name(name)
  return name:find("%.lua$") ~= nil and not name:find("^[.#_]")
end

local function list_directory(directory, is_recursive, paths)
  local names = {}
  local ok, iterator, state = pcall(lfs.dir, directory)
  if iterator == "not enough memory" then
    error(iterator, 0)
  elseif not ok then
    fault.raise({
      kind = "config",
      message = ("the versions folder '%s' cannot be read"):format(revision.shown_path(directory)),
      detail = tostring(iterator):gsub("^cannot open [^:]*: ", ""),
      hint = "the key `versions` of the config names it",
      try = ("mkdir %s"):format(revision.shown_path(directory)),
    })
  end
  for name in iterator, state do
    if is_revision_name(name) then
      paths[#paths + 1] = directory .. "/" .. name
    elseif is_recursive and not name:find("^%.") then
      names[#names + 1] = name
    end
  end
  for _, name in ipairs(names) do
    local path = directory .. "/" .. name
    if lfs.attributes(path, "mode") == "directory" then
      list_directory(path, true, paths)
    end
  end
end

---The paths of all revision files of a project, sorted by name.
---@return string[]
function revision.paths(config)
  local paths = {}
  for _, directory in ipairs(config.versions) do
    list_directory(directory, config.recursive, paths)
  end
  table.sort(paths)
  return paths
end

---All revisions of a project, sorted by path. Raises: config (no folder), graph, script.
---@return luamig.Revision[]
function revision.scan(config)
  local cwd = lfs.currentdir()
  local list = {}
  for i, path in ipairs(revision.paths(config)) do
    list[i] = revision.load(path, config, cwd)
  end
  return list
end

---The graph of a project's revisions, and the revisions by their id. Raises: config, graph, script.
function revision.graph(config)
  local list = revision.scan(config)
  local graph = require("luamig.core.graph").new(list)
  local by_id = {}
  for _, rev in ipairs(list) do
    by_id[rev.id] = rev
  end
  return graph, by_id
end

---Compiles the file now, for commands that want to know whether it loads.
---@return luamig.Revision
function revision.compile(rev)
  if not rawget(rev, "is_compiled") then
    compile(rev)
  end
  return rev
end

---Calls upgrade(), downgrade() or change() of a revision. Whatever its script raises comes out as
---a fault that knows the file, the line and the revision.
---@param name "upgrade"|"downgrade"|"change"
function revision.call(rev, name, ...)
  local ok, f = pcall(require("luamig.sandbox").call, rev[name], ...)
  if not ok then
    error(fault.complete(f, { file = rev.file, revision = rev.id }), 0)
  end
end

return revision
