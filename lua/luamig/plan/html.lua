--- A plan as one page that needs nothing else.

local effects = require("luamig.plan.effects")

local html = {}

local entities = { ["&"] = "&amp;", ["<"] = "&lt;", [">"] = "&gt;", ['"'] = "&quot;" }

local function escaped(text)
  return (tostring(text):gsub('[&<>"]', entities))
end

local head = [[
<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>luamig plan</title>
<style>
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 75rem; padding: 0 1rem; }
h2 { margin: 2rem 0 .5rem; font-size: 1.1rem; } h2 small { font-weight: normal; opacity: .7; }
table { border-collapse: collapse; width: 100%; }
th, td { text-align: left; vertical-align: top; padding: .35rem .6rem;
  border-bottom: 1px solid #8884; }
pre { margin: 0; white-space: pre-wrap; font: 13px/1.4 ui-monospace, monospace; }
.reads td:first-child { box-shadow: inset 4px 0 #d33; }
.writes td:first-child { box-shadow: inset 4px 0 #d90; }
.minutes, .hours { color: #d33; font-weight: 600; } .note { opacity: .75; }
</style></head><body>
<h1>luamig plan</h1>
]]

local function list(items)
  local out = {}
  for i, item in ipairs(items) do
    out[i] = escaped(item)
  end
  return table.concat(out, "<br>")
end

local function row(statement)
  local class = statement.waits:find("reads", 1, true) and "reads"
    or statement.waits:find("writes", 1, true) and "writes" or "free"
  return ('<tr class="%s"><td>%s</td><td><pre>%s</pre></td><td>%s</td><td>%s</td><td>%s</td>'
    .. '<td class="%s">%s</td><td>%s</td></tr>'):format(class, escaped(effects.place(statement)),
    escaped(effects.sql(statement)), list(effects.locks(statement)), list(effects.of(statement)),
    escaped(statement.waits), statement.duration, escaped(statement.duration),
    escaped(statement.held))
end

local function section(revision)
  local lines = { ("<h2>%s %s <small>%s</small></h2>"):format(escaped(revision.revision),
    escaped(revision.title), escaped(revision.file)),
    "<table><tr><th>line<th>statement<th>lock<th>effect<th>waits<th>takes<th>held</tr>" }
  for _, statement in ipairs(revision.statements) do
    lines[#lines + 1] = row(statement)
  end
  lines[#lines + 1] = "</table>"
  if revision.failure then
    lines[#lines + 1] = ("<p><strong>does not run:</strong> %s</p>"):format(
      escaped(revision.failure))
  end
  return table.concat(lines, "\n")
end

---@param plan table  of luamig.plan
---@return string
function html.page(plan)
  local parts = { head }
  for _, revision in ipairs(plan.revisions) do
    parts[#parts + 1] = section(revision)
  end
  parts[#parts + 1] = ('<p class="note">%s</p>\n</body></html>\n'):format(escaped(plan.note))
  return table.concat(parts, "\n")
end

return html
