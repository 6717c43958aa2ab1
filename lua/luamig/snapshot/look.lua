--- Looks for what has changed in the catalogs: at all of them, or, when it is known how many rows
-- were written to each, at those only and where the new rows are.

local attempt = require("luamig.snapshot.attempt")
local builder = require("luamig.snapshot.builder")
local changes = require("luamig.snapshot.changes")

local look = {}

local class = builder.class

-- A bundle of queries with what is done with the rows of each.
local function new_bundle()
  return { queries = {}, takers = {} }
end

local function add(bundle, sql, params, take)
  bundle.queries[#bundle.queries + 1] = { sql = sql, params = params }
  bundle.takers[#bundle.takers + 1] = take
end

local function ask(self, bundle)
  if #bundle.queries > 0 then
    local rows = self.visitor:ask(bundle.queries)
    for _, take in ipairs(bundle.takers) do
      take(rows())
    end
  end
end

-- The first of "name: state, name: state" that is not as before.
local function first_difference(now, before)
  local next_before = before:gmatch("[^,]+")
  for state in now:gmatch("[^,]+") do
    if state ~= next_before() then
      return state:match("^ ?(.-):")
    end
  end
  return nil
end

local function check(row, before)
  local changed = row.fresh or row.state ~= before and first_difference(row.state, before)
  if changed then
    attempt.give_up("%s changed", changed)
  end
end

local function add_contents(self, bundle)
  add(bundle, self.queries.contents, { self.since }, function(rows)
    check(rows[1], self.follower.contents)
  end)
end

local function add_fresh(self, bundle, entry)
  add(bundle, entry.fresh, { self.since }, function(rows)
    self:take_fresh(entry.catalog, rows[1].fresh)
    if entry.counted then
      self.totals[entry.counted] = rows[1].total
    end
  end)
end

---Looks at all catalogs.
---@param self table  the attempt
---@param closing table  of luamig.snapshot.writes: ends the round trip
function look.everywhere(self, closing)
  local bundle = new_bundle()
  for _, entry in ipairs(self.queries.followed) do
    add_fresh(self, bundle, entry)
  end
  add(bundle, self.queries.watched, { self.since }, function(rows)
    check(rows[1], self.follower.watched)
  end)
  add_contents(self, bundle)
  add(bundle, closing.query.sql, closing.query.params, closing.take)
  ask(self, bundle)
end

-- Where something was written ------------------------------------------------------------------

-- What is known after the first questions: of each catalog
--   written   how many rows were inserted, updated, deleted
--   found     what its query for new rows has found
--   missing   [class] how many rows of units that are young are gone
--   asked     [entry] = { fresh = true, total = true, young = true }
local Search = {}
Search.__index = Search

local nothing = { inserted = 0, updated = 0, deleted = 0 }

function Search:written(catalog)
  return self.differences[catalog] or nothing
end

function Search:note(entry, what)
  self.asked[entry] = self.asked[entry] or {}
  self.asked[entry][what] = true
end

function Search:was_asked(entry, what)
  return self.asked[entry] and self.asked[entry][what]
end

function Search:add_new(bundle, entry)
  local one = self.attempt
  self:note(entry, "new")
  add(bundle, entry.new, { one.since, one.build.newest_oid }, function(rows)
    self.found[entry.catalog] = rows[1]
    one:take_fresh(entry.catalog, rows[1].fresh)
  end)
end

-- A default that a column of a new relation got is an update of its row.
local defaults_sql = [[
SELECT pg_catalog.count(*) AS total FROM pg_catalog.pg_attrdef x WHERE x.adrelid > $1]]

function Search:add_defaults(bundle)
  add(bundle, defaults_sql, { self.attempt.build.newest_oid }, function(rows)
    self.found.pg_attrdef = rows[1]
  end)
end

-- Rows of a catalog that are in units that were new not long ago: what is deleted is often young.
local function young_rows(one, class_oid)
  local rows, oids = {}, {}
  for _, key in ipairs(one.follower.young) do
    local unit = one.build.units[key]
    for _, row in ipairs(unit and unit.rows or {}) do
      if row >> 32 == class_oid then
        oids[#oids + 1] = row & 0xffffffff
        rows[row & 0xffffffff] = unit
      end
    end
  end
  return rows, oids
end

---@return boolean  false: there are none, or they were asked for
function Search:add_young(bundle, entry)
  local rows, oids = young_rows(self.attempt, entry.counted)
  local is_new = #oids > 0 and not self:was_asked(entry, "young")
  if is_new then
    self:note(entry, "young")
    add(bundle, entry.some_left, { "{" .. table.concat(oids, ",") .. "}" }, function(answer)
      local left = answer[1].left or {}
      self.missing[entry.counted] = #oids - #left
      self.attempt:find_gone(entry.counted, rows, left)
    end)
  end
  return is_new
end

-- Whether all rows that were written to pg_attribute are of new relations.
function Search:are_columns_new()
  local relations, defaults = self.found.pg_class, self:written("pg_attrdef").inserted
  local counts = self:written("pg_attribute")
  return relations.total == self:written("pg_class").inserted
    and counts.inserted == (relations.columns or 0) and counts.updated == defaults
    and self.found.pg_attrdef.total == defaults
end

-- Whether all rows that were written to a catalog were found by their OIDs.
function Search:are_all_new(entry, counts)
  local found = self.found[entry.catalog]
  -- A new relation that has a TOAST table was updated, to name it.
  local updated = found and entry.counted == class.relation and found.toasts or 0
  return found and found.total == counts.inserted and counts.updated == updated
end

function Search:is_found(entry, counts)
  if counts.inserted + counts.updated == 0 or self:was_asked(entry, "fresh") then
    return true
  elseif entry.catalog == "pg_attribute" then
    return self:are_columns_new()
  end
  return self:are_all_new(entry, counts)
end

-- How many deleted rows of a catalog are explained by the units that are gone.
function Search:explained(entry)
  local build = self.attempt.build
  local missing = self.missing[entry.counted]
  local count = missing or 0
  for key in pairs(self.attempt.gone) do
    local unit = build.units[key]
    if entry.counted == class.relation then
      count = count + (unit.has_toast and 2 or 0)
    elseif not missing then
      count = count + build:row_count(unit, entry.counted)
    end
  end
  return count
end

function Search:ask_for_written(bundle, entry, counts)
  if self:is_found(entry, counts) then
    return
  elseif entry.new and counts.updated == 0 and not self:was_asked(entry, "new") then
    self:add_new(bundle, entry)
  else
    -- The total tells whether a row that nobody knows is new, or was there and is known now.
    self:note(entry, "fresh")
    self:note(entry, "total")
    add_fresh(self.attempt, bundle, entry)
  end
end

function Search:ask_for_deleted(bundle, entry, counts)
  if not entry.counted or self:was_asked(entry, "total")
      or counts.deleted == self:explained(entry) then
    return
  end
  if not (entry.is_main and self:add_young(bundle, entry)) then
    self:note(entry, "total")
    add(bundle, entry.total, nil, function(rows)
      self.attempt.totals[entry.counted] = rows[1].total
    end)
  end
end

-- The catalogs that a new table is in. They are asked in any case: it saves a round trip.
local usual = { "pg_class", "pg_type", "pg_index", "pg_constraint" }

function Search:first_bundle(opening, closing)
  local one = self.attempt
  local bundle = new_bundle()
  bundle.takers[1] = opening.take -- the visitor asks it
  for _, catalog in ipairs(usual) do
    self:add_new(bundle, one.queries.by_catalog[catalog])
  end
  self:add_defaults(bundle)
  self:add_young(bundle, one.queries.by_catalog.pg_class)
  add_contents(one, bundle)
  add(bundle, closing.query.sql, closing.query.params, closing.take)
  return bundle
end

function Search:next_bundle()
  local bundle = new_bundle()
  for _, entry in ipairs(self.attempt.queries.followed) do
    local counts = self:written(entry.catalog)
    self:ask_for_written(bundle, entry, counts)
    self:ask_for_deleted(bundle, entry, counts)
  end
  return bundle
end

local function by_name(names, differences)
  local out = {}
  for oid, counts in pairs(differences) do
    local catalog = names[oid]
    if changes.roles[catalog] == "watched" then
      attempt.give_up("%s changed", catalog)
    end
    out[catalog] = counts
  end
  return out
end

---Looks at those catalogs only to which something was written.
---@param self table  the attempt
---@param opening table  of luamig.snapshot.writes: what the visitor asks first
---@param closing table  ends the first round trip
---@return boolean  false: it is not known what was written
function look.where_written(self, opening, closing)
  local search = setmetatable({ attempt = self, found = {}, missing = {}, asked = {} }, Search)
  local bundle = search:first_bundle(opening, closing)
  ask(self, bundle)
  if not closing.totals or not opening.differences then
    return false
  end
  search.differences = by_name(self.follower.names, opening.differences)
  repeat
    bundle = search:next_bundle()
    ask(self, bundle)
  until #bundle.queries == 0
  return true
end

return look
