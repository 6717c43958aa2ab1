--- A moment as files show it: in the time zone that the project names.

local fault = require("luamig.fault")

local moment = {}

local Moment = {}
Moment.__index = Moment

---@param config luamig.Config
---@param seconds? integer  since 1970; now when left out. Raises: config (unknown time zone).
---@return table
function moment.new(config, seconds)
  local self = setmetatable({ seconds = seconds or os.time(), zone = config.timezone }, Moment)
  if not require("luamig.core.calendar").format(self.seconds, "%Y", self.zone) then
    fault.raise({
      kind = "config",
      message = ("timezone '%s' is not known"):format(self.zone),
      hint = "a name such as \"Europe/Berlin\", \"UTC\", or \"local\" for this machine's own",
      file = config.file,
    })
  end
  return self
end

---@param format string  of strftime
---@param seconds? integer  another moment of the same zone
---@return string
function Moment:format(format, seconds)
  return require("luamig.core.calendar").format(seconds or self.seconds, format, self.zone)
end

---@return string  2025-01-11 10:00:00+00:00
function Moment:text()
  return (self:format("%Y-%m-%d %H:%M:%S%z"):gsub("(%d%d)(%d%d)$", "%1:%2"))
end

return moment
