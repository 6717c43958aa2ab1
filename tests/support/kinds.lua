--- A long history of every kind of revision, for specs that interrupt it. Each part that commits by
-- itself leaves a mark of its own, so that what is there can be compared with what luamig says is.

local kinds = {}

-- %d is the number of the revision. `parts` says which marks each committed part leaves, in order;
-- the last part is committed with the version row.
local list = {
  {
    parts = { { 1 } },
    up = [[
  op.execute("CREATE TABLE t%d (id int)")
  mark("%d.1")
  for i = 1, 10 do op.execute("INSERT INTO t%d VALUES ($1)", { tostring(i) }) end]],
    down = [[
  unmark("%d.1")
  op.execute("DROP TABLE t%d")]],
  },
  {
    parts = { { 1 }, { 2 }, { 3 } },
    up = [[
  op.execute("CREATE TABLE t%d (id int)")
  mark("%d.1")
  op.step("two", function()
    mark("%d.2")
    op.query("SELECT count(*) FROM t%d")
  end)
  mark("%d.3")]],
    down_parts = { { 3, 2 }, { 1 } },
    down = [[
  op.step("two", function()
    unmark("%d.3")
    unmark("%d.2")
  end)
  unmark("%d.1")
  op.execute("DROP TABLE t%d")]],
  },
  {
    parts = { { 1 }, {}, { 2 } },
    up = [[
  op.execute("CREATE TABLE t%d (id int)")
  mark("%d.1")
  op.create_index("t%d_id", "t%d", { "id" }, { concurrently = true })
  mark("%d.2")]],
    down_parts = { {}, { 1, 2 } },
    down = [[
  op.drop_index("t%d_id", { concurrently = true })
  unmark("%d.1")
  unmark("%d.2")
  op.execute("DROP TABLE t%d")]],
  },
  {
    parts = { { 1 }, { 2 }, { 3 }, { 4 } },
    up = [[
  op.execute("CREATE TABLE t%d (id int)")
  mark("%d.1")
  op.autocommit(function()
    mark("%d.2")
    mark("%d.3")
  end)
  mark("%d.4")]],
    down = [[
  for i = 1, 4 do unmark("%d." .. i) end
  op.execute("DROP TABLE t%d")]],
  },
  {
    parts = { { 1 }, { 2 } },
    up = [[
  op.create_enum("e%d", { "a" })
  op.execute("CREATE TABLE t%d (id int, e e%d)")
  mark("%d.1")
  op.add_enum_value("e%d", "b")
  op.execute("INSERT INTO t%d VALUES (1, 'b')")
  mark("%d.2")]],
    down = [[
  unmark("%d.1")
  unmark("%d.2")
  op.execute("DROP TABLE t%d")
  op.drop_type("e%d")]],
  },
  {
    parts = { { 1 } },
    up = [[
  op.create_table("t%d", { op.column("id", "integer", { primary_key = true }) })
  op.bulk_insert("t%d", { { id = 1 }, { id = 2 }, { id = 3 } })
  pcall(op.savepoint, function() op.execute("INSERT INTO t%d VALUES (1)") end)
  mark("%d.1")]],
    down = [[
  unmark("%d.1")
  op.drop_table("t%d")]],
  },
}

local function kind_of(number)
  return list[(number - 1) % #list + 1]
end

local function text_of(template, number)
  return (template:gsub("%%d", tostring(number)))
end

-- The functions that the revisions of a project share.
local marks_module = [[
local marks = {}
function marks.mark(name) op.execute("INSERT INTO marks VALUES ($1)", { name }) end
function marks.unmark(name) op.execute("DELETE FROM marks WHERE name = $1", { name }) end
return marks
]]

---Writes the revisions of a scene and makes what they mark.
---@param s table  support.scene
---@param count integer
function kinds.write(s, count)
  s:connect():exec("CREATE TABLE marks (name text)")
  s.project:write("marks.lua", (marks_module:gsub("^", 'local op = require("luamig.op")\n')))
  for number = 1, count do
    local kind = kind_of(number)
    s:revision(("%03d"):format(number), number > 1 and ("%03d"):format(number - 1) or nil,
      text_of(kind.up, number), text_of(kind.down, number),
      'local marks = require("marks")\nlocal mark, unmark = marks.mark, marks.unmark')
  end
end

local function add(set, number, names)
  for _, name in ipairs(names) do
    set[("%d.%d"):format(number, name)] = true
  end
end

local function remove(set, number, names)
  for _, name in ipairs(names) do
    set[("%d.%d"):format(number, name)] = nil
  end
end

local function sorted(set)
  local names = {}
  for name in pairs(set) do
    names[#names + 1] = name
  end
  table.sort(names)
  return table.concat(names, " ")
end

---The marks that should be there.
---@param version string|nil  the version row
---@param journal { revision: string, direction: string, segments: integer }[]
---@return string
function kinds.expected(version, journal)
  local set = {}
  for number = 1, tonumber(version or 0) do
    for _, names in ipairs(kind_of(number).parts) do
      add(set, number, names)
    end
  end
  for _, open in ipairs(journal) do
    local number = math.tointeger(tonumber(open.revision))
    local kind = kind_of(number)
    for i = 1, open.segments do
      if open.direction == "upgrade" then
        add(set, number, kind.parts[i])
      else
        remove(set, number, kind.down_parts[i])
      end
    end
  end
  return sorted(set)
end

---What is wrong with the state of a scene's database; nil when it is sound.
---@param s table  support.scene
---@param count integer
---@return string|nil
function kinds.fault(s, count)
  local conn = s:connect()
  if s:list("SELECT to_regclass('luamig.journal') IS NOT NULL") == "false" then
    return s:list("SELECT name FROM marks") ~= "" and "marks without a version table" or nil
  end
  local version = s:list("SELECT version_num FROM luamig.version")
  local journal = conn:exec([[SELECT revision, direction, count(finished) AS segments
    FROM luamig.journal GROUP BY revision, direction]])
  local found = s:list("SELECT string_agg(name, ' ' ORDER BY name COLLATE \"C\") FROM marks")
  local expected = kinds.expected(version ~= "" and version or nil, journal)
  if (found == "nil" and "" or found) ~= expected then
    return ("at version '%s' with %d unfinished the marks are\n%s\nbut should be\n%s"):format(
      version, #journal, found, expected)
  end
  local wrong = s:list([[
    SELECT format('revision %s: table %s, history %s', n,
        CASE WHEN has_table THEN 'there' ELSE 'not there' END, applied)
      FROM (SELECT n, to_regclass('t' || n) IS NOT NULL AS has_table,
              EXISTS (SELECT FROM marks WHERE name = n || '.1') AS has_mark,
              (SELECT count(*) FILTER (WHERE direction = 'upgrade')
                    - count(*) FILTER (WHERE direction = 'downgrade')
                 FROM luamig.history WHERE revision = lpad(n::text, 3, '0')) AS applied
              FROM generate_series(1, $1::int) AS n) x
     WHERE has_table <> has_mark OR applied <> (n <= $2::int)::int]],
    { count, version ~= "" and version or 0 })
  return wrong ~= "" and wrong or nil
end

return kinds
