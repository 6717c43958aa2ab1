--- The command as it can be typed again, for the line `try` of an error.

local command_line = {}

local function word(text)
  return text:find("^[%w_@%%+=:,./-]+$") and text or "'" .. text:gsub("'", "'\\''") .. "'"
end

-- "luamig" with what names the project and the environment; a --url is left out, it may hold a
-- password.
local function beginning(options)
  local words = { "luamig" }
  for _, pair in ipairs({ { "-c", options.config }, { "--env", options.env } }) do
    if pair[2] then
      words[#words + 1] = pair[1]
      words[#words + 1] = word(pair[2])
    end
  end
  return words
end

---@param ctx table  luamig.session
---@param ... string  the command and its arguments
---@return string  "luamig --env staging upgrade head"
function command_line.of(ctx, ...)
  local words = beginning(ctx.options)
  for _, text in ipairs({ ... }) do
    words[#words + 1] = word(text)
  end
  return table.concat(words, " ")
end

local everywhere = { help = true, init = true } -- commands that need no project

---Commands in a text as they are to be typed in this project and environment: "luamig upgrade"
---becomes "luamig --env staging upgrade".
---@param options table  of the command line
---@param text string
---@param is_command? fun(word: string): any  where the text may say "luamig keeps" as well
---@return string
function command_line.again(options, text, is_command)
  local start = table.concat(beginning(options), " ")
  return (text:gsub("%f[%w]luamig (%l[%w-]*)( ?[^ \n]*)", function(command, next_word)
    if everywhere[command] or next_word == " --help"
      or is_command and not is_command(command) then
      return nil
    end
    return ("%s %s%s"):format(start, command, next_word)
  end))
end

return command_line
