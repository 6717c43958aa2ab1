--- privileges: table
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
-- after
GRANT SELECT, INSERT ON t TO luamig_spec_bob;
GRANT ALL ON t TO luamig_spec_alice;
GRANT SELECT ON t TO PUBLIC;

--- privileges: changed
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
GRANT SELECT, INSERT ON t TO luamig_spec_bob;
GRANT UPDATE ON t TO luamig_spec_alice WITH GRANT OPTION;
-- after
GRANT SELECT ON t TO luamig_spec_bob WITH GRANT OPTION;
GRANT UPDATE ON t TO luamig_spec_alice;

--- privileges: taken from the owner
-- role = postgres
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
-- after
REVOKE ALL ON t FROM postgres;

--- privileges: granted by another
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
GRANT USAGE ON SCHEMA {s} TO luamig_spec_alice;
GRANT SELECT ON t TO luamig_spec_alice WITH GRANT OPTION;
-- after
GRANT SELECT ON t TO luamig_spec_alice WITH GRANT OPTION;
GRANT USAGE ON SCHEMA {s} TO luamig_spec_alice;
SET LOCAL ROLE luamig_spec_alice;
GRANT SELECT ON t TO luamig_spec_bob;
RESET ROLE;

--- privileges: defaults
-- before
-- after
ALTER DEFAULT PRIVILEGES IN SCHEMA {s} GRANT SELECT ON TABLES TO luamig_spec_bob;
ALTER DEFAULT PRIVILEGES FOR ROLE luamig_spec_alice IN SCHEMA {s} GRANT EXECUTE ON FUNCTIONS TO
  luamig_spec_bob WITH GRANT OPTION;
ALTER DEFAULT PRIVILEGES IN SCHEMA {s} GRANT USAGE ON SEQUENCES TO luamig_spec_bob;
ALTER DEFAULT PRIVILEGES IN SCHEMA {s} GRANT USAGE ON TYPES TO luamig_spec_bob;

--- privileges: defaults changed
-- before
ALTER DEFAULT PRIVILEGES IN SCHEMA {s} GRANT SELECT, INSERT ON TABLES TO luamig_spec_bob;
-- after
ALTER DEFAULT PRIVILEGES IN SCHEMA {s} GRANT SELECT, UPDATE ON TABLES TO luamig_spec_bob;
ALTER DEFAULT PRIVILEGES IN SCHEMA {s} GRANT DELETE ON TABLES TO luamig_spec_alice;

--- privileges: defaults everywhere
-- alone
-- before
-- after
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
ALTER DEFAULT PRIVILEGES GRANT USAGE ON SCHEMAS TO luamig_spec_bob;

--- privileges: defaults do not touch new objects
-- before
ALTER DEFAULT PRIVILEGES IN SCHEMA {s} GRANT SELECT ON TABLES TO luamig_spec_bob;
ALTER DEFAULT PRIVILEGES IN SCHEMA {s} GRANT USAGE ON SEQUENCES TO luamig_spec_bob;
-- after
CREATE TABLE t (a int);
GRANT INSERT ON t TO luamig_spec_bob;
CREATE SEQUENCE s;
ALTER DEFAULT PRIVILEGES IN SCHEMA {s} GRANT SELECT ON TABLES TO luamig_spec_bob;
ALTER DEFAULT PRIVILEGES IN SCHEMA {s} GRANT USAGE ON SEQUENCES TO luamig_spec_bob;

--- privileges: defaults everywhere do not touch new objects
-- alone
-- before
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
-- after
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
ALTER DEFAULT PRIVILEGES REVOKE EXECUTE ON FUNCTIONS FROM PUBLIC;
