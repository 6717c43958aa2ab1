--- Names of constraints and indexes that a script leaves unnamed, from the config table `naming`:
--   naming = { pk = "pk_{table}", uq = "uq_{table}_{columns}", ck = "ck_{table}_{columns}",
--              fk = "fk_{table}_{columns}_{referred}", ix = "ix_{table}_{columns}" }
-- A value may be a function of the same fields. Without a pattern PostgreSQL chooses. A name that
-- the script gives is taken as it is.

local quote = require("luamig.quote")
local value = require("luamig.value")

local naming = {}

-- FNV-1a, 32 bits: a short stable mark, no secret.
local function hash(text)
  local h = 0x811c9dc5
  for i = 1, #text do
    h = ((h ~ text:byte(i)) * 0x01000193) & 0xffffffff
  end
  return h
end

-- A name of 63 bytes at most, cut between characters, that still tells long ones apart.
local function cut(name)
  if #name <= quote.NAME_BYTES then
    return name
  end
  local stop = quote.NAME_BYTES - 5
  while stop > 0 and (name:byte(stop + 1) & 0xC0) == 0x80 do
    stop = stop - 1
  end
  return ("%s_%04x"):format(name:sub(1, stop), hash(name) & 0xffff)
end

local function column_words(columns)
  local words = {}
  for i, column in ipairs(columns or {}) do
    local word = value.is(column, "sql") and column.sql:gsub("%W+", "_") or column
    words[i] = word
  end
  return table.concat(words, "_")
end

---@param context table  of the executor; its `naming` is the config's
---@param kind "pk"|"uq"|"fk"|"ck"|"ex"|"nn"|"ix"
---@param fields { table: string, columns?: table, referred?: string, expression?: string }
---@return string|nil  nil: PostgreSQL's own choice
function naming.name(context, kind, fields)
  local pattern = context.naming and context.naming[kind]
  if not pattern then
    return nil
  end
  local _, table_name = quote.split_name(fields.table)
  local words = { table = table_name, columns = column_words(fields.columns) }
  words.column = fields.columns and fields.columns[1] and column_words({ fields.columns[1] }) or ""
  if fields.referred then
    words.referred = select(2, quote.split_name(fields.referred))
  end
  words.hash = ("%08x"):format(hash((fields.expression or "") .. words.columns))
  if type(pattern) == "function" then
    local name = pattern(words)
    return name and cut(name)
  end
  return cut((pattern:gsub("{(%w+)}", words)))
end

return naming
