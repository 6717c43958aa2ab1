--- Builds the pairs of schemas, applies what the comparison says, and dumps the result.

local diff = require("luamig.diff")
local op = require("luamig.op")
local recording = require("luamig.executor.recording")
local server = require("support.server")
local snapshot = require("luamig.snapshot")
local snapshots = require("support.snapshots")
local source = require("luamig.source")
local statements = require("luamig.diff.statements")

local schema_work = {}

---The roles that the pairs speak of.
local ROLES = { "luamig_spec_alice", "luamig_spec_bob" }

---A tablespace inside the data directory, from PostgreSQL 15 on.
local TABLESPACE <const> = "luamig_spec_space"

local function admin(script)
  local connection <close> = require("luamig.core.conn").open({ url = server.url() })
  connection:exec(script)
end

---Makes what the pairs need besides a database.
function schema_work.make_surroundings()
  for _, role in ipairs(ROLES) do
    admin("CREATE ROLE " .. role)
  end
  if server.version() >= 150000 then
    local connection <close> = require("luamig.core.conn").open({ url = server.url() })
    connection:exec("SET allow_in_place_tablespaces = on")
    connection:exec(("CREATE TABLESPACE %s LOCATION ''"):format(TABLESPACE))
  end
end

function schema_work.drop_surroundings()
  for _, role in ipairs(ROLES) do
    admin("DROP ROLE IF EXISTS " .. role)
  end
  admin("DROP TABLESPACE IF EXISTS " .. TABLESPACE)
end

-- Names that a pair has outside its schema begin with that of the schema.
local function script_of(text, schema)
  return (text:gsub("{s}", schema))
end

---Runs one side of a pair in a schema of its own.
---@param side "before"|"after"
function schema_work.build(connection, pair, side, schema)
  connection:exec("CREATE SCHEMA " .. schema)
  connection:exec(("SET search_path = %s, public"):format(schema))
  snapshots.run(connection, script_of(pair.common .. "\n" .. pair[side], schema))
  connection:exec("RESET search_path")
end

---A database with one side of every pair of a list.
---@return table database  of support.server
---@return userdata connection
function schema_work.database(list, side)
  local database = server.database()
  local connection = database.connect()
  connection:exec("SET client_min_messages = error")
  for i, pair in ipairs(list) do
    local ok, failure = pcall(schema_work.build, connection, pair, side, ("s%03d"):format(i))
    if not ok then
      connection:close()
      database.drop()
      error(("%s, %s: %s"):format(pair.name, side, tostring(failure.message or failure)), 0)
    end
  end
  return database, connection
end

-- The statements that the source of the changes makes, run as a script.
local function statements_of_source(changes, context)
  local pieces = {}
  for i, change in ipairs(changes) do
    pieces[i] = source.calls(change.records, "  ")
  end
  local text = table.concat(pieces)
  for line in text:gmatch("[^\n]+") do
    assert(#line <= 100, "a line of the source is too long: " .. line)
  end
  local chunk = assert(load(text, "=source", "t", { op = op }))
  local executor = recording.new(context)
  op.with(executor, chunk)
  return executor.statements
end

-- What a script would say is what the records say.
local function assert_same_source(changes, context)
  local said, meant = statements_of_source(changes, context), statements.of(changes, context)
  for i, statement in ipairs(meant) do
    assert(said[i] and said[i].sql == statement.sql,
      ("the source says\n%s\nand the record\n%s"):format(said[i] and said[i].sql, statement.sql))
  end
  assert(#said == #meant)
  return meant
end

---Applies what leads from one snapshot to another. Raises the first failure, with the statement.
---@return table result  of diff.between
function schema_work.apply(connection, a, b, options)
  local result = diff.between(a, b, options)
  local context = { server_version = connection:info().server_version }
  for _, statement in ipairs(assert_same_source(result.changes, context)) do
    local ok, failure = pcall(connection.exec, connection, statement.sql)
    if not ok then
      error(("%s\n%s"):format(tostring(failure.message or failure), statement.sql), 0)
    end
  end
  return result
end

local function words(path)
  local pipe = assert(io.popen(path .. " --version 2>/dev/null"))
  local text = pipe:read("a")
  pipe:close()
  return text:match("(%d+)%.")
end

local dump_program

---The pg_dump of the server's own version, or nil when the machine has none.
---@return string|nil path
function schema_work.dump_program()
  if dump_program == nil then
    local major = tostring(server.version() // 10000)
    dump_program = false
    for _, path in ipairs({ ("/usr/lib/postgresql/%s/bin/pg_dump"):format(major), "pg_dump" }) do
      if not dump_program and words(path) == major then
        dump_program = path
      end
    end
  end
  return dump_program or nil
end

-- Where a table's columns stand in another order, its lines are compared without one.
local function with_sorted_lines(block)
  local lines = {}
  for line in block:gmatch("[^\n]+") do
    lines[#lines + 1] = line:gsub(",$", "")
  end
  table.sort(lines)
  return table.concat(lines, "\n")
end

-- What pg_dump shows in the order in which it was said: grants, and storage parameters.
local function in_one_order(block)
  if block:find("Type: ACL;", 1, true) then
    return with_sorted_lines(block)
  end
  return (block:gsub("WITH (%b())", function(list)
    local parts = {}
    for part in list:sub(2, -2):gmatch("[^,]+") do
      parts[#parts + 1] = part:match("^%s*(.-)%s*$")
    end
    table.sort(parts)
    return "WITH (" .. table.concat(parts, ", ") .. ")"
  end))
end

-- The text of each object.
local function blocks_of(text, is_unordered)
  text = text:gsub("\\u?n?restrict [^\n]*\n", "")
    :gsub("\nSET default_table_access_method[^\n]*", "")
  local blocks = {}
  for block in (text .. "\n--\n-- Name: "):gmatch("(.-)\n%-%-\n%-%- Name: ") do
    block = in_one_order((block:gsub("\n+$", "")))
    blocks[is_unordered and with_sorted_lines(block) or block] = true
  end
  return blocks
end

---Schemas as pg_dump tells them, read at the same time.
---@param urls string[]
---@param is_unordered? boolean  the order of columns does not matter
---@return table<string, true>[] dumps  the text of each object
function schema_work.dumps(urls, is_unordered)
  local pipes, dumps = {}, {}
  for i, url in ipairs(urls) do
    pipes[i] = assert(io.popen(("%s -s '%s' 2>&1"):format(schema_work.dump_program(), url)))
  end
  for i, pipe in ipairs(pipes) do
    dumps[i] = blocks_of(pipe:read("a"), is_unordered)
    assert(pipe:close(), "pg_dump failed")
  end
  return dumps
end

local function only_in(blocks, others, sign, out)
  for block in pairs(blocks) do
    if not others[block] then
      out[#out + 1] = sign .. block:gsub("\n", "\n" .. sign)
    end
  end
end

---What differs between two dumps; "" when nothing does.
---@return string
function schema_work.dumps_apart(got, wanted)
  local out = {}
  only_in(got, wanted, "+", out)
  only_in(wanted, got, "-", out)
  table.sort(out)
  return table.concat(out, "\n")
end

---What differs between two snapshots, in words; "" when nothing does.
---@return string
function schema_work.apart(got, wanted, options)
  if snapshot.equal(got, wanted, options) then
    return ""
  end
  return snapshots.told(got, wanted, options)
end

return schema_work
