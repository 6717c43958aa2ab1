--- foreign data wrapper
-- before
-- after
CREATE FOREIGN DATA WRAPPER {s}_w OPTIONS (a 'b');
COMMENT ON FOREIGN DATA WRAPPER {s}_w IS 'x';
GRANT USAGE ON FOREIGN DATA WRAPPER {s}_w TO luamig_spec_bob;

--- foreign data wrapper: options
-- before
CREATE FOREIGN DATA WRAPPER {s}_w OPTIONS (a 'b', c 'd');
-- after
CREATE FOREIGN DATA WRAPPER {s}_w VALIDATOR postgresql_fdw_validator;

--- server
CREATE FOREIGN DATA WRAPPER {s}_w;
-- before
-- after
CREATE SERVER {s}_v TYPE 'ty' VERSION '1' FOREIGN DATA WRAPPER {s}_w OPTIONS (host 'it''s');
GRANT USAGE ON FOREIGN SERVER {s}_v TO luamig_spec_bob;
CREATE USER MAPPING FOR luamig_spec_bob SERVER {s}_v OPTIONS ("user" 'x');
CREATE USER MAPPING FOR PUBLIC SERVER {s}_v;

--- server: changed
CREATE FOREIGN DATA WRAPPER {s}_w;
-- before
CREATE SERVER {s}_v VERSION '1' FOREIGN DATA WRAPPER {s}_w OPTIONS (a 'b', c 'd');
CREATE USER MAPPING FOR luamig_spec_bob SERVER {s}_v OPTIONS (u 'x');
-- after
CREATE SERVER {s}_v VERSION '2' FOREIGN DATA WRAPPER {s}_w OPTIONS (a 'x', e 'f');
CREATE USER MAPPING FOR luamig_spec_bob SERVER {s}_v OPTIONS (u 'y', w 'z');

--- server: made anew with its tables
CREATE FOREIGN DATA WRAPPER {s}_w;
-- before
CREATE SERVER {s}_v TYPE 'a' FOREIGN DATA WRAPPER {s}_w;
CREATE USER MAPPING FOR PUBLIC SERVER {s}_v;
CREATE FOREIGN TABLE ft (a int) SERVER {s}_v;
-- after
CREATE SERVER {s}_v TYPE 'b' FOREIGN DATA WRAPPER {s}_w;
CREATE USER MAPPING FOR PUBLIC SERVER {s}_v;
CREATE FOREIGN TABLE ft (a int) SERVER {s}_v;

--- foreign table
CREATE FOREIGN DATA WRAPPER {s}_w;
CREATE SERVER {s}_v FOREIGN DATA WRAPPER {s}_w;
-- before
-- after
CREATE FOREIGN TABLE ft (a int OPTIONS (column_name 'x') NOT NULL DEFAULT 5, b text COLLATE "C",
  CHECK (a > 0)) SERVER {s}_v OPTIONS (t 'u');
COMMENT ON FOREIGN TABLE ft IS 'x';
COMMENT ON COLUMN ft.a IS 'y';
GRANT SELECT ON ft TO luamig_spec_bob;
ALTER FOREIGN TABLE ft OWNER TO luamig_spec_alice;

--- foreign table: changed
-- column_order = false
CREATE FOREIGN DATA WRAPPER {s}_w;
CREATE SERVER {s}_v FOREIGN DATA WRAPPER {s}_w;
-- before
CREATE FOREIGN TABLE ft (a int OPTIONS (x 'y'), b int) SERVER {s}_v OPTIONS (t 'u');
-- after
CREATE FOREIGN TABLE ft (a bigint OPTIONS (x 'z', q 'r'), c text DEFAULT 'd') SERVER {s}_v
  OPTIONS (t 'v', w 'x');
ALTER FOREIGN TABLE ft ALTER a SET STATISTICS 5;

--- foreign table: to another server
CREATE FOREIGN DATA WRAPPER {s}_w;
CREATE SERVER {s}_v FOREIGN DATA WRAPPER {s}_w;
CREATE SERVER {s}_u FOREIGN DATA WRAPPER {s}_w;
-- before
CREATE FOREIGN TABLE ft (a int) SERVER {s}_v;
-- after
CREATE FOREIGN TABLE ft (a int) SERVER {s}_u;

--- foreign table: partition
CREATE FOREIGN DATA WRAPPER {s}_w;
CREATE SERVER {s}_v FOREIGN DATA WRAPPER {s}_w;
CREATE TABLE p (n int, a text) PARTITION BY RANGE (n);
-- before
-- after
CREATE FOREIGN TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10) SERVER {s}_v OPTIONS (a 'b');
