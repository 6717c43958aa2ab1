--- `luamig help lint`: all rules, and the locks behind them; `luamig help LOCK001`: one rule.

local measured = require("luamig.lint.measured")
local registry = require("luamig.lint.registry")

local help = {}

-- Measured on PostgreSQL 14 to 18, on a table with rows and indexes; tests/db/lint_locks_spec.lua
-- measures it again.
local locks = [[
What was measured on PostgreSQL 14 to 18, on a table with rows (luamig plan measures your own):

  ACCESS EXCLUSIVE, reads and writes wait
    for a moment       ADD COLUMN (nullable, or with a constant default or now()), DROP COLUMN,
                       SET and DROP DEFAULT, DROP NOT NULL, SET NOT NULL under a valid CHECK,
                       RENAME, SET SCHEMA, CHECK NOT VALID, UNIQUE and PRIMARY KEY USING INDEX,
                       DROP CONSTRAINT (of a foreign key: on both tables), DROP INDEX,
                       varchar to a longer one or text, numeric to more digits
    while it reads     SET NOT NULL, CHECK, UNIQUE, PRIMARY KEY, EXCLUDE, another COLLATE
    while it rewrites  a volatile default, serial, identity, GENERATED … STORED, a domain with
                       conditions, integer to bigint, varchar to a shorter one, json to jsonb,
                       SET LOGGED, SET TABLESPACE, VACUUM FULL, CLUSTER
  EXCLUSIVE            REFRESH MATERIALIZED VIEW CONCURRENTLY: writes wait, reads go on
  SHARE ROW EXCLUSIVE  FOREIGN KEY (both tables, and it reads both unless NOT VALID),
                       CREATE TRIGGER, ALTER SEQUENCE: writes wait
  SHARE                CREATE INDEX, REINDEX: writes wait while it reads
  SHARE UPDATE EXCLUSIVE, nobody waits
                       VALIDATE CONSTRAINT, CREATE INDEX CONCURRENTLY, SET STATISTICS, COMMENT,
                       VACUUM, ANALYZE, ATTACH PARTITION (of the parent)
  nothing              enum values, a domain's constraint NOT VALID]]

local intro = [[
luamig lint runs revisions on a throwaway server, on tables with rows, and measures what each
statement does: its locks, what it rewrites and reads, what it changes. Tables that the revision
itself makes are its own: what happens to them is no danger.

  luamig lint                    all revisions; --since REV: those that REV has not below it
  luamig lint 007 008:head       these
  --compat off|warn|error        what breaks the application that still runs; also a key of
                                 luamig.lua and of its environments
  --stats FILE                   sizes of production (luamig plan --export-stats FILE): what takes
                                 a moment there is no error
  --fail-on error|warning|info|never  findings as severe as this end with exit status 3
  --server URL                   a database made there, for extensions that this machine has not
  --report FORMAT[=FILE]         text, json, sarif, junit, github
  -v                             advice too

A rule does not hold here? Say why, above the call or in luamig.lua:

  -- luamig: ignore LOCK001 the table has 200 rows
  op.create_index("settings_name", "settings", { "name" })

  lint = { ignore = { ADVICE003 = "json is what the other side sends" },
           severity = { LOCK002 = "error", COMPAT008 = "off" } }

The comment stands above the call in the script, or above the statement in an SQL file that
op.execute_file runs.

In a protected environment `luamig upgrade` refuses what is an error here; --allow RULE lets it
through. luamig help other-linters: where the rules of squawk, eugene and others are.
]]

local function indented(text)
  return "  " .. text:gsub("\n", "\n  ")
end

---@return string
function help.index()
  local lines = { intro }
  for _, group in ipairs(registry.groups()) do
    lines[#lines + 1] = group.title:gsub("^%l", string.upper)
    for _, rule in ipairs(group.rules) do
      lines[#lines + 1] = ("  %-10s  %-7s  %s"):format(rule.id, rule.severity, rule.title)
    end
    lines[#lines + 1] = ""
  end
  lines[#lines + 1] = locks
  lines[#lines + 1] = ""
  lines[#lines + 1] = "luamig help RULE tells more of one."
  return table.concat(lines, "\n")
end

local function wrapped(text, width)
  local lines, line = {}, ""
  for word in text:gmatch("%S+") do
    if #line + #word + 1 > width and line ~= "" then
      lines[#lines + 1] = line
      line = word
    else
      line = line == "" and word or line .. " " .. word
    end
  end
  lines[#lines + 1] = line
  return table.concat(lines, "\n")
end

local waiting = {
  ["ACCESS EXCLUSIVE"] = "reads and writes wait", EXCLUSIVE = "writes wait",
  ["SHARE ROW EXCLUSIVE"] = "writes wait", SHARE = "writes wait",
}

-- Nobody can look at the locks of what runs outside a transaction: they are the manual's.
local function is_outside(sql)
  return sql:find("CONCURRENTLY", 1, true) and not sql:find("^REFRESH")
    or sql:find("^VACUUM") or sql:find("^CLUSTER")
end

-- Who waits, and how long: "writes wait while it reads users".
local function wait_text(mode, effect)
  local who = waiting[mode]
  if not who then
    return "nobody waits" .. (effect ~= "" and "; it " .. effect or "")
  end
  return who .. (effect ~= "" and " while it " .. effect or " for a moment")
end

local function fact_lines(lines, fact)
  local sql, lock, effect = fact[1], fact[2], fact[3]
  lines[#lines + 1] = "  " .. sql
    .. (fact.since and (" -- PostgreSQL %d"):format(fact.since // 10000) or "")
  lines[#lines + 1] = ("      %s%s: %s"):format(lock == "" and "no lock" or lock,
    is_outside(sql) and " (by the manual)" or "", wait_text(lock:match("^(.-) on "), effect))
end

-- The locks and effects of the statements that a rule is about.
local function locks_of(id)
  local lines = {}
  for _, fact in ipairs(measured.facts) do
    if (" " .. fact[4] .. " "):find(" " .. id .. " ", 1, true) then
      fact_lines(lines, fact)
    end
  end
  if #lines == 0 then
    return "It is not about locks."
  end
  return "Measured on PostgreSQL 14 to 18, on tables with rows:\n\n" .. table.concat(lines, "\n")
end

---The page of a rule, or nil when there is none of that name.
---@param id string
---@return string|nil
function help.rule(id)
  local rule = registry.get(id:upper())
  if not rule then
    return nil
  end
  local since = rule.since and rule.since // 10000 or 14
  return table.concat({
    ("%s  %s"):format(rule.id, rule.title),
    ("%s, PostgreSQL %d and newer"):format(rule.severity, since),
    "", wrapped(rule.why, 98), "", "Safe:", "", indented(rule.safe), "", locks_of(rule.id), "",
    ("Not here? -- luamig: ignore %s <why>   (luamig help lint)"):format(rule.id),
  }, "\n")
end

return help
