--- Texts: natural ones, ones that programs trip over, and ones that a wish describes (wishes.lua:
-- min_length, max_length, patterns, contains, case, is_not_blank, is_trimmed, low_text, high_text,
-- except). Lengths are in characters. Pure.

local pattern = require("luamig.generate.pattern")

local texts = {}

local words = {
  "amber", "birch", "cedar", "delta", "ember", "fjord", "grove", "heron", "indigo", "juniper",
  "kestrel", "lagoon", "maple", "nectar", "onyx", "prairie", "quartz", "rowan", "saffron", "tundra",
}

local LONG = 4000 -- characters of the longest text: it goes to TOAST

local edges = {
  "", "O'Brien", "Ünïcödé ß 漢字 🙂", "back\\slash \\n", 'say "hi"', "  spaces around  ",
  "two\nlines\tand a tab", "50% off_", "NULL", "<b>&amp;</b>", "{\"a\": [1]}", "0",
  "e\204\129 (combining)",
}

---How many characters a text has.
---@return integer
function texts.length(text)
  return utf8.len(text) or #text
end

---The first `count` characters.
function texts.cut(text, count)
  if texts.length(text) <= count then
    return text
  end
  return text:sub(1, (utf8.offset(text, count + 1) or #text + 1) - 1)
end

local digits = "0123456789abcdefghijklmnopqrstuvwxyz"

-- A number as exactly `width` letters and digits.
local function code(number, width)
  local out = {}
  for place = width, 1, -1 do
    local digit = number % 36
    out[place] = digits:sub(digit + 1, digit + 1)
    number = number // 36
  end
  return table.concat(out)
end

---The i-th of texts that are all different, also in lower case and without blanks.
---@param i integer
---@param limit? integer  length that it must not exceed
---@return string
function texts.value(i, rng, limit)
  local text = rng:pick(words) .. " " .. i
  if limit and #text > limit then
    return code(i, math.min(limit, 8))
  end
  return text
end

local function long_text()
  local out, size = {}, 0
  for i = 1, LONG do
    local word = words[i * i % #words + 1] .. i
    out[i], size = word, size + #word + 1
    if size > LONG then
      break
    end
  end
  return table.concat(out, " ")
end

---Texts that programs trip over, none longer than `limit`.
---@param options { limit?: integer, is_short?: boolean, is_ascii?: boolean }  is_short: none of a
---  few kB (an index could not hold it); is_ascii: the database stores no others
---@return string[]
function texts.edges(options)
  local out, seen = {}, {}
  local function add(text)
    text = options.limit and texts.cut(text, options.limit) or text
    if not seen[text] and not (options.is_ascii and text:find("[\128-\255]")) then
      seen[text] = true
      out[#out + 1] = text
    end
  end
  for place, text in ipairs(edges) do
    add(text)
    if place == 3 and not options.is_short then
      add(long_text())
    end
  end
  return out
end

-- ---- wishes ----

local function has_all(text, parts)
  for _, part in ipairs(parts or {}) do
    if not text:find(part, 1, true) then
      return false
    end
  end
  return true
end

local function fits_length(text, wish)
  local length = texts.length(text)
  return length >= (wish.min_length or 0) and length <= (wish.max_length or math.huge)
end

local function fits_case(text, wish)
  return not (wish.case == "lower" and text:find("[%u\128-\255]")
    or wish.case == "upper" and text:find("[%l\128-\255]"))
end

local function fits_blanks(text, wish)
  return not (wish.is_not_blank and not text:find("%S"))
    and not (wish.is_trimmed and text:find("^%s") or wish.is_trimmed and text:find("%s$"))
end

---Whether a text is as wished, as far as that is known here (patterns are the server's matter).
---@return boolean
function texts.fits(text, wish)
  return fits_length(text, wish) and fits_case(text, wish) and fits_blanks(text, wish)
    and has_all(text, wish.contains) and not (wish.except and wish.except[text])
    and (not wish.low_text or text > wish.low_text)
    and (not wish.high_text or text < wish.high_text)
end

local function with_bounds(text, wish)
  if wish.low_text then
    return wish.low_text .. text
  elseif wish.high_text then
    return texts.cut(wish.high_text, 1) <= " " and "" or string.char(wish.high_text:byte() - 1)
      .. text
  end
  return text
end

local function with_parts(text, wish)
  for _, part in ipairs(wish.contains or {}) do
    if not text:find(part, 1, true) then
      text = text .. part .. text:sub(-1)
    end
  end
  return text
end

local function with_case(text, wish)
  return wish.case == "lower" and text:lower() or wish.case == "upper" and text:upper() or text
end

-- The counter is at the end and makes texts different: what is too long loses its beginning.
local function shortened(text, wish, limit)
  text = limit > 0 and text:sub(-limit) or ""
  return wish.is_trimmed and text:gsub("^%s", "x") or text
end

local function with_length(text, wish, limit, i)
  local length = texts.length(text)
  if wish.patterns then
    return text -- another try is better
  elseif limit and length > limit then
    return shortened(text, wish, limit)
  elseif length < (wish.min_length or 0) then
    return ("x"):rep(wish.min_length - length) .. text
  elseif i == 1 and limit and limit <= 300 then
    return ("y"):rep(limit - length) .. text -- once as long as it may be
  end
  return text
end

local TRIES = 40

-- A text for one of the patterns, with the beginnings and ends that the others want.
local function for_patterns(wish, i, rng, try)
  local patterns = wish.patterns or {}
  local chosen = try % math.max(1, #patterns) + 1
  local text = patterns[chosen] and pattern.sample(patterns[chosen], rng, i,
    math.max(3, wish.min_length or 0))
  for place, other in ipairs(patterns) do
    if text and place ~= chosen and other.kind == "like" then
      local first, last = pattern.ends(other.text)
      text = first .. text .. last
    end
  end
  return text
end

local function attempt(wish, i, rng, limit, try)
  local text = for_patterns(wish, i, rng, try)
  if not text then
    text = with_bounds(texts.value(i, rng, limit), wish)
  end
  return with_length(with_case(with_parts(text, wish), wish), wish, limit, i)
end

---The i-th text as wished; the last try when none seems right, for the server knows better.
---@param limit? integer  the type's own limit
---@return string
function texts.wished(wish, i, rng, limit)
  local shortest = math.min(limit or math.huge, wish.max_length or math.huge)
  local text
  for try = 0, TRIES do
    text = attempt(wish, i, rng, shortest < math.huge and shortest or nil, try)
    if texts.fits(text, wish) and texts.length(text) <= shortest then
      break
    end
  end
  return text
end

return texts
