--- publication
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
CREATE TABLE u (x int PRIMARY KEY);
-- before
-- after
CREATE PUBLICATION {s}_p FOR TABLE t, u WITH (publish = 'insert, update',
  publish_via_partition_root = true);
COMMENT ON PUBLICATION {s}_p IS 'x';
ALTER PUBLICATION {s}_p OWNER TO luamig_spec_alice;

--- publication: tables
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
CREATE TABLE u (x int);
-- before
CREATE PUBLICATION {s}_p FOR TABLE t;
-- after
CREATE PUBLICATION {s}_p FOR TABLE u;

--- publication: columns and rows
-- since 15
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
CREATE PUBLICATION {s}_p FOR TABLE t;
-- after
CREATE PUBLICATION {s}_p FOR TABLE t (id, a) WHERE (id > 5);

--- publication: schemas
-- since 15
-- before
CREATE PUBLICATION {s}_p;
-- after
CREATE PUBLICATION {s}_p FOR TABLES IN SCHEMA {s};

--- publication: parameters
-- before
CREATE PUBLICATION {s}_p;
-- after
CREATE PUBLICATION {s}_p WITH (publish = 'delete', publish_via_partition_root = true);

--- publication: all tables
-- before
CREATE PUBLICATION {s}_p;
-- after
CREATE PUBLICATION {s}_p FOR ALL TABLES;

--- publication: generated columns
-- since 18
-- before
CREATE PUBLICATION {s}_p;
-- after
CREATE PUBLICATION {s}_p WITH (publish_generated_columns = stored);

--- publication: its table goes
-- before
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
CREATE TABLE u (x int);
CREATE PUBLICATION {s}_p FOR TABLE t, u;
-- after
CREATE TABLE u (x int);
CREATE PUBLICATION {s}_p FOR TABLE u;

--- publication: its column goes
-- since 15
-- before
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
CREATE PUBLICATION {s}_p FOR TABLE t (id, b);
-- after
CREATE TABLE t (id integer PRIMARY KEY, a text);
CREATE PUBLICATION {s}_p FOR TABLE t (id);

--- event trigger
CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
-- before
-- after
CREATE EVENT TRIGGER {s}_e ON ddl_command_start WHEN TAG IN ('CREATE TABLE', 'DROP TABLE')
  EXECUTE FUNCTION f();
CREATE EVENT TRIGGER {s}_d ON sql_drop EXECUTE FUNCTION f();
ALTER EVENT TRIGGER {s}_d DISABLE;
COMMENT ON EVENT TRIGGER {s}_e IS 'x';

--- event trigger: changed
CREATE FUNCTION f() RETURNS event_trigger LANGUAGE plpgsql AS 'BEGIN END';
-- before
CREATE EVENT TRIGGER {s}_e ON ddl_command_start EXECUTE FUNCTION f();
CREATE EVENT TRIGGER {s}_d ON sql_drop EXECUTE FUNCTION f();
-- after
CREATE EVENT TRIGGER {s}_e ON ddl_command_end EXECUTE FUNCTION f();
CREATE EVENT TRIGGER {s}_d ON sql_drop EXECUTE FUNCTION f();
ALTER EVENT TRIGGER {s}_d ENABLE ALWAYS;
