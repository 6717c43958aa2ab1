--- Constraints of tables and domains.

local annotations = require("luamig.diff.annotations")
local constraint_text = require("luamig.diff.constraint_text")
local names = require("luamig.diff.names")
local partitions = require("luamig.diff.partitions")
local quote = require("luamig.quote")
local records = require("luamig.diff.records")
local scan = require("luamig.diff.scan")

local constraints = {}

local create_op = {
  primary_key = "create_primary_key", unique = "create_unique_constraint",
  check = "create_check_constraint", foreign_key = "create_foreign_key",
  exclude = "create_exclude_constraint",
}

local function of_domain(object)
  return object.parent:find("^domain ") ~= nil
end

local function add_domain_check(plan, object)
  return records.new("alter_domain", {
    name = plan:parent_name(object),
    add_checks = { [object.name] = constraint_text.condition(object) },
    not_valid = object.not_valid,
  })
end

-- The clauses of the index stand before WHERE and DEFERRABLE.
local function raw_creation(object)
  local definition = object.definition
  local at = scan.word(definition, "WHERE") or scan.word(definition, "DEFERRABLE")
    or #definition + 2
  return records.sql("ALTER TABLE %s ADD CONSTRAINT %s %s%s %s", names.parent(object.parent),
    quote.ident(object.name), definition:sub(1, at - 2), constraint_text.index_clauses(object),
    definition:sub(at))
end

---The record that adds a constraint to its table or domain.
function constraints.creation(plan, object)
  if of_domain(object) then
    return add_domain_check(plan, object)
  end
  local spec = constraint_text.value(plan, object)
  if not spec then
    return raw_creation(object)
  end
  local args = {}
  for name, field in pairs(spec) do
    args[name] = field
  end
  args.kind, args.tag, args.comment = nil, nil, nil
  args.table = plan:parent_name(object)
  return records.new(create_op[object.type], args)
end

local function statistics_records(object, before, after, out)
  local targets = {}
  for _, entry in ipairs(before or {}) do
    targets[entry.column] = -1
  end
  for _, entry in ipairs(after or {}) do
    targets[entry.column] = entry.target
  end
  for column = 1, 32 do
    if targets[column] then
      out[#out + 1] = records.sql("ALTER INDEX %s ALTER COLUMN %d SET STATISTICS %d",
        names.sql(object), column, targets[column])
    end
  end
end

---What is said of an index, beside its definition: comment, labels, statistics.
function constraints.index_words(plan, index, before, after, out)
  statistics_records(index, before.statistics, after.statistics, out)
  if before.comment ~= after.comment and plan.options.comments ~= false then
    out[#out + 1] = annotations.comment(plan, index, after.comment)
  end
  annotations.labels(plan, "INDEX " .. names.sql(index), before.labels, after.labels, out)
end

local trigger_words = { disabled = "DISABLE", replica = "ENABLE REPLICA", always = "ENABLE ALWAYS" }

-- The triggers of a foreign key have names that nobody chose.
local function set_triggers(plan, object, out)
  local word = object.triggers and trigger_words[object.triggers] or "ENABLE"
  local parent = names.parent(object.parent)
  out[#out + 1] = records.sql([[
DO $$
DECLARE t record;
BEGIN
  FOR t IN SELECT g.tgrelid::pg_catalog.regclass AS of, g.tgname
    FROM pg_catalog.pg_trigger g JOIN pg_catalog.pg_constraint c ON c.oid = g.tgconstraint
    WHERE c.conrelid = %s::pg_catalog.regclass AND c.conname = %s
  LOOP
    EXECUTE pg_catalog.format('ALTER TABLE %%s %s TRIGGER %%I', t.of, t.tgname);
  END LOOP;
END $$]], quote.string(parent), quote.string(object.name), word)
  return plan
end

---Everything that the making of a constraint did not give it.
---@param has_comment boolean  the comment came with the making
function constraints.words(plan, object, has_comment, out)
  if object.comment and not has_comment and plan.options.comments ~= false then
    out[#out + 1] = annotations.comment(plan, object, object.comment)
  end
  if object.index then
    local index = { kind = "index", schema = object.schema, name = object.name }
    constraints.index_words(plan, index, {}, object.index, out)
  end
  if object.triggers then
    set_triggers(plan, object, out)
  end
end

local fields = {
  "type", "definition", "deferrable", "initially_deferred", "not_enforced", "no_inherit",
}

local function is_validated(before, after)
  return before.not_valid and not after.not_valid
    and before.definition:gsub(" NOT VALID$", "") == after.definition
end

-- What of its index can be changed only by making the constraint anew: nothing but its validity.
local function same_index(before, after)
  return (before.index or {}).invalid == (after.index or {}).invalid
end

---@return "replace"|"alter"|nil
function constraints.compare(_, before, after)
  local is_same = same_index(before, after)
  for _, field in ipairs(fields) do
    if field ~= "definition" or not is_validated(before, after) then
      is_same = is_same and before[field] == after[field]
    end
  end
  return is_same and "alter" or "replace"
end

local function index_changes(plan, before, after, out)
  local old, new = before.index or {}, after.index or {}
  local index = { kind = "index", schema = after.schema, name = after.name }
  local set, reset = records.options(old.options, new.options)
  for _, text in ipairs({ set or false, reset or false }) do
    if text then
      out[#out + 1] = records.sql("ALTER INDEX %s %s", names.sql(index), text)
    end
  end
  if old.tablespace ~= new.tablespace then
    out[#out + 1] = records.sql("ALTER INDEX %s SET TABLESPACE %s", names.sql(index),
      quote.ident(new.tablespace or "pg_default"))
  end
  constraints.index_words(plan, index, old, new, out)
end

---The records that change a constraint in place.
function constraints.change(plan, before, after)
  local out = {}
  if is_validated(before, after) then
    local name, parent = after.name, plan:parent_name(after)
    out[1] = of_domain(after)
      and records.new("alter_domain", { name = parent, validate = { name } })
      or records.new("validate_constraint", { name = name, table = parent })
  end
  index_changes(plan, before, after, out)
  if before.comment ~= after.comment and plan.options.comments ~= false then
    out[#out + 1] = annotations.comment(plan, after, after.comment)
  end
  if before.triggers ~= after.triggers then
    set_triggers(plan, after, out)
  end
  return out
end

---Whether a parent hands the constraint down: then it comes and goes with the parent's. A table
---that is attached later brings its own.
function constraints.is_automatic(plan, object)
  return (object.part_of ~= nil or object.inherited == true)
    and not plan.standalone[object.parent]
end

---Names that a constraint takes.
---@return table<string, true>
function constraints.claims(object)
  local set = { ["constraint " .. object.name .. " of " .. object.parent] = true }
  if object.type == "primary_key" or object.type == "unique" or object.type == "exclude" then
    set["relation " .. names.sql({ schema = object.schema, name = object.name })] = true
  end
  if object.type == "primary_key" then
    set["primary key of " .. object.parent] = true
  end
  return set
end

---Makes the node that adds a constraint.
function constraints.create(plan, identity, object)
  if constraints.is_automatic(plan, object) then
    partitions.name_part(plan, identity, object, function(list)
      constraints.words(plan, object, false, list)
    end)
    return
  end
  local list = { constraints.creation(plan, object) }
  constraints.words(plan, object, false, list)
  plan:node({
    when = "make", kind = "constraint", identity = identity, sort = object.parent,
    gives = { [identity] = true }, claims = constraints.claims(object), records = list,
  })
end

---Makes the node that drops a constraint.
function constraints.drop(plan, identity, object)
  local detached = plan.detached[object.parent]
  if (object.part_of or object.inherited) and not detached then
    return
  end
  local set = plan:with_companions({ [identity] = true })
  local parent = plan:parent_name(object)
  local record = of_domain(object)
    and records.new("alter_domain", { name = parent, drop_checks = { object.name } })
    or records.new("drop_constraint", { name = object.name, table = parent })
  plan:node({
    when = "drop", kind = "constraint", identity = identity, sort = object.parent,
    takes = set, frees = set, vacates = constraints.claims(object), records = { record },
    after = { detached },
  })
end

---Constraints of what is dropped: they can go before it, when two tables refer to each other.
---@param set table<string, true>  what the node drops
---@return table[] parts
function constraints.parts_that_go(plan, identity, set)
  local parts = {}
  for _, child in ipairs(plan.children.a[identity] or {}) do
    local object = plan.a.objects[child]
    if object.kind == "constraint" and not object.part_of and set[child] then
      parts[#parts + 1] = {
        identity = child, takes = { [child] = true }, frees = { [child] = true },
        releases = plan.a.depends[child],
        alone = function()
          constraints.drop(plan, child, object)
        end,
      }
    end
  end
  return parts
end

---Makes the node that changes a constraint.
function constraints.alter(plan, identity, before, after)
  if before.inherited ~= after.inherited and before.part_of == after.part_of
    and not plan.detached[after.parent] and not plan.standalone[after.parent] then
    plan:note(identity, after.inherited and "that it is the parent's alone"
      or "that it is the table's own, too")
  end
  local list = constraints.change(plan, before, after)
  if list[1] then
    plan:node({
      when = "change", kind = "constraint", identity = identity, sort = after.parent,
      gives = { [identity] = true }, frees = { [identity] = true }, records = list,
    })
  end
end

return constraints
