--- How a revision is shown: the line of `history` and `heads`, the block of `show`, and JSON.
-- The shapes are Alembic's, because people and scripts know them.

local entry = {}

local Book = {}
Book.__index = Book

local function follow(revisions)
  local children, dependents = {}, {}
  for _, rev in ipairs(revisions) do
    for _, parent in ipairs(rev.down) do
      children[parent] = children[parent] or {}
      table.insert(children[parent], rev.id)
    end
    for _, needed in ipairs(rev.depends_on) do
      dependents[needed] = true
    end
  end
  return children, dependents
end

---What is needed to show revisions: who follows whom, labels, the current rows.
---@param graph userdata
---@param by_id table<string, luamig.Revision>
---@param rows? string[]  version rows, for the mark "(current)"; nil: the database was not asked
function entry.book(graph, by_id, rows)
  local revisions = {}
  for _, id in ipairs(graph:ids()) do
    revisions[#revisions + 1] = by_id[id]
  end
  local book = setmetatable({ graph = graph, by_id = by_id, revisions = revisions, current = {},
    knows_current = rows ~= nil }, Book)
  book.children, book.dependents = follow(revisions)
  for _, id in ipairs(rows or {}) do
    book.current[id] = true
  end
  for _, rev in ipairs(revisions) do
    for _, needed in ipairs(rev.depends_on) do -- a dependency may be named by its label
      for _, id in ipairs(by_id[needed] and {} or graph:resolve(needed, { direction = "read" })) do
        book.dependents[id] = true
      end
    end
  end
  return book
end

---@return string[]  sorted; its own, and those of its branch
function Book:labels(rev)
  self.all_labels = self.all_labels or self.graph:labels()
  return self.all_labels[rev.id] or {}
end

function Book:is_branchpoint(rev)
  local children = self.children[rev.id]
  return children ~= nil and #children > 1
end

function Book:is_head(rev)
  return not self.children[rev.id]
end

---A head that another revision depends on: its row in the database is implied.
function Book:is_effective_head(rev)
  return self:is_head(rev) and self.dependents[rev.id] == true
end

local function head_mark(book, rev)
  if not book:is_head(rev) then
    return ""
  end
  return book:is_effective_head(rev) and " (effective head)" or " (head)"
end

local function current_mark(book, rev)
  return book.current[rev.id] and " (current)" or ""
end

local function tree_marks(book, rev)
  return (book:is_branchpoint(rev) and " (branchpoint)" or "")
    .. (#rev.down > 1 and " (mergepoint)" or "")
end

local function parents(rev)
  local text = #rev.down < 2 and (rev.down[1] or "<base>") or table.concat(rev.down, ", ")
  if #rev.depends_on > 0 then
    text = ("%s (%s)"):format(text, table.concat(rev.depends_on, ", "))
  end
  return text
end

---One line: `parent -> id (labels) (head) (current) (branchpoint) (mergepoint), title`.
---@param parts { parents?: boolean, heads?: boolean, tree?: boolean, doc?: boolean }
---@return string
function Book:line(rev, parts)
  local line = parts.parents and parents(rev) .. " -> " .. rev.id or rev.id
  local labels = self:labels(rev)
  if #labels > 0 then
    line = ("%s (%s)"):format(line, table.concat(labels, ", "))
  end
  if parts.heads or parts.tree then
    line = line .. head_mark(self, rev) .. current_mark(self, rev)
  end
  if parts.tree then
    line = line .. tree_marks(self, rev)
  end
  return parts.doc and rev.doc ~= "" and line .. ", " .. rev.doc or line
end

---The block of `show` and of -v, as lines; the last one is empty.
---@return string[]
function Book:block(rev)
  local lines = {
    ("Rev: %s%s%s%s"):format(rev.id, head_mark(self, rev), tree_marks(self, rev),
      current_mark(self, rev)),
  }
  local function field(name, list)
    if #list > 0 then
      lines[#lines + 1] = name .. ": " .. table.concat(list, ", ")
    end
  end
  field(#rev.down > 1 and "Merges" or "Parent", #rev.down > 0 and rev.down or { "<base>" })
  field("Also depends on", rev.depends_on)
  field("Branches into", self:is_branchpoint(rev) and self.children[rev.id] or {})
  field("Branch names", self:labels(rev))
  field("Path", { rev.file })
  field("Irreversible", { rev.irreversible or nil })
  field("Data loss", { rev.data_loss or nil })
  lines[#lines + 1] = ""
  for _, line in ipairs(rev.comment) do
    lines[#lines + 1] = line == "" and "" or "    " .. line
  end
  lines[#lines + 1] = ""
  return lines
end

---The revision as the JSON of every command shows it; without `is_current` when the database was
---not asked.
---@return table
function Book:json(rev)
  local is_current
  if self.knows_current then
    is_current = self.current[rev.id] == true
  end
  return {
    revision = rev.id,
    down_revision = rev.down,
    depends_on = rev.depends_on,
    branch_labels = self:labels(rev),
    doc = rev.doc,
    file = rev.file,
    is_head = self:is_head(rev),
    is_effective_head = self:is_effective_head(rev),
    is_branchpoint = self:is_branchpoint(rev),
    is_mergepoint = #rev.down > 1,
    is_current = is_current,
    data_loss = rev.data_loss,
    irreversible = rev.irreversible,
  }
end

---@param ids string[]
---@return table[]
function Book:json_list(ids)
  local list = {}
  for i, id in ipairs(ids) do
    list[i] = self:json(self.by_id[id])
  end
  return list
end

return entry
