--- A plan as lines for people.

local plan_table = {}

local SQL_WIDTH <const> = 44

local function cut(text, width)
  text = text:gsub("%s+", " ")
  if (utf8.len(text) or #text) <= width then
    return text
  end
  local at = utf8.offset(text, width)
  return text:sub(1, at - 1) .. "…"
end

local function padded(text, width)
  return text .. (" "):rep(width - (utf8.len(text) or #text))
end

local function effects_of(statement)
  local parts = {}
  local function add(word, list)
    if #list > 0 then
      parts[#parts + 1] = word .. " " .. table.concat(list, ", ")
    end
  end
  add("rewrites", statement.rewrites)
  add("rebuilds", statement.rebuilds)
  add("reads", statement.reads)
  for _, item in ipairs(statement.rows) do
    parts[#parts + 1] = ("%s rows of %s"):format(item.all and "all"
      or tostring(item.updated + item.deleted + item.inserted), item.table)
  end
  add("empties", statement.truncates)
  add("drops", statement.drops)
  return parts
end

local function lock_texts(statement)
  local out = {}
  for _, lock in ipairs(statement.locks) do
    out[#out + 1] = ("%s on %s"):format(lock.mode, lock.table)
  end
  return out
end

-- The cells of a statement, line by line: the first has its text, the others further locks.
local function cells_of(statement)
  local locks, effects = lock_texts(statement), effects_of(statement)
  local rows = {}
  rows[1] = { tostring(statement.line or ""), cut(statement.sql, SQL_WIDTH), locks[1] or "–",
    effects[1] or "", statement.waits, statement.duration, statement.held }
  for i = 2, math.max(#locks, #effects) do
    rows[i] = { "", "", locks[i] or "", effects[i] or "", "", "", "" }
  end
  return rows
end

local titles = { "line", "statement", "lock", "effect", "waits", "takes", "held" }

local function widths_of(rows)
  local widths = {}
  for _, row in ipairs(rows) do
    for i, text in ipairs(row) do
      widths[i] = math.max(widths[i] or 0, utf8.len(text) or #text)
    end
  end
  return widths
end

local function add_revision(lines, revision)
  lines[#lines + 1] = ("%s%s  %s%s"):format(revision.revision, revision.title ~= ""
    and " " .. revision.title or "", revision.file,
    revision.direction == "downgrade" and "  (downgrade)" or "")
  local rows = { titles }
  for _, statement in ipairs(revision.statements) do
    table.move(cells_of(statement), 1, 100, #rows + 1, rows)
  end
  if #rows == 1 then
    lines[#lines + 1] = "  no statement"
  else
    local widths = widths_of(rows)
    for _, row in ipairs(rows) do
      local cells = {}
      for i, text in ipairs(row) do
        cells[i] = padded(text, widths[i])
      end
      lines[#lines + 1] = ("  " .. table.concat(cells, "  ")):gsub("%s+$", "")
    end
  end
  lines[#lines + 1] = ""
end

---@param plan table  of luamig.plan
---@return string[]
function plan_table.lines(plan)
  local lines = {}
  for _, revision in ipairs(plan.revisions) do
    add_revision(lines, revision)
    if revision.failure then
      lines[#lines] = "  does not run: " .. revision.failure
      lines[#lines + 1] = ""
    end
  end
  lines[#lines + 1] = plan.note
  return lines
end

return plan_table
