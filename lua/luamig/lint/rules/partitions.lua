--- Locks that partitions take: on the parent, on the default partition, on what is attached.

local facts_of = require("luamig.lint.facts")
local safe = require("luamig.lint.safe")
local statement_of = require("luamig.trace.statement")

local function is_default_partition(facts, relation)
  local object = facts.before and facts.before.objects["table " .. relation.schema .. "."
    .. relation.name]
  return object and object.bound == "DEFAULT"
end

local function check_attach(facts, found)
  for _, entry in ipairs(facts.entries) do
    if statement_of.has_command(entry.kind, "AT_AttachPartition") then
      for _, relation in ipairs(facts:read_tables(entry)) do
        if not is_default_partition(facts, relation) then
          entry.claimed.scan = true
          found({ entry = entry, subject = relation, name = relation.name,
            message = ("%s is read from end to end under ACCESS EXCLUSIVE to prove its bounds")
              :format(relation.shown),
            safe = ("op.create_check_constraint(\"in_bounds\", %s, \"<the bounds> AND <key> IS NOT "
              .. "NULL\", { not_valid = true })\n-- in the next revision\n"
              .. "op.validate_constraint(\"in_bounds\", %s)\n-- in the one behind it\n"
              .. "op.attach_partition(…)"):format(safe.name(relation), safe.name(relation)) })
        end
      end
    end
  end
end

-- The partitioned table and the new partition, as the statement names them.
local function names_of(entry)
  local tree = entry.kind.tree
  if entry.kind.node == "CreateStmt" then
    local parent = tree.inhRelations and tree.inhRelations[1] and tree.inhRelations[1].RangeVar
    return parent and parent.relname, tree.relation.relname
  end
  for _, command in ipairs(tree.cmds or {}) do
    local definition = command.AlterTableCmd and command.AlterTableCmd.def
    if definition and definition.PartitionCmd then
      return tree.relation.relname, definition.PartitionCmd.name.relname
    end
  end
end

-- The new partition as a table of its own, attached when nothing has to be read any more.
local function attach_text(entry)
  local parent, name = names_of(entry)
  return ("op.attach_partition(%s, %s, { … }) -- nothing is read"):format(
    safe.text(parent or "…"), safe.text(name or "…"))
end

local function create_text(entry)
  local parent, name = names_of(entry)
  if entry.kind.node ~= "CreateStmt" or not parent then
    return ""
  end
  return ("op.execute(%s)\n"):format(safe.text(("CREATE TABLE %s (LIKE %s INCLUDING ALL)"):format(
    require("luamig.quote").ident(name), require("luamig.quote").ident(parent))))
end

local function safe_default(_, entry, default)
  local owner = safe.name(default)
  return create_text(entry)
    .. ("op.create_check_constraint(\"not_ours\", %s, \"NOT (<the new bounds>)\", "
    .. "{ not_valid = true })\n-- in the next revision\n"
    .. "op.validate_constraint(\"not_ours\", %s)\n-- in the one behind it\n"):format(owner, owner)
    .. attach_text(entry) .. ("\nop.drop_constraint(\"not_ours\", %s)"):format(owner)
end

-- CREATE TABLE … PARTITION OF takes more than ATTACH does.
local function check_created(facts, found)
  for _, entry in ipairs(facts.entries) do
    local parent = entry.kind.node == "CreateStmt" and names_of(entry)
    for _, lock in ipairs(parent and facts:locks(entry, 8) or {}) do
      if lock.relation.kind == "partitioned table" then
        found({ entry = entry, subject = lock.relation, name = parent,
          message = ("a partition made in place takes ACCESS EXCLUSIVE on %s; one that is attached "
            .. "takes SHARE UPDATE EXCLUSIVE"):format(lock.relation.shown),
          safe = create_text(entry) .. attach_text(entry) })
      end
    end
  end
end

local function check_default_partition(facts, found)
  for _, entry in ipairs(facts.entries) do
    local own = facts:locks(entry, 8)
    for _, lock in ipairs(own) do
      if is_default_partition(facts, lock.relation) and not lock.relation.is_dropped
        and not entry.kind.node:find("^Drop") then
        local reads = facts:reads(entry, lock.relation)
        entry.claimed.scan = entry.claimed.scan or reads
        found({ entry = entry, subject = lock.relation, name = lock.relation.name,
          severity = reads and "error" or "warning",
          message = ("the default partition %s is locked against reads and writes%s"):format(
            lock.relation.shown, reads and " while all of it is read" or ""),
          safe = safe_default(facts, entry, lock.relation) })
      end
    end
  end
end

local function check_detach(facts, found)
  for _, entry in ipairs(facts.entries) do
    local lock = facts:locks(entry, 8)[1]
    if lock and statement_of.has_command(entry.kind, "AT_DetachPartition")
      and not entry.kind.is_concurrent then
      found({ entry = entry, subject = lock.relation, name = lock.relation.name,
        message = ("detaching takes %s"):format(facts_of.lock_text(lock)),
        safe = "op.detach_partition(\"parent\", \"partition\", { concurrently = true })" })
    end
  end
end

return {
  { id = "LOCK013", severity = "error", title = "a partition is read to prove its bounds",
    why = "ATTACH PARTITION takes ACCESS EXCLUSIVE on the table to be attached and reads it, "
      .. "unless a valid CHECK proves that its rows are within the bounds.",
    safe = 'op.create_check_constraint("in_bounds", "events_2025", "at >= \'2025-01-01\' AND at < '
      .. '\'2026-01-01\' AND at IS NOT NULL", { not_valid = true })\n-- in the next revision\n'
      .. 'op.validate_constraint("in_bounds", "events_2025")\n-- in the one behind it\n'
      .. 'op.attach_partition("events", "events_2025", { from = "2025-01-01", to = "2026-01-01" })',
    check = check_attach },
  { id = "LOCK014", severity = "warning", title = "the default partition is locked",
    why = "A new partition, attached or made in place, takes ACCESS EXCLUSIVE on the default "
      .. "one and reads its rows, unless a valid CHECK proves that none of them belongs to the "
      .. "new one.",
    safe = 'op.create_check_constraint("not_2025", "events_rest", "NOT (at >= \'2025-01-01\' '
      .. 'AND at < \'2026-01-01\')", { not_valid = true })\n-- in the next revision\n'
      .. 'op.validate_constraint("not_2025", "events_rest")', check = check_default_partition },
  { id = "LOCK015", severity = "warning", title = "a partition is detached while everybody waits",
    why = "DETACH takes ACCESS EXCLUSIVE on the parent and on its default partition.",
    safe = 'op.detach_partition("events", "events_2020", { concurrently = true })',
    check = check_detach },
  { id = "LOCK025", severity = "info", title = "a partition is made in place",
    why = "CREATE TABLE … PARTITION OF takes ACCESS EXCLUSIVE on the partitioned table: for a "
      .. "moment, but it waits for every query that runs, and all new ones wait behind it. ATTACH "
      .. "PARTITION takes SHARE UPDATE EXCLUSIVE.",
    safe = 'op.execute("CREATE TABLE events_2025 (LIKE events INCLUDING ALL)")\n'
      .. 'op.attach_partition("events", "events_2025", { from = "2025-01-01", to = "2026-01-01" })',
    check = check_created },
}
