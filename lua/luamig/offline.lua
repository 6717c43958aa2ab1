--- `--sql`: a script that psql runs with the effect of the command, version rows and history
-- included. It opens with a guard that stops unless the database is where the script begins.
-- Nothing is printed unless all of it could be made.

local config = require("luamig.config")
local about = require("luamig.core.about")
local fault = require("luamig.fault")
local executor = require("luamig.executor.offline")
local quote = require("luamig.quote")
local script = require("luamig.script")
local types = require("luamig.types")
local version = require("luamig.core.version")

local offline = {}

local function array_literal(list)
  return types.literal(list, "text[]")
end

local function rows_words(rows)
  return #rows > 0 and table.concat(rows, ", ") or "<base>"
end

local guard_text <const> = [[
DO $luamig$
DECLARE
  found text[];
BEGIN
  IF pg_catalog.to_regclass(%s) IS NOT NULL THEN
    EXECUTE %s INTO found;
  END IF;
  IF COALESCE(found, '{}') OPERATOR(pg_catalog.<>) %s THEN
    RAISE EXCEPTION 'this script begins at %%, the database is at %%', %s,
      COALESCE(NULLIF(pg_catalog.array_to_string(found, ', '), ''), '<base>');
  END IF;
END
$luamig$]]

local function guard(sql, rows)
  local sorted = table.move(rows, 1, #rows, 1, {})
  table.sort(sorted)
  local query = 'SELECT pg_catalog.array_agg(version_num ORDER BY version_num COLLATE "C") FROM '
    .. sql.table
  return guard_text:format(quote.string(sql.table), quote.string(query), array_literal(sorted),
    quote.string(rows_words(rows)))
end

-- What the config sets, as { name, text of SET behind the word SET }.
local function settings_of(cfg)
  local out = {}
  local function add(name, text)
    out[#out + 1] = { name, name .. (name == "ROLE" and " " or " = ") .. text }
  end
  local statement = config.milliseconds(cfg.statement_timeout)
  add("lock_timeout", quote.string(config.milliseconds(cfg.lock_timeout) .. "ms"))
  if statement > 0 then
    add("statement_timeout", quote.string(statement .. "ms"))
  end
  if cfg.search_path then
    local path = cfg.search_path
    add("search_path", type(path) == "table" and quote.idents(path) or path)
  end
  if cfg.role then
    add("ROLE", quote.ident(cfg.role))
  end
  return out
end

local function texts_of(settings, verb, column)
  local out = {}
  for i, setting in ipairs(settings) do
    out[i] = verb .. setting[column]
  end
  return out
end

-- The executor with the opening of every script: the guard, and what is there or made.
local function open_script(cfg, rows)
  local settings = settings_of(cfg)
  local out = executor.new({
    lines = {},
    settings = texts_of(settings, "SET LOCAL ", 2),
    session = texts_of(settings, "SET ", 2),
    resets = texts_of(settings, "RESET ", 1),
    lock_timeout = config.milliseconds(cfg.lock_timeout) .. "ms",
  })
  local sql = version.sql(cfg.version_schema, cfg.version_table)
  out.lines[1] = ("-- made by luamig %s; run it with: psql -f FILE"):format(about.luamig)
  out.lines[2] = "\\set ON_ERROR_STOP on\n"
  if cfg.role then
    out:begin_session() -- luamig's own tables are the role's, too
  end
  out:statement(guard(sql, rows))
  out:statement("SET client_min_messages = warning") -- what is there already is no news
  if cfg.version_schema ~= "public" then
    out:statement(sql.create_schema)
  end
  out:statement(sql.create_version)
  out:statement(sql.create_history)
  out:statement(sql.create_journal)
  out:statement("RESET client_min_messages")
  out:statement("PREPARE luamig_move(text[], text[]) AS " .. sql.move)
  out:statement("PREPARE luamig_record(text, text, text, text, text, text, text) AS "
    .. sql.record)
  return out
end

local function close_script(out)
  out:end_session()
  out:statement("DEALLOCATE luamig_move")
  out:statement("DEALLOCATE luamig_record")
end

local function move_text(remove, add)
  return ("EXECUTE luamig_move(%s, %s)"):format(array_literal(remove), array_literal(add))
end

local function record_text(id, direction, rev)
  local values = { quote.string(id), quote.string(direction), "NULL", quote.string(about.luamig) }
  values[5] = rev and quote.string(rev.sha256) or "NULL"
  values[6] = rev and quote.string(rev.text) or "NULL"
  values[7] = "NULL"
  return "EXECUTE luamig_record(" .. table.concat(values, ", ") .. ")"
end

-- "FROM:TO", or a target alone: an upgrade then begins at base, as Alembic's does.
local function split_range(direction, target)
  local from, to = target:match("^(.-):(.*)$")
  if not from then
    if direction == "downgrade" then
      fault.raise({
        kind = "usage",
        message = "downgrade with --sql requires <fromrev>:<torev>",
        try = "luamig downgrade current:TARGET --sql",
      })
    end
    return "base", target
  end
  return from ~= "" and from or "base", to ~= "" and to or (direction == "upgrade" and "head"
    or "base")
end

local function start_rows(ctx, graph, from)
  local rows = graph:needs_rows(from) and ctx:rows() or nil
  return from == "current" and rows or graph:resolve(from, { current = rows, direction = "read" })
end

local function write_step(out, step, heading)
  out:note(("running %s %s"):format(step.direction, heading))
  script.run(step.rev, step.direction, out)
  out:begin()
  out:silent(move_text(step.remove, step.add))
  out:silent(record_text(step.id, step.direction,
    step.direction == "upgrade" and step.rev or nil))
end

local opposite = { upgrade = "downgrade", downgrade = "upgrade" }

-- A range that has steps in the other direction only was written the wrong way round.
local function check_direction(ctx, graph, direction, rows, target)
  local to = target:match(":(.*)$")
  local other = opposite[direction]
  local ok, steps = pcall(graph[other], graph, rows, to or target)
  if to and ok and #steps > 0 then
    fault.raise({
      kind = "usage",
      message = ("there is nothing to %s from %s to %s: that is the way %s"):format(direction,
        target:match("^[^:]*"), to, direction == "upgrade" and "down" or "up"),
      try = require("luamig.command_line").of(ctx, other, target, "--sql"),
    })
  end
end

---The script for an upgrade or a downgrade. Raises: graph, usage, operation, script.
---@param ctx table
---@param direction "upgrade"|"downgrade"
---@param target string  "TO" or "FROM:TO"
---@param step_text fun(step: table): string
---@return string
function offline.script(ctx, direction, target, step_text)
  local graph, by_id = ctx:graph()
  local cfg = ctx:config()
  local from, to = split_range(direction, target)
  local rows = start_rows(ctx, graph, from)
  local plan = graph[direction](graph, rows, to)
  if #plan == 0 then
    check_direction(ctx, graph, direction, rows, target)
  end
  local out = open_script(cfg, rows)
  for _, item in ipairs(plan) do
    local rev = by_id[item.id]
    script.check(rev, direction)
    out.context = {
      revision = item.id,
      direction = direction,
      environment = cfg.environment,
      offline = true,
      x = ctx.options.x,
      naming = cfg.naming,
    }
    local step = { id = item.id, rev = rev, direction = direction, remove = item.remove,
      add = item.add }
    write_step(out, step, step_text(step))
    if cfg.transaction ~= "all" then
      out:commit()
    end
  end
  out:commit()
  close_script(out)
  return table.concat(out.lines, "\n")
end

---The script for `stamp`.
---@param move { remove: string[], add: string[] }
---@param rows string[]  where the database is expected to be
---@return string
function offline.stamp(ctx, move, rows)
  local cfg = ctx:config()
  local out = open_script(cfg, rows)
  out:begin()
  out:silent(move_text(move.remove, move.add))
  for _, id in ipairs(move.add) do
    out:silent(record_text(id, "stamp"))
  end
  out:commit()
  close_script(out)
  return table.concat(out.lines, "\n")
end

return offline
