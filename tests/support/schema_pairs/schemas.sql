--- schema
-- before
-- after
CREATE SCHEMA {s}_x;

--- schema: comment
CREATE SCHEMA {s}_x;
-- before
-- after
COMMENT ON SCHEMA {s}_x IS 'it''s';

--- schema: comment changed
-- before
COMMENT ON SCHEMA {s} IS 'a';
-- after
COMMENT ON SCHEMA {s} IS 'b';

--- schema: owner
-- before
CREATE SCHEMA {s}_x;
-- after
CREATE SCHEMA {s}_x AUTHORIZATION luamig_spec_alice;

--- schema: privileges
-- before
-- after
GRANT USAGE ON SCHEMA {s} TO luamig_spec_bob;
GRANT CREATE ON SCHEMA {s} TO luamig_spec_alice WITH GRANT OPTION;

--- schema: name in quotes
-- before
-- after
CREATE SCHEMA "{s} X-y";
CREATE TABLE "{s} X-y"."T t" ("a b" int, "C""d" text DEFAULT 'x');

--- schema: with what is in it
-- before
-- after
CREATE SCHEMA {s}_x;
CREATE TABLE {s}_x.t (id int);
CREATE VIEW {s}_x.v AS SELECT id FROM {s}_x.t;
CREATE FUNCTION {s}_x.f() RETURNS int LANGUAGE sql AS 'SELECT 1';

--- extension
-- alone
-- before
-- after
CREATE EXTENSION citext SCHEMA {s};

--- extension: used by a column
-- alone
-- before
CREATE TABLE t (id int);
-- after
CREATE EXTENSION citext SCHEMA {s};
CREATE TABLE t (id int, c citext);

--- extension: schema
-- alone
-- before
CREATE EXTENSION pg_trgm SCHEMA {s};
-- after
CREATE SCHEMA {s}_x;
CREATE EXTENSION pg_trgm SCHEMA {s}_x;

--- extension: comment
-- alone
CREATE EXTENSION pg_trgm SCHEMA {s};
-- before
-- after
COMMENT ON EXTENSION pg_trgm IS 'other';
