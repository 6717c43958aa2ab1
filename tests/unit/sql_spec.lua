local fault = require("luamig.fault")
local sql = require("luamig.core.sql")

local function texts(script)
  local list = {}
  for i, piece in ipairs(sql.split(script)) do
    list[i] = piece.sql
  end
  return list
end

local function kind(statement)
  local pieces = sql.split(statement)
  assert.equal(1, #pieces, statement)
  return pieces[1].kind
end

local function needs_autocommit(statement)
  local pieces = sql.split(statement)
  assert.equal(1, #pieces, statement)
  assert.equal("other", pieces[1].kind, statement)
  return pieces[1].needs_autocommit
end

describe("sql.split", function()
  it("gives each statement without its semicolon and the white space around it", function()
    assert.same({ "select 1", "select\t2" }, texts("  select 1 ;\n\nselect\t2;\n"))
  end)

  it("changes no byte of a statement", function()
    local text = "UPDATE t\r\n SET\ta = 'x%s' || E'\\t' WHERE b LIKE '50%' AND c = $1 /* :name */"
    assert.same({ text }, texts(text))
  end)

  it("tells where each statement begins, in bytes", function()
    local text = "select 'é' ;  -- two\nselect 2"
    for _, piece in ipairs(sql.split(text)) do
      assert.equal(piece.sql, text:sub(piece.offset + 1, piece.offset + #piece.sql))
    end
  end)

  it("leaves out empty statements and lone comments", function()
    for _, text in ipairs({ "", " \n", ";", " ; ;; ", "-- no", "/* a; b */ ;", "-- a;\n;" }) do
      assert.same({}, texts(text))
    end
  end)

  it("keeps comments with the statement that follows", function()
    assert.same({ "-- why;\nselect 1", "/* /* in */ ; */ select 2" },
      texts("-- why;\nselect 1; /* /* in */ ; */ select 2;"))
  end)

  it("ends a statement with a newline when its last line is a comment", function()
    assert.same({ "select 1 -- one;\n", "select 2 -- two\n" },
      texts("select 1 -- one;\n;select 2 -- two"))
  end)

  it("does not split inside strings, identifiers and dollar quotes", function()
    local statements = {
      [[select ';', E'\';', "a;b", U&'\0041;', B'1', $1]],
      "create function f() returns int language plpgsql as $$ begin; return 1; end $$",
      "do $a$ begin perform $b$ ; $$ ; $b$; end $a$",
    }
    assert.same(statements, texts(table.concat(statements, ";\n")))
  end)

  it("does not split the body of a BEGIN ATOMIC function", function()
    local body = "create function f(a int) returns int language sql begin atomic "
      .. "select case when a > 1 then 1 end; select 2; end"
    assert.same({ body, "select 3" }, texts(body .. "; select 3"))
  end)

  it("does not split the body of a rule", function()
    local rule = "create rule r as on insert to t do also (insert into a values (1); delete from b)"
    assert.same({ rule, "select 1" }, texts(rule .. "; select 1"))
  end)

  it("splits syntax that is newer than its parser", function()
    local merge = "merge into t using s on true when matched then delete returning *"
    local atomic = "create function f() returns int language sql begin atomic select ';'; end"
    assert.same({ merge, atomic, "select 2" }, texts(merge .. ";" .. atomic .. "; select 2;"))
  end)

  it("keeps a BEGIN ATOMIC function whole when its body is newer than the parser", function()
    local body = "create function f() returns setof t language sql begin atomic "
      .. "merge into t using s on true when matched then delete returning *; select 2; end"
    assert.same({ body, "select 3" }, texts(body .. "; select 3"))
  end)

  it("leaves text that is not SQL for the server to judge, and loses none of it", function()
    assert.same({ "selec 1", "select 2" }, texts("selec 1; select 2"))
    assert.same({ "select 1", "foo" }, texts("select 1; foo;"))
    assert.same({ "select 1", "é", "select 2" }, texts("select 1; é; select 2"))
    assert.same({ "select 'abc; select 2" }, texts("select 'abc; select 2"))
    assert.same({ "select $$ abc ;" }, texts("select $$ abc ; "))
    assert.same({ "/* open ; select 1" }, texts("/* open ; select 1"))
    assert.same({ "select 1 \\ 2", "select 2" }, texts("select 1 \\ 2; select 2"))
  end)

  it("refuses a NUL byte", function()
    local ok, f = pcall(sql.split, "select 1\0; select 2")
    assert.is_false(ok)
    assert.is_true(fault.is(f))
    assert.equal("operation", f.kind)
    assert.equal("SQL with a NUL byte at offset 8", f.message)
  end)

  it("refuses what is not text", function()
    assert.is_false(pcall(sql.split, nil))
    assert.is_false(pcall(sql.split, {}))
  end)

  it("survives an expression too deep for the parser", function()
    local deep = "select " .. ("("):rep(20000) .. "1" .. (")"):rep(20000)
    assert.same({ deep, "select 1" }, texts(deep .. "; select 1"))
  end)

  it("knows the statements of transaction control", function()
    for _, text in ipairs({
      "BEGIN", "begin work", "START TRANSACTION READ ONLY", "COMMIT", "commit and chain", "END",
      "ROLLBACK", "rollback to savepoint a", "ABORT", "SAVEPOINT a", "RELEASE a",
      "PREPARE TRANSACTION 'x'", "COMMIT PREPARED 'x'", "/* a */ -- b\n commit",
      "begin with_an_option_of_the_future", "prepare transaction of_the_future",
    }) do
      assert.equal("transaction", kind(text), text)
    end
  end)

  it("does not take other statements for transaction control", function()
    for _, text in ipairs({
      "select 'commit'", "prepare p as select 1",
      "create function begin() returns int as 'select 1' language sql", "beginning", "end_of_day",
      [[insert into t values ('{"TransactionStmt":{"kind":1}}')]],
    }) do
      assert.equal("other", kind(text), text)
    end
  end)

  it("tells an ordinary statement as the parser does, without asking it", function()
    for _, text in ipairs({
      "  create table t (a int)\n", "CREATE INDEX i ON t (a)", "insert into t values ('a')",
      "select 1", "Comment on table t is 'x'", "grant select on t to public",
    }) do
      local plain, parsed = sql.split(text)[1], sql.split(text .. ";")[1]
      assert.same(parsed, plain)
    end
    assert.is_true(needs_autocommit("create index concurrently i on t (a)"))
    assert.equal(2, #sql.split("select 1; select 2"))
  end)

  it("knows what may commit by itself", function()
    assert.equal("call", kind("call archive(1)"))
    assert.equal("call", kind("do $$ begin commit; end $$"))
    assert.equal("call", kind("do $$ begin " .. ("perform 1; "):rep(5000) .. "end $$"))
  end)

  it("knows a COPY that talks to the client", function()
    assert.equal("copy", kind("copy t from stdin"))
    assert.equal("copy", kind("copy (select 1) to stdout"))
    assert.equal("other", kind("copy t from '/tmp/x'"))
    assert.equal("other", kind("copy t to program 'cat'"))
  end)

  it("knows what the server refuses inside a transaction", function()
    for _, text in ipairs({
      "VACUUM", "vacuum (full, analyze) t", "/* x */ vacuum (option_of_the_future 1 2) t",
      "create index concurrently i on t (a)", "create unique index concurrently on t (lower(a))",
      "drop index concurrently if exists i", "reindex table concurrently t",
      "reindex (concurrently) index i", "reindex schema s", "reindex database d", "cluster",
      "reindex (concurrently, concurrently_of the future) table t",
      "create database d", "drop database d", "alter database d set tablespace x",
      "alter system set work_mem = '1MB'", "create tablespace t location '/x'",
      "drop tablespace t", "alter table t detach partition p concurrently", "discard all",
      "create subscription s connection 'x' publication p", "drop subscription s",
      "alter subscription s refresh publication", "alter subscription s set publication p",
    }) do
      assert.is_true(needs_autocommit(text), text)
    end
  end)

  it("lets everything else run in a transaction", function()
    for _, text in ipairs({
      "analyze t", "create index i on t (a)", "drop index i", "reindex table t", "cluster t",
      "reindex (concurrently false) table t", "reindex (concurrently off) table t",
      "alter database d set work_mem = '1MB'", "alter type t add value 'x'", "discard plans",
      "alter table t detach partition p", "alter table t detach partition p finalize",
      "refresh materialized view concurrently v", "select 'vacuum'", "truncate t",
      "create subscription s connection 'x' publication p with (create_slot = false)",
      "create subscription s connection 'x' publication p with (connect = false)",
      "alter subscription s set publication p with (refresh = false)",
      [[comment on table t is '"concurrent":true']],
      "create table concurrently_of_the_future (a int) of the future",
    }) do
      assert.is_false(needs_autocommit(text), text)
    end
  end)

  it("judges a long statement by its first word", function()
    local long = "insert into t values " .. ("(1, 'vacuum; commit'),"):rep(5000) .. "(1, '')"
    assert.equal("other", kind(long))
    assert.same({ long }, texts(long .. ";"))
  end)
end)

describe("sql.tree", function()
  it("gives the parse tree as JSON", function()
    local tree = require("cjson").decode(sql.tree("SELECT (a > 1)"))
    local target = tree.stmts[1].stmt.SelectStmt.targetList[1].ResTarget
    assert.equal("AEXPR_OP", target.val.A_Expr.kind)
  end)

  it("gives nil for what the parser does not know", function()
    assert.is_nil(sql.tree("SELECT (a >"))
  end)

  it("refuses a NUL byte", function()
    assert.has_error(function()
      sql.tree("SELECT '\0'")
    end, "bad argument #1 to 'tree' (SQL with a NUL byte)")
  end)
end)
