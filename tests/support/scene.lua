--- A project and a database of its own, and the binary at work on them.

local cli = require("support.cli")
local core = require("luamig.core.conn")
local project = require("support.project")
local server = require("support.server")

local scene = {}

local Scene = {}
Scene.__index = Scene

---@param config? string  Lua source of further keys of luamig.lua
---@param database? { url: string, drop: fun(), server_url?: string }  default: one of the specs'
---  server; server_url is the way round a link that the spec breaks
function scene.new(config, database)
  local self = setmetatable({ project = project.new() }, Scene)
  self.database = database or server.database()
  self.url = self.database.url
  self:configure(config)
  assert(require("lfs").mkdir(self.project:path("versions")))
  return self
end

---Writes luamig.lua anew.
---@param config? string  Lua source of further keys
function Scene:configure(config)
  self.project:write("luamig.lua", ("return { url = %q, %s }\n"):format(self.url, config or ""))
end

---A connection to the database, closed with the scene.
function Scene:connect()
  if not self.conn then
    self.conn = core.open({ url = self.database.server_url or self.url,
      application_name = "spec" })
  end
  return self.conn
end

---The first column of a query, as texts with commas between them.
function Scene:list(sql, params)
  local rows = self:connect():exec(sql, params)
  local out = {}
  for i, row in ipairs(rows) do
    out[i] = tostring(row[rows.columns[1]])
  end
  return table.concat(out, ",")
end

---The version rows, "" when there is no version table.
function Scene:rows()
  if self:list("SELECT to_regclass('luamig.version')") == "nil" then
    return ""
  end
  return self:list("SELECT version_num FROM luamig.version ORDER BY 1")
end

---Whether a relation is there.
function Scene:has(name)
  return self:list("SELECT to_regclass($1) IS NOT NULL", { name }) == "true"
end

---A revision file; `up` and `down` are Lua source of the two functions.
---@param id string
---@param parent string|nil
function Scene:revision(id, parent, up, down, header)
  return self.project:write(("versions/%s.lua"):format(id), ([[
--- revision %s
-- Revision ID: %s

revision = "%s"
down_revision = %s
%s

function upgrade()
%s
end

function downgrade()
%s
end
]]):format(id, id, id, parent and ("%q"):format(parent) or "nil", header or "", up or "",
    down or ""))
end

---Revisions of one table each, in a line.
---@param count integer
function Scene:line(count)
  for i = 1, count do
    self:revision(("%03d"):format(i), i > 1 and ("%03d"):format(i - 1) or nil,
      ('  op.execute("CREATE TABLE t%d (id int)")'):format(i),
      ('  op.execute("DROP TABLE t%d")'):format(i))
  end
end

local function options_of(self, options)
  options = options or {}
  options.cwd = options.cwd or self.project.root
  return options
end

local function list_of(words)
  if type(words) == "table" then
    return words
  end
  local list = {}
  for word in words:gmatch("%S+") do
    list[#list + 1] = word
  end
  return list
end

---Runs luamig in the project.
---@param words string|string[]  a string is split at its spaces
function Scene:run(words, options)
  return cli.run(list_of(words), options_of(self, options))
end

---Runs luamig and fails unless it ends well; returns its result.
function Scene:ok(words, options)
  local result = self:run(words, options)
  if result.status ~= 0 then
    error(("exit %d\n%s%s"):format(result.status, result.stdout, result.stderr), 2)
  end
  return result
end

---Starts luamig and goes on.
function Scene:start(words, options)
  return cli.start(list_of(words), options_of(self, options))
end

---Waits until a query gives a true value in its first column.
function Scene:eventually(sql, params)
  return cli.eventually(function()
    local row = self:connect():exec(sql, params)
    return row[1] and row[1][row.columns[1]]
  end, sql)
end

---Waits until a backend other than ours runs something like this.
---@return integer pid
function Scene:running(pattern)
  return self:eventually([[SELECT pid FROM pg_stat_activity WHERE datname = current_database()
    AND pid <> pg_backend_pid() AND state = 'active' AND wait_event IS DISTINCT FROM 'ClientRead'
    AND query LIKE $1 LIMIT 1]], { pattern })
end

---Waits until a COMMIT takes its time: one that sleeps, not one that is seen in passing.
---@return integer pid
function Scene:committing()
  return self:eventually([[SELECT pid FROM pg_stat_activity WHERE datname = current_database()
    AND query LIKE 'COMMIT%' AND wait_event = 'PgSleep' LIMIT 1]])
end

function Scene:close()
  if self.conn then
    self.conn:close()
  end
  self.database.drop()
  self.project:remove()
end

return scene
