--- Records that a plan is made of, and the check that one says all that a definition says.

local call = require("luamig.call")
local clause = require("luamig.clause")
local operations = require("luamig.operations")
local quote = require("luamig.quote")
local scan = require("luamig.diff.scan")
local value = require("luamig.value")

local records = {}

---@param op string
---@param args table<string, any>
---@return table  what op.invoke takes
function records.new(op, args)
  return { op = op, args = args }
end

---@param sql string
---@return table
function records.sql(sql, ...)
  return { op = "execute", args = { sql = select("#", ...) > 0 and sql:format(...) or sql } }
end

---False when a condition holds, else nothing: for options that are only said when they are false.
function records.false_if(condition)
  if condition then
    return false
  end
  return nil
end

---A value, or op.none when there is none.
function records.or_none(v)
  if v == nil then
    return value.none
  end
  return v
end

---Adds the records of a list to another one.
function records.append(out, list)
  table.move(list, 1, #list, #out + 1, out)
end

---The statements that a record renders to, or nil when the operation refuses it.
---@return table[]|nil
function records.statements(record, context)
  local description = operations.get(record.op)
  local ok, statements = pcall(function()
    return description.render(call.check_named(description, record.args), context)
  end)
  return ok and statements or nil
end

---The record when its first statement says what the SQL says, else the SQL itself: an attribute
---that an operation has no word for is never lost.
---@param record table|nil
---@param sql string  one statement, as the server's own functions give it
---@return table record
function records.faithful(record, sql, context)
  local statements = record and records.statements(record, context)
  if statements and statements[1] and scan.same(statements[1].sql, sql) then
    return record
  end
  return records.sql(sql)
end

---`SET (a = 'x')` and `RESET (b)` for what differs between two maps of options.
---@param before table<string, string>|nil
---@param after table<string, string>|nil
---@return string|nil set, string|nil reset
function records.options(before, after)
  before, after = before or {}, after or {}
  local set, reset = {}, {}
  for name, text in pairs(after) do
    if before[name] ~= text then
      set[name] = text
    end
  end
  for name in pairs(before) do
    if after[name] == nil then
      reset[#reset + 1] = quote.name(name)
    end
  end
  table.sort(reset)
  return next(set) and "SET (" .. clause.settings(set) .. ")" or nil,
    reset[1] and "RESET (" .. table.concat(reset, ", ") .. ")" or nil
end

---`OPTIONS (…)` of foreign objects.
---@param options table<string, string>|nil
---@return string|nil
function records.foreign_options(options)
  local list = {}
  for name, text in pairs(options or {}) do
    list[#list + 1] = quote.ident(name) .. " " .. quote.string(text)
  end
  table.sort(list)
  return list[1] and "OPTIONS (" .. table.concat(list, ", ") .. ")" or nil
end

---`OPTIONS (ADD …, SET …, DROP …)` for what differs.
---@return string|nil
function records.foreign_option_changes(before, after)
  before, after = before or {}, after or {}
  local list = {}
  for name, text in pairs(after) do
    if before[name] ~= text then
      list[#list + 1] = ("%s %s %s"):format(before[name] and "SET" or "ADD", quote.ident(name),
        quote.string(text))
    end
  end
  for name in pairs(before) do
    if after[name] == nil then
      list[#list + 1] = "DROP " .. quote.ident(name)
    end
  end
  table.sort(list)
  return list[1] and "OPTIONS (" .. table.concat(list, ", ") .. ")" or nil
end

return records
