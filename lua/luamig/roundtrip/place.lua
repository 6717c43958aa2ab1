--- Where round trips are made: scratch databases, and the roles that revisions speak of.

local quote = require("luamig.quote")
local scratch = require("luamig.scratch")

local place = {}

local Place = {}
Place.__index = Place

-- On a throwaway server nobody but postgres is there; the databases are the project's role's.
local function open(self)
  local is_throwaway = not self.url
  self.scratch = scratch.open({
    report = self.report, url = self.url, option = "--url",
    role = is_throwaway and self.owner or nil,
  })
  self.admin = self.scratch.admin
  for _, name in ipairs(is_throwaway and self.wanted_roles or {}) do
    self.admin:exec("CREATE ROLE " .. quote.ident(name))
  end
  self.first_roles = self:roles()
end

---Opens a place. Raises: connection, server, config.
---@param options { url?: string, roles: string[], owner?: string, report: table }
---  url: of a server; without it a throwaway one is started. roles: made on the throwaway one;
---  owner: one of them, whose the databases there are
---@return table place  close() it, whatever happens
function place.open(options)
  local self = setmetatable({
    report = options.report, url = options.url, owner = options.owner,
    wanted_roles = options.roles,
  }, Place)
  local ok, f = pcall(open, self)
  if not ok then
    self:close()
    error(f, 0)
  end
  return self
end

---Starts another throwaway server in the place of the one that there was; all databases are gone.
function Place:renew()
  self.scratch:close()
  open(self)
end

---@return boolean
function Place:is_throwaway()
  return self.scratch:is_throwaway()
end

---@return integer  150018
function Place:server_version()
  return self.admin:info().server_version
end

---Makes an empty database. Raises: server, connection, interrupted.
---@return luamig.scratch.Database
function Place:create()
  return self.scratch:create()
end

---Makes a copy of one of our databases; nobody may be connected to that.
---@param database luamig.scratch.Database
---@return luamig.scratch.Database
function Place:clone(database)
  return self.scratch:clone(database)
end

---@param database luamig.scratch.Database
function Place:drop(database)
  self.scratch:drop(database)
end

---The roles of the server, as a set.
---@return table<string, true>
function Place:roles()
  local set = {}
  for _, row in ipairs(self.admin:exec("SELECT rolname AS name FROM pg_catalog.pg_roles")) do
    set[row.name] = true
  end
  return set
end

---Drops roles that scripts have made, for they are no part of a database. On a throwaway server
---only: on another one they may be somebody's.
---@param kept table<string, true>
function Place:drop_roles_but(kept)
  if not self:is_throwaway() then
    return
  end
  for name in pairs(self:roles()) do
    if not kept[name] then
      pcall(self.admin.exec, self.admin, "DROP ROLE " .. quote.ident(name))
    end
  end
end

---Drops what was made. Never raises.
function Place:close()
  if self.scratch then
    self.scratch:close()
  end
end

return place
