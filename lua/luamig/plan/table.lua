--- A plan as lines for people.

local effects = require("luamig.plan.effects")

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

-- The cells of a statement, line by line: the first has its text, the others further locks.
local function cells_of(statement)
  local locks, done = effects.locks(statement), effects.of(statement)
  local rows = {}
  rows[1] = { effects.place(statement), cut(effects.sql(statement), SQL_WIDTH), locks[1] or "–",
    done[1] or "", statement.waits, statement.duration, statement.held }
  for i = 2, math.max(#locks, #done) do
    rows[i] = { "", "", locks[i] or "", done[i] or "", "", "", "" }
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
