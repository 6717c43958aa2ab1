local description = require("luamig.description")
local meta = require("luamig.meta")
local operations = require("luamig.operations")

local text = meta.text()

-- The lines of the class, as name -> line.
local function fields_of(class)
  local block = text:match("%-%-%-@class " .. class:gsub("%p", "%%%0") .. "\n(.-)\n\n")
  assert(block, "no class " .. class)
  local fields = {}
  for line in block:gmatch("[^\n]+") do
    local name = line:match("^%-%-%-@field ([%w_%[%]]+)")
    if name then
      fields[name] = line
    end
  end
  return fields
end

-- What stands above a function, and its parameters.
local function function_of(name)
  for block in text:gmatch("(.-)\n\n") do
    local head, parameters = block:match("^(.*)\nfunction op%." .. name .. "%((.-)%) end$")
    if head then
      return head, parameters
    end
  end
  error("no function op." .. name)
end

describe("the definition file for editors", function()
  it("is Lua, with a function for every operation", function()
    local environment = {}
    local op = assert(load(text, "=meta", "t", environment))()
    assert.equal(environment.op, op)
    for _, name in ipairs(operations.names()) do
      assert.is_function(op[name], name)
    end
    assert.is_function(op.invoke)
    assert.is_function(op.register)
  end)

  it("shows an operation in full", function()
    assert.truthy(text:find([[

---@class luamig.DropColumnOptions
---@field cascade? boolean # drop what depends on it too
---@field if_exists? boolean # pass over a column that does not exist

---Drops a column and what it holds.
---
---With op.column in place of the name, change() can bring the column back, but not its values.
---
---Raises: operation when an argument is wrong; server 42703 when there is no such column, ]]
      .. [[2BP01 when something depends on it
---
---Inverse: possible when the call says enough; at its shortest, the definition of the column is ]]
      .. [[not known: write op.drop_column("table", op.column("column", …))
---
---```lua
---op.drop_column("users", "phone", { if_exists = true })
---```
---@param table string # "table" or "schema.table"
---@param column string|luamig.Column # its name, or its whole definition
---@param options? luamig.DropColumnOptions
function op.drop_column(table, column, options) end
]], 1, true))
  end)

  for _, one in ipairs(description.all()) do
    it("knows every parameter and option of op." .. one.name, function()
      local head, parameters = function_of(one.name)
      local names = {}
      for name in parameters:gmatch("[%w_]+") do
        names[#names + 1] = name
      end
      for i, parameter in ipairs(one.parameters or {}) do
        assert.equal(parameter.name, (names[i]:gsub("_$", "")), one.name)
        assert.truthy(head:find("---@param " .. names[i], 1, true))
      end
      local class = head:match("@param options%? (luamig%.%w+)")
      if one.options_in then
        class = head:match("@param " .. one.options_in .. "%?? (luamig%.%w+)")
      end
      for _, entry in ipairs(description.fields(one.options)) do
        local line = fields_of(class)[entry.key]
        assert.truthy(line, one.name .. ": " .. entry.key)
        assert.truthy(line:find(entry.field.doc or "", 1, true), one.name .. ": " .. entry.key)
      end
    end)
  end

  it("says what an option may be, and what it is by default", function()
    local column = fields_of("luamig.ColumnOptions")
    assert.equal("---@field nullable? boolean # false: NOT NULL (default true)", column.nullable)
    assert.equal('---@field storage? "plain"|"external"|"extended"|"main" # TOAST strategy',
      column.storage)
    assert.equal("---@field references? string|luamig.Reference "
      .. "# a table, or { table = …, column = …, on_delete = … }", column.references)
    assert.equal('---@field using? string # access method of its index (default "gist")',
      fields_of("luamig.ExcludeOptions").using)
  end)

  it("says what the fields of an option are", function()
    local reference = fields_of("luamig.Reference")
    assert.equal("---@field table string # the table referred to", reference.table)
    assert.truthy(reference.on_delete)
    local key = fields_of("luamig.IndexKey")
    assert.equal("---@field [1] string|luamig.Sql # a column, or op.sql with an expression",
      key["[1]"])
    assert.equal('---@field order? "asc"|"desc" # order of the key', key.order)
  end)

  it("puts the columns of a table and its options into one", function()
    assert.equal("---@field [integer] luamig.Column|luamig.Constraint|luamig.Sql",
      fields_of("luamig.CreateTableColumns")["[integer]"])
  end)

  it("does not offer what the server lacks", function()
    assert.is_nil(fields_of("luamig.UniqueOptions").not_valid)
    assert.truthy(fields_of("luamig.CheckOptions").not_valid)
  end)

  it("knows the fields of op", function()
    local op = fields_of("luamig.op")
    assert.truthy(op.none)
    assert.truthy(op.null)
    assert.truthy(op.context)
    assert.truthy(fields_of("luamig.Context").server_version)
  end)

  it("defines every class that it names, once", function()
    local defined = {}
    for name in text:gmatch("%-%-%-@%a+ (luamig%.%a[%w]*)") do
      local is_definition = text:find("@class " .. name .. "%f[^%w]")
        or text:find("@alias " .. name .. "%f[^%w]")
      assert.truthy(is_definition, name)
    end
    for name in text:gmatch("%-%-%-@class (luamig%.%a[%w]*)") do
      assert.is_nil(defined[name], name)
      defined[name] = true
    end
    for name in text:gmatch("[%s|(<](luamig%.%u%w*)") do
      assert.truthy(defined[name] or text:find("@alias " .. name .. "%f[^%w]"), name)
    end
  end)

  it("knows the globals of a revision that luacheck knows", function()
    local rules = { files = {} }
    assert(loadfile(".luacheckrc", "t", rules))()
    for _, name in ipairs(rules.files["migrations/versions"].globals) do
      assert.truthy(text:find("\n" .. name .. " = nil\n", 1, true)
        or text:find("\nfunction " .. name .. "() end\n", 1, true), name)
    end
  end)
end)
