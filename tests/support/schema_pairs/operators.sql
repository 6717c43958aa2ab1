--- collation
-- before
-- after
CREATE COLLATION cl (provider = libc, locale = 'C');
CREATE COLLATION ci (provider = icu, locale = 'de-u-co-phonebk', deterministic = false);
COMMENT ON COLLATION cl IS 'x';
ALTER COLLATION cl OWNER TO luamig_spec_alice;

--- collation: used by a column
-- before
CREATE TABLE t (a text);
-- after
CREATE COLLATION cl (provider = icu, locale = 'de');
CREATE TABLE t (a text COLLATE cl);
CREATE INDEX i ON t (a);

--- collation: changed under a column
-- before
CREATE COLLATION cl (provider = icu, locale = 'de');
CREATE TABLE t (a text COLLATE cl);
-- after
CREATE COLLATION cl (provider = icu, locale = 'fr');
CREATE TABLE t (a text COLLATE cl);

--- conversion
-- before
-- after
CREATE CONVERSION cv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
COMMENT ON CONVERSION cv IS 'x';
ALTER CONVERSION cv OWNER TO luamig_spec_alice;

--- operator
-- before
-- after
CREATE FUNCTION eq(int, text) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR === (FUNCTION = eq, LEFTARG = int, RIGHTARG = text, RESTRICT = eqsel, JOIN =
  eqjoinsel, HASHES, MERGES);
COMMENT ON OPERATOR ===(int, text) IS 'x';
ALTER OPERATOR ===(int, text) OWNER TO luamig_spec_alice;

--- operator: prefix, commutator, negator
-- before
-- after
CREATE FUNCTION neg(int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT -$1';
CREATE OPERATOR !!! (FUNCTION = neg, RIGHTARG = int);
CREATE FUNCTION lt(int, int) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR <<<< (FUNCTION = lt, LEFTARG = int, RIGHTARG = int, COMMUTATOR = >>>>, NEGATOR =
  >>>=);
CREATE OPERATOR >>>> (FUNCTION = lt, LEFTARG = int, RIGHTARG = int, COMMUTATOR = <<<<);
CREATE OPERATOR >>>= (FUNCTION = lt, LEFTARG = int, RIGHTARG = int, NEGATOR = <<<<);

--- operator: changed
CREATE FUNCTION eq(int, text) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT true';
-- before
CREATE OPERATOR === (FUNCTION = eq, LEFTARG = int, RIGHTARG = text, RESTRICT = eqsel);
-- after
CREATE OPERATOR === (FUNCTION = eq, LEFTARG = int, RIGHTARG = text, JOIN = eqjoinsel);

--- operator: used by a view
CREATE TABLE t (a int);
-- before
-- after
CREATE FUNCTION eq(int, text) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT true';
CREATE OPERATOR === (FUNCTION = eq, LEFTARG = int, RIGHTARG = text);
CREATE VIEW v AS SELECT a OPERATOR({s}.===) 'x'::text AS b FROM t;

--- operator class
-- before
-- after
CREATE OPERATOR FAMILY fam USING btree;
CREATE OPERATOR CLASS oc FOR TYPE int USING btree FAMILY fam AS OPERATOR 1 <, OPERATOR 2 <=,
  OPERATOR 3 =, OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int);
COMMENT ON OPERATOR CLASS oc USING btree IS 'x';
COMMENT ON OPERATOR FAMILY fam USING btree IS 'y';
ALTER OPERATOR CLASS oc USING btree OWNER TO luamig_spec_alice;

--- operator class: used by an index
-- before
CREATE TABLE t (a int);
-- after
CREATE OPERATOR CLASS oc FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =,
  OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int);
CREATE TABLE t (a int);
CREATE INDEX i ON t (a oc);

--- operator family: loose members
CREATE OPERATOR FAMILY fam USING btree;
-- before
-- after
ALTER OPERATOR FAMILY fam USING btree ADD OPERATOR 1 < (int4, int8), FUNCTION 1 (int4, int8)
  btint48cmp(int4, int8);

--- cast
CREATE TYPE e AS ENUM ('a');
CREATE FUNCTION ei(e) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT 1';
-- before
-- after
CREATE CAST (e AS int) WITH FUNCTION ei(e) AS ASSIGNMENT;
CREATE CAST (varchar AS e) WITH INOUT AS IMPLICIT;
COMMENT ON CAST (e AS int) IS 'x';

--- cast: changed
CREATE TYPE e AS ENUM ('a');
-- before
CREATE CAST (text AS e) WITH INOUT;
-- after
CREATE CAST (text AS e) WITH INOUT AS ASSIGNMENT;

--- language
-- before
-- after
CREATE TRUSTED LANGUAGE {s}_l HANDLER plpgsql_call_handler INLINE plpgsql_inline_handler
  VALIDATOR plpgsql_validator;
COMMENT ON LANGUAGE {s}_l IS 'x';
GRANT USAGE ON LANGUAGE {s}_l TO luamig_spec_bob;
CREATE FUNCTION f() RETURNS int LANGUAGE {s}_l AS 'BEGIN RETURN 1; END';

--- access method
-- before
-- after
CREATE ACCESS METHOD {s}_am TYPE INDEX HANDLER bthandler;
COMMENT ON ACCESS METHOD {s}_am IS 'x';

--- access method: of a table
CREATE ACCESS METHOD {s}_heap TYPE TABLE HANDLER heap_tableam_handler;
-- before
-- after
CREATE TABLE t (a int) USING {s}_heap;
CREATE MATERIALIZED VIEW v USING {s}_heap AS SELECT 1 AS x;

--- access method: of a table changed
-- since 15
CREATE ACCESS METHOD {s}_heap TYPE TABLE HANDLER heap_tableam_handler;
-- before
CREATE TABLE t (a int);
-- after
CREATE TABLE t (a int) USING {s}_heap;

--- text search
-- before
-- after
CREATE TEXT SEARCH TEMPLATE tt (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY td (TEMPLATE = tt, stopwords = english);
CREATE TEXT SEARCH PARSER tp (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end,
  LEXTYPES = prsd_lextype, HEADLINE = prsd_headline);
CREATE TEXT SEARCH CONFIGURATION tc (PARSER = tp);
ALTER TEXT SEARCH CONFIGURATION tc ADD MAPPING FOR asciiword, word WITH td, english_stem;
COMMENT ON TEXT SEARCH CONFIGURATION tc IS 'x';
COMMENT ON TEXT SEARCH DICTIONARY td IS 'y';
COMMENT ON TEXT SEARCH PARSER tp IS 'z';
COMMENT ON TEXT SEARCH TEMPLATE tt IS 'q';

--- text search: mappings
CREATE TEXT SEARCH CONFIGURATION tc (COPY = english);
-- before
-- after
ALTER TEXT SEARCH CONFIGURATION tc DROP MAPPING FOR email, url;
ALTER TEXT SEARCH CONFIGURATION tc ALTER MAPPING FOR word WITH simple, english_stem;

--- text search: dictionary
-- before
CREATE TEXT SEARCH DICTIONARY td (TEMPLATE = snowball, language = english, stopwords = english);
-- after
CREATE TEXT SEARCH DICTIONARY td (TEMPLATE = snowball, language = german);
ALTER TEXT SEARCH DICTIONARY td OWNER TO luamig_spec_alice;

--- text search: used by an index
-- before
CREATE TABLE t (a text);
-- after
CREATE TEXT SEARCH CONFIGURATION tc (COPY = simple);
CREATE TABLE t (a text);
CREATE INDEX i ON t USING gin (to_tsvector('tc'::regconfig, a));

--- conversion: changed
-- before
CREATE CONVERSION cv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
-- after
CREATE DEFAULT CONVERSION cv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
COMMENT ON CONVERSION cv IS 'x';

--- operator class: changed under an index
CREATE TABLE t (a int);
-- before
CREATE OPERATOR CLASS oc FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =,
  OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 btint4cmp(int, int);
CREATE INDEX i ON t (a oc);
-- after
CREATE FUNCTION cmp(int, int) RETURNS int IMMUTABLE LANGUAGE sql AS 'SELECT btint4cmp($1, $2)';
CREATE OPERATOR CLASS oc FOR TYPE int USING btree AS OPERATOR 1 <, OPERATOR 2 <=, OPERATOR 3 =,
  OPERATOR 4 >=, OPERATOR 5 >, FUNCTION 1 cmp(int, int);
CREATE INDEX i ON t (a oc);

--- language: changed
-- before
CREATE LANGUAGE {s}_l HANDLER plpgsql_call_handler;
CREATE FUNCTION f() RETURNS int LANGUAGE {s}_l AS 'BEGIN RETURN 1; END';
-- after
CREATE TRUSTED LANGUAGE {s}_l HANDLER plpgsql_call_handler INLINE plpgsql_inline_handler
  VALIDATOR plpgsql_validator;
ALTER LANGUAGE {s}_l OWNER TO luamig_spec_alice;
COMMENT ON LANGUAGE {s}_l IS 'x';
CREATE FUNCTION f() RETURNS int LANGUAGE {s}_l AS 'BEGIN RETURN 1; END';

--- access method: changed
-- before
CREATE ACCESS METHOD {s}_am TYPE INDEX HANDLER bthandler;
-- after
CREATE ACCESS METHOD {s}_am TYPE INDEX HANDLER hashhandler;
COMMENT ON ACCESS METHOD {s}_am IS 'x';

--- text search: template and parser changed under what uses them
-- before
CREATE TEXT SEARCH TEMPLATE tt (INIT = dsimple_init, LEXIZE = dsimple_lexize);
CREATE TEXT SEARCH DICTIONARY td (TEMPLATE = tt);
CREATE TEXT SEARCH PARSER tp (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end,
  LEXTYPES = prsd_lextype);
CREATE TEXT SEARCH CONFIGURATION tc (PARSER = tp);
ALTER TEXT SEARCH CONFIGURATION tc ADD MAPPING FOR asciiword WITH td;
-- after
CREATE TEXT SEARCH TEMPLATE tt (LEXIZE = dsimple_lexize);
COMMENT ON TEXT SEARCH TEMPLATE tt IS 'x';
CREATE TEXT SEARCH DICTIONARY td (TEMPLATE = tt);
CREATE TEXT SEARCH PARSER tp (START = prsd_start, GETTOKEN = prsd_nexttoken, END = prsd_end,
  LEXTYPES = prsd_lextype, HEADLINE = prsd_headline);
COMMENT ON TEXT SEARCH PARSER tp IS 'y';
CREATE TEXT SEARCH CONFIGURATION tc (PARSER = tp);
ALTER TEXT SEARCH CONFIGURATION tc ADD MAPPING FOR asciiword WITH td;
