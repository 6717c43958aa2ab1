--- Ids of revisions: what they may look like, and the next one of each kind.

local fault = require("luamig.fault")

local ids = {}

-- Longer ones make file names that nobody reads; Alembic's own table holds 32 characters.
local LENGTH <const> = 64
local ALEMBIC_LENGTH <const> = 32

-- A number of more digits is a hash that happens to have no letter, or a moment.
local SEQUENCE_DIGITS <const> = 9

-- Words that mean something else wherever an id can stand.
local reserved = { head = true, heads = true, base = true, current = true }

local function refuse(what, id, why, hint)
  fault.raise({
    kind = "usage",
    message = ("'%s' is no %s: %s"):format(id, what, why),
    hint = hint,
  })
end

local function characters_of(text)
  local list, seen = {}, {}
  for character in text:gmatch(utf8.charpattern) do
    if not seen[character] and character:find("^[^%w_.\128-\255]") then
      seen[character] = true
      list[#list + 1] = character:find("^%c") and ("\\%d"):format(character:byte())
        or "'" .. character .. "'"
    end
  end
  return table.concat(list, " ")
end

---Stops unless the word can be an id or a label. Raises: usage.
---@param word string
---@param what "revision id"|"branch label"
---@param is_alembic? boolean  whether the version table is Alembic's own
function ids.check(word, what, is_alembic)
  local limit = is_alembic and ALEMBIC_LENGTH or LENGTH
  if word == "" then
    refuse(what, word, "it is empty")
  elseif reserved[word] then
    refuse(what, word, "the word has a meaning of its own", "see: luamig help targets")
  elseif not utf8.len(word) then
    refuse(what, word, "it is not UTF-8")
  elseif word:find("[^%w_.\128-\255]") then
    refuse(what, word, "it has " .. characters_of(word),
      "letters, digits, '_' and '.' may stand in it")
  elseif word:find("^[._]") then
    refuse(what, word, "it begins with '" .. word:sub(1, 1) .. "'")
  elseif utf8.len(word) > limit then
    refuse(what, word, ("it has %d characters, and %d fit"):format(utf8.len(word), limit))
  end
end

-- 007 follows 006; the width is that of the widest, and 999 is followed by 1000.
local function next_sequence(taken)
  local greatest, width
  for id in pairs(taken) do
    local number = id:find("^%d+$") and #id <= SEQUENCE_DIGITS and tonumber(id)
    if number then
      greatest, width = math.max(greatest or 0, number), math.max(width or 0, #id)
    end
  end
  greatest = greatest or 0
  local id
  repeat
    greatest = greatest + 1
    id = ("%0" .. (width or 3) .. "d"):format(greatest)
  until not taken[id]
  return id
end

local function random_hex(count)
  local source = assert(io.open("/dev/urandom", "rb"))
  source:setvbuf("no")
  local bytes = source:read(count // 2)
  source:close()
  return (bytes:gsub(".", function(byte)
    return ("%02x"):format(byte:byte())
  end))
end

local function next_hash(taken)
  local id
  repeat
    id = random_hex(12)
  until not taken[id] and id:find("%a") -- one of digits only would pass for a number
  return id
end

local function next_timestamp(taken, moment)
  local seconds = moment.seconds
  local id
  repeat
    id = moment:format("%Y%m%d%H%M%S", seconds)
    seconds = seconds + 1
  until not taken[id]
  return id
end

---The next id.
---@param kind "sequence"|"hash"|"timestamp"
---@param taken table<string, any>  ids and labels that exist
---@param moment table  of luamig.moment
---@return string
function ids.next(kind, taken, moment)
  if kind == "hash" then
    return next_hash(taken)
  elseif kind == "timestamp" then
    return next_timestamp(taken, moment)
  end
  return next_sequence(taken)
end

return ids
