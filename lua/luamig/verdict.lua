--- What a failure means for the database: what is applied, what was rolled back, and what to type
-- next.

local fault = require("luamig.fault")
local lookalike = require("luamig.lookalike")

local verdict = {}

local function rows_text(rows)
  return #rows > 0 and table.concat(rows, ", ") or "<base>"
end

local function rows_now(run)
  local last = run.steps[run.done]
  return last and last.rows or run.rows_before
end

local function applied_ids(run)
  local ids = {}
  for i = 1, run.done do
    ids[i] = run.steps[i].id
  end
  return ids
end

local function list_text(ids)
  if #ids > 6 then
    return ("%s … %s (%d revisions)"):format(ids[1], ids[#ids], #ids)
  elseif #ids < 2 then
    return ids[1] or ""
  end
  return table.concat(ids, ", ", 1, #ids - 1) .. " and " .. ids[#ids]
end

-- What stands, in front of what was rolled back: "005 and 006 are applied; ".
local function done_text(run, verb)
  local ids = applied_ids(run)
  if #ids == 0 then
    return ""
  end
  return ("%s %s %s; "):format(list_text(ids), #ids > 1 and "are" or "is", verb)
end

-- The step that the failure is of; nil when all of them are done, or it came before the first.
local function failed_step(run, f)
  if f.revision == false then
    return nil
  end
  local next_step = run.steps[run.done + 1]
  return next_step and (f.step or run.step or next_step)
end

-- The step of which a part was committed: the failed one, or one before it whose end was queued and
-- did not come to be.
local function partial_step(run, step)
  for _, each in ipairs({ step, run.steps[run.done + 1] }) do
    if run.unfinished[each.id .. " " .. each.direction] then
      return each
    end
  end
  return nil
end

local function or_nothing(was)
  return was == "" and "nothing changed; " or was
end

local function state_text(run, f)
  local step = failed_step(run, f)
  local verb = run.direction == "upgrade" and "applied" or "undone"
  local was = done_text(run, verb)
  local place = "database is at " .. rows_text(rows_now(run))
  local partial = step and partial_step(run, step)
  if not step then
    return (f.revision == false and or_nothing(was) or was) .. place
  elseif f.uncertain then
    return ("%sit is not known whether revision %s was committed: %s"):format(was, step.id,
      f.uncertain)
  elseif partial then
    f.is_partial = true
    return ("%srevision %s is partly %s: what it had committed stays and is passed over when it is "
      .. "run again; %s"):format(was, partial.id, verb, place)
  end
  local rolled_back = step.is_begun and ("revision %s rolled back, "):format(step.id) or ""
  return or_nothing(was) .. rolled_back .. place
end

local tries = {
  lock = "look at who is in the way, then run again: %s",
  connection = "run again: %s",
  interrupted = "go on with: %s",
}

-- Where the script is not what has to be mended.
local tries_of_state = {
  ["42501"] = "let the owner grant the right, then run again: %s",
  ["25006"] = "connect to where writing is allowed, then run again: %s",
}

-- What is to be mended before the command is run again.
local function culprit(f)
  if f.hook then
    return "the hook"
  elseif f.kind == "server" and not f.file then
    return "that" -- a statement of luamig's own
  end
  return "the script"
end

local is_mendable = { server = true, script = true, operation = true }

local function try_of(run, f)
  if f.uncertain then
    return "look again: luamig status"
  elseif is_mendable[f.kind] and not tries_of_state[f.sqlstate] then
    local text = "fix " .. culprit(f) .. " and run: "
    if f.is_partial and not f.hook then
      text = "fix the script behind what is committed, and resume with: "
    end
    return text .. run.migration.command
  end
  local text = tries_of_state[f.sqlstate] or tries[f.kind]
  return text and (f.is_partial and "resume with: %s" or text):format(run.migration.command)
end

local NO_SCHEMA <const> = "3F000"
local UNSAFE_NEW_VALUE <const> = "55P04"

-- What the server cannot know about the run.
local function hint_of(run, f)
  if f.sqlstate == NO_SCHEMA and f.message:find("no schema has been selected", 1, true) then
    return ("none of the schemas of search_path is there: %s"):format(
      run.settings.search_path ~= "" and run.settings.search_path or "it is empty")
  elseif run.is_dry and f.sqlstate == UNSAFE_NEW_VALUE then
    f.try = run.migration.command:gsub("%-%-dry%-run", "--ephemeral")
    return "a dry run commits nothing, and this revision commits in between; a throwaway server "
      .. "runs it whole"
  end
  return nil
end

-- The compare-and-set of the version rows fails by a cast; nobody should have to read that.
local function explain_move(run, f)
  local sql = run.migration.state.sql
  local is_move = f.statement == sql.move or f.statement == sql.finish
  if not is_move or (f.sqlstate ~= "22P02" and f.sqlstate ~= "23505") then
    return
  end
  f.message = "the version rows were changed by somebody else meanwhile"
  f.hint = "another luamig at work behind a pooler, or a hand: luamig's own lock keeps others out "
    .. "on a direct connection"
  f.sqlstate, f.statement, f.position, f.detail, f.context = nil, nil, nil, nil, nil
end

local UNTRANSLATABLE <const> = "22P05"
local storing <const> = { "finish", "record", "journal_write", "journal_start" }

local function line_of(text, bytes)
  local at = bytes ~= "" and text:find(bytes, 1, true)
  return at and select(2, text:sub(1, at):gsub("\n", "")) + 1 or nil
end

-- The text of a script is kept in the database, which may have an encoding that lacks a character.
local function explain_text(run, f)
  local sql, rev = run.migration.state.sql, f.step and f.step.rev
  local is_storing = false
  for _, name in ipairs(storing) do
    is_storing = is_storing or f.statement == sql[name]
  end
  if not rev or f.sqlstate ~= UNTRANSLATABLE or not is_storing then
    return
  end
  local bytes = ""
  for pair in f.message:gmatch("0x(%x%x)") do
    bytes = bytes .. string.char(tonumber(pair, 16))
  end
  f.message = ("the database is encoded in %s, which has no '%s': the text of the script cannot be "
    .. "stored"):format(f.message:match('"([^"]*)"[^"]*$') or "another way", bytes)
  f.hint = "luamig keeps the text of what it applies; write the script without this character"
  f.line = line_of(rev.text, bytes)
  f.statement, f.position, f.context, f.origin = nil, nil, nil, nil
end

---Completes a fault with the state of the database and the next command.
---@return table  the same fault
function verdict.complete(run, f)
  local step = f.step or run.step
  explain_move(run, f)
  explain_text(run, f)
  fault.complete(f, {
    revision = step and step.rev.id,
    direction = run.direction,
    applied = applied_ids(run),
    state = state_text(run, f),
  })
  f.hint = hint_of(run, f) or lookalike.hint(run.conn, f, run.settings.search_path) or f.hint
  fault.complete(f, { try = try_of(run, f) })
  f.step = nil
  return f
end

return verdict
