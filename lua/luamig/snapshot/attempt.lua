--- One attempt to bring what was read up to date: which units are to be read once more, round by
-- round, until every change is explained. What it cannot explain ends it: all must be read then.

local builder = require("luamig.snapshot.builder")
local changes = require("luamig.snapshot.changes")
local effects = require("luamig.snapshot.effects")
local reader = require("luamig.snapshot.reader")

local attempt = {}

local Attempt = {}
Attempt.__index = Attempt

local class = builder.class

-- The catalogs whose objects can be read one by one.
local readable = {
  [class.relation] = true, [class.type] = true, [class["function"]] = true,
  [class.statistics] = true, [class.schema] = true,
}

-- A full read is the faster way to more units than this share of all, and than this number.
local LARGEST_SHARE = 0.5
local FEW = 20
local MOST_ROUNDS = 8

---@param follower table  whose build and queries it works on
---@param visitor table
function attempt.new(follower, visitor)
  return setmetatable({
    follower = follower, build = follower.build, queries = follower.queries, visitor = visitor,
    since = follower.moment.oldest,
    wanted = {}, -- [key of a unit] = true: to be read
    done = {}, -- … that were read
    gone = {}, -- … that are in the value and no more in the database
    added = {}, -- … that were read and are new, as a list
    faces = {}, -- [key] = what the unit was before it was read
    fresh = {}, -- [catalog] = true: it has fresh rows
    rows = {}, -- keys of fresh rows
    totals = {}, -- [class] = how many rows that are counted there are
    looked = {}, -- [class] = true: it is known which rows are missing
  }, Attempt)
end

---Ends the attempt.
---@param reason string  why all must be read
function attempt.give_up(reason, ...)
  error({ read_all = reason:format(...) }, 0)
end

local give_up = attempt.give_up

local function key_of(class_oid, oid)
  return class_oid << 32 | oid
end

local function split(key)
  return key >> 32, key & 0xffffffff
end

function Attempt:want(key)
  if not readable[key >> 32] then
    give_up("a change of an object that is not read alone")
  elseif not self.done[key] then
    self.wanted[key] = true
  end
end

local function want_unit(self, unit)
  self:want(key_of(unit.class, unit.oid))
end

-- One fresh row: whose is it?
local function take_item(self, row_class, row_oid, unit_class, unit_oid)
  if row_class ~= 0 then
    self.rows[#self.rows + 1] = key_of(row_class, row_oid)
  end
  local unit = row_class ~= 0 and self.build:unit_with(row_class, row_oid)
  if unit then
    want_unit(self, unit)
  elseif unit_oid ~= 0 then
    self:want(key_of(unit_class, unit_oid))
  end
end

---Takes the fresh rows of a catalog.
---@param catalog string
---@param text string|nil  items
function Attempt:take_fresh(catalog, text)
  self.fresh[catalog] = self.fresh[catalog] or text ~= nil
  for a, b, c, d in changes.items(text) do
    take_item(self, math.tointeger(a), math.tointeger(b), math.tointeger(c), math.tointeger(d))
  end
end

-- Rows that are missing ------------------------------------------------------------------------

-- How many fresh rows nobody knows yet, by their catalogs.
local function count_new(self)
  local seen, counts = {}, {}
  for _, key in ipairs(self.rows) do
    local class_oid, oid = split(key)
    if not seen[key] and not self.build:unit_with(class_oid, oid) then
      seen[key] = true
      counts[class_oid] = (counts[class_oid] or 0) + 1
    end
  end
  return counts
end

-- Catalogs of which other rows are there than the value has, that were not looked at. Before
-- anything is read nobody knows how many rows without an OID are new.
local function what_is_missing(self, is_first)
  local new, list = count_new(self), {}
  for _, entry in ipairs(self.queries.followed) do
    local counted = entry.counted
    local total = self.totals[counted]
    local is_other = total and total ~= (self.build.known[counted] or 0) + (new[counted] or 0)
      + self.follower.outside[counted]
    if is_other and self.looked[counted] then
      give_up("rows of %s changed that are not in the value", entry.catalog)
    elseif is_other and (entry.has_oids or not is_first) then
      self.looked[counted] = true
      list[#list + 1] = entry
    end
  end
  return list
end

---Of some rows of a catalog only these are left: the unit of one that is gone is gone too, when it
---is the unit's own row; else it has changed.
---@param rows table<integer, any>  by their OIDs
---@param oids integer[]
function Attempt:find_gone(class_oid, rows, oids)
  local present = {}
  for _, oid in ipairs(oids) do
    present[oid] = true
  end
  for oid in pairs(rows) do
    if not present[oid] then
      local unit = self.build:unit_with(class_oid, oid)
      if unit.class == class_oid and unit.oid == oid then
        self.gone[key_of(class_oid, oid)] = true
      else
        want_unit(self, unit)
      end
    end
  end
end

-- The units that have not as many rows as before of a catalog whose rows have no OID.
local function find_fewer(self, class_oid, keys)
  local counts = {}
  for _, key in ipairs(keys) do
    local unit = self.build:unit_with(split(key))
    if unit then
      counts[unit] = (counts[unit] or 0) + 1
    end
  end
  for key, unit in pairs(self.build.units) do
    if unit.counts[class_oid] and unit.counts[class_oid] ~= counts[unit] then
      self:want(key)
    end
  end
end

local function take_left(self, entry, left)
  if entry.has_oids then
    self:find_gone(entry.counted, self.build:counted_rows(entry.counted), left)
  else
    find_fewer(self, entry.counted, left)
  end
end

-- Rounds ---------------------------------------------------------------------------------------

-- A sequence and the table that owns it tell of each other.
local function want_neighbours(self)
  local more = {}
  for key in pairs(self.wanted) do
    local unit = self.build.units[key]
    for _, oid in ipairs(unit and unit.sequences or {}) do
      more[key_of(class.relation, oid)] = true
    end
    if unit and unit.owned_by then
      more[key_of(class.relation, unit.owned_by)] = true
    end
  end
  for key in pairs(more) do
    if self.build.units[key] then
      self:want(key)
    end
  end
end

local function unit_count(build)
  local count = 0
  for _ in pairs(build.units) do
    count = count + 1
  end
  return count
end

local function by_catalog(self)
  local wanted, count, are_new = {}, 0, true
  for key in pairs(self.wanted) do
    local class_oid, oid = split(key)
    wanted[class_oid] = wanted[class_oid] or {}
    table.insert(wanted[class_oid], oid)
    count = count + 1
    are_new = are_new and not self.build.units[key]
  end
  if count > FEW and count > LARGEST_SHARE * unit_count(self.build) then
    give_up("%d objects changed", count)
  end
  return wanted, are_new
end

local function forget(self, key)
  local unit = self.build.units[key]
  if unit then
    self.faces[key] = effects.face(self.build, unit)
    self.build:forget(unit)
  end
end

-- Takes what is gone and what was read once more out of the value.
local function forget_all(self, keys)
  for key in pairs(self.gone) do
    forget(self, key)
    self.wanted[key] = nil
  end
  self.gone, self.faces = {}, {}
  for key in pairs(keys) do
    if not self.build.units[key] then
      self.added[#self.added + 1] = key
    end
    forget(self, key)
  end
end

-- Reads what is wanted, and what is left of the catalogs of `missing`.
local function read_round(self, missing)
  want_neighbours(self)
  for key in pairs(self.gone) do
    self.wanted[key] = nil
  end
  local wanted, are_new = by_catalog(self)
  local queries, families = reader.some(self.follower.options, self.follower.server_version,
    wanted, are_new and self.fresh or nil)
  local asked = {}
  for i, entry in ipairs(missing) do
    asked[i] = entry.left
  end
  table.move(queries, 1, #queries, #asked + 1, asked)
  -- What is new is in no other's text: there will hardly be another round.
  local rows = self.visitor:ask_narrow(asked, are_new and #missing == 0)
  local keys = self.wanted
  self.wanted = {}
  for key in pairs(keys) do
    self.done[key] = true
  end
  for _, entry in ipairs(missing) do
    take_left(self, entry, rows()[1].left or {})
  end
  self.follower.is_broken = true
  forget_all(self, keys)
  for _, family in ipairs(families) do
    family.take(rows(), self.build)
  end
end

local function want_all(self, keys)
  for key in pairs(keys) do
    self:want(key)
  end
end

-- What was read may have changed the texts of others.
local function want_users(self)
  for key, face in pairs(self.faces) do
    local unit = self.build.units[key]
    local reach = effects.reach(face, unit and effects.face(self.build, unit))
    if reach and face.class == class.schema then
      give_up("a schema was renamed")
    elseif reach then
      want_all(self, effects.users(self.build, face, reach))
    end
    if reach == "all" then
      want_all(self, effects.unseen_users(self.build))
    end
  end
end

-- Every fresh row must be in the value now.
local function check_rows(self)
  for _, key in ipairs(self.rows) do
    if not self.build:unit_with(split(key)) then
      give_up("something changed that is not in the value")
    end
  end
end

---Reads until every change is in the value.
function Attempt:run()
  if next(self.gone) then
    self.follower.is_broken = true -- until all is in order
    forget_all(self, {})
  end
  local missing, rounds = what_is_missing(self, true), 0
  repeat
    rounds = rounds + 1
    if rounds > MOST_ROUNDS or not self.visitor.is_open then
      give_up("the changes have no end")
    elseif next(self.wanted) or #missing > 0 then
      read_round(self, missing)
      want_users(self)
    end
    missing = next(self.wanted) and {} or what_is_missing(self)
  until not next(self.wanted) and #missing == 0
  check_rows(self)
end

return attempt
