--- What a comparison works on: the two snapshots, what becomes of each object, and the nodes that
-- do it. The families (tables, views …) decide and make nodes; order.lua puts them into a row.
--
-- FATES   of objects and of columns ("column app.t.c")
--   create, drop   it is in one snapshot only
--   replace        dropped and made anew
--   remake         a type: put aside, made anew, and its columns moved over
--   alter          changed in place
--   rename         it gets another name; renamed is its old self
--   retype         a column whose type changes; what stands on it may have to go meanwhile
--   refresh        a column whose default or expression must let go for a moment

local names = require("luamig.diff.names")

local plan = {}

local Plan = {}
Plan.__index = Plan

-- Who uses what, the other way round than `depends`.
local function users_of(snapshot)
  local users = {}
  for user, needed in pairs(snapshot.depends) do
    for identity, strength in pairs(needed) do
      users[identity] = users[identity] or {}
      users[identity][user] = strength
    end
  end
  return users
end

local function children_of(snapshot)
  local children = {}
  for identity, object in pairs(snapshot.objects) do
    if object.parent then
      children[object.parent] = children[object.parent] or {}
      table.insert(children[object.parent], identity)
    end
  end
  for _, list in pairs(children) do
    table.sort(list)
  end
  return children
end

local with_columns = {
  table = true, ["foreign table"] = true, view = true, ["materialized view"] = true,
  composite = true,
}

---@return boolean
function plan.has_columns(object)
  return with_columns[object.kind] == true
end

-- { [identity] = { [name] = column } }, made when first asked for.
local function columns_of(snapshot)
  return setmetatable({}, {
    __index = function(self, identity)
      local object = snapshot.objects[identity]
      if not object or not plan.has_columns(object) then
        return nil
      end
      local by_name = {}
      for _, column in ipairs(object.columns) do
        by_name[column.name] = column
      end
      rawset(self, identity, by_name)
      return by_name
    end,
  })
end

local function copy(map)
  local out = {}
  for key, v in pairs(map) do
    out[key] = v
  end
  return out
end

-- Columns whose identity is another's.
local function borrows_identity(object)
  for _, column in ipairs(object.partition_of and object.columns or {}) do
    if column.identity and not column.sequence then
      return true
    end
  end
  return false
end

local function without_borrowed(object)
  local out = copy(object)
  out.columns = {}
  for i, column in ipairs(object.columns) do
    out.columns[i] = copy(column)
    out.columns[i].identity = column.sequence and column.identity
  end
  return out
end

-- From PostgreSQL 17 on a partition has the identity columns of its table and their sequences,
-- which come and go with those of the table.
local function with_own_identities(snapshot)
  local objects
  for identity, object in pairs(snapshot.objects) do
    if borrows_identity(object) then
      objects = objects or copy(snapshot.objects)
      objects[identity] = without_borrowed(object)
    end
  end
  return objects and setmetatable({ objects = objects }, { __index = snapshot }) or snapshot
end

---@param a table  snapshot of what is
---@param b table  snapshot of what shall be
---@param options table  of diff
function plan.new(a, b, options)
  a, b = with_own_identities(a), with_own_identities(b)
  return setmetatable({
    a = a,
    b = b,
    options = options,
    context = {
      server_version = options.server_version or a.server_version,
      naming = options.naming,
    },
    fate = {},
    nodes = {},
    absorbed = {}, -- sequences that come with a column
    companions = {}, -- what goes along with what is dropped
    goes_with = {},
    remade = {}, -- columns whose type is put aside and made anew
    detached = {}, -- nodes by which tables leave their parents
    column_nodes = {},
    early = {}, -- nodes that make the shell of a base type
    renamed = {}, -- [new identity] = the old one
    folded = {}, -- constraints that stand in their new table
    ordered = {}, -- tables whose columns are compared
    standalone = {}, -- tables that become partitions once they are there
    unsupported = {},
    notes = {},
    old_users = users_of(a),
    children = { a = children_of(a), b = children_of(b) },
    columns = { a = columns_of(a), b = columns_of(b) },
  }, Plan)
end

---Who uses an object of the old snapshot: { [identity] = strength }.
function Plan:users(identity)
  return self.old_users[identity] or {}
end

---@return boolean  whether the object is made by this plan
function Plan:is_made(identity)
  local fate = self.fate[identity]
  return fate == "create" or fate == "replace" or fate == "remake"
end

---@return boolean  whether the old object is gone at some point
function Plan:is_gone(identity)
  local fate = self.fate[identity]
  return fate == "drop" or fate == "replace"
end

---@return boolean
function Plan:since(major)
  return self.context.server_version >= major * 10000
end

---Something goes along by itself with what it is of.
function Plan:go_with(identity, other)
  self.companions[other] = self.companions[other] or {}
  self.companions[other][identity] = true
  self.goes_with[identity] = other
end

---A set of identities with all that goes along with them.
---@param set table<string, true>
---@return table<string, true>
function Plan:with_companions(set)
  local out = {}
  local function add(identity)
    if not out[identity] then
      out[identity] = true
      for companion in pairs(self.companions[identity] or {}) do
        add(companion)
      end
      self:each_old_column(identity, add)
    end
  end
  for identity in pairs(set) do
    add(identity)
  end
  return out
end

---Calls a function with the identity of every column that an old object has.
function Plan:each_old_column(identity, visit)
  local object = self.a.objects[identity]
  if object and plan.has_columns(object) then
    for _, column in ipairs(object.columns) do
      visit(self.column_identity(object, column.name))
    end
  end
end

---@return boolean
function Plan:is_partitioned(identity)
  local object = self.b.objects[identity] or self.a.objects[identity]
  return object ~= nil and object.partition_by ~= nil
end

---@param schema string
function Plan.schema_identity(schema)
  return "schema " .. require("luamig.quote").ident(schema)
end

---"schema.name" for the arguments of an operation.
function Plan:name(object)
  return names.of(object, self.options.plain_schema)
end

---A name or type as SQL has it, without its schema when that is the plain one.
---@param text string  "public.mood[]"
---@return string
function Plan:plain(text)
  local plain = self.options.plain_schema
  local prefix = plain and require("luamig.quote").ident(plain) .. "."
  return prefix and text:sub(1, #prefix) == prefix and text:sub(#prefix + 1) or text
end

---A type as people write it.
---@param type_name string  as format_type has it
---@return string
function Plan:type(type_name)
  return self:plain(names.type(type_name))
end

---The name of an object that is given by its identity, for the arguments of an operation.
---@param identity string
function Plan:name_of(identity)
  local object = self.b.objects[identity] or self.a.objects[identity]
  return object and self:name(object) or (names.parent(identity))
end

---The name of the parent of a trigger, policy, index …
function Plan:parent_name(object)
  return self:name_of(object.parent)
end

---"column app.t.c"
function Plan.column_identity(object, column_name)
  return ("column %s.%s"):format(names.sql(object), require("luamig.quote").ident(column_name))
end

---Names what the plan does not do.
---@param identity string
---@param what string  "column order of …"
function Plan:cannot(identity, what)
  self.unsupported[#self.unsupported + 1] = { identity = identity, what = what }
end

---Names something that differs and does not count.
function Plan:note(identity, what)
  self.notes[#self.notes + 1] = { identity = identity, what = what }
end

local ranks = {
  first = 0, make = 100, change = 500, last = 800, drop = 900,
}

-- In the order in which people would write them.
local kind_ranks = {}
for i, kind in ipairs({
  "schema", "extension", "language", "access method", "collation", "shell type", "enum",
  "composite", "domain", "range", "base type", "cast", "transform", "operator", "operator family",
  "operator class", "conversion", "text search parser", "text search template",
  "text search dictionary", "text search configuration", "foreign data wrapper", "server",
  "user mapping", "sequence", "table", "column", "foreign table", "constraint", "index",
  "statistics", "function", "procedure", "aggregate", "view", "materialized view", "rule",
  "trigger", "policy", "publication", "subscription", "event trigger", "default privileges",
}) do
  kind_ranks[kind] = i
end

---Adds a node; see order.lua for what it says.
---@param node table
---  when: "first" | "make" | "change" | "last" | "drop"; identity; kind; records (a list, or a
---  function that gives it once the order is known); data_loss: what is lost, in words
function Plan:node(node)
  local rank = kind_ranks[node.kind] or 99
  if node.when == "drop" then
    rank = 100 - rank
  end
  node.key = ("%03d %s %s %05d"):format(ranks[node.when] + rank, node.sort or node.identity,
    node.identity, #self.nodes)
  self.nodes[#self.nodes + 1] = node
  return node
end

---Takes a part out of its node: it becomes a node of its own.
function Plan.take_out(node, part)
  for field in pairs({ gives = true, takes = true, frees = true }) do
    if part[field] then
      for identity in pairs(part[field]) do
        node[field][identity] = nil
      end
    end
  end
  part.alone(node)
end

return plan
