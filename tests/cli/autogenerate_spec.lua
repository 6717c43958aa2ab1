local scene = require("support.scene")
local server = require("support.server")
local snapshot = require("luamig.snapshot")

local FIRST <const> = [[
op.create_enum("mood", { "ok", "bad" })
op.create_table("users", {
  op.column("id", "bigint", { primary_key = true, identity = "always" }),
  op.column("email", "text", { nullable = false }),
  op.column("phone", "text"),
  op.column("mood", "mood", { nullable = false, default = "ok" }),
})
op.create_index("users_email", "users", { op.sql("lower(email)") }, { unique = true })
op.create_function("shout", { "t text" }, {
  returns = "text", language = "plpgsql", body = "\nBEGIN\n  RETURN upper(t);\nEND\n",
})
op.create_view("loud", "SELECT shout(email) AS email FROM users")
]]

local SECOND <const> = [[
op.create_enum("mood", { "bad", "fine", "ok" })
op.create_table("users", {
  op.column("id", "bigint", { primary_key = true, identity = "always" }),
  op.column("email", "varchar(200)", { nullable = false, comment = "at work" }),
  op.column("mood", "mood", { nullable = false, default = "fine" }),
})
op.create_table("projects", {
  op.column("id", "bigint", { primary_key = true }),
  op.column("owner", "bigint", { nullable = false }),
  op.foreign_key({ "owner" }, "users", { "id" }, { on_delete = "cascade" }),
  op.check("id > 0", { name = "positive" }),
})
op.create_index("users_email", "users", { op.sql("lower(email)") }, { unique = true })
op.create_function("shout", { "t text" }, {
  returns = "text", language = "plpgsql", body = "\nBEGIN\n  RETURN upper(t) || '!';\nEND\n",
})
op.create_view("loud", "SELECT shout(email) AS email, id FROM users")
op.enable_row_security("projects")
op.create_policy("own", "projects", { using = "owner = 1" })
]]

describe("revision --autogenerate", function()
  local s

  before_each(function()
    s = scene.new('target = "schema.lua"')
  end)

  after_each(function()
    s:close()
  end)

  local function declare(text)
    s.project:write("schema.lua", text)
  end

  local function generate(message)
    return s:run({ "revision", "--autogenerate", "-m", message or "change" })
  end

  local function state()
    return snapshot.read(s:connect())
  end

  local function scratch_databases()
    return s:list("SELECT datname FROM pg_database WHERE datname LIKE 'luamig\\_scratch\\_%'")
  end

  -- Writes the revision of a declaration, applies it, undoes it and applies it again.
  local function lead_to(text)
    declare(text)
    local before = state()
    local result = generate()
    assert.equal(0, result.status, result.stderr)
    s:ok("upgrade")
    local after = state()
    assert.equal(0, s:run("check").status)
    s:ok("downgrade -1 --yes")
    assert.is_true(snapshot.equal(before, state(), { column_order = false }))
    s:ok("upgrade")
    assert.is_true(snapshot.equal(after, state(), { column_order = false }))
    return s.project:read((result.stdout:gsub("%s+$", "")))
  end

  it("writes what makes the database the target, and the way back", function()
    local text = lead_to(FIRST)
    assert.matches('  op.create_table("users", {\n    op.column("id", "bigint", '
      .. '{ primary_key = true, identity = "always" }),\n', text, 1, true)
    assert.matches("data_loss", lead_to(SECOND), 1, true)
    lead_to(FIRST)
  end)

  it("keeps the text of a function to the byte", function()
    local text = lead_to(FIRST)
    assert.matches("body = [[\n\nBEGIN\n  RETURN upper(t);\nEND\n]],", text, 1, true)
    assert.equal("\nBEGIN\n  RETURN upper(t);\nEND\n",
      s:list("SELECT prosrc FROM pg_proc WHERE proname = 'shout'"))
  end)

  it("passes luacheck", function()
    lead_to(FIRST)
    lead_to(SECOND)
    s.project:write(".luacheckrc", [[
std = "lua54"
max_line_length = 100
read_globals = { "op" }
globals = {
  "revision", "down_revision", "branch_labels", "depends_on", "data_loss", "upgrade", "downgrade",
}
]])
    assert.is_true(os.execute(("cd '%s' && luacheck -qq versions >/dev/null"):format(
      s.project.root)))
  end)

  it("writes no file when there is nothing to do", function()
    lead_to(FIRST)
    local result = generate()
    assert.equal(0, result.status)
    assert.equal("", result.stdout)
    assert.equal("nothing to do: the database is what the target declares; no file is written\n",
      result.stderr)
  end)

  it("marks what loses data, in the header and at its place", function()
    declare(FIRST)
    generate()
    s:ok("upgrade")
    declare((FIRST:gsub('  op.column%("phone", "text"%),\n', "")))
    local result = generate()
    assert.matches("WARN  data is lost: column phone of users", result.stderr, 1, true)
    local text = s.project:read((result.stdout:gsub("%s+$", "")))
    assert.matches('data_loss = "column phone of users"', text, 1, true)
    assert.matches('  -- data is lost: column phone of users\n  op.drop_column("users", "phone")',
      text, 1, true)
    assert.matches('  op.add_column("users", op.column("phone", "text"))', text, 1, true)
  end)

  it("renames what the declaration says was renamed, and keeps the rows", function()
    declare(FIRST)
    generate()
    s:ok("upgrade")
    s:connect():exec("INSERT INTO users (email, phone) VALUES ('a@b', '1')")
    lead_to([[
op.create_enum("mood", { "ok", "bad" })
op.create_table("people", {
  op.column("id", "bigint", { primary_key = true, identity = "always" }),
  op.column("mail", "text", { nullable = false, renamed_from = "email" }),
  op.column("phone", "text"),
  op.column("mood", "mood", { nullable = false, default = "ok" }),
  renamed_from = "users",
})
op.create_index("people_mail", "people", { op.sql("lower(mail)") }, { unique = true })
op.create_function("shout", { "t text" }, {
  returns = "text", language = "plpgsql", body = "\nBEGIN\n  RETURN upper(t);\nEND\n",
})
op.create_view("loud", "SELECT shout(mail) AS mail FROM people")
]])
    assert.equal("a@b", s:list("SELECT mail FROM people"))
    assert.equal("", scratch_databases())
  end)

  it("asks whether a column that comes is one that goes", function()
    declare('op.create_table("t", { op.column("a", "text") })')
    generate()
    s:ok("upgrade")
    declare('op.create_table("t", { op.column("b", "text") })')
    local text = s.project:read((generate().stdout:gsub("%s+$", "")))
    assert.matches('-- is it a with another name? then say renamed_from = "a" there', text, 1, true)
  end)

  it("needs a database at head", function()
    s:line(1)
    declare(FIRST)
    local result = generate()
    assert.equal(3, result.status)
    assert.matches("Target database is not up to date", result.stderr, 1, true)
    assert.matches("luamig upgrade", result.stderr, 1, true)
  end)

  it("needs a target", function()
    s:configure()
    local result = generate()
    assert.equal(2, result.status)
    assert.matches("the project declares no schema", result.stderr, 1, true)
  end)

  it("says at its place what rows may stop", function()
    declare('op.create_table("t", { op.column("id", "int"), op.column("old", "int") })')
    generate()
    s:ok("upgrade")
    declare('op.create_table("t", { op.column("id", "int"), op.column("old", "int", '
      .. '{ nullable = false }), op.column("new", "int", { nullable = false }), '
      .. 'op.column("fine", "int", { nullable = false, default = 1 }) })')
    local text = s.project:read((generate().stdout:gsub("%s+$", "")))
    assert.matches("  -- rows stop this: give it a default, or make it NOT NULL when it is filled\n"
      .. '  op.add_column("t", op.column("new", "int', text, 1, true)
    assert.matches("  -- rows without a value of old stop this: fill them first\n"
      .. '  op.alter_column("t", "old", { nullable = false })', text, 1, true)
    assert.equal(2, select(2, text:gsub("stop this", "")))
  end)

  it("says what a declaration lacks", function()
    os.remove(s.project.root .. "/schema.lua")
    local text = generate().stderr
    assert.matches("^error: there is no file 'schema.lua'\n  luamig.lua\n"
      .. "  detail: the key `target` names it: the schema as it shall be\n", text)
    assert.matches("a draft from a database: luamig diff base URL --ops > schema.lua", text, 1,
      true)
    declare("return { tables = {} }")
    assert.matches("^error: schema.lua returns a table: it would declare nothing\n",
      generate().stderr)
    declare("local a = 1\nfunction upgrade() end")
    assert.matches("^error: a schema has no upgrade%(%): its calls of op stand alone\n"
      .. "  schema.lua:2\n", generate().stderr)
  end)

  it("looks only at what the config includes", function()
    s:configure([[target = "schema.lua",
      include = { object = function(kind, name) return name ~= "public.other" end }]])
    s:connect():exec("CREATE TABLE other (a int)")
    declare('op.create_table("t", { op.column("a", "text") })')
    local text = s.project:read((generate().stdout:gsub("%s+$", "")))
    assert.is_nil(text:find("other", 1, true))
    s:ok("upgrade")
    s:ok("check")
  end)

  it("takes schema.sql and a database for a target too", function()
    s:configure('target = "schema.sql"')
    s.project:write("schema.sql", "CREATE TABLE t (a int);\nCREATE INDEX i ON t (a);")
    assert.equal(0, generate().status)
    s:ok("upgrade")
    s:ok("check")
    local other <close> = server.database()
    do
      local connection <close> = other.connect()
      connection:exec("CREATE TABLE t (a int); ")
    end
    s:configure(("target = %q"):format(other.url))
    local text = s.project:read((generate().stdout:gsub("%s+$", "")))
    assert.matches('op.drop_index("i")', text, 1, true)
  end)

  it("leaves no database behind when the declaration fails, or is interrupted", function()
    declare('op.create_table("t", {})\nop.execute("SELECT nope")')
    local result = generate()
    assert.equal(1, result.status)
    assert.matches("schema.lua:2", result.stderr, 1, true)
    assert.equal("", scratch_databases())
    declare('op.execute("SELECT pg_sleep(60)")')
    local process = s:start({ "revision", "--autogenerate", "-m", "x" })
    s:eventually([[SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'
      AND datname LIKE 'luamig\_scratch\_%']])
    process:signal("INT")
    assert.equal(130, process:wait().status)
    assert.equal("", scratch_databases())
  end)

  it("drops what a run that was killed has left behind", function()
    declare('op.execute("SELECT pg_sleep(60)")')
    local process = s:start({ "revision", "--autogenerate", "-m", "x" })
    s:eventually([[SELECT count(*) > 0 FROM pg_stat_activity WHERE query LIKE 'SELECT pg_sleep%'
      AND datname LIKE 'luamig\_scratch\_%']])
    process:signal("KILL")
    process:wait()
    assert.is_true(scratch_databases() ~= "")
    s:eventually([[SELECT count(*) = 0 FROM pg_stat_activity
      WHERE application_name = 'luamig scratch' AND query NOT LIKE '%pg_sleep%']])
    declare('op.create_table("t", {})')
    assert.equal(0, generate().status)
    assert.equal("", scratch_databases())
  end)

  it("builds on a throwaway server when the role may not make databases", function()
    s:connect():exec("CREATE ROLE luamig_spec_plain LOGIN")
    s:connect():exec(("ALTER DATABASE %s OWNER TO luamig_spec_plain"):format(s.database.name))
    s.url = s.url:gsub("//[^@]*@", "//luamig_spec_plain@")
    s:configure('target = "schema.lua"')
    declare('op.create_table("t", { op.column("a", "text") })')
    local result = generate()
    assert.equal(0, result.status, result.stderr)
    assert.matches("the role 'luamig_spec_plain' may not make databases", result.stderr, 1, true)
    s:ok("upgrade")
    s:ok("check")
    s:connect():exec("REASSIGN OWNED BY luamig_spec_plain TO CURRENT_USER")
    s:connect():exec("DROP OWNED BY luamig_spec_plain")
    s:connect():exec("DROP ROLE luamig_spec_plain")
  end)
end)
