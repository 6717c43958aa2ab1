--- The command line: finds the command, runs it, turns a fault into a message and an exit status.

local cli = {}

function cli.main(arguments)
  io.stdout:write("luamig: no commands are built in, called with ", #arguments, " arguments\n")
  return 2
end

return cli
