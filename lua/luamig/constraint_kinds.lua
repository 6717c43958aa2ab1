--- The kinds of constraints: what each is told, and what does not go together in it. Pure.

local constraint = require("luamig.constraint")
local index = require("luamig.index")

local constraint_kinds = {}

local function refused(message, hint)
  return { type = "any", refused = { message, hint } }
end

local comment = { type = "string", doc = "comment; the constraint needs a name then" }
local no_inherit = { type = "boolean", doc = "not for the tables that inherit from this one" }
local enforced = {
  type = "boolean",
  doc = "false: NOT ENFORCED, written down but never checked (PostgreSQL 18)",
}
local not_valid = {
  type = "boolean",
  doc = "rows that are there already are not checked: quick; validate_constraint does it later",
}
local include = { type = "list<identifier>", doc = "columns that its index carries along" }
local without_overlaps = {
  type = "boolean",
  doc = "the last column is a range, and ranges must not overlap (PostgreSQL 18)",
}

local USE_INDEX <const> = "build the index with op.create_index(…, { unique = true, "
  .. "concurrently = true }), then give using_index"

local function with_index(fields, what, hint)
  fields.with = { type = "map<string|number|boolean>", doc = "storage parameters of its index" }
  fields.tablespace = { type = "identifier", doc = "tablespace of its index" }
  fields.include = include
  fields.comment = comment
  fields.not_valid = refused(("PostgreSQL has no NOT VALID for %s"):format(what), hint)
  return fields
end

local function joined(...)
  local out = {}
  for _, fields in ipairs({ ... }) do
    for name, field in pairs(fields) do
      out[name] = field
    end
  end
  return out
end

---Positional parameters and options of each kind.
constraint_kinds.of = {
  primary_key = {
    parameters = {
      { name = "columns", type = "list<identifier>", doc = "its columns, in the index's order" },
    },
    options = with_index(joined(constraint.deferrable_fields, {
      without_overlaps = without_overlaps,
    }), "a primary key", USE_INDEX),
  },
  unique = {
    parameters = {
      { name = "columns", type = "list<identifier>", doc = "its columns, in the index's order" },
    },
    options = with_index(joined(constraint.deferrable_fields, {
      nulls_not_distinct = { type = "boolean", doc = "two NULLs are the same (PostgreSQL 15)" },
      without_overlaps = without_overlaps,
    }), "a unique constraint", USE_INDEX),
  },
  check = {
    parameters = {
      { name = "condition", type = "sql_or_string", doc = "what must not be false of any row" },
    },
    options = {
      no_inherit = no_inherit,
      enforced = enforced,
      not_valid = not_valid,
      comment = comment,
      deferrable = refused("PostgreSQL has no DEFERRABLE for a check",
        "a constraint trigger can be checked at COMMIT"),
    },
  },
  foreign_key = {
    parameters = {
      { name = "columns", type = "list<identifier>", doc = "the columns that refer" },
      { name = "referred_table", type = "name", doc = "the table referred to" },
      {
        name = "referred_columns",
        type = "list<identifier>",
        optional = true,
        doc = "its columns; the primary key when left out",
      },
    },
    options = joined(constraint.foreign_key_fields, constraint.deferrable_fields, {
      enforced = enforced,
      not_valid = not_valid,
      comment = comment,
      period = {
        type = "boolean",
        doc = "the last columns are ranges, and the key must hold all the time (PostgreSQL 18)",
      },
    }),
  },
  exclude = {
    parameters = {
      {
        name = "elements",
        type = "list<fields>",
        fields = joined(index.ordered_key_fields, {
          [2] = { type = "string|sql", required = true, doc = "operator: \"=\", \"&&\" …" },
        }),
        class = "ExcludeElement",
        doc = "{ { \"room\", \"=\" }, { \"during\", \"&&\" } }",
      },
    },
    options = with_index(joined(constraint.deferrable_fields, {
      using = { type = "identifier", default = "gist", doc = "access method of its index" },
      where = { type = "sql_or_string", doc = "condition of the rows that it is about" },
    }), "an exclusion constraint", "mend the rows first: they are checked at once"),
  },
  not_null = {
    parameters = {
      { name = "column", type = "identifier", doc = "the column that must have a value" },
    },
    options = { no_inherit = no_inherit, not_valid = not_valid, comment = comment },
  },
}

---For a constraint that is made of an index.
constraint_kinds.using_index = {
  type = "identifier",
  doc = "a unique index that becomes the constraint, in place of columns: no scan, no long lock",
}

-- What such an index settles already.
local settled_by_index = {
  "include", "with", "tablespace", "nulls_not_distinct", "without_overlaps",
}

local rules = {}

function rules.key(spec)
  local has_columns = spec.columns ~= nil
  if has_columns == (spec.using_index ~= nil) then
    return has_columns and "columns and using_index exclude each other"
      or "give the list of columns, or using_index"
  elseif has_columns and not spec.columns[1] then
    return "the list of columns is empty"
  elseif spec.using_index then
    for _, name in ipairs(settled_by_index) do
      if spec[name] ~= nil then
        return ("%s is a matter of the index that using_index names"):format(name)
      end
    end
  elseif spec.without_overlaps and not spec.columns[2] then
    return "without_overlaps needs a column before the range"
  end
  return nil
end

rules.primary_key = rules.key
rules.unique = rules.key

function rules.foreign_key(spec)
  local referred = spec.referred_columns
  if not spec.columns[1] then
    return "the list of columns is empty"
  elseif referred and #referred ~= #spec.columns then
    return ("%d column%s cannot refer to %d"):format(#spec.columns, spec.columns[2] and "s" or "",
      #referred)
  elseif spec.period and not (referred and spec.columns[2]) then
    return "period needs a column before the range, on both sides"
  elseif spec.on_delete_columns
    and spec.on_delete ~= "set null" and spec.on_delete ~= "set default" then
    return 'on_delete_columns goes with on_delete = "set null" or "set default"'
  end
  return nil
end

function rules.exclude(spec)
  for i, element in ipairs(spec.elements) do
    local operator = element[2]
    if type(operator) == "string" and operator:find("[^-+*/<>=~!@#%%^&|`?]") then
      return ("element %d: '%s' is no operator; op.sql takes OPERATOR(schema.=)"):format(i,
        operator)
    end
  end
  return not spec.elements[1] and "the list of elements is empty" or nil
end

---What does not go together in a constraint, or nil.
---@param kind string  a key of constraint_kinds.of
---@param spec table
---@return string|nil
function constraint_kinds.defect(kind, spec)
  if spec.deferrable == false and spec.initially == "deferred" then
    return 'initially = "deferred" needs deferrable = true'
  end
  return rules[kind] and rules[kind](spec)
end

return constraint_kinds
