--- Puts the value together from the rows of the families: knows which row became which object.

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

---@param options { include?: fun(kind: string, name: string): boolean, ignore_tables?: table }
---@param server_version integer
function builder.new(options, server_version)
  local ids = {}
  for _, class in pairs(builder.class) do
    ids[class] = {}
  end
  return setmetatable({
    value = {
      server_version = server_version, objects = {}, depends = {}, parts = {}, unmodelled = {},
    },
    include = options.include,
    ignore_tables = options.ignore_tables or {},
    ids = ids, -- [class][oid] = identity
    names = {}, -- [oid of a relation] = qualified name
    columns = {}, -- [oid of a relation][attnum] = column
    column_ids = {}, -- [oid of a relation << 12 | attnum] = identity
    defaults = {}, -- [oid of a default] = oid of its relation << 12 | attnum
    members = {}, -- [class][oid] = identity of the extension
    orphans = {}, -- what has a parent that is not in the value
    quoted = {},
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

---Takes an object into the value, unless the caller of the snapshot does not want it.
---@param class integer  OID of its catalog
---@param oid integer
---@param kind string
---@param name string  its identity behind the kind
---@param object table
---@return string|nil identity
function Builder:add(class, oid, kind, name, object)
  local is_ignored = class == builder.class.relation and self.ignore_tables[name]
  if is_ignored or (self.include and not self.include(kind, name)) then
    return nil
  end
  local identity = kind .. " " .. name
  object.kind = kind
  self.value.objects[identity] = object
  self.ids[class][oid] = identity
  return identity
end

---Takes an object of its own schema into the value.
---@return string|nil identity
function Builder:add_qualified(class, oid, kind, object)
  return self:add(class, oid, kind, self:qualified(object), object)
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
  return self:add(class, oid, kind, self:ident(row.name) .. " on " .. self:qualified(object), row)
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
    self.value.parts[identity] = self.ids[builder.class.relation][relation]
  end
  return identity
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
