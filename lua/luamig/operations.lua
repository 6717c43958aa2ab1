--- The registry of operations: every description of ddl/*, by name and by family.
-- It drives argument checks, rendering, inverses, the editor's meta file and `luamig help op.X`.

local operations = {}

-- In the order that the documentation shows them.
local modules = {
  "luamig.ddl.tables",
  "luamig.ddl.table_settings",
  "luamig.ddl.columns",
  "luamig.ddl.constraints",
  "luamig.ddl.indexes",
  "luamig.ddl.enums",
  "luamig.ddl.domains",
  "luamig.ddl.composites",
  "luamig.ddl.types",
  "luamig.ddl.schemas",
  "luamig.ddl.sequences",
  "luamig.ddl.extensions",
  "luamig.ddl.views",
  "luamig.ddl.functions",
  "luamig.ddl.triggers",
  "luamig.ddl.policies",
  "luamig.ddl.statistics",
  "luamig.ddl.publications",
  "luamig.ddl.grants",
  "luamig.ddl.comments",
  "luamig.ddl.citus",
  "luamig.ddl.values",
  "luamig.ddl.data",
  "luamig.ddl.batches",
  "luamig.ddl.control",
}

local by_name, in_order

local function load()
  by_name, in_order = {}, {}
  for _, module in ipairs(modules) do
    for _, description in ipairs(require(module)) do
      assert(not by_name[description.name], "described twice: " .. description.name)
      by_name[description.name] = description
      in_order[#in_order + 1] = description
    end
  end
end

---@param name string
---@return table|nil  the description
function operations.get(name)
  if not by_name then
    load()
  end
  return by_name[name]
end

---All descriptions, families together.
---@return table[]
function operations.list()
  if not by_name then
    load()
  end
  return in_order
end

---@return string[]
function operations.names()
  local names = {}
  for i, description in ipairs(operations.list()) do
    names[i] = description.name
  end
  return names
end

return operations
