--- Puts the value together from the rows of the families: knows which row became which object.
--
-- A UNIT is what is read at once: an object with all that is of it (a table: its columns,
-- constraints, indexes, triggers, rules, policies). It can be forgotten and taken once more.
--   { class, oid, rows = keys of the catalogs' rows, identities = of its objects,
--     edges = identities that it has in `depends`, counts = { [class] = rows that are counted } }
-- The key of a row is its catalog's OID << 32 | its own.

local quote = require("luamig.quote")

local builder = {}

local Builder = {}
Builder.__index = Builder

---The OIDs of the catalogs themselves, fixed in the server's headers.
builder.class = {
  access_method = 2601, amop = 2602, amproc = 2603, default = 2604, cast = 2605,
  constraint = 2606, conversion = 2607, language = 2612, schema = 2615, operator_class = 2616,
  operator = 2617, rule = 2618, trigger = 2620, operator_family = 2753, extension = 3079,
  policy = 3256, statistics = 3381, collation = 3456, event_trigger = 3466, transform = 3576,
  ts_dictionary = 3600, ts_parser = 3601, ts_configuration = 3602, ts_template = 3764,
  type = 1247, ["function"] = 1255, relation = 1259, server = 1417, user_mapping = 1418,
  default_acl = 826, wrapper = 2328, subscription = 6100, publication = 6104,
  publication_table = 6106, publication_schema = 6237,
}

---Catalogs whose rows are no objects.
builder.rows = { inheritance = 2611, comment = 2609, label = 3596 }

---@param options { include?: fun(kind: string, name: string): boolean, ignore_tables?: table }
---@param server_version integer
function builder.new(options, server_version)
  local ids = {}
  for _, class in pairs(builder.class) do
    ids[class] = {}
  end
  return setmetatable({
    value = { server_version = server_version, objects = {}, depends = {}, unmodelled = {} },
    include = options.include,
    ignore_tables = options.ignore_tables or {},
    ids = ids, -- [class][oid] = identity
    names = {}, -- [oid of a relation] = qualified name
    columns = {}, -- [oid of a relation][attnum] = column
    column_ids = {}, -- [oid of a relation << 12 | attnum] = identity
    defaults = {}, -- [oid of a default] = oid of its relation << 12 | attnum
    parts = {}, -- [identity of a column] = identity of its relation
    members = {}, -- [class][oid] = identity of the extension
    wholes = {}, -- [class][oid] = what the row is a part of, packed
    orphans = {}, -- what has a parent that is not in the value
    quoted = {},
    units = {}, -- [key] = unit
    owner = {}, -- [class][oid] = the unit that the row is in
    unit_of = {}, -- [identity of an object] = its unit
    known = {}, -- [class] = how many of the rows that are counted are in a unit
    newest_oid = 0,
    users = nil, -- [identity] = { [identity of what needs it] = true }, once somebody has asked
  }, Builder)
end

---@param name string
---@return string
function Builder:ident(name)
  local quoted = self.quoted[name]
  if not quoted then
    quoted = quote.ident(name)
    self.quoted[name] = quoted
  end
  return quoted
end

---@return string  "schema.name", or "name" without a schema
function Builder:qualified(object)
  local name = self:ident(object.name)
  return object.schema and self:ident(object.schema) .. "." .. name or name
end

---The unit of an object that is in no other's.
---@return table
function Builder:unit(class, oid)
  local key = class << 32 | oid
  local unit = self.units[key]
  if not unit then
    unit = { class = class, oid = oid, rows = {}, identities = {}, edges = {}, counts = {} }
    self.units[key] = unit
  end
  return unit
end

---The unit that a row of a catalog is in.
---@return table|nil
function Builder:unit_with(class, oid)
  local owner = self.owner[class]
  return owner and owner[oid]
end

---Notes that a row of a catalog is in a unit.
---@param is_counted? boolean  it is one of those that luamig.snapshot.changes counts
function Builder:own(unit, class, oid, is_counted)
  unit.rows[#unit.rows + 1] = class << 32 | oid
  local owner = self.owner[class]
  if not owner then
    owner = {}
    self.owner[class] = owner
  end
  owner[oid] = unit
  if oid > self.newest_oid then
    self.newest_oid = oid
  end
  if is_counted then
    unit.counts[class] = (unit.counts[class] or 0) + 1
    self.known[class] = (self.known[class] or 0) + 1
  end
end

---How many rows of a catalog a unit has, as the server counts them.
---@return integer
function Builder:row_count(unit, class)
  if not self.ids[class] then
    return unit.counts[class] or 0 -- rows without an OID
  end
  local count = 0
  for _, key in ipairs(unit.rows) do
    count = count + (key >> 32 == class and 1 or 0)
  end
  if class == builder.class.constraint and self.value.server_version >= 180000 then
    return (unit.counts[class] or 0) + self:not_null_count(unit)
  end
  return count
end

-- From PostgreSQL 18 on a NOT NULL is a constraint.
function Builder:not_null_count(unit)
  local count = 0
  for _, column in pairs(unit.class == builder.class.relation and self.columns[unit.oid] or {}) do
    count = count + (column.not_null and 1 or 0)
  end
  return count
end

---The rows of a catalog that are in units and counted.
---@return table<integer, any>  by their OIDs
function Builder:counted_rows(class)
  -- Of the others, a row that is only a part of an object (an array type) is not counted.
  local has_parts = class == builder.class.relation or class == builder.class["function"]
  return has_parts and self.owner[class] or self.ids[class]
end

---Notes that a sequence is owned by a column of a relation: each tells of the other.
function Builder:own_sequence(relation, sequence)
  local class = builder.class.relation
  local unit = self:unit_with(class, relation)
  unit.sequences = unit.sequences or {}
  table.insert(unit.sequences, sequence)
  self:unit_with(class, sequence).owned_by = relation
end

---Counts a row of a catalog whose rows have no OID of their own.
function Builder:count(unit, class)
  unit.counts[class] = (unit.counts[class] or 0) + 1
  self.known[class] = (self.known[class] or 0) + 1
end

-- While changes are logged: what was there before the first of them, false for nothing.
local function put(map, log, key, item)
  if log and log[key] == nil then
    log[key] = map[key] or false
  end
  map[key] = item
end

---@param object table|nil
function Builder:put_object(identity, object)
  put(self.value.objects, self.log and self.log.objects, identity, object)
end

---@param edges table|nil
function Builder:put_edges(from, edges)
  put(self.value.depends, self.log and self.log.depends, from, edges)
end

local function add_user(users, from, to)
  local of = users[to]
  if not of then
    of = {}
    users[to] = of
  end
  of[from] = true
end

---Notes a new edge.
function Builder:note_edge(from, to)
  if self.users then
    add_user(self.users, from, to)
  end
end

---Who needs whom, the other way round; from now on it is kept.
---@return table<string, table<string, true>>
function Builder:all_users()
  if not self.users then
    self.users = {}
    for from, edges in pairs(self.value.depends) do
      for to in pairs(edges) do
        add_user(self.users, from, to)
      end
    end
  end
  return self.users
end

---Takes an object into the value, unless the caller of the snapshot does not want it.
---@param class integer  OID of its catalog
---@param oid integer
---@param kind string
---@param name string  its identity behind the kind
---@param object table
---@param unit? table  default: its own
---@return string|nil identity
function Builder:add(class, oid, kind, name, object, unit)
  local is_ignored = class == builder.class.relation and self.ignore_tables[name]
  if is_ignored or (self.include and not self.include(kind, name)) then
    return nil
  end
  local identity = kind .. " " .. name
  unit = unit or self:unit(class, oid)
  object.kind = kind
  self:put_object(identity, object)
  self.ids[class][oid] = identity
  self.unit_of[identity] = unit
  unit.identities[#unit.identities + 1] = identity
  self:own(unit, class, oid, true)
  return identity
end

---Takes an object of its own schema into the value.
---@return string|nil identity
function Builder:add_qualified(class, oid, kind, object, unit)
  return self:add(class, oid, kind, self:qualified(object), object, unit)
end

---Takes the objects of rows that have: class (OID of the catalog), oid, kind, identity (what stands
---behind the kind, when it is not the qualified name), schema, name, owner, acl, object.
function Builder:add_rows(rows)
  for _, row in ipairs(rows) do
    local object = row.object
    object.schema, object.name, object.owner, object.acl =
      row.schema, row.name, row.owner, row.acl
    self:add(row.class, row.oid, row.kind, row.identity or self:qualified(object), object)
  end
end

---Takes an object that is of a relation or a domain. Its row holds the OID of that as `parent`.
---@param parent_class integer
---@return string|nil identity  nil as well when the parent is not in the value
function Builder:add_child(class, kind, row, parent_class)
  local oid, parent_oid = row.oid, row.parent
  local parent = self.ids[parent_class][parent_oid]
  if not parent then
    self.orphans[#self.orphans + 1] = { kind = kind, name = row.name, relation = parent_oid }
    return nil
  end
  local object = self.value.objects[parent]
  row.oid, row.parent, row.schema = nil, parent, object.schema
  return self:add(class, oid, kind, self:ident(row.name) .. " on " .. self:qualified(object), row,
    self.unit_of[parent])
end

---The object that a row of a catalog became.
---@return table|nil object, string|nil identity
function Builder:object(class, oid)
  local identity = self.ids[class][oid]
  return identity and self.value.objects[identity], identity
end

---@param relation integer  OID
---@param attnum integer
---@return string|nil
function Builder:column_identity(relation, attnum)
  local key = relation << 12 | attnum
  local identity = self.column_ids[key]
  if not identity then
    local columns = self.columns[relation]
    local column = columns and columns[attnum]
    if not column then
      return nil
    end
    identity = "column " .. self.names[relation] .. "." .. self:ident(column.name)
    self.column_ids[key] = identity
    self.parts[identity] = self.ids[builder.class.relation][relation]
  end
  return identity
end

-- What is known of a relation by its number.
local function forget_relation(self, oid)
  for number in pairs(self.columns[oid] or {}) do
    local key = oid << 12 | number
    local identity = self.column_ids[key]
    if identity then
      self.column_ids[key], self.parts[identity] = nil, nil
    end
  end
  self.names[oid], self.columns[oid] = nil, nil
end

local function forget_row(self, key)
  local class, oid = key >> 32, key & 0xffffffff
  self.owner[class][oid] = nil
  if self.ids[class] then
    self.ids[class][oid] = nil
  end
  if self.wholes[class] then
    self.wholes[class][oid] = nil
  end
  if class == builder.class.relation then
    forget_relation(self, oid)
  elseif class == builder.class.default then
    self.defaults[oid] = nil
  end
end

local function forget_edges(self, from)
  for to in pairs(self.users and self.value.depends[from] or {}) do
    self.users[to][from] = nil
  end
  self:put_edges(from, nil)
end

---Takes a unit out of the value, with all that is known of its rows.
function Builder:forget(unit)
  for _, identity in ipairs(unit.identities) do
    if self.unit_of[identity] == unit then
      self.unit_of[identity] = nil
      self:put_object(identity, nil)
    end
  end
  for _, from in ipairs(unit.edges) do
    forget_edges(self, from)
  end
  for _, key in ipairs(unit.rows) do
    if self.owner[key >> 32][key & 0xffffffff] == unit then
      forget_row(self, key)
    end
  end
  for class, count in pairs(unit.counts) do
    self.known[class] = self.known[class] - count
  end
  self.units[unit.class << 32 | unit.oid] = nil
end

---The extension that a row of a catalog belongs to.
---@return string|nil identity
function Builder:member(class, oid)
  local of_class = self.members[class]
  return of_class and of_class[oid]
end

---The names of columns by their numbers.
---@param relation integer  OID
---@param numbers integer[]
---@return string[]
function Builder:column_names(relation, numbers)
  local columns, names = self.columns[relation] or {}, {}
  for _, number in ipairs(numbers) do
    names[#names + 1] = columns[number] and columns[number].name
  end
  return names
end

---Names something that the value does not describe.
function Builder:unmodelled(kind, name, why)
  local list = self.value.unmodelled
  list[#list + 1] = { kind = kind, name = name, why = why }
end

---{"fillfactor=70"} as { fillfactor = "70" }
---@param list string[]|nil
---@return table|nil
function builder.options(list)
  if not list or #list == 0 then
    return nil
  end
  local options = {}
  for _, text in ipairs(list) do
    local name, value = text:match("^(.-)=(.*)$")
    options[name or text] = value or ""
  end
  return options
end

return builder
