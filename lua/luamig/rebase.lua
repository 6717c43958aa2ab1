--- Puts revisions onto another head: which files have to change, and the edit of a file, which
-- gives it another parent and leaves every other byte as it was.

local fault = require("luamig.fault")
local revision = require("luamig.revision")

local rebase = {}

local function refuse(message, hint, try)
  fault.raise({ kind = "usage", message = message, hint = hint, try = try })
end

-- A revision and all that comes before it by down_revision, as a set.
local function lineage(by_id, id)
  local set, waiting = {}, { id }
  while #waiting > 0 do
    local at = table.remove(waiting)
    if not set[at] then
      set[at] = true
      local down = by_id[at].down
      table.move(down, 1, #down, #waiting + 1, waiting)
    end
  end
  return set
end

-- The first revisions of a branch: those whose parents all belong to the other line.
local function beginnings(graph, by_id, id, other)
  local branch = lineage(by_id, id)
  local list = {}
  for _, at in ipairs(graph:ids()) do
    if branch[at] and not other[at] then
      local is_first = true
      for _, parent in ipairs(by_id[at].down) do
        is_first = is_first and other[parent] == true
      end
      list[#list + 1] = is_first and at or nil
    end
  end
  return list
end

---The only head that the revision does not lead to. Raises: usage (none, or several).
---@return string
function rebase.other_head(graph, by_id, id)
  local others = {}
  for _, head in ipairs(graph:heads()) do
    if not lineage(by_id, head)[id] then
      others[#others + 1] = head
    end
  end
  if #others == 0 then
    refuse(("every head follows revision %s"):format(id),
      "--onto HEAD takes it out of the line and puts it behind")
  elseif #others > 1 then
    refuse(("there are several heads to put revision %s onto: %s"):format(id,
      table.concat(others, ", ")), "name one with --onto")
  end
  return others[1]
end

local function refuse_merge(rev, try)
  refuse(("revision %s joins %s; only a revision with one parent is moved"):format(rev.id,
    table.concat(rev.down, " and ")), nil, try)
end

-- Out of the line that leads to `onto`, and behind it: what followed it follows its parent.
local function taken_out(graph, by_id, id, onto)
  local moved = by_id[id]
  if id == onto then
    refuse(("revision %s cannot follow itself"):format(id))
  elseif #moved.down ~= 1 then
    refuse(("revision %s has %s; only a revision with one parent is taken out of its line")
      :format(id, #moved.down == 0 and "no parent" or "several parents"))
  end
  local edits = {}
  for _, child in ipairs(graph:children(id)) do
    if #by_id[child].down > 1 then
      refuse_merge(by_id[child])
    end
    edits[#edits + 1] = { id = child, onto = moved.down[1] }
  end
  edits[#edits + 1] = { id = id, onto = onto } -- last: without it there are two heads, no harm
  return { id = id, onto = onto, edits = edits }
end

local function check_head(graph, onto)
  local children = graph:children(onto)
  if #children > 0 then
    refuse(("revision %s is no head: %s %s it"):format(onto, table.concat(children, ", "),
      #children == 1 and "follows" or "follow"), "a branch is put onto a head: luamig heads")
  end
end

---What has to change so that the branch of `id` follows `onto`, or, when `id` is in the line that
---leads there, so that it stands behind it. No edits: it follows it already. Raises: usage.
---@param id string    a revision of the branch
---@param onto string  a head
---@return { id: string, onto: string, edits: { id: string, onto: string }[] }
function rebase.plan(graph, by_id, id, onto)
  local other = lineage(by_id, onto)
  if other[id] then
    check_head(graph, onto)
    return taken_out(graph, by_id, id, onto)
  end
  local first = beginnings(graph, by_id, id, other)
  if #first > 1 then
    refuse(("the branch of %s has several beginnings: %s"):format(id, table.concat(first, ", ")),
      "name one of them")
  end
  local moved = by_id[first[1]]
  if #moved.down > 1 then
    refuse_merge(moved, ("luamig merge %s %s"):format(id, onto))
  end
  if moved.down[1] == onto then
    return { id = moved.id, onto = onto, edits = {} }
  end
  check_head(graph, onto)
  return { id = moved.id, onto = onto, edits = { { id = moved.id, onto = onto } } }
end

local function line_refuse(rev, text, onto)
  local number = 0
  for line in text:gmatch("[^\n]*") do
    number = number + 1
    if line:find("down_revision", 1, true) then
      break
    end
  end
  fault.raise({
    kind = "graph",
    message = "down_revision is not written as one plain line; it is not changed by itself",
    hint = ('change it by hand to: down_revision = "%s"'):format(onto),
    file = rev.file,
    line = number,
  })
end

-- The places of a line's value that may be replaced: "001", '001', nil or a list on one line.
local function value_span(line)
  local start = line:match("^down_revision%s*=%s*()")
  if not start then
    return nil
  end
  for _, form in ipairs({ '"[^"\\]*"()', "'[^'\\]*'()", "nil()", "%b{}()" }) do
    local stop = line:match("^" .. form, start)
    if stop and line:find("^%s*$", stop) or stop and line:find("^%s*%-%-", stop) then
      return start, stop - 1
    end
  end
  return nil
end

local function with_parent(line, onto)
  local start, stop = value_span(line)
  if not start then
    return nil
  end
  local mark = line:sub(start, start) == "'" and "'" or '"'
  return line:sub(1, start - 1) .. mark .. onto .. mark .. line:sub(stop + 1)
end

-- Lines with their ends, so that putting them together again gives the same bytes.
local function lines_of(text)
  local lines = {}
  for line in text:gmatch("[^\n]*\n?") do
    if line ~= "" then
      lines[#lines + 1] = line
    end
  end
  return lines
end

local function edit_comment(lines, onto)
  for i, line in ipairs(lines) do
    if not line:find("^%-%-") and not (i == 1 and line:find("^\xEF\xBB\xBF%-%-")) then
      return
    end
    local head, line_end = line:match("^(%-%-+%s*Revises:)[^\r\n]*(\r?\n?)$")
    if head then
      lines[i] = head .. " " .. onto .. line_end
      return
    end
  end
end

-- A first revision may have no such line; then it comes below the id.
local function edit_header(lines, onto)
  local id_line
  for i, line in ipairs(lines) do
    if line:find("^down_revision%s*=") then
      lines[i] = with_parent(line, onto)
      return lines[i] ~= nil
    elseif line:find("^function%s") or line:find("^local%s") then
      break
    end
    id_line = id_line or line:find("^revision%s*=") and i or nil
  end
  if not id_line or table.concat(lines):find("down_revision", 1, true) then
    return false
  end
  local line_end = lines[id_line]:match("\r?\n$") or "\n"
  table.insert(lines, id_line + 1, ('down_revision = "%s"%s'):format(onto, line_end))
  return true
end

---The text of a revision file with another parent. Raises: graph (not written plainly).
---@param text string  the bytes of the file
---@param rev luamig.Revision
---@param onto string
---@return string
function rebase.edited(text, rev, onto)
  local lines = lines_of(text)
  edit_comment(lines, onto)
  if not edit_header(lines, onto) then
    line_refuse(rev, text, onto)
  end
  local after = table.concat(lines)
  local parsed = revision.parse(after, rev.file, rev.project)
  if parsed.id ~= rev.id or #parsed.down ~= 1 or parsed.down[1] ~= onto then
    line_refuse(rev, text, onto)
  end
  return after
end

return rebase
