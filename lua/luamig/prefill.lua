--- What a message says about the change: "add email to users" is a column, "create_orders" a table.
-- Only forms that leave no doubt are read; everything else gets empty functions. Pure.

local prefill = {}

-- A name that holds one of these words is no name of a table or a column.
local doubtful = {}
for word in ([[and check column columns constraint constraints data domain extension foreign
  function functions index indexes indices initial key policy procedure schema sequence table tables
  trigger triggers type types unique view views]]):gmatch("%a+") do
  doubtful[word] = true
end

local NAME <const> = "([%a_][%w_]*)"
local TABLE <const> = "([%a_][%w_]*%.?[%w_]*)"
local COLUMNS <const> = " ?%(([%a_][%w_, ]*)%)"

local function is_clear(name)
  for word in name:lower():gmatch("[^_.]+") do
    if doubtful[word] then
      return false
    end
  end
  return #name <= 63 and not name:find("%.$")
end

local function call(name, ...)
  local arguments = { ... }
  return ("op.%s(%s)"):format(name, table.concat(arguments, ", "))
end

local function q(name)
  return '"' .. name .. '"'
end

local function column(name)
  return call("column", q(name), '"text"')
end

local function table_lines(name)
  return {
    ('op.create_table("%s", {'):format(name),
    '  op.column("id", "bigint", { primary_key = true, identity = "always" }),',
    "})",
  }
end

local function create_table(name)
  local lines = table_lines(name)
  table.insert(lines, 3, "  -- and so on: luamig help op.create_table, op.column")
  return { upgrade = lines, downgrade = { call("drop_table", q(name)) } }
end

local function drop_table(name)
  local back = table_lines(name)
  table.insert(back, 1, "-- the table as it was; its rows are gone")
  return {
    upgrade = { call("drop_table", q(name)) },
    downgrade = back,
    header = { ('data_loss = "the rows of %s"'):format(name) },
  }
end

local function add_column(name, to)
  return {
    upgrade = { call("add_column", q(to), column(name)) },
    downgrade = { call("drop_column", q(to), q(name)) },
  }
end

local function drop_column(name, from)
  return {
    upgrade = { call("drop_column", q(from), q(name)) },
    downgrade = {
      "-- the column as it was; its values are gone",
      call("add_column", q(from), column(name)),
    },
    header = { ('data_loss = "the values of %s.%s"'):format(from, name) },
  }
end

local function rename_column(old, new, of)
  return {
    upgrade = { call("rename_column", q(of), q(old), q(new)) },
    downgrade = { call("rename_column", q(of), q(new), q(old)) },
  }
end

-- The new name stands without a schema: renaming does not move a table.
local function rename_table(old, new)
  local schema, bare = old:match("^(.*%.)(.*)$")
  if new:find(".", 1, true) then
    return nil
  end
  return {
    upgrade = { call("rename_table", q(old), q(new)) },
    downgrade = { call("rename_table", q((schema or "") .. new), q(bare or old)) },
  }
end

-- Named as PostgreSQL would: users_email_idx.
local function add_index(on, list, is_unique)
  local names, quoted = {}, {}
  for name in list:gmatch("[%w_]+") do
    names[#names + 1] = name
    quoted[#quoted + 1] = q(name)
  end
  local schema, bare = on:match("^(.*%.)(.*)$")
  local index = ("%s_%s_idx"):format(bare or on, table.concat(names, "_"))
  if #index > 63 then
    return nil
  end
  local columns = ("{ %s }"):format(table.concat(quoted, ", "))
  local create = is_unique and call("create_index", q(index), q(on), columns, "{ unique = true }")
    or call("create_index", q(index), q(on), columns)
  return { upgrade = { create }, downgrade = { call("drop_index", q((schema or "") .. index)) } }
end

local function add_unique_index(on, list)
  return add_index(on, list, true)
end

local function create_schema(name)
  return {
    upgrade = { call("create_schema", q(name)) },
    downgrade = { call("drop_schema", q(name)) },
  }
end

local function create_extension(name)
  return {
    upgrade = { call("create_extension", q(name)) },
    downgrade = { call("drop_extension", q(name)) },
  }
end

-- The first form that fits is the one; "~" stands for a space or "_".
local forms = {}

local function form(fn, ...)
  for _, pattern in ipairs({ ... }) do
    forms[#forms + 1] = { fn = fn, pattern = "^" .. pattern .. "$" }
  end
end

form(add_unique_index, "add~unique~index~on~" .. TABLE .. COLUMNS,
  "create~unique~index~on~" .. TABLE .. COLUMNS, "add~unique~index~to~" .. TABLE .. "~on~" .. NAME)
form(add_index, "add~index~on~" .. TABLE .. COLUMNS, "create~index~on~" .. TABLE .. COLUMNS,
  "add~index~to~" .. TABLE .. "~on~" .. NAME)
form(create_schema, "create~schema~" .. NAME, "add~schema~" .. NAME)
form(create_extension, "create~extension~" .. NAME, "add~extension~" .. NAME)
form(add_column, "add~column~" .. NAME .. "~to~" .. TABLE, "add~" .. NAME .. "~column~to~" .. TABLE,
  "add~" .. NAME .. "~to~" .. TABLE)
for _, verb in ipairs({ "drop", "remove" }) do
  form(drop_column, verb .. "~column~" .. NAME .. "~from~" .. TABLE,
    verb .. "~" .. NAME .. "~column~from~" .. TABLE, verb .. "~" .. NAME .. "~from~" .. TABLE)
  form(drop_table, verb .. "~table~" .. TABLE, verb .. "~" .. TABLE .. "~table")
end
form(rename_column, "rename~column~" .. NAME .. "~to~" .. NAME .. "~in~" .. TABLE,
  "rename~" .. NAME .. "~to~" .. NAME .. "~in~" .. TABLE)
form(rename_table, "rename~table~" .. TABLE .. "~to~" .. TABLE,
  "rename~" .. NAME .. "~to~" .. NAME) -- "a.b" could be a column here
form(create_table, "create~table~" .. TABLE, "add~table~" .. TABLE, "create~" .. TABLE .. "~table",
  "create~" .. TABLE)

-- Columns in parentheses are a list; every other capture is one name.
local function are_clear(names)
  for _, name in ipairs(names) do
    for part in name:gmatch("[^, ]+") do
      if not is_clear(part) then
        return false
      end
    end
  end
  return true
end

---The lines of the two functions and of the header, or nil when the message tells nothing.
---@param message string
---@return { upgrade: string[], downgrade: string[], header?: string[] }|nil
function prefill.of(message)
  local text = message:match("^%s*(.-)%s*$"):gsub("^%u", string.lower)
  text = text:gsub("([ _]to[ _][%w_.]+)[ _]table$", "%1")
    :gsub("([ _]from[ _][%w_.]+)[ _]table$", "%1")
  for _, candidate in ipairs(forms) do
    local names = { text:match((candidate.pattern:gsub("~", "[ _]"))) }
    if names[1] then
      return are_clear(names) and candidate.fn(table.unpack(names)) or nil
    end
  end
  return nil
end

return prefill
