-- The locks on the pages of the rules, measured again.

local facts_of = require("luamig.lint.facts")
local measured = require("luamig.lint.measured")
local registry = require("luamig.lint.registry")
local rigs = require("support.rigs")
local server = require("support.server")

local function of_this_server()
  local list = {}
  for _, fact in ipairs(measured.facts) do
    list[#list + 1] = server.version() >= (fact.since or 0) and fact or nil
  end
  return list
end

describe("the locks of the rules", function()
  it("are what the server does", function()
    local list, steps = of_this_server(), {}
    for i, fact in ipairs(list) do
      steps[i] = ('op.step("s%d", function() op.execute(%q) end)'):format(i, fact[1])
    end
    rigs.measure({ measured.setup, { table.concat(steps, "\n"), false } }, function(m, r, ctx)
      assert.is_nil(m.failure and tostring(m.failure))
      assert.is_nil(m.on_rows and tostring(m.on_rows))
      local facts = facts_of.new(m, "upgrade", { cfg = ctx:config(), version = r.version })
      assert.equal(#list, #facts.entries)
      for i, entry in ipairs(facts.entries) do
        local fact = list[i]
        assert.same({ fact[1], fact[2], fact[3] }, { entry.sql, measured.told(facts, entry) })
      end
    end)
  end)

  it("belong to rules that are there, and each rule about statements has some", function()
    local has = {}
    for _, fact in ipairs(measured.facts) do
      for id in fact[4]:gmatch("%S+") do
        assert(registry.get(id), id)
        has[id] = true
      end
    end
    for _, rule in ipairs(registry.rules()) do
      local group = rule.id:match("^%u+")
      assert(has[rule.id] or group ~= "LOCK" and group ~= "REWRITE" and group ~= "COMPAT", rule.id)
    end
  end)
end)
