-- A schema with a handful of changes, and with a handful more: what the comparison says leads from
-- the one to the other, and back. The same changes each time; LUAMIG_SPEC_ROUNDS tries others.

local schema_work = require("support.schema_work")
local server = require("support.server")
local snapshot = require("luamig.snapshot")
local snapshots = require("support.snapshots")

local FIRST <const>, ROUNDS <const> = 1, tonumber(os.getenv("LUAMIG_SPEC_ROUNDS")) or 20
local CHANGES <const> = 6 -- of each handful; some are refused

local OPTIONS <const> = { role = "postgres", column_order = false }

local function read_file()
  local handle = assert(io.open("tests/support/schema_changes.sql"))
  local text = handle:read("a")
  handle:close()
  local base, rest = text:match("^(.-)\n%-%- changes\n(.*)$")
  local changes = {}
  for paragraph in (rest .. "\n"):gmatch("%s*(.-)\n\n") do
    changes[#changes + 1] = paragraph ~= "" and paragraph or nil
  end
  return base, changes
end

-- Numbers that are the same everywhere.
local function chooser(seed)
  local state = seed
  return function(count)
    state = (state * 6364136223846793005 + 1442695040888963407) & 0x7fffffffffffffff
    return (state >> 33) % count + 1
  end
end

describe("the comparison of a schema with itself after random changes", function()
  local base, changes = read_file()

  teardown(server.assert_clean)

  local function read(connection)
    return snapshot.read(connection, { prepare = true })
  end

  -- Applies some of the changes; those that the server refuses are left out.
  local function change(connection, choose)
    local done = {}
    for _ = 1, CHANGES do
      local script = changes[choose(#changes)]
      connection:exec("BEGIN")
      if pcall(snapshots.run, connection, script) then
        connection:exec("COMMIT")
        done[#done + 1] = script
      else
        connection:exec("ROLLBACK")
      end
    end
    return table.concat(done, "\n")
  end

  local function lead(connection, from, to, story)
    local ok, result = pcall(schema_work.apply, connection, from, to, OPTIONS)
    if not ok then
      error(("%s\n%s"):format(story, result), 0)
    elseif #result.unsupported > 0 then
      return false
    end
    local apart = schema_work.apart(read(connection), to, OPTIONS)
    if apart ~= "" then
      error(("%s\n%s"):format(story, apart), 0)
    end
    return true
  end

  for round = FIRST, ROUNDS do
    it(("leads there and back: %d"):format(round), function()
      local database <close> = server.database()
      local connection <close> = database.connect()
      connection:exec("SET client_min_messages = error")
      snapshots.run(connection, base)
      local choose = chooser(round)
      local story = change(connection, choose)
      local first = read(connection)
      story = story .. "\n-- and then\n" .. change(connection, choose)
      local second = read(connection)
      if lead(connection, second, first, story .. "\n-- back") then
        lead(connection, first, second, story .. "\n-- there again")
      end
    end)
  end
end)
