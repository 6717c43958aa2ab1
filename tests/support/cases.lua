--- Specs of operations as rows of a table: a call and the SQL it makes, the fault it ends with, or
-- the SQL of its inverse.

local assert = require("luassert")
local busted = require("busted") -- its words are globals in spec files only
local operations = require("luamig.operations")
local op = require("luamig.op")
local record = require("support.record")

local cases = {}

---Rows of { what, function, SQL, context? }.
function cases.render(rows)
  for _, row in ipairs(rows) do
    busted.it(row[1], function()
      assert.equal(row[3], record.sql(row[2], row[4]))
    end)
  end
end

---Rows of { what, function, message, hint?, context = … }.
function cases.refuse(rows)
  for _, row in ipairs(rows) do
    busted.it(row[1], function()
      local f = record.fault(row[2], row.context)
      assert.equal(row[3], f.message)
      assert.equal(row[4], f.hint)
      assert.equal("operation", f.kind)
      assert.is_number(f.line)
    end)
  end
end

local function inverse_of(made)
  return operations.get(made.op).inverse(made.args)
end

local function invoker(made)
  return function()
    op.invoke(made)
  end
end

---Rows of { what, function, SQL of the inverse, context? }. The inverse of the inverse must say the
---same as the function did, but for rows with one_way = true.
function cases.invert(rows)
  for _, row in ipairs(rows) do
    busted.it(row[1], function()
      local executor = record.executor(row[2], row[4])
      local back, why = inverse_of(executor.records[1])
      assert.is_nil(why)
      local undone = record.executor(invoker(back), row[4])
      assert.equal(row[3], table.concat(undone:sql(), "\n"))
      if not row.one_way then
        local again = inverse_of(undone.records[1])
        assert.equal(table.concat(executor:sql(), "\n"), record.sql(invoker(again), row[4]))
      end
    end)
  end
end

---Rows of { what, function, the reason why there is no inverse }.
function cases.not_invert(rows)
  for _, row in ipairs(rows) do
    busted.it(row[1], function()
      local back, why = inverse_of(record.executor(row[2]).records[1])
      assert.is_nil(back)
      assert.equal(row[3], why)
    end)
  end
end

---A call as a function, so that a row is one line.
---@param name string  of the operation
function cases.call(name, ...)
  local given = table.pack(...)
  return function()
    return op[name](table.unpack(given, 1, given.n))
  end
end

return cases
