--- enum
-- before
-- after
CREATE TYPE e AS ENUM ('a', 'it''s', 'c');

--- enum: comment, owner, privileges
CREATE TYPE e AS ENUM ('a');
-- before
-- after
COMMENT ON TYPE e IS 'x';
ALTER TYPE e OWNER TO luamig_spec_alice;
REVOKE USAGE ON TYPE e FROM PUBLIC;
GRANT USAGE ON TYPE e TO luamig_spec_bob;

--- enum: values added
-- before
CREATE TYPE e AS ENUM ('b', 'd');
-- after
CREATE TYPE e AS ENUM ('a', 'b', 'c', 'd', 'e', 'f');

--- enum: values added, used by tables
-- commits
-- before
CREATE TYPE e AS ENUM ('b');
CREATE TABLE t (a e);
-- after
CREATE TYPE e AS ENUM ('a', 'b', 'c');
CREATE TABLE t (a e DEFAULT 'c');

--- enum: value gone
-- before
CREATE TYPE e AS ENUM ('a', 'b');
CREATE TABLE t (id int, a e DEFAULT 'a', b e NOT NULL);
CREATE INDEX i ON t (a);
-- after
CREATE TYPE e AS ENUM ('a');
CREATE TABLE t (id int, a e DEFAULT 'a', b e NOT NULL);
CREATE INDEX i ON t (a);

--- enum: order
-- before
CREATE TYPE e AS ENUM ('a', 'b');
CREATE TABLE t (a e DEFAULT 'a');
CREATE TABLE u (b e[] DEFAULT '{a}');
-- after
CREATE TYPE e AS ENUM ('b', 'a');
CREATE TABLE t (a e DEFAULT 'a');
CREATE TABLE u (b e[] DEFAULT '{a}');

--- enum: rebuilt under everything
-- commits
-- before
CREATE TYPE e AS ENUM ('a', 'b');
CREATE TABLE t (a e DEFAULT 'a' CHECK (a <> 'b'), b text DEFAULT 'a'::e::text);
CREATE VIEW v AS SELECT a FROM t WHERE a = 'a';
CREATE FUNCTION f(x e) RETURNS e LANGUAGE sql AS 'SELECT x';
CREATE INDEX i ON t (a) WHERE a = 'a';
CREATE POLICY p ON t USING (a = 'a');
CREATE DOMAIN d AS e;
CREATE TYPE c AS (x e);
CREATE TABLE u (d d, c c);
GRANT USAGE ON TYPE e TO luamig_spec_bob;
COMMENT ON TYPE e IS 'x';
-- after
CREATE TYPE e AS ENUM ('a');
CREATE TABLE t (a e DEFAULT 'a' CHECK (a <> 'a'), b text DEFAULT 'a'::e::text);
CREATE VIEW v AS SELECT a FROM t WHERE a = 'a';
CREATE FUNCTION f(x e) RETURNS e LANGUAGE sql AS 'SELECT x';
CREATE INDEX i ON t (a) WHERE a = 'a';
CREATE POLICY p ON t USING (a = 'a');
CREATE DOMAIN d AS e;
CREATE TYPE c AS (x e);
CREATE TABLE u (d d, c c);
GRANT USAGE ON TYPE e TO luamig_spec_bob;
COMMENT ON TYPE e IS 'x';

--- enum: to text
-- before
CREATE TYPE e AS ENUM ('a', 'b');
CREATE TABLE t (a e DEFAULT 'a');
-- after
CREATE TABLE t (a text DEFAULT 'a');

--- enum: rebuilt in partitions
-- before
CREATE TYPE e AS ENUM ('a', 'b');
CREATE TABLE p (n int, a e) PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);
-- after
CREATE TYPE e AS ENUM ('a');
CREATE TABLE p (n int, a e) PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);

--- domain
-- before
-- after
CREATE DOMAIN d AS varchar(10) COLLATE "C" DEFAULT 'x' NOT NULL CONSTRAINT c CHECK (VALUE <> '')
  CHECK (length(VALUE) > 1);

--- domain: used by a table
-- before
CREATE TABLE t (id int);
-- after
CREATE DOMAIN d AS int CHECK (VALUE > 0);
CREATE TABLE t (id int, a d DEFAULT 5);

--- domain: default and not null
-- before
CREATE DOMAIN d AS int;
-- after
CREATE DOMAIN d AS int DEFAULT 5 NOT NULL;

--- domain: check
-- before
CREATE DOMAIN d AS int;
CREATE TABLE t (a d);
-- after
CREATE DOMAIN d AS int CONSTRAINT c CHECK (VALUE > 0);
CREATE TABLE t (a d);

--- domain: check changed
-- before
CREATE DOMAIN d AS int CONSTRAINT c CHECK (VALUE > 0);
-- after
CREATE DOMAIN d AS int CONSTRAINT c CHECK (VALUE > 1);

--- domain: check not valid
CREATE DOMAIN d AS int;
-- before
-- after
ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID;

--- domain: check validated
-- before
CREATE DOMAIN d AS int;
ALTER DOMAIN d ADD CONSTRAINT c CHECK (VALUE > 0) NOT VALID;
-- after
CREATE DOMAIN d AS int CONSTRAINT c CHECK (VALUE > 0);

--- domain: type
-- before
CREATE DOMAIN d AS int DEFAULT 1;
CREATE TABLE t (a d, b d[]);
CREATE VIEW v AS SELECT a FROM t;
-- after
CREATE DOMAIN d AS bigint DEFAULT 1;
CREATE TABLE t (a d, b d[]);
CREATE VIEW v AS SELECT a FROM t;

--- domain: comments
CREATE DOMAIN d AS int CONSTRAINT c CHECK (VALUE > 0);
-- before
-- after
COMMENT ON DOMAIN d IS 'x';
COMMENT ON CONSTRAINT c ON DOMAIN d IS 'y';
ALTER DOMAIN d OWNER TO luamig_spec_alice;
GRANT USAGE ON DOMAIN d TO luamig_spec_bob;

--- domain: named not null
-- since 17
-- before
CREATE DOMAIN d AS int;
-- after
CREATE DOMAIN d AS int CONSTRAINT nn NOT NULL;

--- domain: check with a function of it
-- before
-- after
CREATE DOMAIN d AS int;
CREATE FUNCTION f(d) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT true';
ALTER DOMAIN d ADD CONSTRAINT c CHECK (f(VALUE::d));

--- composite
-- before
-- after
CREATE TYPE c AS (a int, b text COLLATE "C", "C d" numeric(5,2));
COMMENT ON COLUMN c.a IS 'x';

--- composite: attributes
-- before
CREATE TYPE c AS (a int, b text, x int);
-- after
CREATE TYPE c AS (a bigint, x int, d date);

--- composite: attribute order
-- before
CREATE TYPE c AS (a int, b text);
CREATE TABLE t (x c);
-- after
CREATE TYPE c AS (b text, a int);
CREATE TABLE t (x c);

--- composite: attribute type while stored
-- before
CREATE TYPE c AS (a int, b text);
CREATE TABLE t (x c, y c[]);
-- after
CREATE TYPE c AS (a bigint, b text);
CREATE TABLE t (x c, y c[]);

--- composite: attribute added while stored
-- before
CREATE TYPE c AS (a int);
CREATE TABLE t (x c);
-- after
CREATE TYPE c AS (a int, b text);
CREATE TABLE t (x c);

--- composite: comments
CREATE TYPE c AS (a int, b text);
-- before
COMMENT ON COLUMN c.a IS 'x';
-- after
COMMENT ON COLUMN c.b IS 'y';
COMMENT ON TYPE c IS 'z';

--- range
-- before
-- after
CREATE TYPE r AS RANGE (subtype = float8, subtype_diff = float8mi, multirange_type_name = rm);

--- range: changed under a table
-- before
CREATE TYPE r AS RANGE (subtype = float8);
CREATE TABLE t (a r);
-- after
CREATE TYPE r AS RANGE (subtype = float8, subtype_diff = float8mi);
CREATE TABLE t (a r);

--- range: text with collation
-- before
-- after
CREATE TYPE r AS RANGE (subtype = text, collation = "C", subtype_opclass = text_pattern_ops);

--- shell type
-- before
-- after
CREATE TYPE sh;

--- base type
-- before
-- after
CREATE TYPE bt;
CREATE FUNCTION bt_in(cstring) RETURNS bt IMMUTABLE STRICT LANGUAGE internal AS 'int4in';
CREATE FUNCTION bt_out(bt) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'int4out';
CREATE TYPE bt (INPUT = bt_in, OUTPUT = bt_out, INTERNALLENGTH = 4, PASSEDBYVALUE, ALIGNMENT =
  int4, CATEGORY = 'X');

--- type: enum to domain
-- before
CREATE TYPE x AS ENUM ('a');
-- after
CREATE DOMAIN x AS text;

--- base type: changed under a table
-- unsupported
-- before
CREATE TYPE bt;
CREATE FUNCTION bt_in(cstring) RETURNS bt IMMUTABLE STRICT LANGUAGE internal AS 'int4in';
CREATE FUNCTION bt_out(bt) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'int4out';
CREATE TYPE bt (INPUT = bt_in, OUTPUT = bt_out, INTERNALLENGTH = 4, PASSEDBYVALUE, ALIGNMENT =
  int4);
CREATE TABLE t (a bt);
-- after
CREATE TYPE bt;
CREATE FUNCTION bt_in(cstring) RETURNS bt IMMUTABLE STRICT LANGUAGE internal AS 'int4in';
CREATE FUNCTION bt_out(bt) RETURNS cstring IMMUTABLE STRICT LANGUAGE internal AS 'int4out';
CREATE TYPE bt (INPUT = bt_in, OUTPUT = bt_out, INTERNALLENGTH = 4, PASSEDBYVALUE, ALIGNMENT =
  int4, CATEGORY = 'X', DELIMITER = ';');
CREATE TABLE t (a bt);
