-- A process of its own that works on a backfill: luamig lua worker.lua URL NAME WORKERS
-- Prints how it ended.
local ended = require("luamig.backfill").run({ url = arg[1] }, arg[2],
  { workers = arg[3] ~= "0" and math.tointeger(tonumber(arg[3])) or nil })
print(ended)
