--- The command as it can be typed again, for the line `try` of an error.

local command_line = {}

local function word(text)
  return text:find("^[%w_@%%+=:,./-]+$") and text or "'" .. text:gsub("'", "'\\''") .. "'"
end

---@param ctx table  luamig.session
---@param ... string  the command and its arguments
---@return string  "luamig --env staging upgrade head"; a --url is left out, it may hold a password
function command_line.of(ctx, ...)
  local words = { "luamig" }
  for _, pair in ipairs({ { "-c", ctx.options.config }, { "--env", ctx.options.env } }) do
    if pair[2] then
      words[#words + 1] = pair[1]
      words[#words + 1] = word(pair[2])
    end
  end
  for _, text in ipairs({ ... }) do
    words[#words + 1] = word(text)
  end
  return table.concat(words, " ")
end

return command_line
