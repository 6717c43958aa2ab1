--- A result of the comparison as text: SQL, calls of operations, JSON.

local source = require("luamig.source")
local statements = require("luamig.diff.statements")

local show = {}

local function notes(result, out, mark)
  for _, entry in ipairs(result.unsupported) do
    out[#out + 1] = ("%s not changed: %s: %s\n"):format(mark, entry.identity, entry.what)
  end
  for _, entry in ipairs(result.notes) do
    out[#out + 1] = ("%s not compared: %s: %s\n"):format(mark, entry.identity, entry.what)
  end
end

local function loss(change)
  return (change.data_loss and ("-- data is lost: %s\n"):format(change.data_loss) or "")
    .. (change.warning and ("-- %s\n"):format(change.warning) or "")
end

-- A column that goes while one of its type comes may be the same with another name.
local function rename_hints(result)
  local dropped, out = {}, {}
  for _, change in ipairs(result.changes) do
    local record = change.records[1]
    if record and record.op == "drop_column" then
      dropped[record.args.table] = dropped[record.args.table] or {}
      table.insert(dropped[record.args.table], record.args.column)
    end
  end
  for _, change in ipairs(result.changes) do
    local record = change.records[1]
    local gone = record and record.op == "add_column" and dropped[record.args.table]
    if gone and #gone == 1 then
      out[change] = ("-- is it %s with another name? then say renamed_from = \"%s\" there\n")
        :format(gone[1], gone[1])
    end
  end
  return out
end

---As SQL, a statement each.
---@param result luamig.diff.Result
---@param context table  of a rendering
---@return string
function show.sql(result, context)
  local out = {}
  notes(result, out, "--")
  for _, change in ipairs(result.changes) do
    out[#out + 1] = loss(change)
    for _, text in ipairs(statements.sql({ change }, context)) do
      out[#out + 1] = text .. ";\n"
    end
  end
  return table.concat(out)
end

---As the Lua of a revision.
---@return string
function show.ops(result)
  local out = {}
  notes(result, out, "--")
  for _, change in ipairs(result.changes) do
    out[#out + 1] = loss(change)
    out[#out + 1] = source.calls(change.records)
  end
  return table.concat(out)
end

local INDENT <const> = "  "

---As the body of a function: comments and calls, each without the indent of its first line. The
---further lines of a call have theirs, and those of a text in it none.
---@param is_downgrade? boolean  nobody needs to be told what undoing loses
---@return string[]
function show.body(result, is_downgrade)
  local out = {}
  for _, entry in ipairs(result.unsupported) do
    out[#out + 1] = ("-- not changed: %s: %s"):format(entry.identity, entry.what)
  end
  local hints = is_downgrade and {} or rename_hints(result)
  for _, change in ipairs(result.changes) do
    local said = (hints[change] or "") .. (is_downgrade and "" or loss(change))
    for line in said:gmatch("[^\n]+") do
      out[#out + 1] = line
    end
    for _, record in ipairs(change.records) do
      out[#out + 1] = source.call(record, INDENT):sub(#INDENT + 1)
    end
  end
  return out
end

---@return table
function show.json(result, context)
  local changes = {}
  for i, change in ipairs(result.changes) do
    changes[i] = {
      object = change.identity,
      data_loss = change.data_loss,
      warning = change.warning,
      sql = statements.sql({ change }, context),
      ops = source.calls(change.records),
    }
  end
  return { changes = changes, not_changed = result.unsupported, not_compared = result.notes }
end

return show
