-- Writes one C file with every Lua module and the table of bindings. The modules are compiled here,
-- with their lines and names for tracebacks: compiling them at every start would be a quarter of
-- what a short command costs.
-- Usage: lua5.4 embed.lua OUTPUT SOURCE_DIR ARGPARSE_LUA FILE...
-- lua/a/b.lua becomes module "a.b" with chunk name "@a/b.lua"; runtime/lib_x.c must define
-- luaopen_luamig_core_x and becomes module "luamig.core.x".
local output, source_dir, argparse = arg[1], arg[2], arg[3]

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local function bytes(text)
  local lines = {}
  for start = 1, #text, 16384 do
    lines[#lines + 1] = text:sub(start, start + 16383):gsub(".", function(c)
      return c:byte() .. ","
    end) .. "\n"
  end
  return table.concat(lines)
end

local modules = { { name = "argparse", chunk = "@argparse.lua", path = argparse } }
local bindings = {}
for i = 4, #arg do
  local path = arg[i]
  local module = path:match("^" .. source_dir:gsub("%p", "%%%0") .. "/lua/(.+)%.lua$")
  local binding = path:match("/runtime/lib_([%w_]+)%.c$")
  if module then
    local name = module:gsub("/", ".")
    modules[#modules + 1] = { name = name, chunk = "@" .. module .. ".lua", path = path }
  elseif binding and read(path):find("luaopen_luamig_core_" .. binding .. "%(") then
    bindings[#bindings + 1] = binding
  end
end

local out = { '#include "embedded.h"\n' }
for i, module in ipairs(modules) do
  module.text = string.dump(assert(load(read(module.path), module.chunk, "t")))
  local text = bytes(module.text)
  out[#out + 1] = ("static const unsigned char code_%d[] = {%s0};\n"):format(i, text)
end
out[#out + 1] = "const struct embedded_module embedded_modules[] = {\n"
for i, module in ipairs(modules) do
  out[#out + 1] = ('    {"%s", "%s", (const char *)code_%d, %d},\n')
    :format(module.name, module.chunk, i, #module.text)
end
out[#out + 1] = "    {NULL, NULL, NULL, 0}};\n"
for _, binding in ipairs(bindings) do
  out[#out + 1] = ("int luaopen_luamig_core_%s(lua_State *L);\n"):format(binding)
end
out[#out + 1] = "const struct embedded_binding embedded_bindings[] = {\n"
for _, binding in ipairs(bindings) do
  out[#out + 1] = ('    {"luamig.core.%s", luaopen_luamig_core_%s},\n'):format(binding, binding)
end
out[#out + 1] = "    {NULL, NULL}};\n"

local file = assert(io.open(output, "wb"))
file:write(table.concat(out))
file:close()
