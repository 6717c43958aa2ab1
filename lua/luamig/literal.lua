--- Lua constants as text. Pure.

local literal = {}

local reserved = {}
for word in ([[
  and break do else elseif end false for function goto if in local nil not or repeat return then
  true until while
]]):gmatch("%S+") do
  reserved[word] = true
end

local escapes = { ["\n"] = "\\n", ["\r"] = "\\r", ["\t"] = "\\t", ["\\"] = "\\\\", ["\0"] = "\\0" }

local function escaped(c)
  return escapes[c] or ("\\x%02X"):format(c:byte())
end

---A text in double quotes; in single ones when that saves backslashes.
---@param text string
---@return string
function literal.quoted(text)
  local mark = '"'
  if text:find('"', 1, true) and not text:find("'", 1, true) then
    mark = "'"
  end
  return mark .. text:gsub("[%c\\]", escaped):gsub(mark, "\\" .. mark) .. mark
end

---A text of several lines between long brackets.
---@param text string
---@param width? integer  no line may be longer
---@return string|nil  nil when it would read back as another text, or a line is too long
function literal.bracketed(text, width)
  if text:find("\r", 1, true) or text:find("\0", 1, true) then
    return nil
  end
  for line in (text .. "]]"):gmatch("[^\n]+") do
    if width and #line > width - 6 then
      return nil
    end
  end
  local level = ""
  while text:find("]" .. level .. "]", 1, true) or text:sub(-#level - 1) == "]" .. level do
    level = level .. "="
  end
  return ("[%s[\n%s]%s]"):format(level, text, level)
end

local function fits(text, start, stop, room)
  return #literal.quoted(text:sub(start, stop)) <= room
end

-- Where a piece ends that fits into so many columns in quotes: behind a blank if there is one.
local function piece_end(text, start, room)
  local stop = text:find("\n", start, true) or #text
  if fits(text, start, stop, room) then
    return stop
  end
  stop = math.min(stop, start + room - 3)
  while stop > start and not fits(text, start, stop, room) do
    stop = stop - 1
  end
  local blank = text:sub(start, stop):match("^.*() ")
  if blank then
    return start + blank - 1
  end
  while stop > start and (text:byte(stop + 1) or 0) & 0xC0 == 0x80 do
    stop = stop - 1
  end
  return stop
end

-- The first piece has another room than the others.
local function pieces(text, first_room, room)
  local out, start = {}, 1
  while start <= #text do
    local stop = piece_end(text, start, start == 1 and first_room or room)
    out[#out + 1] = text:sub(start, stop)
    start = stop + 1
  end
  return out
end

---A text in pieces, joined by `..`.
---@param text string
---@param width integer
---@param indent string   of the lines behind the first
---@param start integer   columns taken before it
---@param trail integer   columns that follow it
---@return string
function literal.wrapped(text, width, indent, start, trail)
  if start + #literal.quoted(text) + trail <= width then
    return literal.quoted(text)
  end
  local out = {}
  for i, piece in ipairs(pieces(text, width - start, width - #indent - 3 - trail)) do
    out[i] = literal.quoted(piece)
  end
  return table.concat(out, "\n" .. indent .. ".. ")
end

---A key of a table constructor.
---@param key string
---@return string
function literal.key(key)
  if key:find("^[%a_][%w_]*$") and not reserved[key] then
    return key
  end
  return "[" .. literal.quoted(key) .. "]"
end

---A number or boolean.
---@return string
function literal.number(v)
  return type(v) == "number" and require("luamig.quote").number_text(v) or tostring(v)
end

return literal
