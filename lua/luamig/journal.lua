--- The journal of a revision that commits more than once. Each committed segment is written down in
-- its own transaction: how many statements it had, a hash of each, what its queries gave. When the
-- revision is run again, the same calls are compared with that and passed over.
-- This unit keeps the count and the comparison; the executor does the sending. Pure.

local cjson = require("cjson")
local digest = require("luamig.core.digest")
local fault = require("luamig.fault")
local json = require("luamig.json")
local json_values = require("luamig.core.json")
local value = require("luamig.value")

local journal = {}

---What a statement is, in 64 hexadecimal digits: its text, its parameters, the data of a COPY.
---@param statement table
---@return string
function journal.hash(statement)
  local pieces = { statement.sql }
  local params = statement.params or {}
  for i = 1, params.n or #params do
    local text = params[i]
    pieces[#pieces + 1] = (text == nil or text == value.null) and "n" or "v" .. tostring(text)
  end
  pieces[#pieces + 1] = statement.data_hash
  return digest.sha256(table.concat(pieces, "\0"))
end

-- JSON has no bytes, and no difference between 1 and 1.0; a journaled result must come back as it
-- was, so what JSON would blur is written as { type, text }.
local packers = {
  string = function(v)
    if utf8.len(v) and not v:find("\0", 1, true) then
      return v
    end
    return { "bytes", (v:gsub(".", function(c)
      return ("%02x"):format(c:byte())
    end)) }
  end,
  number = function(v)
    return math.type(v) == "integer" and { "integer", tostring(v) }
      or { "float", ("%a"):format(v) }
  end,
  boolean = function(v)
    return v
  end,
}

local function pack(v)
  if v == value.null or v == nil then
    return { "null", "" }
  elseif type(v) == "table" then
    local entries = {}
    if value.is_empty_array(v) then
      return { "empty", "" }
    end
    for key, item in pairs(v) do
      entries[#entries + 1] = { pack(key), pack(item) }
    end
    return { "table", entries }
  end
  return packers[type(v)](v)
end

local unpackers = {
  bytes = function(text)
    return (text:gsub("%x%x", function(pair)
      return string.char(tonumber(pair, 16))
    end))
  end,
  integer = math.tointeger,
  float = tonumber,
  null = function()
    return value.null
  end,
  empty = function()
    return setmetatable({}, json_values.empty_array)
  end,
}

local function unpack_value(v)
  if type(v) ~= "table" then
    return v
  elseif v[1] ~= "table" then
    return unpackers[v[1]](v[2])
  end
  local out = {}
  for _, entry in ipairs(v[2]) do
    out[unpack_value(entry[1])] = unpack_value(entry[2])
  end
  return out
end

---Results of queries as text for the journal.
---@param results table<integer, table>  by the number of the statement
---@return string
function journal.encode(results)
  return json.encode(pack(results))
end

---@param text string|nil
---@return table<integer, table>
function journal.decode(text)
  return text and unpack_value(cjson.decode(text)) or {}
end

---One segment as the database has it.
---@class luamig.journal.Segment
---@field statements integer
---@field sha256 string[]
---@field results string|nil
---@field finished boolean  false: a statement outside a transaction was begun, its end not seen
---@field script string|nil  text of the file when it was written

local Cursor = {}
Cursor.__index = Cursor

---Where a run of a revision is among its segments.
---@param segments? luamig.journal.Segment[]  in order; what an earlier run committed
---@param what { file: string, revision: string, direction: string }
function journal.cursor(segments, what)
  return setmetatable({
    segments = segments or {},
    what = what,
    segment = 1,
    index = 0,
    statements = {},
    results = {},
  }, Cursor)
end

---Whether the segment at hand was committed by an earlier run.
function Cursor:is_replaying()
  local segment = self.segments[self.segment]
  return segment ~= nil and segment.finished
end

---Whether the statement to come was begun outside a transaction, and its end not seen.
function Cursor:is_in_doubt()
  local segment = self.segments[self.segment]
  return segment ~= nil and not segment.finished
end

function Cursor:mismatch(statement)
  local what = self.what
  local origin = statement and statement.origin or {}
  local done = self:is_in_doubt() and "begun" or "committed"
  fault.raise({
    kind = "edited",
    message = statement
      and ("this statement is not the one that was %s in its place"):format(done)
      or ("fewer statements than were committed in part %d of the revision"):format(self.segment),
    detail = ("%s of revision %s is partly applied: part %d, statement %d was %s, and the file was "
      .. "edited since"):format(what.direction, what.revision, self.segment,
      statement and self.index or self.index + 1, done),
    hint = "how to give the revision up instead is told by: luamig status",
    file = origin.file or what.file,
    line = origin.line,
    origin = statement and statement.op,
    statement = statement and statement.sql,
    try = "restore the committed part of the file; the stored text is shown by: luamig status -v",
    stored = self.segments[self.segment].script,
  })
end

---Counts a statement.
---Raises: edited, when another statement was committed in its place.
---@return boolean replayed, table|nil result  what the journal has for it
function Cursor:enter(statement)
  self.index = self.index + 1
  if not self:is_replaying() then
    self.statements[self.index] = statement
    if self:is_in_doubt() and self.segments[self.segment].sha256[1] ~= journal.hash(statement) then
      self:mismatch(statement)
    end
    return false
  end
  local segment = self.segments[self.segment]
  if segment.sha256[self.index] ~= journal.hash(statement) then
    self:mismatch(statement)
  end
  self.decoded = self.decoded or journal.decode(segment.results)
  return true, self.decoded[self.index]
end

---Keeps what the statement just entered gave.
function Cursor:keep(result)
  self.results[self.index] = result
end

---Hashes of the statements of the segment at hand.
---@return string[]
function Cursor:hashes()
  local out = {}
  for i, statement in ipairs(self.statements) do
    out[i] = journal.hash(statement)
  end
  return out
end

---Goes on to the next segment. Raises: edited, when the journal has more statements for this one.
function Cursor:next()
  if self:is_replaying() and self.index ~= self.segments[self.segment].statements then
    self:mismatch(nil)
  end
  self.segment = self.segment + 1
  self.index = 0
  self.statements = {}
  self.results = {}
  self.decoded = nil
end

---The script has ended. Raises: edited, when the journal knows of more.
function Cursor:finish()
  local is_short = self:is_replaying() and self.index ~= self.segments[self.segment].statements
  if is_short or self.segments[self.segment + 1] then
    self:mismatch(nil)
  end
end

return journal
