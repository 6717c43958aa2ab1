local snapshots = require("support.snapshots")

local T = "CREATE TABLE t (id integer PRIMARY KEY, a text)"
local F = "CREATE FUNCTION f(x integer) RETURNS integer LANGUAGE sql AS 'SELECT x'"
local TRIGGER = T .. [[;
  CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END']]
local AGGREGATE = "CREATE AGGREGATE ag(integer) (SFUNC = int4pl, STYPE = integer%s)"
local PARTS = "CREATE TABLE p (a int) PARTITION BY LIST (a); "
  .. "CREATE TABLE q PARTITION OF p FOR VALUES IN (1); "
  .. "CREATE FUNCTION tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END'; "
  .. "CREATE TRIGGER tr BEFORE INSERT ON p FOR EACH ROW EXECUTE FUNCTION tf()"

local function change(name, setup, there, back, identities, since)
  return { name, setup, there, back, identities, since = since }
end

local function attribute(name, word, opposite)
  return change(name .. " of a function", F, "ALTER FUNCTION f " .. word,
    "ALTER FUNCTION f " .. opposite, "function public.f(integer)")
end

local function aggregate(name, words, since)
  return change(name .. " of an aggregate", AGGREGATE:format(""),
    "DROP AGGREGATE ag(integer); " .. AGGREGATE:format(words),
    "DROP AGGREGATE ag(integer); " .. AGGREGATE:format(""), "aggregate public.ag(integer)", since)
end

-- Trigger `tr` on t, rule `r` on t or policy `p` on t in two versions.
local function versions(kind, name, setup, first, second)
  local make = "CREATE " .. kind:upper() .. " " .. first[1]
  local drop = "DROP " .. kind:upper() .. " x ON t; CREATE " .. kind:upper() .. " "
  return change(name .. " of a " .. kind, setup .. "; " .. make, drop .. second, drop .. first[1],
    kind .. " x on public.t")
end

local function trigger(name, first, second)
  return versions("trigger", name, TRIGGER, { "x " .. first .. " EXECUTE FUNCTION tf()" },
    "x " .. second .. " EXECUTE FUNCTION tf()")
end

local function policy(name, first, second)
  return versions("policy", name, T, { "x ON t " .. first }, "x ON t " .. second)
end

describe("a snapshot of code", function()
  local session

  lazy_setup(function()
    session = snapshots.session()
  end)
  lazy_teardown(function()
    session.close()
  end)

  snapshots.cases(function()
    return session
  end, {
    change("a function", "", F, "DROP FUNCTION f", "function public.f(integer)"),
    change("the body of a function", F,
      "CREATE OR REPLACE FUNCTION f(x integer) RETURNS integer LANGUAGE sql AS 'SELECT x + 1'",
      "CREATE OR REPLACE FUNCTION f(x integer) RETURNS integer LANGUAGE sql AS 'SELECT x'",
      "function public.f(integer)"),
    change("a body in the standard's form", F,
      "CREATE OR REPLACE FUNCTION f(x integer) RETURNS integer LANGUAGE sql RETURN x",
      "CREATE OR REPLACE FUNCTION f(x integer) RETURNS integer LANGUAGE sql AS 'SELECT x'",
      "function public.f(integer)"),
    change("the default of an argument", F,
      F:gsub("CREATE", "CREATE OR REPLACE"):gsub("x integer", "x integer DEFAULT 1"),
      "DROP FUNCTION f; " .. F, "function public.f(integer)"),
    change("the result of a function", F, "DROP FUNCTION f; " .. F:gsub("RETURNS integer",
      "RETURNS bigint"), "DROP FUNCTION f; " .. F, "function public.f(integer)"),
    change("the name of an argument", F, "DROP FUNCTION f; " .. F:gsub("x", "y"),
      "DROP FUNCTION f; " .. F, "function public.f(integer)"),
    attribute("volatility", "STABLE", "VOLATILE"),
    attribute("strictness", "STRICT", "CALLED ON NULL INPUT"),
    attribute("SECURITY DEFINER", "SECURITY DEFINER", "SECURITY INVOKER"),
    attribute("LEAKPROOF", "LEAKPROOF", "NOT LEAKPROOF"),
    attribute("PARALLEL", "PARALLEL SAFE", "PARALLEL UNSAFE"),
    attribute("the cost", "COST 7", "COST 100"),
    attribute("a setting", "SET search_path = pg_catalog", "RESET search_path"),
    attribute("an extension that it needs", "DEPENDS ON EXTENSION plpgsql",
      "NO DEPENDS ON EXTENSION plpgsql"),
    change("the owner of a function", F .. "; CREATE ROLE luamig_spec_role",
      "ALTER FUNCTION f OWNER TO luamig_spec_role", "ALTER FUNCTION f OWNER TO CURRENT_USER",
      "function public.f(integer)"),
    change("the privileges of a function", F, "REVOKE EXECUTE ON FUNCTION f FROM PUBLIC",
      "GRANT EXECUTE ON FUNCTION f TO PUBLIC", "function public.f(integer)"),
    change("that nobody may call a function", F,
      "REVOKE EXECUTE ON FUNCTION f FROM PUBLIC, CURRENT_USER",
      "GRANT EXECUTE ON FUNCTION f TO PUBLIC, CURRENT_USER", "function public.f(integer)"),
    change("the comment of a function", F, "COMMENT ON FUNCTION f IS 'x'",
      "COMMENT ON FUNCTION f IS NULL", "function public.f(integer)"),
    change("functions of one name apart", F,
      "CREATE FUNCTION f(text, integer[]) RETURNS text LANGUAGE sql AS 'SELECT $1'",
      "DROP FUNCTION f(text, integer[])", "function public.f(text, integer[])"),
    change("a procedure", "", "CREATE PROCEDURE p(x integer) LANGUAGE sql AS ''",
      "DROP PROCEDURE p", "procedure public.p(integer)"),
    change("a window function", F, "CREATE FUNCTION w(integer) RETURNS integer LANGUAGE internal "
      .. "WINDOW AS 'window_row_number'", "DROP FUNCTION w", "function public.w(integer)"),
    change("an aggregate", "", AGGREGATE:format(""), "DROP AGGREGATE ag(integer)",
      "aggregate public.ag(integer)"),
    aggregate("the initial value", ", INITCOND = '1'"),
    aggregate("the final function", ", FINALFUNC = int4up"),
    aggregate("FINALFUNC_MODIFY", ", FINALFUNC = int4up, FINALFUNC_MODIFY = READ_WRITE"),
    aggregate("the combining function", ", COMBINEFUNC = int4pl"),
    aggregate("the state's size", ", SSPACE = 100"),
    aggregate("the sort operator", ", SORTOP = <"),
    aggregate("PARALLEL", ", PARALLEL = SAFE"),
    aggregate("the moving mode",
      ", MSFUNC = int4pl, MINVFUNC = int4mi, MSTYPE = integer, MINITCOND = '0'"),
    change("the comment of an aggregate", AGGREGATE:format(""),
      "COMMENT ON AGGREGATE ag(integer) IS 'x'", "COMMENT ON AGGREGATE ag(integer) IS NULL",
      "aggregate public.ag(integer)"),
    change("an ordered-set aggregate", "", "CREATE AGGREGATE os(float8 ORDER BY anyelement) "
      .. "(SFUNC = ordered_set_transition, STYPE = internal, FINALFUNC = percentile_disc_final, "
      .. "FINALFUNC_EXTRA)", "DROP AGGREGATE os(float8 ORDER BY anyelement)",
      "aggregate public.os(double precision, anyelement)"),
    trigger("the time", "BEFORE INSERT ON t FOR EACH ROW", "AFTER INSERT ON t FOR EACH ROW"),
    trigger("the events", "BEFORE INSERT ON t FOR EACH ROW",
      "BEFORE INSERT OR UPDATE ON t FOR EACH ROW"),
    trigger("the columns", "BEFORE UPDATE ON t FOR EACH ROW",
      "BEFORE UPDATE OF a ON t FOR EACH ROW"),
    trigger("the condition", "BEFORE INSERT ON t FOR EACH ROW",
      "BEFORE INSERT ON t FOR EACH ROW WHEN (new.id > 0)"),
    trigger("the level", "AFTER INSERT ON t FOR EACH ROW", "AFTER INSERT ON t"),
    trigger("the transition tables", "AFTER INSERT ON t",
      "AFTER INSERT ON t REFERENCING NEW TABLE AS n"),
    change("a constraint trigger", TRIGGER, "CREATE CONSTRAINT TRIGGER x AFTER INSERT ON t "
      .. "DEFERRABLE FOR EACH ROW EXECUTE FUNCTION tf()", "DROP TRIGGER x ON t",
      "trigger x on public.t"),
    change("that a trigger is off",
      TRIGGER .. "; CREATE TRIGGER x BEFORE INSERT ON t EXECUTE FUNCTION tf()",
      "ALTER TABLE t DISABLE TRIGGER x", "ALTER TABLE t ENABLE TRIGGER x",
      "trigger x on public.t"),
    change("that a trigger fires always",
      TRIGGER .. "; CREATE TRIGGER x BEFORE INSERT ON t EXECUTE FUNCTION tf()",
      "ALTER TABLE t ENABLE ALWAYS TRIGGER x", "ALTER TABLE t ENABLE TRIGGER x",
      "trigger x on public.t"),
    change("that a trigger fires on a replica",
      TRIGGER .. "; CREATE TRIGGER x BEFORE INSERT ON t EXECUTE FUNCTION tf()",
      "ALTER TABLE t ENABLE REPLICA TRIGGER x", "ALTER TABLE t ENABLE TRIGGER x",
      "trigger x on public.t"),
    change("the comment of a trigger",
      TRIGGER .. "; CREATE TRIGGER x BEFORE INSERT ON t EXECUTE FUNCTION tf()",
      "COMMENT ON TRIGGER x ON t IS 'x'", "COMMENT ON TRIGGER x ON t IS NULL",
      "trigger x on public.t"),
    change("a trigger that is off on one partition", PARTS, "ALTER TABLE q DISABLE TRIGGER tr",
      "ALTER TABLE q ENABLE TRIGGER tr", "trigger tr on public.q"),
    versions("rule", "the action", T, { "x AS ON INSERT TO t DO INSTEAD NOTHING" },
      "x AS ON INSERT TO t DO ALSO NOTHING"),
    change("that a rule is off", T .. "; CREATE RULE x AS ON INSERT TO t DO INSTEAD NOTHING",
      "ALTER TABLE t DISABLE RULE x", "ALTER TABLE t ENABLE RULE x", "rule x on public.t"),
    change("the comment of a rule", T .. "; CREATE RULE x AS ON INSERT TO t DO INSTEAD NOTHING",
      "COMMENT ON RULE x ON t IS 'x'", "COMMENT ON RULE x ON t IS NULL", "rule x on public.t"),
    policy("the condition", "USING (id > 0)", "USING (id > 1)"),
    policy("the check", "WITH CHECK (id > 0)", "WITH CHECK (id > 1)"),
    policy("the command", "FOR SELECT USING (true)", "FOR DELETE USING (true)"),
    policy("the kind", "USING (true)", "AS RESTRICTIVE USING (true)"),
    policy("the roles", "USING (true)", "TO CURRENT_USER USING (true)"),
    change("the comment of a policy", T .. "; CREATE POLICY x ON t USING (true)",
      "COMMENT ON POLICY x ON t IS 'x'", "COMMENT ON POLICY x ON t IS NULL",
      "policy x on public.t"),
    change("a statistics object", T, "CREATE STATISTICS x ON id, a FROM t", "DROP STATISTICS x",
      "statistics public.x"),
    change("the kinds of a statistics object",
      T .. "; CREATE STATISTICS x (ndistinct) ON id, a FROM t",
      "DROP STATISTICS x; CREATE STATISTICS x (mcv) ON id, a FROM t",
      "DROP STATISTICS x; CREATE STATISTICS x (ndistinct) ON id, a FROM t", "statistics public.x"),
    change("the target of a statistics object", T .. "; CREATE STATISTICS x ON id, a FROM t",
      "ALTER STATISTICS x SET STATISTICS 7", "ALTER STATISTICS x SET STATISTICS -1",
      "statistics public.x"),
    change("the comment of a statistics object", T .. "; CREATE STATISTICS x ON id, a FROM t",
      "COMMENT ON STATISTICS x IS 'x'", "COMMENT ON STATISTICS x IS NULL", "statistics public.x"),
  })

  it("tells which table's trigger a partition's is a copy of", function()
    local value = session.read(PARTS)
    assert.equal("trigger tr on public.p", value.objects["trigger tr on public.q"].part_of)
    assert.is_nil(value.objects["trigger tr on public.p"].part_of)
  end)

  it("keeps the triggers of a foreign key out", function()
    local value = session.read(T .. "; ALTER TABLE t ADD FOREIGN KEY (id) REFERENCES t")
    for identity in pairs(value.objects) do
      assert.is_nil(identity:match("^trigger"))
    end
  end)
end)
