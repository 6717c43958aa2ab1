--- What a command works with: its options, and config, graph and connection when it asks for them.

local session = {}

local Session = {}
Session.__index = Session

---@param options table  as parsed from the command line
---@param report table   luamig.report, or who says less
function session.new(options, report)
  -- closing: what ends with the session, such as servers; the last one first
  return setmetatable({
    options = options,
    report = report,
    closing = {},
  }, Session)
end

---The project's config; read once. Raises: config.
---@return luamig.Config
function Session:config()
  if not self.loaded_config then
    local config = require("luamig.config").load(self.options)
    config.print = self.report.script_print
    self.loaded_config = config
  end
  return self.loaded_config
end

---The graph of the project's revisions, and the revisions by id; read once.
---Raises: config, graph, script.
function Session:graph()
  if not self.loaded_graph then
    self.loaded_graph, self.by_id = require("luamig.revision").graph(self:config())
  end
  return self.loaded_graph, self.by_id
end

---The version rows of the database, for commands that understand "current". Raises: connection, …
---@return string[]
function Session:rows()
  if not self.loaded_rows then
    local connection = self:connect()
    self.loaded_rows = require("luamig.state").read(connection, self:config()).rows
  end
  return self.loaded_rows
end

---Begins to connect, for a command that reads files first; never raises.
function Session:expect_connection()
  if not self.connection and not self.begun then
    self.begun = require("luamig.database").start(self)
  end
end

---The connection to the database; opened once.
function Session:connect()
  if not self.connection then
    self.connection = require("luamig.database").connect(self)
  end
  return self.connection
end

---Closes what was opened; cli.lua does it when the command ends, however it ends.
function Session:close()
  if self.connection then
    if self.connection:alive() then
      self.report.debug(2, ("round trips after the connection was made: %d"):format(
        self.connection:round_trips()))
    end
    self.connection:close()
    self.connection = nil
  end
  if self.begun then
    self.begun.start:close()
    self.begun = nil
  end
  while #self.closing > 0 do
    table.remove(self.closing):close()
  end
end

Session.__close = Session.close

return session
