--- Texts that match a pattern: regular expressions in PostgreSQL's words (~) and LIKE. What is not
-- understood (look-around, back references) gives nil: then the text is made another way. Pure.

local pattern = {}

local MORE = 3 -- how many more than the least an open count takes at most, unless told

-- ---- reading a regular expression ----
-- A node: { one of: text = "a" | set = list of characters | list = nodes one after another
--   | either = list of nodes, each a branch }; with `least` and `most` how often.

local Reader = {}
Reader.__index = Reader

local function not_understood()
  error({ not_understood = true }, 0)
end

function Reader:peek(length)
  return self.text:sub(self.at, self.at + (length or 1) - 1)
end

function Reader:take(length)
  local part = self:peek(length)
  self.at = self.at + #part
  return part
end

local function range(first, last)
  local out = {}
  for byte = first:byte(), last:byte() do
    out[#out + 1] = string.char(byte)
  end
  return out
end

local function joined(...)
  local out = {}
  for _, list in ipairs({ ... }) do
    table.move(list, 1, #list, #out + 1, out)
  end
  return out
end

local digit, lower, upper = range("0", "9"), range("a", "z"), range("A", "Z")
local word = joined(lower, digit, upper, { "_" })
local punctuation = { "-", ".", "!", "/", "," }

local classes = {
  alpha = joined(lower, upper), digit = digit, alnum = joined(lower, digit, upper), lower = lower,
  upper = upper, space = { " " }, blank = { " " }, punct = punctuation,
  xdigit = joined(digit, range("a", "f")), word = word,
  print = joined(lower, digit), graph = joined(lower, digit),
}

local escapes = {
  d = digit, w = word, s = { " " }, D = joined(lower, upper), W = punctuation, S = word,
}

local controls = { n = "\n", t = "\t", r = "\r", f = "\f", v = "\v", e = "\27", a = "\a" }

local usual = joined(lower, digit, upper, { " " }, punctuation)

local function without(list, other)
  local out, taken = {}, {}
  for _, c in ipairs(other) do
    taken[c] = true
  end
  for _, c in ipairs(list) do
    if not taken[c] then
      out[#out + 1] = c
    end
  end
  return out
end

-- One member of a bracket expression: a list of characters.
function Reader:member()
  if self:peek(2) == "[:" then
    local name = self.text:match("^%[:(%l+):%]", self.at) or not_understood()
    self.at = self.at + #name + 4
    return classes[name] or not_understood()
  elseif self:peek(2) == "[." or self:peek(2) == "[=" then
    not_understood()
  elseif self:peek() == "\\" then
    self.at = self.at + 1
    local c = self:take()
    return escapes[c] or { controls[c] or c }
  end
  return { self:character() }
end

function Reader:character()
  local c = self.text:match("^" .. utf8.charpattern, self.at)
  self.at = self.at + #c
  return c
end

-- One member, or the characters between two of them: a-z.
function Reader:members()
  if self.at > #self.text then
    not_understood()
  end
  local member = self:member()
  if #member > 1 or self:peek() ~= "-" or self:peek(2) == "-]" then
    return member
  end
  self.at = self.at + 1
  local last = self:member()
  if #member[1] > 1 or #last > 1 or #last[1] > 1 then
    not_understood()
  end
  return range(member[1], last[1])
end

function Reader:bracket()
  local is_negated = self:peek() == "^"
  self.at = self.at + (is_negated and 1 or 0)
  local out = self:members() -- a ] at the first place is a member
  while self:peek() ~= "]" do
    out = joined(out, self:members())
  end
  self.at = self.at + 1
  out = is_negated and without(usual, out) or out
  return #out > 0 and { set = out } or not_understood()
end

function Reader:group()
  if self:peek(2) == "?:" then
    self.at = self.at + 2
  elseif self:peek() == "?" then
    not_understood()
  end
  local node = self:branches()
  return self:take() == ")" and node or not_understood()
end

function Reader:escape()
  local c = self:take()
  if escapes[c] then
    return { set = escapes[c] }
  elseif c:find("^[mMyYAZ]$") then
    return { text = "" } -- word boundaries, begin and end
  elseif c == "" or c:find("^[1-9BxucU0]$") then
    not_understood()
  end
  return { text = controls[c] or c }
end

local atoms = {
  ["("] = Reader.group,
  ["["] = Reader.bracket,
  ["\\"] = Reader.escape,
  ["."] = function()
    return { set = lower }
  end,
  ["^"] = function()
    return { text = "" }
  end,
  ["$"] = function()
    return { text = "" }
  end,
}

function Reader:atom()
  local c = self:peek()
  if c == "*" or c == "+" or c == "?" then
    not_understood()
  elseif atoms[c] then
    self.at = self.at + 1
    return atoms[c](self)
  end
  return { text = self:character() }
end

local counts = { ["*"] = { 0 }, ["+"] = { 1 }, ["?"] = { 0, 1 } }

-- The count behind an atom: least and most; no most is an open count.
function Reader:count()
  local c = self:peek()
  if counts[c] then
    self.at = self.at + 1
    return counts[c][1], counts[c][2]
  end
  local all, least, comma, most = self.text:match("^({(%d+)(,?)(%d*)})", self.at)
  if not all then
    return 1, 1
  end
  self.at = self.at + #all
  least = math.tointeger(least)
  if comma == "," then
    return least, math.tointeger(most)
  end
  return least, least
end

function Reader:piece()
  local node = self:atom()
  local least, most = self:count()
  if self:peek() == "?" and (least ~= 1 or most ~= 1) then
    self.at = self.at + 1 -- not greedy: matches the same texts
  end
  if most and least > most or least > 1000 then
    not_understood()
  end
  return { list = { node }, least = least, most = most }
end

function Reader:branches()
  local either = { {} }
  while self.at <= #self.text and self:peek() ~= ")" do
    if self:peek() == "|" then
      self.at = self.at + 1
      either[#either + 1] = {}
    else
      table.insert(either[#either], self:piece())
    end
  end
  for i, list in ipairs(either) do
    either[i] = { list = list }
  end
  return { either = either }
end

local function read(text)
  local reader = setmetatable({ text = text, at = 1 }, Reader)
  local options = text:match("^%*%*%*:()") or text:match("^%(%?[a-z]+%)()")
  reader.at = options or 1
  local node = reader:branches()
  return reader.at > #text and node or not_understood()
end

-- ---- LIKE ----

local function read_like(text)
  local list = {}
  local at = 1
  while at <= #text do
    local c = text:match("^" .. utf8.charpattern, at)
    at = at + #c
    if c == "%" then
      list[#list + 1] = { list = { { set = lower } }, least = 0 }
    elseif c == "_" then
      list[#list + 1] = { set = lower }
    elseif c == "\\" and at <= #text then
      local escaped = text:match("^" .. utf8.charpattern, at)
      at = at + #escaped
      list[#list + 1] = { text = escaped }
    else
      list[#list + 1] = { text = c }
    end
  end
  return { list = list }
end

-- SIMILAR TO: the signs of LIKE among those of regular expressions.
local function read_similar(text)
  return read((text:gsub("%%", "[a-z]*"):gsub("_", "[a-z]")))
end

-- ---- making a text ----

local write

local function write_once(node, rng, i, out, more)
  if node.text then
    out[#out + 1] = node.text
  elseif node.set then
    out[#out + 1] = rng:pick(node.set)
  elseif node.either then
    write(node.either[i % #node.either + 1], rng, i, out, more)
  else
    for _, child in ipairs(node.list) do
      write(child, rng, i, out, more)
    end
  end
end

function write(node, rng, i, out, more)
  local count = node.least and rng:int(node.least, node.most or node.least + more) or 1
  for _ = 1, count do
    write_once(node, rng, i, out, more)
  end
end

local readers = { regex = read, like = read_like, similar = read_similar }
local known = {} -- [kind and text] = node | false

local function node_of(kind, text)
  local key = kind .. " " .. text
  if known[key] == nil then
    local ok, node = pcall(readers[kind], text)
    if not ok and not (type(node) == "table" and node.not_understood) then
      error(node, 0)
    end
    known[key] = ok and node
  end
  return known[key]
end

---A text that matches. Branches are taken in turn with `i`.
---@param asked { kind: "regex"|"like"|"similar", text: string }
---@param i integer
---@param more? integer  how many more than the least an open count (*, +, %) takes at most
---@return string|nil  nil when the pattern is not understood
function pattern.sample(asked, rng, i, more)
  local node = node_of(asked.kind, asked.text)
  if not node then
    return nil
  end
  local out = {}
  write(node, rng, i, out, more or MORE)
  return table.concat(out)
end

---What a LIKE pattern begins and ends with.
---@param text string
---@return string first, string last
function pattern.ends(text)
  local first = text:match("^([^%%_\\]*)")
  return first, #first < #text and text:match("([^%%_\\]*)$") or ""
end

return pattern
