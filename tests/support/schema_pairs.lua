--- Pairs of schemas that differ in one thing, for the specs of the comparison: read from the SQL
-- files beside this one. Every pair is tried in both directions.
--
--   --- name of the pair
--   -- since 15              the PostgreSQL version that has it
--   -- commits               cannot be tried inside one transaction
--   -- unsupported           something is named as not changeable, in one direction at least
--   -- alone                 not together with other pairs in one database
--   -- column_order = false  an option of the comparison
--   SQL that comes first on both sides
--   -- before
--   SQL
--   -- after
--   SQL
--
-- The schema's name is {s}; objects outside all schemas have it in their names. The roles
-- luamig_spec_alice and luamig_spec_bob are there, and from 15 on the
-- tablespace luamig_spec_space.

local lfs = require("lfs")

local schema_pairs = {}

local flags = { commits = true, unsupported = true, alone = true }

local function read_mark(pair, line)
  local text = line:match("^%-%- (.*)$")
  if not text then
    return false
  elseif text == "before" or text == "after" then
    pair.part = text
    return true
  elseif flags[text] then
    pair[text] = true
    return true
  end
  local since = text:match("^since (%d+)$")
  local option, word = text:match("^([%a_]+) = (%w+)$")
  if since then
    pair.since = math.tointeger(since)
  elseif option then
    pair.options[option] = word ~= "false" and word
  end
  return since ~= nil or option ~= nil
end

local function new_pair(name, file)
  return {
    name = name, file = file, options = {}, part = "common",
    common = {}, before = {}, after = {},
  }
end

local function finish(pair, out)
  if pair then
    for _, part in ipairs({ "common", "before", "after" }) do
      pair[part] = table.concat(pair[part], "\n")
    end
    pair.part = nil
    out[#out + 1] = pair
  end
end

local function read(folder, file, out)
  local pair
  for line in io.lines(folder .. "/" .. file) do
    local name = line:match("^%-%-%- (.*)$")
    if name then
      finish(pair, out)
      pair = new_pair(name, file:match("^(.*)%.sql$"))
    elseif pair and not read_mark(pair, line) then
      table.insert(pair[pair.part], line)
    end
  end
  finish(pair, out)
end

---@return table[] pairs  { name=, file=, common=, before=, after=, since=, commits=, …, options= }
function schema_pairs.all()
  local folder = debug.getinfo(1, "S").source:match("^@(.*)%.lua$")
  local files, out = {}, {}
  for file in lfs.dir(folder) do
    files[#files + 1] = file:match("%.sql$") and file or nil
  end
  table.sort(files)
  for _, file in ipairs(files) do
    read(folder, file, out)
  end
  return out
end

return schema_pairs
