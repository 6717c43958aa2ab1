local snapshots = require("support.snapshots")

local F = "CREATE FUNCTION f(text, text) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT true'"
local WRAPPER = "CREATE FOREIGN DATA WRAPPER w"
local SERVER = WRAPPER .. "; CREATE SERVER s FOREIGN DATA WRAPPER w"
local MAPPING = SERVER .. "; CREATE USER MAPPING FOR PUBLIC SERVER s OPTIONS (password 'one')"
local FOREIGN = SERVER .. "; CREATE FOREIGN TABLE ft (a int) SERVER s"
local OPERATOR = F .. "; CREATE OPERATOR === (LEFTARG = text, RIGHTARG = text, FUNCTION = f%s)"
local OP = "operator public.===(text, text)"
local FAMILY = "CREATE OPERATOR FAMILY of USING btree"
local CAST = "CREATE TYPE e AS ENUM ('a'); "
  .. "CREATE FUNCTION ef(e) RETURNS integer LANGUAGE sql IMMUTABLE AS 'SELECT 1'; "
local CAST_ID = "cast (public.e as integer)"
local EVENT = "CREATE FUNCTION ev() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END'; "
local TRIGGER = EVENT .. "CREATE EVENT TRIGGER et ON sql_drop EXECUTE FUNCTION ev()"
local CONFIG = "CREATE TEXT SEARCH CONFIGURATION c (PARSER = default); "
  .. "ALTER TEXT SEARCH CONFIGURATION c ADD MAPPING FOR word WITH simple"
local T = "CREATE TABLE t (id integer PRIMARY KEY, a text); "

local function change(name, setup, there, back, identities, since)
  return { name, setup, there, back, identities, since = since }
end

local function operator(name, words)
  local drop = "DROP OPERATOR === (text, text); DROP FUNCTION f; "
  return change(name .. " of an operator", OPERATOR:format(""), drop .. OPERATOR:format(words),
    drop .. OPERATOR:format(""), OP)
end

local function publication(name, there, back, since)
  return change(name .. " of a publication",
    T .. "CREATE SCHEMA s; CREATE PUBLICATION p FOR TABLE t", "ALTER PUBLICATION p " .. there,
    "ALTER PUBLICATION p " .. back, "publication p", since)
end

local function subscription(name, there, back, since)
  return change(name .. " of a subscription",
    "CREATE SUBSCRIPTION sub CONNECTION '' PUBLICATION p WITH (connect = false, slot_name = NONE)",
    "ALTER SUBSCRIPTION sub " .. there, "ALTER SUBSCRIPTION sub " .. back, "subscription sub",
    since)
end

describe("a snapshot of the rarer kinds", function()
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
    change("a foreign data wrapper", "", WRAPPER, "DROP FOREIGN DATA WRAPPER w",
      "foreign data wrapper w"),
    change("options of a wrapper", WRAPPER, "ALTER FOREIGN DATA WRAPPER w OPTIONS (a 'b')",
      "ALTER FOREIGN DATA WRAPPER w OPTIONS (DROP a)", "foreign data wrapper w"),
    change("privileges of a wrapper", WRAPPER, "GRANT USAGE ON FOREIGN DATA WRAPPER w TO PUBLIC",
      "REVOKE USAGE ON FOREIGN DATA WRAPPER w FROM PUBLIC", "foreign data wrapper w"),
    change("the comment of a wrapper", WRAPPER, "COMMENT ON FOREIGN DATA WRAPPER w IS 'x'",
      "COMMENT ON FOREIGN DATA WRAPPER w IS NULL", "foreign data wrapper w"),
    change("a server", WRAPPER, "CREATE SERVER s FOREIGN DATA WRAPPER w", "DROP SERVER s",
      "server s"),
    change("options of a server", SERVER, "ALTER SERVER s OPTIONS (host 'x')",
      "ALTER SERVER s OPTIONS (DROP host)", "server s"),
    change("privileges of a server", SERVER, "GRANT USAGE ON FOREIGN SERVER s TO PUBLIC",
      "REVOKE USAGE ON FOREIGN SERVER s FROM PUBLIC", "server s"),
    change("a user mapping", SERVER, "CREATE USER MAPPING FOR CURRENT_USER SERVER s",
      "DROP USER MAPPING FOR CURRENT_USER SERVER s", "user mapping for postgres server s"),
    change("the password of a user mapping", MAPPING,
      "ALTER USER MAPPING FOR PUBLIC SERVER s OPTIONS (SET password 'two')",
      "ALTER USER MAPPING FOR PUBLIC SERVER s OPTIONS (SET password 'one')",
      "user mapping for public server s"),
    change("a foreign table", SERVER, "CREATE FOREIGN TABLE ft (a int) SERVER s",
      "DROP FOREIGN TABLE ft", "foreign table public.ft"),
    change("options of a foreign table", FOREIGN, "ALTER FOREIGN TABLE ft OPTIONS (x 'y')",
      "ALTER FOREIGN TABLE ft OPTIONS (DROP x)", "foreign table public.ft"),
    change("options of a foreign table's column", FOREIGN,
      "ALTER FOREIGN TABLE ft ALTER a OPTIONS (x 'y')",
      "ALTER FOREIGN TABLE ft ALTER a OPTIONS (DROP x)", "foreign table public.ft"),
    change("a publication", T, "CREATE PUBLICATION p", "DROP PUBLICATION p", "publication p"),
    change("a publication of all tables", T .. "CREATE PUBLICATION p", "DROP PUBLICATION p; "
      .. "CREATE PUBLICATION p FOR ALL TABLES", "DROP PUBLICATION p; CREATE PUBLICATION p",
      "publication p"),
    publication("the tables", "DROP TABLE t", "ADD TABLE t"),
    publication("the operations", "SET (publish = 'insert')",
      "SET (publish = 'insert, update, delete, truncate')"),
    publication("the root", "SET (publish_via_partition_root = true)",
      "SET (publish_via_partition_root = false)"),
    publication("the columns", "SET TABLE t (id)", "SET TABLE t", 15),
    publication("the rows", "SET TABLE t WHERE (id > 0)", "SET TABLE t", 15),
    publication("the schemas", "ADD TABLES IN SCHEMA s", "DROP TABLES IN SCHEMA s", 15),
    publication("the generated columns", "SET (publish_generated_columns = stored)",
      "SET (publish_generated_columns = none)", 18),
    change("the comment of a publication", "CREATE PUBLICATION p",
      "COMMENT ON PUBLICATION p IS 'x'",
      "COMMENT ON PUBLICATION p IS NULL", "publication p"),
    subscription("the publications", "SET PUBLICATION q, p WITH (refresh = false)",
      "SET PUBLICATION p WITH (refresh = false)"),
    subscription("an option", "SET (synchronous_commit = on)", "SET (synchronous_commit = off)"),
    subscription("the origin", "SET (origin = none)", "SET (origin = any)", 16),
    change("an event trigger", EVENT, "CREATE EVENT TRIGGER et ON sql_drop EXECUTE FUNCTION ev()",
      "DROP EVENT TRIGGER et", "event trigger et"),
    change("the tags of an event trigger", TRIGGER,
      "DROP EVENT TRIGGER et; CREATE EVENT TRIGGER et "
        .. "ON sql_drop WHEN TAG IN ('DROP TABLE') EXECUTE FUNCTION ev()",
      "DROP EVENT TRIGGER et; "
        .. "CREATE EVENT TRIGGER et ON sql_drop EXECUTE FUNCTION ev()", "event trigger et"),
    change("that an event trigger is off", TRIGGER, "ALTER EVENT TRIGGER et DISABLE",
      "ALTER EVENT TRIGGER et ENABLE", "event trigger et"),
    change("default privileges", "", "ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO PUBLIC",
      "ALTER DEFAULT PRIVILEGES REVOKE SELECT ON TABLES FROM PUBLIC",
      "default privileges of postgres on tables"),
    change("default privileges that take away", "",
      "ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC",
      "ALTER DEFAULT PRIVILEGES GRANT EXECUTE ON FUNCTIONS TO PUBLIC",
      "default privileges of postgres on functions"),
    change("default privileges in a schema", "CREATE SCHEMA s",
      "ALTER DEFAULT PRIVILEGES IN SCHEMA s GRANT USAGE ON SEQUENCES TO PUBLIC",
      "ALTER DEFAULT PRIVILEGES IN SCHEMA s REVOKE USAGE ON SEQUENCES FROM PUBLIC",
      "default privileges of postgres in schema s on sequences"),
    change("a cast", CAST, "CREATE CAST (e AS integer) WITH FUNCTION ef(e)",
      "DROP CAST (e AS integer)", CAST_ID),
    change("the context of a cast", CAST .. "CREATE CAST (e AS integer) WITH FUNCTION ef(e)",
      "DROP CAST (e AS integer); CREATE CAST (e AS integer) WITH FUNCTION ef(e) AS IMPLICIT",
      "DROP CAST (e AS integer); CREATE CAST (e AS integer) WITH FUNCTION ef(e)", CAST_ID),
    change("a cast by the text forms", CAST .. "CREATE CAST (e AS integer) WITH FUNCTION ef(e)",
      "DROP CAST (e AS integer); CREATE CAST (e AS integer) WITH INOUT",
      "DROP CAST (e AS integer); CREATE CAST (e AS integer) WITH FUNCTION ef(e)", CAST_ID),
    change("the comment of a cast", CAST .. "CREATE CAST (e AS integer) WITH INOUT",
      "COMMENT ON CAST (e AS integer) IS 'x'", "COMMENT ON CAST (e AS integer) IS NULL", CAST_ID),
    change("a transform", CAST .. "CREATE FUNCTION tf(internal) RETURNS internal "
        .. "LANGUAGE internal IMMUTABLE AS 'int4recv'",
      "CREATE TRANSFORM FOR e LANGUAGE sql (FROM SQL WITH FUNCTION tf(internal))",
      "DROP TRANSFORM FOR e LANGUAGE sql", "transform for public.e language sql"),
    change("a language", "", "CREATE LANGUAGE plx HANDLER plpgsql_call_handler",
      "DROP LANGUAGE plx", "language plx"),
    change("privileges of a language", "CREATE TRUSTED LANGUAGE plx HANDLER plpgsql_call_handler",
      "REVOKE USAGE ON LANGUAGE plx FROM PUBLIC", "GRANT USAGE ON LANGUAGE plx TO PUBLIC",
      "language plx"),
    change("an access method", "", "CREATE ACCESS METHOD am TYPE INDEX HANDLER bthandler",
      "DROP ACCESS METHOD am", "access method am"),
    change("an operator", F, "CREATE OPERATOR === (LEFTARG = text, RIGHTARG = text, FUNCTION = f)",
      "DROP OPERATOR === (text, text)", OP),
    operator("HASHES", ", HASHES"),
    operator("MERGES", ", MERGES"),
    operator("the selectivity", ", RESTRICT = eqsel, JOIN = eqjoinsel"),
    operator("the commutator", ", COMMUTATOR = ==="),
    change("a prefix operator", F .. "; CREATE FUNCTION g(text) RETURNS text LANGUAGE sql "
      .. "AS 'SELECT $1'", "CREATE OPERATOR !!! (RIGHTARG = text, FUNCTION = g)",
      "DROP OPERATOR !!! (NONE, text)", "operator public.!!!(NONE, text)"),
    change("an operator family", "", FAMILY, "DROP OPERATOR FAMILY of USING btree",
      "operator family public.of using btree"),
    change("a loose operator of a family", FAMILY,
      "ALTER OPERATOR FAMILY of USING btree ADD OPERATOR 1 < (integer, bigint)",
      "ALTER OPERATOR FAMILY of USING btree DROP OPERATOR 1 (integer, bigint)",
      "operator family public.of using btree"),
    change("a loose function of a family", FAMILY,
      "ALTER OPERATOR FAMILY of USING btree ADD FUNCTION 1 btint48cmp(integer, bigint)",
      "ALTER OPERATOR FAMILY of USING btree DROP FUNCTION 1 (integer, bigint)",
      "operator family public.of using btree"),
    change("an operator class", FAMILY, "CREATE OPERATOR CLASS oc FOR TYPE integer USING btree "
      .. "FAMILY of AS OPERATOR 1 <, FUNCTION 1 btint4cmp(integer, integer)",
      "DROP OPERATOR CLASS oc USING btree", "operator class public.oc using btree"),
    change("a collation", "", [[CREATE COLLATION co (LOCALE = 'C')]], "DROP COLLATION co",
      "collation public.co"),
    change("a collation's locale", "CREATE COLLATION co (LOCALE = 'C')",
      "DROP COLLATION co; CREATE COLLATION co (LOCALE = 'POSIX')",
      "DROP COLLATION co; CREATE COLLATION co (LOCALE = 'C')", "collation public.co"),
    change("a nondeterministic collation", "CREATE COLLATION co (PROVIDER = icu, LOCALE = 'de')",
      "DROP COLLATION co; "
        .. "CREATE COLLATION co (PROVIDER = icu, LOCALE = 'de', DETERMINISTIC = false)",
      "DROP COLLATION co; CREATE COLLATION co (PROVIDER = icu, LOCALE = 'de')",
      "collation public.co"),
    change("the rules of a collation", "CREATE COLLATION co (PROVIDER = icu, LOCALE = 'de')",
      "DROP COLLATION co; CREATE COLLATION co (PROVIDER = icu, LOCALE = 'de', RULES = '&a < g')",
      "DROP COLLATION co; CREATE COLLATION co (PROVIDER = icu, LOCALE = 'de')",
      "collation public.co", 16),
    change("a conversion", "", "CREATE CONVERSION cv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8",
      "DROP CONVERSION cv", "conversion public.cv"),
    change("a default conversion",
      "CREATE CONVERSION cv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8", "DROP CONVERSION cv; "
        .. "CREATE DEFAULT CONVERSION cv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8",
      "DROP CONVERSION cv; CREATE CONVERSION cv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8",
      "conversion public.cv"),
    change("a text search dictionary", "",
      "CREATE TEXT SEARCH DICTIONARY d (TEMPLATE = simple)", "DROP TEXT SEARCH DICTIONARY d",
      "text search dictionary public.d"),
    change("options of a text search dictionary",
      "CREATE TEXT SEARCH DICTIONARY d (TEMPLATE = simple)",
      "ALTER TEXT SEARCH DICTIONARY d (Accept = false)",
      "ALTER TEXT SEARCH DICTIONARY d (Accept)", "text search dictionary public.d"),
    change("a text search configuration", "", CONFIG, "DROP TEXT SEARCH CONFIGURATION c",
      "text search configuration public.c"),
    change("a mapping of a text search configuration", CONFIG,
      "ALTER TEXT SEARCH CONFIGURATION c ADD MAPPING FOR email WITH english_stem, simple",
      "ALTER TEXT SEARCH CONFIGURATION c DROP MAPPING FOR email",
      "text search configuration public.c"),
    change("a text search parser", "", "CREATE TEXT SEARCH PARSER p (START = prsd_start, "
      .. "GETTOKEN = prsd_nexttoken, END = prsd_end, LEXTYPES = prsd_lextype)",
      "DROP TEXT SEARCH PARSER p", "text search parser public.p"),
    change("a text search template", "", "CREATE TEXT SEARCH TEMPLATE st (LEXIZE = dsimple_lexize)",
      "DROP TEXT SEARCH TEMPLATE st", "text search template public.st"),
    change("the comment of a text search configuration", CONFIG,
      "COMMENT ON TEXT SEARCH CONFIGURATION c IS 'x'",
      "COMMENT ON TEXT SEARCH CONFIGURATION c IS NULL", "text search configuration public.c"),
  })

  it("keeps no password", function()
    local mapping = session.read(MAPPING).objects["user mapping for public server s"]
    assert.matches("^sha256:%x+$", mapping.options.password)
  end)
end)
