--- The project file `luamig.lua`: where it is found, what it may say, what it means when it says
-- nothing, and which database it leads to. Knows nothing of connections.

local config_url = require("luamig.config_url")
local duration = require("luamig.duration")
local fault = require("luamig.fault")
local lfs = require("lfs")

local config = {}

-- Every key: the types it may have, and its default.
local keys = {
  url = { "string" },
  versions = { "string", "strings", default = "versions" },
  recursive = { "boolean", default = false },
  target = { "string" },
  environments = { "table", default = {} },
  protected = { "boolean", default = false },
  version_schema = { "string", default = "luamig" },
  version_table = { "string", default = "version" },
  transaction = { "revision|all", default = "revision" },
  lock_timeout = { "duration", default = "5s" },
  lock_deadline = { "duration", default = "10min" },
  lock_wait = { "duration", default = "60s" },
  statement_timeout = { "duration", default = 0 },
  search_path = { "string", "strings" },
  role = { "string" },
  timezone = { "string", default = "UTC" },
  id = { "sequence|hash|timestamp", default = "sequence" },
  file_template = { "string", default = "{id}_{slug}" },
  template = { "string" },
  naming = { "table", default = {} },
  include = { "table", default = {} },
  hooks = { "table", default = {} },
  lint = { "table", default = {} },
  compat = { "off|warn|error", default = "warn" },
  path = { "string", "strings", default = {} },
}

local hook_names = {
  before_upgrade = true,
  after_upgrade = true,
  before_downgrade = true,
  after_downgrade = true,
  before_revision = true,
  after_revision = true,
  on_error = true,
  after_write = true,
}

local names = { "luamig.lua", "migrations/luamig.lua" }

local function is_file(path)
  return lfs.attributes(path, "mode") == "file"
end

local function absolute(path, directory)
  if path:sub(1, 1) == "/" then
    return path
  end
  path = path:gsub("^%./", "")
  if path == "" or path == "." then
    return directory
  end
  return (directory == "/" and "" or directory) .. "/" .. path
end

---Finds the project file. Raises: config (none there, with the places looked at).
---@param path? string  as given with -c
---@return string path  absolute
---@return string shown  as users should see it
function config.find(path)
  local cwd = lfs.currentdir()
  local origin = path and "-c" or "LUAMIG_CONFIG"
  path = path or os.getenv("LUAMIG_CONFIG")
  if path and path ~= "" then
    if lfs.attributes(path, "mode") == "directory" then
      path = path:gsub("/+$", "") .. "/luamig.lua"
    end
    if is_file(path) then
      return absolute(path, cwd), path
    end
    fault.raise({
      kind = "config",
      message = ("there is no file '%s' (from %s)"):format(path, origin),
    })
  end
  for _, name in ipairs(names) do
    if is_file(name) then
      return absolute(name, cwd), name
    end
  end
  fault.raise({
    kind = "config",
    message = "no luamig.lua here",
    detail = ("looked for ./%s in %s; LUAMIG_CONFIG is not set"):format(
      table.concat(names, " and ./"), cwd),
    try = "luamig init, or name the file with -c FILE",
  })
end

local function line_of(text, name)
  local number = 0
  for line in text:gmatch("([^\n]*)\n?") do
    number = number + 1
    if line:find("%f[%w_]" .. name .. "%s*=") or line:find('%["' .. name .. '"%]%s*=') then
      return number
    end
  end
  return nil
end

local function listing(set)
  local list = {}
  for name in pairs(set) do
    list[#list + 1] = name
  end
  table.sort(list)
  return list
end

local function unknown_raise(source, what, name, known)
  local list = listing(known)
  local near = type(name) == "string" and require("luamig.nearest").of(name, list)
  fault.raise({
    kind = "config",
    message = ("unknown %s '%s'"):format(what, tostring(name)),
    hint = near and ("did you mean '%s'?"):format(near)
      or ("known: %s"):format(table.concat(list, ", ")),
    file = source.file,
    line = type(name) == "string" and line_of(source.text, name) or nil,
  })
end

local function is_strings(value)
  if type(value) ~= "table" then
    return false
  end
  for key, item in pairs(value) do
    if math.type(key) ~= "integer" or type(item) ~= "string" then
      return false
    end
  end
  return true
end

config.milliseconds = duration.milliseconds

local function is_of(kind, value)
  if kind == "strings" then
    return is_strings(value)
  elseif kind == "duration" then
    return config.milliseconds(value) ~= nil
  elseif kind:find("|", 1, true) then
    return type(value) == "string"
      and ("|" .. kind .. "|"):find("|" .. value .. "|", 1, true) ~= nil
  end
  return type(value) == kind
end

local words = {
  string = "a string",
  strings = "a list of strings",
  boolean = "true or false",
  table = "a table",
  duration = 'a duration such as "5s" or "10min" (or milliseconds as a number)',
}

local function expectation(kinds)
  local list = {}
  for i, kind in ipairs(kinds) do
    list[i] = words[kind] or '"' .. kind:gsub("|", '" or "') .. '"'
  end
  return table.concat(list, " or ")
end

local function shown(value)
  if type(value) == "string" then
    return '"' .. value .. '"'
  elseif type(value) == "table" or type(value) == "function" then
    return "a " .. type(value)
  end
  return type(value) .. " " .. tostring(value)
end

local function check_value(source, name, value)
  for _, kind in ipairs(keys[name]) do
    if is_of(kind, value) then
      return
    end
  end
  local found = name == "url" and "a " .. type(value) or shown(value)
  fault.raise({
    kind = "config",
    message = ("%s must be %s, but it is %s"):format(name, expectation(keys[name]), found),
    file = source.file,
    line = line_of(source.text, name),
  })
end

local function check_hooks(source, hooks)
  for name, hook in pairs(hooks) do
    if not hook_names[name] then
      unknown_raise(source, "hook", name, hook_names)
    elseif type(hook) ~= "function" then
      fault.raise({
        kind = "config",
        message = ("hooks.%s must be a function, but it is %s"):format(name, shown(hook)),
        file = source.file,
        line = line_of(source.text, name),
      })
    end
  end
end

local function check_rules(source, values)
  local message, hint, key = require("luamig.config_rules").defect(values)
  if message then
    fault.raise({
      kind = "config",
      message = message,
      hint = hint,
      file = source.file,
      line = key and line_of(source.text, key) or nil,
    })
  end
end

local function check_keys(source, values, is_environment)
  for name, value in pairs(values) do
    if not keys[name] then
      unknown_raise(source, "key", name, keys)
    elseif is_environment and name == "environments" then
      fault.raise({
        kind = "config",
        message = "an environment cannot hold environments",
        file = source.file,
      })
    end
    check_value(source, name, value)
  end
  check_hooks(source, values.hooks or {})
  check_rules(source, values)
  for name, value in pairs(values.environments or {}) do
    if type(value) ~= "table" then
      fault.raise({
        kind = "config",
        message = ("environments.%s must be a table, but it is %s"):format(name, shown(value)),
        file = source.file,
        line = line_of(source.text, tostring(name)),
      })
    end
    check_keys(source, value, true)
  end
end

local rules = {
  globals = {},
  stray = "'%s' is a global: make it local, or a key of the table the file returns",
}

-- The project file configures; unlike a revision it may run programs, to fetch a password say.
local function environment_of(source)
  local library = setmetatable({}, { __index = _G })
  return setmetatable({}, {
    __index = function(_, name)
      local value = library[name]
      if value == nil then
        local near = require("luamig.nearest").of(tostring(name), listing(_G))
        fault.raise({
          kind = "config",
          message = ("there is no global '%s'"):format(tostring(name)),
          hint = near and ("did you mean '%s'?"):format(near) or nil,
          file = source.file,
          line = debug.getinfo(2, "l").currentline,
        })
      end
      return value
    end,
    __newindex = function(_, name)
      fault.raise({
        kind = "config",
        message = rules.stray:format(tostring(name)),
        file = source.file,
        line = debug.getinfo(2, "l").currentline,
      })
    end,
  })
end

local function script_raise(source, message)
  local line, what = tostring(message):match(":(%d+): (.*)$")
  fault.raise({
    kind = message == "not enough memory" and "memory" or "config",
    message = what or tostring(message),
    file = source.file,
    line = math.tointeger(tonumber(line)),
  })
end

local function run(source)
  local chunk, message = load(source.text, "@" .. source.file, "t", environment_of(source))
  if not chunk then
    script_raise(source, message)
  end
  local ok, values = pcall(chunk)
  if not ok then
    if fault.is(values) then
      error(values, 0)
    end
    script_raise(source, values)
  elseif type(values) ~= "table" then
    fault.raise({
      kind = "config",
      message = ("the file must return a table, but it returns %s"):format(
        values == nil and "nothing" or shown(values)),
      hint = "the shape is: return { url = \"…\", versions = \"versions\" }",
      file = source.file,
    })
  end
  return values
end

local function read(path, file)
  local handle, message = io.open(path, "rb")
  local text = handle and handle:read("a")
  if handle then
    handle:close()
  end
  if not text then
    fault.raise({ kind = "config", message = "cannot be read: " .. tostring(message), file = file })
  end
  return (text:gsub("^\xEF\xBB\xBF", ""))
end

local function select_environment(source, values, name)
  local environments = values.environments or {}
  local chosen = environments[name]
  if not chosen then
    if not next(environments) then
      fault.raise({
        kind = "config",
        message = ("there is no environment '%s': the file has none"):format(name),
        hint = ("add environments = { %s = { url = … } }"):format(name),
        file = source.file,
      })
    end
    unknown_raise(source, "environment", name, environments)
  end
  return chosen
end

local function as_list(value)
  return type(value) == "string" and { value } or value
end

local function resolve_paths(cfg)
  local function each(list)
    local out = {}
    for i, path in ipairs(as_list(list)) do
      out[i] = absolute(path, cfg.dir):gsub("(.)/+$", "%1")
    end
    return out
  end
  cfg.versions = each(cfg.versions)
  cfg.path = each(cfg.path)
  cfg.path[#cfg.path + 1] = cfg.dir
  if cfg.template then
    cfg.template = absolute(cfg.template, cfg.dir)
  end
  if cfg.target and not cfg.target:find("^%a[%w+.-]*://") and cfg.target ~= "embedded" then
    cfg.target = absolute(cfg.target, cfg.dir)
  end
end

local function first_of(a, b, default)
  if a ~= nil then
    return a
  elseif b ~= nil then
    return b
  end
  return type(default) == "table" and {} or default
end

-- os.getenv("…") or "" is as good as nothing.
local function given(url)
  return url ~= "" and url or nil
end

---A config from the values of a project file: defaults filled in, paths made absolute.
local function build(source, values, name)
  local chosen = name and select_environment(source, values, name) or {}
  local dir = source.path:match("^(.*)/[^/]*$")
  local cfg = { file = source.file, environment = name, dir = dir == "" and "/" or dir }
  for key, spec in pairs(keys) do
    cfg[key] = first_of(chosen[key], values[key], spec.default)
  end
  cfg.url = given(chosen.url) or given(values.url)
  if given(chosen.url) then
    cfg.url_origin = ("environment '%s' of %s"):format(name, source.file)
  else
    cfg.url_origin = source.file
    cfg.is_url_missing = chosen.protected
  end
  resolve_paths(cfg)
  return cfg
end

---Reads the project file. Raises: config (not found, Lua error, unknown key or environment, type).
---@param options? { config?: string, env?: string }
---@return luamig.Config
function config.load(options)
  options = options or {}
  local path, file = config.find(options.config)
  local source = { path = path, file = file, text = read(path, file) }
  local values = run(source)
  check_keys(source, values, false)
  return build(source, values, options.env)
end

---A config that says nothing, for commands that can do without a project: every default, and the
---current folder.
---@return luamig.Config
function config.plain()
  return build({ path = lfs.currentdir() .. "/luamig.lua", file = "luamig.lua" }, {})
end

config.url = config_url.url
config.redacted = config_url.redacted

return config
