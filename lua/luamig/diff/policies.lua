--- Policies of row security.

local annotations = require("luamig.diff.annotations")
local clause = require("luamig.clause")
local names = require("luamig.diff.names")
local records = require("luamig.diff.records")
local role = require("luamig.role")
local scan = require("luamig.diff.scan")

local policies = {}

local function bare(text)
  return text and scan.bare(text)
end

local function roles(object)
  return object.roles[2] and object.roles or object.roles[1]
end

local function is_for_all(object)
  return #object.roles == 1 and object.roles[1] == "public"
end

-- One without a condition: there is no operation.
local function unconditional(object)
  return records.sql(clause.words("CREATE POLICY", names.target(object),
    object.restrictive and "AS RESTRICTIVE", "FOR " .. object.command,
    "TO " .. role.list(object.roles)))
end

---Makes the node that creates a policy.
function policies.create(plan, identity, object)
  local list = {
    records.new("create_policy", {
      name = object.name,
      table = plan:parent_name(object),
      command = object.command ~= "ALL" and object.command:lower() or nil,
      permissive = records.false_if(object.restrictive),
      roles = not is_for_all(object) and roles(object) or nil,
      using = bare(object.using),
      check = bare(object.check),
      comment = plan.options.comments ~= false and object.comment or nil,
    }),
  }
  if not object.using and not object.check then
    list[1] = unconditional(object)
  end
  annotations.create(plan, object, list, { comment = list[1].op == "execute" })
  plan:node({
    when = "make", kind = "policy", identity = identity, sort = object.parent,
    gives = { [identity] = true }, records = list,
  })
end

---Makes the node that drops a policy.
function policies.drop(plan, identity, object)
  plan:node({
    when = "drop", kind = "policy", identity = identity, sort = object.parent,
    takes = { [identity] = true }, frees = { [identity] = true },
    records = {
      records.new("drop_policy", { name = object.name, table = plan:parent_name(object) }),
    },
  })
end

-- A condition can be replaced by ALTER POLICY, but not taken away.
---@return "replace"|"alter"
function policies.compare(_, before, after)
  local is_less = before.using and not after.using or before.check and not after.check
  return (before.command ~= after.command or before.restrictive ~= after.restrictive or is_less)
    and "replace" or "alter"
end

---Makes the node that changes a policy in place.
function policies.alter(plan, identity, before, after)
  local args, out = {}, {}
  if table.concat(before.roles, "\0") ~= table.concat(after.roles, "\0") then
    args.roles = roles(after)
  end
  for _, field in ipairs({ "using", "check" }) do
    if before[field] ~= after[field] then
      args[field] = bare(after[field])
    end
  end
  if next(args) then
    args.name, args.table = after.name, plan:parent_name(after)
    out[1] = records.new("alter_policy", args)
  end
  annotations.change(plan, before, after, out)
  if out[1] then
    plan:node({
      when = "change", kind = "policy", identity = identity, sort = after.parent,
      gives = { [identity] = true }, frees = { [identity] = true }, records = out,
    })
  end
end

return policies
