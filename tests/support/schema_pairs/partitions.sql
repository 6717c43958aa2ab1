--- partitioned: new
-- before
-- after
CREATE TABLE p (id int, at date NOT NULL, PRIMARY KEY (id, at)) PARTITION BY RANGE (at);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM ('2020-01-01') TO ('2021-01-01');
CREATE TABLE p2 PARTITION OF p DEFAULT;
CREATE INDEX i ON p (id);

--- partitioned: by list and hash
-- before
-- after
CREATE TABLE p (k text, n int) PARTITION BY LIST (k);
CREATE TABLE pa PARTITION OF p FOR VALUES IN ('a', 'b', NULL) PARTITION BY HASH (n);
CREATE TABLE pa0 PARTITION OF pa FOR VALUES WITH (MODULUS 2, REMAINDER 0);
CREATE TABLE pa1 PARTITION OF pa FOR VALUES WITH (MODULUS 2, REMAINDER 1);

--- partitioned: by expression
-- before
-- after
CREATE TABLE p (k text COLLATE "C", n int) PARTITION BY RANGE (lower(k) COLLATE "C" text_ops, n);
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (MINVALUE, MINVALUE) TO ('m', 10);
CREATE TABLE p2 PARTITION OF p FOR VALUES FROM ('m', 10) TO (MAXVALUE, MAXVALUE);

--- partition
CREATE TABLE p (id int, n int) PARTITION BY RANGE (n);
CREATE INDEX i ON p (id);
-- before
-- after
CREATE TABLE p1 PARTITION OF p FOR VALUES FROM (0) TO (10);

--- partition: attached
CREATE TABLE p (id int, n int) PARTITION BY RANGE (n);
CREATE TABLE q (id int, n int);
-- before
-- after
ALTER TABLE p ATTACH PARTITION q FOR VALUES FROM (0) TO (10);

--- partition: attached with keys and indexes
CREATE TABLE p (id int, n int NOT NULL, PRIMARY KEY (id, n), CHECK (n > 0)) PARTITION BY RANGE (n);
CREATE INDEX pi ON p (n);
-- before
CREATE TABLE q (id int NOT NULL, n int NOT NULL);
-- after
CREATE TABLE q (id int NOT NULL, n int NOT NULL, CONSTRAINT qk PRIMARY KEY (id, n), CONSTRAINT
  p_n_check CHECK (n > 0));
CREATE INDEX qi ON q (n);
ALTER TABLE p ATTACH PARTITION q FOR VALUES FROM (0) TO (10);

--- partition: bounds
CREATE TABLE p (id int, n int) PARTITION BY RANGE (n);
-- before
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);
-- after
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (20);

--- partition: of another table
CREATE TABLE p (n int) PARTITION BY RANGE (n);
CREATE TABLE r (n int) PARTITION BY LIST (n);
-- before
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);
-- after
CREATE TABLE q PARTITION OF r FOR VALUES IN (1);

--- partition: its table goes, it stays
-- before
CREATE TABLE p (n int) PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);
-- after
CREATE TABLE q (n int);

--- partition: columns in another order
-- before
-- after
CREATE TABLE p (id int, n int) PARTITION BY RANGE (n);
CREATE TABLE q (n int, id int);
ALTER TABLE p ATTACH PARTITION q FOR VALUES FROM (0) TO (10);

--- partition: a default of its own
CREATE TABLE p (id int DEFAULT 1, n int) PARTITION BY RANGE (n);
-- before
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);
-- after
CREATE TABLE q PARTITION OF p (id DEFAULT 2) FOR VALUES FROM (0) TO (10);

--- partition: new with things of its own
CREATE TABLE p (id int, n int) PARTITION BY RANGE (n);
-- before
-- after
CREATE TABLE q PARTITION OF p (id NOT NULL DEFAULT 2, CONSTRAINT c CHECK (id > 0)) FOR VALUES
  FROM (0) TO (10) WITH (fillfactor = 50);
CREATE INDEX qi ON q (id);
COMMENT ON COLUMN q.id IS 'x';
ALTER TABLE q ALTER n SET STATISTICS 5;

--- partitioned: column added
-- before
CREATE TABLE p (n int) PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);
-- after
CREATE TABLE p (n int, a text NOT NULL DEFAULT 'x') PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);

--- partitioned: column changed
-- before
CREATE TABLE p (n int, a int) PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE VIEW v AS SELECT a FROM q;
-- after
CREATE TABLE p (n int, a bigint DEFAULT 7 NOT NULL) PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE VIEW v AS SELECT a FROM q;

--- partitioned: column of the parent's key changes
-- unsupported
-- before
CREATE TABLE p (n int) PARTITION BY RANGE (n);
-- after
CREATE TABLE p (n bigint) PARTITION BY RANGE (n);

--- partitioned: default differs from the parent's new one
-- before
CREATE TABLE p (n int, a int) PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p (a DEFAULT 1) FOR VALUES FROM (0) TO (10);
-- after
CREATE TABLE p (n int, a int DEFAULT 3) PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p (a DEFAULT 1) FOR VALUES FROM (0) TO (10);

--- partitioned: index added
CREATE TABLE p (n int, a int) PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);
-- before
-- after
CREATE INDEX i ON p (a);
CREATE INDEX j ON p (lower(a::text), n);

--- partitioned: index with a name on the partition
CREATE TABLE p (n int, a int) PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);
-- before
-- after
CREATE INDEX i ON p (a);
ALTER INDEX q_a_idx RENAME TO special;
COMMENT ON INDEX special IS 'x';

--- partitioned: index on the partition joins
CREATE TABLE p (n int, a int) PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE INDEX mine ON q (a);
-- before
-- after
CREATE INDEX i ON p (a);

--- partitioned: constraints added
CREATE TABLE t (a int PRIMARY KEY);
-- before
CREATE TABLE p (n int, a int) PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);
-- after
CREATE TABLE p (n int NOT NULL, a int REFERENCES t, UNIQUE (n, a), CONSTRAINT c CHECK (a > 0))
  PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);

--- partitioned: primary key added
-- before
CREATE TABLE p (n int NOT NULL, a int) PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);
-- after
CREATE TABLE p (n int PRIMARY KEY, a int) PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);

--- partitioned: trigger
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
CREATE TABLE p (n int) PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);
-- before
-- after
CREATE TRIGGER g AFTER INSERT ON p FOR EACH ROW EXECUTE FUNCTION f();
ALTER TABLE q DISABLE TRIGGER g;

--- partitioned: referred to
CREATE TABLE p (n int PRIMARY KEY) PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);
-- before
CREATE TABLE u (n int);
-- after
CREATE TABLE u (n int REFERENCES p);

--- partitioned: from a plain table
-- unsupported
-- before
CREATE TABLE p (n int);
-- after
CREATE TABLE p (n int) PARTITION BY RANGE (n);

--- inheritance: new
-- before
-- after
CREATE TABLE a (x int DEFAULT 1, CHECK (x > 0));
CREATE TABLE b (y int);
CREATE TABLE c (z int, y int NOT NULL DEFAULT 5) INHERITS (a, b);

--- inheritance: a parent less
CREATE TABLE a (x int);
CREATE TABLE b (y int);
CREATE TABLE c (x int, y int, z int);
ALTER TABLE c INHERIT a;
-- before
ALTER TABLE c INHERIT b;
-- after

--- inheritance: parent goes
-- before
CREATE TABLE a (x int);
CREATE TABLE c (x int);
ALTER TABLE c INHERIT a;
-- after
CREATE TABLE c (x int);

--- inheritance: column added to the parent
-- column_order = false
-- before
CREATE TABLE a (x int);
CREATE TABLE c (z int) INHERITS (a);
-- after
CREATE TABLE a (x int, y text DEFAULT 'q');
CREATE TABLE c (z int) INHERITS (a);

--- inheritance: column of the parent changed
-- before
CREATE TABLE a (x int, y int);
CREATE TABLE c (z int) INHERITS (a);
-- after
CREATE TABLE a (x bigint DEFAULT 4, y int NOT NULL);
CREATE TABLE c (z int) INHERITS (a);

--- inheritance: check of the parent
-- before
CREATE TABLE a (x int);
CREATE TABLE c (z int) INHERITS (a);
-- after
CREATE TABLE a (x int, CONSTRAINT k CHECK (x > 0));
CREATE TABLE c (z int) INHERITS (a);
--- partitioned: identity
-- since 17
-- before
CREATE TABLE p (n int, a int) PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);
-- after
CREATE TABLE p (n int, a int GENERATED ALWAYS AS IDENTITY) PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);

--- partitioned: new with identity and generated columns
-- before
-- after
CREATE TABLE p (n int, a int DEFAULT 1, g int GENERATED ALWAYS AS (n * 2) STORED)
  PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);

--- partitioned: index without its parts
CREATE TABLE p (n int, a int) PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE TABLE r PARTITION OF p FOR VALUES FROM (10) TO (20);
-- before
CREATE INDEX i ON ONLY p (a);
CREATE INDEX qi ON q (a);
-- after
CREATE INDEX i ON ONLY p (a);
CREATE INDEX qi ON q (a);
CREATE INDEX ri ON r (a);
ALTER INDEX i ATTACH PARTITION qi;
ALTER INDEX i ATTACH PARTITION ri;

--- partitioned: index with one of its parts
CREATE TABLE p (n int, a int) PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE TABLE r PARTITION OF p FOR VALUES FROM (10) TO (20);
-- before
-- after
CREATE INDEX i ON ONLY p (a);
CREATE INDEX qi ON q (a);
ALTER INDEX i ATTACH PARTITION qi;

--- partitioned: trigger that a partition keeps when it leaves
CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NEW; END';
-- before
CREATE TABLE p (n int) PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE TRIGGER g AFTER INSERT ON p FOR EACH ROW EXECUTE FUNCTION f();
-- after
CREATE TABLE p (n int) PARTITION BY RANGE (n);
CREATE TABLE q (n int);
CREATE TRIGGER g AFTER INSERT ON q FOR EACH ROW EXECUTE FUNCTION f();

--- partitioned: keys of a partition that leaves with them
-- before
CREATE TABLE p (n int PRIMARY KEY, a int) PARTITION BY RANGE (n);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (10);
CREATE INDEX i ON p (a);
-- after
CREATE TABLE p (n int PRIMARY KEY, a int) PARTITION BY RANGE (n);
CREATE TABLE q (n int NOT NULL CONSTRAINT q_pkey PRIMARY KEY, a int);
CREATE INDEX q_a_idx ON q (a);
CREATE INDEX i ON p (a);


--- partition: split in two
CREATE TABLE p (d date) PARTITION BY RANGE (d);
-- before
CREATE TABLE y2025 PARTITION OF p FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
-- after
CREATE TABLE y2025 PARTITION OF p FOR VALUES FROM ('2025-01-01') TO ('2025-07-01');
CREATE TABLE a2025 PARTITION OF p FOR VALUES FROM ('2025-07-01') TO ('2026-01-01');

--- partition: others in place of it
CREATE TABLE p (d date) PARTITION BY RANGE (d);
-- before
CREATE TABLE y2025 PARTITION OF p FOR VALUES FROM ('2025-01-01') TO ('2026-01-01');
CREATE TABLE rest PARTITION OF p DEFAULT;
-- after
CREATE TABLE a2025 PARTITION OF p FOR VALUES FROM ('2025-01-01') TO ('2025-07-01');
CREATE TABLE b2025 PARTITION OF p FOR VALUES FROM ('2025-07-01') TO ('2026-01-01');
CREATE TABLE others PARTITION OF p DEFAULT;

--- partition: bounds exchanged
CREATE TABLE p (d int) PARTITION BY LIST (d);
-- before
CREATE TABLE one PARTITION OF p FOR VALUES IN (1);
CREATE TABLE two PARTITION OF p FOR VALUES IN (2);
-- after
CREATE TABLE one PARTITION OF p FOR VALUES IN (2);
CREATE TABLE two PARTITION OF p FOR VALUES IN (1);

--- partition: of a partition, which has the columns of both
CREATE TABLE p (d int, v numeric(9,2)) PARTITION BY RANGE (d);
CREATE TABLE q PARTITION OF p FOR VALUES FROM (0) TO (9) PARTITION BY LIST (d);
CREATE TABLE r PARTITION OF q FOR VALUES IN (1);
-- before
-- after
ALTER TABLE p ADD more text DEFAULT 'x', ALTER v TYPE numeric(12,2), ALTER v SET DEFAULT 1;

--- partition: leaves while its table loses an index and a key
CREATE TABLE p (d int NOT NULL) PARTITION BY LIST (d);
CREATE TABLE one PARTITION OF p FOR VALUES IN (1);
CREATE TABLE two PARTITION OF p FOR VALUES IN (2);
-- before
ALTER TABLE p ADD PRIMARY KEY (d);
CREATE INDEX i ON p (d);
-- after
ALTER TABLE p DETACH PARTITION one;

--- partition: leaves while its table gets an index and a key
CREATE TABLE p (d int NOT NULL) PARTITION BY LIST (d);
CREATE TABLE one PARTITION OF p FOR VALUES IN (1);
-- before
-- after
ALTER TABLE p DETACH PARTITION one;
ALTER TABLE p ADD PRIMARY KEY (d);
CREATE INDEX i ON p (d);

--- partition: other bounds while its table gets an index
CREATE TABLE p (d int NOT NULL) PARTITION BY LIST (d);
-- before
CREATE TABLE one PARTITION OF p FOR VALUES IN (1);
-- after
CREATE TABLE one PARTITION OF p FOR VALUES IN (1, 2);
CREATE INDEX i ON p (d);

--- partition: its table is made anew beside one that left, whose NOT NULL has the name
-- since 18
-- before
CREATE TABLE p (d int NOT NULL) PARTITION BY LIST (d);
CREATE TABLE one PARTITION OF p FOR VALUES IN (1);
ALTER TABLE p DETACH PARTITION one;
-- after
CREATE TABLE one (d int NOT NULL);
ALTER TABLE one RENAME CONSTRAINT one_d_not_null TO p_d_not_null;

--- partition: a second index of the same columns
CREATE TABLE p (d int) PARTITION BY LIST (d);
CREATE TABLE one PARTITION OF p FOR VALUES IN (1);
CREATE INDEX ON p (d);
-- before
-- after
CREATE INDEX ON p (d);
CREATE INDEX ON p (d);
