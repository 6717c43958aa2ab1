--- What writes a table anew: ACCESS EXCLUSIVE for as long as that takes, and twice the disk.

local recipe = require("luamig.lint.recipe")
local safe = require("luamig.lint.safe")
local statement_of = require("luamig.trace.statement")

local function finding(facts, found, entry, relation, name, message, text)
  entry.claimed.scan, entry.claimed.rewrite = true, true
  found({ entry = entry, subject = relation, name = name,
    message = message .. (": all of %s is written anew under ACCESS EXCLUSIVE, reads and writes "
      .. "wait"):format(relation.shown), safe = text, version = facts.version })
end

-- Each rewriting entry whose cause a rule recognises is claimed by it.
local function rule(recognise)
  return function(facts, found)
    for _, entry in ipairs(facts.entries) do
      local relation = not entry.claimed.rewrite and facts:rewritten(entry)[1]
      if relation then
        local name, message, text = recognise(facts, entry, relation)
        if message then
          finding(facts, found, entry, relation, name, message, text)
        end
      end
    end
  end
end

local function new_column(relation, column, type, fill)
  local owner = safe.name(relation)
  return ("op.add_column(%s, op.column(%s, %s))\n"):format(owner, safe.text(column),
    safe.text(type))
    .. ("-- in the next revision\nop.batch_execute(%s, { table = %s, set = { %s = op.sql(%s) },\n"
      .. "  remaining = %s })"):format(safe.text(relation.name .. "_" .. column), owner, column,
      safe.text(fill), safe.text(column .. " IS NULL"))
end

local function of_type(facts, entry, relation)
  local item = facts:columns(entry, "type")[1]
  if not item or item.relation ~= relation then
    return nil
  end
  return item.name, ("column %s changes from %s to %s"):format(item.name, item.before.type,
    item.now.type), facts.is_up and recipe.change_type(entry, item)
    or "-- what upgrade() did in the safe way is undone in the same way: the new column goes"
end

local function added(facts, entry, relation, matches)
  for _, item in ipairs(facts:columns(entry, "added")) do
    if item.relation == relation and matches(item.now) then
      return item
    end
  end
  return nil
end

local function is_serial(column)
  return column.identity or (column.default or ""):find("^nextval%(")
end

local function of_serial(facts, entry, relation)
  local item = added(facts, entry, relation, is_serial)
  return item and item.name, item and ("column %s numbers all rows that are "
    .. "there"):format(item.name),
    item and ("op.create_sequence(%s)\n"):format(safe.text(relation.name .. "_" .. item.name))
      .. new_column(relation, item.name, item.now.type, ("nextval('%s_%s')"):format(relation.name,
        item.name))
end

local function of_generated(facts, entry, relation)
  local item = added(facts, entry, relation, function(column)
    return column.generated
  end)
  for _, name in ipairs({ "default", "generated" }) do
    local changed = facts:columns(entry, name)[1]
    item = item or (changed and changed.now.generated and changed.relation == relation and changed)
  end
  if not item then
    return nil
  end
  return item.name, ("column %s is computed and stored for every row"):format(item.name),
    facts.version >= 180000
      and ("op.add_column(%s, op.column(%s, %s, { generated = { sql = %s, virtual = true } }))")
        :format(safe.name(relation), safe.text(item.name), safe.text(item.now.type),
        safe.text(item.now.default or ""))
    or new_column(relation, item.name, item.now.type, item.now.default or "…")
      .. "\n-- and a trigger that keeps it: op.create_trigger(…)"
end

local function of_domain(facts, entry, relation)
  local item = added(facts, entry, relation, function(column)
    return column.is_domain
  end)
  return item and item.name, item and ("column %s is of a domain with conditions, which every "
    .. "row is checked for"):format(item.name),
    item and "-- the type under the domain, and the condition as a CHECK that is validated later\n"
      .. ("op.add_column(%s, op.column(%s, %s))\n"):format(
        safe.name(relation), safe.text(item.name), safe.text(item.now.base_type or "…"))
      .. ("op.create_check_constraint(\"…\", %s, \"…\", { not_valid = true })\n"
        .. "-- in the next revision\nop.validate_constraint(\"…\", %s)"):format(
        safe.name(relation), safe.name(relation))
end

local function of_default(facts, entry, relation)
  local item = added(facts, entry, relation, function(column)
    return column.default
  end)
  if not item then
    return nil
  end
  local owner, name = safe.name(relation), safe.text(item.name)
  return item.name, ("the default of column %s is computed for each row"):format(item.name),
    ("op.add_column(%s, op.column(%s, %s))\nop.alter_column(%s, %s, { default = op.sql(%s) })\n")
      :format(owner, name, safe.text(item.now.type), owner, name, safe.text(item.now.default))
    .. ("-- in the next revision\nop.batch_execute(%s, { table = %s, set = { %s = op.sql(%s) },\n"
      .. "  remaining = %s })"):format(safe.text(relation.name .. "_" .. item.name), owner,
      item.name, safe.text(item.now.default), safe.text(item.name .. " IS NULL"))
end

local function of_vacuum(_, entry, relation)
  local node = entry.kind.node
  if node ~= "VacuumStmt" and node ~= "ClusterStmt" then
    return nil
  end
  return relation.name, node == "ClusterStmt" and "CLUSTER" or "VACUUM FULL",
    "-- pg_repack does it while everybody works; or at a quiet hour, with a comment that says so"
end

local function of_storage(_, entry, relation)
  for _, name in ipairs({ "AT_SetLogged", "AT_SetUnLogged", "AT_SetTableSpace",
    "AT_SetAccessMethod" }) do
    if statement_of.has_command(entry.kind, name) then
      return relation.name, name:gsub("^AT_Set", "SET "):upper() .. " moves the table",
        "-- a new table, filled by op.batch_execute, then renamed; or at a quiet hour"
    end
  end
  return nil
end

local function check_indexes(facts, found)
  for _, entry in ipairs(facts.entries) do
    local _, indexes = facts:rewritten(entry)
    local index = indexes[1]
    if index and not entry.claimed.rewrite and entry.kind.node ~= "ReindexStmt" then
      entry.claimed.scan, entry.claimed.rewrite = true, true
      local item = facts:columns(entry, "type")[1] or facts:columns(entry, "collation")[1]
      found({ entry = entry, subject = index.table, name = item and item.name or index.name,
        message = ("index %s is built anew under ACCESS EXCLUSIVE: reads and writes wait"):format(
          index.name),
        safe = ("op.drop_index(%s, { concurrently = true })\n-- the change of the column, then\n%s")
          :format(safe.name(index), safe.create_index(index)) })
    end
  end
end

local function check_twice(facts, found)
  local first = {}
  for _, entry in ipairs(facts.entries) do
    for _, relation in ipairs((facts:rewritten(entry))) do
      if first[relation] then
        found({ entry = entry, subject = relation, name = relation.name,
          message = ("%s was written anew already, by the statement of line %s"):format(
            relation.shown, first[relation].origin.line or "?"),
          safe = ("op.execute(%s)"):format(safe.text(("ALTER TABLE %s <one change>, <the other>")
            :format(relation.shown))) .. " -- both at once" })
      end
      first[relation] = first[relation] or entry
    end
  end
end

return {
  { id = "REWRITE001", severity = "error", title = "a change of type rewrites the table",
    why = "The new type is stored in another way. These are not: varchar to a longer one or to "
      .. "text, numeric to more digits, timestamp to timestamptz when TimeZone is UTC.",
    safe = 'op.add_column("orders", op.column("id_new", "bigint"))\n-- in the next revision\n'
      .. 'op.batch_execute("orders_id", { table = "orders", set = { id_new = op.sql("id") },\n'
      .. '  remaining = "id_new IS NULL" })', check = rule(of_type) },
  { id = "REWRITE003", severity = "error", title = "a serial or identity column numbers all rows",
    why = "Every row gets a number of its own, so every row is written.",
    safe = 'op.create_sequence("users_number")\nop.add_column("users", op.column("number", '
      .. '"bigint"))\n-- in the next revision\nop.batch_execute("users_number", { table = '
      .. '"users",\n  set = { number = op.sql("nextval(\'users_number\')") }, remaining = '
      .. '"number IS NULL" })',
    check = rule(of_serial) },
  { id = "REWRITE004", severity = "error", title = "a stored generated column",
    why = "GENERATED … STORED computes the column of every row at once.",
    safe = 'op.add_column("users", op.column("email_norm", "text"))\nop.create_trigger(…)\n'
      .. '-- in the next revision\nop.batch_execute("users_email_norm", { table = "users",\n'
      .. '  set = { email_norm = op.sql("lower(email)") }, remaining = "email_norm IS NULL" })',
    check = rule(of_generated) },
  { id = "REWRITE005", severity = "error", title = "a column of a domain with conditions",
    why = "A domain with a CHECK or NOT NULL is checked for every row, also when the column is "
      .. "NULL.",
    safe = 'op.add_column("users", op.column("mail", '
      .. '"text"))\nop.create_check_constraint("mail_at", "users", "mail LIKE \'%@%\'", { '
      .. 'not_valid = true })', check = rule(of_domain) },
  { id = "REWRITE002", severity = "error", title = "a default that is computed for each row",
    why = "A constant default, or now(), is written down once; a volatile one such as "
      .. "gen_random_uuid() is computed for every row.",
    safe = 'op.add_column("users", op.column("token", "uuid"))\n'
      .. 'op.alter_column("users", "token", { default = op.sql("gen_random_uuid()") })\n'
      .. '-- in the next revision\nop.batch_execute("users_token", { table = "users",\n'
      .. '  set = { token = op.sql("gen_random_uuid()") }, remaining = "token IS NULL" })',
    check = rule(of_default) },
  { id = "REWRITE006", severity = "error", title = "VACUUM FULL or CLUSTER",
    why = "Both write the table anew under ACCESS EXCLUSIVE.",
    safe = "-- pg_repack does it while everybody works", check = rule(of_vacuum) },
  { id = "REWRITE007", severity = "error", title = "a table moves",
    why = "LOGGED, UNLOGGED, TABLESPACE and ACCESS METHOD copy the whole table.",
    safe = "-- a new table, filled by op.batch_execute, then renamed", check = rule(of_storage) },
  { id = "REWRITE008", severity = "error", title = "a change of type or collation rebuilds indexes",
    why = "The table stays as it is, but its indexes are in another order, and are built anew.",
    safe = 'op.drop_index("users_email", { concurrently = true })\n'
      .. 'op.alter_column("users", "email", { type = "text", collation = "C" })\n'
      .. 'op.create_index("users_email", "users", { "email" }, { concurrently = true })',
    check = check_indexes },
  { id = "REWRITE010", severity = "warning", title = "a table is rewritten twice",
    why = "One ALTER TABLE with several changes writes the table once.",
    safe = 'op.execute("ALTER TABLE users ALTER n TYPE bigint, ALTER m TYPE bigint")',
    check = check_twice },
  { id = "REWRITE009", severity = "error", title = "a table is rewritten", is_late = true,
    why = "The statement gives the table a new file.", safe = "-- a new table or column, filled by "
      .. "op.batch_execute",
    check = rule(function(_, entry, relation)
      return relation.name, entry.kind.node ~= "RefreshMatViewStmt" and "the statement",
        "-- a new table or column, filled by op.batch_execute"
    end) },
}
