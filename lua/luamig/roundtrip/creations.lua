--- Revisions that only create: a proof, for a whole group of them at once, that up, down and up
-- again led back to the same catalogs, without reading these.
--
-- The operations taken here fail when the name is taken, and give the same for the same catalogs.
-- Revisions of nothing else were run up, down and up again, one behind the other; so what a first
-- upgrade made was gone before the second one. The server counts the rows that were inserted into,
-- deleted from each catalog. Let
--   half as many have been deleted as inserted      so each downgrade deleted what its upgrade had
--                                                   made, and no more;
--   as many have an OID of the group as are left    so what was deleted was of the group;
--   no older row have a version of the group        so nothing older was changed;
--   all others have that of a second upgrade        so no downgrade changed what it did not delete.
-- Then every row that was there before is there as it was, and each downgrade led back to it. If
-- anything of this is not so, nothing is known, and the revisions are looked at one by one.

local fault = require("luamig.fault")
local op = require("luamig.op")
local recording = require("luamig.executor.recording")
local revision = require("luamig.revision")
local types = require("luamig.types")

local creations = {}

local Creations = {}
Creations.__index = Creations

creations.SERVER_VERSION = 150000 -- before, the counters come late and may get lost

-- The catalogs whose rows can be told from older ones by an OID, and the column that has it.
local keys = {
  pg_attrdef = "oid", pg_attribute = "attrelid", pg_class = "oid", pg_constraint = "oid",
  pg_depend = "objid", pg_description = "objoid", pg_enum = "oid", pg_index = "indexrelid",
  pg_namespace = "oid", pg_partitioned_table = "partrelid", pg_sequence = "seqrelid",
  pg_trigger = "oid", pg_type = "oid",
}

-- Statistics are no part of what revisions make, and no more are the bytes of large objects. The
-- catalogs that all databases share are looked at in another way, for others write to them too.
-- A counter has a part that our connection has not handed over yet.
local counters_sql = [[
  SELECT t.name, t.inserted, t.updated, t.deleted FROM (
    SELECT c.relname::pg_catalog.text AS name,
           pg_catalog.pg_stat_get_tuples_inserted(c.oid)
             OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_xact_tuples_inserted(c.oid) AS inserted,
           pg_catalog.pg_stat_get_tuples_updated(c.oid)
             OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_xact_tuples_updated(c.oid) AS updated,
           pg_catalog.pg_stat_get_tuples_deleted(c.oid)
             OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_xact_tuples_deleted(c.oid) AS deleted
      FROM pg_catalog.pg_class c
     WHERE c.relnamespace OPERATOR(pg_catalog.=) 'pg_catalog'::pg_catalog.regnamespace
       AND c.relkind OPERATOR(pg_catalog.=) 'r' AND NOT c.relisshared
       AND c.relname OPERATOR(pg_catalog.<>) ALL
         ('{pg_statistic,pg_statistic_ext_data,pg_largeobject}'::pg_catalog.name[])) t]]

local function list_sql(form, joint)
  local pieces, names = {}, {}
  for name in pairs(keys) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    pieces[i] = form(name, keys[name])
  end
  return table.concat(pieces, joint)
end

local highest_sql = "SELECT GREATEST(" .. list_sql(function(name, key)
  return ("(SELECT pg_catalog.max(x.%s) FROM pg_catalog.%s x)"):format(key, name)
end, ", ") .. ")::pg_catalog.int8 AS oid, pg_catalog.pg_snapshot_xmax("
  .. "pg_catalog.pg_current_snapshot())::pg_catalog.text AS xid"


local newer_sql = "SELECT " .. list_sql(function(name, key)
  return ("(SELECT pg_catalog.count(*) FROM pg_catalog.%s x WHERE x.%s OPERATOR(pg_catalog.>) $1)"
    .. " AS %s"):format(name, key, name)
end, ", ") .. ", EXISTS (SELECT FROM pg_catalog.pg_event_trigger) AS has_event_triggers"

local SINCE <const> = "pg_catalog.age(x.xmin) OPERATOR(pg_catalog.<=) "
  .. "pg_catalog.age($1::pg_catalog.xid8::pg_catalog.xid)"

-- Rows written since, which are older than the group by their OID, or not of a second upgrade.
local touched_sql = "SELECT " .. list_sql(function(name, key)
  return ("EXISTS (SELECT FROM pg_catalog.%s x WHERE %s AND (x.%s OPERATOR(pg_catalog.<=) $2 "
    .. "OR x.xmin OPERATOR(pg_catalog.<>) ALL ($3::pg_catalog.xid[])))"):format(name, SINCE, key)
end, " OR ") .. " AS is_touched"

-- Each step has left a row in the history, with the number of its transaction.
local second_sql = "SELECT s.xid FROM (SELECT x.xmin::pg_catalog.text AS xid, "
  .. "pg_catalog.row_number() OVER (ORDER BY x.id) AS place FROM %s x WHERE " .. SINCE
  .. ") s WHERE pg_catalog.mod(s.place, 3) OPERATOR(pg_catalog.=) 0"

-- What the shared catalogs say of this database, as text; of owners, what is older than the group.
local shared_sql = [[
  SELECT pg_catalog.string_agg(t.line, ' ' ORDER BY t.line) AS text FROM (
    SELECT ROW(s.setrole, s.setconfig)::pg_catalog.text AS line
      FROM pg_catalog.pg_db_role_setting s, pg_catalog.pg_database d
     WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
       AND s.setdatabase OPERATOR(pg_catalog.=) d.oid
    UNION ALL
    SELECT ROW(s.oid, s.subname, s.subowner, s.subenabled, s.subslotname, s.subpublications)
        ::pg_catalog.text
      FROM pg_catalog.pg_subscription s, pg_catalog.pg_database d
     WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
       AND s.subdbid OPERATOR(pg_catalog.=) d.oid
    UNION ALL
    SELECT ROW(s.classid, s.objid, s.objsubid, s.refclassid, s.refobjid, s.deptype)
        ::pg_catalog.text
      FROM pg_catalog.pg_shdepend s, pg_catalog.pg_database d
     WHERE d.datname OPERATOR(pg_catalog.=) pg_catalog.current_database()
       AND s.dbid OPERATOR(pg_catalog.=) d.oid AND s.objid OPERATOR(pg_catalog.<=) $1) t]]

---@param scratch table
---@return table
function creations.new(scratch)
  return setmetatable({
    scratch = scratch,
    referenced = {}, -- names of tables that foreign keys are known to refer to
    is_usable = scratch.place:server_version() >= creations.SERVER_VERSION,
  }, Creations)
end

local function plain_name(name)
  return (name:gsub("^public%.", ""))
end

-- The tables that foreign keys of a create_table refer to.
local function referred(args)
  local names = {}
  for _, item in ipairs(args.columns or {}) do
    local reference = item.references
    if item.tag == "column" and reference then
      names[#names + 1] = plain_name(type(reference) == "table" and reference.table or reference)
    elseif item.kind == "foreign_key" then
      names[#names + 1] = plain_name(item.referred_table)
    end
  end
  return names
end

-- The first foreign key that refers to a table updates the row of that: "it has triggers".
local checks = {
  create_table = function(self, args, made)
    made[plain_name(args.name)] = true
    local is_plain = not (args.inherits or args.partition_of or args.temporary)
    for _, name in ipairs(referred(args)) do
      is_plain = is_plain and (made[name] or self.referenced[name]) ~= nil
      self.referenced[name] = true
    end
    return is_plain
  end,
  create_index = function(_, args)
    return args.name ~= nil and not args.concurrently
  end,
  create_enum = function()
    return true
  end,
  create_sequence = function()
    return true
  end,
  create_schema = function()
    return true
  end,
}

local function records_of(self, rev)
  local project = self.scratch.project
  local executor = recording.new({
    revision = rev.id,
    direction = "upgrade",
    environment = project.cfg.environment,
    offline = false,
    server_version = self.scratch.place:server_version(),
    x = project.x,
    naming = project.cfg.naming,
  })
  local ok, f = pcall(function() -- a file that does not load is reported when it is run
    op.with(executor, revision.call, rev, rev.change and "change" or "upgrade")
  end)
  if not ok and not fault.is(f) then
    error(f, 0)
  end
  return ok and (rev.downgrade or rev.change) and executor.records or nil
end

---Whether a revision only creates, as far as its script tells. It is run on paper for that; when
---that fails, or the guess is wrong, it is looked at like any other.
---@param rev luamig.Revision
---@return boolean
function Creations:is_plain(rev)
  if not self.is_usable or rev.irreversible or not rev.transactional then
    return false
  end
  local records = records_of(self, rev)
  if not records or #records == 0 then
    return false
  end
  local is_plain, made = true, {}
  for _, record in ipairs(records) do
    local check = checks[record.op]
    is_plain = check ~= nil and check(self, record.args, made) and not record.args.if_not_exists
      and is_plain
  end
  return is_plain
end

local function counters(self)
  local out = {}
  for _, row in ipairs(self.scratch.conn:exec(counters_sql)) do
    out[row.name] = row
  end
  return out
end

local function shared(self)
  return self.scratch.conn:exec(shared_sql, { self.highest })[1].text
end

---Marks the beginning of a group.
function Creations:begin()
  self.before = counters(self)
  local now = self.scratch.conn:exec(highest_sql)[1]
  self.highest, self.xid = now.oid, now.xid
  self.shared = shared(self)
end

-- What became of one catalog; `left` are those of its rows that have an OID of the group.
local function is_even(self, name, row, left)
  local before = self.before[name]
  local inserted = row.inserted - before.inserted
  local deleted = row.deleted - before.deleted
  return inserted == 2 * deleted and left == inserted - deleted
    and (keys[name] ~= nil or row.updated == before.updated)
end

local function is_touched(self)
  local conn = self.scratch.conn
  local history = self.scratch.migration.state.sql.log:match(" FROM (.+) ORDER BY id DESC LIMIT ")
  local xids = {}
  for i, row in ipairs(conn:exec(second_sql:format(history), { self.xid })) do
    xids[i] = row.xid
  end
  return conn:exec(touched_sql, { self.xid, self.highest, types.text(xids, "text[]") })[1]
    .is_touched
end

---Whether all that was run since the beginning led back to where it came from.
---@return boolean
function Creations:is_proved()
  local after = counters(self)
  local newer = self.scratch.conn:exec(newer_sql, { self.highest })[1]
  for name, row in pairs(after) do
    if not is_even(self, name, row, newer[name] or 0) then
      return false
    end
  end
  return not newer.has_event_triggers and shared(self) == self.shared and not is_touched(self)
end

return creations
