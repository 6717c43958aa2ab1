local creations = require("luamig.roundtrip.creations")
local database = require("luamig.roundtrip.database")
local place = require("luamig.roundtrip.place")
local project = require("support.project")
local server = require("support.server")
local session = require("luamig.session")

describe("revisions that only create", function()
  local p, ctx, at, scratch

  -- Each entry: { upgrade, downgrade } as Lua source; the ids are 001, 002 …
  local function open(list, config)
    p = project.new()
    p:write("luamig.lua", ('return { url = "embedded", %s }'):format(config or ""))
    for i, each in ipairs(list) do
      p:revision(("%03d"):format(i), ("%03d"):format(i), {
        down = i > 1 and ('"%03d"'):format(i - 1) or nil,
        body = ("function upgrade()\n%s\nend\nfunction downgrade()\n%s\nend"):format(each[1],
          each[2]),
      })
    end
    ctx = session.new({ config = p:path("luamig.lua"), x = {} }, require("luamig.report"))
    at = place.open({ url = server.url(), roles = {}, report = ctx.report })
    scratch = database.new({ place = at, project = database.project(ctx) })
    scratch:create()
  end

  after_each(function()
    scratch:drop()
    at:close()
    ctx:close()
    p:remove()
  end)

  local function id(i)
    return ("%03d"):format(i)
  end

  -- The first `applied` of them are there already; are the others proved to come back?
  local function is_proved(list, applied, config)
    open(list, config)
    local moves = {}
    for i = 1, applied or 0 do
      moves[i] = { id(i), "upgrade" }
    end
    assert.is_nil(scratch:run(scratch:steps(moves)))
    local guess = creations.new(scratch)
    moves = {}
    for i = (applied or 0) + 1, #list do
      for _, direction in ipairs({ "upgrade", "downgrade", "upgrade" }) do
        moves[#moves + 1] = { id(i), direction }
      end
    end
    guess:begin()
    return scratch:run(scratch:steps(moves)) == nil and guess:is_proved()
  end

  local function create(name, more)
    return ([[op.create_table("%s", { op.column("id", "bigint", { primary_key = true,
      identity = "always" }), op.column("name", "text", { default = "x", comment = "c" }) %s })]])
      :format(name, more or "")
  end

  local function is_plain(up, down, options)
    open({ { up, down or create("x") } })
    local guess = creations.new(scratch)
    for name in pairs(options or {}) do
      guess.referenced[name] = true
    end
    return guess:is_plain(scratch:fresh("001"))
  end

  setup(function()
    local admin <close> = require("luamig.core.conn").open({ url = server.url() })
    admin:exec("CREATE ROLE luamig_spec_other")
  end)

  teardown(function()
    local admin <close> = require("luamig.core.conn").open({ url = server.url() })
    admin:exec("DROP ROLE luamig_spec_other")
  end)

  local table_a = { create("a"), 'op.drop_table("a")' }
  local table_b = { create("b"), 'op.drop_table("b")' }

  it("are proved together", function()
    assert.is_true(is_proved({
      table_a, table_b,
      { 'op.create_index("a_name", "a", { "name" })', 'op.drop_index("a_name")' },
      { 'op.create_enum("mood", { "good", "bad" })', 'op.drop_type("mood")' },
      { 'op.create_schema("app")', 'op.drop_schema("app")' },
      { 'op.create_sequence("app.s")', 'op.drop_sequence("app.s")' },
      { create("app.c", ', op.foreign_key({ "id" }, "app.c", { "id" })'),
        'op.drop_table("app.c")' },
    }))
  end)

  it("are not proved when a downgrade leaves something", function()
    assert.is_false(is_proved({ table_a,
      { create("b") .. 'op.create_enum("mood", { "a" })',
        'op.drop_table("b") op.execute("ALTER TYPE mood RENAME TO old_mood")' } }))
  end)

  it("are not proved when a downgrade renames", function()
    assert.is_false(is_proved({ table_a, { create("b"), 'op.rename_table("b", "b_old")' } }))
  end)

  it("are not proved when a downgrade drops another table of the same form", function()
    assert.is_false(is_proved({ table_a, { create("b"),
      'op.drop_table("b") op.drop_table("a") op.execute("CREATE TABLE z (id int)")' } }, 1))
    -- As many rows go as had come: of a, and all of b but its name.
    scratch:drop()
    at:close()
    assert.is_false(is_proved({ table_a, table_b, { create("c"),
      'op.drop_table("a") op.rename_table("c", "a")' } }, 2))
  end)

  it("are not proved when a downgrade changes what was there before", function()
    for _, change in ipairs({ "COMMENT ON TABLE a IS 'old'", "GRANT SELECT ON a TO PUBLIC",
      "ALTER TABLE a ALTER COLUMN name DROP DEFAULT", "ALTER TABLE a RENAME TO a2",
      "ALTER TABLE a ADD CHECK (id > 0)", "ALTER TABLE a SET (fillfactor = 50)",
      "ALTER TABLE a OWNER TO luamig_spec_other",
      "DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET work_mem = 1000', current_database()); "
        .. "END $$" }) do
      assert.is_false(is_proved({ table_a, { create("b"),
        ('op.drop_table("b") op.execute(%q)'):format(change) } }, 1), change)
      scratch:drop()
      at:close()
    end
    assert.is_true(is_proved({ table_a, table_b }, 1))
  end)

  it("are not proved when a downgrade changes what an earlier one of them made", function()
    for _, change in ipairs({ "ALTER TABLE a SET (fillfactor = 50)", "GRANT SELECT ON a TO PUBLIC",
      "ALTER TABLE a ALTER COLUMN name SET NOT NULL", "ALTER TABLE a RENAME COLUMN name TO n",
      "DO $$ BEGIN ALTER TABLE a SET UNLOGGED; EXCEPTION WHEN division_by_zero THEN END $$" }) do
      assert.is_false(is_proved({ table_a, { create("b"),
        ('op.drop_table("b") op.execute(%q)'):format(change) },
        { create("c"), 'op.drop_table("c")' } }), change)
      scratch:drop()
      at:close()
    end
    assert.is_true(is_proved({ table_a, table_b }))
  end)

  it("are proved with version tables of any name", function()
    assert.is_true(is_proved({ table_a, table_b }, 1,
      [[version_schema = 'odd "%s" FROM x', version_table = "v"]]))
  end)

  it("are not proved when the upgrade touches what was there before", function()
    assert.is_false(is_proved({ table_a,
      { create("b") .. [[op.execute("COMMENT ON COLUMN a.id IS 'old'")]],
        [[op.drop_table("b") op.execute("COMMENT ON COLUMN a.id IS NULL")]] } }, 1))
    scratch:drop()
    at:close()
    -- The first foreign key to a table is seen in that.
    local refers = { create("b", ', op.foreign_key({ "id" }, "a", { "id" })'),
      'op.drop_table("b")' }
    assert.is_false(is_proved({ table_a, refers }, 1))
  end)

  it("are proved whatever other sessions do to what all databases share", function()
    open({ table_a })
    local guess = creations.new(scratch)
    guess:begin()
    local other <close> = require("luamig.core.conn").open({ url = server.url() })
    other:exec("CREATE ROLE luamig_spec_third")
    other:exec("DROP ROLE luamig_spec_third")
    at:drop(at:create())
    assert.is_nil(scratch:run(scratch:steps({ { "001", "upgrade" }, { "001", "downgrade" },
      { "001", "upgrade" } })))
    assert.is_true(guess:is_proved())
  end)

  it("are not proved while there are event triggers, which may do anything", function()
    assert.is_false(is_proved({ table_a,
      { [[op.execute("CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql "
          .. "AS 'BEGIN END'") op.execute("CREATE EVENT TRIGGER e ON ddl_command_end "
          .. "EXECUTE FUNCTION f()")]], [[op.execute("DROP EVENT TRIGGER e")
          op.execute("DROP FUNCTION f")]] }, table_b }, 2))
  end)

  it("are those whose operations all fail when the name is taken", function()
    local expected = {
      [create("a")] = true,
      [create("a") .. 'op.create_index("i", "a", { "name" })'] = true,
      [create("a", ', op.foreign_key({ "id" }, "a", { "id" })')] = true,
      [create("a", ', op.foreign_key({ "id" }, "public.seen", { "id" })')] = true,
      [create("a", ', op.foreign_key({ "id" }, "other", { "id" })')] = false,
      [create("a", ', op.column("o", "int", { references = "other" })')] = false,
      [create("a", ", if_not_exists = true")] = false,
      [create("a", ', inherits = "o"')] = false,
      [create("a", ", temporary = true")] = false,
      ['op.create_index("i", "a", { "name" }, { concurrently = true })'] = false,
      [create("a") .. 'op.execute("SELECT 1")'] = false,
      [create("a") .. 'op.query("SELECT 1")'] = false,
      [create("a") .. 'op.drop_table("o")'] = false,
      ["error('x')"] = false,
      [""] = false,
    }
    for up, is_so in pairs(expected) do
      assert.equal(is_so and server.version() >= creations.SERVER_VERSION,
        is_plain(up, nil, { seen = true }), up)
      scratch:drop()
      at:close()
      p:remove()
    end
    open({ table_a })
  end)
end)
