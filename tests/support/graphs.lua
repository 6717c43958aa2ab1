--- Graphs of revisions from a drawing in text, for specs.

local graph = require("luamig.core.graph")

local graphs = {}

local function words(text)
  local list = {}
  for word in (text or ""):gmatch("[^%s,]+") do
    list[#list + 1] = word
  end
  return list
end

---The revisions of a drawing: a line each, `id < parents + dependencies [labels]`.
---@return table[]
function graphs.list(text)
  local list = {}
  for line in text:gmatch("[^\n]+") do
    local id = line:match("^%s*([^%s<+%[]+)")
    if id then
      list[#list + 1] = {
        id = id,
        down = words(line:match("<([^+%[]+)")),
        depends_on = words(line:match("%+([^%[]+)")),
        labels = words(line:match("%[(.*)%]")),
        file = "versions/" .. id .. ".lua",
      }
    end
  end
  return list
end

---@return userdata
function graphs.new(text)
  return graph.new(graphs.list(text))
end

return graphs
