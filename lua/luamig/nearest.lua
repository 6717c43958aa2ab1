--- The known word nearest to a mistyped one.

local nearest = {}

---Edits that turn one word into the other: insert, delete, replace, swap of two neighbours.
---@param a string
---@param b string
---@return integer
local function distance(a, b)
  local before, last, this = {}, {}, {}
  for j = 0, #b do
    last[j] = j
  end
  for i = 1, #a do
    this[0] = i
    for j = 1, #b do
      local cost = a:byte(i) == b:byte(j) and 0 or 1
      local edits = math.min(last[j] + 1, this[j - 1] + 1, last[j - 1] + cost)
      if i > 1 and j > 1 and a:byte(i) == b:byte(j - 1) and a:byte(i - 1) == b:byte(j) then
        edits = math.min(edits, before[j - 2] + 1)
      end
      this[j] = edits
    end
    before, last, this = last, this, before
  end
  return last[#b]
end

---The nearest word of a list, or nil when none is near enough to be meant. Case does not count.
---@param word string
---@param list string[]
---@return string|nil
function nearest.of(word, list)
  local best, best_distance
  local limit = math.max(1, #word // 3)
  for _, known in ipairs(list) do
    if type(known) == "string" and math.abs(#known - #word) <= limit then
      local edits = distance(word:lower(), known:lower())
      local is_better = not best or edits < best_distance
        or (edits == best_distance and known < best)
      if edits <= limit and is_better then
        best, best_distance = known, edits
      end
    end
  end
  return best
end

return nearest
