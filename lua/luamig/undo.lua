--- Inverses: what an operation has to be told of the past so that change() can go back. A drop
-- takes it as `definition`, a change as `from`: the former values. Pure.

local clause = require("luamig.clause")
local quote = require("luamig.quote")

local undo = {}

undo.CASCADE = "what CASCADE drops along is not known"

---A copy with some entries set.
---@return table
function undo.with(map, more)
  local out = clause.copy(map)
  for name, v in pairs(more) do
    out[name] = v
  end
  return out
end

---A copy without some entries.
---@param names string[]
---@return table
function undo.without(map, names)
  local out = clause.copy(map)
  for _, name in ipairs(names) do
    out[name] = nil
  end
  return out
end

---The option of a drop, `definition`, or of a change, `from`.
---@param fields table<string, table>  what the creating operation takes, besides the name
function undo.definition(fields)
  return { type = "fields", fields = fields, doc = "what it was, so that change() can go back" }
end

---Those of the fields that are set.
---@return table<string, any>
function undo.pick(args, fields)
  local out = {}
  for name in pairs(fields) do
    out[name] = args[name]
  end
  return out
end

---The inverse of a creation: the drop, which knows what it drops.
---@param operation string  the dropping operation
---@param keys table  its arguments
---@param fields table  the fields of its `definition`
function undo.created(operation, args, keys, fields)
  return { op = operation, args = undo.with(keys, { definition = undo.pick(args, fields) }) }
end

---The inverse of a drop: the creation of what `definition` describes.
---@param operation string  the creating operation
---@param keys table  the arguments that `definition` does not hold
---@return table|nil record, string|nil why
function undo.dropped(operation, args, keys)
  if args.cascade then
    return nil, undo.CASCADE
  elseif not args.definition then
    return nil, "what is dropped is not known: give it as definition = { … }"
  end
  return { op = operation, args = undo.with(args.definition, keys) }
end

---The former values of all that is changed; `from` holds them, and gets the present ones.
---@param fields table<string, any>  what can be changed, by name
---@return table|nil args, string|nil why
function undo.changed(args, fields)
  local before = args.from or {}
  local names, back, after = {}, {}, {}
  for name in pairs(fields) do
    names[#names + 1] = name
  end
  table.sort(names)
  for _, name in ipairs(names) do
    if args[name] ~= nil then
      if before[name] == nil then
        return nil, ("what %s was is not known: give it as from = { %s = … }"):format(name, name)
      end
      back[name], after[name] = before[name], args[name]
    end
  end
  back.from = after
  return back
end

---The same for what has a schema: the new name is known, and so is a schema that the name gives.
---@return table|nil args, string|nil why
function undo.moved(args, fields)
  local schema, base = quote.split_name(args.name)
  local from = clause.copy(args.from or {})
  from.schema = from.schema or schema
  local back, why = undo.changed(undo.with(args, { from = from }), fields)
  if not back then
    return nil, why
  end
  back.name = args.schema and clause.dotted(args.schema, base) or args.name
  return back
end

---The inverse of a rename inside one schema.
---@param args { name: string, new_name: string }
function undo.renamed(operation, args)
  local schema, base = quote.split_name(args.name)
  local back = clause.copy(args)
  back.name, back.new_name = clause.dotted(schema, args.new_name), base
  return { op = operation, args = back }
end

---What is wrong with an ALTER that changes nothing, or nil.
function undo.nothing(args, fields)
  local names = {}
  for name in pairs(fields) do
    if args[name] ~= nil then
      return nil
    end
    names[#names + 1] = name
  end
  table.sort(names)
  return "nothing to change: give at least one of " .. table.concat(names, ", ")
end

return undo
