--- A binary heap: the smallest of what is in it comes out first.

local heap = {}

local Heap = {}
Heap.__index = Heap

---@param less fun(x: any, y: any): boolean
function heap.new(less)
  return setmetatable({ less = less }, Heap)
end

---@return integer
function Heap:size()
  return #self
end

function Heap:push(item)
  local at = #self + 1
  self[at] = item
  while at > 1 do
    local parent = at // 2
    if not self.less(self[at], self[parent]) then
      return
    end
    self[at], self[parent] = self[parent], self[at]
    at = parent
  end
end

local function sink(self, at)
  while true do
    local least = at
    for child = 2 * at, 2 * at + 1 do
      if self[child] and self.less(self[child], self[least]) then
        least = child
      end
    end
    if least == at then
      return
    end
    self[at], self[least] = self[least], self[at]
    at = least
  end
end

---Takes the smallest out. The heap must not be empty.
function Heap:pop()
  local first, last = self[1], table.remove(self)
  if first ~= last then
    self[1] = last
    sink(self, 1)
  end
  return first
end

return heap
