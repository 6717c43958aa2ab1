local generate = require("luamig.generate")
local server = require("support.server")
local snapshot = require("luamig.snapshot")
local snapshots = require("support.snapshots")

local function read(name)
  local file <close> = assert(io.open("tests/db/applications/" .. name .. ".sql"))
  return file:read("a")
end

-- What a table holds at most, where that is less than is wanted.
local fewer = { ["table public.sequence_counter"] = 1 }

describe("generated rows of a whole application", function()
  local session

  lazy_setup(function()
    session = snapshots.session()
  end)
  lazy_teardown(function()
    session.close()
  end)

  for _, name in ipairs({ "billing", "booking", "forum", "tenant" }) do
    it("fill each table: " .. name, function()
      if session.major < 15 then
        return -- NULLS NOT DISTINCT, SET NULL of one column
      end
      for seed = 1, 3 do
        session.inside(function(connection)
          snapshots.run(connection, read(name))
          local report = generate.fill(connection, snapshot.read(connection), { seed = seed })
          assert.same({}, report.unfilled)
          for _, entry in ipairs(report.short) do
            assert.equal(fewer[entry.identity], entry.rows, entry.identity .. ": " .. entry.why)
          end
        end)
      end
    end)
  end
end)

teardown(server.assert_clean)
