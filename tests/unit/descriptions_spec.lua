-- What the editor's meta file and `luamig help op.X` are made of.
local op = require("luamig.op")
local operations = require("luamig.operations")
local record = require("support.record")
local shape = require("luamig.shape")

local families = { ["types and schemas"] = true, ["code"] = true, ["citus"] = true }

local function each_description(fn)
  for _, description in ipairs(operations.list()) do
    if families[description.family] then
      fn(description)
    end
  end
end

local function check_fields(fields, path)
  for name, field in pairs(fields) do
    local at = path .. "." .. name
    assert.is_string(field.doc, at .. " has no doc")
    assert.is_nil(field.doc:find("%.$"), at .. ": its doc ends with a full stop")
    shape.parse(field.type)
    if field.fields then
      check_fields(field.fields, at)
    end
  end
end

local function parameter_fields(description)
  local fields = {}
  for _, parameter in ipairs(description.parameters) do
    fields[parameter.name] = parameter
  end
  return fields
end

local function run(source)
  local environment = setmetatable({ op = op }, { __index = _G })
  return assert(load(source, "=example", "t", environment))
end

-- The inverses of what a function calls, last first; or nil and why there is none.
local function inverses(fn, context)
  local records = record.executor(fn, context).records
  local out = {}
  for i = #records, 1, -1 do
    local back, why = operations.get(records[i].op).inverse(records[i].args)
    if not back then
      return nil, why
    end
    out[#out + 1] = back
  end
  return out
end

describe("the description of every operation on types, schemas and code", function()
  each_description(function(description)
    it(("op.%s is complete"):format(description.name), function()
      assert.is_string(description.summary)
      assert.is_string(description.raises)
      assert.is_function(description.render)
      assert.is_function(description.inverse)
      check_fields(parameter_fields(description), description.name)
      check_fields(description.options or {}, description.name)
    end)

    it(("op.%s has an example that runs"):format(description.name), function()
      local executor = record.executor(run(description.example), { server_version = 180000 })
      assert.is_true(#executor.statements > 0)
      assert.equal(description.name, executor.records[1].op)
    end)

    it(("op.%s has a way back that runs, or says why not"):format(description.name), function()
      local records, why = inverses(run(description.example), { server_version = 180000 })
      if not records then
        assert.is_true(#why > 0)
        return
      end
      record.executor(function()
        for _, back in ipairs(records) do
          op.invoke(back)
        end
      end, { server_version = 180000 })
    end)
  end)
end)
