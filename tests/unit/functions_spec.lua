-- luacheck: no max line length (a case a line)
local cases = require("support.cases")
local op = require("luamig.op")
local routine = require("luamig.routine")

local call = cases.call

local function with(options)
  options.returns, options.language = options.returns or "integer", options.language or "plpgsql"
  options.body = options.body or "x"
  return call("create_function", "f", {}, options)
end

describe("functions", function()
  cases.render({
    { "are made", call("create_function", "f", { "a integer", "b integer DEFAULT 1" }, {
      returns = "integer", language = "sql", body = "SELECT a + b",
    }), "CREATE FUNCTION f(a integer, b integer DEFAULT 1) RETURNS integer LANGUAGE sql AS $$SELECT a + b$$" },
    { "are made with everything", call("create_function", "App.f", {
      { name = "a", type = "integer" },
      { name = "B", type = "text", mode = "inout", default = "it's" },
      { type = "text[]", mode = "variadic" },
    }, {
      replace = true, returns = "text", language = "plpgsql", volatility = "stable", leakproof = true, strict = true,
      security_definer = true, parallel = "safe", cost = 10, rows = 1.5, comment = "x",
      set = { search_path = { "app", "$user", "pg_temp" }, work_mem = "1MB", ["app.on"] = true, statement_timeout = 0 },
      body = "BEGIN RETURN; END",
    }), [[CREATE OR REPLACE FUNCTION "App".f(a integer, INOUT "B" text DEFAULT 'it''s', VARIADIC text[]) RETURNS text ]]
      .. [[LANGUAGE plpgsql STABLE LEAKPROOF STRICT SECURITY DEFINER PARALLEL SAFE COST 10 ROWS 1.5 SET app."on" TO true ]]
      .. [[SET search_path TO 'app', '$user', 'pg_temp' SET statement_timeout TO 0 SET work_mem TO '1MB' AS $$BEGIN RETURN; END$$]]
      .. "\n" .. [[COMMENT ON FUNCTION "App".f(a integer, INOUT "B" text, VARIADIC text[]) IS 'x']] },
    { "are said to be what they are anyway", with({ strict = false, security_definer = false, set = { search_path = "" } }),
      "CREATE FUNCTION f() RETURNS integer LANGUAGE plpgsql CALLED ON NULL INPUT SECURITY INVOKER SET search_path TO '' AS $$x$$" },
    { "take the language in any case", with({ language = "SQL", body = "SELECT 1" }),
      "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS $$SELECT 1$$" },
    { "have a body of the SQL standard: RETURN", with({ language = "sql", body = "\n  RETURN 1;\n" }),
      "CREATE FUNCTION f() RETURNS integer LANGUAGE sql RETURN 1" },
    { "have a body of the SQL standard: BEGIN ATOMIC", with({
      language = "sql", body = "-- why\n/* how */ Begin\n Atomic\n  SELECT 1;\nEND;",
    }), "CREATE FUNCTION f() RETURNS integer LANGUAGE sql -- why\n/* how */ Begin\n Atomic\n  SELECT 1;\nEND" },
    { "have a body that ends in a comment", with({ language = "sql", body = "RETURN 1 -- one" }),
      "CREATE FUNCTION f() RETURNS integer LANGUAGE sql RETURN 1 -- one\n" },
    { "have a body that only looks so", with({ language = "sql", body = "SELECT 1 AS returned" }),
      "CREATE FUNCTION f() RETURNS integer LANGUAGE sql AS $$SELECT 1 AS returned$$" },
    { "have a body of another language that begins so", with({ body = "RETURN 1" }),
      "CREATE FUNCTION f() RETURNS integer LANGUAGE plpgsql AS $$RETURN 1$$" },
    { "need no returns with a result among the arguments", call("create_function", "f", { "OUT a int", "b INOUT text" }, {
      language = "sql", body = "SELECT 1, 'x'",
    }), "CREATE FUNCTION f(OUT a int, b INOUT text) LANGUAGE sql AS $$SELECT 1, 'x'$$" },
    { "are dropped", call("drop_function", "f"), "DROP FUNCTION f" },
    { "are dropped by their arguments, without defaults", call("drop_function", "a.f", {
      "a integer DEFAULT 1", "b text = 'x, y'", '"default = x" date', { name = "c", type = "numeric(5, 2)", default = 1 },
    }, { if_exists = true, cascade = true }),
      'DROP FUNCTION IF EXISTS a.f(a integer, b text, "default = x" date, c numeric(5, 2)) CASCADE' },
    { "are dropped, of other kinds", call("drop_function", "f", { "*" }, { kind = "aggregate" }), "DROP AGGREGATE f(*)" },
    { "are renamed", call("rename_function", "a.f", { "int" }, "g"), "ALTER FUNCTION a.f(int) RENAME TO g" },
    { "get an owner and a schema", call("alter_function_set", "f", {}, { kind = "procedure", owner = "boss", schema = "app" }),
      "ALTER PROCEDURE f() OWNER TO boss\nALTER PROCEDURE f() SET SCHEMA app" },
    { "are procedures", call("create_procedure", "p", { "a int" }, {
      language = "plpgsql", body = "BEGIN COMMIT; END", set = { search_path = op.sql("app, pg_temp") }, security_definer = true,
      comment = "x", replace = true, from = op.none,
    }), "CREATE OR REPLACE PROCEDURE p(a int) LANGUAGE plpgsql SECURITY DEFINER SET search_path TO app, pg_temp AS $$BEGIN COMMIT; END$$\n"
      .. "COMMENT ON PROCEDURE p(a int) IS 'x'" },
    { "are procedures, said by kind", call("create_function", "p", {}, { kind = "procedure", language = "sql", body = "SELECT 1" }),
      "CREATE PROCEDURE p() LANGUAGE sql AS $$SELECT 1$$" },
    { "are dropped as procedures", call("drop_procedure", "p", { "int" }, { if_exists = true }), "DROP PROCEDURE IF EXISTS p(int)" },
  })
  cases.invert({
    { "go back: create", call("create_function", "f", { "a int = 1" }, { returns = "int", language = "sql", body = "SELECT 1" }),
      "DROP FUNCTION f(a int)" },
    { "go back: create_procedure", call("create_procedure", "p", {}, { language = "sql", body = "SELECT 1" }), "DROP PROCEDURE p()" },
    { "go back: create, kind procedure", call("create_function", "p", {}, { kind = "procedure", language = "sql", body = "SELECT 1" }),
      "DROP PROCEDURE p()" },
    { "go back: replace, with what differed", call("create_function", "f", { "a int" }, {
      replace = true, returns = "int", language = "sql", body = "SELECT 2", volatility = "stable", from = { body = "SELECT 1" },
    }), "CREATE OR REPLACE FUNCTION f(a int) RETURNS int LANGUAGE sql STABLE AS $$SELECT 1$$" },
    { "go back: replace where there was none", with({ replace = true, from = op.none }), "DROP FUNCTION f()", one_way = true },
    { "go back: replace a procedure", call("create_procedure", "p", {}, {
      replace = true, language = "sql", body = "SELECT 2", from = { body = "SELECT 1" },
    }), "CREATE OR REPLACE PROCEDURE p() LANGUAGE sql AS $$SELECT 1$$" },
    { "go back: drop", call("drop_function", "f", { "a int DEFAULT 1" }, {
      definition = { returns = "int", language = "sql", body = "SELECT 1" },
    }), "CREATE FUNCTION f(a int DEFAULT 1) RETURNS int LANGUAGE sql AS $$SELECT 1$$" },
    { "go back: drop_procedure", call("drop_procedure", "p", nil, { definition = { language = "sql", body = "SELECT 1" } }),
      "CREATE PROCEDURE p() LANGUAGE sql AS $$SELECT 1$$", one_way = true },
    { "go back: rename", call("rename_function", "a.f", { "int" }, "g", { kind = "procedure" }), "ALTER PROCEDURE a.g(int) RENAME TO f" },
    { "go back: set", call("alter_function_set", "a.f", { "int" }, { schema = "b" }), "ALTER FUNCTION b.f(int) SET SCHEMA a" },
  })
  cases.not_invert({
    { "do not come back unknown", call("drop_function", "f"), "what is dropped is not known: give it as definition = { … }" },
    { "do not come back after replace", with({ replace = true }),
      "what it was is not known: give what differs as from = { body = … }, or from = op.none when there was none" },
    { "do not come back as aggregates", call("drop_function", "f", { "int" }, { kind = "aggregate" }),
      "there is no operation that makes an aggregate" },
  })
  cases.refuse({
    { "want a language", call("create_function", "f", {}, { returns = "int", body = "x" }),
      "create_function: argument 3.language: expected a string, got nothing" },
    { "want a body", call("create_function", "f", {}, { returns = "int", language = "sql" }),
      "create_function: argument 3.body: expected SQL (a string or op.sql), got nothing" },
    { "want a result", call("create_function", "f", { "a int" }, { language = "sql", body = "SELECT 1" }),
      "create_function: returns is missing: a type, \"void\", \"trigger\", \"SETOF t\", \"TABLE (a integer)\"" },
    { "want their arguments", call("create_function", "f", { returns = "int" }),
      "create_function: argument 2.returns: expected a list, found a named field",
      "op.create_function(name, arguments, options)" },
    { "want one argument a string", call("drop_function", "f", { "a int, b int" }),
      "drop_function: arguments[1]: one string holds one argument, got 'a int, b int'" },
    { "want an argument in a string", call("drop_function", "f", { "int", " " }),
      "drop_function: arguments[2]: expected an argument, got ' '" },
    { "want the type of an argument", call("create_function", "f", { { name = "a" } }, { language = "sql", body = "SELECT 1" }),
      "create_function: argument 2[1].type: expected a type (a string), got nothing" },
    { "know the modes", call("drop_function", "f", { { type = "int", mode = "on" } }),
      "drop_function: argument 2[1].mode: expected one of in, out, inout, variadic, got 'on'", "did you mean 'in'?" },
    { "see a path that would be one name", with({ set = { search_path = "app, pg_temp" } }),
      "create_function: set.search_path: the string 'app, pg_temp' is one name; write a list: { \"a\", \"b\" }" },
    { "have no result as procedures", call("create_function", "p", {}, {
      kind = "procedure", returns = "int", language = "sql", body = "SELECT 1",
    }), "create_function: returns is for functions, not for procedures" },
    { "have no volatility as procedures", call("create_procedure", "p", {}, { volatility = "stable", language = "sql", body = "x" }),
      "create_procedure: argument 3.volatility: there is no such option",
      "known: body, comment, from, language, replace, security_definer, set" },
    { "take from with replace only", with({ from = op.none }), "create_function: from goes with replace" },
    { "want something to change", call("alter_function_set", "f", {}, {}),
      "alter_function_set: nothing to change: give at least one of owner, schema" },
  })
end)

describe("the quotes around a body", function()
  -- What PostgreSQL's scanner finds between the marks: the text up to the first closing mark.
  local function read_back(quoted)
    local mark = quoted:match("^%$[%w_]*%$")
    local stop = quoted:find(mark, #mark + 1, true)
    return quoted:sub(#mark + 1, stop - 1), quoted:sub(stop + #mark)
  end

  for _, body in ipairs({
    "", "x", "$", "a$", "$$", "x $$ y", "$$ $body$ $body1$", "x$body", "$$x$body", "SELECT $1", "$body$$body$$", "$$$body",
  }) do
    it(("do not occur in it: '%s'"):format(body), function()
      local inside, rest = read_back(routine.dollar_quoted(body))
      assert.equal(body, inside)
      assert.equal("", rest)
    end)
  end

  it("are as plain as can be", function()
    assert.equal("$$SELECT $1$$", routine.dollar_quoted("SELECT $1"))
    assert.equal("$body$a $$ b$body$", routine.dollar_quoted("a $$ b"))
    assert.equal("$body1$$$ $body$$body1$", routine.dollar_quoted("$$ $body$"))
  end)
end)
