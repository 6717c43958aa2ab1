local scene = require("support.scene")
local server = require("support.server")
local sql = require("luamig.core.sql")

local SCHEMA <const> = [[
op.create_enum("mood", { "ok", "bad" })
op.create_table("users", {
  op.column("id", "bigint", { primary_key = true, identity = "always" }),
  op.column("email", "text", { nullable = false, unique = true }),
  op.column("mood", "mood", { default = "ok" }),
})
op.create_view("emails", "SELECT email FROM users")
]]

describe("diff", function()
  local s

  before_each(function()
    s = scene.new()
  end)

  after_each(function()
    s:close()
  end)

  local function scratch_databases()
    return s:list("SELECT datname FROM pg_database WHERE datname LIKE 'luamig\\_scratch\\_%'")
  end

  it("prints the SQL that turns one into the other, and ends with 3", function()
    s.project:write("a.sql", "CREATE TABLE users (id int, mail text);")
    s.project:write("b.lua", 'op.create_table("users", { op.column("id", "bigint") })')
    local result = s:run("diff a.sql b.lua")
    assert.equal(3, result.status)
    assert.equal([[
ALTER TABLE public.users ALTER COLUMN id TYPE bigint;
-- data is lost: column mail of public.users
ALTER TABLE public.users DROP COLUMN mail;
]], result.stdout)
  end)

  it("prints operations with --ops", function()
    s.project:write("a.sql", "CREATE TABLE users (id int, mail text);")
    s.project:write("b.sql", "CREATE TABLE users (id bigint, mail text);")
    local result = s:run("diff a.sql b.sql --ops")
    assert.equal(3, result.status)
    assert.equal('op.alter_column("users", "id", { type = "bigint" })\n', result.stdout)
  end)

  it("does not say what comes by itself", function()
    s.project:write("a.sql", "CREATE EXTENSION citext; CREATE SCHEMA app;\n"
      .. "ALTER DEFAULT PRIVILEGES IN SCHEMA app GRANT SELECT ON TABLES TO PUBLIC;\n")
    s.project:write("b.sql", "")
    local text = s:run("diff b.sql a.sql --ops").stdout
    assert.matches('op.create_extension("citext")\n', text, 1, true)
    assert.no.matches("comment", text, 1, true)
    assert.matches('op.grant_default("select", "table", "public", { schema = "app" })\n', text, 1,
      true)
  end)

  it("prints JSON", function()
    s.project:write("a.sql", "CREATE TABLE users (id int, mail text);")
    s.project:write("b.sql", "CREATE TABLE users (id int);")
    local result = s:run("diff a.sql b.sql --json")
    assert.equal(3, result.status)
    local value = require("cjson").decode(result.stdout)
    assert.same({
      object = "column public.users.mail",
      data_loss = "column mail of public.users",
      sql = { "ALTER TABLE public.users DROP COLUMN mail" },
      ops = 'op.drop_column("public.users", "mail")\n',
    }, value.changes[1])
    assert.equal(0, #value.not_changed)
  end)

  it("says nothing on stdout, and ends with 0, when there is no difference", function()
    s.project:write("a.sql", "CREATE TABLE t (a int DEFAULT 1+1, b varchar(5) CHECK (b <> ''));")
    s.project:write("b.lua", [[
op.create_table("t", {
  op.column("a", "int4", { default = op.sql("1 + 1") }),
  op.column("b", "character varying(5)", { check = "b != ''" }),
})]])
    local result = s:run("diff a.sql b.lua")
    assert.equal("", result.stdout)
    assert.equal(0, result.status)
    assert.equal("no difference between a.sql and b.lua\n", result.stderr)
  end)

  it("gives SQL that makes a database what the file declares", function()
    s.project:write("schema.lua", SCHEMA)
    s:connect():exec("CREATE TABLE users (id int PRIMARY KEY, mail text)")
    local result = s:run({ "diff", s.url, "schema.lua", "--server", s.url })
    assert.equal(3, result.status)
    for _, piece in ipairs(sql.split(result.stdout)) do
      s:connect():exec(piece.sql)
    end
    assert.equal(0, s:run({ "diff", s.url, "schema.lua" }).status)
    assert.equal("", scratch_databases())
  end)

  it("compares revisions", function()
    s:line(3)
    local result = s:run("diff 001 head")
    assert.equal(3, result.status)
    assert.equal("CREATE TABLE public.t2 (\n  id integer\n);\n"
      .. "CREATE TABLE public.t3 (\n  id integer\n);\n", result.stdout)
    assert.equal(3, s:run("diff base 001").status)
    assert.equal(0, s:run("diff 003 head").status)
  end)

  it("follows renamed_from", function()
    s.project:write("a.sql",
      "CREATE TABLE people (id int PRIMARY KEY, mail text CHECK (mail <> ''))")
    s.project:write("b.lua", [[
op.create_table("users", {
  op.column("id", "int", { primary_key = true }),
  op.column("email", "text", { check = "email <> ''", renamed_from = "mail" }),
  renamed_from = "people",
})]])
    local not_null = 'op.rename_constraint("people_id_not_null", "users", "users_id_not_null")\n'
    assert.equal([[
op.rename_table("people", "users")
op.rename_column("users", "mail", "email")
]] .. (server.version() >= 180000 and not_null or "") .. [[
op.rename_constraint("people_mail_check", "users", "users_email_check")
op.rename_constraint("people_pkey", "users", "users_pkey")
]], s:run("diff a.sql b.lua --ops").stdout)
  end)

  it("notes an order of columns, and counts it when asked to", function()
    s.project:write("a.sql", "CREATE TABLE t (a int, b int);")
    s.project:write("b.sql", "CREATE TABLE t (b int, a int);")
    local result = s:run("diff a.sql b.sql")
    assert.equal("-- not compared: table public.t: the order of its columns: a, b instead of "
      .. "b, a\n", result.stdout)
    assert.equal(0, result.status)
    result = s:run("diff a.sql b.sql --column-order")
    assert.equal("-- not changed: table public.t: the order of its columns: a, b instead of b, a\n",
      result.stdout)
    assert.equal(3, result.status)
  end)

  it("reads what pg_dump writes", function()
    s.project:write("a.sql", table.concat({
      "\\restrict abc", "SET statement_timeout = 0;",
      "SELECT pg_catalog.set_config('search_path', '', false);", "BEGIN;",
      "CREATE TABLE public.t (a integer);", "COMMIT;", "\\unrestrict abc", "",
    }, "\n"))
    s.project:write("b.sql", "CREATE TABLE t (a int);")
    local result = s:run("diff a.sql b.sql")
    assert.equal("", result.stdout)
    assert.equal(0, result.status)
  end)

  it("works without a project", function()
    os.remove(s.project:path("luamig.lua"))
    s.project:write("a.sql", "CREATE TABLE t (a int);")
    assert.equal(0, s:run("diff a.sql a.sql").status)
    local result = s:run("diff a.sql 001")
    assert.equal(2, result.status)
    assert.matches("no luamig.lua here", result.stderr, 1, true)
  end)

  describe("says where a declaration is wrong:", function()
    for _, case in ipairs({
      { "SQL", "b.sql", "CREATE TABLE t (a int);\nCREATE TABLE u (a nope);", 1,
        'type "nope" does not exist (42704)\n  b.sql:2' },
      { "rows in it", "b.sql", "CREATE TABLE t (a int);\nCOPY t FROM stdin;\n1\n\\.\n", 1,
        "a schema holds no rows" },
      { "an unknown operation", "b.lua", "\nop.create_tabel('t', {})", 9,
        "there is no op.create_tabel\n  b.lua:2" },
      { "a global", "b.lua", "x = 1", 9, "'x' is a global: make it local\n  b.lua:1" },
      { "what the server refuses", "b.lua", '\nop.execute("SELECT nope")', 1,
        "b.lua:2  op.execute" },
      { "no such file", "c.lua", "", 2, "there is no file 'b.lua'" },
    }) do
      it(case[1], function()
        s.project:write("a.sql", "")
        s.project:write(case[2], case[3])
        local result = s:run("diff a.sql " .. (case[2] == "c.lua" and "b.lua" or case[2]))
        assert.matches(case[5], result.stderr, 1, true)
        assert.equal(case[4], result.status)
        assert.equal("", result.stdout)
      end)
    end
  end)

  it("tells a revision that there is not", function()
    s:line(1)
    s.project:write("a.sql", "")
    local result = s:run("diff a.sql 0012")
    assert.equal(7, result.status)
    assert.matches("Can't locate revision identified by '0012'", result.stderr, 1, true)
  end)

  it("names a failing revision", function()
    s:revision("001", nil, '  op.execute("SELECT nope")')
    s.project:write("a.sql", "")
    local result = s:run("diff a.sql head")
    assert.equal(1, result.status)
    assert.matches("versions/001.lua:", result.stderr, 1, true)
    assert.matches("it was tried in a scratch database", result.stderr, 1, true)
  end)

  it("wants a role that may make databases on the server that is named", function()
    s:connect():exec("CREATE ROLE luamig_spec_plain LOGIN")
    local plain = server.url():gsub("//[^@]*@", "//luamig_spec_plain@")
    s.project:write("a.sql", "")
    local result = s:run({ "diff", "a.sql", "a.sql", "--server", plain })
    s:connect():exec("DROP ROLE luamig_spec_plain")
    assert.equal(1, result.status)
    assert.matches("permission denied to create database", result.stderr, 1, true)
    assert.matches("a role with CREATEDB, or leave --server out", result.stderr, 1, true)
  end)
end)
