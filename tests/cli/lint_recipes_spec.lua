-- What lint says to write instead is written, and run.

local cjson = require("cjson")
local scene = require("support.scene")

describe("the recipe of lint", function()
  local s

  before_each(function()
    s = scene.new()
    s:revision("001", nil, [[
  op.create_table("users", { op.column("id", "bigint", { primary_key = true }),
    op.column("age", "integer"), op.column("data", "json"), op.column("old", "text") })
  op.create_table("orders", { op.column("id", "bigint", { primary_key = true }),
    op.column("user_id", "bigint"), op.column("email", "text") })
  op.create_table("logs", { op.column("id", "bigint", { nullable = false }) })
  op.create_index("orders_user", "orders", { "user_id" })]], '  op.drop_table("users")')
    s:ok("upgrade")
    s:list([[INSERT INTO users (id, age, data) SELECT g, g, json_build_object('n', g)
      FROM generate_series(1, 10) g RETURNING 1]])
    s:list("INSERT INTO orders SELECT g, g, 'm' || g FROM generate_series(1, 10) g RETURNING 1")
  end)

  after_each(function()
    s:close()
  end)

  -- The safe way of a rule for a statement, cut where a revision or a release ends: without
  -- comments and empty ones.
  local function steps_of(rule, statement)
    s:revision("002", "001", "  " .. statement)
    local told = cjson.decode(s:run("lint 002 --json -v").stdout)
    local text
    for _, item in ipairs(told.findings) do
      text = item.rule == rule and item.direction == "upgrade" and item.safe or text
    end
    assert(text, "no " .. rule)
    assert.is_nil(text:find("…", 1, true), text)
    local steps = {}
    for piece in (text .. "\n--"):gmatch("(.-)\n%-%-") do
      local is_comment = piece:find("^%-") or piece:find("^ ")
      local code = is_comment and (piece:match("\n(.*)$") or "") or piece
      steps[#steps + 1] = code:find("op%.") and code or nil
    end
    return steps
  end

  -- Applies the steps one after another, each a revision; `between` is called before each.
  local function apply(steps, between)
    for i, code in ipairs(steps) do
      if between and between[i] then
        s:list(between[i] .. " RETURNING 1")
      end
      s:revision(("%03d"):format(i + 1), ("%03d"):format(i), code, nil, 'irreversible = "no"')
      s:ok("upgrade")
    end
  end

  it("renames a column under an old and a new application", function()
    local steps = steps_of("COMPAT004", 'op.rename_column("users", "age", "years")')
    assert.equal(3, #steps)
    apply(steps, {
      [2] = "INSERT INTO users (id, age) VALUES (11, 11)",
      [3] = "INSERT INTO users (id, years) VALUES (12, 12)",
    })
    assert.equal("12", s:list("SELECT count(*) FROM users WHERE years = id"))
  end)

  it("keeps both columns alike while both applications run", function()
    local steps = steps_of("COMPAT004", 'op.rename_column("users", "age", "years")')
    apply({ steps[1], steps[2] })
    s:list("UPDATE users SET years = 100 WHERE id = 1 RETURNING 1")
    s:list("UPDATE users SET age = 200 WHERE id = 2 RETURNING 1")
    s:list("UPDATE users SET age = NULL WHERE id = 3 RETURNING 1")
    assert.equal("100", s:list("SELECT age FROM users WHERE id = 1"))
    assert.equal("200", s:list("SELECT years FROM users WHERE id = 2"))
    assert.equal("0", s:list("SELECT count(*) FROM users WHERE age IS DISTINCT FROM years"))
  end)

  it("changes a type, as USING says", function()
    local steps = steps_of("REWRITE001", 'op.alter_column("users", "age", { type = "numeric", '
      .. 'using = "age::numeric / 100" })')
    assert.equal(3, #steps)
    apply(steps, { [2] = "UPDATE users SET age = 300 WHERE id = 3" })
    assert.equal("true", s:list("SELECT age_new = 3 FROM users WHERE id = 3"))
    assert.equal("10", s:list("SELECT count(*) FROM users WHERE age_new IS NOT NULL"))
  end)

  it("changes a type that has no equality", function()
    apply(steps_of("COMPAT007", 'op.alter_column("users", "data", { type = "jsonb" })'),
      { [3] = [[UPDATE users SET data_new = '{"n": 5}' WHERE id = 1]] })
    assert.equal("1, 2, 5", s:list([[SELECT string_agg(id::text, ', ' ORDER BY id) FROM users
      WHERE data_new = '{"n": 5}' OR data_new = '{"n": 2}']]))
  end)

  for rule, statement in pairs({
    LOCK001 = 'op.create_index("i", "users", { "age" })',
    LOCK004 = 'op.create_unique_constraint("u", "orders", { "email" })',
    LOCK005 = 'op.create_primary_key("k", "logs", { "id" })',
    LOCK008 = 'op.create_check_constraint("sane", "users", "age < 200")',
    LOCK009 = 'op.create_foreign_key("f", "orders", { "user_id" }, "users", { "id" })',
    LOCK011 = 'op.alter_column("users", "age", { nullable = false })',
    REWRITE002 = 'op.add_column("users", op.column("token", "uuid", { default = '
      .. 'op.sql("gen_random_uuid()") }))',
    REWRITE003 = 'op.add_column("users", op.column("n", "bigint", { identity = "always" }))',
    DATA004 = 'op.execute("UPDATE users SET age = age + 1 WHERE id > 0")',
    DATA006 = 'op.execute("DELETE FROM users WHERE age = 3")',
  }) do
    it(("of %s runs, and nothing in it is an error"):format(rule), function()
      apply(steps_of(rule, statement))
      local told = cjson.decode(s:run("lint 002:head --compat off --json").stdout)
      for _, item in ipairs(told.findings) do
        assert(item.severity ~= "error" or item.direction == "downgrade", item.message)
      end
    end)
  end
end)
