--- How many rows of the catalogs were written, by the server's own counters: what was not written
-- need not be looked at.
--
-- A backend counts each row that it inserts, updates or deletes, and adds its counts to those that
-- all see some time after its transaction, at the latest when it ends, which is before it leaves
-- the list of backends. So what all see and what the own backend keeps yet are together all there
-- is, if no other backend is connected to the database. That is known for a snapshot when
--   1. the counters are read, the database's sum of them before the catalogs',
--   2. the snapshot is taken, 3. nobody else is connected,
--   4. the database's sum is read once more and is the same.
-- Whatever the snapshot shows was counted at 1, or else has been added to the sum by 4; whatever
-- was counted at 1 the snapshot shows. (The own counts are added to the sum once a second at most:
-- then the sum is another one, and all is looked at.)
-- Since PostgreSQL 15: before, a process collects what it hears, and may miss some.

local writes = {}

local OLDEST = 150000

local kinds = { "inserted", "updated", "deleted" }

-- The database's sum. $1: its OID
local sum_sql = [[pg_catalog.pg_stat_get_db_tuples_inserted($1::pg_catalog.oid)
    OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_db_tuples_updated($1::pg_catalog.oid)
    OPERATOR(pg_catalog.+) pg_catalog.pg_stat_get_db_tuples_deleted($1::pg_catalog.oid)]]

local snapshot_sql = "SELECT pg_catalog.pg_current_snapshot()::pg_catalog.text AS snapshot"

local function counter(kind)
  return ("(pg_catalog.pg_stat_get_tuples_%s(x.oid) OPERATOR(pg_catalog.+) "
    .. "pg_catalog.pg_stat_get_xact_tuples_%s(x.oid))"):format(kind, kind)
end

-- First the sum, as `inserted`; then the catalogs $2 of which a counter is not that of $3, $4, $5.
local opening_sql = snapshot_sql .. (([[,
  NULL::pg_catalog.oid AS oid, SUM AS inserted, NULL::pg_catalog.int8 AS updated,
  NULL::pg_catalog.int8 AS deleted, pg_catalog.date_part('epoch',
    pg_catalog.pg_stat_get_db_stat_reset_time($1::pg_catalog.oid)) AS reset
UNION ALL
SELECT NULL, x.oid, x.inserted, x.updated, x.deleted, NULL
FROM (SELECT x.oid, x.i, x.u, x.d, %s AS inserted, %s AS updated, %s AS deleted
  FROM ROWS FROM (pg_catalog.unnest($2::pg_catalog.oid[]),
    pg_catalog.unnest($3::pg_catalog.int8[]), pg_catalog.unnest($4::pg_catalog.int8[]),
    pg_catalog.unnest($5::pg_catalog.int8[])) x (oid, i, u, d) OFFSET 0) x
WHERE NOT COALESCE(x.inserted OPERATOR(pg_catalog.=) x.i AND x.updated OPERATOR(pg_catalog.=) x.u
  AND x.deleted OPERATOR(pg_catalog.=) x.d, false)]])
  :format(counter("inserted"), counter("updated"), counter("deleted")):gsub("SUM", sum_sql))

-- Whether nobody else is there comes before the sum.
local closing_sql = snapshot_sql .. [[,
  pg_catalog.pg_stat_get_db_numbackends($1::pg_catalog.oid) OPERATOR(pg_catalog.=) 1
    AND pg_catalog.current_setting('track_counts') OPERATOR(pg_catalog.=) 'on' AS is_alone,
  ]] .. sum_sql .. " AS sum"

local function moment_of(row)
  local oldest, next_one = row.snapshot:match("^(%d+):(%d+):")
  return {
    snapshot = row.snapshot, oldest = oldest, next = math.tointeger(next_one),
    is_quiet = oldest == next_one,
  }
end

local function array(oids, totals, kind)
  local list = {}
  for i, oid in ipairs(oids) do
    list[i] = totals[oid][kind]
  end
  return "{" .. table.concat(list, ",") .. "}"
end

local function opening_query(database, oids, totals, server_version)
  if server_version < OLDEST then
    return { sql = snapshot_sql }
  end
  local params = { database, "{" .. table.concat(oids, ",") .. "}", n = 5 }
  for i, kind in ipairs(totals and kinds or {}) do
    params[i + 2] = array(oids, totals.of, kind)
  end
  return { sql = opening_sql, params = params }
end

local function difference_of(row, old)
  local difference = {}
  for _, kind in ipairs(kinds) do
    difference[kind] = row[kind] - old[kind]
    if difference[kind] < 0 then
      return nil
    end
  end
  return difference
end

-- The counters now: those of the last visit, but for the catalogs of these rows.
local function totals_of(rows, last)
  local totals = { reset = rows[1].reset, of = {} }
  for oid, counts in pairs(last and last.of or {}) do
    totals.of[oid] = counts
  end
  for i = 2, #rows do
    totals.of[rows[i].oid] = rows[i]
  end
  return totals
end

-- What was written since the last visit; nil when the counters began anew.
local function differences_of(rows, last)
  if not last or last.reset ~= rows[1].reset then
    return nil
  end
  local differences = {}
  for i = 2, #rows do
    local oid = rows[i].oid
    differences[oid] = difference_of(rows[i], last.of[oid])
    if not differences[oid] then
      return nil
    end
  end
  return differences
end

---What comes before a visit, in a transaction of its own. When its answer is taken it has:
---  moment         as in `closing`
---  totals         { reset = when they began, of = { [OID of a catalog] = { inserted, updated,
---                 deleted } } }; nil when the server does not tell
---  differences    what the last part was since the last visit; nil when nobody knows
---@param followed { database: integer, oids: integer[], totals?: table, server_version: integer }
---  oids: of the catalogs; totals: of the last visit
function writes.opening(followed)
  local opening = { query = opening_query(followed.database, followed.oids, followed.totals,
    followed.server_version) }
  function opening.take(rows)
    local first = rows[1]
    opening.moment, opening.sum = moment_of(first), first.inserted
    if opening.sum then
      opening.totals = totals_of(rows, followed.totals)
      opening.differences = differences_of(rows, followed.totals)
    end
  end
  return opening
end

---What ends a visit. When its answer is taken it has:
---  moment    { snapshot, oldest, next, is_quiet }: the numbers of the oldest transaction that was
---            running and of the next one; whether none was running
---  totals    those of the opening, if it is certain that they tell all that the visit shows
---@param followed { database: integer, server_version: integer }
function writes.closing(followed, opening)
  local has_counters = followed.server_version >= OLDEST
  local closing = {
    query = has_counters and { sql = closing_sql, params = { followed.database } }
      or { sql = snapshot_sql },
  }
  function closing.take(rows)
    local row = rows[1]
    local is_certain = row.is_alone and row.sum == opening.sum
    closing.moment, closing.totals = moment_of(row), is_certain and opening.totals or nil
  end
  return closing
end

return writes
