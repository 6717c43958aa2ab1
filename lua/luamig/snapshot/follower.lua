--- Follows one database: reads it whole once, then only what has changed, and knows when it cannot.

local attempt = require("luamig.snapshot.attempt")
local builder = require("luamig.snapshot.builder")
local changes = require("luamig.snapshot.changes")
local compare = require("luamig.snapshot.compare")
local look = require("luamig.snapshot.look")
local reader = require("luamig.snapshot.reader")
local scope = require("luamig.snapshot.scope")
local versions = require("luamig.snapshot.versions")
local visit = require("luamig.snapshot.visit")
local writes = require("luamig.snapshot.writes")

local follower = {}

local Follower = {}
Follower.__index = Follower

local MOST_YOUNG = 16
local MOST_TRANSACTIONS = 1 << 30 -- a row's xmin has 32 bits

---@param options table  of the reader
---@param given table  those that the caller gave
function follower.new(options, given)
  return setmetatable({ options = options, given = given, young = {} }, Follower)
end

local function same_list(a, b)
  return table.concat(a or { "\0" }, "\0") == table.concat(b or { "\0" }, "\0")
end

---Whether the options are those that it was made with.
---@return boolean
function Follower:suits(options)
  local given = self.given
  return given.include == options.include and same_list(given.schemas, options.schemas)
    and same_list(given.ignore, options.ignore)
end

-- The database that a connection is to, and what its server has.
local function learn(self, conn)
  local server_version = conn:info().server_version
  self.server_version, self.backend = server_version, conn:info().pid
  self.database = conn:exec(changes.database_sql)[1].oid
  self.names, self.oids, self.unknown = {}, {}, nil
  for _, row in ipairs(conn:exec(changes.catalogs_sql)) do
    local role = changes.roles[row.name]
    self.unknown = self.unknown or not role and row.name or nil
    self.names[row.oid] = row.name
    if role == "followed" or role == "watched" or row.name == "pg_attrdef" then
      self.oids[#self.oids + 1] = row.oid
    end
  end
  self.queries = changes.queries(scope.new(self.options, server_version))
end

local function settle(self, closing)
  self.moment, self.totals, self.is_broken = closing.moment, closing.totals, false
end

-- Reading all ----------------------------------------------------------------------------------

local function all_queries(self, closing)
  local list = { table.unpack(reader.queries(self.options, self.server_version)) }
  for _, entry in ipairs(self.queries.followed) do
    list[#list + 1] = entry.total or nil
  end
  local none_is_fresh = { n = 1 }
  list[#list + 1] = { sql = self.queries.watched, params = none_is_fresh }
  list[#list + 1] = { sql = self.queries.contents, params = none_is_fresh }
  list[#list + 1] = closing.query
  return list
end

local function take_all(self, rows, closing)
  local build = builder.new(self.options, self.server_version)
  reader.take_all(rows, build)
  self.outside = {}
  for _, entry in ipairs(self.queries.followed) do
    if entry.counted then
      self.outside[entry.counted] = rows()[1].total - (build.known[entry.counted] or 0)
    end
  end
  self.watched, self.contents = rows()[1].state, rows()[1].state
  closing.take(rows())
  settle(self, closing)
  return build
end

-- What is alike in two states becomes the same tables.
local function share(log, state)
  for name, undo in pairs(log) do
    local map = state[name]
    for key, old in pairs(undo) do
      local new = map[key]
      if (old or nil) == new then
        undo[key] = nil
      elseif old and new and compare.same_object(old, new) then
        map[key], undo[key] = old, nil
      end
    end
  end
end

local function everything_changed(before, after)
  local log = { objects = {}, depends = {} }
  for name, undo in pairs(log) do
    for key, item in pairs(before[name]) do
      undo[key] = item
    end
    for key in pairs(after[name]) do
      undo[key] = undo[key] or false
    end
  end
  return log
end

-- The value of a state that has changed as the log says.
local function newest_value(self, log, is_other)
  share(log, self.build.value)
  if is_other or next(log.objects) or next(log.depends) then
    return self.chain:add(log)
  end
  return self.chain.value
end

-- The state of a builder becomes the newest one.
local function adopt(self, build)
  local before, state = self.build and self.build.value, build.value
  self.build, self.young = build, {}
  if not self.chain then
    self.chain = versions.new(state, self)
    return self.chain.value
  end
  local is_same = compare.same_object(before.unmodelled, state.unmodelled)
  if is_same then
    state.unmodelled = before.unmodelled
  end
  self.chain.state = state
  return newest_value(self, everything_changed(before, state), not is_same)
end

local function read_all(self, conn)
  learn(self, conn)
  self.totals = nil
  local opening = writes.opening(self)
  local closing = writes.closing(self, opening)
  local visitor = visit.new(conn, self.options, opening.query)
  local rows = visitor:ask(all_queries(self, closing), true)
  opening.take(rows())
  return adopt(self, take_all(self, rows, closing))
end

-- Reading what has changed ---------------------------------------------------------------------

-- Takes back what an attempt has done to the state.
local function revert(build)
  for name, undo in pairs(build.log) do
    for key, item in pairs(undo) do
      build.value[name][key] = item or nil
    end
  end
end

-- When no transaction has had a number since the last visit, nothing can have changed.
local function is_untouched(self, moment)
  if moment.next < self.moment.next then
    attempt.give_up("it is another server")
  elseif moment.next - math.tointeger(self.moment.oldest) > MOST_TRANSACTIONS then
    attempt.give_up("the last read was too many transactions ago")
  end
  return moment.is_quiet and moment.snapshot == self.moment.snapshot
end

-- Looks where something was written, if that is known; else everywhere.
---@return table|nil attempt, table closing  nil: nothing has changed
local function look_for_changes(self, visitor, opening)
  local closing = writes.closing(self, opening)
  local one = attempt.new(self, visitor)
  local is_known
  if self.totals then
    is_known = look.where_written(one, opening, closing)
  else
    opening.take(visitor:ask({})())
  end
  if is_untouched(self, opening.moment) then
    return nil, closing
  elseif not is_known then
    one = attempt.new(self, visitor)
    look.everywhere(one, closing)
  end
  return one, closing
end

local function remember_young(self, added)
  for _, key in ipairs(added) do
    if #self.young == MOST_YOUNG then
      table.remove(self.young, 1)
    end
    self.young[#self.young + 1] = key
  end
end

local function follow(self, visitor, opening)
  local one, closing = look_for_changes(self, visitor, opening)
  if one then
    one:run()
    remember_young(self, one.added)
    settle(self, closing)
  end
  visitor:close()
end

local function read_changes(self, conn)
  local build, opening = self.build, writes.opening(self)
  local visitor = visit.new(conn, self.options, opening.query)
  build.log = { objects = {}, depends = {} }
  local ok, problem = pcall(follow, self, visitor, opening)
  if not ok then
    revert(build)
    if type(problem) == "table" and problem.read_all then
      visitor:close()
    end
    error(problem, 0)
  end
  local log = build.log
  build.log = nil
  return newest_value(self, log)
end

local function check_database(self, conn)
  local backend = conn:info().pid
  if backend ~= self.backend then
    if conn:exec(changes.database_sql)[1].oid ~= self.database then
      attempt.give_up("it is another database")
    end
    self.backend = backend
  end
end

local function try(self, conn)
  check_database(self, conn)
  if self.is_broken then
    attempt.give_up("the last read did not end")
  elseif self.unknown then
    attempt.give_up("this version of luamig does not know %s", self.unknown)
  end
  return read_changes(self, conn)
end

---Reads the database once more.
---@return table value, "same"|"partial"|"all" how, string|nil why  all was read
function Follower:read(conn)
  if not self.build then
    return read_all(self, conn), "all", "it is the first read"
  end
  local last = self.chain.value
  local ok, value = pcall(try, self, conn)
  if ok then
    return value, value == last and "same" or "partial"
  elseif type(value) == "table" and value.read_all then
    return read_all(self, conn), "all", value.read_all
  end
  error(value, 0)
end

return follower
