--- The part of an SQL text that an error is about, with a caret under the place.
-- Positions count characters from 1, as the server gives them; columns are those of a terminal.

local excerpt = {}

local LINES_BEFORE <const> = 4
local LINES_AFTER <const> = 2
local WHOLE_LINES <const> = 12
local TAB <const> = 4

-- Code points that take two columns (East Asian wide, emoji), and none (combining marks, joiners).
local wide = {
  0x1100, 0x115F, 0x2E80, 0x303E, 0x3041, 0x33FF, 0x3400, 0x4DBF, 0x4E00, 0x9FFF, 0xA000, 0xA4CF,
  0xAC00, 0xD7A3, 0xF900, 0xFAFF, 0xFE30, 0xFE6F, 0xFF00, 0xFF60, 0xFFE0, 0xFFE6,
  0x1F300, 0x1F64F, 0x1F680, 0x1F6FF, 0x1F900, 0x1FAFF, 0x20000, 0x3FFFD,
}
local empty = {
  0x0300, 0x036F, 0x0483, 0x0489, 0x0591, 0x05BD, 0x0610, 0x061A, 0x064B, 0x065F, 0x1AB0, 0x1AFF,
  0x1DC0, 0x1DFF, 0x200B, 0x200F, 0x20D0, 0x20FF, 0xFE00, 0xFE0F, 0xFE20, 0xFE2F,
}

local function is_within(code, ranges)
  for i = 1, #ranges, 2 do
    if code >= ranges[i] and code <= ranges[i + 1] then
      return true
    end
  end
  return false
end

local function width_of(code)
  if code < 0x300 then
    return 1
  elseif is_within(code, empty) then
    return 0
  end
  return is_within(code, wide) and 2 or 1
end

-- Characters of a text; bytes that are no UTF-8 count one each.
local function characters(text)
  if utf8.len(text) then
    return text:gmatch(utf8.charpattern)
  end
  return text:gmatch(".")
end

-- Tabs become spaces and control characters a dot, so that the caret stands where the eye looks.
local function display(character, column)
  if character == "\t" then
    local spaces = TAB - column % TAB
    return (" "):rep(spaces), spaces
  elseif character:find("^%c$") then
    return "·", 1
  end
  return character, width_of(#character > 1 and utf8.len(character) and utf8.codepoint(character)
    or 0)
end

-- Each line is a list of cells { text, width }; `first` is the position of its first character.
local function split(sql)
  local lines = { { first = 1, width = 0 } }
  local index = 0
  for character in characters(sql) do
    index = index + 1
    local line = lines[#lines]
    if character == "\n" then
      lines[#lines + 1] = { first = index + 1, width = 0 }
    else
      local text, width = display(character, line.width)
      line[#line + 1] = { text = text, width = width }
      line.width = line.width + width
    end
  end
  return lines, index
end

local function text_of(line, first, last)
  local pieces = {}
  for i = first or 1, last or #line do
    pieces[#pieces + 1] = line[i].text
  end
  return table.concat(pieces)
end

local function without_blank_edges(lines)
  local first, last = 1, #lines
  while first < last and not text_of(lines[first]):find("%S") do
    first = first + 1
  end
  while last > first and not text_of(lines[last]):find("%S") do
    last = last - 1
  end
  return first, last
end

local function line_at(lines, position)
  local at = 1
  while lines[at + 1] and lines[at + 1].first <= position do
    at = at + 1
  end
  return at
end

local function width_between(line, first, last)
  local width = 0
  for i = first, last do
    width = width + line[i].width
  end
  return width
end

-- The cells that fit the screen, those around the caret when the line is too long.
local function window(line, cell, columns)
  if line.width <= columns then
    return 1, #line
  end
  local first = cell or 1
  while cell and first > 1 and width_between(line, first - 1, cell - 1) <= columns * 2 // 3 do
    first = first - 1
  end
  local last = first - 1
  while last < #line and width_between(line, first, last + 1) <= columns do
    last = last + 1
  end
  return first, last
end

-- One line, cut to the screen, and the column of the caret in it.
local function rendered(line, cell, columns)
  local first, last = window(line, cell, columns)
  local left = first > 1 and "…" or ""
  local right = last < #line and "…" or ""
  local column = cell and width_between(line, first, cell - 1) + (first > 1 and 1 or 0)
  return left .. text_of(line, first, last) .. right, column
end

local function shared_indent(lines, first, last)
  local least = math.huge
  for i = first, last do
    local indent = text_of(lines[i]):match("^( *)%S")
    least = math.min(least, indent and #indent or math.huge)
  end
  return least == math.huge and 0 or least
end

-- Which lines are worth showing: all of a short statement, else those around the place.
local function lines_shown(lines, at)
  local first, last = without_blank_edges(lines)
  if last - first + 1 <= WHOLE_LINES then
    return first, last, first, last
  elseif not at then
    return first, first + WHOLE_LINES - 1, first, last
  end
  return math.max(first, at - LINES_BEFORE), math.min(last, at + LINES_AFTER), first, last
end

-- The position as a line and a cell in it, or nil when there is none that makes sense.
local function locate(lines, count, position)
  if not position or position < 1 or position > count + 1 then
    return nil
  end
  local at = line_at(lines, position)
  return at, position - lines[at].first + 1
end

---The lines to print, caret line included; without a position the beginning of the statement.
---@param sql string
---@param position? integer  characters from 1
---@param columns? integer   width to keep to
---@return string[]
function excerpt.lines(sql, position, columns)
  local lines, count = split((sql:gsub("\r\n", "\n")))
  local at, cell = locate(lines, count, position)
  local from, to, first, last = lines_shown(lines, at)
  local indent = shared_indent(lines, from, to)
  columns = math.max(columns or 96, 20) + indent
  local out = { from > first and "…" or nil }
  for i = from, to do
    local text, column = rendered(lines[i], i == at and cell or nil, columns)
    out[#out + 1] = (text:gsub("^" .. (" "):rep(indent), ""))
    if column then
      out[#out + 1] = (" "):rep(math.max(0, column - indent)) .. "^"
    end
  end
  out[#out + 1] = to < last and "…" or nil
  return out
end

return excerpt
