--- Puts a few rows into tables that have none: enough for a lock, a scan and a rewrite to show.
-- Values count up, so that they are distinct and keys refer to each other; no column is NULL.

local fault = require("luamig.fault")
local quote = require("luamig.quote")

local sample_rows = {}

local function text_of(limit)
  return ("pg_catalog.left(pg_catalog.md5(g::text), %d)"):format(limit)
end

-- Expressions of g, the number of the row, by the name of the type.
local expressions = {
  smallint = "(g %% 30000)::int2", integer = "g::int4", bigint = "g::int8", real = "g::float4",
  ["double precision"] = "g::float8", numeric = "g::numeric", boolean = "g %% 2 = 0",
  text = text_of(32), citext = text_of(32), name = text_of(32), money = "g::numeric::money",
  date = "(DATE '2020-01-01' + g::int4)",
  ["timestamp without time zone"] = "(TIMESTAMP '2020-01-01' + g * INTERVAL '1 hour')",
  ["timestamp with time zone"] = "(TIMESTAMPTZ '2020-01-01' + g * INTERVAL '1 hour')",
  ["time without time zone"] = "(TIME '00:00' + g * INTERVAL '1 second')",
  ["time with time zone"] = "(TIMETZ '00:00+00' + g * INTERVAL '1 second')",
  interval = "g * INTERVAL '1 minute'", uuid = "pg_catalog.md5(g::text)::uuid",
  json = "pg_catalog.json_build_object('n', g)", jsonb = "pg_catalog.jsonb_build_object('n', g)",
  bytea = "pg_catalog.decode(pg_catalog.md5(g::text), 'hex')", inet = "('10.0.0.0'::inet + g)",
  cidr = "pg_catalog.set_masklen('10.0.0.0'::inet + g, 32)::cidr", oid = "g::oid",
  xml = "'<n/>'::xml", tsvector = "pg_catalog.to_tsvector('simple', g::text)",
}

local function of_enum(object)
  local labels = {}
  for i, label in ipairs(object.labels or {}) do
    labels[i] = quote.literal(label)
  end
  return #labels > 0 and ("(ARRAY[%s])[g %% %d + 1]"):format(table.concat(labels, ", "), #labels)
end

local function base_and_length(type)
  local base, length = type:match("^([%a ]+)%((%d+)[%d,]*%)")
  local rest = base and type:match("%)(.*)$") or ""
  return (base or type):gsub("%s+$", "") .. rest, tonumber(length)
end

local function of_numeric(type)
  local precision, scale = type:match("^numeric%((%d+),(%d+)%)")
  local digits = tonumber(precision or 9) - tonumber(scale or 0)
  return ("(g %% %d)::numeric"):format(math.max(1, math.tointeger(10 ^ math.min(digits, 9))))
end

-- The expression for a type, or nil when none is known.
local function expression(value, type, depth)
  local base, length = base_and_length(type)
  if type:find("%[%]$") then
    return ("'{}'::%s"):format(type)
  elseif base == "character varying" or base == "character" then
    return text_of(length or 32)
  elseif base == "numeric" then
    return of_numeric(type)
  elseif expressions[base] then
    return (expressions[base]:gsub("%%%%", "%%"))
  end
  local object = value.objects["enum " .. type]
  if object then
    return of_enum(object) and ("%s::%s"):format(of_enum(object), type)
  end
  object = value.objects["domain " .. type]
  local inner = object and depth < 5 and expression(value, object.type, depth + 1)
  return inner and ("(%s)::%s"):format(inner, type)
end

local function insert_of(value, identity, rows)
  local object = value.objects[identity]
  local names, values = {}, {}
  for _, column in ipairs(object.columns or {}) do
    if not (column.generated or column.identity or column.serial) then
      local text = expression(value, column.type, 0)
      if text then
        names[#names + 1] = quote.ident(column.name)
        values[#values + 1] = text
      end
    end
  end
  local target = identity:match("^%S+ (.*)$")
  if #names == 0 then
    return ("INSERT INTO %s DEFAULT VALUES"):format(target)
  end
  return ("INSERT INTO %s (%s) SELECT %s FROM pg_catalog.generate_series(1, %d) g"):format(target,
    table.concat(names, ", "), table.concat(values, ", "), rows)
end

local function parents_of(value)
  local parents = {}
  for _, object in pairs(value.objects) do
    if object.kind == "constraint" and object.type == "foreign_key" then
      local list = parents[object.parent] or {}
      list[#list + 1] = object.references.table
      parents[object.parent] = list
    end
  end
  return parents
end

-- Tables in an order in which what is referred to comes first; a circle is cut somewhere.
local function ordered(value)
  local parents, names, out, state = parents_of(value), {}, {}, {}
  for identity, object in pairs(value.objects) do
    if object.kind == "table" and not object.partition_of then
      names[#names + 1] = identity
    end
  end
  table.sort(names)
  local function visit(identity)
    local object = value.objects[identity]
    if state[identity] or not object or object.kind ~= "table" then
      return
    end
    state[identity] = true
    local list = parents[identity] or {}
    table.sort(list)
    for _, parent in ipairs(list) do
      visit(parent)
    end
    out[#out + 1] = identity
  end
  for _, identity in ipairs(names) do
    visit(identity)
  end
  return out
end

local function has_rows(conn, identity)
  local sql = ("SELECT EXISTS (SELECT FROM %s) AS has_rows"):format(identity:match("^%S+ (.*)$"))
  return conn:exec(sql)[1].has_rows
end

---Fills the tables that have no rows. What cannot be filled stays empty.
---@param conn userdata
---@param value table  a snapshot of the database
---@param options { rows: integer, known: table<string, true> }  known: identities of tables that
---  were looked at before; those looked at now are added
---@return string[] empty  identities of tables that could not be filled
function sample_rows.fill(conn, value, options)
  local empty = {}
  for _, identity in ipairs(ordered(value)) do
    if not options.known[identity] and not has_rows(conn, identity) then
      local ok, f = pcall(conn.exec, conn, insert_of(value, identity, options.rows))
      if not ok and not (fault.is(f) and f.kind == "server") then
        error(f, 0)
      end
      empty[#empty + 1] = not ok and identity or nil
    end
    options.known[identity] = true
  end
  return empty
end

---Empties all tables.
function sample_rows.clear(conn, value)
  local names = {}
  for _, identity in ipairs(ordered(value)) do
    names[#names + 1] = identity:match("^%S+ (.*)$")
  end
  if #names > 0 then
    conn:exec("TRUNCATE " .. table.concat(names, ", ") .. " CASCADE")
  end
end

return sample_rows
