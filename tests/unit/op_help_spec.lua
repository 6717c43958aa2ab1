local description = require("luamig.description")
local fault = require("luamig.fault")
local op = require("luamig.op")
local op_help = require("luamig.op_help")
local operations = require("luamig.operations")
local record = require("support.record")

local function lines_of(text)
  local lines = {}
  for line in (text .. "\n"):gmatch("(.-)\n") do
    lines[#lines + 1] = line
  end
  return lines
end

-- Whether some line begins with the name, behind white space.
local function has_entry(text, name)
  for _, line in ipairs(lines_of(text)) do
    if line:match("^  ([%w_]+)%f[^%w_]") == name then
      return true
    end
  end
  return false
end

describe("luamig help op.NAME", function()
  it("shows an operation in full", function()
    assert.equal([[
op.drop_column(table, column, options)

  Drops a column and what it holds.

  With op.column in place of the name, change() can bring the column back, but not its values.

Parameters
  table                 "table" or "schema.table" [name]
  column                its name, or its whole definition [name | column]

Options
  cascade               drop what depends on it too [boolean]
  if_exists             pass over a column that does not exist [boolean]

Raises
  operation when an argument is wrong; server 42703 when there is no such column, 2BP01 when
  something depends on it

Inverse
  possible when the call says enough; at its shortest, the definition of the column is not known:
  write op.drop_column("table", op.column("column", …))

Example
  op.drop_column("users", "phone", { if_exists = true })]], op_help.text("drop_column"))
  end)

  for _, one in ipairs(description.all()) do
    it("knows every parameter and option of op." .. one.name, function()
      local text = op_help.text(one.name)
      assert.equal(description.signature(one), lines_of(text)[1])
      for _, parameter in ipairs(one.parameters or {}) do
        assert.is_true(has_entry(text, parameter.name), parameter.name)
      end
      for _, entry in ipairs(description.fields(one.options)) do
        assert.is_true(has_entry(text, entry.key), entry.key)
      end
      assert.equal(description.inverse(one) ~= nil, text:find("\nInverse\n", 1, true) ~= nil)
    end)

    it("fills its lines up to 100 columns: op." .. one.name, function()
      local is_example = false
      for _, line in ipairs(lines_of(op_help.text(one.name))) do
        is_example = is_example or line == "Example"
        assert.is_true(is_example or utf8.len(line) <= 100, line)
        assert.is_nil(line:find("%s$"), line)
      end
    end)
  end

  it("takes the name as scripts write it", function()
    assert.equal(op_help.text("add_column"), op_help.text("op.add_column"))
  end)

  it("shows the fields of an option below it, once", function()
    local text = op_help.text("create_table")
    assert.truthy(text:find("\n  partition_by  "))
    assert.truthy(text:find("\n    hash  "))
    assert.truthy(text:find("\n      %[1%]  "))
    assert.equal(1, select(2, text:gsub("\n      opclass  ", "")))
  end)

  it("does not repeat options inside an option", function()
    local text = op_help.text("alter_column")
    assert.truthy(text:find("so that change() can go back, fields as these options", 1, true))
    assert.equal(1, select(2, text:gsub("\n +compression ", "")))
  end)

  it("shows defaults", function()
    assert.truthy(op_help.text("column"):find("[boolean, default true]", 1, true))
    assert.truthy(op_help.text("exclude"):find('[name, default "gist"]', 1, true))
  end)

  it("says whether change() can go back, and what it needs", function()
    local function inverse(name)
      return op_help.text(name):match("\nInverse\n  ([^\n]*)")
    end
    assert.equal("op.drop_column", inverse("add_column"))
    assert.equal("op.alter_column; needs from, for all but nullable and new_name",
      inverse("alter_column"))
    assert.truthy(inverse("drop_constraint"):find("^possible when the call says enough; at its "
      .. "shortest, what the constraint was is not known"))
    assert.truthy(inverse("attach_index"):find("^none: PostgreSQL cannot take an index off again"))
    assert.is_nil(inverse("column"))
    assert.is_nil(inverse("register"))
  end)

  it("shows the fields of op", function()
    assert.truthy(op_help.text("none"):find("^op%.none\n\n  %u"))
    assert.is_true(has_entry(op_help.text("op.context"), "server_version"))
  end)

  it("names the nearest operation when there is none", function()
    local ok, f = pcall(op_help.text, "op.creat_table")
    assert.is_false(ok)
    assert.is_true(fault.is(f))
    assert.equal("usage", f.kind)
    assert.equal("there is no op.creat_table", f.message)
    assert.equal("did you mean op.create_table?", f.hint)
    assert.equal("luamig help op.create_table", f.try)
    ok, f = pcall(op_help.text, "zzzzzzzzz")
    assert.is_false(ok)
    assert.is_nil(f.hint)
    assert.equal("luamig help op", f.try)
  end)
end)

describe("luamig help op", function()
  it("lists every operation, a family together", function()
    local text = op_help.list()
    for _, one in ipairs(description.all()) do
      assert.is_true(has_entry(text, one.name), one.name)
    end
    for _, name in ipairs({ "none", "null", "context" }) do
      assert.is_true(has_entry(text, name), name)
    end
    assert.truthy(text:find("\nTables\n  create_table +Creates a table%.\n"))
    assert.equal(1, select(2, text:gsub("\nTables\n", "")))
  end)
end)

describe("the examples of operations", function()
  local families = { tables = true, columns = true, constraints = true, indexes = true }

  for _, one in ipairs(operations.list()) do
    it("are Lua: op." .. one.name, function()
      if not one.example then
        return
      end
      local text = one.example:gsub("…", "") -- what a reader fills in
      local run = assert(load(text, "=example", "t", { op = op })
        or load("return " .. text, "=example", "t", { op = op }))
      assert.truthy(one.example:find("op." .. one.name, 1, true))
      if families[one.family] then
        local executor = record.executor(run, { server_version = 180000 })
        assert.equal(one.render ~= nil, executor.statements[1] ~= nil)
      end
    end)
  end
end)
