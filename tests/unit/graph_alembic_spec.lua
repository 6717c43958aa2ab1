--- Asks luamig and Alembic the same questions about graphs made by chance.
-- Where Alembic has an answer, luamig's is the same, but for the differences named in `apart`.

local graph = require("luamig.core.graph")
local json = require("luamig.json")

local GRAPHS <const> = 120
local QUESTIONS <const> = 14

local random

-- A generator of our own: the questions are the same on every machine.
local function generator(seed)
  return function(n)
    seed = (seed * 6364136223846793005 + 1442695040888963407)
    return ((seed >> 33) % n) + 1
  end
end

local function one_of(list)
  return list[random(#list)]
end

local function random_parents(ids)
  local parents = {}
  local count = (#ids == 0 or random(7) == 1) and 0 or (#ids > 1 and random(5) == 1) and 2 or 1
  for _ = 1, count do
    local parent = random(4) == 1 and one_of(ids) or ids[math.max(1, #ids - random(3) + 1)]
    if parents[1] ~= parent then
      parents[#parents + 1] = parent
    end
  end
  return parents
end

local function random_revisions()
  local ids, list = {}, {}
  for i = 1, random(9) do
    local id = ("r%02d%s"):format(i, string.char(96 + random(26)))
    local down = random_parents(ids)
    local need = #ids > 0 and random(5) == 1 and one_of(ids) or nil
    if need == down[1] or need == down[2] then
      need = nil
    end
    list[i] = {
      id = id,
      down = down,
      depends_on = { need },
      labels = { random(5) == 1 and "lab" .. i .. "x" or nil },
      file = "versions/" .. id .. ".lua",
    }
    ids[i] = id
  end
  for i = #list, 2, -1 do
    local j = random(i)
    list[i], list[j] = list[j], list[i]
  end
  return list, ids
end

local function random_name(list, ids)
  local rev = one_of(list)
  return rev.labels[1] or one_of(ids)
end

local function random_target(list, ids, verb)
  local name = random_name(list, ids)
  local target = one_of({ "head", "heads", "base", name, name, one_of(ids):sub(1, 3) })
  if target ~= "heads" and random(3) == 1 then
    target = target .. one_of({ "+", "-" }) .. random(3)
  elseif random(4) == 1 then
    target = (verb == "upgrade" and "+" or "-") .. random(3)
  end
  return random(4) == 1 and random_name(list, ids) .. "@" .. target or target
end

-- Rows that a database may have: those of some revisions applied with all that they follow.
local function random_rows(g, ids)
  local targets = {}
  for i = 1, random(3) - 1 do
    targets[i] = one_of(ids)
  end
  return g:stamp({}, #targets > 0 and targets or { "base" }, { purge = true }).rows
end

local function random_question(g, list, ids)
  local verb = one_of({ "upgrade", "downgrade", "upgrade", "downgrade", "show", "history",
    "current" })
  local rows = random_rows(g, ids)
  local target = random_target(list, ids, verb)
  if verb == "show" then
    target = one_of({ "head", "heads", random_name(list, ids), random_name(list, ids) .. "@heads" })
  elseif verb == "history" then
    target = one_of({ "", one_of(ids) }) .. ":" .. one_of({ "", one_of(ids) })
  end
  return { verb = verb, rows = rows, target = target }
end

local function sorted(list)
  local copy = table.move(list, 1, #list, 1, {})
  table.sort(copy)
  return table.concat(copy, " ")
end

local function planned(g, verb, rows, target)
  local steps = g[verb](g, rows, target)
  local ids = {}
  for i, step in ipairs(steps) do
    ids[i] = step.id
  end
  return { ids = ids, rows = #steps > 0 and steps[#steps].rows or rows }
end

-- Alembic leaves out what is between the ends only by depends_on, even the end itself.
local function followers_only(g, ids, from)
  local known, kept = { [from] = true }, {}
  for _, id in ipairs(ids) do
    if known[id] then
      kept[#kept + 1] = id
      for _, child in ipairs(g:children(id)) do
        known[child] = true
      end
    end
  end
  return kept
end

local function answer(g, asked)
  if asked.verb == "show" then
    return { ids = g:resolve(asked.target) }
  elseif asked.verb == "history" then
    local from = asked.target:match("^[^:]*")
    local ids = g:range(asked.target)
    return { ids = from == "" and ids or followers_only(g, ids, from) }
  elseif asked.verb == "current" then
    return { ids = g:current(asked.rows) }
  end
  return planned(g, asked.verb, asked.rows, asked.target)
end

-- What luamig refuses although Alembic does something, on purpose.
local refused = {
  "from multiple heads is ambiguous", -- Alembic takes the row that comes first
  "is not a member of branch",        -- Alembic goes down another branch
  "no revision of branch '%w+' has",  -- likewise
  "there is none below base$",        -- Alembic stays, or goes to the first revision
}

local function is_refused(message)
  for _, pattern in ipairs(refused) do
    if message:find(pattern) then
      return true
    end
  end
  return false
end

-- ID-N that ends at base: Alembic takes down every root, luamig the one that was named.
local function is_below_one_root(asked, mine, theirs)
  local all = {}
  for _, id in ipairs(theirs.ids) do
    all[id] = true
  end
  for _, id in ipairs(mine.ids) do
    if not all[id] then
      return false
    end
  end
  return asked.verb == "downgrade" and asked.target:find("%w%-%d$") ~= nil
end

-- How the answers are apart, or nil.
local function apart(g, asked, mine, theirs)
  if theirs.error then
    return nil -- Alembic has no answer
  elseif mine.message then
    return not is_refused(mine.message) and "luamig: " .. mine.message or nil
  elseif sorted(mine.ids) ~= sorted(theirs.ids) then
    if is_below_one_root(asked, mine, theirs) then
      return nil
    end
    return ("luamig: %s\nAlembic: %s"):format(sorted(mine.ids), sorted(theirs.ids))
  elseif theirs.rows then
    -- Alembic may keep a row that another implies.
    local rows = g:stamp({}, #theirs.rows > 0 and theirs.rows or { "base" }, { purge = true }).rows
    if sorted(mine.rows) ~= sorted(rows) then
      return ("rows of luamig: %s\nrows of Alembic: %s"):format(sorted(mine.rows), sorted(rows))
    end
  end
  return nil
end

local function drawn(list)
  local lines = {}
  for i, rev in ipairs(list) do
    lines[i] = ("%s < %s + %s [%s]"):format(rev.id, table.concat(rev.down, ", "),
      table.concat(rev.depends_on, ", "), table.concat(rev.labels, ", "))
  end
  return table.concat(lines, "\n")
end

local function alembic_answers(questions)
  local path = os.tmpname()
  local file = assert(io.open(path, "w"))
  file:write(json.encode(questions))
  file:close()
  local pipe = assert(io.popen("/usr/bin/python3 tests/support/alembic_answers.py " .. path))
  local text = pipe:read("a")
  pipe:close()
  os.remove(path)
  return require("cjson").decode(text)
end

describe("Alembic", function()
  it("answers as luamig does, wherever it has an answer", function()
    random = generator(20240817)
    local cases, questions = {}, {}
    for i = 1, GRAPHS do
      local list, ids = random_revisions()
      local g = graph.new(list)
      local asked = {}
      for j = 1, QUESTIONS do
        asked[j] = random_question(g, list, ids)
      end
      cases[i] = { graph = g, list = list, asked = asked }
      questions[i] = { revisions = list, asked = asked }
    end
    local answered = 0
    for i, answers in ipairs(alembic_answers(questions)) do
      local case = cases[i]
      for j, asked in ipairs(case.asked) do
        local ok, mine = pcall(answer, case.graph, asked)
        assert.is_true(ok or type(mine) == "table", tostring(mine))
        local difference = apart(case.graph, asked, mine, answers[j])
        assert.is_nil(difference, difference and ("%s\n%s %s from rows [%s]\n%s"):format(
          drawn(case.list), asked.verb, asked.target, table.concat(asked.rows, " "), difference))
        answered = answered + (answers[j].error and 0 or 1)
      end
    end
    assert.is_true(answered > GRAPHS * QUESTIONS / 2, answered .. " answers of Alembic")
  end)
end)
