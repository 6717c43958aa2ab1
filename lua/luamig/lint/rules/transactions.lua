--- Whether a revision runs at all, and what it leaves when it is stopped midway.

local safe = require("luamig.lint.safe")

local hints = {
  ["25001"] = "it cannot run inside a transaction: op.autocommit(function() … end), or the "
    .. "option concurrently of the operation",
  ["55P04"] = "a new enum value can be used after a commit only: op.add_enum_value commits by "
    .. "itself",
}

local function failed(found, f, what)
  found({ fault = f, message = ("%s does not run: %s%s"):format(what, f.message,
    f.sqlstate and (" (%s)"):format(f.sqlstate) or ""),
    safe = "-- " .. (hints[f.sqlstate or ""] or f.hint or "it must run on an empty database, with "
      .. "the revisions before it") })
end

local function check_runs(facts, found)
  local f = facts.is_up and facts.measured.failure
  if f then
    failed(found, f, "the revision")
  end
end

local function check_undo_runs(facts, found)
  local m = facts.measured
  if facts.is_up and m.down_failure then
    failed(found, m.down_failure, "the downgrade")
  elseif facts.is_up and m.again_failure then
    failed(found, m.again_failure, "the upgrade, behind its own downgrade,")
  end
end

-- Concerning values alone a made-up row proves nothing; a NULL that cannot be is certain.
local function check_rows(facts, found)
  local f = facts.is_up and facts.measured.on_rows
  if f and f.sqlstate == "23502" then
    found({ fault = f, message = ("it fails as soon as the table has a row: %s"):format(f.message),
      safe = "-- with a constant default it succeeds, and writes no row\n"
        .. 'op.add_column("…", op.column("…", "…", { nullable = false, default = … }))' })
  end
end

local function check_if_not_exists(facts, found)
  for _, entry in ipairs(facts.entries) do
    if entry.kind.is_concurrent and entry.kind.node == "IndexStmt" and entry.op == "execute"
      and entry.kind.tree.if_not_exists then
      found({ entry = entry, name = entry.kind.tree.idxname,
        message = "IF NOT EXISTS keeps an invalid index that an earlier try left",
        safe = ("op.create_index(%s, …, { concurrently = true }) -- builds an invalid one anew")
          :format(safe.text(entry.kind.tree.idxname or "…")) })
    end
  end
end

local function first_column(relation)
  return (relation.definition or ""):match("USING %w+ %(([^,)]+)")
end

local function check_replaced(facts, found)
  local dropped = {}
  for _, entry in ipairs(facts.entries) do
    for _, index in ipairs(entry.created) do
      local before = index.table and dropped[index.table.oid]
      if before and facts:is_old(index) and first_column(before.index) == first_column(index) then
        found({ entry = before.entry, subject = index.table, name = before.index.name,
          message = ("index %s is dropped before %s is there: queries read the whole table "
            .. "meanwhile")
            :format(before.index.name, index.name),
          safe = safe.create_index(index) .. "\n"
            .. ("op.drop_index(%s, { concurrently = true })"):format(safe.name(before.index)) })
      end
    end
    for _, index in ipairs(entry.dropped) do
      if index.table and not index.table.is_dropped then
        dropped[index.table.oid] = { index = index, entry = entry }
      end
    end
  end
end

local function check_corrupting(facts, found)
  local version = facts.stats and facts.stats.server_version
  for _, entry in ipairs(facts.entries) do
    if version and version >= 140000 and version < 140004 and entry.kind.is_concurrent then
      found({ entry = entry, message = ("production runs 14.%d, where CONCURRENTLY may build a "
        .. "corrupt index"):format(version % 10000), safe = "-- PostgreSQL 14.4 or newer first" })
    end
  end
end

local function check_all(facts, found)
  for _, entry in ipairs(facts.cfg.transaction == "all" and facts.entries or {}) do
    local lock = entry.transaction > 0 and facts:locks(entry, 5)[1]
    if lock then
      found({ entry = entry, subject = lock.relation, name = lock.relation.name,
        message = ("transaction = \"all\": the lock on %s is held until the last revision of "
          .. "the run ends"):format(lock.relation.shown),
        safe = '-- in luamig.lua\ntransaction = "revision"' })
      return
    end
  end
end

return {
  { id = "RUN001", severity = "error", title = "a revision does not run",
    why = "It was run on a throwaway server behind all revisions that come before it.",
    safe = "luamig upgrade --ephemeral", check = check_runs },
  { id = "RUN002", severity = "error", title = "a downgrade does not run",
    why = "downgrade() was run behind upgrade() on a throwaway server.",
    safe = 'irreversible = "why"  -- in the header, when there is no way back',
    check = check_undo_runs },
  { id = "RUN003", severity = "error", title = "it fails on a table that has rows",
    why = "The table was filled with rows that its definition allows.",
    safe = 'op.add_column("users", op.column("role", "text", { nullable = false, default = "user" '
      .. '}))', check = check_rows },
  { id = "TXN001", severity = "warning", title = "CONCURRENTLY with IF NOT EXISTS",
    why = "An index whose building was stopped is there, and invalid: IF NOT EXISTS keeps it. "
      .. "op.create_index drops it and builds it anew.",
    safe = 'op.create_index("users_email", "users", { "email" }, { concurrently = true })',
    check = check_if_not_exists },
  { id = "TXN002", severity = "warning", title = "an index is dropped before its replacement is "
    .. "there",
    why = "Between the two, queries that used it read the whole table.",
    safe = 'op.create_index("users_email_2", "users", { "email", "id" }, { concurrently = true })\n'
      .. 'op.drop_index("users_email", { concurrently = true })', check = check_replaced },
  { id = "TXN004", severity = "warning", title = "one transaction for all revisions",
    why = "Every lock is held until the last revision ends, so what is safe in two revisions is "
      .. "not safe any more: NOT VALID in one and VALIDATE in the next.",
    safe = '-- in luamig.lua\ntransaction = "revision"', check = check_all },
  { id = "TXN003", severity = "error", since = 140000, title = "CONCURRENTLY on PostgreSQL 14.0 "
    .. "to 14.3",
    why = "These versions may build corrupt indexes concurrently. Known from --stats of "
      .. "production.",
    safe = "-- PostgreSQL 14.4 or newer first", check = check_corrupting },
}
