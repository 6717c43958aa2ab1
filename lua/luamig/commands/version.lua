local version = { name = "version", summary = "Prints the version of luamig and of its libraries." }

function version.run(ctx)
  local about = require("luamig.core.about")
  if ctx.options.json then
    ctx.report.json(about)
  else
    ctx.report.out(("luamig %s (%s, libpq %s)"):format(about.luamig, about.lua, about.libpq))
  end
end

return version
