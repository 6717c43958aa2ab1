--- What other linters of PostgreSQL migrations look for, and which rule says it here; or why none
-- does. For those who come from there, and for ourselves: nothing is left out by oversight.

local others = {}

---@class luamig.lint.Other
---@field [1] string   what it looks for
---@field [2] string   our rules, or "-"
---@field [3]? string  names elsewhere: squawk's rule, eugene's number
---@field why? string  why there is no rule, or what takes its place

---@type { title: string, items: luamig.lint.Other[] }[]
others.groups = {
  { title = "Indexes", items = {
    { "CREATE INDEX without CONCURRENTLY", "LOCK001", "require-concurrent-index-creation, E6" },
    { "DROP INDEX without CONCURRENTLY", "LOCK002", "require-concurrent-index-deletion" },
    { "CONCURRENTLY inside a transaction", "RUN001", "ban-concurrent-index-creation-in-transaction",
      why = "op runs it outside of one" },
    { "REINDEX without CONCURRENTLY", "LOCK003" },
    { "CONCURRENTLY IF NOT EXISTS keeps an invalid index", "TXN001" },
    { "CONCURRENTLY on PostgreSQL 14.0 to 14.3", "TXN003" },
    { "the old index goes before the new one is there", "TXN002" },
    { "a redundant index, one of many columns", "ADVICE005 ADVICE012" },
    { "a hash index, an unnamed one, GIN on a whole jsonb", "-",
      why = "safe since PostgreSQL 10; op.create_index wants a name; a choice, not a danger" },
    { "COLLATE on an indexed column", "REWRITE008" },
  } },
  { title = "Constraints", items = {
    { "ADD UNIQUE", "LOCK004", "disallowed-unique-constraint, E7" },
    { "ADD PRIMARY KEY", "LOCK005", "adding-serial-primary-key-field" },
    { "PRIMARY KEY USING INDEX on a nullable column", "LOCK006", "W14" },
    { "ADD EXCLUDE", "LOCK007", "E8" },
    { "ADD CHECK without NOT VALID", "LOCK008", "constraint-missing-not-valid, E1" },
    { "ADD FOREIGN KEY without NOT VALID", "LOCK009", "adding-foreign-key-constraint, E1" },
    { "NOT VALID and VALIDATE in one transaction", "LOCK010", "E4" },
    { "a constraint in ADD COLUMN", "LOCK004 LOCK008 LOCK009" },
    { "several strong locks in one transaction", "LOCK017" },
    { "DROP of a foreign key, or of a table that has one, locks the partner", "LOCK016" },
    { "DROP of a CHECK", "-", why = "a lock for a moment, as of ADD COLUMN" },
    { "a foreign key of another type", "ADVICE004" },
    { "a foreign key without an index", "ADVICE001", "E15" },
    { "a foreign key without ON DELETE, or not deferrable", "-",
      why = "NO ACTION at once is the safe choice" },
    { "NOT ENFORCED", "ADVICE013" },
    { "a CHECK with a volatile function", "ADVICE010" },
    { "SET NOT NULL without a valid CHECK", "LOCK011", "adding-not-nullable-field, E2" },
    { "a constraint of a domain", "LOCK024", "ban-alter-domain-with-add-constraint" },
    { "a domain with a constraint is made", "-", "ban-create-domain-with-constraint",
      why = "its later changes are what hurts: LOCK024, REWRITE005" },
  } },
  { title = "Columns and types", items = {
    { "ADD COLUMN NOT NULL without a default", "RUN003 COMPAT005", "adding-required-field" },
    { "ADD COLUMN with a volatile default", "REWRITE002", "adding-field-with-default, E10" },
    { "ADD COLUMN serial, identity", "REWRITE003", "adding-serial-primary-key-field, E11" },
    { "ADD COLUMN GENERATED STORED, SET EXPRESSION", "REWRITE004", "E11" },
    { "ADD COLUMN of a domain with conditions", "REWRITE005" },
    { "ADD COLUMN json", "ADVICE003", "E3" },
    { "a type that rewrites the table", "REWRITE001", "changing-column-type, E5" },
    { "a type of a column with a CHECK", "LOCK012" },
    { "a narrower type", "COMPAT007" },
    { "DROP NOT NULL", "COMPAT012", "ban-drop-not-null" },
    { "a default that running code counts on", "COMPAT008" },
    { "DROP COLUMN", "COMPAT002 DATA001", "ban-drop-column" },
    { "RENAME of a column, a table, a value; SET SCHEMA", "COMPAT003 COMPAT004 COMPAT010",
      "renaming-column, renaming-table" },
    { "an integer key", "ADVICE002", "prefer-bigint-over-int, prefer-bigint-over-smallint" },
    { "serial", "ADVICE011", "prefer-identity" },
    { "char(n), money, timestamp, timetz", "ADVICE003", "ban-char-field, prefer-timestamp-tz" },
    { "varchar(n)", "-", "prefer-text-field",
      why = "a longer one is a change of the catalogs only (REWRITE001)" },
    { "an enum value used at once", "RUN001", why = "op.add_enum_value commits by itself" },
    { "an enum value without its place; an enum at all", "-", "require-enum-value-ordering, W13",
      why = "the end is a place; a matter of taste" },
    { "several ALTER TABLE of one table", "REWRITE010", "W12",
      why = "where each one writes it anew; else they cost nothing" },
    { "padding between columns", "-", why = "bytes, not a danger" },
  } },
  { title = "Tables and partitions", items = {
    { "DROP TABLE, SCHEMA, CASCADE, a type or view in use", "COMPAT001 COMPAT011 DATA001 DATA002",
      "ban-drop-table" },
    { "DROP DATABASE", "-", "ban-drop-database", why = "not from within the database" },
    { "TRUNCATE", "DATA003", "ban-truncate-cascade" },
    { "ATTACH PARTITION without a CHECK", "LOCK013 LOCK014" },
    { "DETACH PARTITION without CONCURRENTLY", "LOCK015" },
    { "CREATE TABLE PARTITION OF", "LOCK014 LOCK025" },
    { "a key that leaves the partition key out", "RUN001", why = "PostgreSQL refuses it" },
    { "VACUUM FULL, CLUSTER", "REWRITE006", "prefer-repack" },
    { "SET LOGGED, TABLESPACE, ACCESS METHOD", "REWRITE007" },
    { "REFRESH MATERIALIZED VIEW", "LOCK022" },
    { "CREATE OR REPLACE VIEW", "LOCK026 COMPAT015" },
    { "ALTER SEQUENCE", "LOCK023" },
    { "a table without a primary key; one that goes as replica identity", "ADVICE009" },
    { "autovacuum off", "ADVICE008" },
  } },
  { title = "Rows", items = {
    { "UPDATE or DELETE of all rows, not in batches", "DATA004" },
    { "UPDATE or DELETE that no index serves", "DATA006" },
    { "rows and definitions in one transaction", "LOCK018", "E4" },
    { "triggers off", "DATA007" },
    { "a sequence behind loaded rows; ANALYZE after a load", "-",
      why = "op.batch_execute and autovacuum; the rows of production are not here" },
    { "a unique constraint on rows that are not", "-",
      why = "production's rows are not here; the constraint fails, and all is rolled back" },
  } },
  { title = "Running", items = {
    { "no lock_timeout", "LOCK019", "require-timeout-settings, E9",
      why = "lock_timeout is 5s here, and tried again" },
    { "no statement_timeout, no idle_in_transaction_session_timeout", "-",
      "require-timeout-settings",
      why = "keys of luamig.lua; luamig does not idle in a transaction" },
    { "LOCK TABLE, CREATE TRIGGER", "LOCK020 LOCK021" },
    { "BEGIN and COMMIT in the script", "RUN001", "transaction-nesting",
      why = "op.execute refuses them" },
    { "not to be run again after half of it (IF NOT EXISTS)", "-", "prefer-robust-stmts",
      why = "each committed part is journaled; upgrade resumes" },
    { "DO blocks and dynamic SQL that cannot be read", "-", why = "they are run and measured" },
    { "all revisions in one transaction", "TXN004" },
    { "names over 63 bytes, given twice, of a pattern", "RUN001",
      why = "op refuses the first two; patterns are the key `naming`" },
    { "size of tables, traffic", "-", why = "--stats, made by luamig plan --export-stats" },
    { "a history that forks, an applied file that was edited, an unused ignore", "LINT002",
      why = "errors of the graph; luamig check" },
  } },
  { title = "Rights", items = {
    { "row security without a policy", "ADVICE007 COMPAT014" },
    { "SECURITY DEFINER without search_path", "ADVICE006" },
    { "writing granted to PUBLIC", "ADVICE014" },
    { "superusers, versions of extensions", "-", why = "of the server, not of a revision" },
  } },
  { title = "On the way back", items = {
    { "downgrade() is judged like upgrade()", "RUN002" },
    { "a downgrade that does not bring back what was there", "DATA005" },
    { "values that are lost without a word", "DATA001" },
  } },
}

---@return string  the page of `luamig help other-linters`
function others.page()
  local lines = {
    "What other linters look for, and the rule that says it here. In brackets: its name in squawk,",
    "its number in eugene. Rules judge what was measured, so each also sees what DO blocks and",
    "functions do.",
  }
  for _, group in ipairs(others.groups) do
    lines[#lines + 1] = ""
    lines[#lines + 1] = group.title
    for _, item in ipairs(group.items) do
      lines[#lines + 1] = ("  %s%s"):format(item[1], item[3] and (" [%s]"):format(item[3]) or "")
      local rules = item[2] ~= "-" and item[2]:gsub(" ", ", ") or "none"
      lines[#lines + 1] = ("      %s%s"):format(rules, item.why and ": " .. item.why or "")
    end
  end
  return table.concat(lines, "\n")
end

return others
