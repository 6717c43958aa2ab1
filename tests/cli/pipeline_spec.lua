local scene = require("support.scene")

-- Nothing is waited for, so a failure is noticed while something else is being sent: any of the
-- statements behind it, those of luamig's own among them.
describe("a statement that fails while others are queued behind it", function()
  local s

  before_each(function()
    s = scene.new()
  end)

  after_each(function()
    s:close()
  end)

  local function with_followers(count)
    s:revision("001", nil, ([[
  op.execute("CREATE TABLE t1 (id int)")
  op.execute("SELECT * FROM nowhere")
  for _ = 1, %d do op.execute("SELECT 1") end
  local start = os.clock() -- the answer is there before the next one is sent
  while os.clock() - start < 0.01 do end]]):format(count))
    for i = 2, 8 do
      s:revision(("%03d"):format(i), ("%03d"):format(i - 1), [[
  op.execute("SELECT 1")
  local start = os.clock()
  while os.clock() - start < 0.003 do end]])
    end
  end

  it("is told with its own place and revision, wherever it is noticed", function()
    for count = 0, 31 do
      with_followers(count)
      local result = s:run("upgrade")
      assert.equal(1, result.status)
      assert.equal([[
error: relation "nowhere" does not exist (42P01)
  versions/001.lua:10  op.execute
    SELECT * FROM nowhere
                  ^
  state: nothing changed; revision 001 rolled back, database is at <base>
  try:   fix the script and run: luamig upgrade head
]], result.stderr, "with " .. count .. " behind it")
    end
  end)

  it("is told so when a revision that was begun before comes behind it", function()
    s:revision("001", nil, '  op.execute("CREATE TABLE t1 (id int)")')
    s:revision("002", "001", [[
  op.step("one", function() op.execute("CREATE TABLE t2 (id int)") end)
  op.execute("SELECT * FROM nowhere")]])
    assert.equal(11, s:run("upgrade").status)
    -- The history was changed under it: another revision comes first now.
    s:revision("002", "001a", [[
  op.step("one", function() op.execute("CREATE TABLE t2 (id int)") end)]])
    s:revision("001a", "001", '  op.execute("SELECT * FROM elsewhere")')
    local result = s:run("upgrade")
    assert.matches("versions/001a.lua:9  op.execute", result.stderr, 1, true)
    assert.matches("revision 001a rolled back, database is at 001", result.stderr)
  end)
end)
