--- What takes more than one release of the application, written out for the case at hand: each
-- step is a revision that old and new application both live with.

local safe = require("luamig.lint.safe")

local recipe = {}

-- The words of a condition or an expression name their column; only that name is another one.
local function plain(name)
  return require("luamig.quote").ident(name)
end

local keywords = { ["and"] = true, ["end"] = true, ["for"] = true, ["function"] = true,
  ["if"] = true, ["in"] = true, ["local"] = true, ["nil"] = true, ["not"] = true, ["or"] = true,
  ["repeat"] = true, ["return"] = true, ["then"] = true, ["until"] = true, ["while"] = true,
  ["do"] = true, ["else"] = true, ["false"] = true, ["true"] = true, ["break"] = true,
  ["goto"] = true, ["elseif"] = true }

-- A name as the key of a table in Lua.
local function key_of(name)
  return name:find("^[%a_][%w_]*$") and not keywords[name] and name
    or "[" .. safe.text(name) .. "]"
end

local unequal = { json = true, xml = true, point = true, polygon = true, box = true, line = true }

-- Whether a column has another value than before; some types have no equality.
local function is_changed(column, type)
  local cast = unequal[type] and "::text" or ""
  return ("NEW.%s%s IS DISTINCT FROM OLD.%s%s"):format(column, cast, column, cast)
end

-- Whichever of the two columns the application writes, the other follows.
local function sync_body(case)
  local old, new = "NEW." .. plain(case.old), "NEW." .. plain(case.new)
  return ([[
  BEGIN
    IF TG_OP = 'INSERT' THEN
      %s := coalesce(%s, %s);
      %s := coalesce(%s, %s);
    ELSIF %s THEN
      %s := %s;
    ELSIF %s AND OLD.%s IS NOT NULL THEN
      %s := %s;
    END IF;
    RETURN NEW;
  END]]):format(
    new, new, case.forward(old), old, old, case.backward(new),
    is_changed(plain(case.old), case.old_type), new, case.forward(old),
    is_changed(plain(case.new), case.type), plain(case.new), old, case.backward(new))
end

local function fill(case, owner)
  local old, new = plain(case.old), plain(case.new)
  return ("op.batch_execute(%s, { table = %s,\n  set = { %s = op.sql(%s) },\n  remaining = %s })")
    :format(safe.text(case.relation.name .. "_" .. case.new), owner, key_of(case.new),
      safe.text(case.forward(old)), safe.text(("%s IS NULL AND %s IS NOT NULL"):format(new, old)))
end

---A column in the place of another one: of another name, or another type.
---@param case { relation: luamig.trace.Relation, old: string, new: string, type: string,
---  old_type: string, forward?: fun(value: string): string, backward?: fun(value: string): string }
---  forward, backward: SQL that turns a value of the old column into the new one's, and back
---@return string
function recipe.replace_column(case)
  local function same(value)
    return value
  end
  case = setmetatable({ forward = case.forward or same, backward = case.backward or same },
    { __index = case })
  local owner = safe.name(case.relation)
  local sync = safe.text(case.relation.name .. "_" .. case.new .. "_sync")
  return table.concat({
    "-- release 1: a new column, kept by a trigger, then filled in batches",
    ("op.add_column(%s, op.column(%s, %s))"):format(owner, safe.text(case.new),
      safe.text(case.type)),
    ("op.create_function(%s, {}, { returns = \"trigger\", language = \"plpgsql\", body = [[\n%s]] "
      .. "})"):format(sync, sync_body(case)),
    ("op.create_trigger(%s, %s, { timing = \"before\", events = { \"insert\", \"update\" },\n"
      .. "  for_each = \"row\", execute = %s })"):format(sync, owner, sync),
    "-- in the next revision",
    fill(case, owner),
    ("-- release 2: the application uses %s only"):format(case.new),
    "-- release 3, when no old one runs any more",
    ("op.drop_trigger(%s, %s)"):format(sync, owner),
    ("op.drop_function(%s, {})"):format(sync),
    ("op.drop_column(%s, op.column(%s, %s))"):format(owner, safe.text(case.old),
      safe.text(case.old_type)),
  }, "\n")
end

-- `USING amount::numeric / 100` of the statement itself says how values are converted.
local function using_text(entry)
  local commands = entry.kind.tree.cmds
  if not commands or #commands > 1 then
    return nil
  end
  local text = entry.sql:match("%f[%w_][Uu][Ss][Ii][Nn][Gg]%s+(.-)[%s;]*$")
  return text ~= "" and text or nil
end

local function with_value(text, name, value)
  local pattern = "%f[%w_]" .. name:gsub("%W", "%%%0") .. "%f[^%w_]"
  return (text:gsub(pattern, (value:gsub("%%", "%%%%"))))
end

---The recipe for a column whose type changes.
---@param entry luamig.trace.Entry  the statement that changes it at once
---@param item table                its change, of luamig.trace
---@return string
function recipe.change_type(entry, item)
  local using = using_text(entry)
  return recipe.replace_column({
    relation = item.relation, old = item.name, new = item.name .. "_new",
    type = item.now.type, old_type = item.before.type,
    forward = function(value)
      return using and "(" .. with_value(using, item.name, value) .. ")"
        or ("%s::%s"):format(value, item.now.type)
    end,
    backward = function(value)
      return ("%s::%s"):format(value, item.before.type)
    end,
  })
end

local function list_of(columns)
  return table.concat(columns, "\n")
end

---A column that must be filled by those who do not know it yet.
function recipe.required_column(relation, column, version)
  local owner = safe.name(relation)
  return list_of({
    "-- with a constant default nobody has to know it:",
    ("op.add_column(%s, op.column(%s, %s, { nullable = false, default = … }))"):format(owner,
      safe.text(column.name), safe.text(column.type)),
    "-- else, release 1: nobody has to fill it",
    ("op.add_column(%s, op.column(%s, %s))"):format(owner, safe.text(column.name),
      safe.text(column.type)),
    "-- release 2: the application fills it; the rows from before, in batches",
    ("op.batch_execute(%s, { table = %s,\n  set = { %s = … }, remaining = %s })"):format(
      safe.text(relation.name .. "_" .. column.name), owner, key_of(column.name),
      safe.text(plain(column.name) .. " IS NULL")),
    "-- release 3, when no old one runs any more",
    safe.not_null(relation, column.name, version),
  })
end

---A column that may no longer be NULL.
function recipe.not_null(relation, name, version)
  return list_of({
    ("-- release 1: the application always fills %s"):format(name),
    "-- release 2, when no old one runs any more: the rows from before, in batches",
    ("op.batch_execute(%s, { table = %s,\n  set = { %s = … }, remaining = %s })"):format(
      safe.text(relation.name .. "_" .. name .. "_filled"), safe.name(relation), key_of(name),
      safe.text(plain(name) .. " IS NULL")),
    "-- release 3",
    safe.not_null(relation, name, version),
  })
end

---A column or a table that goes.
---@param what string   what the application no longer uses
---@param first? string a call for release 1, as well
---@param last string   the call that drops it
function recipe.drop(what, first, last)
  return list_of({
    ("-- release 1: the application reads %s no more, not even by SELECT *"):format(what),
    "-- release 2: it writes it no more" .. (first and ", nor has to:\n" .. first or ""),
    "-- release 3, when no old one runs any more:",
    last,
  })
end

---Something that application and database change in turns.
---@param first string   what the application does in release 1
---@param call? string   what the revision of release 2 does
---@param last string    what comes in release 3
---@param second? string what the application does in release 2, when there is no call
---@return string
function recipe.three(first, call, last, second)
  return list_of({
    "-- release 1: " .. first,
    call and "-- release 2, when no old one runs any more:\n" .. call
      or "-- release 2: " .. second,
    "-- release 3: " .. last,
  })
end

---@param from string  "users", "app.users"
---@param to string
---@param is_moved? boolean  to another schema
function recipe.rename_table(from, to, is_moved)
  local move = is_moved and to:find(".", 1, true)
    and ("op.alter_table_set(%s, { schema = %s })"):format(safe.text(from),
      safe.text(to:match("^(.-)%.")))
    or is_moved and ("op.alter_table_set(%s, { schema = \"public\" })"):format(safe.text(from))
    or ("op.rename_table(%s, %s)"):format(safe.text(from), safe.text(to:match("[^.]*$")))
  return recipe.three("a view of the old name, in the same revision; it can be written to as well\n"
    .. move .. ("\nop.create_view(%s, %s)"):format(safe.text(from), safe.text("SELECT * FROM "
      .. to)), nil, ("when no old one runs any more:\nop.drop_view(%s)"):format(safe.text(from)),
    "the application uses " .. to)
end

---A constraint that the application must keep to.
function recipe.constraint(constraint)
  local calls
  if constraint.type == "check" or constraint.type == "foreign_key" then
    calls = safe.two_steps(constraint)
  elseif constraint.type == "unique" then
    calls = safe.using_index(constraint, "unique")
  else
    calls = "-- the constraint"
  end
  return recipe.three("the application keeps to it", calls, "it may rely on it")
end

---@param item { what: string, type: string, label: string, from?: string }
function recipe.enum(item)
  local type, label = safe.text(item.type), safe.text(item.label)
  if item.what == "added" then
    return recipe.three(("an application that can read '%s'\nop.add_enum_value(%s, %s)"):format(
      item.label, type, label), nil, "nothing is left to do", "it writes it")
  elseif item.what == "dropped" then
    return recipe.three(("the application no longer writes '%s', and can read the rows that have it"
      ):format(item.label), nil, "the type without it", "no row has it: op.batch_execute(…)")
  end
  return recipe.three(("an application that can read both\nop.add_enum_value(%s, %s)"):format(type,
    label), nil, ("no row has '%s' any more: op.batch_execute(…); the value itself stays"):format(
    item.from), ("it writes '%s'"):format(item.label))
end

---@param name string  of the table
function recipe.security(name)
  return recipe.three(("a policy that shows the application what it sees today\n"
    .. "op.create_policy(\"all_rows\", %s, { using = \"true\" })"):format(
    safe.text(name)), ("op.enable_row_security(%s)"):format(safe.text(name)),
    "policies that show less")
end

return recipe
