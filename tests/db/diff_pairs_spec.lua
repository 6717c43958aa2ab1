-- Every pair of the corpus, both ways: what the comparison says is applied, the snapshot afterwards
-- is the one that was wanted, and pg_dump sees no difference either. The pairs of a file are in one
-- database, a schema each, so that the order of many changes at once is tried too.

local schema_pairs = require("support.schema_pairs")
local schema_work = require("support.schema_work")
local server = require("support.server")
local snapshot = require("luamig.snapshot")

local OWN <const> = { role = "postgres" }

local function options_of(pair)
  local options = { role = OWN.role }
  for name, option in pairs(pair.options) do
    options[name] = option
  end
  return options
end

-- Pairs by file and options; those that stand alone one by one.
local function groups()
  local out, by_name = {}, {}
  local major = server.version() // 10000
  for _, pair in ipairs(schema_pairs.all()) do
    if major >= (pair.since or 14) and not pair.unsupported then
      local name = pair.alone and pair.name or pair.file
      name = pair.options.column_order == false and name .. " in any order" or name
      if not by_name[name] then
        by_name[name] = { name = name, options = options_of(pair) }
        out[#out + 1] = by_name[name]
      end
      table.insert(by_name[name], pair)
    end
  end
  return out
end

local function read(connection)
  return snapshot.read(connection, { prepare = true })
end

local function side_of(group, side)
  local database, connection = schema_work.database(group, side)
  return { database = database, connection = connection, snapshot = read(connection) }
end

local function close(side)
  side.connection:close()
  side.database.drop()
end

-- Which pairs fail when each is tried by itself.
local function culprits(group, from, to)
  local bad = {}
  for _, pair in ipairs(group) do
    local options = options_of(pair)
    local ok, failure = pcall(function()
      local b = side_of({ pair }, to)
      close(b)
      local a = side_of({ pair }, from)
      local applied, why = pcall(schema_work.apply, a.connection, a.snapshot, b.snapshot, options)
      local apart = applied
        and schema_work.apart(read(a.connection), b.snapshot, options)
      close(a)
      return applied and apart or why
    end)
    if not ok or failure ~= "" then
      bad[#bad + 1] = pair.name .. "\n  " .. tostring(failure)
    end
  end
  return table.concat(bad, "\n")
end

local function check(group, a, b, from, to)
  local ok, failure = pcall(schema_work.apply, a.connection, a.snapshot, b.snapshot, group.options)
  local problem = ok
    and schema_work.apart(read(a.connection), b.snapshot, group.options) or failure
  if problem ~= "" then
    error(("%s to %s:\n%s\none by one:\n%s"):format(from, to, problem,
      culprits(group, from, to)), 0)
  end
end

describe("the comparison of two schemas", function()
  setup(schema_work.make_surroundings)
  teardown(function()
    schema_work.drop_surroundings()
    server.assert_clean()
  end)

  for _, group in ipairs(groups()) do
    local is_unordered = group.options.column_order == false

    local function dumps(...)
      local urls = {}
      for i, side in ipairs({ ... }) do
        urls[i] = side.database.url
      end
      return schema_work.dump_program() and schema_work.dumps(urls, is_unordered)
    end

    it(("leads there and back: %s (%d)"):format(group.name, #group), function()
      local a <close> = setmetatable(side_of(group, "before"), { __close = close })
      local b <close> = setmetatable(side_of(group, "after"), { __close = close })
      local wanted = dumps(a, b)
      check(group, a, b, "before", "after")
      check(group, b, a, "after", "before")
      local got = dumps(b, a)
      for i = 1, wanted and 2 or 0 do
        assert.equal("", schema_work.dumps_apart(got[i], wanted[i]))
      end
    end)
  end

  it("compares the dumps of pg_dump too", function()
    if not schema_work.dump_program() then
      pending("there is no pg_dump of the server's version")
    end
  end)

  it("names what it cannot change", function()
    for _, pair in ipairs(schema_pairs.all()) do
      if pair.unsupported then
        local a <close> = setmetatable(side_of({ pair }, "before"), { __close = close })
        local b <close> = setmetatable(side_of({ pair }, "after"), { __close = close })
        local there = schema_work.apply(a.connection, a.snapshot, b.snapshot, OWN)
        local back = schema_work.apply(b.connection, b.snapshot, a.snapshot, OWN)
        assert.is_true(#there.unsupported + #back.unsupported > 0, pair.name)
      end
    end
  end)
end)
