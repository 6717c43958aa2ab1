-- Loaded by busted before the specs: when the run has ended, nothing may be left on the server.
local busted = require("busted")

busted.subscribe({ "exit" }, function()
  local server = package.loaded["support.server"]
  local list = server and server.is_started() and server.leftovers() or {}
  if #list > 0 then
    io.stderr:write("left on the server by the specs:\n  ", table.concat(list, "\n  "), "\n")
    os.exit(1)
  end
end)
