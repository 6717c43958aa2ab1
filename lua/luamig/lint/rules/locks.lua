--- Locks that make the application wait: indexes, and the rest that is neither a constraint nor a
-- rewrite.

local facts_of = require("luamig.lint.facts")
local safe = require("luamig.lint.safe")
local statement_of = require("luamig.trace.statement")

local function constraint_indexes(entry, what)
  local out = {}
  for _, item in ipairs(entry.constraints) do
    if item.what == what then
      out[item.constraint.index] = true
    end
  end
  return out
end

local function top_of(list)
  for _, relation in ipairs(list) do
    if relation.kind == "partitioned index" then
      return { relation }
    end
  end
  return list
end

-- Indexes of tables that were there, built inside a transaction; not those of constraints.
local function built(facts, entry)
  local of_constraint, made = constraint_indexes(entry, "added"), {}
  for _, relation in ipairs(entry.transaction > 0 and entry.created or {}) do
    if relation.table and facts:is_old(relation) and not of_constraint[relation.oid] then
      made[#made + 1] = relation
    end
  end
  return entry.kind.node == "IndexStmt" and top_of(made) or made
end

local function safe_index(index)
  if index.kind ~= "partitioned index" then
    return safe.create_index(index)
  end
  return ("op.create_index(%s, %s, { … }, { only = true })\n"
    .. "-- then for each partition, concurrently, and attach it\n"
    .. "op.create_index(\"…\", \"partition\", { … }, { concurrently = true })\n"
    .. "op.attach_index(%s, \"…\")"):format(safe.text(index.name), safe.name(index.table),
    safe.text(index.name))
end

local function check_create_index(facts, found)
  for _, entry in ipairs(facts.entries) do
    local lock = facts:blocking(entry)
    local is_read = lock and facts:read_tables(entry)[1]
    for _, index in ipairs(is_read and built(facts, entry) or {}) do
      entry.claimed.scan = true
      found({ entry = entry, subject = index.table, name = index.name,
        message = ("index %s is built under %s: writes wait until all of it has been read")
          :format(index.name, facts_of.lock_text(lock)), safe = safe_index(index) })
    end
  end
end

-- What a DROP names; of a partitioned index the parts go along.
local function names_of(entry)
  local set = {}
  for _, target in ipairs(entry.kind.node == "DropStmt" and statement_of.targets(entry.kind) or {})
  do
    set[target.name] = true
  end
  return set
end

local function check_drop_index(facts, found)
  for _, entry in ipairs(facts.entries) do
    local of_constraint = constraint_indexes(entry, "dropped")
    local is_named = names_of(entry)
    for _, index in ipairs(entry.transaction > 0 and entry.dropped or {}) do
      if index.table and not index.table.is_dropped and facts:is_old(index)
        and not of_constraint[index.oid] and is_named[index.name] and index.born ~= facts.number
      then
        found({ entry = entry, subject = index.table, name = index.name,
          message = ("dropping index %s takes ACCESS EXCLUSIVE on %s: it queues behind every query "
            .. "and all others queue behind it"):format(index.name, index.table.shown),
          safe = ("op.drop_index(%s, { concurrently = true })"):format(safe.name(index)) })
      end
    end
  end
end

local function check_reindex(facts, found)
  for _, entry in ipairs(facts.entries) do
    local _, indexes = facts:rewritten(entry)
    if entry.kind.node == "ReindexStmt" and not entry.kind.is_concurrent and indexes[1] then
      entry.claimed.scan, entry.claimed.rewrite = true, true
      found({ entry = entry, subject = indexes[1].table, name = indexes[1].name,
        message = ("REINDEX builds %s anew: writes wait, and so do reads that use it"):format(
          indexes[1].name),
        safe = ("op.reindex(\"index\", %s, { concurrently = true })"):format(
          safe.name(indexes[1])) })
    end
  end
end

-- The foreign key, dropped by a statement, that joins a table to another one.
local function dropped_reference(entry, relation)
  local first
  for _, item in ipairs(entry.constraints) do
    local constraint = item.constraint
    if item.what == "dropped" and constraint.type == "foreign_key" then
      if constraint.table == relation or constraint.refers == relation.oid then
        return constraint
      end
      first = first or constraint
    end
  end
  return first
end

-- Tables that a statement locks although it does not name them: partners of foreign keys.
local function check_partners(facts, found)
  for _, entry in ipairs(facts.entries) do
    local targets = {}
    for _, target in ipairs(statement_of.targets(entry.kind)) do
      targets[target.name] = true
    end
    for _, lock in ipairs(facts:locks(entry, 8)) do
      local relation = lock.relation
      local key = dropped_reference(entry, relation)
      if key and not targets[relation.name] and not relation.is_dropped and not relation.parent then
        found({ entry = entry, subject = relation, name = key.name,
          severity = not facts.is_up and "info" or nil,
          message = ("%s is locked too, for the foreign key %s joins it: ACCESS EXCLUSIVE"):format(
            relation.shown, key.name),
          safe = "-- in a revision of its own, so that the lock is let go of at once\n"
            .. ("op.drop_constraint(%s, %s)"):format(safe.text(key.name), key.table
              and safe.name(key.table) or "\"…\"") })
      end
    end
  end
end

local function check_several(facts, found)
  local seen, count, last = {}, 0, nil
  local transaction
  for _, entry in ipairs(facts.entries) do
    if entry.transaction ~= transaction then
      seen, count, transaction = {}, 0, entry.transaction
    end
    for _, lock in ipairs(facts:locks(entry, 8)) do
      if not seen[lock.relation] and not lock.relation.parent then
        seen[lock.relation], count, last = true, count + 1, entry
      end
    end
    if count == 3 and last == entry then
      found({ entry = entry, subject = entry.locks[1].relation,
        message = "this transaction locks three tables or more against reads, one after another: "
          .. "another transaction that takes them in another order is a deadlock",
        safe = "op.step(\"one table\", function() … end)\nop.step(\"the next\", function() "
          .. "… end)" })
    end
  end
end

local function check_timeout(facts, found)
  for _, entry in ipairs(facts.entries) do
    local tree = entry.kind.tree
    local off = entry.kind.node == "VariableSetStmt" and tree.name == "lock_timeout"
      and entry.sql:find("['%s=]0['%s;]*$")
    if off then
      found({ entry = entry, message = "lock_timeout is switched off: a lock that is not had at "
        .. "once stops everybody behind it", safe = "-- leave lock_timeout to luamig.lua:\n"
        .. "-- lock_timeout = \"5s\", lock_deadline = \"10min\"" })
    end
  end
  local first = facts.entries[1]
  if first and require("luamig.config").milliseconds(facts.cfg.lock_timeout) == 0 then
    for _, entry in ipairs(facts.entries) do
      if entry.transaction > 0 and facts:locks(entry, 5)[1] then
        found({ entry = entry, message = "lock_timeout = 0 in luamig.lua: the statement waits "
          .. "for its lock without end, and everybody waits behind it",
          safe = "-- in luamig.lua\nlock_timeout = \"5s\", lock_deadline = \"10min\"" })
        return
      end
    end
  end
end

local function by_node(node, message, safe_text, least)
  return function(facts, found)
    for _, entry in ipairs(facts.entries) do
      local lock = facts:locks(entry, least or 5)[1]
      if entry.kind.node == node and lock then
        found({ entry = entry, subject = lock.relation, name = lock.relation.name,
          message = message:format(facts_of.lock_text(lock)), safe = safe_text })
      end
    end
  end
end

local function check_refresh(facts, found)
  for _, entry in ipairs(facts.entries) do
    local lock = facts:locks(entry, 8)[1]
    if entry.kind.node == "RefreshMatViewStmt" and lock then
      entry.claimed.scan, entry.claimed.rewrite = true, true
      found({ entry = entry, subject = lock.relation, name = lock.relation.name,
        message = ("%s cannot be read until its query has ended"):format(lock.relation.shown),
        safe = ("-- needs a unique index on it\nop.refresh_view(%s, { concurrently = true })")
          :format(safe.name(lock.relation)) })
    end
  end
end

local function check_view(facts, found)
  for _, entry in ipairs(facts.entries) do
    local is_view = entry.kind.node == "ViewStmt"
    for _, lock in ipairs(is_view and facts:all_locks(entry, "locks") or {}) do
      if lock.rank == 8 and lock.relation.kind == "view" then
        found({ entry = entry, subject = lock.relation, name = lock.relation.name,
          message = ("%s: whoever reads the view waits until the transaction ends"):format(
            facts_of.lock_text(lock)),
          safe = "-- alone in its revision, so that the lock is let go of at once\n"
            .. ("op.create_view(%s, …, { replace = true })"):format(safe.name(lock.relation)) })
      end
    end
  end
end

local function check_sequence(facts, found)
  for _, entry in ipairs(facts.entries) do
    for _, item in ipairs(entry.kind.node == "AlterSeqStmt" and entry.rewritten or {}) do
      if item.relation.born ~= facts.number then
        found({ entry = entry, subject = item.relation, name = item.relation.name,
          message = ("nextval of %s waits until the transaction ends"):format(item.relation.shown),
          safe = "-- alone in its revision\nop.alter_sequence(…)" })
      end
    end
  end
end

local scanning = { IndexStmt = true, CreateStmt = true, DoStmt = true, CallStmt = true,
  SelectStmt = true }

local function may_scan(entry)
  local node = entry.kind.node
  return (scanning[node] or node:find("^Alter")) and not entry.claimed.scan
    and not entry.claimed.rewrite
end

-- What is left: something is read from end to end while others wait.
local function check_scan(facts, found)
  for _, entry in ipairs(facts.entries) do
    local lock, is_earlier = facts:blocking(entry)
    local read = facts:read_tables(entry)[1]
    if lock and read and not is_earlier and may_scan(entry) and not facts:rewritten(entry)[1] then
      entry.claimed.scan = true
      found({ entry = entry, subject = read, name = read.name,
        message = ("%s is read from end to end under %s: %s"):format(read.shown,
          facts_of.lock_text(lock), facts_of.waiting_text(lock.rank)),
        safe = "-- what has to be proven by reading is added NOT VALID, and validated in the next "
          .. "revision\nop.create_check_constraint(\"…\", \"…\", \"…\", { not_valid = "
          .. "true })" })
    end
  end
end

local function long_work(facts, entry)
  local rewritten = facts:rewritten(entry)[1]
  if rewritten then
    return "writes " .. rewritten.shown .. " anew"
  end
  local node = entry.kind.node
  for _, item in ipairs(entry.changed) do
    if facts:is_old(item.relation) and item.updated + item.deleted >= facts.many_rows then
      return "changes all rows of " .. item.relation.shown
    end
  end
  local read = facts:read_tables(entry)[1]
  if read and (node == "SelectStmt" or node:find("^Alter") or node == "IndexStmt"
    or node == "InsertStmt" or node == "CreateTableAsStmt") then
    return "reads all of " .. read.shown
  end
  return nil
end

-- Another rule has told of the same table, and its safe way mends this too.
local function is_told(facts, entry, relation)
  local is_claimed = entry.claimed.scan or entry.claimed.rewrite
  return entry.transaction == 0 or entry.claimed.held
    or is_claimed and facts:reads(entry, relation)
end

local function check_held(facts, found)
  for _, entry in ipairs(facts.entries) do
    local _, held = facts:locks(entry, 5)
    local work = held[1] and not is_told(facts, entry, held[1].relation)
      and long_work(facts, entry)
    if work then
      found({ entry = entry, subject = held[1].relation, name = held[1].relation.name,
        message = ("this %s while the transaction still holds %s from an earlier statement: %s")
          :format(work, facts_of.lock_text(held[1]), facts_of.waiting_text(held[1].rank)),
        safe = "op.step(\"the definition\", function() … end) -- committed, its lock let go of\n"
          .. "op.batch_execute(\"the rows\", { table = …, set = { … }, remaining = \"…\" "
          .. "})" })
    end
  end
end

return {
  { id = "LOCK001", severity = "error", title = "an index is built while writes wait",
    why = "CREATE INDEX takes SHARE and reads the whole table: no row can be written until it is "
      .. "done. CONCURRENTLY reads twice and lets everybody work; luamig runs it outside a "
      .. "transaction and builds anew what an earlier try left invalid.",
    safe = 'op.create_index("users_email", "users", { "email" }, { concurrently = true })',
    check = check_create_index },
  { id = "LOCK002", severity = "warning", title = "an index is dropped while everybody waits",
    why = "DROP INDEX takes ACCESS EXCLUSIVE on the table. It is short, but it waits for every "
      .. "query that runs, and all new ones wait behind it.",
    safe = 'op.drop_index("users_email", { concurrently = true })', check = check_drop_index },
  { id = "LOCK003", severity = "error", title = "an index is rebuilt while writes wait",
    why = "REINDEX takes SHARE on the table and ACCESS EXCLUSIVE on the index.",
    safe = 'op.reindex("index", "users_email", { concurrently = true })', check = check_reindex },
  { id = "LOCK016", severity = "warning", title = "the partner of a foreign key is locked too",
    why = "Dropping a foreign key, or a table that has one or is referred to by one, takes ACCESS "
      .. "EXCLUSIVE on both tables.",
    safe = 'op.drop_constraint("orders_user_id_fkey", "orders") -- alone in its revision\n'
      .. '-- in the next revision\nop.drop_table("orders")', check = check_partners },
  { id = "LOCK017", severity = "info", title = "one transaction locks several tables",
    why = "Each further table is one more to wait for while the first ones are held. luamig tries "
      .. "again after a deadlock, but the application may be the one that is cancelled.",
    safe = 'op.step("users", function() … end)\nop.step("orders", function() … end)',
    check = check_several },
  { id = "LOCK019", severity = "warning", title = "no lock_timeout",
    why = "A strong lock waits for the slowest query on its table, and everybody waits behind it. "
      .. "With lock_timeout the statement gives up and luamig tries again.",
    safe = '-- in luamig.lua\nlock_timeout = "5s", lock_deadline = "10min"',
    check = check_timeout },
  { id = "LOCK020", severity = "info", title = "a trigger is made on a table in use",
    why = "CREATE TRIGGER takes SHARE ROW EXCLUSIVE: writes wait for the end of the transaction.",
    safe = '-- alone in its revision, so that the lock is let go of at '
      .. 'once\nop.create_trigger(…)',
    check = by_node("CreateTrigStmt", "CREATE TRIGGER takes %s: writes wait",
      "-- alone in its revision, so that the lock is let go of at once\nop.create_trigger(…)") },
  { id = "LOCK021", severity = "warning", title = "LOCK TABLE",
    why = "An explicit lock is held until the transaction ends.",
    safe = "-- let each statement take what it needs, or op.batch_execute for the rows",
    check = by_node("LockStmt", "LOCK TABLE takes %s",
      "-- let each statement take what it needs, or op.batch_execute for the rows") },
  { id = "LOCK022", severity = "error", title = "a materialized view cannot be read meanwhile",
    why = "REFRESH takes ACCESS EXCLUSIVE for as long as its query runs. CONCURRENTLY takes "
      .. "EXCLUSIVE: reads go on.",
    safe = 'op.create_index("totals_day", "daily_totals", { "day" }, { unique = true })\n'
      .. 'op.refresh_view("daily_totals", { concurrently = true })', check = check_refresh },
  { id = "LOCK023", severity = "info", title = "nextval waits",
    why = "ALTER SEQUENCE gives the sequence a new file under SHARE ROW EXCLUSIVE.",
    safe = "-- alone in its revision\nop.alter_sequence(…)", check = check_sequence },
  { id = "LOCK026", severity = "info", title = "a view is replaced",
    why = "CREATE OR REPLACE VIEW takes ACCESS EXCLUSIVE on the view: whoever reads it waits for "
      .. "the end of the transaction.",
    safe = "-- alone in its revision\n"
      .. 'op.create_view("active_users", "SELECT …", { replace = true })',
    check = check_view },
  { id = "LOCK012", severity = "error", title = "a table is read while others wait", is_late = true,
    why = "The lock itself is taken in a moment; reading the table takes as long as the table "
      .. "is big, and the lock is held all that time.",
    safe = 'op.create_check_constraint("age_sane", "users", "age < 200", { not_valid = true })\n'
      .. '-- in the next revision\nop.validate_constraint("age_sane", "users")',
    check = check_scan },
  { id = "LOCK018", severity = "error", title = "long work behind a strong lock", is_late = true,
    why = "A lock is held until the transaction ends. ADD COLUMN takes ACCESS EXCLUSIVE for a "
      .. "blink; an UPDATE of all rows behind it in the same transaction makes everybody wait "
      .. "for its end.",
    safe = 'op.add_column("users", op.column("email_norm", "text"))\n-- in the next revision\n'
      .. 'op.batch_execute("users_email_norm", { table = "users",\n'
      .. '  set = { email_norm = op.sql("lower(email)") }, remaining = "email_norm IS NULL" })',
    check = check_held },
}
