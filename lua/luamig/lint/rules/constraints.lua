--- Constraints that are proven by reading the table while others wait.

local facts_of = require("luamig.lint.facts")
local safe = require("luamig.lint.safe")

local function lock_text(facts, entry)
  local lock = facts:blocking(entry)
  return lock and facts_of.lock_text(lock) or "its lock", lock
end

local function key_check(type, word)
  return function(facts, found)
    for _, entry in ipairs(facts.entries) do
      for _, constraint in ipairs(facts:constraints(entry, "added", type)) do
        if facts:makes_index(entry, constraint.index) and not constraint.table.parent then
          entry.claimed.scan = true
          found({ entry = entry, subject = constraint.table, name = constraint.name,
            message = ("%s %s builds its index under %s: reads and writes wait until all of %s has "
              .. "been read"):format(word, constraint.name, lock_text(facts, entry),
              constraint.table.shown),
            safe = safe.using_index(constraint, type) })
        end
      end
    end
  end
end

local function check_primary_index(facts, found)
  for _, entry in ipairs(facts.entries) do
    for _, constraint in ipairs(facts:constraints(entry, "added", "primary_key")) do
      if not facts:makes_index(entry, constraint.index)
        and facts:reads(entry, constraint.table) then
        entry.claimed.scan = true
        found({ entry = entry, subject = constraint.table, name = constraint.name,
          message = ("%s is read under %s to see that the key is nowhere NULL"):format(
            constraint.table.shown, lock_text(facts, entry)),
          safe = safe.not_null(constraint.table, constraint.columns[1] or "id", facts.version)
            .. ("\nop.create_primary_key(%s, %s, nil, { using_index = \"…\" })"):format(
              safe.text(constraint.name), safe.name(constraint.table)) })
      end
    end
  end
end

local function check_exclude(facts, found)
  for _, entry in ipairs(facts.entries) do
    for _, constraint in ipairs(facts:constraints(entry, "added", "exclude")) do
      entry.claimed.scan = true
      found({ entry = entry, subject = constraint.table, name = constraint.name,
        message = ("the constraint %s builds its index under %s; there is no other way to add it")
          :format(constraint.name, lock_text(facts, entry)),
        safe = "-- a new table that has it from the start, filled by op.batch_execute, then "
          .. "renamed;\n-- or at a quiet hour, with a comment that says so:\n"
          .. "-- luamig: ignore LOCK007 2000 rows, at night" })
    end
  end
end

local function validated_at_once(type)
  return function(facts, found)
    for _, entry in ipairs(facts.entries) do
      for _, constraint in ipairs(facts:constraints(entry, "added", type)) do
        if constraint.is_valid and facts:reads(entry, constraint.table)
          and not entry.claimed[constraint] and not constraint.table.parent then
          entry.claimed.scan = true
          local text, lock = lock_text(facts, entry)
          found({ entry = entry, subject = constraint.table, name = constraint.name,
            message = ("%s is read from end to end under %s to validate %s: %s"):format(
              constraint.table.shown, text, constraint.name,
              facts_of.waiting_text(lock and lock.rank or 8)),
            safe = safe.two_steps(constraint) })
        end
      end
    end
  end
end

local function check_validate(facts, found)
  for _, entry in ipairs(facts.entries) do
    local lock, is_earlier = facts:blocking(entry)
    for _, constraint in ipairs(lock and facts:constraints(entry, "validated") or {}) do
      entry.claimed.scan, entry.claimed.held = true, true
      found({ entry = entry, subject = constraint.table, name = constraint.name,
        message = ("%s is validated while the transaction holds %s%s: %s"):format(constraint.name,
          facts_of.lock_text(lock), is_earlier and " from an earlier statement" or "",
          facts_of.waiting_text(lock.rank)),
        safe = safe.two_steps(constraint) })
    end
  end
end

local function check_not_null(facts, found)
  for _, entry in ipairs(facts.entries) do
    for _, item in ipairs(facts:columns(entry, "not_null")) do
      if item.now.not_null and facts:reads(entry, item.relation) and not entry.claimed.scan
        and not facts:rewritten(entry)[1] then
        entry.claimed.scan = true
        found({ entry = entry, subject = item.relation, name = item.name,
          message = ("SET NOT NULL reads all of %s under ACCESS EXCLUSIVE: reads and writes wait")
            :format(item.relation.shown),
          safe = safe.not_null(item.relation, item.name, facts.version) })
      end
    end
  end
end

local function check_domain(facts, found)
  for _, entry in ipairs(facts.entries) do
    local read = facts:read_tables(entry)[1]
    if entry.kind.node == "AlterDomainStmt" and read and facts:blocking(entry) then
      entry.claimed.scan = true
      found({ entry = entry, subject = read, name = read.name,
        severity = entry.kind.tree.subtype == "V" and "warning" or nil,
        message = ("every table with a column of the domain is read while writes wait: %s"):format(
          read.shown),
        safe = "op.alter_domain(\"…\", { add_checks = { … }, not_valid = true })\n"
          .. "-- in the next revision\nop.alter_domain(\"…\", { validate = { \"…\" } })" })
    end
  end
end

local function check_unindexed(facts, found)
  for _, entry in ipairs(facts.entries) do
    for _, item in ipairs(entry.constraints) do
      local constraint = item.constraint
      local owner = constraint.table
      if item.what == "added" and constraint.type == "foreign_key" and owner and facts.is_up
        and not facts:has_index(owner, constraint.columns) then
        found({ entry = entry, subject = owner, name = constraint.name,
          message = ("no index of %s begins with %s: a delete in %s reads all of it"):format(
            owner.shown, table.concat(constraint.columns, ", "),
            constraint.referred and constraint.referred.shown or "the other table"),
          safe = ("op.create_index(%s, %s, %s, { concurrently = true })"):format(
            safe.text(owner.name .. "_" .. table.concat(constraint.columns, "_")),
            safe.name(owner), safe.list(constraint.columns)) })
      end
    end
  end
end

return {
  { id = "LOCK004", severity = "error", title = "a unique constraint builds its index",
    why = "ADD UNIQUE takes ACCESS EXCLUSIVE and reads the whole table. An index built "
      .. "CONCURRENTLY beforehand is taken over in a moment.",
    safe = 'op.create_index("users_email_key", "users", { "email" }, { unique = true, concurrently '
      .. '= true })\nop.create_unique_constraint("users_email_key", "users", nil, '
      .. '{ using_index = "users_email_key" })', check = key_check("unique", "the constraint") },
  { id = "LOCK005", severity = "error", title = "a primary key builds its index",
    why = "ADD PRIMARY KEY takes ACCESS EXCLUSIVE and reads the whole table.",
    safe = 'op.create_index("users_pkey", "users", { "id" }, { unique = true, concurrently = '
      .. 'true })\n'
      .. 'op.create_primary_key("users_pkey", "users", nil, { using_index = "users_pkey" })',
    check = key_check("primary_key", "the primary key") },
  { id = "LOCK006", severity = "error", title = "a primary key reads a nullable column",
    why = "PRIMARY KEY USING INDEX is instant only when its columns are NOT NULL already.",
    safe = 'op.create_check_constraint("id_set", "users", "id IS NOT NULL", { not_valid = true })\n'
      .. '-- in the next revision\nop.validate_constraint("id_set", "users")\n'
      .. '-- in the one behind it\nop.alter_column("users", "id", { nullable = false })\n'
      .. 'op.create_primary_key("users_pkey", "users", nil, { using_index = "users_pkey" })',
    check = check_primary_index },
  { id = "LOCK007", severity = "error", title = "an exclusion constraint builds its index",
    why = "ADD EXCLUDE takes ACCESS EXCLUSIVE and reads the whole table. It has neither NOT "
      .. "VALID nor USING INDEX.",
    safe = "-- a new table that has it from the start, filled by op.batch_execute, then renamed",
    check = check_exclude },
  { id = "LOCK010", severity = "error", title = "NOT VALID and VALIDATE in one transaction",
    why = "VALIDATE lets everybody work, but the lock that ADD CONSTRAINT took is held until the "
      .. "transaction ends, and so during the reading.",
    safe = 'op.create_check_constraint("age_sane", "users", "age < 200", { not_valid = true })\n'
      .. '-- in the next revision\nop.validate_constraint("age_sane", "users")',
    check = check_validate },
  { id = "LOCK008", severity = "error", title = "a CHECK is validated at once",
    why = "ADD CHECK takes ACCESS EXCLUSIVE and reads the whole table. NOT VALID only writes it "
      .. "down: new rows are checked from then on; VALIDATE reads the old ones while everybody "
      .. "works.",
    safe = 'op.create_check_constraint("age_sane", "users", "age < 200", { not_valid = true })\n'
      .. '-- in the next revision\nop.validate_constraint("age_sane", "users")',
    check = validated_at_once("check") },
  { id = "LOCK009", severity = "error", title = "a foreign key is validated at once",
    why = "ADD FOREIGN KEY takes SHARE ROW EXCLUSIVE on both tables and reads both. NOT VALID "
      .. "takes the same locks for a moment; VALIDATE lets everybody work.",
    safe = 'op.create_foreign_key("orders_user", "orders", { "user_id" }, "users", { "id" }, '
      .. '{ not_valid = true })\n-- in the next revision\n'
      .. 'op.validate_constraint("orders_user", "orders")',
    check = validated_at_once("foreign_key") },
  { id = "LOCK011", severity = "error", title = "SET NOT NULL reads the table",
    why = "SET NOT NULL takes ACCESS EXCLUSIVE and reads the whole table, unless a valid CHECK "
      .. "proves that the column is nowhere NULL.",
    safe = 'op.create_check_constraint("email_set", "users", "email IS NOT NULL", { not_valid = '
      .. 'true })\n-- in the next revision\nop.validate_constraint("email_set", "users")\n'
      .. '-- in the one behind it\nop.alter_column("users", "email", { nullable = false })\n'
      .. 'op.drop_constraint("email_set", "users")', check = check_not_null },
  { id = "LOCK024", severity = "error", title = "a domain's constraint reads every table of it",
    why = "A constraint added to a domain takes SHARE on every table that uses it and reads them.",
    safe = 'op.alter_domain("email", { add_checks = { at = "VALUE LIKE \'%@%\'" }, not_valid = '
      .. 'true })\n-- in the next revision\nop.alter_domain("email", { validate = { "at" } })',
    check = check_domain },
  { id = "ADVICE001", severity = "info", title = "a foreign key without an index", is_late = true,
    why = "Whoever deletes from the table that is referred to makes PostgreSQL look for rows that "
      .. "refer to it; without an index it reads all of them.",
    safe = 'op.create_index("orders_user_id", "orders", { "user_id" }, { concurrently = true })',
    check = check_unindexed },
}
