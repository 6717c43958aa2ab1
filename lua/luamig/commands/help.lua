local help = { name = "help", summary = "Explains a command, a topic, or an operation (op.NAME)." }

function help.setup(parser)
  parser:argument("topic", "a command, a topic, op, or op.NAME (default: the overview)"):args("?")
    :argname("TOPIC")
end

function help.run(ctx)
  local texts = require("luamig.help")
  local topic = ctx.options.topic
  local text = topic and texts.text(topic) or texts.overview()
  text = text:gsub("%s+$", "")
  if ctx.options.json then
    ctx.report.json({ topic = topic or "help", text = text })
  else
    ctx.report.out(text)
  end
end

return help
