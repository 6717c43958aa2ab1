--- sequence
-- before
-- after
CREATE SEQUENCE s;
CREATE SEQUENCE s2 AS smallint START 5 INCREMENT -1 MINVALUE -10 MAXVALUE 10 CACHE 2 CYCLE;

--- sequence: options
-- before
CREATE SEQUENCE s;
-- after
CREATE SEQUENCE s AS int START 10 INCREMENT 5 MINVALUE 2 MAXVALUE 999 CACHE 7 CYCLE;

--- sequence: type
-- before
CREATE SEQUENCE s AS int;
-- after
CREATE SEQUENCE s AS bigint;

--- sequence: owned
CREATE SEQUENCE s;
CREATE TABLE t (a int);
-- before
-- after
ALTER SEQUENCE s OWNED BY t.a;

--- sequence: owned by another
CREATE SEQUENCE s;
CREATE TABLE t (a int, b int);
-- before
ALTER SEQUENCE s OWNED BY t.a;
-- after
ALTER SEQUENCE s OWNED BY t.b;

--- sequence: owned, its table goes
CREATE SEQUENCE s;
-- before
CREATE TABLE t (a int);
ALTER SEQUENCE s OWNED BY t.a;
-- after

--- sequence: unlogged
-- since 15
-- before
CREATE SEQUENCE s;
-- after
CREATE UNLOGGED SEQUENCE s;

--- sequence: comment, owner, privileges
CREATE SEQUENCE s;
-- before
-- after
COMMENT ON SEQUENCE s IS 'x';
ALTER SEQUENCE s OWNER TO luamig_spec_alice;
GRANT USAGE, SELECT ON SEQUENCE s TO luamig_spec_bob;
--- sequence: of a serial column renamed
-- before
CREATE TABLE t (a serial);
-- after
CREATE TABLE t (a serial);
ALTER SEQUENCE t_a_seq RENAME TO other;
GRANT USAGE ON SEQUENCE other TO luamig_spec_bob;

