local fault = require("luamig.fault")
local journal = require("luamig.journal")
local types = require("luamig.types")
local value = require("luamig.value")

local what = { file = "versions/001.lua", revision = "001", direction = "upgrade" }

local function statement(sql, params)
  return { sql = sql, params = params, op = "execute",
    origin = { file = "versions/001.lua", line = 7 } }
end

-- What a run that commits these statements as one segment leaves in the journal.
local function segment(statements, results)
  local hashes = {}
  for i, s in ipairs(statements) do
    hashes[i] = journal.hash(s)
  end
  return { statements = #statements, sha256 = hashes, finished = true,
    results = results and journal.encode(results) }
end

local function failure(fn)
  local ok, f = pcall(fn)
  assert.is_false(ok)
  assert.is_true(fault.is(f), tostring(f))
  return f
end

describe("the journal", function()
  it("tells statements apart by text, parameters and data", function()
    local seen = {}
    for _, s in ipairs({
      statement("SELECT 1"), statement("SELECT 2"), statement("SELECT 1", { "a", n = 1 }),
      statement("SELECT 1", { value.null, n = 1 }), statement("SELECT 1", { "null", n = 1 }),
      statement("SELECT 1", { "a", "b", n = 2 }), statement("SELECT 1", { "ab", n = 1 }),
      { sql = "COPY t FROM STDIN", data_hash = "x" },
      { sql = "COPY t FROM STDIN", data_hash = "y" },
    }) do
      local hash = journal.hash(s)
      assert.equal(64, #hash)
      assert.is_nil(seen[hash])
      seen[hash] = true
    end
  end)

  it("gives results back as they were", function()
    local empty = require("luamig.core.json").decode("[]")
    local results = {
      [1] = { rows = { list = { { empty = empty } }, columns = { "empty" }, tag = "SELECT 1" } },
      [2] = { rows = { list = { { i = 1, f = 1.0, third = 1 / 3, t = "ü", y = "\0\255", b = true,
        a = { 1, value.null }, e = {} } }, columns = { "i" }, tag = "SELECT 1" } },
    }
    local back = journal.decode(journal.encode(results))
    assert.same(results, back)
    assert.equal("integer", math.type(back[2].rows.list[1].i))
    assert.equal("float", math.type(back[2].rows.list[1].f))
    assert.equal("[]", types.json(back[1].rows.list[1].empty))
    assert.same({}, journal.decode(nil))
  end)

  it("passes over what was committed, then goes on", function()
    local a, b = statement("A"), statement("B")
    local cursor = journal.cursor({ segment({ a, b }, { [2] = { rows = "kept" } }) }, what)
    assert.is_true(cursor:is_replaying())
    assert.is_true(cursor:enter(a))
    local is_replayed, result = cursor:enter(b)
    assert.is_true(is_replayed)
    assert.equal("kept", result.rows)
    cursor:next()
    assert.is_false(cursor:is_replaying())
    assert.is_false(cursor:enter(statement("C")))
    assert.same({ journal.hash(statement("C")) }, cursor:hashes())
    cursor:finish()
  end)

  it("stops at another statement, with its line", function()
    local cursor = journal.cursor({ segment({ statement("A") }) }, what)
    local f = failure(function()
      cursor:enter(statement("B"))
    end)
    assert.equal("edited", f.kind)
    assert.equal(7, f.line)
    assert.equal("B", f.statement)
  end)

  it("stops when statements are missing, also at the end of the script", function()
    local a, b = statement("A"), statement("B")
    local cursor = journal.cursor({ segment({ a, b }) }, what)
    cursor:enter(a)
    assert.equal("edited", failure(function()
      cursor:next()
    end).kind)
    cursor = journal.cursor({ segment({ a, b }) }, what)
    cursor:enter(a)
    assert.equal("edited", failure(function()
      cursor:finish()
    end).kind)
    cursor = journal.cursor({ segment({ a }), segment({ b }) }, what)
    cursor:enter(a)
    cursor:next()
    assert.equal("edited", failure(function()
      cursor:finish()
    end).kind)
  end)

  it("knows a statement whose end was not seen", function()
    local vacuum = statement("VACUUM t")
    local begun = segment({ vacuum })
    begun.finished = false
    local cursor = journal.cursor({ begun }, what)
    assert.is_true(cursor:is_in_doubt())
    assert.is_false(cursor:enter(vacuum))
    cursor = journal.cursor({ begun }, what)
    assert.equal("edited", failure(function()
      cursor:enter(statement("VACUUM u"))
    end).kind)
  end)
end)
