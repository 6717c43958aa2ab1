--- What is about the whole database: event triggers, default privileges, subscriptions.

local names = require("luamig.diff.names")
local privileges = require("luamig.diff.privileges")
local quote = require("luamig.quote")
local raw = require("luamig.diff.raw")
local records = require("luamig.diff.records")

local events = {}

local words = {
  disabled = "DISABLE", replica = "ENABLE REPLICA", always = "ENABLE ALWAYS",
}

local function state(object)
  return records.sql("ALTER EVENT TRIGGER %s %s", names.sql(object),
    words[object.enabled] or "ENABLE")
end

local function creation(object)
  local tags = {}
  for i, tag in ipairs(object.tags or {}) do
    tags[i] = quote.string(tag)
  end
  local list = {
    records.sql("CREATE EVENT TRIGGER %s ON %s%s EXECUTE FUNCTION %s()", names.sql(object),
      object.event, tags[1] and " WHEN TAG IN (" .. table.concat(tags, ", ") .. ")" or "",
      object["function"]),
  }
  if object.enabled then
    list[2] = state(object)
  end
  return list
end

-- It would fire on what the plan does: it comes last and goes first.
events["event trigger"] = raw.family({
  when = "last",
  drop_when = "first",
  fields = { enabled = true },
  creation = creation,
  changes = function(before, after)
    return before.enabled ~= after.enabled and { state(after) } or {}
  end,
})

local function defaults_node(plan, identity, before, after)
  local list = privileges.defaults(plan, before, after)
  if list[1] then
    plan:node({
      when = "last", kind = "default privileges", identity = identity,
      gives = after and { [identity] = true } or {},
      takes = not after and { [identity] = true } or nil,
      frees = { [identity] = true }, records = list,
    })
  end
end

-- New objects of the plan get what they need by themselves: these come last.
events["default privileges"] = {
  create = function(plan, identity, object)
    defaults_node(plan, identity, nil, object)
  end,
  drop = function(plan, identity, object)
    defaults_node(plan, identity, object, nil)
  end,
  compare = function()
    return "alter"
  end,
  alter = defaults_node,
}

local function cannot(what)
  return function(plan, identity)
    plan:cannot(identity, what)
  end
end

-- The connection string of a subscription is a secret that no snapshot holds.
events.subscription = {
  create = cannot("a subscription cannot be made: its connection string is not known"),
  drop = cannot("a subscription is not dropped: that would drop its slot at the publisher"),
  compare = function()
    return "alter"
  end,
  alter = cannot("a subscription is not changed"),
}

return events
