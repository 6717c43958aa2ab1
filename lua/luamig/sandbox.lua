--- The world a project's scripts live in: Lua's library without what escapes from it, a strict
-- environment for each file, and errors that name the script's own lines.

local fault = require("luamig.fault")

local sandbox = {}

-- Chunk names of all scripts, so that a frame of a script is told from one of luamig.
local sources = {}

-- debug.getinfo walks down to its level: looking at all of an overflown stack would take minutes.
local LEVELS_AT_MOST <const> = 200
local FRAMES_AT_MOST <const> = 12

local missing = {
  debug = "the debug library is not available in a script",
  package = "package is not available in a script: set `path` in luamig.lua",
  collectgarbage = "collectgarbage is not available in a script",
}

---@param source string  as debug.getinfo gives it: "@versions/001_first.lua"
---@return boolean
function sandbox.is_script(source)
  return sources[source] == true
end

local function frame_text(info)
  local what = info.what == "main" and "main chunk" or info.name or "function"
  return ("%s:%d  %s"):format(info.source:sub(2), info.currentline, what)
end

---The innermost frame of a script on the stack of the caller, and the nearest of them as text.
---@param level integer  1 = the caller of this function
---@return string|nil file, integer|nil line, string[] frames
function sandbox.place(level)
  local file, line
  local frames = {}
  for at = level + 1, level + LEVELS_AT_MOST do
    local info = debug.getinfo(at, "Sln")
    if not info then
      break
    elseif sources[info.source] and info.currentline > 0 then
      file, line = file or info.source:sub(2), line or info.currentline
      if #frames == FRAMES_AT_MOST then
        frames[#frames + 1] = "…"
        break
      end
      frames[#frames + 1] = frame_text(info)
    end
  end
  return file, line, frames
end

local function nearest(name, names)
  return require("luamig.nearest").of(name, names)
end

local function keys(...)
  local list = {}
  for _, from in ipairs({ ... }) do
    for key in pairs(from) do
      list[#list + 1] = key
    end
  end
  return list
end

local function suggestion(name, ...)
  local near = nearest(name, keys(...))
  return near and ("did you mean '%s'?"):format(near) or nil
end

-- A copy, so that a script cannot change the library under luamig's feet.
local function library(name, without)
  local copy = {}
  for key, value in pairs(_G[name]) do
    copy[key] = value
  end
  for key, reason in pairs(without or {}) do
    copy[key] = nil
    assert(reason)
  end
  return setmetatable(copy, {
    __index = function(_, key)
      local full = name .. "." .. tostring(key)
      if without and without[key] then
        fault.raise({ kind = "script", message = full .. " is not available in a script" })
      end
      local hint = type(key) == "string" and suggestion(key, _G[name], {}) or nil
      fault.raise({ kind = "script", message = ("there is no '%s'"):format(full), hint = hint })
    end,
  })
end

local plain = {
  "assert", "error", "getmetatable", "ipairs", "next", "pairs", "pcall", "rawequal", "rawget",
  "rawlen", "rawset", "select", "setmetatable", "tonumber", "tostring", "type", "warn", "xpcall",
  "_VERSION",
}

local shared = { ["luamig.op"] = true, cjson = true }

---What a chunk may assign and how its strictness explains itself.
---@class luamig.sandbox.Rules
---@field globals table<string, true>  names the chunk may assign (a header); nil when unset
---@field stray string                 message for any other assignment, %s = the name

local module_rules = {
  globals = {},
  stray = "'%s' is a global: make it local, or a field of the table the module returns",
}

local Box = {}
Box.__index = Box

---The world of one project.
---@param options { path?: string[], print?: fun(...), read_only?: boolean }
function sandbox.new(options)
  local box = setmetatable({}, Box)
  box.path = options.path or {}
  box.modules = {}
  box.metatables = {}
  local base = {}
  for _, name in ipairs(plain) do
    base[name] = _G[name]
  end
  base.coroutine = library("coroutine")
  base.math = library("math")
  base.string = library("string")
  base.table = library("table")
  base.utf8 = library("utf8")
  base.os = library("os", { execute = true, exit = true })
  base.io = library("io", { popen = true })
  base.print = options.print or print
  base.require = function(name)
    return box:require(name)
  end
  base.load = function(chunk, name, _, environment)
    return load(chunk, name, "t", environment or box:environment(module_rules))
  end
  base.loadfile = function(path, _, environment)
    return loadfile(path, "t", environment or box:environment(module_rules))
  end
  base.dofile = function(path)
    return assert(base.loadfile(path))()
  end
  box.base = base
  return box
end

local function stray_raise(rules, name)
  local file, line = sandbox.place(3)
  fault.raise({
    kind = "script",
    message = rules.stray:format(name),
    hint = type(name) == "string" and suggestion(name, rules.globals) or nil,
    file = file,
    line = line,
  })
end

local function unknown_raise(box, rules, name)
  local file, line = sandbox.place(3)
  fault.raise({
    kind = "script",
    message = missing[name] or ("there is no global '%s'"):format(tostring(name)),
    hint = not missing[name] and type(name) == "string"
      and suggestion(name, box.base, rules.globals, { op = true }) or nil,
    file = file,
    line = line,
  })
end

---A new environment under the given rules; all of one rule set share one metatable.
---@param rules luamig.sandbox.Rules
function Box:environment(rules)
  local metatable = self.metatables[rules]
  if not metatable then
    local box, base, globals = self, self.base, rules.globals
    metatable = {
      __index = function(environment, name)
        local value = base[name]
        if value ~= nil then
          return value
        elseif name == "op" then
          return require("luamig.op")
        elseif name == "_G" then
          return environment
        elseif globals[name] then
          return nil
        end
        return unknown_raise(box, rules, name)
      end,
      __newindex = function(environment, name, value)
        if not globals[name] then
          stray_raise(rules, name)
        end
        rawset(environment, name, value)
      end,
    }
    self.metatables[rules] = metatable
  end
  return setmetatable({}, metatable)
end

local function kind_of(message)
  return message == "not enough memory" and "memory" or "script"
end

---Compiles the text of a script, without running it. Raises: script (syntax, bytecode).
---@param file string  as users should see it
---@return function chunk, table environment
function Box:load(text, file, rules)
  if text:sub(1, 1) == "\27" then
    fault.raise({
      kind = "script",
      message = "the file is Lua bytecode; only source text is loaded",
      file = file,
    })
  end
  local environment = self:environment(rules)
  local source = "@" .. file
  local chunk, message = load(text, source, "t", environment)
  if not chunk then
    local line, what = message:match(":(%d+): (.*)$")
    fault.raise({
      kind = kind_of(message),
      message = what or message,
      hint = message:find("unfinished string near", 1, true)
        and "a text of several lines stands in [[ and ]]" or nil,
      file = file,
      line = math.tointeger(tonumber(line)),
    })
  end
  sources[source] = true
  return chunk, environment
end

local function read(path)
  local handle = io.open(path, "rb")
  local text = handle and handle:read("a")
  if handle then
    handle:close()
  end
  return text
end

---The project's own `require`: text files below the folders of `path`, each loaded once.
function Box:require(name)
  if type(name) ~= "string" then
    error("require: a module name is a string", 2)
  elseif shared[name] then
    return require(name)
  elseif self.modules[name] ~= nil then
    return self.modules[name]
  end
  local looked = {}
  local relative = name:gsub("%.", "/")
  for _, directory in ipairs(self.path) do
    for _, ending in ipairs({ ".lua", "/init.lua" }) do
      local path = directory .. "/" .. relative .. ending
      local text = read(path)
      if text then
        local chunk = self:load(text, path, module_rules)
        local value = chunk(name)
        self.modules[name] = value == nil and true or value
        return self.modules[name]
      end
      looked[#looked + 1] = path
    end
  end
  local file, line = sandbox.place(2)
  fault.raise({
    kind = "script",
    message = ("module '%s' not found"):format(name),
    detail = "looked for " .. table.concat(looked, ", "),
    hint = "folders are added with `path` in luamig.lua",
    file = file,
    line = line,
  })
end

-- Lua puts "short_src:line:" in front of the message of error() and of its own errors.
local function bare_message(message)
  local at, rest = message:match("^([^\n]-:%d+): (.*)$")
  if at and (sources["@" .. at:match("^(.*):%d+$")] or at:sub(1, 3) == "...") then
    return rest
  end
  return message
end

local function text_of_error(value)
  if type(value) == "string" then
    return bare_message(value)
  end
  local metatable = getmetatable(value)
  if type(metatable) == "table" and metatable.__tostring then
    return tostring(value)
  end
  return ("error with a %s instead of a text"):format(type(value))
end

---Turns any Lua error value into a fault that names the script's line. For xpcall.
function sandbox.explain(value)
  local file, line, frames = sandbox.place(2)
  if fault.is(value) then
    return fault.complete(value, { file = file, line = value.file == nil and line or nil })
  end
  local message = text_of_error(value)
  return fault.new({
    kind = kind_of(message),
    message = message,
    file = file,
    line = line,
    context = #frames > 1 and table.concat(frames, "\n") or nil,
  })
end

local function outcome(ok, ...)
  if ok then
    return ...
  end
  local f = (...)
  if not fault.is(f) then -- out of memory, or the stack was too full to explain
    local message = tostring(f)
    f = fault.new({ kind = kind_of(message), message = message })
  end
  error(f, 0)
end

---Calls a function of a script; whatever goes wrong is raised as a fault.
function sandbox.call(fn, ...)
  return outcome(xpcall(fn, sandbox.explain, ...))
end

return sandbox
