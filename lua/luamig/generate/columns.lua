--- The columns of a table as the generator sees them. Pure.
--
-- A COLUMN
--   name, ident, type        ident: quoted for SQL
--   maker, base, checks      what is known of the type (types.lua)
--   nullable
--   is_auto                  a sequence fills it: identity, nextval(…)
--   generated, expression    GENERATED ALWAYS AS
--   edges                    texts that programs trip over; a constant default is the first
--   hash                     its own number, for the seed
--   is_constant              all rows have the same value
--   is_left_out, why         nothing is known of its type, and it need not be given

local quote = require("luamig.quote")
local random = require("luamig.generate.random")

local columns = {}

-- The text of a default that is a constant: 'x'::text, 5, true.
local function constant_default(default)
  local text = default:match("^'([^'\\]*)'::[^()]+$")
    or default:match("^'([^'\\]*)'::[%a ]+%([%d, ]+%)$")
  return text or default:match("^%-?%d+%.?%d*$") or default:match("^true$")
    or default:match("^false$")
end

local function is_json_array(default)
  return default ~= nil and default:find("^'%[") ~= nil
end

-- A column whose default is a JSON array holds arrays.
local function maker_of(known, default)
  if known.maker.is_json and is_json_array(default) then
    return require("luamig.generate.documents").maker("array")
  end
  return known.maker
end

-- A database that is not in UTF-8 takes no letters beyond ASCII for granted.
local function in_ascii(list)
  local out = {}
  for _, text in ipairs(list) do
    out[#out + 1] = not text:find("[\128-\255]") and text or nil
  end
  return out
end

local function edges_of(column, default, place)
  local maker = column.maker
  local list = place.needs.indexed[column.name] and maker.short_edges or maker.edges
  list = place.world.options.is_ascii and in_ascii(list) or list
  local constant = default and constant_default(default)
  if constant and not maker.size then
    return { constant, table.unpack(list) }
  end
  return list
end

-- Fields of a column of a partition that the partitioned table decides, for rows go in there.
local function deciding(own, of_root)
  local from = of_root or own
  return from.default, from.identity, from.generated, from.expression
end

---@param own table  the column of the snapshot
---@param of_root table|nil  that of the partitioned table
---@param place { world: table, identity: string, seed: integer, needs: table }
---@return table
function columns.new(own, of_root, place)
  local default, identity, generated, expression = deciding(own, of_root)
  local known, why = place.world:describe(own.type)
  local column = {
    name = own.name, ident = quote.ident(own.name), type = own.type, base = own.type,
    checks = known and known.checks or {},
    nullable = not (own.not_null or of_root and of_root.not_null or known and known.not_null),
    is_auto = identity ~= nil or default ~= nil and default:find("nextval(", 1, true) ~= nil,
    identity = identity, default = default, generated = generated, expression = expression,
    is_constant = place.needs.constants[own.name],
    hash = random.hash(place.identity .. " " .. own.name, place.seed),
    edges = {},
  }
  if known then
    column.base, column.maker = known.base, maker_of(known, default)
    column.edges = edges_of(column, default, place)
  else
    column.is_left_out, column.why = true, why
  end
  return column
end

return columns
