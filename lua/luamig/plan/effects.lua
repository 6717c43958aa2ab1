--- What a statement of a plan does besides locking, in words, and where it stands: what the table
-- and the page have in common.

local effects = {}

local function rows_text(item)
  return ("%s rows of %s"):format(item.all and "all"
    or tostring(item.updated + item.deleted + item.inserted), item.table)
end

-- On the database itself the rows that were read are those of production.
local function scans_of(statement)
  local out = {}
  for i, scan in ipairs(statement.scans) do
    out[i] = ("%d rows of %s"):format(scan.tuples, scan.table)
  end
  return out
end

---@param statement table  of luamig.plan
---@return string[]
function effects.of(statement)
  local parts = {}
  local function add(word, list)
    if #list > 0 then
      parts[#parts + 1] = word .. " " .. table.concat(list, ", ")
    end
  end
  add("rewrites", statement.rewrites)
  add("rebuilds", statement.rebuilds)
  add("reads", statement.is_real and scans_of(statement) or statement.reads)
  if statement.batches then
    parts[#parts + 1] = ("rows of %s, in batches"):format(statement.batches)
  end
  for _, item in ipairs(statement.rows) do
    parts[#parts + 1] = rows_text(item)
  end
  add("empties", statement.truncates)
  add("drops", statement.drops)
  add("leaves invalid", statement.invalid)
  return parts
end

---@param statement table
---@return string[]
function effects.locks(statement)
  local out = {}
  for i, lock in ipairs(statement.locks) do
    out[i] = ("%s on %s"):format(lock.mode, lock.table)
  end
  return out
end

---"12", or "12 seed.sql:3" for a statement of another file.
---@param statement table
---@return string
function effects.place(statement)
  local line, script = tostring(statement.line or ""), statement.script
  return script and ("%s %s:%d"):format(line, script.file:match("[^/]*$"), script.line) or line
end

---The statement without the comments before it; a batch by its name.
---@param statement table
---@return string
function effects.sql(statement)
  local text = statement.sql
  if statement.batches then
    text = text:gsub(" %(%x+%)$", "")
  end
  repeat
    local before = text
    text = text:gsub("^%s+", ""):gsub("^%-%-[^\n]*\n", ""):gsub("^/%*.-%*/", "")
  until text == before
  return text
end

return effects
