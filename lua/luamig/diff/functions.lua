--- Functions, procedures and aggregates.

local annotations = require("luamig.diff.annotations")
local names = require("luamig.diff.names")
local quote = require("luamig.quote")
local records = require("luamig.diff.records")
local scan = require("luamig.diff.scan")

local functions = {}

-- The words of a definition between the language and the body, one after the other.
local flags = {
  IMMUTABLE = { "volatility", "immutable" }, STABLE = { "volatility", "stable" },
  STRICT = { "strict", true }, LEAKPROOF = { "leakproof", true },
}

local function read_flags(line, args)
  local words = {}
  for word in line:gmatch("%S+") do
    words[#words + 1] = word
  end
  local at = 1
  while words[at] do
    local word, following = words[at], words[at + 1]
    if flags[word] then
      args[flags[word][1]] = flags[word][2]
    elseif word == "SECURITY" and following == "DEFINER" then
      args.security_definer, at = true, at + 1
    elseif word == "PARALLEL" then
      args.parallel, at = following:lower(), at + 1
    elseif word == "COST" or word == "ROWS" then
      args[word:lower()], at = tonumber(following), at + 1
    else
      return false
    end
    at = at + 1
  end
  return true
end

local function setting_value(text)
  local list = scan.split(text)
  for i, item in ipairs(list) do
    list[i] = item:match("^'(.*)'$") or item:match('^"(.*)"$') or item
    list[i] = list[i]:gsub("''", "'")
  end
  return #list == 1 and list[1] or list
end

local function read_line(line, args)
  local returns = line:match("^ RETURNS (.+)$")
  local language = line:match("^ LANGUAGE (%S+)$")
  local name, text = line:match("^ SET (%S+) TO (.+)$")
  if returns then
    args.returns = returns
  elseif language then
    args.language = scan.name(language, 1)
  elseif name then
    args.set = args.set or {}
    args.set[name] = setting_value(text)
  else
    return read_flags(line, args)
  end
  return true
end

-- The head of the definition and the body behind it.
local function divide(definition)
  local head, mark, rest = definition:match("^(.-)\nAS (%$[%w_]*%$)(.*)$")
  if head then
    local stop = rest:find(mark, 1, true)
    return head, rest:sub(1, stop - 1)
  end
  for _, word in ipairs({ "\nRETURN ", "\nBEGIN ATOMIC\n" }) do
    local at = definition:find(word, 1, true)
    if at then
      return definition:sub(1, at - 1), (definition:sub(at + 1):gsub("%s+$", ""))
    end
  end
  return nil
end

---The arguments of op.create_function; nil when the definition has what it cannot say.
local function args_of(object)
  local head, body = divide(object.definition)
  if not head then
    return nil
  end
  local args = { body = body, arguments = scan.split(object.arguments) }
  local first, rest = head:match("^([^\n]*)\n(.*)$")
  if not first then
    return nil
  end
  for line in (rest .. "\n"):gmatch("(.-)\n") do
    if not read_line(line, args) then
      return nil
    end
  end
  return args
end

local function creation(plan, object, is_replaced)
  local args = args_of(object)
  local op = object.kind == "procedure" and "create_procedure" or "create_function"
  if args then
    args.name = names.of(object)
    args.replace = true
  end
  local record = records.faithful(args and records.new(op, args), object.definition, plan.context)
  if record.op == op then
    args.name = plan:name(object)
    args.replace = is_replaced
    args.comment = not is_replaced and plan.options.comments ~= false and object.comment or nil
  end
  return record, record.op == op
end

local aggregate_words = {
  { "sfunc", "SFUNC", "function" }, { "stype", "STYPE" }, { "sspace", "SSPACE" },
  { "finalfunc", "FINALFUNC", "function" }, { "combinefunc", "COMBINEFUNC", "function" },
  { "serialfunc", "SERIALFUNC", "function" }, { "deserialfunc", "DESERIALFUNC", "function" },
  { "initcond", "INITCOND", "string" }, { "msfunc", "MSFUNC", "function" },
  { "minvfunc", "MINVFUNC", "function" }, { "mstype", "MSTYPE" }, { "msspace", "MSSPACE" },
  { "mfinalfunc", "MFINALFUNC", "function" }, { "minitcond", "MINITCOND", "string" },
  { "sortop", "SORTOP", "operator" },
}

local modifies = { r = "READ_ONLY", s = "SHAREABLE", w = "READ_WRITE" }

local function of_kind(text, kind)
  if kind == "string" then
    return quote.string(text)
  elseif kind == "function" then
    return (text:gsub("%(.*$", ""))
  elseif kind == "operator" then
    local name = text:gsub("%(.*$", "")
    return name:find(".", 1, true) and "OPERATOR(" .. name .. ")" or name
  end
  return type(text) == "number" and ("%d"):format(text) or text
end

local function aggregate_creation(object)
  local out = {}
  for _, row in ipairs(aggregate_words) do
    local text = object[row[1]]
    if text ~= nil then
      out[#out + 1] = row[2] .. " = " .. of_kind(text, row[3])
    end
    local prefix = row[1]:match("^m?finalfunc$")
    if prefix and object[prefix .. "_extra"] then
      out[#out + 1] = prefix:upper() .. "_EXTRA"
    end
    if prefix and text and object[prefix .. "_modify"] then
      out[#out + 1] = prefix:upper() .. "_MODIFY = " .. modifies[object[prefix .. "_modify"]]
    end
  end
  if object.parallel then
    out[#out + 1] = "PARALLEL = " .. object.parallel:upper()
  end
  if object.type == "hypothetical set" then
    out[#out + 1] = "HYPOTHETICAL"
  end
  local arguments = object.arguments == "" and "*" or object.arguments
  return records.sql("CREATE AGGREGATE %s(%s) (\n  %s\n)", names.sql(object), arguments,
    table.concat(out, ",\n  "))
end

local function claims(object)
  return { ["function " .. names.sql(object) .. "(" .. object.signature .. ")"] = true }
end

-- While an old overload is there, a call may mean either.
local function with_overloads(set, object)
  set["overload " .. names.sql(object)] = true
  return set
end

---Makes the node that creates a function, procedure or aggregate.
function functions.create(plan, identity, object)
  local record, has_comment
  if object.kind == "aggregate" then
    record = aggregate_creation(object)
  else
    record, has_comment = creation(plan, object)
  end
  local list = { record }
  annotations.create(plan, object, list, { comment = not has_comment })
  plan:node({
    when = "make", kind = object.kind, identity = identity, gives = { [identity] = true },
    claims = claims(object), prefers = with_overloads({}, object),
    mentions = object.definition, known_as = object.name,
    records = list,
  })
end

---Makes the node that drops a function, procedure or aggregate.
function functions.drop(plan, identity, object)
  local set = plan:with_companions({ [identity] = true })
  local record
  if object.kind == "aggregate" then
    record = records.sql("DROP AGGREGATE %s", names.target(object))
  else
    record = records.new(object.kind == "procedure" and "drop_procedure" or "drop_function", {
      name = plan:name(object), arguments = names.arguments(object),
    })
  end
  plan:node({
    when = "drop", kind = object.kind, identity = identity, takes = set, frees = set,
    vacates = with_overloads(claims(object), object), records = { record },
  })
end

local function without_defaults(arguments)
  local out, defaults = {}, 0
  for i, argument in ipairs(scan.split(arguments)) do
    local at = scan.word(argument, "DEFAULT")
    defaults = defaults + (at and 1 or 0)
    out[i] = at and argument:sub(1, at - 2) or argument
  end
  return table.concat(out, ", "), defaults
end

---@return "replace"|"alter"
function functions.compare(_, before, after)
  if after.kind == "aggregate" then
    local same = require("luamig.snapshot.compare").same_object
    return same(before, after,
      { owners = false, privileges = false, comments = false, labels = false })
      and "alter" or "replace"
  end
  local old, old_defaults = without_defaults(before.arguments)
  local new, new_defaults = without_defaults(after.arguments)
  local is_replaceable = old == new and new_defaults >= old_defaults
    and before.returns == after.returns and before.window == after.window
  return is_replaceable and "alter" or "replace"
end

---Makes the node that changes a function in place.
function functions.alter(plan, identity, before, after)
  local out = {}
  if before.definition ~= after.definition then
    out[1] = creation(plan, after, true)
  end
  annotations.change(plan, before, after, out)
  if out[1] then
    plan:node({
      when = "change", kind = after.kind, identity = identity, records = out,
      gives = { [identity] = true }, frees = { [identity] = true }, mentions = after.definition,
    })
  end
end

return functions
