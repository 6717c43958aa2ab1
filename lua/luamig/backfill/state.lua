--- The rows that luamig keeps of batched migrations, through one connection. The SQL is the core's.

local clock = require("luamig.core.clock")
local connection = require("luamig.core.conn")
local core = require("luamig.core.batch")
local fault = require("luamig.fault")
local json = require("luamig.json")
local txn = require("luamig.core.txn")

local state = {}

local State = {}
State.__index = State

local ATTEMPTS <const> = 30 -- about two minutes

local texts = {}

---@param conn { exec: fun(self, sql: string, params?: table): table }|nil  nil: comes later
---@param names? { schema?: string, table?: string }  of the version table they stand beside
function state.new(conn, names)
  names = names or {}
  local schema, table_name = names.schema or "luamig", names.table or "version"
  local key = schema .. "\0" .. table_name
  texts[key] = texts[key] or core.sql(schema, table_name)
  return setmetatable({ conn = conn, sql = texts[key], schema = schema, table = table_name }, State)
end

---Opens a connection of its own; a `<close>` variable may hold the state.
---@param place luamig.backfill.Place
---@param name string  of the backfill: sessions show it
function state.open(place, name)
  local self = state.new(nil, place.state)
  function self.open()
    local conn = connection.open({ url = place.url, application_name = "luamig:" .. name })
    conn:patient(true) -- a signal ends the workers; what is asked of the tables then goes through
    if place.role then -- whose tables they are
      conn:exec(self.sql.session_role, { conn:info().pid, place.role })
    end
    return conn
  end
  self.conn = self.open()
  return self
end

function State:close()
  self.conn:close()
end

State.__close = State.close

---Opens the connection again when it is lost. Raises nothing: the next statement tells.
function State:revive()
  if self.conn:alive() then
    return
  end
  local opened, conn = pcall(self.open)
  if opened then
    self.conn:close()
    self.conn = conn
  end
end

---Runs one of the core's statements. A nil parameter is SQL NULL.
---@return table[] rows
function State:exec(name, ...)
  return self.conn:exec(assert(self.sql[name], name), table.pack(...))
end

---The same, also when the connection has been lost: for statements that may run twice.
function State:persist(name, ...)
  for attempt = 1, ATTEMPTS do
    local ok, result = pcall(self.exec, self, name, ...)
    if ok then
      return result
    elseif not fault.is(result) or result.kind ~= "connection" or attempt == ATTEMPTS then
      error(result, 0)
    end
    clock.sleep_ms(txn.retry_delay_ms(attempt))
    self:revive()
  end
end

---Runs a function in a transaction of its own; an error rolls it back.
function State:transaction(fn)
  self.conn:exec("BEGIN")
  local ok, result = pcall(fn)
  if ok then
    self.conn:exec("COMMIT")
    return result
  end
  pcall(self.conn.exec, self.conn, "ROLLBACK")
  error(result, 0)
end

---@return boolean  whether the tables are there
function State:exists()
  return self:exec("present")[1].present
end

---Creates the tables when they are not there; safe when others do the same at the same time.
---@param is_open? boolean  in a transaction that the caller has opened
---@param role? string      whose they shall be
function State:ensure(is_open, role)
  local present = self:exec("present")[1]
  if present.present then
    return
  end
  local function create()
    if role then
      self.conn:exec("SELECT pg_catalog.set_config('role', $1, true)", { role })
    end
    self:exec("create_lock")
    if not present.has_schema then
      self:exec("create_schema")
    end
    if not self:exists() then
      for _, name in ipairs({ "backfill", "range", "range_key", "error", "event" }) do
        self:exec("create_" .. name)
      end
    end
  end
  if is_open then
    create()
  else
    self:transaction(create)
  end
end

---The backfill of this name, or nil.
---@return table|nil row
function State:find(name)
  return self:exec("find", name)[1]
end

---The backfill of this name. Raises: usage, with the names there are.
function State:get(name)
  local row = self:exists() and self:find(name)
  if not row then
    local names = {}
    for i, each in ipairs(self:exists() and self:progress() or {}) do
      names[i] = each.name
    end
    local near = require("luamig.nearest").of(name, names)
    fault.raise({
      kind = "usage",
      message = ("there is no backfill '%s'"):format(name),
      hint = near and ("did you mean '%s'?"):format(near)
        or #names > 0 and "known: " .. table.concat(names, ", ") or "none is registered",
      try = "luamig backfill list",
    })
  end
  return row
end

---How far a backfill is, or all of them.
---@param id? integer
---@return table[] rows
function State:progress(id)
  return self:exec("progress", id)
end

---Registers a backfill and returns its id.
---@param spec luamig.BatchSpec
---@param about { revision?, direction?, run?, code: string, file?, script?, context? }
---@return integer
function State:register(spec, about)
  local tuning = spec.tuning
  return self:exec("register", spec.name, about.revision, about.direction, about.run, spec.kind,
    spec.relation, about.code, require("luamig.batch_spec").encode(spec), about.file,
    about.script, about.context and json.encode(about.context), tuning.batch_rows,
    tuning.target_ms, tuning.pause_ms, tuning.workers, tuning.lease_ms, tuning.error_budget,
    state.encode_throttle(tuning.throttle), tuning.vacuum_every)[1].id
end

---Gives a backfill the code of another script; the next run renders its SQL anew.
---@param about { code: string, file?: string, script?: string, context? }
function State:adopt(id, spec, about)
  self:exec("adopt", id, about.code, require("luamig.batch_spec").encode(spec), about.file,
    about.script, about.context and json.encode(about.context))
end

---A throttle as the tables hold it: a function stays in its script.
function state.encode_throttle(throttle)
  local out = {}
  for name, v in pairs(throttle) do
    out[name] = type(v) == "function" and { ["function"] = true } or v
  end
  return next(out) and json.encode(out) or "{}"
end

return state
