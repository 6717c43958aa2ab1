local completion = { name = "completion" }

completion.summary = [[
Prints the completion script of a shell. To load it:
  bash   eval "$(luamig completion bash)"         in ~/.bashrc
  zsh    luamig completion zsh > FOLDER/_luamig   FOLDER being in $fpath
  fish   luamig completion fish > ~/.config/fish/completions/luamig.fish]]

function completion.setup(parser)
  parser:argument("shell", "bash, zsh or fish"):choices({ "bash", "zsh", "fish" })
end

function completion.run(ctx)
  ctx.report.raw(require("luamig.completion").script(ctx.options.shell))
end

return completion
