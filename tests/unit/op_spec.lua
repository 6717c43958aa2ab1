local op = require("luamig.op")
local record = require("support.record")
local recording = require("luamig.executor.recording")

local here = debug.getinfo(1, "S").source:sub(2)

local function line()
  return debug.getinfo(2, "l").currentline
end

describe("the op module", function()
  it("hands rendered statements to the executor, with the place of the call", function()
    local at
    local executor = record.executor(function()
      at = line() + 1
      op.rename_column("users", "mail", "email")
    end)
    assert.same({
      {
        sql = "ALTER TABLE users RENAME COLUMN mail TO email",
        op = "rename_column",
        origin = { file = here, line = at },
        transactional = true,
      },
    }, executor.statements)
  end)

  it("makes a record of every call, by the names of the arguments", function()
    local executor = record.executor(function()
      op.drop_column("users", "mail", { if_exists = true })
    end)
    assert.equal("drop_column", executor.records[1].op)
    assert.same({ table = "users", column = "mail", if_exists = true }, executor.records[1].args)
  end)

  it("runs a record again", function()
    local executor = record.executor(function()
      op.drop_column("users", "mail", { cascade = true })
    end)
    assert.equal("ALTER TABLE users DROP COLUMN mail CASCADE", record.sql(function()
      op.invoke(executor.records[1])
    end))
  end)

  it("checks a record as it checks a call", function()
    local f = record.fault(function()
      op.invoke({ op = "drop_column", args = { table = "users", colum = "mail" } })
    end)
    assert.equal("drop_column: args.colum: there is no such option", f.message)
    assert.equal("did you mean 'column'?", f.hint)
    f = record.fault(function()
      op.invoke({ op = "drop_columns" })
    end)
    assert.equal("invoke: there is no operation 'drop_columns'", f.message)
  end)

  local function hint_of(fn)
    return record.fault(fn).hint
  end

  it("shows the order of the arguments to who has another in mind", function()
    assert.equal("op.create_function(name, arguments, options)", hint_of(function()
      op.create_function("touch", { returns = "trigger" })
    end))
    assert.equal("op.rename_column(table, column, new_name)", hint_of(function()
      op.rename_column("a", "b")
    end))
    assert.equal("op.rename_column(table, column, new_name)", hint_of(function()
      op.rename_column("a", "b", "c", "d")
    end))
  end)

  it("shows how to write what was meant", function()
    assert.equal('write op.column("b", "…")', hint_of(function()
      op.add_column("a", "b", "int")
    end))
    assert.equal("write { … } around it", hint_of(function()
      op.create_table("a", op.column("b", "int"))
    end))
    assert.equal("op.null stands for NULL", hint_of(function()
      op.execute("SELECT $1, $2", { nil, 2 })
    end))
  end)

  it("names an unknown operation, its line and the nearest one", function()
    local at
    local f = record.fault(function()
      at = line() + 1
      op.ad_column("users", op.column("id", "uuid"))
    end)
    assert.equal("there is no op.ad_column", f.message)
    assert.equal("did you mean op.add_column?", f.hint)
    assert.equal("script", f.kind)
    assert.equal(here, f.file)
    assert.equal(at, f.line)
  end)

  it("refuses a call outside upgrade() and downgrade()", function()
    local ok, f = pcall(op.drop_column, "users", "mail")
    assert.is_false(ok)
    assert.equal("op.drop_column was called outside upgrade() and downgrade()", f.message)
    assert.equal("operation", f.kind)
  end)

  it("makes columns anywhere", function()
    assert.equal("id", op.column("id", "uuid").name)
  end)

  it("sees through a call with a colon", function()
    local f = record.fault(function()
      op:drop_column("users", "mail")
    end)
    assert.equal("op.drop_column is called with a dot, not with a colon", f.message)
  end)

  it("cannot be written to", function()
    assert.equal("op.mine cannot be assigned", record.fault(function()
      op.mine = 1
    end).message)
  end)

  it("shows the context of the executor", function()
    op.with(recording.new({ revision = "001", x = { tenant = "a" } }), function()
      assert.equal("001", op.context.revision)
      assert.equal("a", op.context.x.tenant)
    end)
  end)

  it("takes an operation of one's own", function()
    op.register("spec_add_times", function(table_name)
      op.add_column(table_name, op.column("created_at", "timestamptz"))
      op.add_column(table_name, op.column("updated_at", "timestamptz"))
    end)
    assert.equal("ALTER TABLE users ADD COLUMN created_at timestamptz\n"
      .. "ALTER TABLE users ADD COLUMN updated_at timestamptz", record.sql(function()
      op.spec_add_times("users")
    end))
  end)

  it("keeps its own operations from being replaced", function()
    local f = record.fault(function()
      op.register("add_column", print)
    end)
    assert.equal("register: op.add_column is an operation of luamig already", f.message)
  end)

  it("forgets the executor when the script fails", function()
    local ok = pcall(op.with, recording.new(), error)
    assert.is_false(ok)
    assert.is_false((pcall(op.drop_column, "users", "mail")))
  end)
end)
