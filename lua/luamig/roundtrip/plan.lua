--- Which revisions a round trip visits, and in which order: parents first. Pure.

local fault = require("luamig.fault")

local plan = {}

---@class luamig.roundtrip.Item
---@field id string
---@field is_tested boolean  false: only applied, because what is tested needs it

local function add_steps(items, steps, is_tested)
  for _, step in ipairs(steps) do
    items[#items + 1] = { id = step.id, is_tested = is_tested }
  end
  return #steps > 0 and steps[#steps].rows or nil
end

local function known_by(graph, targets)
  local known = {}
  for _, target in ipairs(targets) do
    local rows = graph:resolve(target, { direction = "read" })
    for _, id in ipairs(graph:applied(rows)) do
      known[id] = true
    end
  end
  return known
end

---@param graph userdata  of luamig.core.graph
---@param options { from?: string, to?: string, since?: string[] }  targets. from: the database
---  begins there; to: the default is every head; since: what these revisions follow or need, and
---  they themselves, are not tested
---@return luamig.roundtrip.Item[]
---Raises: graph, usage (a target that says nothing without a database).
function plan.make(graph, options)
  local items = {}
  local rows = {}
  if options.from then
    rows = add_steps(items, graph:upgrade({}, options.from), false) or rows
  end
  local ok, steps = pcall(graph.upgrade, graph, rows, options.to or "heads")
  if not ok then
    if fault.is(steps) and options.from and options.to then
      fault.complete(steps, { detail = ("from %s to %s"):format(options.from, options.to) })
    end
    error(steps, 0)
  end
  add_steps(items, steps, true)
  local known = known_by(graph, options.since or {})
  for _, item in ipairs(items) do
    item.is_tested = item.is_tested and not known[item.id]
  end
  return items
end

---@param items luamig.roundtrip.Item[]
---@return integer
function plan.count_tested(items)
  local count = 0
  for _, item in ipairs(items) do
    count = count + (item.is_tested and 1 or 0)
  end
  return count
end

return plan
