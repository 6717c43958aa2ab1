--- Pieces of SQL that several families of operations share. Pure.

local fault = require("luamig.fault")
local quote = require("luamig.quote")

local clause = {}

---Stops a rendering: what is asked for cannot be said to this server.
function clause.refuse(message, ...)
  fault.raise({ kind = "operation", message = message:format(...) })
end

---@param context table
---@param major integer  14 to 18
---@return boolean
function clause.since(context, major)
  return (context.server_version or 150000) >= major * 10000
end

---Stops unless the server is new enough.
function clause.need(context, major, what)
  if not clause.since(context, major) then
    clause.refuse("%s needs PostgreSQL %d; the server is %d", what, major,
      context.server_version // 10000)
  end
end

---SQL that came as a string or as op.sql.
---@return string
function clause.sql(v)
  return type(v) == "string" and v or v.sql
end

---SQL that another clause can follow: without a semicolon, its last line no comment.
---@return string
function clause.unended(v)
  local text = clause.sql(v):gsub("[;%s]+$", "")
  return text:match("[^\n]*$"):find("--", 1, true) and text .. "\n" or text
end

---Words with a space between them; what is nil or false is left out.
---@return string
function clause.words(...)
  local out = {}
  for i = 1, select("#", ...) do
    local word = (select(i, ...))
    if word and word ~= "" then
      out[#out + 1] = word
    end
  end
  return table.concat(out, " ")
end

---Columns of a list: names are quoted, op.sql goes in parentheses.
---@return string
function clause.columns(list)
  local out = {}
  for i, column in ipairs(list) do
    out[i] = type(column) == "string" and quote.ident(column) or "(" .. column.sql .. ")"
  end
  return table.concat(out, ", ")
end

---Storage parameters: `fillfactor=70, "toast.x"=…`, by name.
---@return string
function clause.settings(map)
  local names, out = {}, {}
  for name in pairs(map) do
    names[#names + 1] = name
  end
  table.sort(names)
  for i, name in ipairs(names) do
    out[i] = quote.name(name) .. " = " .. quote.literal(map[name])
  end
  return table.concat(out, ", ")
end

---@param target string  what stands after ON: "TABLE t", "COLUMN t.c"
---@param text string|table  op.none takes the comment away
function clause.comment(target, text)
  local literal = type(text) == "string" and quote.string(text) or "NULL"
  return { sql = ("COMMENT ON %s IS %s"):format(target, literal) }
end

---Marks a statement that waits for others instead of blocking them: it runs outside a transaction
---and without lock_timeout.
---@return table  the same statement
function clause.concurrently(statement)
  statement.transactional = false
  statement.lock_timeout = false
  return statement
end

---A copy one level deep: the arguments of an inverse are not those of the record.
function clause.copy(map)
  local out = {}
  for key, v in pairs(map) do
    out[key] = v
  end
  return out
end

---The new name in the old one's schema, as the scripts write names.
---@return string
function clause.renamed(old, new_name)
  local parts = quote.parts(old)
  if not parts[2] then
    return new_name
  end
  return clause.dotted(parts[1], new_name)
end

local function part(name)
  return name:find('[."]') and '"' .. name:gsub('"', '""') .. '"' or name
end

---"schema.name" as scripts write it; a part that holds a dot is put in double quotes.
---@param schema string|nil
---@param name string
function clause.dotted(schema, name)
  return schema and part(schema) .. "." .. part(name) or part(name)
end

return clause
