-- Mistakes that anybody makes: what luamig says, and that it says it soon.
local scene = require("support.scene")

describe("a mistake in a script", function()
  local s

  before_each(function()
    s = scene.new()
  end)

  after_each(function()
    s:close()
  end)

  local function failing(up, words)
    s:revision("001", nil, up)
    local result = s:run(words or "upgrade")
    return result.stderr, result.status
  end

  it("that recurses without end is told at once, with the nearest frames only", function()
    local text, status = failing("  local function f() return f() + 1 end\n  f()")
    assert.equal(9, status)
    assert.matches("^error: stack overflow\n  versions/001.lua:9\n", text)
    assert.is_true(select(2, text:gsub("\n", "")) < 20)
  end)

  -- The comment is not looked at by Lua, but the whole text is stored.
  local function in_comment(bytes)
    s.project:write("versions/001.lua", ("--- t\nrevision = \"001\"\n-- %s\n"):format(bytes)
      .. "function upgrade() end\nfunction downgrade() end\n")
    return s:run("upgrade")
  end

  it("that is a byte which no database stores, is told with its line", function()
    local result = in_comment("caf\xe9")
    assert.equal(9, result.status)
    assert.matches("^error: the file is not UTF%-8: it has the byte 0xe9\n  versions/001.lua:3\n"
      .. "  hint:  save it as UTF%-8, or: iconv ", result.stderr)
    result = in_comment("a\0b")
    assert.equal(9, result.status)
    assert.matches("^error: the file has a NUL byte in it\n  versions/001.lua:3\n", result.stderr)
    assert.equal(0, in_comment("café 日本").status)
  end)

  it("about parameters, values and rows names what is to be written instead", function()
    assert.matches("hint:  a nil ends the list of parameters; op.null stands for NULL",
      failing('  op.execute("SELECT $1::int, $2::int", { 1, nil })'))
    assert.matches("hint:  a procedure or DO block that commits needs op.autocommit",
      failing('  op.execute("DO $$ BEGIN COMMIT; END $$")'))
    assert.matches("error: scalar expects one column, the query gave 2: a, a\n",
      failing('  op.scalar("SELECT 1 AS a, 2 AS a")'))
    local rows = '  op.execute("CREATE TABLE t (id int, s text)")\n'
      .. '  op.bulk_insert("t", { { id = 1 },'
    assert.matches("error: row 2, column 's': a function is no value of a database\n",
      failing(rows .. " { id = 2, s = print } })"))
    assert.matches("error: row 2, column 's': a string with a NUL byte cannot be stored",
      failing(rows .. ' { id = 2, s = "a\\0" } })'))
    assert.matches("error: row 2 has the key 1: a row has its columns by name",
      failing(rows .. " { 2 } })"))
  end)
end)
