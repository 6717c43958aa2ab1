-- check and status: is the database what the project declares?

local scene = require("support.scene")

local SCHEMA <const> = 'op.create_table("t1", { op.column("id", "int") })\n'

describe("the target of a project", function()
  local s

  before_each(function()
    s = scene.new('target = "schema.lua"')
    s:line(1)
    s:ok("upgrade")
    s.project:write("schema.lua", SCHEMA)
  end)

  after_each(function()
    s:close()
  end)

  it("is what check finds in the database", function()
    assert.equal("1 revision: sound; the database is at head and what schema.lua declares\n",
      s:ok("check").stdout)
    assert.same({ ok = true, revisions = 1, target = "schema.lua" },
      require("cjson").decode(s:ok("check --json").stdout))
  end)

  it("ends check with 3 and the difference when it is not", function()
    s:connect():exec("ALTER TABLE t1 ADD extra int")
    local result = s:run("check")
    assert.equal(3, result.status)
    assert.matches("the database is not what schema.lua declares: 1 difference", result.stderr, 1,
      true)
    assert.matches('op.drop_column("t1", "extra")', result.stderr, 1, true)
    assert.matches("luamig revision --autogenerate", result.stderr, 1, true)
  end)

  it("is not asked for with --offline", function()
    s:connect():exec("ALTER TABLE t1 ADD extra int")
    s:ok("check --offline")
  end)

  it("makes check fail where the declaration is wrong", function()
    s.project:write("schema.lua", "\nop.create_tabel('x', {})")
    local result = s:run("check")
    assert.equal(9, result.status)
    assert.matches("schema.lua:2", result.stderr, 1, true)
  end)

  it("is part of the verdict of status", function()
    assert.matches("verdict:     up to date\n", s:ok("status").stdout, 1, true)
    s:connect():exec("ALTER TABLE t1 ADD extra int")
    local text = s:ok("status").stdout
    assert.matches("differs:     column public.t1.extra\n", text, 1, true)
    assert.matches("verdict:     the database is not what schema.lua declares\n"
      .. "try:         luamig check shows the difference\n", text, 1, true)
    local value = require("cjson").decode(s:ok("status --json").stdout)
    assert.same({ target = "schema.lua", objects = { "column public.t1.extra" } }, value.drift)
  end)

  it("is left alone by status while revisions are pending", function()
    s:revision("002", "001", '  op.execute("CREATE TABLE t2 (id int)")')
    local text = s:ok("status").stdout
    assert.matches("verdict:     1 revision pending", text, 1, true)
    assert.is_nil(text:find("differs", 1, true))
  end)

  it("does not keep status from telling the rest when it cannot be built", function()
    s.project:write("schema.lua", "nope(")
    assert.matches("verdict:     up to date; whether it is what schema.lua declares is not known",
      s:ok("status").stdout, 1, true)
  end)

  it("is built on a throwaway server when the role may not make all of it", function()
    local admin = s:connect()
    admin:exec("CREATE ROLE luamig_spec_maker LOGIN CREATEDB")
    admin:exec("CREATE EXTENSION postgres_fdw")
    admin:exec("GRANT ALL ON SCHEMA luamig TO luamig_spec_maker")
    admin:exec("GRANT ALL ON ALL TABLES IN SCHEMA luamig TO luamig_spec_maker")
    s.url = s.url:gsub("//[^@]*@", "//luamig_spec_maker@")
    s:configure('target = "schema.lua"')
    s.project:write("schema.lua", 'op.create_extension("postgres_fdw")\n' .. SCHEMA)
    local result = s:ok("check")
    assert.matches("schema.lua cannot be built on this server: permission denied to create "
      .. 'extension "postgres_fdw"', result.stderr, 1, true)
    admin:exec("DROP OWNED BY luamig_spec_maker")
    admin:exec("DROP ROLE luamig_spec_maker")
  end)

  it("is nothing when the project has none", function()
    s:configure()
    s:connect():exec("ALTER TABLE t1 ADD extra int")
    assert.equal("1 revision: sound; the database is at head\n", s:ok("check").stdout)
    assert.matches("verdict:     up to date\n", s:ok("status").stdout, 1, true)
  end)
end)
