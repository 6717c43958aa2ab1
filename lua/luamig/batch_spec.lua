--- What a batched migration is: the table that op.batch_execute and op.backfill take, checked and
-- brought into one form. Pure.

local call = require("luamig.call")
local duration = require("luamig.duration")
local fault = require("luamig.fault")
local json = require("luamig.json")
local quote = require("luamig.quote")
local value = require("luamig.value")

local batch_spec = {}

local throttle_fields = {
  replication_lag = {
    type = "string|number",
    doc = "hold while a standby is further behind than this (\"2s\")",
  },
  wal_rate = { type = "string|number", doc = "slow down above so much WAL (\"40MB/s\")" },
  waiters = { type = "integer", doc = "hold while more sessions than this wait for locks" },
  autovacuum = { type = "boolean", doc = "hold while autovacuum works on the table" },
  window = { type = "string", doc = "work only then, by the server's clock (\"22:00-06:00\")" },
  when = {
    type = "sql_or_string|function",
    doc = "hold while this SQL, or this function, says true; a text is the reason shown",
  },
}

---The options, in the form of an operation's fields.
batch_spec.fields = {
  table = { type = "name", required = true, doc = "\"table\" or \"schema.table\"" },
  set = { type = "map<literal>", doc = "column = value; op.sql for an expression of the row" },
  read = { type = "list<identifier>", doc = "the columns that the map function sees" },
  map = {
    type = "function|string",
    doc = "function(row, ctx) that returns { column = value }, or nil to leave the row; or the "
      .. "name of a project module that returns such a function",
  },
  sql = { type = "sql_or_string", doc = "a statement that holds {range} where the keys belong" },
  remaining = { type = "sql_or_string", doc = "true for a row that still needs work" },
  key = {
    type = "identifier|list<identifier>",
    doc = "columns of a unique index; default the primary key; \"ctid\" when there is no key",
  },
  batch_rows = { type = "integer", default = 5000, doc = "rows of the first batch" },
  target_ms = { type = "integer", default = 300, doc = "how long a batch should take" },
  workers = { type = "integer", default = 1, doc = "connections at work in one process" },
  pause_ms = { type = "integer", default = 0, doc = "rest after each batch" },
  throttle = { type = "fields", fields = throttle_fields, doc = "when to hold or slow down" },
  on_error = {
    type = "enum{fail}|fields",
    fields = {
      quarantine = { type = "integer", required = true, doc = "so many rows may be put aside" },
    },
    doc = "\"fail\", or { quarantine = N }",
  },
  vacuum_every = {
    type = "number",
    doc = "VACUUM the table after so many changed rows; below 1 a share of the table",
  },
  lease = { type = "string|number", default = "60s", doc = "after this a silent worker is dead" },
  consistency = {
    type = "enum{lock,compare}",
    doc = "rows for the map function are locked when read, or compared when written",
  },
  synchronous_commit = {
    type = "enum{off,local,remote_write,on,remote_apply}",
    default = "off",
    doc = "a crash that loses a batch loses its cursor too, so off is safe",
  },
}

---The parameters of the operations that take a specification.
batch_spec.parameters = {
  { name = "name", type = "string", doc = "names the work in the tables and in commands" },
  { name = "spec", type = "fields", fields = batch_spec.fields, doc = "what is done" },
}

local description = { name = "batch_execute", parameters = batch_spec.parameters }

local function refuse(message, hint)
  fault.raise({ kind = "operation", message = message, hint = hint })
end

local function text_of(v)
  return type(v) == "table" and v.sql or v
end

local function kind_of(given)
  local kinds = {}
  for _, kind in ipairs({ "set", "map", "sql" }) do
    if given[kind] ~= nil then
      kinds[#kinds + 1] = kind
    end
  end
  if #kinds ~= 1 then
    refuse(#kinds == 0 and "spec: nothing to do: give one of set, map or sql"
      or ("spec: %s and %s were given; a batched migration does one thing"):format(kinds[1],
        kinds[2]))
  end
  return kinds[1]
end

local function check_integer(given, name, least, most)
  if given[name] < least or given[name] > most then
    refuse(("spec.%s: expected %d to %d, got %d"):format(name, least, most, given[name]))
  end
end

local function check_map(given, kind)
  if kind == "map" and (not given.read or #given.read == 0) then
    refuse("spec.read: the map function sees the columns named in read, and there are none",
      'write read = { "id", … }')
  elseif kind ~= "map" and (given.read or given.consistency) then
    refuse(("spec.%s: it goes with map"):format(given.read and "read" or "consistency"))
  elseif given.key == "ctid" and given.consistency == "compare" then
    refuse('spec.consistency: "compare" needs a key; rows known by ctid are locked')
  end
end

local function check_sql(given, kind)
  if kind ~= "sql" then
    return
  end
  local sql = text_of(given.sql)
  if not sql:find("{range[:}]") then
    refuse("spec.sql: it lacks {range}, the condition that limits it to one batch",
      "write … FROM events WHERE {range}, or {range:e} for a table alias")
  end
  local pieces = require("luamig.core.sql").split(sql)
  if #pieces ~= 1 then
    refuse(("spec.sql: expected one statement, got %d"):format(#pieces))
  end
end

-- Control characters stand for the table and the bound in the texts that go to the workers.
local function check_text(text, where)
  if text:find("[\1\2]") then
    refuse(("spec.%s: the text has a control character in it"):format(where))
  end
  return text
end

local function expressions(set)
  local list = {}
  for column, v in pairs(set) do
    if value.is(v, "sql") or type(v) ~= "table" then
      local text = value.is(v, "sql") and "(" .. v.sql .. ")" or quote.literal(v)
      list[#list + 1] = { column = column, sql = check_text(text, "set." .. column) }
    else
      list[#list + 1] = {
        column = column,
        sql = check_text(require("luamig.types").literal(v), "set." .. column),
      }
    end
  end
  table.sort(list, function(a, b)
    return a.column < b.column
  end)
  if #list == 0 then
    refuse("spec.set: there is no column in it")
  end
  return list
end

local function milliseconds(v, where)
  return duration.milliseconds(v) or refuse(
    ("spec.%s: '%s' is no duration; write \"60s\""):format(where, tostring(v)))
end

local sizes = { B = 1, KB = 1024, MB = 1024 ^ 2, GB = 1024 ^ 3 }

local function bytes_a_second(v)
  if type(v) == "number" then
    return v
  end
  local number, unit = v:match("^%s*(%d+%.?%d*)%s*([KMG]?B)/s%s*$")
  if not number then
    refuse(("spec.throttle.wal_rate: '%s' is no rate; write \"40MB/s\""):format(v))
  end
  return tonumber(number) * sizes[unit]
end

local function window(text)
  local from_h, from_m, to_h, to_m = text:match("^(%d%d?):(%d%d)%s*%-%s*(%d%d?):(%d%d)$")
  local function minute(h, m)
    h, m = tonumber(h), tonumber(m)
    return h and h <= 24 and m < 60 and h * 60 + m or nil
  end
  local from, to = minute(from_h, from_m), minute(to_h, to_m)
  if not from or not to or from == to then
    refuse(("spec.throttle.window: '%s' is no window; write \"22:00-06:00\""):format(text))
  end
  return text
end

---The throttle in its one form. Raises: operation.
---@param given table
---@return table  plain data, but for a function in `when`
function batch_spec.throttle(given)
  return {
    replication_lag_ms = given.replication_lag
      and milliseconds(given.replication_lag, "throttle.replication_lag") or nil,
    wal_rate = given.wal_rate and bytes_a_second(given.wal_rate) or nil,
    waiters = given.waiters,
    autovacuum = given.autovacuum or nil,
    window = given.window and window(given.window) or nil,
    when = given.when and text_of(given.when) or nil,
  }
end

local function error_budget(on_error)
  local budget = type(on_error) == "table" and on_error.quarantine or 0
  if budget < 0 then
    refuse("spec.on_error.quarantine: expected a number of rows, got " .. budget)
  end
  return budget
end

local function check_numbers(given)
  check_integer(given, "batch_rows", 1, 1000000)
  check_integer(given, "target_ms", 1, 60000)
  check_integer(given, "workers", 1, 256)
  check_integer(given, "pause_ms", 0, 3600000)
  if given.vacuum_every and given.vacuum_every < 0 then
    refuse("spec.vacuum_every: expected a number of rows, or a share such as 0.1")
  end
end

---What operators may change while it runs.
---@class luamig.BatchTuning
---@field batch_rows integer
---@field target_ms integer
---@field pause_ms integer
---@field workers integer
---@field lease_ms integer
---@field error_budget integer
---@field throttle table
---@field vacuum_every number

---@return luamig.BatchTuning
local function tuning(given)
  check_numbers(given)
  local lease_ms = milliseconds(given.lease, "lease")
  if lease_ms < 1000 or lease_ms > 86400000 then
    refuse(("spec.lease: expected 1s to 1d, got '%s'"):format(tostring(given.lease)))
  end
  return {
    batch_rows = given.batch_rows,
    target_ms = given.target_ms,
    pause_ms = given.pause_ms,
    workers = given.workers,
    lease_ms = lease_ms,
    error_budget = error_budget(given.on_error),
    throttle = batch_spec.throttle(given.throttle or {}),
    vacuum_every = given.vacuum_every or 0,
  }
end

local function key_list(key)
  if key == nil or key == "ctid" then
    return key
  elseif type(key) == "table" and #key == 0 then
    refuse("spec.key: the list of columns is empty")
  end
  return type(key) == "string" and { key } or key
end

---@class luamig.BatchSpec
---@field name string
---@field kind "set"|"map"|"sql"
---@field relation string  as written
---@field key? string[]|"ctid"
---@field set? { column: string, sql: string }[]
---@field sql? string
---@field read? string[]
---@field remaining? string
---@field is_compared boolean
---@field synchronous_commit string
---@field map? function|string  of this Lua state only
---@field tuning luamig.BatchTuning

---The one form of a specification. Raises: operation.
---@param name string  of the batched migration
---@param given table  as written in the script
---@return luamig.BatchSpec
function batch_spec.check(name, given)
  local args = call.check(description, table.pack(name, given))
  given = args.spec
  if not name:find("^[%w_.:-]+$") or #name > 100 then
    refuse(("the name '%s' is not usable"):format(name),
      "letters, digits and _ . : - make a name, 100 at most")
  end
  local kind = kind_of(given)
  check_map(given, kind)
  check_sql(given, kind)
  if given.key == "ctid" and not given.remaining then
    refuse('spec.remaining: key = "ctid" needs it: a row that was changed has a new ctid, and '
      .. "only remaining tells that it is done")
  end
  local remaining = given.remaining and check_text(text_of(given.remaining), "remaining")
  return {
    name = name,
    kind = kind,
    relation = given.table,
    key = key_list(given.key),
    set = given.set and expressions(given.set),
    sql = given.sql and check_text(text_of(given.sql), "sql"),
    read = given.read,
    remaining = remaining,
    is_compared = given.consistency == "compare",
    synchronous_commit = given.synchronous_commit,
    map = given.map,
    tuning = tuning(given),
  }
end

---The part of a specification that decides what is done, as JSON; the map function is not in it.
---@param checked luamig.BatchSpec
---@return string
function batch_spec.encode(checked)
  return json.encode({
    kind = checked.kind,
    relation = checked.relation,
    key = checked.key,
    set = checked.set,
    sql = checked.sql,
    read = checked.read,
    remaining = checked.remaining,
    module = checked.module or type(checked.map) == "string" and checked.map or nil,
    is_compared = checked.is_compared,
    synchronous_commit = checked.synchronous_commit,
  })
end

---The sha256 of everything that decides what is done to a row. A map function is known by the text
---of its script.
---@param checked luamig.BatchSpec
---@param script? string
---@return string
function batch_spec.code(checked, script)
  local text = batch_spec.encode(checked)
  if checked.kind == "map" then
    text = text .. "\n" .. (script or "")
  end
  return require("luamig.core.digest").sha256(text)
end

return batch_spec
