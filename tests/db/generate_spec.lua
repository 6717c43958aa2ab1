-- luacheck: no max line length (a case a line)
local generated = require("support.generated")
local server = require("support.server")
local snapshots = require("support.snapshots")

local cases = generated.cases

local function all(condition, of)
  return ("SELECT bool_and(%s) FROM %s"):format(condition, of or "t")
end

describe("generated rows", function()
  local session

  lazy_setup(function()
    session = snapshots.session()
  end)
  lazy_teardown(function()
    session.close()
  end)

  local function with()
    return session
  end

  describe("of types", function()
    cases(with, {
      { "whole numbers", "CREATE TABLE t (a smallint NOT NULL, b integer NOT NULL, c bigint NOT NULL, "
        .. "d smallserial, e serial, f bigserial)", holds = { all("d = e AND e = f") } },
      { "numerics", "CREATE TABLE t (a numeric NOT NULL, b numeric(10,2) NOT NULL, c numeric(3) NOT NULL, "
        .. "d numeric(2,2) NOT NULL, e numeric(20,4) NOT NULL, f numeric(1,0) NOT NULL)" },
      { "a numeric whose scale is below zero or above its precision",
        "CREATE TABLE t (a numeric(2,-3) NOT NULL, b numeric(3,5) NOT NULL)", since = 15 },
      { "floats and money", "CREATE TABLE t (a real NOT NULL, b double precision NOT NULL, "
        .. "c float(10) NOT NULL, d money NOT NULL)" },
      { "texts of any length", "CREATE TABLE t (a text NOT NULL, b varchar NOT NULL, "
        .. "c varchar(20) NOT NULL, d varchar(1) NOT NULL, e char(5) NOT NULL, f char NOT NULL, "
        .. "g name NOT NULL, h \"char\" NOT NULL, i bpchar NOT NULL)" },
      { "booleans, bytes and uuids", "CREATE TABLE t (a boolean NOT NULL, b bytea NOT NULL, c uuid NOT NULL)",
        holds = { "SELECT count(DISTINCT c) > 2 FROM t" } },
      { "dates and times", "CREATE TABLE t (a date NOT NULL, b time NOT NULL, c timetz NOT NULL, "
        .. "d timestamp NOT NULL, e timestamptz NOT NULL, f interval NOT NULL, g timestamp(0) NOT NULL, "
        .. "h interval year to month NOT NULL, i time(3) NOT NULL, j interval(2) NOT NULL)" },
      { "network addresses", "CREATE TABLE t (a inet NOT NULL, b cidr NOT NULL, c macaddr NOT NULL, "
        .. "d macaddr8 NOT NULL)" },
      { "bit strings", "CREATE TABLE t (a bit NOT NULL, b bit(12) NOT NULL, c varbit NOT NULL, "
        .. "d varbit(3) NOT NULL, e bit(70) NOT NULL)" },
      { "json", "CREATE TABLE t (a json NOT NULL, b jsonb NOT NULL, c jsonpath NOT NULL, "
        .. "d jsonb NOT NULL DEFAULT '[]')",
        holds = { all("jsonb_typeof(d) = 'array' AND jsonb_typeof(b) = 'object'") } },
      { "xml", "CREATE TABLE t (a xml)" },
      { "text search", "CREATE TABLE t (a tsvector NOT NULL, b tsquery NOT NULL)" },
      { "geometry", "CREATE TABLE t (a point NOT NULL, b line NOT NULL, c lseg NOT NULL, d box NOT NULL, "
        .. "e path NOT NULL, f polygon NOT NULL, g circle NOT NULL)" },
      { "names of objects", "CREATE TABLE t (a oid NOT NULL, b regclass NOT NULL, c regtype NOT NULL, "
        .. "d regproc NOT NULL, e regprocedure NOT NULL, f regoper NOT NULL, g regoperator NOT NULL, "
        .. "h regnamespace NOT NULL, i regrole NOT NULL, j regcollation NOT NULL, k regconfig NOT NULL, "
        .. "l regdictionary NOT NULL)" },
      { "types of the server's own", "CREATE TABLE t (a pg_lsn NOT NULL, b xid NOT NULL, c xid8 NOT NULL, "
        .. "d cid NOT NULL, e tid NOT NULL, f pg_snapshot NOT NULL, g txid_snapshot NOT NULL, "
        .. "h int2vector NOT NULL, i oidvector NOT NULL, j refcursor NOT NULL, k aclitem NOT NULL)" },
      { "arrays", "CREATE TABLE t (a text[] NOT NULL, b integer[][] NOT NULL, c numeric(5,2)[] NOT NULL, "
        .. "d jsonb[] NOT NULL, e box[] NOT NULL, f timestamptz[] NOT NULL, g varchar(3)[] NOT NULL, "
        .. "h bytea[] NOT NULL)" },
      { "ranges", "CREATE TABLE t (a int4range NOT NULL, b int8range NOT NULL, c numrange NOT NULL, "
        .. "d daterange NOT NULL, e tsrange NOT NULL, f tstzrange NOT NULL, g daterange[] NOT NULL)" },
      { "multiranges", "CREATE TABLE t (a int4multirange NOT NULL, b datemultirange NOT NULL, "
        .. "c tstzmultirange NOT NULL)" },
      { "ranges of one's own", "CREATE TYPE lengths AS RANGE (subtype = float8, subtype_diff = float8mi); "
        .. "CREATE TYPE words AS RANGE (subtype = text); "
        .. "CREATE TABLE t (a lengths NOT NULL, b words NOT NULL, c lengths_multirange NOT NULL)" },
      { "enums", "CREATE TYPE \"my Mood\" AS ENUM ('sad', 'it''s ok', 'hap\\py'); "
        .. "CREATE TABLE t (a \"my Mood\" NOT NULL, b \"my Mood\"[] NOT NULL)",
        holds = { "SELECT count(DISTINCT a) = 3 FROM t" } },
      { "composites", "CREATE TYPE part AS (name text, size numeric(4,1), tags text[]); "
        .. "CREATE TYPE whole AS (id integer, part part, parts part[]); "
        .. "CREATE TABLE t (a part NOT NULL, b whole NOT NULL, c part[] NOT NULL)" },
      { "rows of other tables as types", "CREATE TABLE u (id integer, at date); CREATE TABLE t (a u NOT NULL)" },
      { "domains", "CREATE DOMAIN email AS varchar(50) NOT NULL CHECK (VALUE ~ '^[^@]+@[^@]+$'); "
        .. "CREATE DOMAIN work_email AS email CHECK (VALUE LIKE '%.example'); "
        .. "CREATE DOMAIN percent AS numeric(5,2) CHECK (VALUE BETWEEN 0 AND 100) CHECK (VALUE <> 50); "
        .. "CREATE TABLE t (a email, b work_email, c percent NOT NULL, d percent)",
        holds = { all("b LIKE '%@%.example'") } },
      { "domains in arrays, composites and ranges", "CREATE DOMAIN small AS integer CHECK (VALUE > 10 AND VALUE < 20); "
        .. "CREATE TYPE pair AS (a small, b small); CREATE TYPE smalls AS RANGE (subtype = integer); "
        .. "CREATE DOMAIN three AS integer[] CHECK (cardinality(VALUE) = 3); "
        .. "CREATE TABLE t (a small[] NOT NULL, b pair NOT NULL, c three NOT NULL, d smalls NOT NULL)",
        holds = { all("cardinality(c) = 3 AND (b).a > 10") } },
      { "domains with functions that only the server knows",
        "CREATE FUNCTION even(i integer) RETURNS boolean LANGUAGE sql IMMUTABLE AS 'SELECT $1 % 2 = 0'; "
        .. "CREATE DOMAIN evens AS integer CHECK (even(VALUE)); CREATE TABLE t (a evens NOT NULL)" },
      { "citext", "CREATE EXTENSION citext; CREATE TABLE t (a citext PRIMARY KEY, b citext[])",
        needs = { "citext" } },
      { "hstore, ltree and cube", "CREATE EXTENSION hstore; CREATE EXTENSION ltree; CREATE EXTENSION cube; "
        .. "CREATE TABLE t (a hstore NOT NULL, b ltree UNIQUE NOT NULL, c cube NOT NULL, d lquery NOT NULL)",
        needs = { "hstore", "ltree", "cube" } },
      { "types that nothing is known of", "CREATE EXTENSION isn; CREATE EXTENSION seg; "
        .. "CREATE TABLE t (a isbn13 NOT NULL, b seg NOT NULL, c issn)", needs = { "isn", "seg" } },
      { "domains of extensions", "CREATE EXTENSION cube; CREATE EXTENSION earthdistance; "
        .. "CREATE TABLE t (a earth)", needs = { "cube", "earthdistance" } },
    })
  end)

  describe("of columns", function()
    cases(with, {
      { "NOT NULL, and has NULLs elsewhere", "CREATE TABLE t (a integer NOT NULL, b text, c date, d uuid, e jsonb)",
        holds = { "SELECT count(*) FILTER (WHERE b IS NULL) + count(*) FILTER (WHERE c IS NULL) "
          .. "+ count(*) FILTER (WHERE d IS NULL) + count(*) FILTER (WHERE e IS NULL) > 0 FROM t" } },
      { "identity columns", "CREATE TABLE t (a integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, "
        .. "b bigint GENERATED BY DEFAULT AS IDENTITY (START 100), c text)",
        holds = { all("a BETWEEN 1 AND 5 AND b >= 100"), "SELECT nextval(pg_get_serial_sequence('t', 'a')) = 6" } },
      { "generated columns", "CREATE TABLE t (a integer NOT NULL CHECK (a < 100), b integer GENERATED ALWAYS AS (a * 2) STORED, "
        .. "CHECK (b > 20))", holds = { all("b = a * 2 AND b > 20") } },
      { "virtual generated columns", "CREATE TABLE t (a integer NOT NULL CHECK (a BETWEEN 0 AND 100), "
        .. "b integer GENERATED ALWAYS AS (a + 1) VIRTUAL CHECK (b > 50))", since = 18 },
      { "a table of nothing but a sequence", "CREATE TABLE t (id serial PRIMARY KEY)" },
      { "a table of nothing but an identity", "CREATE TABLE t (id integer GENERATED ALWAYS AS IDENTITY)" },
      { "names that need quotes", "CREATE SCHEMA \"My App\"; CREATE TABLE \"My App\".\"Order \"\"x\"\"\" "
        .. "(\"select\" integer CHECK (\"select\" > 5) PRIMARY KEY, \"it's\" text DEFAULT 'it''s')" },
      { "collations", "CREATE TABLE t (a text COLLATE \"C\" NOT NULL CHECK (a > 'm'))" },
      { "dropped columns", "CREATE TABLE t (a integer, b text, c text NOT NULL); ALTER TABLE t DROP COLUMN b" },
      { "a column of a broken type that may be NULL", "CREATE TYPE nothing AS ENUM (); CREATE TABLE t (a nothing, b integer NOT NULL, "
        .. "CHECK (a IS NULL OR b > 3), CHECK (a IS NULL OR a = a))" },
      { "a column of a broken type that may not be NULL", "CREATE TYPE nothing AS ENUM (); CREATE TABLE t (a nothing NOT NULL)", rows = { t = 0 },
        unfilled = { "table public.t: column a: public.nothing is an enum without labels" } },
      { "a schema whose names hide the server's", "CREATE TYPE public.text AS ENUM ('x'); CREATE FUNCTION public.count() RETURNS integer LANGUAGE sql AS 'SELECT 0'; "
        .. "CREATE TABLE t (id integer PRIMARY KEY, a integer REFERENCES t, b public.text NOT NULL, c pg_catalog.text NOT NULL CHECK (c ~ '^a'))" },
    })
  end)

  describe("of checks", function()
    cases(with, {
      { "comparisons with constants", "CREATE TABLE t (a integer NOT NULL CHECK (a > 0), b integer NOT NULL CHECK (b < -5), "
        .. "c numeric(6,3) NOT NULL CHECK (c >= 0.5 AND c <= 0.501), d date NOT NULL CHECK (d > '2030-01-01'), "
        .. "e text NOT NULL CHECK (e <> ''), f integer NOT NULL CHECK (5 <= f AND f <= 6), "
        .. "g timestamptz NOT NULL CHECK (g < '1990-01-01 00:00:00+00'), h time NOT NULL CHECK (h >= '09:00' AND h < '17:00'), "
        .. "i interval NOT NULL CHECK (i > '0' AND i <= '1 day'), j double precision NOT NULL CHECK (j > 0 AND j < 1), "
        .. "k bigint NOT NULL CHECK (k > 9007199254740993), l money NOT NULL CHECK (l > 10::money))" },
      { "narrow ranges of numbers", "CREATE TABLE t (a integer NOT NULL CHECK (a > 41 AND a < 43), "
        .. "b numeric NOT NULL CHECK (b > 0.0001 AND b < 0.0002), c smallint NOT NULL CHECK (c BETWEEN 1 AND 3), "
        .. "d bigint NOT NULL CHECK (d >= 9223372036854775800))" },
      { "lists", "CREATE TABLE t (a text NOT NULL CHECK (a IN ('red', 'green')), b varchar(10) NOT NULL CHECK (b IN ('x', 'y z', 'it''s')), "
        .. "c integer NOT NULL CHECK (c = ANY ('{3,5}')), d integer NOT NULL CHECK (d NOT IN (1, 4, 7, 10, 13)), "
        .. "e char(1) NOT NULL CHECK (e IN ('Y', 'N')))", holds = { "SELECT count(DISTINCT a) = 2 FROM t" } },
      { "BETWEEN", "CREATE TABLE t (a integer NOT NULL CHECK (a BETWEEN 100 AND 200), "
        .. "b date NOT NULL CHECK (b BETWEEN '2020-01-01' AND '2020-01-31'), c integer CHECK (c NOT BETWEEN -10 AND 10))",
        holds = { "SELECT bool_or(a = 100) AND bool_or(a = 200) FROM t" } },
      { "LIKE", "CREATE TABLE t (a text NOT NULL CHECK (a LIKE 'AB%'), b text NOT NULL CHECK (b LIKE '%@%.__'), "
        .. "c text NOT NULL CHECK (c NOT LIKE '% %'), d text NOT NULL CHECK (d ILIKE 'x_z'), e text NOT NULL CHECK (e SIMILAR TO '(a|b)+%'))" },
      { "regular expressions", "CREATE TABLE t (zip text NOT NULL CHECK (zip ~ '^\\d{5}(-\\d{4})?$'), "
        .. "slug varchar(30) NOT NULL UNIQUE CHECK (slug ~ '^[a-z0-9]+(?:-[a-z0-9]+)*$'), "
        .. "color char(7) NOT NULL CHECK (color ~* '^#[0-9a-f]{6}$'), phone text NOT NULL CHECK (phone ~ '^\\+[1-9][0-9]{6,14}$'), "
        .. "email text NOT NULL CHECK (email ~* '^[A-Za-z0-9._%+-]+@[A-Za-z0-9.-]+[.][A-Za-z]{2,}$'), "
        .. "code text NOT NULL CHECK (code !~ '[^A-Z]' AND length(code) = 3))" },
      { "lengths", "CREATE TABLE t (a text NOT NULL CHECK (length(a) = 10), b text NOT NULL CHECK (char_length(b) BETWEEN 3 AND 5), "
        .. "c varchar(100) NOT NULL CHECK (length(trim(c)) > 0), d text CHECK (octet_length(d) <= 8), e bytea NOT NULL CHECK (length(e) > 1))",
        holds = { "SELECT bool_or(length(b) = 5) FROM t" } },
      { "cases and blanks", "CREATE TABLE t (a text NOT NULL CHECK (a = lower(a)), b text NOT NULL CHECK (b = upper(b)), "
        .. "c text NOT NULL CHECK (c = trim(c) AND c <> ''), d text NOT NULL CHECK (NULLIF(btrim(d), '') IS NOT NULL), "
        .. "e text NOT NULL CHECK (position('@' in e) > 1), f text NOT NULL CHECK (starts_with(f, 'id_')), "
        .. "g text NOT NULL CHECK (left(g, 2) = 'XX'))" },
      { "NULLs counted", "CREATE TABLE t (a integer, b text, c date, CHECK (num_nonnulls(a, b, c) = 1)); "
        .. "CREATE TABLE u (a integer, b integer, CHECK ((a IS NULL) <> (b IS NULL))); "
        .. "CREATE TABLE v (a integer, b integer, CHECK ((a IS NULL) = (b IS NULL))); "
        .. "CREATE TABLE w (a integer, b integer, CHECK ((a IS NOT NULL)::int + (b IS NOT NULL)::int >= 1)); "
        .. "CREATE TABLE x (a integer, b integer, CHECK (COALESCE(a, b) IS NOT NULL))",
        holds = { "SELECT count(a) > 0 AND count(b) > 0 AND count(c) > 0 FROM t" } },
      { "every branch of OR", "CREATE TABLE t (kind text NOT NULL, width integer, radius integer, CHECK "
        .. "((kind = 'box' AND width > 0 AND radius IS NULL) OR (kind = 'circle' AND width IS NULL AND radius > 0)))",
        holds = { "SELECT count(DISTINCT kind) = 2 FROM t" } },
      { "CASE", "CREATE TYPE state AS ENUM ('draft', 'sent', 'paid'); CREATE TABLE t (state state NOT NULL, sent_at timestamptz, "
        .. "paid_at timestamptz, CHECK (CASE state WHEN 'draft' THEN sent_at IS NULL AND paid_at IS NULL "
        .. "WHEN 'sent' THEN sent_at IS NOT NULL AND paid_at IS NULL ELSE sent_at IS NOT NULL AND paid_at >= sent_at END))",
        holds = { "SELECT count(DISTINCT state) = 3 FROM t" } },
      { "NOT", "CREATE TABLE t (a integer NOT NULL, b boolean NOT NULL, CHECK (NOT (a < 0 OR a > 10)), CHECK (NOT b OR a = 5))" },
      { "columns compared", "CREATE TABLE t (a integer NOT NULL, b integer NOT NULL, c integer NOT NULL, CHECK (a < b), CHECK (b <= c)); "
        .. "CREATE TABLE u (f date NOT NULL, t date NOT NULL, CHECK (t > f)); "
        .. "CREATE TABLE v (a text NOT NULL, b text NOT NULL, CHECK (a <> b), CHECK (a < b)); "
        .. "CREATE TABLE w (low numeric(5,2) NOT NULL, high numeric(5,2) NOT NULL CHECK (high <= 10), CHECK (low < high)); "
        .. "CREATE TABLE x (a integer NOT NULL, b bigint NOT NULL, CHECK (a = b)); "
        .. "CREATE TABLE y (d date NOT NULL, ts timestamp NOT NULL, CHECK (ts >= d))" },
      { "columns compared at a distance", "CREATE TABLE t (s timestamptz NOT NULL, e timestamptz NOT NULL, "
        .. "CHECK (e >= s + '1 hour'::interval AND e <= s + '8 hours'::interval)); "
        .. "CREATE TABLE u (a integer NOT NULL, b integer NOT NULL, CHECK (b - a >= 10))" },
      { "remainders", "CREATE TABLE t (a integer NOT NULL CHECK (a % 5 = 0 AND a > 100), b bigint NOT NULL CHECK (mod(b, 7) = 3))" },
      { "sums of columns", "CREATE TABLE t (a numeric NOT NULL CHECK (a >= 0), b numeric NOT NULL CHECK (b >= 0), c numeric NOT NULL CHECK (c >= 0), "
        .. "CHECK (a + b + c = 100)); CREATE TABLE u (used integer NOT NULL, reserved integer NOT NULL, capacity integer NOT NULL, "
        .. "CHECK (used + reserved <= capacity), CHECK (used >= 0 AND reserved >= 0)); CREATE TABLE v (x integer NOT NULL, y integer NOT NULL, CHECK (x + y > 50))" },
      { "columns that are computed from others", "CREATE TABLE t (body text NOT NULL, hash text NOT NULL, CHECK (hash = md5(body))); "
        .. "CREATE TABLE u (qty integer NOT NULL CHECK (qty BETWEEN 1 AND 9), price numeric(8,2) NOT NULL CHECK (price > 0 AND price < 1000), "
        .. "total numeric(12,2) NOT NULL, CHECK (total = qty * price)); "
        .. "CREATE TABLE v (y integer NOT NULL, q integer NOT NULL, d date NOT NULL, CHECK (date_trunc('quarter', d) = d), CHECK (extract(year FROM d) = y), "
        .. "CHECK (extract(quarter FROM d) = q)); CREATE TABLE w (first text NOT NULL, last text NOT NULL, full_name text NOT NULL CHECK (full_name = first || ' ' || last)); "
        .. "CREATE TABLE x (a text NOT NULL, b text NOT NULL CHECK (b = E'it\\'s (' || a || ')' AND length(b) > 3))" },
      { "ends of ranges", "CREATE TABLE t (m int4range NOT NULL CHECK (lower(m) >= 1 AND upper(m) <= 13), d daterange NOT NULL CHECK (lower(d) > '2020-01-01'), "
        .. "p tstzrange NOT NULL CHECK (upper(p) - lower(p) <= interval '12 hours' AND NOT isempty(p) AND lower_inc(p)), "
        .. "n numrange NOT NULL CHECK (upper(n) < 0))" },
      { "lengths of bytes", "CREATE TABLE t (a bytea NOT NULL UNIQUE CHECK (octet_length(a) = 32), b bytea NOT NULL CHECK (length(b) BETWEEN 4 AND 6))" },
      { "characters that may not be", "CREATE TABLE t (a text NOT NULL CHECK (a !~ '[0-9]'), b text NOT NULL CHECK (b !~ '\\s'), c text NOT NULL CHECK (c !~ '[^a-z]'), "
        .. "d varchar(8) NOT NULL CHECK (d ~ '^[a-z]+$' AND length(d) >= 6), e text NOT NULL CHECK (e LIKE 'x-%' AND e LIKE '%-y'))" },
      { "years", "CREATE TABLE t (a date NOT NULL CHECK (extract(year FROM a) = 1999), b timestamptz NOT NULL CHECK (date_part('year', b) >= 2050))" },
      { "the present", "CREATE TABLE t (a date NOT NULL CHECK (a < CURRENT_DATE), b timestamptz NOT NULL CHECK (b <= now()), "
        .. "c timestamptz NOT NULL CHECK (c > now()), d date NOT NULL CHECK (d <= CURRENT_DATE - '18 years'::interval))" },
      { "documents", "CREATE TABLE t (a jsonb NOT NULL CHECK (jsonb_typeof(a) = 'array'), b jsonb NOT NULL CHECK (b ? 'name'), "
        .. "c jsonb NOT NULL CHECK ((c ->> 'kind') IN ('x', 'y')), d jsonb NOT NULL CHECK (jsonb_typeof(d -> 'list') = 'array'), "
        .. "e jsonb NOT NULL CHECK ((e ->> 'n')::int > 7), f json NOT NULL CHECK (json_typeof(f) = 'object'))" },
      { "arrays", "CREATE TABLE t (a text[] NOT NULL CHECK (cardinality(a) > 2), b integer[] NOT NULL CHECK (array_length(b, 1) = 3), "
        .. "c text[] NOT NULL CHECK (c <@ ARRAY['x', 'y']))" },
      { "functions of the database", "CREATE FUNCTION luhn(i integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS "
        .. "'BEGIN RETURN i % 3 = 1; END'; CREATE TABLE t (a integer NOT NULL CHECK (luhn(a)))" },
      { "functions with strings that they want", "CREATE FUNCTION known(t text) RETURNS boolean LANGUAGE sql IMMUTABLE AS "
        .. "'SELECT $1 = ''secret'''; CREATE TABLE t (a text NOT NULL CHECK (known(a) OR a || '!' = 'wanted!'))",
        at_least = 0, unfilled = { "check t_a_check" } },
      { "functions that raise", "CREATE FUNCTION strict_check(i integer) RETURNS boolean LANGUAGE plpgsql IMMUTABLE AS "
        .. "'BEGIN IF i % 2 = 0 THEN RAISE ''odd only''; END IF; RETURN true; END'; CREATE TABLE t (a integer NOT NULL CHECK (strict_check(a)))" },
      { "whole rows", "CREATE TABLE t (a integer NOT NULL, b integer NOT NULL); CREATE FUNCTION fine(r t) RETURNS boolean LANGUAGE sql IMMUTABLE AS "
        .. "'SELECT (r).a < (r).b'; ALTER TABLE t ADD CHECK (fine(t.*))" },
      { "NULL where nothing else is found", "CREATE FUNCTION never(t text) RETURNS boolean LANGUAGE sql IMMUTABLE STRICT AS 'SELECT false'; "
        .. "CREATE TABLE t (a text CHECK (never(a)), b integer NOT NULL)", holds = { all("a IS NULL") } },
      { "NOT VALID", "CREATE TABLE t (a integer NOT NULL); ALTER TABLE t ADD CHECK (a > 1000) NOT VALID", holds = { all("a > 1000") } },
      { "what cannot be met", "CREATE TABLE t (a integer NOT NULL CHECK (a > 5), CONSTRAINT small CHECK (a < 3))", rows = { t = 0 },
        unfilled = { "table public.t: no row was found that passes check" } },
      { "IS JSON", "CREATE TABLE t (a text NOT NULL CHECK (a IS JSON))", since = 16, at_least = 1 },
      { "NOT ENFORCED", "CREATE TABLE t (a integer CHECK (a > 5 AND a < 3) NOT ENFORCED)", since = 18 },
    })
  end)
end)

teardown(server.assert_clean)
