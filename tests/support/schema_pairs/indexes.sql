--- index
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
-- after
CREATE INDEX i ON t (a);

--- index: unique, partial, include
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
-- after
CREATE UNIQUE INDEX i ON t (a, b DESC) INCLUDE (id) WHERE a IS NOT NULL AND b > 5;

--- index: expression
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
-- after
CREATE INDEX i ON t (lower(a), (b + 1), (a || 'x') COLLATE "C" DESC NULLS LAST);

--- index: method and operator class
CREATE TABLE t (a text, j jsonb);
-- before
-- after
CREATE INDEX i ON t USING hash (a);
CREATE INDEX k ON t USING gin (j jsonb_path_ops) WITH (fastupdate = off);
CREATE INDEX l ON t (a text_pattern_ops) WITH (fillfactor = 50);

--- index: brin with options
CREATE TABLE t (a int);
-- before
-- after
CREATE INDEX i ON t USING brin (a int4_minmax_multi_ops (values_per_range = 16)) WITH
  (pages_per_range = 32);

--- index: nulls not distinct
-- since 15
CREATE TABLE t (a int);
-- before
-- after
CREATE UNIQUE INDEX i ON t (a) NULLS NOT DISTINCT;

--- index: columns changed
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
CREATE INDEX i ON t (a);
-- after
CREATE INDEX i ON t (a, b);

--- index: becomes unique
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
CREATE INDEX i ON t (a);
-- after
CREATE UNIQUE INDEX i ON t (a);

--- index: options
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
CREATE INDEX i ON t (a);
-- after
CREATE INDEX i ON t (a) WITH (fillfactor = 60);

--- index: options changed
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
CREATE INDEX i ON t (a) WITH (fillfactor = 60);
-- after
CREATE INDEX i ON t (a) WITH (deduplicate_items = off, fillfactor = 70);

--- index: comment
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
CREATE INDEX i ON t (a);
-- before
-- after
COMMENT ON INDEX i IS 'x';

--- index: statistics
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
CREATE INDEX i ON t (lower(a), (b + 1));
-- before
-- after
ALTER INDEX i ALTER COLUMN 2 SET STATISTICS 400;

--- index: new with statistics and comment
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
-- after
CREATE INDEX i ON t (lower(a));
ALTER INDEX i ALTER COLUMN 1 SET STATISTICS 400;
COMMENT ON INDEX i IS 'x';

--- index: name moves
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
CREATE TABLE u (a int);
-- before
CREATE INDEX i ON t (a);
-- after
CREATE INDEX i ON u (a);

--- index: to constraint
-- before
CREATE TABLE t (a int);
CREATE UNIQUE INDEX i ON t (a);
-- after
CREATE TABLE t (a int, CONSTRAINT i UNIQUE (a));

--- index: with a function that is made anew
-- before
CREATE FUNCTION f(x text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT ''x''';
CREATE TABLE t (a text);
CREATE INDEX i ON t (f(a));
-- after
CREATE FUNCTION f(y text) RETURNS text IMMUTABLE LANGUAGE sql AS 'SELECT ''x''';
CREATE TABLE t (a text);
CREATE INDEX i ON t (f(a));
--- index: renamed
CREATE TABLE t (a int, b int);
-- before
CREATE INDEX i1 ON t (a) WHERE b > 0;
CREATE INDEX j1 ON t (b);
ALTER TABLE t CLUSTER ON j1;
-- after
CREATE INDEX i2 ON t (a) WHERE b > 0;
COMMENT ON INDEX i2 IS 'x';
CREATE INDEX j2 ON t (b);
ALTER TABLE t CLUSTER ON j2;

