--- Functions and procedures.

local clause = require("luamig.clause")
local placement = require("luamig.placement")
local quote = require("luamig.quote")
local routine = require("luamig.routine")
local undo = require("luamig.undo")
local value = require("luamig.value")

-- Settings that are lists of names: a string with a comma in it would be one name.
local list_settings = {
  search_path = true, temp_tablespaces = true, local_preload_libraries = true,
  session_preload_libraries = true,
}

local function setting_value(v)
  if type(v) ~= "table" or value.is(v) then
    return quote.literal(v)
  end
  local out = {}
  for i, item in ipairs(v) do
    out[i] = quote.string(item)
  end
  return table.concat(out, ", ")
end

local function settings(map)
  local names, out = {}, {}
  for name in pairs(map or {}) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    out[i] = ("SET %s TO %s"):format(quote.name(name), setting_value(map[name]))
  end
  return table.concat(out, " ")
end

local function settings_defect(map)
  for name, v in pairs(map or {}) do
    if list_settings[name] and type(v) == "string" and v:find(",", 1, true) then
      return ("set.%s: the string '%s' is one name; write a list: { \"a\", \"b\" }")
        :format(name, v)
    end
  end
  return nil
end

local function body_clause(args)
  local body = clause.sql(args.body)
  if args.language:lower() == "sql" and routine.is_standard(body) then
    return (clause.unended(body):gsub("^%s+", ""))
  end
  return "AS " .. routine.dollar_quoted(body)
end

local function strict(v)
  if v == nil then
    return nil
  end
  return v and "STRICT" or "CALLED ON NULL INPUT"
end

local function security(v)
  if v == nil then
    return nil
  end
  return v and "SECURITY DEFINER" or "SECURITY INVOKER"
end

local function cost(word, v)
  return v and word .. " " .. quote.number_text(v)
end

local function attributes(args)
  return clause.words("LANGUAGE " .. quote.ident(args.language:lower()),
    args.volatility and args.volatility:upper(), args.leakproof and "LEAKPROOF",
    strict(args.strict), security(args.security_definer),
    args.parallel and "PARALLEL " .. args.parallel:upper(), cost("COST", args.cost),
    cost("ROWS", args.rows), settings(args.set))
end

local function kind_of(args)
  return (args.kind or "function"):upper()
end

local function render_create(args)
  local statements = {
    {
      sql = clause.words("CREATE", args.replace and "OR REPLACE", kind_of(args),
        quote.name(args.name) .. "(" .. routine.declaration(args.arguments) .. ")",
        args.returns and "RETURNS " .. args.returns, attributes(args), body_clause(args)),
    },
  }
  if args.comment then
    statements[2] = clause.comment(
      kind_of(args) .. " " .. routine.signature(args.name, args.arguments), args.comment)
  end
  return statements
end

local only_function = {
  "returns", "volatility", "leakproof", "strict", "parallel", "cost", "rows",
}

local function result_defect(args)
  if args.kind == "procedure" then
    for _, name in ipairs(only_function) do
      if args[name] ~= nil then
        return name .. " is for functions, not for procedures"
      end
    end
  elseif not args.returns and not routine.has_output(args.arguments) then
    return "returns is missing: a type, \"void\", \"trigger\", \"SETOF t\", \"TABLE (a integer)\""
  end
  return nil
end

local function check_create(args)
  if args.from and not args.replace then
    return "from goes with replace"
  end
  return routine.defect(args.arguments) or result_defect(args) or settings_defect(args.set)
end

local procedure_definition = {
  body = {
    type = "sql_or_string",
    required = true,
    doc = "the body; with language sql it may be RETURN … or BEGIN ATOMIC … END",
  },
  language = { type = "string", required = true, doc = "\"sql\", \"plpgsql\" …" },
  security_definer = { type = "boolean", doc = "runs with the rights of its owner" },
  set = {
    type = "map<string|number|boolean|list<string>|sql>",
    doc = "settings while it runs: { search_path = { \"app\", \"pg_temp\" } }",
  },
  comment = { type = "string", doc = "comment" },
}

local definition = undo.with(procedure_definition, {
  returns = { type = "type", doc = "the type of its result; not needed with OUT arguments" },
  volatility = {
    type = "enum{immutable,stable,volatile}",
    doc = "what the result depends on; volatile when left out",
  },
  leakproof = { type = "boolean", doc = "tells nothing of its arguments but the result" },
  strict = { type = "boolean", doc = "the result is NULL when an argument is" },
  parallel = { type = "enum{safe,restricted,unsafe}", doc = "unsafe when left out" },
  cost = { type = "number", doc = "estimated cost, in units of cpu_operator_cost" },
  rows = { type = "number", doc = "estimated number of rows" },
})

-- What replace took away: fields that `from` does not mention stayed as they are.
local function inverse_replace(args, operation, fields)
  local back, before = clause.copy(args), {}
  for name in pairs(fields) do
    if args.from[name] ~= nil then
      back[name], before[name] = args.from[name], args[name]
    end
  end
  back.from = before
  return { op = operation, args = back }
end

local function inverse_create(args, operation, fields)
  if args.replace and not args.from then
    return nil, "what it was is not known: give what differs as from = { body = … }, or "
      .. "from = op.none when there was none"
  elseif args.replace and not value.is(args.from, "none") then
    return inverse_replace(args, operation, fields)
  end
  return undo.created(operation:gsub("create", "drop"), args, {
    name = args.name,
    arguments = args.arguments,
    kind = operation == "create_function" and args.kind or nil,
  }, fields)
end

local function optional(fields)
  local out = {}
  for name, field in pairs(fields) do
    out[name] = undo.without(field, { "required" })
  end
  return out
end

local function create_options(fields)
  return undo.with(fields, {
    replace = { type = "boolean", doc = "take the place of one with the same arguments" },
    from = {
      type = "none|fields",
      fields = optional(fields),
      doc = "what differed before replace, for change(); op.none: there was none",
    },
  })
end

local kind_option = {
  type = "enum{function,procedure,aggregate,routine}",
  default = "function",
  doc = "\"procedure\", \"aggregate\", or \"routine\" for any of them",
}

local function render_drop(args)
  return {
    { sql = clause.words("DROP", kind_of(args), args.if_exists and "IF EXISTS",
      routine.signature(args.name, args.arguments), args.cascade and "CASCADE") },
  }
end

local function inverse_drop(args, operation)
  if args.kind == "aggregate" or args.kind == "routine" then
    return nil, args.kind == "routine" and "which kind it was is not known: say it as kind"
      or "there is no operation that makes an aggregate"
  end
  return undo.dropped(operation, args, {
    name = args.name,
    arguments = args.arguments or {},
    kind = operation == "create_function" and args.kind or nil,
  })
end

local name_parameter = { name = "name", type = "name", doc = "\"function\" or \"schema.function\"" }

local signature_parameter = undo.with(routine.arguments_parameter, {
  optional = true,
  doc = "the types of its arguments; can be left out when only one has the name",
})

local function drop_options(fields)
  return {
    if_exists = { type = "boolean", doc = "pass over one that does not exist" },
    cascade = { type = "boolean", doc = "drop what depends on it too" },
    definition = undo.definition(fields),
  }
end

local function as_procedure(fn)
  return function(args, ...)
    return fn(undo.with(args, { kind = "procedure" }), ...)
  end
end

local function check_arguments(args)
  return routine.defect(args.arguments)
end

return {
  {
    name = "create_function",
    family = "code",
    summary = "Creates a function.",
    doc = "The body is put between dollar quotes that do not occur in it. A body of language sql "
      .. "that begins with RETURN or BEGIN ATOMIC is in the form of the SQL standard: parsed now, "
      .. "with its dependencies known. replace keeps owner and grants; it cannot change the type "
      .. "of the result or the names of arguments.",
    raises = "server 42723 when one with these arguments exists, 42P13 when replace would change "
      .. "its result, 42601 when the body does not parse",
    example = [[op.create_function("full_name", { "u users" }, {
  returns = "text", language = "sql", volatility = "stable",
  body = "RETURN u.first_name || ' ' || u.last_name",
})]],
    parameters = { name_parameter, routine.arguments_parameter },
    options = undo.with(create_options(definition), {
      kind = {
        type = "enum{function,procedure}",
        default = "function",
        doc = "\"procedure\" makes what CALL runs, as op.create_procedure does",
      },
    }),
    check = check_create,
    render = render_create,
    inverse = function(args)
      return inverse_create(args, "create_function", definition)
    end,
  },
  {
    name = "create_procedure",
    family = "code",
    summary = "Creates a procedure, which CALL runs.",
    doc = "As op.create_function, without a result.",
    raises = "server 42723 when one with these arguments exists, 42601 when the body does not "
      .. "parse",
    example = [[op.create_procedure("archive", { "before date" }, {
  language = "sql", body = "DELETE FROM events WHERE at < before",
})]],
    parameters = { name_parameter, routine.arguments_parameter },
    options = create_options(procedure_definition),
    check = as_procedure(check_create),
    render = as_procedure(render_create),
    inverse = function(args)
      return inverse_create(args, "create_procedure", procedure_definition)
    end,
  },
  {
    name = "rename_function",
    family = "code",
    summary = "Renames a function or procedure.",
    doc = "Triggers and views follow; the text of other functions does not.",
    raises = "server 42883 when there is none, 42723 when the new name is taken",
    example = [[op.rename_function("full_name", { "users" }, "display_name")]],
    parameters = {
      name_parameter,
      undo.without(signature_parameter, { "optional" }),
      { name = "new_name", type = "identifier", doc = "its name afterwards, without a schema" },
    },
    options = { kind = kind_option },
    check = check_arguments,
    render = function(args)
      return {
        { sql = ("ALTER %s %s RENAME TO %s"):format(kind_of(args),
          routine.signature(args.name, args.arguments), quote.ident(args.new_name)) },
      }
    end,
    inverse = function(args)
      return undo.renamed("rename_function", args)
    end,
  },
  {
    name = "alter_function_set",
    family = "code",
    summary = "Gives a function or procedure another owner or schema.",
    doc = "Everything else of it is changed by op.create_function with replace.",
    raises = "server 42883 when there is none, 42501 without the right to",
    example = [[op.alter_function_set("full_name", { "users" }, { owner = "app_owner" })]],
    parameters = { name_parameter, signature_parameter },
    options = undo.with(placement.fields, {
      kind = kind_option,
      from = undo.definition(placement.fields),
    }),
    check = function(args)
      return check_arguments(args) or undo.nothing(args, placement.fields)
    end,
    render = function(args)
      return placement.render(kind_of(args) .. " " .. routine.signature(args.name, args.arguments),
        args)
    end,
    inverse = function(args)
      local back, why = undo.moved(args, placement.fields)
      if not back then
        return nil, why
      end
      back.arguments, back.kind = args.arguments, args.kind
      return { op = "alter_function_set", args = back }
    end,
  },
  {
    name = "drop_function",
    family = "code",
    summary = "Drops a function, procedure or aggregate.",
    raises = "server 42883 when there is none, 42725 when several have the name, 2BP01 when "
      .. "something depends on it",
    example = [[op.drop_function("full_name", { "users" }, { if_exists = true })]],
    parameters = { name_parameter, signature_parameter },
    options = undo.with(drop_options(definition), { kind = kind_option }),
    check = check_arguments,
    render = render_drop,
    inverse = function(args)
      return inverse_drop(args, "create_function")
    end,
  },
  {
    name = "drop_procedure",
    family = "code",
    summary = "Drops a procedure.",
    raises = "server 42883 when there is none, 42725 when several have the name",
    example = [[op.drop_procedure("archive", { "date" })]],
    parameters = { name_parameter, signature_parameter },
    options = drop_options(procedure_definition),
    check = check_arguments,
    render = as_procedure(render_drop),
    inverse = function(args)
      return inverse_drop(args, "create_procedure")
    end,
  },
}
