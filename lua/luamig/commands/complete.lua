-- `luamig __complete -- WORD…`: candidates for the last word, one a line, a tab before what they
-- are. For completion scripts: whatever is wrong, it prints nothing and ends with 0.
local complete = { name = "__complete", summary = "Words for completion scripts." }

function complete.setup(parser)
  parser:argument("words"):args("*")
end

-- The words typed so far may name the project and the environment.
local function read_globals(options, words)
  for i, word in ipairs(words) do
    if word == "-c" or word == "--config" then
      options.config = words[i + 1]
    end
    options.config = word:match("^%-%-config=(.+)$") or options.config
  end
end

local function one_line(text)
  return (tostring(text or ""):gsub("[%c]+", " "))
end

function complete.run(ctx)
  local words = ctx.options.words
  read_globals(ctx.options, words)
  local ok, list = pcall(require("luamig.completion").candidates, ctx, words)
  for _, candidate in ipairs(ok and list or {}) do
    ctx.report.out(one_line(candidate[1]) .. "\t" .. one_line(candidate[2]))
  end
  return 0
end

return complete
