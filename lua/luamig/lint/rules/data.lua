--- Rows: lost, or changed all at once.

local compare = require("luamig.snapshot.compare")
local safe = require("luamig.lint.safe")
local statement_of = require("luamig.trace.statement")

local function check_loss(facts, found)
  if not facts.is_up or facts:says_loss() then
    return
  end
  local brought_back = facts.measured.brought_back or {}
  for _, entry in ipairs(facts.entries) do
    for _, relation in ipairs(entry.dropped) do
      if not relation.table and facts:is_old(relation) and relation.kind ~= "materialized view"
        and not brought_back[relation.schema .. "." .. relation.name] then
        found({ entry = entry, subject = relation, name = relation.name,
          message = ("the rows of %s are lost, and the header does not say so"):format(
            relation.shown),
          safe = ('data_loss = "the rows of %s"  -- in the header'):format(relation.shown) })
      end
    end
    for _, item in ipairs(facts:columns(entry, "dropped")) do
      local relation = item.relation
      if not brought_back[("%s.%s.%s"):format(relation.schema, relation.name, item.name)] then
        found({ entry = entry, subject = relation, name = item.name,
          message = ("the values of %s.%s are lost, and the header does not say so"):format(
            relation.shown, item.name),
          safe = ('data_loss = "the values of %s.%s"  -- in the header'):format(relation.shown,
            item.name) })
      end
    end
  end
end

local kinds = { view = true, ["materialized view"] = true, ["function"] = true, trigger = true,
  constraint = true, policy = true, rule = true }

-- What a statement names, to tell it from what CASCADE takes along.
local function is_cascading(entry)
  local tree = entry.kind.tree
  if tree.behavior == "DROP_CASCADE" then
    return true
  end
  for _, command in ipairs(entry.kind.node == "AlterTableStmt" and tree.cmds or {}) do
    if command.AlterTableCmd and command.AlterTableCmd.behavior == "DROP_CASCADE" then
      return true
    end
  end
  return false
end

local function taken_along(facts, entry)
  local out = {}
  for _, identity in ipairs(facts:gone(kinds)) do
    local object = facts.before.objects[identity]
    local parent = object.parent and facts.after.objects[object.parent]
    local is_named = entry.sql:find(object.name, 1, true)
    if not is_named and (not object.parent or parent) then
      out[#out + 1] = identity
    end
  end
  return out
end

local function check_cascade(facts, found)
  for _, entry in ipairs(facts.entries) do
    if is_cascading(entry) then
      local list = taken_along(facts, entry)
      if list[1] and facts.is_up then
        found({ entry = entry, name = "CASCADE",
          message = "CASCADE takes along: " .. table.concat(list, ", "),
          safe = "-- drop each of them by name, without cascade = true, so that downgrade() can "
            .. "bring them back" })
      end
    end
  end
end

local function check_truncate(facts, found)
  for _, entry in ipairs(facts.entries) do
    for _, relation in ipairs(entry.truncated) do
      if not relation.table and facts:is_old(relation) then
        found({ entry = entry, subject = relation, name = relation.name,
          message = ("all rows of %s are gone, under ACCESS EXCLUSIVE"):format(relation.shown),
          safe = ("op.batch_execute(%s, { table = %s,\n  sql = \"DELETE FROM %s WHERE {range}\" })")
            :format(safe.text(relation.name .. "_emptied"), safe.name(relation), relation.shown) })
      end
    end
  end
end

local function check_unbatched(facts, found)
  for _, entry in ipairs(facts.entries) do
    for _, item in ipairs(entry.changed) do
      local count = item.updated + item.deleted
      local node = entry.kind.node
      entry.claimed.all_rows = entry.claimed.all_rows or count >= facts.many_rows
      if count >= facts.many_rows and facts:is_old(item.relation) and not entry.claimed.rewrite
        and (node == "UpdateStmt" or node == "DeleteStmt" or node == "DoStmt"
        or node == "SelectStmt" or node == "MergeStmt") then
        found({ entry = entry, subject = item.relation, name = item.relation.name,
          message = ("all rows of %s are changed in one transaction: each stays locked until "
            .. "its end, and none of the old ones can be cleaned up"):format(item.relation.shown),
          safe = safe.in_batches(entry, item.relation) })
      end
    end
  end
end

local reading = { UpdateStmt = true, DeleteStmt = true, MergeStmt = true }

-- The table whose rows a statement changes, when it looks for them by reading all of it.
local function searched_table(facts, entry)
  local target = statement_of.targets(entry.kind)[1]
  for _, relation in ipairs(reading[entry.kind.node] and facts:read_tables(entry) or {}) do
    if target and relation.name == target.name and not entry.claimed.all_rows then
      return relation
    end
  end
  return nil
end

local function check_searched(facts, found)
  for _, entry in ipairs(facts.entries) do
    local relation = searched_table(facts, entry)
    if relation then
      found({ entry = entry, subject = relation, name = relation.name,
        message = ("no index serves the condition: all of %s is read, and what is changed, however "
          .. "much that is, stays locked until the transaction ends"):format(relation.shown),
        safe = safe.in_batches(entry, relation) })
    end
  end
end

local trigger_commands = { "AT_DisableTrig", "AT_DisableTrigAll", "AT_DisableTrigUser" }

local function disables_triggers(entry)
  local tree = entry.kind.tree
  if entry.kind.node == "VariableSetStmt" and tree.name == "session_replication_role" then
    return not entry.sql:lower():find("origin", 1, true)
  end
  for _, name in ipairs(trigger_commands) do
    if statement_of.has_command(entry.kind, name) then
      return true
    end
  end
  return false
end

local function check_triggers(facts, found)
  for _, entry in ipairs(facts.entries) do
    local lock = facts:locks(entry, 6)[1]
    local is_whole = entry.kind.node == "VariableSetStmt"
    if (lock or is_whole) and disables_triggers(entry) then
      found({ entry = entry, subject = lock and lock.relation,
        message = "triggers do not fire from here on: what they keep, foreign keys among it, is "
          .. "not kept, and nothing checks it later",
        safe = "-- change the rows with the triggers on; where that takes long:\n"
          .. "op.batch_execute(…)" })
    end
  end
end

local function differences(a, b)
  local out = {}
  for identity, object in pairs(a.objects) do
    local other = b.objects[identity]
    if not other then
      out[#out + 1] = identity .. " is missing"
    elseif not compare.same_object(object, other)
      and not compare.same_object(object, other, { column_order = false }) then
      out[#out + 1] = identity .. " is another"
    end
  end
  for identity in pairs(b.objects) do
    if not a.objects[identity] then
      out[#out + 1] = identity .. " is left"
    end
  end
  table.sort(out)
  return out
end

local function check_back(facts, found)
  local m = facts.measured
  if facts.is_up or m.is_restored or not m.back then
    return
  end
  local list = differences(m.before, m.back)
  if list[1] then
    local count = #list
    found({ message = "downgrade() does not bring back what was there: "
      .. table.concat(list, ", ", 1, math.min(count, 5)) .. (count > 5 and ", …" or ""),
      safe = 'luamig test-roundtrip  -- tells all that differs\nirreversible = "why"  -- in the '
        .. 'header, when there is no way back' })
  end
end

return {
  { id = "DATA001", severity = "warning", title = "values are lost without a word",
    why = "downgrade() was run, and the table or column that it brought back was empty. Whoever "
      .. "reads the header should know.",
    safe = 'data_loss = "phone numbers are dropped"  -- in the header', check = check_loss },
  { id = "DATA002", severity = "warning", title = "CASCADE takes other objects along",
    why = "They are not named in the revision, and downgrade() does not know of them.",
    safe = 'op.drop_view("active_users")\nop.drop_table("users")', check = check_cascade },
  { id = "DATA003", severity = "error", title = "TRUNCATE",
    why = "All rows go at once, under ACCESS EXCLUSIVE, and nobody brings them back.",
    safe = 'op.batch_execute("logs_emptied", { table = "logs", sql = "DELETE FROM logs WHERE '
      .. '{range}" })', check = check_truncate },
  { id = "DATA004", severity = "error", title = "all rows are changed in one transaction",
    why = "Each changed row stays locked until the transaction ends; whoever writes to it "
      .. "waits. The old versions of all rows stay, so the table doubles, and replicas fall "
      .. "behind.",
    safe = 'op.batch_execute("users_email_norm", { table = "users",\n'
      .. '  set = { email_norm = op.sql("lower(email)") }, remaining = "email_norm IS NULL" })',
    check = check_unbatched },
  { id = "DATA006", severity = "warning", title = "rows are looked for by reading the table",
    why = "UPDATE and DELETE were run with indexes preferred, and read the whole table all the "
      .. "same. On a big table that takes long, and each changed row stays locked until the end.",
    safe = 'op.batch_execute("orders_closed", { table = "orders",\n'
      .. '  sql = "UPDATE orders SET closed = true WHERE {range} AND (day < \'2020-01-01\')" })\n'
      .. "-- or first an index that serves the condition\n"
      .. 'op.create_index("orders_day", "orders", { "day" }, { concurrently = true })',
    check = check_searched },
  { id = "DATA007", severity = "warning", title = "triggers are switched off",
    why = "Foreign keys are triggers too: what is written meanwhile is never checked.",
    safe = "-- change the rows with the triggers on; where that takes long: op.batch_execute",
    check = check_triggers },
  { id = "DATA005", severity = "warning", title = "downgrade() does not bring back what was there",
    why = "After upgrade() and downgrade() the catalogs differ from what they were.",
    safe = 'irreversible = "why"  -- in the header', check = check_back },
}
