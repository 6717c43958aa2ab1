local cjson = require("cjson")
local clock = require("luamig.core.clock")
local cli = require("support.cli")
local project = require("support.project")

describe("luamig lint", function()
  local p

  local function write(id, parent, up, down, header)
    p:write(("versions/%s.lua"):format(id), ([[
--- revision %s
revision = "%s"
down_revision = %s
%s
function upgrade()
%s
end

function downgrade()
%s
end
]]):format(id, id, parent and ("%q"):format(parent) or "nil", header or "", up, down or ""))
  end

  local function run(...)
    return cli.run({ "lint", ... }, { cwd = p:path() })
  end

  local function findings(...)
    local result = run("--json", ...)
    assert(result.stdout ~= "", result.stderr)
    return cjson.decode(result.stdout).findings, result
  end

  local base = [[
  op.create_table("users", {
    op.column("id", "bigint", { primary_key = true }), op.column("email", "text"),
    op.column("name", "varchar(40)"), op.column("age", "integer"), op.column("score", "integer"),
  })
  op.create_table("orders", {
    op.column("id", "bigint", { primary_key = true }), op.column("user_id", "bigint"),
    op.column("total", "integer"),
  })
  op.create_index("orders_user_id", "orders", { "user_id" })
  op.create_table("items", {
    op.column("id", "bigint", { primary_key = true }), op.column("order_id", "bigint"),
  })
  op.create_index("items_order_id", "items", { "order_id" })]]

  -- Eight dangerous revisions; the rule, the line and the beginning of the safe way of each.
  local dangerous = {
    { "LOCK001", 'op.create_index("users_email", "users", { "email" })',
      'op.drop_index("users_email", { concurrently = true })',
      'op.create_index("users_email", "users", { "email" }, { concurrently = true })' },
    { "LOCK011", 'op.alter_column("users", "name", { nullable = false })',
      'op.alter_column("users", "name", { nullable = true })',
      'op.create_check_constraint("users_name_set", "users", "name IS NOT NULL", '
        .. "{ not_valid = true })" },
    { "REWRITE001", 'op.alter_column("orders", "total", { type = "bigint" })', nil,
      "-- release 1: a new column, kept by a trigger, then filled in batches\n"
        .. 'op.add_column("orders", op.column("total_new", "bigint"))' },
    { "LOCK009", 'op.create_foreign_key("orders_user", "orders", { "user_id" }, "users", { "id" })',
      'op.drop_constraint("orders_user", "orders")',
      'op.create_foreign_key("orders_user", "orders", { "user_id" }, "users", { "id" }, '
        .. "{ not_valid = true })" },
    { "LOCK008", 'op.create_check_constraint("age_sane", "users", "age < 200")',
      'op.drop_constraint("age_sane", "users")',
      'op.create_check_constraint("age_sane", "users", "age < 200", { not_valid = true })' },
    { "REWRITE002", 'op.add_column("users", op.column("token", "uuid", { default = '
      .. 'op.sql("gen_random_uuid()") }))', 'op.drop_column("users", "token")',
      'op.add_column("users", op.column("token", "uuid"))' },
    { "DATA004", 'op.execute("UPDATE users SET score = 0")', nil,
      'op.batch_execute("users_change", { table = "users", sql = "UPDATE users SET score = 0 '
        .. 'WHERE {range}" })' },
    { "COMPAT004", 'op.rename_column("users", "age", "years")',
      'op.rename_column("users", "years", "age")',
      "-- release 1: a new column, kept by a trigger, then filled in batches\n"
        .. 'op.add_column("users", op.column("years", "integer"))' },
  }

  local safe = {
    { 'op.create_table("logs", { op.column("id", "bigint", { primary_key = true }), '
      .. 'op.column("user_id", "bigint"), op.foreign_key({ "user_id" }, "users", { "id" }) })\n'
      .. 'op.create_index("logs_user", "logs", { "user_id" })', 'op.drop_table("logs")' },
    { 'op.create_index("users_score", "users", { "score" }, { concurrently = true })',
      'op.drop_index("users_score", { concurrently = true })' },
    { 'op.create_check_constraint("score_set", "users", "score IS NOT NULL", { not_valid = true })',
      'op.drop_constraint("score_set", "users")' },
    { 'op.validate_constraint("score_set", "users")', nil },
    { 'op.alter_column("users", "score", { nullable = false })\n'
      .. 'op.drop_constraint("score_set", "users")', nil },
    { 'op.create_index("users_email_key", "users", { "email" }, { unique = true, concurrently = '
      .. 'true })\nop.create_unique_constraint("users_email_key", "users", nil, '
      .. '{ using_index = "users_email_key" })',
      'op.drop_constraint("users_email_key", "users")' },
    { 'op.add_column("users", op.column("role", "text", { nullable = false, default = "user" }))',
      'op.drop_column("users", "role")' },
    { 'op.create_foreign_key("items_order", "items", { "order_id" }, "orders", { "id" }, '
      .. "{ not_valid = true })\n"
      .. 'op.step("read it", function() op.validate_constraint("items_order", "items") end)', nil },
  }

  before_each(function()
    p = project.new()
    p:write("luamig.lua", 'return { url = "embedded" }\n')
    write("000", nil, base, 'op.drop_table("items") op.drop_table("orders") op.drop_table("users")')
  end)

  after_each(function()
    p:remove()
  end)

  local function write_all()
    local parent = "000"
    for i = 1, 8 do
      local id = ("d%d"):format(i)
      local case = dangerous[i]
      write(id, parent, "  " .. case[2], case[3] and "  " .. case[3] or nil,
        not case[3] and 'irreversible = "no"' or "")
      id, parent = ("s%d"):format(i), id
      write(id, parent, safe[i][1], safe[i][2],
        not safe[i][2] and 'irreversible = "no"' or "")
      parent = id
    end
  end

  it("names exactly the eight dangerous revisions of sixteen, and the safe way, in seconds",
    function()
      write_all()
      local started = clock.now_ms()
      local list, result = findings("--since", "000")
      assert.is_true(clock.now_ms() - started < 15000)
      assert.equal(3, result.status)
      local told = {}
      for _, item in ipairs(list) do
        if item.direction == "upgrade" then
          told[item.revision] = told[item.revision] or {}
          table.insert(told[item.revision], item)
        end
        assert(item.revision:find("^d"), item.rule .. " of " .. item.revision .. ": "
          .. item.message)
      end
      for i, case in ipairs(dangerous) do
        local items = assert(told["d" .. i], "nothing on d" .. i)
        local item = items[1]
        for _, other in ipairs(items) do
          item = other.rule == case[1] and other or item
        end
        assert.equal(case[1], item.rule)
        assert.equal(("versions/d%d.lua"):format(i), item.file)
        assert.equal(6, item.line)
        assert.equal(case[4], item.safe:sub(1, #case[4]))
      end
    end)

  it("shows the statement with a caret, what happens and what to write", function()
    write("001", "000", dangerous[1][2], dangerous[1][3])
    local result = run("001")
    assert.equal(3, result.status)
    assert.equal("", result.stderr)
    assert.equal([[
versions/001.lua:6  error LOCK001  an index is built while writes wait
    CREATE INDEX users_email ON users (email)
                 ^
  index users_email is built under SHARE on users: writes wait until all of it has been read
  safe:  op.create_index("users_email", "users", { "email" }, { concurrently = true })

1 error in 1 revision
more on a rule: luamig help LOCK001
]], result.stdout)
  end)

  it("says so when there is nothing to say", function()
    local result = run("000")
    assert.equal("nothing found in 1 revision\n", result.stdout)
    assert.equal(0, result.status)
  end)

  it("judges the downgrade too", function()
    write("001", "000", safe[2][1], 'op.drop_index("users_score")')
    local list, result = findings("001")
    assert.equal("LOCK002", list[1].rule)
    assert.equal("downgrade", list[1].direction)
    assert.equal(10, list[1].line)
    assert.equal(0, result.status)
    assert.equal(3, run("001", "--fail-on", "warning").status)
  end)

  it("ignores what a comment gives a reason for", function()
    write("001", "000", "-- luamig: ignore LOCK001 the table has 200 rows\n" .. dangerous[1][2],
      dangerous[1][3])
    local result = run("--json", "001")
    local told = cjson.decode(result.stdout)
    assert.same({}, told.findings)
    assert.equal("the table has 200 rows", told.ignored[1].ignored)
    assert.equal(0, result.status)
  end)

  it("reports ignores without a reason, without a use, and of rules that are not there", function()
    write("001", "000", "-- luamig: ignore LOCK001\n" .. dangerous[1][2]
      .. '\n-- luamig: ignore LOCK001 why not\nop.execute("SELECT 1")'
      .. '\n-- luamig: ignore LOKC001 why not\nop.execute("SELECT 2")', dangerous[1][3])
    local list = findings("001")
    local told = {}
    for i, item in ipairs(list) do
      told[i] = ("%s %d %s"):format(item.rule, item.line, item.message)
    end
    assert.same({
      "LINT001 6 the reason is missing: -- luamig: ignore LOCK001 <why>",
      "LOCK001 7 index users_email is built under SHARE on users: writes wait until all of it has "
        .. "been read",
      "LINT002 8 LOCK001 is not found on line 9",
      "LINT003 10 there is no rule LOKC001; did you mean LOCK001?",
    }, told)
  end)

  it("takes reasons and severities from the config", function()
    write("001", "000", dangerous[1][2], dangerous[1][3])
    p:write("luamig.lua", 'return { url = "embedded", lint = { severity = { LOCK001 = "warning" '
      .. '} } }')
    assert.equal(0, run("001").status)
    p:write("luamig.lua", 'return { url = "embedded", lint = { ignore = { LOCK001 = "small" } } }')
    assert.equal("nothing found in 1 revision, 1 ignored\n", run("001").stdout)
    p:write("luamig.lua", 'return { url = "embedded", lint = { ignore = { LOCK01 = "small" } } }')
    local result = run("001")
    assert.equal(2, result.status)
    assert.matches("error: lint.ignore: there is no rule 'LOCK01'\n.*did you mean "
      .. "LOCK0", result.stderr)
    p:write("luamig.lua", 'return { url = "embedded", lint = { ignore = { LOCK001 = true } } }')
    assert.matches("error: lint.ignore.LOCK001 must be the reason, a text", run("001").stderr)
  end)

  it("leaves the application that still runs out with --compat off, and fails with "
    .. "error", function()
    write("001", "000", dangerous[8][2], dangerous[8][3])
    assert.equal("nothing found in 1 revision\n", run("001", "--compat", "off").stdout)
    assert.equal(0, run("001").status)
    assert.equal(3, run("001", "--compat", "error").status)
  end)

  it("says which revision does not run, and what was not judged behind it", function()
    write("001", "000", 'op.drop_table("nothing")')
    write("002", "001", dangerous[1][2])
    local result = run("--since", "000")
    assert.equal(3, result.status)
    assert.matches('versions/001.lua:6  error RUN001  a revision does not run\n    DROP TABLE '
      .. 'nothing\n',
      result.stdout)
    assert.matches("1 error in 1 revision; not judged: 002\n", result.stdout)
  end)

  it("goes on behind a downgrade that does not run", function()
    write("001", "000", 'op.add_column("users", op.column("x", "text"))',
      'op.drop_column("users", "y")')
    write("002", "001", dangerous[1][2], dangerous[1][3])
    local list = findings("--since", "000")
    assert.same({ "RUN002", "LOCK001" }, { list[1].rule, list[2].rule })
    assert.matches("2 errors in 2 revisions\n", run("--since", "000").stdout)
    local server = require("support.server")
    local database <close> = server.database()
    assert.equal(2, #findings("--since", "000", "--server", database.url))
  end)

  it("makes the roles that a script names", function()
    write("001", "000", 'op.execute("GRANT SELECT ON users TO app_reader")',
      'op.execute("REVOKE SELECT ON users FROM app_reader")')
    assert.equal("nothing found in 1 revision\n", run("001").stdout)
  end)

  it("writes SARIF, JUnit and GitHub's annotations", function()
    write("001", "000", dangerous[1][2], dangerous[1][3])
    local result = run("001", "--report", "github", "--report", "sarif=out.sarif", "--report",
      "junit=out.xml")
    assert.equal(3, result.status)
    assert.matches("^::error file=versions/001.lua,line=6,title=LOCK001 an index is built while "
      .. "writes wait::index users_email is built .*%%0Aop.create_index", result.stdout)
    local sarif = cjson.decode(p:read("out.sarif"))
    assert.equal("2.1.0", sarif.version)
    local found = sarif.runs[1].results[1]
    assert.equal("LOCK001", found.ruleId)
    assert.equal("LOCK001", sarif.runs[1].tool.driver.rules[1].id)
    assert.equal(6, found.locations[1].physicalLocation.region.startLine)
    local xml = p:read("out.xml")
    assert.matches('<testsuite name="luamig lint" tests="1" failures="1" skipped="0">', xml)
    assert.matches('<failure type="LOCK001" message="versions/001.lua:6: index users_email', xml)
  end)

  it("takes what takes a moment in production for no error", function()
    write("001", "000", dangerous[1][2], dangerous[1][3])
    local function stats(bytes)
      p:write("stats.json", cjson.encode({ format = "luamig stats 1", server_version = 150000,
        tables = { ["public.users"] = { rows = bytes / 100, bytes = bytes, index_bytes = 0 } } }))
    end
    stats(100000)
    local list, result = findings("001", "--stats", "stats.json", "-v")
    assert.equal("LOCK001 info instant", ("%s %s %s"):format(list[1].rule, list[1].severity,
      list[1].duration))
    assert.equal(0, result.status)
    stats(5e11)
    assert.matches("has been read %(in%s+production: hours%)", run("001", "--stats",
      "stats.json").stdout)
  end)

  it("measures on a server that is named, and leaves it as it was", function()
    local server = require("support.server")
    write("001", "000", dangerous[1][2], dangerous[1][3])
    local database <close> = server.database()
    local conn <close> = database.connect()
    local sql = "SELECT string_agg(datname, ',' ORDER BY datname) AS names FROM pg_database"
    local before = conn:exec(sql)[1].names
    assert.equal(3, run("001", "--server", database.url).status)
    assert.equal(before, conn:exec(sql)[1].names)
    assert.is_true(conn:exec("SELECT to_regclass('users') IS NULL AS absent")[1].absent)
  end)

  it("fails for advice, and shows it, when asked to", function()
    write("001", "000", 'op.create_check_constraint("c", "users", "age < 9", { not_valid = true })',
      'op.drop_constraint("c", "users")')
    assert.equal("nothing found in 1 revision\n", run("001").stdout)
    local result = run("001", "--fail-on", "info")
    assert.equal(3, result.status)
    assert.matches("info COMPAT009", result.stdout)
  end)

  it("names the SQL file and the call, and takes a reason from either", function()
    local sql = "-- all of them\nUPDATE users\n   SET score = 0;\n"
    p:write("versions/scores.sql", sql)
    local call = 'op.execute_file("scores.sql")'
    write("001", "000", call, nil, 'irreversible = "no"')
    local result = run("001")
    assert.matches("^versions/scores.sql:2 %(versions/001.lua:6%)  error DATA004 ", result.stdout)
    local item = cjson.decode(run("001", "--json").stdout).findings[1]
    assert.same({ "versions/scores.sql", 2, { file = "versions/001.lua", line = 6 } },
      { item.file, item.line, item.caller })
    write("001", "000", "-- luamig: ignore DATA004 nine users\n" .. call, nil,
      'irreversible = "no"')
    assert.equal("nothing found in 1 revision, 1 ignored\n", run("001").stdout)
    write("001", "000", call, nil, 'irreversible = "no"')
    p:write("versions/scores.sql", "-- luamig: ignore DATA004 nine users\n" .. sql)
    assert.equal("nothing found in 1 revision, 1 ignored\n", run("001").stdout)
  end)

  it("blames no made-up rows", function()
    write("001", "000", [[op.execute("DO 'BEGIN IF EXISTS (SELECT FROM users WHERE email <> ]]
      .. [[''a'') THEN RAISE ''mails''; END IF; END'")]], nil, 'irreversible = "no"')
    assert.equal("nothing found in 1 revision\n", run("001").stdout)
  end)

  it("calls files as GitHub does, from the root of the repository", function()
    write("001", "000", dangerous[1][2], dangerous[1][3])
    local result = cli.run({ "lint", "001", "--report", "github" }, { cwd = p:path(),
      env = { GITHUB_WORKSPACE = p:path():match("^(.*)/[^/]*$") } })
    local folder = p:path():match("[^/]*$")
    assert.matches("^::error file=" .. folder .. "/versions/001.lua,line=6", result.stdout)
  end)

  it("judges branches, each behind its own parents", function()
    write("001", "000", dangerous[1][2], dangerous[1][3])
    write("002", "000", dangerous[5][2], dangerous[5][3])
    local list = findings()
    assert.equal("001 LOCK001", list[1].revision .. " " .. list[1].rule)
    assert.equal("002 LOCK008", list[2].revision .. " " .. list[2].rule)
  end)

  it("refuses what it does not understand", function()
    assert.matches("'tap' is no report; there are text, json, sarif, junit and github",
      run("--report", "tap").stderr)
    assert.matches("%-%-since and revisions exclude each "
      .. "other", run("--since", "000", "000").stderr)
    assert.equal(7, run("nowhere").status)
    assert.matches("'%-%-url' has no meaning for 'luamig lint'.*%-%-server URL",
      run("--url", "postgresql://h/db").stderr)
    assert.matches("there is no folder '/nowhere'", run("--report", "sarif=/nowhere/x").stderr)
    assert.equal("no revision to judge\n", run("--since", "000").stdout)
  end)
end)
