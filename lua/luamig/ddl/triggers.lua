--- Triggers on tables and views.

local clause = require("luamig.clause")
local quote = require("luamig.quote")
local undo = require("luamig.undo")

local name_parameter = { name = "name", type = "identifier", doc = "name of the trigger" }
local table_parameter = { name = "table", type = "name", doc = "\"table\" or \"schema.table\"" }

local function is_list(v)
  return type(v) == "table"
end

local function event_list(events)
  return is_list(events) and events or { events }
end

local function has_event(args, wanted)
  for _, event in ipairs(event_list(args.events)) do
    if event == wanted then
      return true
    end
  end
  return false
end

local function events(args)
  local out = {}
  for i, event in ipairs(event_list(args.events)) do
    out[i] = event:upper()
    if event == "update" and args.columns then
      out[i] = "UPDATE OF " .. quote.idents(args.columns)
    end
  end
  return table.concat(out, " OR ")
end

local function referencing(spec)
  return spec and clause.words("REFERENCING",
    spec.old and "OLD TABLE AS " .. quote.ident(spec.old),
    spec.new and "NEW TABLE AS " .. quote.ident(spec.new))
end

local function deferrable(args)
  local text
  if args.deferrable or args.initially == "deferred" then
    text = "DEFERRABLE"
  elseif args.deferrable == false then
    text = "NOT DEFERRABLE"
  end
  return clause.words(text, args.initially and "INITIALLY " .. args.initially:upper())
end

local function call(args)
  local out = {}
  for i, argument in ipairs(args.arguments or {}) do
    out[i] = quote.string(type(argument) == "number" and quote.number_text(argument) or argument)
  end
  return ("EXECUTE FUNCTION %s(%s)"):format(quote.name(args.execute), table.concat(out, ", "))
end

local function target(args)
  return quote.ident(args.name) .. " ON " .. quote.name(args.table)
end

local function render_create(args)
  local statements = {
    {
      sql = clause.words("CREATE", args.replace and "OR REPLACE", args.constraint and "CONSTRAINT",
        "TRIGGER", quote.ident(args.name), args.timing:upper(), events(args), "ON",
        quote.name(args.table), args.from_table and "FROM " .. quote.name(args.from_table),
        deferrable(args), referencing(args.referencing), "FOR EACH " .. args.for_each:upper(),
        args.when and "WHEN (" .. clause.sql(args.when) .. ")", call(args)),
    },
  }
  if args.comment then
    statements[2] = clause.comment("TRIGGER " .. target(args), args.comment)
  end
  return statements
end

local function event_defect(args)
  local seen = {}
  for _, event in ipairs(event_list(args.events)) do
    if seen[event] then
      return ("events: '%s' is there twice"):format(event)
    end
    seen[event] = true
  end
  if not next(seen) then
    return "events: the list is empty"
  elseif seen.truncate and args.for_each == "row" then
    return "a truncate trigger is for_each = \"statement\""
  elseif args.columns and not seen.update then
    return "columns goes with the event update"
  end
  return nil
end

local function constraint_defect(args)
  if args.constraint then
    if args.timing ~= "after" or args.for_each ~= "row" then
      return "a constraint trigger is timing = \"after\", for_each = \"row\""
    elseif args.replace then
      return "a constraint trigger cannot be replaced: drop it and make it anew"
    end
    return nil
  end
  for _, name in ipairs({ "deferrable", "initially", "from_table" }) do
    if args[name] ~= nil then
      return name .. " is for constraint triggers: constraint = true"
    end
  end
  return nil
end

local function instead_defect(args)
  if args.timing ~= "instead of" then
    return nil
  elseif args.for_each ~= "row" then
    return "an instead of trigger is for_each = \"row\""
  elseif args.when or args.columns then
    return ("an instead of trigger has no %s"):format(args.when and "when" or "columns")
  end
  return nil
end

local function referencing_defect(args)
  local spec = args.referencing
  if not spec then
    return nil
  elseif args.timing ~= "after" then
    return "referencing is for after triggers"
  elseif not spec.old and not spec.new then
    return "referencing: give old, new or both"
  elseif spec.old and not has_event(args, "update") and not has_event(args, "delete") then
    return "referencing.old is for update and delete"
  elseif spec.new and not has_event(args, "update") and not has_event(args, "insert") then
    return "referencing.new is for insert and update"
  end
  return nil
end

local function check_create(args)
  if args.from and not args.replace then
    return "from goes with replace"
  end
  return event_defect(args) or constraint_defect(args) or instead_defect(args)
    or referencing_defect(args)
end

local event_type = "enum{insert,update,delete,truncate}"

local definition = {
  timing = { type = "enum{before,after,instead of}", required = true, doc = "when it fires" },
  events = {
    type = event_type .. "|list<" .. event_type .. ">",
    required = true,
    doc = "what it fires on: one word or a list",
  },
  columns = { type = "list<identifier>", doc = "UPDATE OF these columns only" },
  for_each = {
    type = "enum{row,statement}",
    required = true,
    doc = "once a row, or once a statement",
  },
  when = { type = "sql_or_string", doc = "condition on OLD and NEW" },
  execute = { type = "name", required = true, doc = "the function, which returns trigger" },
  arguments = { type = "list<string|number>", doc = "what the function finds in TG_ARGV" },
  referencing = {
    type = "fields",
    fields = {
      old = { type = "identifier", doc = "name for the rows as they were" },
      new = { type = "identifier", doc = "name for the rows as they are" },
    },
    doc = "tables of all rows of the statement",
  },
  constraint = { type = "boolean", doc = "a constraint trigger, which may be deferred" },
  deferrable = { type = "boolean", doc = "may fire at COMMIT (a constraint trigger)" },
  initially = { type = "enum{deferred,immediate}", doc = "\"deferred\": fires at COMMIT" },
  from_table = { type = "name", doc = "the other table of a constraint trigger" },
  comment = { type = "string", doc = "comment" },
}

local function optional(fields)
  local out = {}
  for name, field in pairs(fields) do
    out[name] = undo.without(field, { "required" })
  end
  return out
end

local function inverse_create(args)
  if not args.replace then
    return undo.created("drop_trigger", args, { name = args.name, table = args.table }, definition)
  elseif not args.from then
    return nil, "what the trigger was is not known: give what differs as from = { … }"
  end
  local back = undo.with(args, args.from)
  back.from = undo.pick(args, args.from)
  return { op = "create_trigger", args = back }
end

-- ALL and USER are key words of this statement.
local function trigger_word(name)
  return (name == "all" or name == "user") and name:upper() or quote.ident(name)
end

local function switch(args, action)
  return {
    { sql = ("ALTER TABLE %s %s TRIGGER %s"):format(quote.name(args.table), action,
      trigger_word(args.name)) },
  }
end

local switched_parameter = {
  name = "name",
  type = "identifier",
  doc = "name of the trigger; \"user\": all but those of constraints; \"all\": all of them",
}

return {
  {
    name = "create_trigger",
    family = "code",
    summary = "Creates a trigger.",
    doc = "Takes SHARE ROW EXCLUSIVE, which stops writers while it waits.",
    raises = "server 42710 when the table has one of that name, 42883 when there is no such "
      .. "function, 42P17 when the function does not return trigger",
    example = [[op.create_trigger("touch", "users", {
  timing = "before", events = "update", for_each = "row", execute = "set_updated_at",
  when = "OLD.* IS DISTINCT FROM NEW.*",
})]],
    parameters = { name_parameter, table_parameter },
    options = undo.with(definition, {
      replace = { type = "boolean", doc = "take the place of a trigger of that name" },
      from = {
        type = "fields",
        fields = optional(definition),
        doc = "what differed before replace, so that change() can go back",
      },
    }),
    check = check_create,
    render = render_create,
    inverse = inverse_create,
  },
  {
    name = "rename_trigger",
    family = "code",
    summary = "Renames a trigger.",
    doc = "Triggers of one event fire in the order of their names.",
    raises = "server 42704 when there is no such trigger, 42710 when the new name is taken",
    example = [[op.rename_trigger("touch", "users", "a_touch")]],
    parameters = {
      name_parameter,
      table_parameter,
      { name = "new_name", type = "identifier", doc = "its name afterwards" },
    },
    render = function(args)
      return {
        { sql = ("ALTER TRIGGER %s RENAME TO %s"):format(target(args),
          quote.ident(args.new_name)) },
      }
    end,
    inverse = function(args)
      return {
        op = "rename_trigger",
        args = { name = args.new_name, table = args.table, new_name = args.name },
      }
    end,
  },
  {
    name = "enable_trigger",
    family = "code",
    summary = "Lets a trigger fire again.",
    doc = "The way back disables it.",
    raises = "server 42704 when there is no such trigger",
    example = [[op.enable_trigger("touch", "users")]],
    parameters = { switched_parameter, table_parameter },
    options = {
      mode = { type = "enum{replica,always}", doc = "fires on a replica only, or there too" },
    },
    render = function(args)
      return switch(args, clause.words("ENABLE", args.mode and args.mode:upper()))
    end,
    inverse = function(args)
      return { op = "disable_trigger", args = { name = args.name, table = args.table } }
    end,
  },
  {
    name = "disable_trigger",
    family = "code",
    summary = "Keeps a trigger from firing, for everybody.",
    doc = "With \"all\" foreign keys are not checked either, which takes a superuser. The way back "
      .. "enables it, without a mode.",
    raises = "server 42704 when there is no such trigger, 42501 for one of a constraint",
    example = [[op.disable_trigger("touch", "users")]],
    parameters = { switched_parameter, table_parameter },
    render = function(args)
      return switch(args, "DISABLE")
    end,
    inverse = function(args)
      return { op = "enable_trigger", args = { name = args.name, table = args.table } }
    end,
  },
  {
    name = "drop_trigger",
    family = "code",
    summary = "Drops a trigger.",
    raises = "server 42704 when there is no such trigger",
    example = [[op.drop_trigger("touch", "users", { if_exists = true })]],
    parameters = { name_parameter, table_parameter },
    options = {
      if_exists = { type = "boolean", doc = "pass over a trigger that does not exist" },
      cascade = { type = "boolean", doc = "drop what depends on it too" },
      definition = undo.definition(definition),
    },
    render = function(args)
      return {
        { sql = clause.words("DROP TRIGGER", args.if_exists and "IF EXISTS", target(args),
          args.cascade and "CASCADE") },
      }
    end,
    inverse = function(args)
      return undo.dropped("create_trigger", args, { name = args.name, table = args.table })
    end,
  },
}
