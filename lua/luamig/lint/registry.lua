--- All rules, by their ids and in the order in which they look: those that know a cause first, then
-- those that take what is left.

local registry = {}

local groups = {
  { name = "RUN, TXN", title = "does it run, and what if it is stopped", module = "transactions" },
  { name = "REWRITE", title = "tables written anew", module = "rewrites" },
  { name = "LOCK", title = "constraints that are proven under a lock", module = "constraints" },
  { name = "LOCK", title = "locks that make the application wait", module = "locks" },
  { name = "LOCK", title = "partitions", module = "partitions" },
  { name = "DATA", title = "rows lost, or changed all at once", module = "data" },
  { name = "COMPAT", title = "what breaks the application that still runs", module = "compat" },
  { name = "ADVICE", title = "regretted later", module = "advice" },
}

-- Of the comments and the config themselves.
local own = {
  { id = "LINT001", severity = "error", title = "an ignore without a reason",
    why = "Whoever reads it next must know why the rule does not hold here.",
    safe = "-- luamig: ignore LOCK001 the table has 200 rows" },
  { id = "LINT002", severity = "warning", title = "an ignore that nothing needs",
    why = "It would hide the next finding of this rule there.", safe = "-- take it out" },
  { id = "LINT003", severity = "error", title = "an ignore of a rule that is not there",
    why = "The id is mistyped.", safe = "luamig help lint" },
}

local by_id, in_order, for_help

local function load()
  by_id, in_order, for_help = {}, {}, {}
  local late = {}
  for _, group in ipairs(groups) do
    local rules = require("luamig.lint.rules." .. group.module)
    for _, rule in ipairs(rules) do
      assert(not by_id[rule.id], "two rules are called " .. rule.id)
      by_id[rule.id] = rule
      local list = rule.is_late and late or in_order
      list[#list + 1] = rule
    end
    for_help[#for_help + 1] = { title = group.title, rules = rules }
  end
  table.move(late, 1, #late, #in_order + 1, in_order)
  for _, rule in ipairs(own) do
    by_id[rule.id] = rule
  end
  for_help[#for_help + 1] = { title = "comments that ignore a rule", rules = own }
end

---@class luamig.lint.Rule
---@field id string
---@field severity "error"|"warning"|"info"
---@field title string
---@field why string
---@field safe string    the safe way, as luamig's operations
---@field since? integer server version from which on it applies; 140000 when left out
---@field is_compat? boolean  of the group that --compat rules
---@field check? fun(facts: luamig.lint.Facts, found: fun(finding: table))

---@return luamig.lint.Rule[]  in the order in which they look
function registry.rules()
  if not by_id then
    load()
  end
  return in_order
end

---@return luamig.lint.Rule|nil
function registry.get(id)
  registry.rules()
  return by_id[id]
end

---@return { title: string, rules: luamig.lint.Rule[] }[]
function registry.groups()
  registry.rules()
  return for_help
end

---@return string[]
function registry.ids()
  registry.rules()
  local ids = {}
  for id in pairs(by_id) do
    ids[#ids + 1] = id
  end
  table.sort(ids)
  return ids
end

return registry
