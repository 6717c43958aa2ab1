--- primary key
-- before
CREATE TABLE t (a int NOT NULL, b int);
-- after
CREATE TABLE t (a int PRIMARY KEY, b int);

--- primary key: of two columns
-- before
-- after
CREATE TABLE t (a int, b int, PRIMARY KEY (b, a));

--- primary key: other columns
-- before
CREATE TABLE t (a int NOT NULL, b int NOT NULL, PRIMARY KEY (a));
-- after
CREATE TABLE t (a int NOT NULL, b int NOT NULL, PRIMARY KEY (a, b));

--- primary key: other name
-- before
CREATE TABLE t (a int PRIMARY KEY);
-- after
CREATE TABLE t (a int CONSTRAINT k PRIMARY KEY);

--- primary key: include, options, deferrable
-- before
CREATE TABLE t (a int NOT NULL, b int);
-- after
CREATE TABLE t (a int NOT NULL, b int, PRIMARY KEY (a) INCLUDE (b) WITH (fillfactor = 50)
  DEFERRABLE INITIALLY DEFERRED);

--- primary key: referred to, made anew
-- before
CREATE TABLE t (a int PRIMARY KEY, b int NOT NULL);
CREATE TABLE u (a int REFERENCES t);
-- after
CREATE TABLE t (a int PRIMARY KEY DEFERRABLE, b int NOT NULL);
CREATE TABLE u (a int);

--- primary key: replaced under a foreign key
-- before
CREATE TABLE t (a int CONSTRAINT k1 PRIMARY KEY);
CREATE TABLE u (a int REFERENCES t);
-- after
CREATE TABLE t (a int CONSTRAINT k2 PRIMARY KEY);
CREATE TABLE u (a int REFERENCES t);

--- primary key: options
-- before
CREATE TABLE t (a int PRIMARY KEY);
-- after
CREATE TABLE t (a int PRIMARY KEY WITH (fillfactor = 60));

--- primary key: comments
CREATE TABLE t (a int PRIMARY KEY);
-- before
-- after
COMMENT ON CONSTRAINT t_pkey ON t IS 'c';
COMMENT ON INDEX t_pkey IS 'i';

--- unique
-- before
CREATE TABLE t (a int, b int);
-- after
CREATE TABLE t (a int UNIQUE, b int, CONSTRAINT two UNIQUE (a, b));

--- unique: nulls not distinct
-- since 15
-- before
CREATE TABLE t (a int);
-- after
CREATE TABLE t (a int UNIQUE NULLS NOT DISTINCT);

--- unique: include and deferrable
-- before
-- after
CREATE TABLE t (a int, b int, CONSTRAINT u UNIQUE (a) INCLUDE (b) DEFERRABLE);

--- unique: becomes deferrable
-- before
CREATE TABLE t (a int UNIQUE);
-- after
CREATE TABLE t (a int UNIQUE DEFERRABLE INITIALLY DEFERRED);

--- check
-- before
CREATE TABLE t (a int, b int);
-- after
CREATE TABLE t (a int CHECK (a > 0 AND a < 10), b int, CONSTRAINT c CHECK (a < b OR b IS NULL));

--- check: without columns
-- before
CREATE TABLE t (a int);
-- after
CREATE TABLE t (a int, CONSTRAINT c CHECK (current_user <> ''));

--- check: changed
-- before
CREATE TABLE t (a int, CONSTRAINT c CHECK (a > 0));
-- after
CREATE TABLE t (a int, CONSTRAINT c CHECK (a > 1));

--- check: no inherit
-- before
CREATE TABLE t (a int, CONSTRAINT c CHECK (a > 0));
-- after
CREATE TABLE t (a int, CONSTRAINT c CHECK (a > 0) NO INHERIT);

--- check: not valid
CREATE TABLE t (a int);
-- before
-- after
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;

--- check: validated
-- before
CREATE TABLE t (a int);
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;
-- after
CREATE TABLE t (a int, CONSTRAINT c CHECK (a > 0));

--- check: of a new table not valid
-- before
-- after
CREATE TABLE t (a int);
ALTER TABLE t ADD CONSTRAINT c CHECK (a > 0) NOT VALID;

--- check: not enforced
-- since 18
-- before
CREATE TABLE t (a int);
-- after
CREATE TABLE t (a int, CONSTRAINT c CHECK (a > 0) NOT ENFORCED);

--- check: enforced
-- since 18
-- before
CREATE TABLE t (a int, CONSTRAINT c CHECK (a > 0));
-- after
CREATE TABLE t (a int, CONSTRAINT c CHECK (a > 0) NOT ENFORCED);

--- check: with a function
-- before
CREATE TABLE t (a int);
-- after
CREATE FUNCTION zf(int) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT true';
CREATE TABLE t (a int CHECK (zf(a)));

--- check: with a function that is made anew
-- before
CREATE FUNCTION f(x int) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT true';
CREATE TABLE t (a int CHECK (f(a)));
-- after
CREATE FUNCTION f(y int) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT true';
CREATE TABLE t (a int CHECK (f(a)));

--- check: with a function of the row
-- before
-- after
CREATE TABLE t (a int);
CREATE FUNCTION f(t) RETURNS boolean IMMUTABLE LANGUAGE sql AS 'SELECT true';
ALTER TABLE t ADD CONSTRAINT c CHECK (f(t));

--- check: with difficult text
-- before
CREATE TABLE t (a text);
-- after
CREATE TABLE t (a text, CONSTRAINT c CHECK (a ~ '^[a-z]+\.(x|y)$' AND a <> 'it''s)(' AND a <>
  E'\n'));

--- foreign key
CREATE TABLE t (a int PRIMARY KEY);
-- before
CREATE TABLE u (a int);
-- after
CREATE TABLE u (a int REFERENCES t);

--- foreign key: actions
CREATE TABLE t (a int PRIMARY KEY);
-- before
CREATE TABLE u (a int REFERENCES t);
-- after
CREATE TABLE u (a int REFERENCES t ON DELETE SET NULL ON UPDATE CASCADE);

--- foreign key: match full, deferred
CREATE TABLE t (a int, b int, PRIMARY KEY (a, b));
-- before
CREATE TABLE u (a int, b int);
-- after
CREATE TABLE u (a int, b int, FOREIGN KEY (a, b) REFERENCES t MATCH FULL ON UPDATE SET DEFAULT
  ON DELETE RESTRICT DEFERRABLE INITIALLY DEFERRED);

--- foreign key: set null of some
-- since 15
CREATE TABLE t (a int, b int, PRIMARY KEY (a, b));
-- before
CREATE TABLE u (a int, b int);
-- after
CREATE TABLE u (a int, b int, FOREIGN KEY (a, b) REFERENCES t ON DELETE SET NULL (b));

--- foreign key: not valid
CREATE TABLE t (a int PRIMARY KEY);
CREATE TABLE u (a int);
-- before
-- after
ALTER TABLE u ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES t NOT VALID;

--- foreign key: validated
CREATE TABLE t (a int PRIMARY KEY);
-- before
CREATE TABLE u (a int);
ALTER TABLE u ADD CONSTRAINT f FOREIGN KEY (a) REFERENCES t NOT VALID;
-- after
CREATE TABLE u (a int, CONSTRAINT f FOREIGN KEY (a) REFERENCES t);

--- foreign key: not enforced
-- since 18
CREATE TABLE t (a int PRIMARY KEY);
-- before
CREATE TABLE u (a int);
-- after
CREATE TABLE u (a int, CONSTRAINT f FOREIGN KEY (a) REFERENCES t NOT ENFORCED);

--- foreign key: to another table
CREATE TABLE t (a int PRIMARY KEY);
CREATE TABLE w (a int PRIMARY KEY);
-- before
CREATE TABLE u (a int, CONSTRAINT f FOREIGN KEY (a) REFERENCES t);
-- after
CREATE TABLE u (a int, CONSTRAINT f FOREIGN KEY (a) REFERENCES w);

--- foreign key: to a unique index
CREATE TABLE t (a int);
-- before
CREATE UNIQUE INDEX i ON t (a);
CREATE TABLE u (a int REFERENCES t (a));
-- after
CREATE UNIQUE INDEX j ON t (a);
CREATE TABLE u (a int REFERENCES t (a));

--- foreign key: its triggers are off
CREATE TABLE t (a int PRIMARY KEY);
CREATE TABLE u (a int REFERENCES t);
-- before
-- after
ALTER TABLE t DISABLE TRIGGER ALL;
ALTER TABLE u DISABLE TRIGGER ALL;

--- foreign key: across schemas
CREATE SCHEMA {s}_x;
CREATE TABLE {s}_x.t (a int PRIMARY KEY);
-- before
-- after
CREATE TABLE u (a int REFERENCES {s}_x.t);

--- foreign key: table referred to goes
-- before
CREATE TABLE t (a int PRIMARY KEY);
CREATE TABLE u (a int REFERENCES t, b int);
-- after
CREATE TABLE u (a int, b int);

--- exclude
-- before
CREATE TABLE t (r int4range, c circle);
-- after
CREATE TABLE t (r int4range, c circle, CONSTRAINT x EXCLUDE USING gist (r WITH &&, c WITH &&)
  WHERE (r IS NOT NULL));

--- exclude: btree
-- before
-- after
CREATE TABLE t (a text, b int, EXCLUDE (lower(a) COLLATE "C" text_pattern_ops WITH =, b DESC
  NULLS LAST WITH =) INCLUDE (a) DEFERRABLE);

--- temporal key
-- since 18
-- before
-- after
CREATE TABLE t (a int4range, d daterange, PRIMARY KEY (a, d WITHOUT OVERLAPS));
CREATE TABLE u (a int4range, d daterange, FOREIGN KEY (a, PERIOD d) REFERENCES t (a, PERIOD d));

--- temporal key: on tables that are there
-- since 18
-- before
CREATE TABLE t (a int4range NOT NULL, d daterange NOT NULL);
CREATE TABLE u (a int4range, d daterange);
-- after
CREATE TABLE t (a int4range, d daterange, PRIMARY KEY (a, d WITHOUT OVERLAPS));
CREATE TABLE u (a int4range, d daterange, FOREIGN KEY (a, PERIOD d) REFERENCES t (a, PERIOD d));

--- constraint: comment
CREATE TABLE t (a int, CONSTRAINT c CHECK (a > 0));
-- before
-- after
COMMENT ON CONSTRAINT c ON t IS 'x';

--- constraint: new with comment
-- before
-- after
CREATE TABLE t (a int, CONSTRAINT c CHECK (a > 0), CONSTRAINT u UNIQUE (a));
COMMENT ON CONSTRAINT c ON t IS 'x';
COMMENT ON CONSTRAINT u ON t IS 'y';
COMMENT ON INDEX u IS 'z';

--- constraint: name moves to another table
-- before
CREATE TABLE t (a int CONSTRAINT k UNIQUE);
CREATE TABLE u (a int);
-- after
CREATE TABLE t (a int);
CREATE TABLE u (a int CONSTRAINT k UNIQUE);

--- constraint: trigger of one
CREATE TABLE t (a int);
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
-- before
-- after
CREATE CONSTRAINT TRIGGER g AFTER INSERT OR UPDATE ON t DEFERRABLE INITIALLY DEFERRED FOR EACH
  ROW WHEN (NEW.a > 0) EXECUTE FUNCTION f();
--- constraint: renamed
CREATE TABLE u (a int PRIMARY KEY);
-- before
CREATE TABLE t (a int CONSTRAINT k1 PRIMARY KEY, b int CONSTRAINT c1 CHECK (b > 0));
ALTER TABLE t ADD CONSTRAINT f1 FOREIGN KEY (b) REFERENCES u;
COMMENT ON CONSTRAINT c1 ON t IS 'x';
-- after
CREATE TABLE t (a int CONSTRAINT k2 PRIMARY KEY, b int CONSTRAINT c2 CHECK (b > 0));
ALTER TABLE t ADD CONSTRAINT f2 FOREIGN KEY (b) REFERENCES u;
COMMENT ON INDEX k2 IS 'y';

--- constraint: renamed, two that are alike
-- before
CREATE TABLE t (a int CONSTRAINT c1 CHECK (a > 0) CONSTRAINT c2 CHECK (a > 0));
-- after
CREATE TABLE t (a int CONSTRAINT c3 CHECK (a > 0) CONSTRAINT c4 CHECK (a > 0));

--- constraint: names change places
-- before
CREATE TABLE t (a int CONSTRAINT x UNIQUE, b int CONSTRAINT y UNIQUE);
-- after
CREATE TABLE t (a int CONSTRAINT y UNIQUE, b int CONSTRAINT x UNIQUE);

