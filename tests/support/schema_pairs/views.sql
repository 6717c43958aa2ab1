--- view
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
-- after
CREATE VIEW v AS SELECT id, a FROM t WHERE b > 0;

--- view: column appended
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
CREATE VIEW v AS SELECT id FROM t;
CREATE VIEW w AS SELECT * FROM v;
-- after
CREATE VIEW v AS SELECT id, a FROM t;
CREATE VIEW w AS SELECT id FROM v;

--- view: other body
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
CREATE VIEW v AS SELECT id, a FROM t;
-- after
CREATE VIEW v AS SELECT id, a FROM t WHERE b = 7 ORDER BY id;

--- view: column renamed
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
CREATE VIEW v AS SELECT id, a FROM t;
CREATE VIEW w AS SELECT id FROM v;
GRANT SELECT ON w TO luamig_spec_bob;
-- after
CREATE VIEW v AS SELECT id, a AS z FROM t;
CREATE VIEW w AS SELECT id FROM v;
GRANT SELECT ON w TO luamig_spec_bob;

--- view: on a new column
-- before
CREATE TABLE t (id int);
CREATE VIEW v AS SELECT id FROM t;
-- after
CREATE TABLE t (id int, n int);
CREATE VIEW v AS SELECT id, n FROM t;

--- view: options
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
CREATE VIEW v AS SELECT id FROM t;
-- after
CREATE VIEW v WITH (security_barrier) AS SELECT id FROM t WITH LOCAL CHECK OPTION;

--- view: security invoker
-- since 15
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
CREATE VIEW v AS SELECT id FROM t;
-- after
CREATE VIEW v WITH (security_invoker = true) AS SELECT id FROM t;

--- view: option with another body
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
CREATE VIEW v WITH (security_barrier = true) AS SELECT id FROM t;
-- after
CREATE VIEW v AS SELECT id FROM t WHERE id > 0 WITH CASCADED CHECK OPTION;

--- view: default and comment of a column
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
CREATE VIEW v AS SELECT id, a FROM t;
-- before
-- after
ALTER VIEW v ALTER a SET DEFAULT 'x';
COMMENT ON COLUMN v.a IS 'y';
COMMENT ON VIEW v IS 'z';
GRANT SELECT (id) ON v TO luamig_spec_bob;

--- view: new with all of it
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
-- after
CREATE VIEW v WITH (security_barrier = true) AS SELECT id, a FROM t;
ALTER VIEW v ALTER a SET DEFAULT 'x';
COMMENT ON COLUMN v.a IS 'y';
COMMENT ON VIEW v IS 'z';
GRANT SELECT (id) ON v TO luamig_spec_bob;
ALTER VIEW v OWNER TO luamig_spec_alice;

--- view: recursive
-- before
-- after
CREATE RECURSIVE VIEW v (n) AS VALUES (1) UNION ALL SELECT n + 1 FROM v WHERE n < 5;

--- view: over views
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
-- after
CREATE VIEW z AS SELECT id FROM t;
CREATE VIEW y AS SELECT id FROM z;
CREATE VIEW x AS SELECT y.id, z.id AS i FROM y, z;

--- view: of a function
-- before
-- after
CREATE FUNCTION zf() RETURNS TABLE (a int, b text) LANGUAGE sql AS 'SELECT 1, ''x''';
CREATE VIEW v AS SELECT a FROM zf();

--- view: with a rule and a trigger
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
CREATE VIEW v AS SELECT id FROM t;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE RULE r AS ON DELETE TO v DO INSTEAD NOTHING;
CREATE TRIGGER g INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION f();
-- after
CREATE VIEW v AS SELECT id::bigint FROM t;
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE RULE r AS ON DELETE TO v DO INSTEAD NOTHING;
CREATE TRIGGER g INSTEAD OF INSERT ON v FOR EACH ROW EXECUTE FUNCTION f();

--- view: function over its rows
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
CREATE VIEW v AS SELECT id FROM t;
CREATE FUNCTION f() RETURNS SETOF v LANGUAGE sql AS 'SELECT 1';
-- after
CREATE VIEW v AS SELECT id::bigint FROM t;
CREATE FUNCTION f() RETURNS SETOF v LANGUAGE sql AS 'SELECT 1::bigint';

--- materialized view
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
-- after
CREATE MATERIALIZED VIEW v WITH (fillfactor = 60) AS SELECT id, a FROM t;
CREATE UNIQUE INDEX i ON v (id);
CREATE MATERIALIZED VIEW w AS SELECT 1 AS x WITH NO DATA;

--- materialized view: body
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
CREATE MATERIALIZED VIEW v AS SELECT id FROM t;
CREATE INDEX i ON v (id);
COMMENT ON MATERIALIZED VIEW v IS 'x';
GRANT SELECT ON v TO luamig_spec_bob;
CREATE VIEW w AS SELECT id FROM v;
-- after
CREATE MATERIALIZED VIEW v AS SELECT id FROM t WHERE id > 0;
CREATE INDEX i ON v (id);
COMMENT ON MATERIALIZED VIEW v IS 'x';
GRANT SELECT ON v TO luamig_spec_bob;
CREATE VIEW w AS SELECT id FROM v;

--- materialized view: options and statistics
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
CREATE MATERIALIZED VIEW v AS SELECT id, a FROM t;
CREATE INDEX i ON v (id);
-- after
CREATE MATERIALIZED VIEW v WITH (fillfactor = 50) AS SELECT id, a FROM t;
CREATE INDEX i ON v (id);
ALTER MATERIALIZED VIEW v ALTER a SET STATISTICS 10;
ALTER MATERIALIZED VIEW v CLUSTER ON i;
ALTER MATERIALIZED VIEW v ALTER a SET STORAGE EXTERNAL;

--- materialized view: populated
-- before
CREATE MATERIALIZED VIEW v AS SELECT 1 AS x WITH NO DATA;
-- after
CREATE MATERIALIZED VIEW v AS SELECT 1 AS x;

--- materialized view: to view
-- before
CREATE MATERIALIZED VIEW v AS SELECT 1 AS x;
-- after
CREATE VIEW v AS SELECT 1 AS x;

--- view: a column behind, and the view upon it shows it
CREATE TABLE t (id int, a text);
-- before
CREATE VIEW v AS SELECT id FROM t;
CREATE VIEW above AS SELECT * FROM v;
CREATE VIEW over_it AS SELECT id FROM above;
-- after
CREATE VIEW v AS SELECT id, a FROM t;
CREATE VIEW above AS SELECT * FROM v;
CREATE VIEW over_it AS SELECT id, a FROM above;
