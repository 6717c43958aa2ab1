--- Numbers that look random and are the same for the same seed, on every machine (SplitMix64).
-- No global state: math.random is never asked.

local random = {}

local Random = {}
Random.__index = Random

local function mixed(z)
  z = (z ~ (z >> 30)) * 0xbf58476d1ce4e5b9
  z = (z ~ (z >> 27)) * 0x94d049bb133111eb
  return z ~ (z >> 31)
end

---A 64-bit number for a text (FNV-1a), the same in every run.
---@param text string
---@param seed? integer
---@return integer
function random.hash(text, seed)
  local hash = 0xcbf29ce484222325 ~ mixed(seed or 0)
  for i = 1, #text do
    hash = (hash ~ text:byte(i)) * 0x100000001b3
  end
  return mixed(hash)
end

---@param seed integer
function random.new(seed)
  return setmetatable({ state = seed }, Random)
end

---@return integer  any of 64 bits
function Random:next()
  self.state = self.state + 0x9e3779b97f4a7c15
  return mixed(self.state)
end

---@return integer  from low to high, both included; they are less than 2^62 apart
function Random:int(low, high)
  return low + (self:next() >> 1) % (high - low + 1)
end

---@return boolean  true once in `count` times
function Random:one_in(count)
  return self:int(1, count) == 1
end

function Random:pick(list)
  return list[self:int(1, #list)]
end

return random
