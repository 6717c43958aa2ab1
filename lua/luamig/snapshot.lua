--- The catalogs of a database as one plain Lua value: read in one pipeline, the same for two
-- databases that are built alike, whatever the order and the OIDs.
--
-- THE VALUE
--   { server_version = 150018,       of the server that was read; no part of what is compared
--     objects    = { [identity] = object },
--     depends    = { [identity] = { [identity] = strength } },
--     unmodelled = { { kind = "large object", name = "16402", why = "…" }, … } }   sorted
-- Only tables, texts, integers and true: luamig.json can print it. Nothing is ever false, empty or
-- null: what is absent is PostgreSQL's default (`acl` alone may be an empty list: nobody has
-- anything). No OIDs, no attribute numbers. Expressions and definitions are the server's own words
-- (pg_get_*def), read with an empty search_path: names in them are qualified, save pg_catalog's.
-- Texts of types (`type`) are those of format_type: "character varying(20)", "app.mood[]".
--
-- IDENTITIES   kind, blank, qualified name; every name in quotes where SQL needs it
--   schema app · extension citext · table app.users · foreign table app.f · view app.v
--   materialized view app.m · sequence app.s · index app.i
--   constraint users_pkey on app.users (of a table or a domain) · trigger t on app.users
--   rule r on app.users · policy p on app.users
--   function app.f(integer, text) · procedure app.p() · aggregate app.a(integer)
--   enum app.mood · domain app.d · composite app.c · range app.r · base type app.b
--   shell type app.s
--   statistics app.s · collation app.c · conversion app.c · operator app.===(integer, NONE)
--   operator class app.o using btree · operator family app.o using btree
--   text search parser|template|dictionary|configuration app.x
--   cast (app.a as integer) · transform for app.t language plperl · language plx
--   access method am
--   foreign data wrapper w · server s · user mapping for bob server s (PUBLIC is "public")
--   publication p · subscription s · event trigger e
--   default privileges of alice on tables · default privileges of alice in schema app on tables
-- In `depends` alone there are parts, which are inside an object:
--   column app.users.email           snapshot.object_of(identity) → "table app.users"
--
-- FIELDS OF EVERY OBJECT
--   kind        the word(s) its identity begins with
--   schema      its schema, plain (not quoted); of a subordinate object: of its parent
--   name        plain
--   parent      identity of the table, view or domain that a constraint, index, trigger, rule or
--               policy is of; it goes when the parent goes
--   owner       role; subordinate objects have none
--   acl         privileges, when they are not PostgreSQL's default: list of
--                 { grantee = "bob", grantor = "eve", privileges = { "INSERT", "SELECT" },
--                   grantable = { "SELECT" } }
--               sorted. No grantee: the owner; "public": everyone. No grantor: the owner.
--               `grantable` are those of `privileges` that come WITH GRANT OPTION.
--   comment     text
--   labels      { [provider] = security label }
--   extensions  identities: DEPENDS ON EXTENSION (functions, triggers, indexes, materialized views)
--
-- table, foreign table, view, materialized view
--   columns     in their order (a composite type has them too):
--     name, type
--     collation     when it is not the type's:  "C", app.de  (as SQL)
--     not_null, not_null_name (18: when it is not <table>_<column>_not_null),
--       not_null_no_inherit, not_null_not_valid, not_null_inherited, not_null_comment
--     default       expression (of a view's column too)
--     generated     "stored" | "virtual", with `expression`
--     identity      "always" | "by default", with `sequence`: { name, … } the fields of a
--                   sequence below, without owner, schema and type (the column's)
--     serial        identity of the sequence that is owned by this column and feeds its default
--     storage       "plain" | "external" | "extended" | "main", when it is not the type's own,
--                   which is then `type_storage`
--     compression   "pglz" | "lz4"
--     statistics    integer: SET STATISTICS
--     options       { n_distinct = "5" }
--     fdw_options   { column_name = "x" }
--     inherited     it comes from the parents and is not the table's own (attislocal is false)
--     acl (owner's own privileges are those of the table), comment, labels
--   unlogged
--   inherits        identities of the parents, in their order
--   partition_of    identity of the partitioned table, with `bound`: "FOR VALUES IN (1)", "DEFAULT"
--   detach_pending  DETACH CONCURRENTLY that did not end
--   partition_by    "RANGE (created)": it is a partitioned table
--   of_type         identity of the composite type
--   row_security, force_row_security
--   replica_identity  "full" | "nothing" | name of an index (plain; the table's schema)
--   clustered_on    name of an index
--   access_method   when it is not heap      tablespace   when it is not the database's
--   options         { fillfactor = "70" }: reloptions; a view's: { security_invoker = "true" }
--   toast_options   { autovacuum_enabled = "false" }
--   server, fdw_options                        foreign table
--   definition      SELECT …;                  view, materialized view
--   not_populated                              materialized view: WITH NO DATA
-- sequence (start … cycle only where they are not the default of their type and direction)
--   type, start, increment, min_value, max_value, cache, cycle, unlogged,
--   owned_by        "column app.t.id"; the sequence goes with it. Sequences of identity columns are
--                   no objects: they are in their column.
-- constraint
--   type            "primary_key" | "unique" | "check" | "foreign_key" | "exclude"
--   definition      FOREIGN KEY (a) REFERENCES app.t(id) ON DELETE CASCADE
--   columns         names: of the key, of the CHECK, of the foreign key
--   references      { table = identity, columns = names }, on_delete, on_update ("cascade",
--                   "restrict", "set null", "set default"), on_delete_columns, match = "full"
--   deferrable, initially_deferred, not_valid, not_enforced, no_inherit
--   inherited       it comes from the parent table's and is not the table's own;
--   part_of         identity of the constraint of the partitioned table it belongs to
--   index           facts of its index that the definition does not tell: { options, tablespace,
--                   invalid, comment, labels, statistics }; its name is the constraint's
--   triggers        "disabled" | "replica" | "always": its triggers are not as they are made
-- index (those of constraints are in their constraint)
--   definition      CREATE UNIQUE INDEX i ON app.t USING btree (lower(a)) WHERE (b > 0)
--   method, unique, columns (those keys that are columns), expressions (those that are not),
--   include, where, nulls_not_distinct
--   options, tablespace, invalid (CONCURRENTLY that failed, or ON ONLY without all its parts)
--   statistics      { { column = 1, target = 500 } }: ALTER INDEX … ALTER COLUMN 1 SET STATISTICS
--   part_of         identity of the index (or constraint) of the partitioned table
-- trigger           definition, enabled, constraint (true: CONSTRAINT TRIGGER),
--                   part_of: identity of the partitioned table's trigger it is a copy of
-- rule              definition, enabled
--   enabled         absent, or "disabled" | "replica" | "always"
-- policy            command ("ALL", "SELECT" …), permissive | restrictive (true), roles (sorted,
--                   "public"), using, check
-- statistics        definition, table (identity), statistics (SET STATISTICS)
-- function, procedure
--   definition      CREATE OR REPLACE FUNCTION …
--   arguments       a integer, b text DEFAULT 'x'::text     signature   integer, text
--   returns, language, window (true)
-- aggregate         arguments, signature, returns, and of CREATE AGGREGATE: sfunc, stype, sspace,
--                   finalfunc, finalfunc_extra, finalfunc_modify, combinefunc, serialfunc,
--                   deserialfunc, initcond, msfunc, minvfunc, mstype, msspace, mfinalfunc,
--                   mfinalfunc_extra, mfinalfunc_modify, minitcond, sortop, parallel,
--                   type ("ordered set" | "hypothetical set"), direct_arguments (count)
-- enum              labels, in their order
-- domain            type, collation, not_null, not_null_name, default; CHECKs are constraints
-- composite         columns
-- range             subtype, subtype_opclass, collation, canonical, subtype_diff, multirange
-- base type         the words of CREATE TYPE: input, output, receive, send, typmod_in, typmod_out,
--                   analyze, subscript, length, by_value, alignment, storage, category, preferred,
--                   default, element, delimiter, collatable
-- schema            –
-- extension         schema (where its objects are), version. Its objects are not in the value: an
--                   edge to one of them is an edge to the extension.
-- collation         provider, locale (or collate, ctype), deterministic, rules
-- conversion        from, to, function, default
-- operator          function, left, right, commutator, negator, restrict, join, hashes, merges
-- operator family   method; operators, functions: the loose ones, texts as in ALTER … ADD
-- operator class    method, type, family (identity), default, storage, operators, functions
-- text search parser        start, gettoken, end, headline, lextypes
-- text search template      init, lexize
-- text search dictionary    template, options (text)
-- text search configuration parser, mappings = { [token type] = dictionaries }
-- cast              source, target, function, inout, context ("assignment" | "implicit")
-- transform         type, language, from_sql, to_sql
-- language          trusted, handler, inline, validator
-- access method     type ("index" | "table"), handler
-- foreign data wrapper      handler, validator, options
-- server            wrapper, type, version, options
-- user mapping      role, server, options (a password is there as a digest only)
-- publication       all_tables, operations (sorted: those published), via_root, generated,
--                   tables = { { table = identity, columns, where } }, schemas
-- subscription      enabled, publications, slot, options. Its connection string is not read.
-- event trigger     event, tags, function, enabled
-- default privileges  role, on ("tables", "sequences", "functions", "types", "schemas"), acl:
--                   with a schema what is granted there, without: all that new objects get
--
-- EDGES   depends[a][b]: a needs b, so b is made first and dropped last. Strength, b being dropped:
--   "normal"    refused, unless CASCADE takes a too
--   "auto"      a goes along by itself (index, constraint, sequence → column)
--   "internal"  a is a part of b's making and goes along (partition's index → the table's)
--   "part"      only what a says of b goes (publication → table)
-- The edge that is true for most objects, to their own table or schema, is among them. Columns are
-- on both sides: "column app.t.c" → "enum app.mood"; "view app.v" → "column app.t.c". An object
-- does not list its own columns. Bodies of functions that are strings have no edges, for the server
-- knows none.

local compare = require("luamig.snapshot.compare")
local quote = require("luamig.quote")
local reader = require("luamig.snapshot.reader")

local snapshot = {}

---@class luamig.SnapshotOptions
---@field schemas? string[]  only these, and nothing that is outside all schemas; default: all but
---  the system's
---@field ignore? string[]  schemas ("luamig") and tables ("public.alembic_version") that are left
---  out; default { "luamig" }
---@field include? fun(kind: string, name: string): boolean  called with the two parts of every
---  identity; what it refuses is left out, with all that is of it
---@field prepare? boolean  this connection will read again, which then takes a fifth of the time
---  for a small database; not behind a pooler, for the queries are prepared on the server

---Reads the catalogs: one pipeline, one round trip, one snapshot of the database. A transaction
---that is open stays open, and its own changes are seen.
---Raises: server, connection, interrupted; operation (a malformed name to ignore).
---@param conn userdata  of luamig.core.conn
---@param options? luamig.SnapshotOptions
---@return table value
function snapshot.read(conn, options)
  options = options or {}
  local schemas, tables = {}, {}
  for _, name in ipairs(options.ignore or { "luamig" }) do
    local schema, last = quote.split_name(name)
    if schema then
      tables[quote.name(name)] = true
    else
      schemas[#schemas + 1] = last
    end
  end
  return reader.read(conn, {
    schemas = options.schemas,
    ignore = schemas,
    ignore_tables = tables,
    include = options.include,
    prepare = options.prepare,
  })
end

---Whether two values describe the same database. What is needed by whom follows from the objects
---and is not compared.
---@param options? { column_order?: boolean, owners?: boolean, privileges?: boolean,
---  comments?: boolean, labels?: boolean }  false passes that over
---@return boolean
function snapshot.equal(a, b, options)
  return compare.equal(a, b, options)
end

---A short mark of a value: equal values have equal marks.
---@return string  64 hexadecimal digits
function snapshot.fingerprint(value)
  return compare.fingerprint(value)
end

---The object that an identity names or is a part of: of a column, its table.
---@return string|nil identity
function snapshot.object_of(value, identity)
  return value.objects[identity] and identity or value.parts[identity]
end

return snapshot
