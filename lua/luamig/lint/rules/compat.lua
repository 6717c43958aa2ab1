--- What breaks the version of the application that is still running while the new one comes up.
-- Each has a recipe of three releases: expand, switch, contract.

local recipe = require("luamig.lint.recipe")
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
          safe = recipe.drop(relation.shown, nil,
            ("op.drop_table(%s)"):format(safe.name(relation))) })
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
            severity = severity, safe = text(item, facts, entry) })
        end
      end
    end)
  end
end

local check_dropped_column = column_check("dropped", function(item)
  return ("what still runs names %s.%s"):format(item.relation.shown, item.name)
end, function(item)
  local owner, name, column = safe.name(item.relation), safe.text(item.name), item.before
  return recipe.drop(item.relation.shown .. "." .. item.name,
    column.not_null and not column.default
      and ("op.alter_column(%s, %s, { nullable = true })"):format(owner, name) or nil,
    ("op.drop_column(%s, op.column(%s, %s))"):format(owner, name, safe.text(column.type)))
end)

-- A view under the old name lets both work.
local function has_view(facts, item)
  local name = item.from:find(".", 1, true) and item.from or "public." .. item.from
  return facts.after ~= nil and facts.after.objects["view " .. name] ~= nil
end

local function check_renamed_table(facts, found)
  each_entry(facts, function(entry)
    for _, item in ipairs(entry.renamed) do
      local relation = item.relation
      if not relation.table and facts:is_old(relation) and not has_view(facts, item) then
        found({ entry = entry, subject = relation, name = relation.name,
          message = ("what still runs knows %s under that name, not as %s"):format(item.from,
            item.to),
          safe = recipe.rename_table(item.from, item.to, item.is_moved) })
      end
    end
  end)
end

local check_renamed_column = column_check("renamed", function(item)
  return ("what still runs knows %s.%s under that name, not as %s"):format(item.relation.shown,
    item.before.name, item.now.name)
end, function(item)
  return recipe.replace_column({ relation = item.relation, old = item.before.name,
    new = item.now.name, type = item.now.type, old_type = item.now.type })
end)

local check_required = column_check("added", function(item)
  local column = item.now
  return column.not_null and not column.default and not column.identity and not column.generated
    and ("what still runs does not fill %s.%s: its INSERTs fail"):format(item.relation.shown,
      item.name)
end, function(item, facts)
  return recipe.required_column(item.relation, item.now, facts.version)
end)

-- Where nothing was read, a CHECK has forbidden NULL already.
local check_set_not_null = column_check("not_null", function(item, facts, entry)
  if item.now.not_null and facts:reads(entry, item.relation) then
    return ("what still runs may write NULL into %s.%s"):format(item.relation.shown, item.name),
      item.now.default and "info" or nil
  end
  return nil
end, function(item, facts)
  return recipe.not_null(item.relation, item.name, facts.version)
end)

local check_drop_not_null = column_check("not_null", function(item)
  return not item.now.not_null
    and ("what still runs may not expect NULL in %s.%s"):format(item.relation.shown, item.name)
end, function(item)
  return recipe.three("the application can read NULL in " .. item.name,
    ("op.alter_column(%s, %s, { nullable = true })"):format(safe.name(item.relation),
      safe.text(item.name)), "the application writes NULL")
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
end, function(item, _, entry)
  return recipe.change_type(entry, item)
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
  return recipe.three(("the application always says %s itself"):format(item.name),
    ("op.alter_column(%s, %s, { default = %s })"):format(safe.name(item.relation),
      safe.text(item.name), item.now.default
        and ("op.sql(%s)"):format(safe.text(item.now.default)) or "op.none"),
    "it may leave it to the default again")
end)

local check_identity = column_check("identity", function(item)
  return item.now.identity == "a"
    and ("what still runs may write %s.%s, which PostgreSQL alone numbers from now on"):format(
      item.relation.shown, item.name)
end, function(item)
  return recipe.three(("the application no longer writes %s"):format(item.name),
    ("op.alter_column(%s, %s, { identity = \"always\" })"):format(safe.name(item.relation),
      safe.text(item.name)), "nothing is left to do")
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
          safe = recipe.constraint(constraint) })
      end
    end
  end)
end

local enum_messages = {
  added = "what still runs cannot read the value '%s' of %s",
  renamed = "what still runs knows '%s' of %s under that name, not as '%s'",
  dropped = "what still runs may write the value '%s' of %s, which is gone",
}

local function check_enum(facts, found)
  each_entry(facts, function(entry)
    for _, item in ipairs(entry.enums) do
      local is_renamed = item.what == "renamed"
      found({ entry = entry, name = item.label,
        severity = item.what == "added" and "info" or nil,
        message = enum_messages[item.what]:format(is_renamed and item.from or item.label,
          item.type, item.label),
        safe = recipe.enum(item) })
    end
  end)
end

local code = { view = true, ["function"] = true, procedure = true, aggregate = true, enum = true,
  domain = true, composite = true, sequence = true, schema = true }

-- What its safe way is, in a word: of which kind and name it is.
local function drop_call(identity, object)
  local kind = object.kind
  local name = object.schema and object.schema ~= "public"
    and object.schema .. "." .. object.name or object.name
  if kind == "function" or kind == "procedure" or kind == "aggregate" then
    return ("op.drop_function(%s, { … }) -- %s"):format(safe.text(name), identity)
  elseif kind == "view" or kind == "sequence" or kind == "schema" then
    return ("op.drop_%s(%s)"):format(kind, safe.text(name))
  end
  return ("op.drop_type(%s)"):format(safe.text(name))
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
      found({ entry = facts:entry_of(object, identity), name = object.name,
        message = ("what still runs may use the %s, which is gone"):format(identity),
        safe = recipe.three("the new one stands beside it, under another name or with other "
          .. "arguments", nil, "when no old application runs any more:\n"
          .. drop_call(identity, object), "the application uses the new one") })
    end
  end
end

-- Its columns by name, with their types.
local function types_of(object)
  local out = {}
  for _, column in ipairs(object.columns or {}) do
    out[column.name] = column.type
  end
  return out
end

-- A column that a view had and has no more, or of another type; and the type.
local function lost_column(before, now)
  local types = types_of(now)
  for _, column in ipairs(before.columns or {}) do
    if types[column.name] ~= column.type then
      return column.name, types[column.name]
    end
  end
  return nil
end

local view_kinds = { view = true, ["materialized view"] = true }

local function check_view(facts, found)
  for identity, object in pairs(facts.is_up and facts.after and facts.after.objects or {}) do
    local before = view_kinds[object.kind] and facts.before.objects[identity]
    local name, type = nil, nil
    if before then
      name, type = lost_column(before, object)
    end
    if name then
      found({ entry = facts:entry_of(object, identity), name = object.name,
        message = ("what still runs reads %s of the %s, which %s"):format(name, identity,
          type and "becomes " .. type or "it has no more"),
        safe = recipe.three("a second view beside it, under another name", nil,
          "when no old application runs any more:\n" .. drop_call(identity, object),
          "the application reads the new one") })
    end
  end
end

local function check_security(facts, found)
  for identity, object in pairs(facts.is_up and facts.after and facts.after.objects or {}) do
    local before = facts.before and facts.before.objects[identity]
    if before and object.row_security and not before.row_security then
      found({ entry = facts:entry_of(object, identity), name = object.name,
        message = ("what still runs no longer sees rows of %s that no policy shows"):format(
          identity),
        safe = recipe.security(object.name) })
    end
  end
end

local function rule(id, severity, title, why, check, text)
  return { id = id, severity = severity, title = title, why = why, check = check, safe = text,
    is_compat = true }
end

local both = "While a new version of the application is rolled out, the old one still runs. "

-- Of the examples in the recipes.
local users = { name = "users", schema = "public" }

return {
  rule("COMPAT001", "warning", "a table is dropped that is still in use", both
    .. "It reads and writes the table.", check_dropped_table,
    recipe.drop("logs", nil, 'op.drop_table("logs")')),
  rule("COMPAT002", "warning", "a column is dropped that is still in use", both
    .. "It names the column, if only in SELECT *.", check_dropped_column,
    recipe.drop("users.phone", 'op.alter_column("users", "phone", { nullable = true })',
      'op.drop_column("users", op.column("phone", "text"))')),
  rule("COMPAT003", "warning", "a table is renamed or moved", both .. "It knows the old name. A "
    .. "view under that name, made in the same revision, serves it: it can be written to as well.",
    check_renamed_table, recipe.rename_table("users", "people")),
  rule("COMPAT004", "warning", "a column is renamed", both .. "It knows the old name.",
    check_renamed_column, recipe.replace_column({ relation = users, old = "age", new = "years",
      type = "integer", old_type = "integer" })),
  rule("COMPAT005", "warning", "a new column must be filled", both
    .. "It does not know the column, so its INSERTs fail.", check_required,
    recipe.required_column(users, { name = "role", type = "text" })),
  rule("COMPAT006", "warning", "NULL is no longer allowed", both .. "It may still write NULL.",
    check_set_not_null, recipe.not_null(users, "email")),
  rule("COMPAT007", "warning", "a type becomes another or narrower", both
    .. "It writes values that the new type does not take.", check_type,
    recipe.replace_column({ relation = users, old = "age", new = "age_new", type = "smallint",
      old_type = "integer", forward = function(value)
        return value .. "::smallint"
      end })),
  rule("COMPAT008", "info", "a default changes", both .. "It counts on the default.",
    check_default, recipe.three("the application always says role itself",
      'op.alter_column("users", "role", { default = "guest" })',
      "it may leave it to the default again")),
  rule("COMPAT009", "info", "a new constraint", both .. "It may write what is not allowed any "
    .. "more.", check_constraint, recipe.constraint({ type = "check", name = "age_sane",
      table = users, definition = "CHECK ((age < 200))" })),
  rule("COMPAT010", "warning", "the values of an enum change", both
    .. "It cannot read a value that it does not know.", check_enum,
    recipe.enum({ what = "renamed", type = "mood", from = "happy", label = "glad" })),
  rule("COMPAT011", "warning", "a view, function or type goes", both .. "It may use it.",
    check_code, recipe.three("the new one stands beside it, under another name or with other "
      .. "arguments", nil, "when no old application runs any more:\n"
      .. 'op.drop_view("active_users")', "the application uses the new one")),
  rule("COMPAT012", "info", "NULL becomes possible", both .. "It may not expect NULL.",
    check_drop_not_null, recipe.three("the application can read NULL in email",
      'op.alter_column("users", "email", { nullable = true })', "the application writes NULL")),
  rule("COMPAT013", "warning", "a column becomes GENERATED ALWAYS", both .. "Its INSERTs name it.",
    check_identity, recipe.three("the application no longer writes id",
      'op.alter_column("users", "id", { identity = "always" })', "nothing is left to do")),
  rule("COMPAT014", "warning", "row security begins", both .. "It sees what a policy shows it "
    .. "only.", check_security, recipe.security("users")),
  rule("COMPAT015", "warning", "a view has other columns", both .. "It reads the old ones.",
    check_view, recipe.three("a second view beside it, under another name", nil,
      "when no old application runs any more:\n" .. 'op.drop_view("active_users")',
      "the application reads the new one")),
}
