--- function
-- before
-- after
CREATE FUNCTION f(a int, b text DEFAULT 'x', OUT c int, VARIADIC d int[] DEFAULT '{}') LANGUAGE
  plpgsql STABLE STRICT SECURITY DEFINER PARALLEL SAFE COST 5 SET search_path = public, pg_temp
  SET work_mem = '1MB' AS $$ BEGIN c := 1; END $$;

--- function: of the standard
CREATE TABLE t (id integer PRIMARY KEY, a text, b integer);
-- before
-- after
CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql RETURN x + 1;
CREATE FUNCTION g() RETURNS SETOF t LANGUAGE sql BEGIN ATOMIC SELECT * FROM t; END;

--- function: body
-- before
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
-- after
CREATE FUNCTION f() RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 2';

--- function: result
-- before
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE VIEW v AS SELECT f() AS x;
GRANT EXECUTE ON FUNCTION f() TO luamig_spec_bob;
COMMENT ON FUNCTION f() IS 'x';
-- after
CREATE FUNCTION f() RETURNS text LANGUAGE sql AS 'SELECT ''1''';
CREATE VIEW v AS SELECT f() AS x;
GRANT EXECUTE ON FUNCTION f() TO luamig_spec_bob;
COMMENT ON FUNCTION f() IS 'x';

--- function: argument name
-- before
CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT $1';
-- after
CREATE FUNCTION f(b int) RETURNS int LANGUAGE sql AS 'SELECT $1';

--- function: argument default
-- before
CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT $1';
-- after
CREATE FUNCTION f(a int DEFAULT 4) RETURNS int LANGUAGE sql AS 'SELECT $1';

--- function: overloaded
CREATE FUNCTION f(a int) RETURNS int LANGUAGE sql AS 'SELECT $1';
-- before
-- after
CREATE FUNCTION f(a text, b int) RETURNS int LANGUAGE sql AS 'SELECT $2';

--- function: returns table
-- before
-- after
CREATE FUNCTION f(a int) RETURNS TABLE (x int, y text) LANGUAGE plpgsql ROWS 5 AS
  $$ BEGIN RETURN; END $$;

--- function: of a table's rows
-- before
-- after
CREATE TABLE zt (a int);
CREATE FUNCTION f(zt) RETURNS zt LANGUAGE sql AS 'SELECT $1';

--- function: says a table that is new
-- before
-- after
CREATE TABLE ztable (a int);
CREATE FUNCTION f() RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM {s}.ztable';

--- function: calls another
-- before
-- after
CREATE FUNCTION z() RETURNS int LANGUAGE sql AS 'SELECT 1';
CREATE FUNCTION a() RETURNS int LANGUAGE sql RETURN {s}.z();

--- function: dollar quotes in the body
-- before
-- after
CREATE FUNCTION f() RETURNS text LANGUAGE plpgsql AS $x$ BEGIN RETURN $$a'b\c$$ ||
  $body$q$body$; END $x$;

--- function: comment, owner, privileges
CREATE FUNCTION f(int) RETURNS int LANGUAGE sql AS 'SELECT 1';
-- before
-- after
COMMENT ON FUNCTION f(int) IS 'x';
ALTER FUNCTION f(int) OWNER TO luamig_spec_alice;
REVOKE EXECUTE ON FUNCTION f(int) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION f(int) TO luamig_spec_bob WITH GRANT OPTION;

--- function: internal and support
-- before
-- after
CREATE FUNCTION f(text) RETURNS text IMMUTABLE STRICT LANGUAGE internal SUPPORT textlike_support
  LEAKPROOF AS 'upper';

--- function: window
-- before
-- after
CREATE FUNCTION f() RETURNS bigint LANGUAGE internal WINDOW IMMUTABLE AS 'window_row_number';

--- function: depends on extension
-- alone
CREATE FUNCTION f() RETURNS int LANGUAGE sql AS 'SELECT 1';
-- before
-- after
ALTER FUNCTION f() DEPENDS ON EXTENSION plpgsql;

--- function: to procedure
-- before
CREATE FUNCTION f() RETURNS void LANGUAGE sql AS 'SELECT';
-- after
CREATE PROCEDURE f() LANGUAGE sql AS 'SELECT';

--- procedure
-- before
-- after
CREATE PROCEDURE p(a int, INOUT b text DEFAULT 'x') LANGUAGE plpgsql SECURITY DEFINER AS
  $$ BEGIN b := 'y'; END $$;
COMMENT ON PROCEDURE p(int, text) IS 'x';
GRANT EXECUTE ON PROCEDURE p TO luamig_spec_bob;

--- procedure: body
-- before
CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 1';
-- after
CREATE PROCEDURE p() LANGUAGE sql AS 'SELECT 2';

--- aggregate
-- before
-- after
CREATE FUNCTION add(int, int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT $1 + $2';
CREATE AGGREGATE a(int) (SFUNC = add, STYPE = int, INITCOND = '0', COMBINEFUNC = add, PARALLEL =
  SAFE);
COMMENT ON AGGREGATE a(int) IS 'x';
GRANT EXECUTE ON FUNCTION a(int) TO luamig_spec_bob;
CREATE AGGREGATE c(*) (SFUNC = int8inc, STYPE = int8, INITCOND = '0');

--- aggregate: changed under a view
-- before
CREATE AGGREGATE a(int) (SFUNC = int4pl, STYPE = int, INITCOND = '0');
CREATE VIEW v AS SELECT a(x) AS s FROM generate_series(1, 3) x;
-- after
CREATE AGGREGATE a(int) (SFUNC = int4pl, STYPE = int, INITCOND = '5');
CREATE VIEW v AS SELECT a(x) AS s FROM generate_series(1, 3) x;

--- aggregate: ordered set and moving
-- before
-- after
CREATE AGGREGATE p(float8 ORDER BY anyelement) (SFUNC = ordered_set_transition, STYPE =
  internal, FINALFUNC = percentile_disc_final, FINALFUNC_EXTRA);
CREATE AGGREGATE m(int) (SFUNC = int4pl, STYPE = int, MSFUNC = int4pl, MINVFUNC = int4mi, MSTYPE
  = int, MINITCOND = '0', INITCOND = '0', SORTOP = >);
COMMENT ON AGGREGATE p(float8 ORDER BY anyelement) IS 'x';
ALTER AGGREGATE p(float8 ORDER BY anyelement) OWNER TO luamig_spec_alice;

--- function: overloads that a call could mean both
CREATE TABLE t (a int);
-- before
CREATE FUNCTION f(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT x';
CREATE INDEX i ON t (f(a));
CREATE VIEW v AS SELECT f(a) AS f FROM t;
-- after
CREATE FUNCTION f(x int, y int DEFAULT 0) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT x + y';
CREATE INDEX i ON t (f(a));
CREATE VIEW v AS SELECT f(a) AS f FROM t;
