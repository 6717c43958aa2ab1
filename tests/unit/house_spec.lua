-- The house: which file may use which. A file that the tables below do not know fails too, so that
-- whoever adds one decides where it belongs.

local lfs = require("lfs")

-- From the ground up: a module uses its own layer and those below it. "x.*" is a folder.
local layers <const> = {
  {
    name = "ground", what = "values, texts and faults; no SQL, no files of the project",
    modules = [[fault value nearest json origin textdiff excerpt slug moment duration client]],
  },
  {
    name = "words", what = "pure: what operations are called and how they are written as SQL",
    modules = [[quote types clause naming shape call operations description role placement rename
      routine undo index constraint constraint_kinds column partition table_definition literal
      source journal batch_spec batch_script meta op_help ddl.*]],
  },
  {
    name = "operations", what = "op, who takes its statements, and what is read and compared",
    modules = [[op sandbox executor.* snapshot snapshot.* diff diff.* generate generate.*]],
  },
  {
    name = "project", what = "one thing of the project or of the database: config, a revision, "
      .. "the connection, the version rows",
    modules = [[config config_rules config_url revision change script hooks editor ids files
      prefill database state wire inquiry verdict lookalike backup]],
  },
  {
    name = "work", what = "what a command does, from beginning to end",
    modules = [[session migration migrate runner offline confirm draft template scaffold rebase
      entry command_line comparison desired drift rehearsal renames schema_file scratch
      roundtrip roundtrip.* backfill backfill.* autogenerate squash plan plan.* lint
      lint.* trace trace.* rig sample_rows]],
  },
  {
    name = "surface", what = "the command line: words in, lines out",
    modules = [[report arguments commands help topics completion]],
  },
  { name = "commands", what = "one command each", modules = "commands.*" },
  { name = "entry", what = "main()", modules = "cli" },
}

-- C units, by the beginning of the file name, and whose headers they may include besides their own.
-- The bindings (lib_*) see everything; nobody else sees Lua.
local units <const> = {
  fault = "",
  title = "",
  array_text = "",
  interrupt = "",
  clock = "interrupt",
  tick = "",
  file = "fault",
  template = "fault",
  sql = "fault",
  graph = "fault",
  version = "fault template",
  conn = "fault clock interrupt",
  txn = "fault clock conn",
  server = "fault clock interrupt",
  batch = "fault clock interrupt conn txn version template array_text",
  pool = "fault clock interrupt conn txn version template array_text batch",
  embedded = "",
  host = "embedded title",
  main = "host interrupt server",
}

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

local function files_below(folder, pattern, list)
  list = list or {}
  for name in lfs.dir(folder) do
    local path = folder .. "/" .. name
    if name:sub(1, 1) ~= "." and lfs.attributes(path, "mode") == "directory" then
      files_below(path, pattern, list)
    elseif name:find(pattern) then
      list[#list + 1] = path
    end
  end
  table.sort(list)
  return list
end

-- Without comments; a text that holds "--" loses its end, which no rule here looks at.
local function lua_code(path)
  return (read(path):gsub("%-%-%[%[.-%]%]", ""):gsub("%-%-[^\n]*", ""))
end

local function c_code(path)
  return (read(path):gsub("//[^\n]*", ""))
end

local function module_of(path)
  return (path:match("^lua/luamig/(.*)%.lua$"):gsub("/", "."))
end

local rank_of = {}
for rank, layer in ipairs(layers) do
  for name in layer.modules:gmatch("%S+") do
    rank_of[name] = rank
  end
end

-- The layer of a module, or of all that begin with a name that ends with a dot.
local function rank(module)
  return rank_of[module] or rank_of[module:match("^(.-)%.") and module:match("^(.-)%.") .. ".*"]
end

local function where_to_put()
  local lines = { "add it to one of the layers of tests/unit/house_spec.lua, from the ground up:" }
  for _, layer in ipairs(layers) do
    lines[#lines + 1] = ("  %-10s  %s"):format(layer.name, layer.what)
  end
  return table.concat(lines, "\n")
end

local function requires_of(path)
  local list = {}
  for name in lua_code(path):gmatch('require[%s(]*"luamig%.([%w_.]+)"') do
    if not name:find("^core%.") then
      list[#list + 1] = name
    end
  end
  return list
end

local function fail_with(list)
  assert(#list == 0, "\n" .. table.concat(list, "\n"))
end

it("no file of the program has 500 lines", function()
  local defects = {}
  for _, pair in ipairs({ { "lua", "%.lua$" }, { "runtime", "%.[ch]$" } }) do
    for _, path in ipairs(files_below(pair[1], pair[2])) do
      local count = select(2, read(path):gsub("\n", ""))
      if count >= 500 then
        defects[#defects + 1] = ("%s has %d lines: it holds a second subject"):format(path, count)
      end
    end
  end
  fail_with(defects)
end)

describe("the Lua modules", function()
  local paths = files_below("lua/luamig", "%.lua$")

  it("have a layer each", function()
    local wrong = {}
    for _, path in ipairs(paths) do
      if not rank(module_of(path)) then
        wrong[#wrong + 1] = ("%s is in no layer; %s"):format(path, where_to_put())
      end
    end
    fail_with(wrong)
  end)

  it("use their own layer and those below", function()
    local wrong = {}
    for _, path in ipairs(paths) do
      local own = rank(module_of(path)) or #layers
      for _, name in ipairs(requires_of(path)) do
        local other = rank(name) or 0
        if other > own then
          wrong[#wrong + 1] = ("%s (%s) uses luamig.%s (%s), which is above it"):format(path,
            layers[own].name, name, layers[other].name)
        end
      end
    end
    fail_with(wrong)
  end)

  it("do not use each other in a circle", function()
    local uses, state, wrong = {}, {}, {}
    for _, path in ipairs(paths) do
      uses[module_of(path)] = requires_of(path)
    end
    local function visit(name, trail)
      if state[name] == "open" then
        wrong[#wrong + 1] = "circle: " .. table.concat(trail, " -> ") .. " -> " .. name
      elseif not state[name] and uses[name] then
        state[name] = "open"
        trail[#trail + 1] = name
        for _, other in ipairs(uses[name]) do
          visit(other, trail)
        end
        trail[#trail] = nil
        state[name] = "done"
      end
    end
    for _, path in ipairs(paths) do
      visit(module_of(path), {})
    end
    fail_with(wrong)
  end)

  it("of the lower layers know neither connections nor servers", function()
    local wrong = {}
    for _, path in ipairs(paths) do
      if (rank(module_of(path)) or #layers) <= 2 then
        for _, name in ipairs({ "conn", "txn", "server", "version", "process", "file", "batch" }) do
          if lua_code(path):find('"luamig.core.' .. name .. '"', 1, true) then
            wrong[#wrong + 1] = ("%s uses luamig.core.%s"):format(path, name)
          end
        end
      end
    end
    fail_with(wrong)
  end)

  it("print in report only", function()
    local wrong = {}
    for _, path in ipairs(paths) do
      local code = lua_code(path):gsub("io%.stdout:flush%(%)", "")
      for _, pattern in ipairs({ "%f[%w_.]print%s*%(", "io%.write", "io%.std", "io%.read",
        "io%.output" }) do
        if path ~= "lua/luamig/report.lua" and code:find(pattern) then
          wrong[#wrong + 1] = ("%s prints or asks (%s); that is report's alone"):format(path,
            code:match(pattern .. "[^\n]*"))
        end
      end
    end
    fail_with(wrong)
  end)
end)

describe("the C units", function()
  local paths = files_below("runtime", "%.[ch]$")

  local function unit_of(file)
    local best
    for name in pairs(units) do
      local is_own = file == name or file:find("^" .. name .. "_")
      if is_own and (not best or #name > #best) then
        best = name
      end
    end
    return file:find("^lib_") and "lib" or best
  end

  local function name_of(path)
    return (path:match("([^/]+)%.[ch]$"))
  end

  local function includes_of(path)
    local own, system = {}, {}
    for kind, name in c_code(path):gmatch('#include ([<"])([^>"]+)[>"]') do
      local list = kind == '"' and own or system
      list[#list + 1] = name
    end
    return own, system
  end

  it("are known", function()
    local wrong = {}
    for _, path in ipairs(paths) do
      if not unit_of(name_of(path)) then
        wrong[#wrong + 1] = path .. " is of no unit; add it to `units` in tests/unit/house_spec.lua"
          .. ", with the units that it may use"
      end
    end
    fail_with(wrong)
  end)

  it("use the units they may", function()
    local wrong = {}
    for _, path in ipairs(paths) do
      local unit = unit_of(name_of(path))
      local may = " " .. (units[unit] or "") .. " "
      for _, header in ipairs((includes_of(path))) do
        local other = unit_of((header:gsub("%.h$", "")))
        if unit ~= "lib" and other ~= unit
          and not may:find(" " .. tostring(other) .. " ", 1, true) then
          wrong[#wrong + 1] = ("%s includes %s: %s may use%s and no other"):format(path, header,
            unit, may == "  " and " nothing" or may)
        end
      end
    end
    fail_with(wrong)
  end)

  -- Whose system header belongs to whom.
  local owners <const> = {
    ["libpq-fe.h"] = "^conn", ["pg_query.h"] = "^sql", ["sha2.h"] = "^lib_digest$",
    ["lua.h"] = "^lib_", ["lauxlib.h"] = "^lib_", ["lualib.h"] = "^host$", ["lfs.h"] = "^host$",
    ["lua-cjson.h"] = "^host$",
  }

  it("leave libpq to conn and Lua to the bindings", function()
    local wrong = {}
    for _, path in ipairs(paths) do
      local _, system = includes_of(path)
      local name = name_of(path)
      for _, header in ipairs(system) do
        local owner = owners[header]
        local is_host = header:find("^l.*%.h$") and (name == "host" or name == "embedded")
        if owner and not name:find(owner) and not is_host then
          wrong[#wrong + 1] = ("%s includes %s"):format(path, header)
        end
      end
      if not name:find("^conn") and c_code(path):find("%f[%w_]PQ%l+%u?%w*%s*%(") then
        wrong[#wrong + 1] = ("%s calls %s"):format(path, c_code(path):match("PQ%l+%u?%w*"))
      end
    end
    fail_with(wrong)
  end)

  it("write to the standard streams only where there is no Lua to do it", function()
    local may = { host = true, main = true, interrupt = true, server_supervise = true,
      server_child = true, server_launch = true }
    local wrong = {}
    for _, path in ipairs(paths) do
      local code = c_code(path)
      if not may[name_of(path)] and (code:find("%f[%w_]printf%s*%(") or code:find("stderr", 1, true)
        or code:find("%f[%w_]puts%s*%(")) then
        wrong[#wrong + 1] = path .. " prints"
      end
    end
    fail_with(wrong)
  end)
end)
