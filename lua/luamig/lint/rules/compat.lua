--- What breaks the version of the application that is still running while the new one comes up.
-- Each has a recipe of three releases: expand, switch, contract.

local safe = require("luamig.lint.safe")

local function each_entry(facts, visit)
  for _, entry in ipairs(facts.is_up and facts.entries or {}) do
    visit(entry)
  end
end

local function check_dropped_table(facts, found)
  each_entry(facts, function(entry)
    for _, relation in ipairs(entry.dropped) do
      if not relation.table and facts:is_old(relation) then
        found({ entry = entry, subject = relation, name = relation.name,
          message = ("what still runs reads and writes %s"):format(relation.shown),
          safe = ("-- release 1: the application no longer uses %s\n-- release 2, when no old one "
            .. "runs any more:\nop.drop_table(%s)"):format(relation.shown, safe.name(relation)) })
      end
    end
  end)
end

local function column_check(what, message, text)
  return function(facts, found)
    each_entry(facts, function(entry)
      for _, item in ipairs(facts:columns(entry, what)) do
        local note, severity = message(item, facts, entry)
        if note then
          found({ entry = entry, subject = item.relation, name = item.name, message = note,
            severity = severity, safe = text(item, facts) })
        end
      end
    end)
  end
end

local check_dropped_column = column_check("dropped", function(item)
  return ("what still runs names %s.%s"):format(item.relation.shown, item.name)
end, function(item)
  return ("-- release 1: the application no longer names %s; when it is NOT NULL, first\n"
    .. "op.alter_column(%s, %s, { nullable = true })\n-- release 2, when no old one runs any "
    .. "more:\nop.drop_column(%s, "
    .. "%s)"):format(item.name, safe.name(item.relation), safe.text(item.name),
    safe.name(item.relation), safe.text(item.name))
end)

local function check_renamed_table(facts, found)
  each_entry(facts, function(entry)
    for _, item in ipairs(entry.renamed) do
      local relation = item.relation
      if not relation.table and facts:is_old(relation) then
        found({ entry = entry, subject = relation, name = relation.name,
          message = ("what still runs knows %s under that name, not as %s"):format(item.from,
            item.to),
          safe = ("op.rename_table(…)\nop.create_view(%s, %s) -- in the same revision: the "
            .. "old name works, for writing too\n-- a release later: op.drop_view(%s)"):format(
            safe.text(item.from), safe.text("SELECT * FROM " .. item.to), safe.text(item.from)) })
      end
    end
  end)
end

local check_renamed_column = column_check("renamed", function(item)
  return ("what still runs knows %s.%s under that name, not as %s"):format(item.relation.shown,
    item.before.name, item.now.name)
end, function(item)
  local owner, old, new = safe.name(item.relation), item.before.name, item.now.name
  return ("-- release 1: a new column, kept by a trigger\n"
    .. "op.add_column(%s, op.column(%s, %s))\nop.create_trigger(…)\n"
    .. "op.batch_execute(%s, { table = %s, set = { %s = op.sql(%s) }, remaining = %s })\n"
    .. "-- release 2: the application uses %s\n-- release 3: op.drop_trigger(…)\n"
    .. "op.drop_column(%s, %s)"):format(owner, safe.text(new), safe.text(item.now.type),
    safe.text(item.relation.name .. "_" .. new), owner, new, safe.text(old),
    safe.text(new .. " IS DISTINCT FROM " .. old), new, owner, safe.text(old))
end)

local check_required = column_check("added", function(item)
  local column = item.now
  return column.not_null and not column.default and not column.identity and not column.generated
    and ("what still runs does not fill %s.%s: its INSERTs fail"):format(item.relation.shown,
      item.name)
end, function(item)
  return ("-- release 1\nop.add_column(%s, op.column(%s, %s)) -- or with a default\n"
    .. "-- release 2: the application fills it; then\nop.batch_execute(…)\n-- release "
    .. "3\n%s"):format(
    safe.name(item.relation), safe.text(item.name), safe.text(item.now.type),
    safe.not_null(item.relation, item.name))
end)

-- Where nothing was read, a CHECK has forbidden NULL already.
local check_set_not_null = column_check("not_null", function(item, facts, entry)
  if item.now.not_null and facts:reads(entry, item.relation) then
    return ("what still runs may write NULL into %s.%s"):format(item.relation.shown, item.name),
      item.now.default and "info" or nil
  end
  return nil
end, function(item)
  return ("-- release 1: the application always fills %s\n-- release 2\n%s"):format(item.name,
    safe.not_null(item.relation, item.name))
end)

local check_drop_not_null = column_check("not_null", function(item)
  return not item.now.not_null
    and ("what still runs may not expect NULL in %s.%s"):format(item.relation.shown, item.name)
end, function(item)
  return ("-- release 1: the application can read NULL in %s\n-- release 2\n"
    .. "op.alter_column(%s, %s, { nullable = true })"):format(item.name, safe.name(item.relation),
    safe.text(item.name))
end)

local ranks = { smallint = 1, integer = 2, bigint = 3, numeric = 4 }

local function length_of(type)
  return tonumber(type:match("^character varying%((%d+)%)") or type:match("^character%((%d+)%)"))
end

local function is_text(type)
  return type == "text" or type:find("^character varying") ~= nil
end

local function is_wider_numeric(before, now)
  local p, s = before:match("^numeric%((%d+),(%d+)%)")
  local q, r = now:match("^numeric%((%d+),(%d+)%)")
  if p and q then
    return tonumber(s) <= tonumber(r) and p - s <= q - r
  end
  return p ~= nil and now == "numeric"
end

-- Whether every value of one type is a value of the other, for whoever writes and reads.
local function is_wider(before, now)
  local a, b = ranks[before], ranks[now]
  if a and b then
    return a <= b
  elseif is_text(before) and is_text(now) then
    return not length_of(now) or (length_of(before) or math.huge) <= length_of(now)
  end
  return (before == "cidr" and now == "inet") or is_wider_numeric(before, now)
end

local check_type = column_check("type", function(item)
  return not is_wider(item.before.type, item.now.type)
    and ("what still runs writes %s into %s.%s, which becomes %s"):format(item.before.type,
      item.relation.shown, item.name, item.now.type)
end, function(item)
  local owner, new = safe.name(item.relation), item.name .. "_new"
  return ("-- release 1: a new column, kept by a trigger\nop.add_column(%s, op.column(%s, %s))\n"
    .. "op.create_trigger(…)\nop.batch_execute(…)\n-- release 2: the application uses %s\n"
    .. "-- release 3\nop.drop_column(%s, %s)"):format(owner, safe.text(new),
    safe.text(item.now.type), new, owner, safe.text(item.name))
end)

local check_default = column_check("default", function(item)
  if item.now.generated or item.before.generated or not item.before.default then
    return nil
  end
  return item.now.default
    and ("what still runs counts on the default %s of %s.%s, which becomes %s"):format(
      item.before.default, item.relation.shown, item.name, item.now.default)
    or ("what still runs counts on the default %s of %s.%s"):format(item.before.default,
      item.relation.shown, item.name), not item.now.default and item.now.not_null and "warning"
      or "info"
end, function(item)
  return ("-- release 1: the application always says %s itself\n-- release 2: the default changes")
    :format(item.name)
end)

local check_identity = column_check("identity", function(item)
  return item.now.identity == "a"
    and ("what still runs may write %s.%s, which PostgreSQL alone numbers from now on"):format(
      item.relation.shown, item.name)
end, function(item)
  return ("-- release 1: the application no longer writes %s\n-- release 2: the change"):format(
    item.name)
end)

local function is_old_constraint(facts, constraint)
  local columns = {}
  for _, entry in ipairs(facts.entries) do
    for _, item in ipairs(entry.columns) do
      if item.what == "added" and item.relation == constraint.table then
        columns[item.name] = true
      end
    end
  end
  for _, name in ipairs(constraint.columns) do
    if not columns[name] then
      return true
    end
  end
  return false
end

local function check_constraint(facts, found)
  each_entry(facts, function(entry)
    for _, constraint in ipairs(facts:constraints(entry, "added")) do
      if constraint.type ~= "primary_key" and not constraint.table.parent
        and is_old_constraint(facts, constraint) then
        found({ entry = entry, subject = constraint.table, name = constraint.name,
          message = ("what still runs may write what %s does not allow"):format(constraint.name),
          safe = "-- release 1: the application keeps to it\n-- release 2: the constraint" })
      end
    end
  end)
end

local function check_enum(facts, found)
  each_entry(facts, function(entry)
    for _, item in ipairs(entry.enums) do
      if item.what == "added" then
        found({ entry = entry, name = item.label, severity = "info",
          message = ("what still runs cannot read the value '%s' of %s"):format(item.label,
            item.type),
          safe = "-- release 1: the value, and an application that can read it\n"
            .. "-- release 2: the application writes it" })
      elseif item.what == "renamed" then
        found({ entry = entry, name = item.label,
          message = ("what still runs knows '%s' of %s under that name, not as '%s'"):format(
            item.from, item.type, item.label),
          safe = ("-- release 1\nop.add_enum_value(%s, %s)\n-- release 2: the application "
            .. "writes it; "
            .. "then\nop.batch_execute(…)"):format(safe.text(item.type), safe.text(item.label)) })
      end
    end
  end)
end

local code = { view = true, ["function"] = true, procedure = true, aggregate = true, enum = true,
  domain = true, composite = true, sequence = true, schema = true }

-- The statement that names an object, for what only the snapshots tell.
local function entry_of(facts, name)
  for _, entry in ipairs(facts.entries) do
    if entry.sql:find(name, 1, true) then
      return entry
    end
  end
  return nil
end

local function check_code(facts, found)
  local reported = {}
  for _, entry in ipairs(facts.entries) do
    for _, item in ipairs(entry.renamed) do
      reported[item.relation.name] = true
    end
    for _, relation in ipairs(entry.dropped) do
      reported[relation.name] = relation.kind == "sequence" or nil
    end
  end
  for _, identity in ipairs(facts.is_up and facts:gone(code) or {}) do
    local object = facts.before.objects[identity]
    if not reported[object.name] and object.returns ~= "trigger" then -- which nobody can call
      found({ entry = entry_of(facts, object.name), name = object.name,
        message = ("what still runs may use the %s, which is gone"):format(identity),
        safe = "-- release 1: the application no longer uses it, or a second one with the new "
          .. "arguments beside it\n-- release 2: drop it" })
    end
  end
end

local function check_security(facts, found)
  for identity, object in pairs(facts.is_up and facts.after and facts.after.objects or {}) do
    local before = facts.before and facts.before.objects[identity]
    if before and object.row_security and not before.row_security then
      found({ entry = entry_of(facts, object.name), name = object.name,
        message = ("what still runs no longer sees rows of %s that no policy shows"):format(
          identity),
        safe = "op.create_policy(…) -- first, for the role of the application\n"
          .. "op.enable_row_security(…)" })
    end
  end
end

local function rule(id, severity, title, why, check, recipe)
  return { id = id, severity = severity, title = title, why = why, check = check, safe = recipe,
    is_compat = true }
end

local both = "While a new version of the application is rolled out, the old one still runs. "

return {
  rule("COMPAT001", "warning", "a table is dropped that is still in use", both
    .. "It reads and writes the table.", check_dropped_table,
    '-- release 1: the application no longer uses it\n-- release 2\nop.drop_table("logs")'),
  rule("COMPAT002", "warning", "a column is dropped that is still in use", both
    .. "It names the column, if only in SELECT *.", check_dropped_column,
    '-- release 1: the application no longer names it\n-- release 2\n'
    .. 'op.drop_column("users", op.column("phone", "text"))'),
  rule("COMPAT003", "warning", "a table is renamed or moved", both .. "It knows the old name.",
    check_renamed_table, 'op.rename_table("users", "people")\n'
    .. 'op.create_view("users", "SELECT * FROM people")\n-- a release '
    .. 'later\nop.drop_view("users")'),
  rule("COMPAT004", "warning", "a column is renamed", both .. "It knows the old name.",
    check_renamed_column, '-- release 1: the new column, kept by a trigger, filled in batches\n'
    .. '-- release 2: the application uses the new one\n-- release 3: the old one is dropped'),
  rule("COMPAT005", "warning", "a new column must be filled", both
    .. "It does not know the column, so its INSERTs fail.", check_required,
    'op.add_column("users", op.column("role", "text", { nullable = false, default = "user" }))'),
  rule("COMPAT006", "warning", "NULL is no longer allowed", both .. "It may still write NULL.",
    check_set_not_null, '-- release 1: the application always fills it\n-- release 2: NOT NULL'),
  rule("COMPAT007", "warning", "a type becomes another or narrower", both
    .. "It writes values that the new type does not take.", check_type,
    '-- release 1: a new column, kept by a trigger, filled in batches\n'
    .. '-- release 2: the application uses the new one\n-- release 3: the old one is dropped'),
  rule("COMPAT008", "info", "a default changes", both .. "It counts on the default.",
    check_default, '-- release 1: the application says the value itself\n-- release 2: the '
      .. 'default'),
  rule("COMPAT009", "info", "a new constraint", both .. "It may write what is not allowed any "
    .. "more.",
    check_constraint, '-- release 1: the application keeps to it\n-- release 2: the constraint'),
  rule("COMPAT010", "warning", "the values of an enum change", both
    .. "It cannot read a value that it does not know.", check_enum,
    '-- release 1: the value, and an application that can read it\n-- release 2: it writes it'),
  rule("COMPAT011", "warning", "a view, function or type goes", both .. "It may use it.",
    check_code, '-- release 1: the application no longer uses it\n-- release 2: drop it'),
  rule("COMPAT012", "info", "NULL becomes possible", both .. "It may not expect NULL.",
    check_drop_not_null, '-- release 1: the application can read NULL\n-- release 2: DROP NOT '
      .. 'NULL'),
  rule("COMPAT013", "warning", "a column becomes GENERATED ALWAYS", both .. "Its INSERTs name it.",
    check_identity, '-- release 1: the application no longer writes it\n-- release 2: the change'),
  rule("COMPAT014", "warning", "row security begins", both .. "It sees what a policy shows it "
    .. "only.",
    check_security, 'op.create_policy("all_rows", "users", { … '
      .. '})\nop.enable_row_security("users")'),
}
