--- Findings for people: place, rule, the statement with a caret, what happens, the safe way.

local excerpt = require("luamig.excerpt")
local lint = require("luamig.lint")

local text = {}

local SHORT <const> = 200 -- characters; a longer safe way is not printed twice in a row

local function plural(count, word)
  return ("%d %s%s"):format(count, word, count == 1 and "" or "s")
end

local function add_safe(lines, safe)
  local head = "  safe:  "
  for line in (safe .. "\n"):gmatch("(.-)\n") do
    lines[#lines + 1] = head .. line
    head = "         "
  end
end

local function place_of(item)
  local place = item.line and ("%s:%d"):format(item.file, item.line) or item.file
  local caller = item.caller
  return caller and ("%s (%s:%d)"):format(place, caller.file, caller.line) or place
end

local function add_message(lines, message, columns)
  local line = " "
  for word in message:gmatch("%S+") do
    if utf8.len(line) and utf8.len(line .. " " .. word) > columns and line:find("%S") then
      lines[#lines + 1] = line
      line = " "
    end
    line = line .. " " .. word
  end
  lines[#lines + 1] = line
end

---The lines of one finding; the first is its headline.
---@param item luamig.lint.Finding
---@param columns integer  width of the screen
---@param above? luamig.lint.Finding  the one printed before
---@return string[]
function text.finding(item, columns, above)
  local lines = { ("%s  %s %s  %s%s"):format(place_of(item), item.severity, item.rule, item.title,
    item.direction == "downgrade" and " (downgrade)" or "") }
  if item.sql then
    for _, line in ipairs(excerpt.lines(item.sql, item.position, columns - 4)) do
      lines[#lines + 1] = "    " .. line
    end
  end
  add_message(lines, item.message
    .. (item.duration and (" (in production: %s)"):format(item.duration) or ""), columns)
  add_safe(lines, above and above.safe == item.safe and #item.safe > SHORT
    and "-- as above" or item.safe)
  return lines
end

local function counts_text(result)
  local counts, parts = lint.counts(result.findings), {}
  for _, severity in ipairs({ "error", "warning", "info" }) do
    if counts[severity] > 0 then
      parts[#parts + 1] = severity == "info" and counts.info .. " info"
        or plural(counts[severity], severity)
    end
  end
  return #parts > 0 and table.concat(parts, ", ") or "nothing found"
end

---The last line.
---@param result luamig.lint.Result
---@return string
function text.summary(result)
  if #result.judged + #result.unjudged == 0 then
    return "no revision to judge"
  end
  local line = ("%s in %s"):format(counts_text(result), plural(#result.judged, "revision"))
  if #result.ignored > 0 then
    line = line .. (", %d ignored"):format(#result.ignored)
  end
  if #result.unjudged > 0 then
    line = line .. ("; not judged: %s"):format(table.concat(result.unjudged, ", "))
  end
  return line
end

return text
