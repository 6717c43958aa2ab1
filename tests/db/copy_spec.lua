-- COPY from Lua: whatever goes wrong while rows are made or sent, nothing is stored and the
-- connection goes on.

local fault = require("luamig.fault")
local server = require("support.server")

describe("COPY", function()
  local database, conn

  before_each(function()
    database = server.database()
    conn = database.connect()
    conn:exec("CREATE TABLE t (id int, name text)")
  end)

  after_each(function()
    conn:close()
    database.drop()
  end)

  local function count()
    return conn:exec("SELECT count(*) AS n FROM t")[1].n
  end

  -- What a function returns, one piece at a call.
  local function pieces(...)
    local list, i = table.pack(...), 0
    return function()
      i = i + 1
      return list[i]
    end
  end

  it("takes a string, and the pieces that a function returns", function()
    conn:copy("COPY t FROM STDIN", "1\ta\n2\tb\n")
    conn:copy("COPY t FROM STDIN", pieces("3\t", "c\n4\td", "\n"))
    conn:copy("COPY t FROM STDIN", pieces())
    conn:copy("COPY t FROM STDIN", "")
    assert.equal(4, count())
  end)

  it("whose function fails stores nothing and raises that failure", function()
    local ok, f = pcall(conn.copy, conn, "COPY t FROM STDIN", function()
      fault.raise({ kind = "operation", message = "no more" })
    end)
    assert.is_false(ok)
    assert.equal("no more", f.message)
    local called = false
    ok, f = pcall(conn.copy, conn, "COPY t FROM STDIN", function()
      if called then
        error("at the second piece")
      end
      called = true
      return "1\ta\n"
    end)
    assert.is_false(ok)
    assert.matches("at the second piece", f)
    assert.equal(0, count())
  end)

  it("takes nothing but strings", function()
    for _, value in ipairs({ 5, true, {} }) do
      local ok, f = pcall(conn.copy, conn, "COPY t FROM STDIN", pieces("1\ta\n", value))
      assert.is_false(ok)
      assert.matches("a string or nil expected, got a " .. type(value), tostring(f))
    end
    assert.is_false((pcall(conn.copy, conn, "COPY t FROM STDIN", {})))
    assert.is_false((pcall(conn.copy, conn, "COPY t FROM STDIN")))
    assert.equal(0, count())
  end)

  it("of wrong rows or of a wrong statement raises what the server says", function()
    local ok, f = pcall(conn.copy, conn, "COPY t FROM STDIN", "x\ta\n")
    assert.is_false(ok)
    assert.equal("22P02", f.sqlstate)
    ok, f = pcall(conn.copy, conn, "COPY nowhere FROM STDIN", "1\n")
    assert.is_false(ok)
    assert.equal("42P01", f.sqlstate)
    ok, f = pcall(conn.copy, conn, "SELECT 1", "1\n")
    assert.is_false(ok)
    assert.is_true(fault.is(f), tostring(f))
    assert.equal(0, count())
    assert.equal("I", conn:transaction())
  end)

  it("in a transaction that fails leaves the connection usable", function()
    conn:exec("BEGIN")
    assert.is_false((pcall(conn.copy, conn, "COPY t FROM STDIN", "x\ta\n")))
    assert.equal("E", conn:transaction())
    conn:exec("ROLLBACK")
    conn:copy("COPY t FROM STDIN", "1\ta\n")
    assert.equal(1, count())
  end)

  it("of more than the server takes at once goes through", function()
    local row = ("x"):rep(1000)
    local sent = 0
    conn:copy("COPY t FROM STDIN", function()
      sent = sent + 1
      return sent <= 20000 and ("%d\t%s\n"):format(sent, row) or nil
    end)
    assert.equal(20000, count())
  end)
end)
