--- Reads the texts that pg_get_*def gives: parts between brackets and quotes stay whole. Pure.

local scan = {}

local function is_word(text, at)
  return at > 0 and text:find("^[%w_]", at) ~= nil
end

-- E'…' has backslashes that mean something.
local function is_escaped(text, at)
  return text:sub(at, at) == "'" and at > 1 and text:find("^[eE]", at - 1) ~= nil
    and not is_word(text, at - 2)
end

local function mark_end(text, at)
  local mark = text:sub(at, at)
  local pattern = is_escaped(text, at) and "['\\]" or mark
  local position = at + 1
  while true do
    local stop = text:find(pattern, position)
    if not stop then
      return #text
    elseif text:sub(stop, stop) == mark and text:sub(stop + 1, stop + 1) ~= mark then
      return stop
    end
    position = stop + 2
  end
end

-- Where a quoted piece ends that begins at `at`: '…', "…" or $tag$…$tag$; nil when none begins.
local function quoted_end(text, at)
  local c = text:sub(at, at)
  if c == "'" or c == '"' then
    return mark_end(text, at)
  end
  local tag = c == "$" and text:match("^%$[%a_]?[%w_]*%$", at)
  if tag then
    local _, stop = text:find(tag, at + #tag, true)
    return stop or #text
  end
  return nil
end

local open, close = { ["("] = true, ["["] = true }, { [")"] = true, ["]"] = true }

-- Calls `visit(position, byte)` for the brackets and the wanted bytes outside brackets and quotes;
-- true ends the walk.
local function walk(text, from, wanted, visit)
  local position, depth = from, 0
  local pattern = "[]()['\"$" .. wanted .. "]"
  while true do
    local at = text:find(pattern, position)
    if not at then
      return nil
    end
    local c = text:sub(at, at)
    local stop = quoted_end(text, at)
    depth = depth - (close[c] and 1 or 0)
    if not stop and depth == 0 and visit(at, c) then
      return at
    end
    depth = depth + (open[c] and 1 or 0)
    position = (stop or at) + 1
  end
end

---The parts of a list, trimmed.
---@param text string  "a integer, b numeric(10,2)"
---@param sign? string  one byte, "," by default
---@return string[]
function scan.split(text, sign)
  local out, start = {}, 1
  if not text:find("%S") then
    return out
  end
  sign = sign or ","
  walk(text, 1, "%" .. sign, function(position, c)
    if c == sign then
      out[#out + 1] = text:sub(start, position - 1):match("^%s*(.-)%s*$")
      start = position + 1
    end
  end)
  out[#out + 1] = text:sub(start):match("^%s*(.-)%s*$")
  return out
end

---What stands between the bracket at `at` and the one that closes it.
---@return string inside
---@return integer after  behind the closing bracket
function scan.inside(text, at)
  local stop = walk(text, at, "", function(position, c)
    return position > at and close[c]
  end)
  stop = stop or #text + 1
  return text:sub(at + 1, stop - 1), stop + 1
end

---Text without brackets around all of it.
---@return string
function scan.bare(text)
  while text:sub(1, 1) == "(" do
    local inside, after = scan.inside(text, 1)
    if after <= #text then
      return text
    end
    text = inside
  end
  return text
end

---A name at `at`, in quotes or not.
---@return string|nil name  without its quotes
---@return integer after
function scan.name(text, at)
  local bare, after = text:match("^([%a_\x80-\xff][%w_$\x80-\xff]*)()", at)
  if bare then
    return bare, after
  elseif text:sub(at, at) == '"' then
    local stop = quoted_end(text, at)
    return (text:sub(at + 1, stop - 1):gsub('""', '"')), stop + 1
  end
  return nil, at
end

---A name with dots in it, as it is written.
---@return string|nil
---@return integer after
function scan.dotted(text, at)
  local position = at
  repeat
    local name, after = scan.name(text, position)
    if not name then
      return nil, at
    end
    position = after + 1
  until text:sub(after, after) ~= "."
  return text:sub(at, position - 2), position - 1
end

---Where a word stands outside brackets and quotes, with a blank on either side.
---@return integer|nil start
---@return integer|nil after
function scan.word(text, word, from)
  local start = walk(text, from or 1, word:sub(1, 1), function(position)
    return text:sub(position, position + #word - 1) == word
      and not is_word(text, position - 1) and not is_word(text, position + #word)
  end)
  return start, start and start + #word
end

local function add_tokens(text, out)
  for word in text:gmatch("[%w_.]+") do
    out[#out + 1] = word
  end
  for sign in text:gmatch("[^%w_.%s(),]") do
    out[#out + 1] = sign
  end
end

-- All words and signs but brackets and commas, in one order.
local function tokens(text)
  local out, start, position = {}, 1, 1
  while true do
    local at = text:find("['\"$]", position)
    if not at then
      break
    end
    local stop = quoted_end(text, at)
    if stop then
      add_tokens(text:sub(start, at - 1), out)
      local piece = text:sub(at, stop)
      out[#out + 1] = piece:match("^%$[%w_]*%$(.*)%$[%w_]*%$$") or piece
      start = stop + 1
    end
    position = (stop or at) + 1
  end
  add_tokens(text:sub(start), out)
  table.sort(out)
  return table.concat(out, "\n")
end

---Whether two statements say the same with the same words, whatever the order of the clauses.
---@return boolean
function scan.same(a, b)
  return a == b or tokens(a) == tokens(b)
end

return scan
