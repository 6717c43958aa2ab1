--- Definitions that work today and are regretted later. They speak of what the revision makes.

local safe = require("luamig.lint.safe")
local statement_of = require("luamig.trace.statement")

-- What is there behind an upgrade.
local function objects_after(facts)
  return facts.is_up and facts.after and facts.after.objects or {}
end

local function new_objects(facts)
  local out = {}
  for identity, object in pairs(objects_after(facts)) do
    out[identity] = not facts.before.objects[identity] and object or nil
  end
  return out
end

-- Columns that the revision makes: of new tables and in old ones.
local function new_columns(facts, visit)
  if not facts.is_up then
    return
  end
  for identity, object in pairs(facts.after and facts.after.objects or {}) do
    local before = facts.before.objects[identity]
    if object.kind == "table" and not object.partition_of then
      local known = {}
      for _, column in ipairs(before and before.columns or {}) do
        known[column.name] = true
      end
      for _, column in ipairs(object.columns) do
        if not known[column.name] then
          visit(object, column, before)
        end
      end
    end
  end
end

local function entry_of(facts, ...)
  for _, entry in ipairs(facts.entries) do
    local has_all = true
    for _, word in ipairs({ ... }) do
      has_all = has_all and entry.sql:find(word, 1, true) ~= nil
    end
    if has_all then
      return entry
    end
  end
  return nil
end

local function key_columns(facts)
  local out = {}
  for _, object in pairs(facts.after and facts.after.objects or {}) do
    if object.kind == "constraint" and object.type == "primary_key" and #object.columns == 1 then
      out[object.parent .. "." .. object.columns[1]] = true
    end
  end
  return out
end

local function check_key(facts, found)
  local keys = key_columns(facts)
  new_columns(facts, function(object, column)
    local is_key = keys["table " .. object.schema .. "." .. object.name .. "." .. column.name]
    if is_key and (column.identity or column.serial)
      and (column.type == "integer" or column.type == "smallint") then
      found({ entry = entry_of(facts, object.name, column.name), name = column.name,
        message = ("the key %s.%s ends at %s"):format(object.name, column.name,
          column.type == "integer" and "2147483647" or "32767"),
        safe = ("op.column(%s, \"bigint\", { primary_key = true, identity = \"always\" })"):format(
          safe.text(column.name)) })
    end
  end)
end

local better = {
  json = { "jsonb", "json has no equality: SELECT DISTINCT and UNION fail" },
  money = { "numeric(12,2)", "money depends on lc_monetary" },
  ["timestamp without time zone"] = { "timestamptz", "which moment it is depends on who reads it" },
  ["time with time zone"] = { "timestamptz", "an offset without a day says nothing" },
}

local function check_type(facts, found)
  new_columns(facts, function(object, column)
    local entry = better[column.type]
    local is_char = column.type:find("^character%(") and column.type ~= "character(1)"
    if entry or is_char then
      local other, reason = "text", "char(n) is filled up with blanks"
      if entry then
        other, reason = entry[1], entry[2]
      end
      found({ entry = entry_of(facts, object.name, column.name), name = column.name,
        message = ("%s.%s is %s: %s"):format(object.name, column.name, column.type, reason),
        safe = ("op.column(%s, %s)"):format(safe.text(column.name), safe.text(other)) })
    end
  end)
end

local function columns_by_name(facts, identity)
  local out = {}
  local object = facts.after.objects[identity]
  for _, column in ipairs(object and object.columns or {}) do
    out[column.name] = column
  end
  return out
end

local function check_reference_type(facts, found)
  for _, object in pairs(new_objects(facts)) do
    if object.type == "foreign_key" then
      local own = columns_by_name(facts, object.parent)
      local others = columns_by_name(facts, object.references.table)
      for i, name in ipairs(object.columns) do
        local a, b = own[name], others[(object.references.columns or {})[i] or ""]
        if a and b and a.type ~= b.type then
          found({ entry = entry_of(facts, name), name = name,
            message = ("%s is %s and refers to %s, which is "
              .. "%s"):format(name, a.type, b.name, b.type),
            safe = ("op.column(%s, %s)"):format(safe.text(name), safe.text(b.type)) })
        end
      end
    end
  end
end

local function is_plain_index(object)
  return object.kind == "index" and object.method == "btree" and not object.where
    and not object.expressions
end

local function begins_with(longer, shorter)
  for i, name in ipairs(shorter) do
    if longer[i] ~= name then
      return false
    end
  end
  return #longer > #shorter
end

local function check_redundant(facts, found)
  for _, object in pairs(new_objects(facts)) do
    if is_plain_index(object) and not object.unique then
      for _, other in pairs(facts.after.objects) do
        if other ~= object and other.parent == object.parent and is_plain_index(other)
          and begins_with(other.columns or {}, object.columns or {}) then
          found({ entry = entry_of(facts, object.name), name = object.name,
            message = ("index %s does what %s does too"):format(object.name, other.name),
            safe = "-- leave it out" })
        end
      end
    end
  end
end

local function check_definer(facts, found)
  for _, object in pairs(new_objects(facts)) do
    local definition = object.kind == "function" and object.definition
    if definition and definition:find("SECURITY DEFINER", 1, true)
      and not definition:find("SET search_path", 1, true) then
      found({ entry = entry_of(facts, object.name), name = object.name,
        message = ("%s runs with its owner's rights on names that the caller's search_path decides")
          :format(object.name),
        safe = "op.create_function(…, { security_definer = true, set = { search_path = "
          .. "\"pg_catalog, app\" } })" })
    end
  end
end

local function check_policies(facts, found)
  local has = {}
  for _, object in pairs(objects_after(facts)) do
    if object.kind == "policy" then
      has[object.parent] = true
    end
  end
  for identity, object in pairs(objects_after(facts)) do
    local before = facts.before.objects[identity]
    if object.row_security and not (before and before.row_security) and not has[identity] then
      found({ entry = entry_of(facts, object.name), name = object.name,
        message = ("row security of %s is on and no policy is there: nobody but the owner sees "
          .. "a row")
          :format(object.name),
        safe = ("op.create_policy(\"…\", %s, { … })"):format(safe.text(object.name)) })
    end
  end
end

local function check_autovacuum(facts, found)
  for identity, object in pairs(objects_after(facts)) do
    local before = facts.before.objects[identity]
    local is_off = (object.options or {}).autovacuum_enabled == "false"
    local was_off = before and (before.options or {}).autovacuum_enabled == "false"
    if object.kind == "table" and is_off and not was_off then
      found({ entry = entry_of(facts, object.name), name = object.name,
        message = ("autovacuum of %s is off: it grows, and ends at the wraparound"):format(
          object.name),
        safe = ("op.alter_table_set(%s, { with = { autovacuum_vacuum_scale_factor = 0.01 } })")
          :format(safe.text(object.name)) })
    end
  end
end

local function primary_keys(objects)
  local out = {}
  for _, object in pairs(objects) do
    if object.kind == "constraint" and object.type == "primary_key" then
      out[object.parent] = true
    end
  end
  return out
end

local function check_keyless(facts, found)
  local now = primary_keys(objects_after(facts))
  local before = facts.is_up and primary_keys(facts.before.objects) or {}
  for identity, object in pairs(objects_after(facts)) do
    local is_new = not facts.before.objects[identity]
    if object.kind == "table" and not object.partition_of and not now[identity]
      and (is_new or before[identity]) then
      found({ entry = facts:entry_of(object, identity), name = object.name,
        message = ("%s has no primary key: logical replication refuses UPDATE and DELETE, and "
          .. "batches have no order to go by"):format(object.name),
        safe = "op.column(\"id\", \"bigint\", { primary_key = true, identity = \"always\" })" })
    end
  end
end

local changing = { now = true, random = true, clock_timestamp = true, statement_timestamp = true,
  transaction_timestamp = true, timeofday = true, gen_random_uuid = true, nextval = true,
  currval = true, current_setting = true, age = true }

-- The name of a function whose value changes with time, session or tables, in a parse tree.
local function changing_call(tree, own)
  for key, item in pairs(tree) do
    local name
    if key == "SQLValueFunction" then
      name = "the time or the session"
    elseif key == "FuncCall" then
      local parts = item.funcname
      local last = parts[#parts].String.sval
      name = (changing[last] or own[last]) and last .. "()" or nil
    end
    name = name or type(item) == "table" and changing_call(item, own) or nil
    if name then
      return name
    end
  end
  return nil
end

-- Functions of the project that are not IMMUTABLE.
local function own_functions(facts)
  local out = {}
  for _, object in pairs(objects_after(facts)) do
    if object.kind == "function" and not (object.definition or ""):find("IMMUTABLE", 1, true) then
      out[object.name] = true
    end
  end
  return out
end

local function check_changing(facts, found)
  local own
  for _, entry in ipairs(facts.is_up and facts.entries or {}) do
    for _, item in ipairs(entry.constraints) do
      local constraint = item.constraint
      if item.what == "added" and constraint.type == "check" then
        own = own or own_functions(facts)
        local kind = statement_of.kind("SELECT " .. safe.check_text(constraint.definition))
        local name = changing_call(kind.tree, own)
        if name then
          found({ entry = entry, name = constraint.name,
            message = ("%s depends on %s: a row that was right need not stay so, and a dump of it "
              .. "may not be restored"):format(constraint.name, name),
            safe = "-- a trigger that checks rows when they are written\nop.create_trigger(…)" })
        end
      end
    end
  end
end

local function check_serial(facts, found)
  new_columns(facts, function(object, column)
    if column.serial then
      found({ entry = entry_of(facts, object.name, column.name), name = column.name,
        message = ("%s.%s is serial: its sequence has rights of its own, and LIKE shares it")
          :format(object.name, column.name),
        safe = ("op.column(%s, \"bigint\", { identity = \"always\" })"):format(
          safe.text(column.name)) })
    end
  end)
end

local MOST_COLUMNS <const> = 3

local function check_wide(facts, found)
  for _, object in pairs(new_objects(facts)) do
    if is_plain_index(object) and not object.unique and #(object.columns or {}) > MOST_COLUMNS then
      found({ entry = entry_of(facts, object.name), name = object.name,
        message = ("index %s has %d columns: beyond the third one a column rarely helps a search, "
          .. "and every write pays for it"):format(object.name, #object.columns),
        safe = "-- the columns that searches name first; the others by include = { … }" })
    end
  end
end

local function check_enforced(facts, found)
  for _, entry in ipairs(facts.is_up and facts.entries or {}) do
    for _, item in ipairs(entry.constraints) do
      local constraint = item.constraint
      if item.what == "added" and constraint.definition:find("NOT ENFORCED", 1, true) then
        found({ entry = entry, name = constraint.name,
          message = ("%s is not enforced: nobody checks it, new rows included"):format(
            constraint.name),
          safe = "-- NOT VALID leaves the old rows alone and checks the new ones\n"
            .. "op.create_check_constraint(…, { not_valid = true })" })
      end
    end
  end
end

local writes = { insert = true, update = true, delete = true, truncate = true }

local function may_write(privileges)
  for _, item in ipairs(privileges or {}) do
    if writes[item.AccessPriv and item.AccessPriv.priv_name] then
      return true
    end
  end
  return privileges == nil -- ALL
end

local function is_to_public(tree)
  for _, item in ipairs(tree.grantees or {}) do
    if item.RoleSpec and item.RoleSpec.roletype == "ROLESPEC_PUBLIC" then
      return true
    end
  end
  return false
end

local function check_public(facts, found)
  for _, entry in ipairs(facts.is_up and facts.entries or {}) do
    local tree = entry.kind.tree
    if entry.kind.node == "GrantStmt" and tree.is_grant and tree.objtype == "OBJECT_TABLE"
      and is_to_public(tree) and may_write(tree.privileges) then
      found({ entry = entry, name = "PUBLIC",
        message = "every role of the server, also one that is made later, may write",
        safe = "op.grant({ \"insert\", \"update\" }, \"table\", \"users\", { \"app\" })" })
    end
  end
end

local function advice(id, severity, title, why, text, check, since)
  return { id = id, severity = severity, title = title, why = why, safe = text, check = check,
    since = since }
end

return {
  advice("ADVICE002", "info", "a key that ends", "An integer key ends at 2147483647 rows ever "
    .. "made; making it bigint later rewrites the table.",
    'op.column("id", "bigint", { primary_key = true, identity = "always" })', check_key),
  advice("ADVICE003", "info", "a type with a better one", "json, money, timetz and char(n) have "
    .. "surprises that jsonb, numeric, timestamptz and text have not.",
    'op.column("data", "jsonb")', check_type),
  advice("ADVICE004", "warning", "a foreign key of another type", "Every comparison converts, "
    .. "and an integer that refers to a bigint ends early.", 'op.column("user_id", "bigint")',
    check_reference_type),
  advice("ADVICE005", "info", "an index that another one covers", "It costs every write and "
    .. "helps no read.", "-- leave it out", check_redundant),
  advice("ADVICE006", "warning", "SECURITY DEFINER without search_path", "Whoever calls it decides "
    .. "which tables and operators its body means.", 'op.create_function(…, { set = { '
    .. 'search_path = "pg_catalog, app" } })', check_definer),
  advice("ADVICE007", "warning", "row security without a policy", "Nobody but the owner sees a "
    .. "row.",
    'op.create_policy("own_rows", "users", { using = "owner = current_user" })', check_policies),
  advice("ADVICE008", "warning", "autovacuum is off", "Dead rows stay, and transaction numbers run "
    .. "out.", 'op.alter_table_set("logs", { with = { autovacuum_vacuum_scale_factor = 0.01 } })',
    check_autovacuum),
  advice("ADVICE009", "info", "a table without a primary key", "Rows cannot be told apart: logical "
    .. "replication refuses to change them, batches and deduplication have nothing to go by.",
    'op.column("id", "bigint", { primary_key = true, identity = "always" })', check_keyless),
  advice("ADVICE010", "warning", "a CHECK that changes its mind", "A CHECK is looked at when a row "
    .. "is written. One that depends on the time, the session or other rows holds then, and not "
    .. "later; pg_restore looks again.",
    "-- a trigger that checks rows when they are written\nop.create_trigger(…)", check_changing),
  advice("ADVICE011", "info", "serial", "An identity column is the standard's word for it: its "
    .. "sequence goes with it, has no rights of its own, and a copy by LIKE gets its own.",
    'op.column("id", "bigint", { primary_key = true, identity = "always" })', check_serial),
  advice("ADVICE012", "info", "an index of many columns", "A search uses the first columns; every "
    .. "write pays for all.", 'op.create_index("orders_user", "orders", { "user_id", "day" }, '
    .. '{ include = { "total" } })', check_wide),
  advice("ADVICE013", "warning", "a constraint that is not enforced", "NOT ENFORCED is a remark, "
    .. "not a check: rows that break it come in.",
    'op.create_check_constraint("age_sane", "users", "age < 200", { not_valid = true })',
    check_enforced, 180000),
  advice("ADVICE014", "warning", "everybody may write", "PUBLIC is every role of the server.",
    'op.grant({ "select" }, "table", "users", { "app" })', check_public),
}
