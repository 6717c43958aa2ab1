--- Revisions as specs of the trace and of the rules write them: bodies in, what was measured out.

local project = require("support.project")
local report = require("luamig.report")
local rig = require("luamig.rig")
local server = require("support.server")
local session = require("luamig.session")

local rigs = {}

---Runs a revision on a throwaway server, behind another one that makes what it works on.
---@param bodies string[]  Lua source of upgrade() of each revision; a table { up, down } for both
---@param fn fun(measured: luamig.Measured, r: table, ctx: table)  called for the last one
---@param options? { config?: string, header?: string }  Lua source: further keys of luamig.lua, and
---  of the header of the last revision
function rigs.measure(bodies, fn, options)
  options = options or {}
  local p = project.new()
  p:write("luamig.lua", ('return { url = "embedded", %s }\n'):format(options.config or ""))
  for i, body in ipairs(bodies) do
    local up, down = body, ""
    if type(body) == "table" then
      up, down = body[1], body[2]
    end
    local down_function = down and ("function downgrade()\n%s\nend"):format(down)
      or ""
    p:revision(("%03d"):format(i), ("%03d"):format(i), {
      down = i > 1 and ('"%03d"'):format(i - 1) or nil,
      body = ("%s\nfunction upgrade()\n%s\nend\n\n%s"):format(
        i == #bodies and options.header or "", up, down_function),
    })
  end
  local ctx <close> = session.new({ config = p:path("luamig.lua"), x = {} }, report)
  local database <close> = server.database()
  local r <close> = rig.open(ctx, { url = database.url })
  local last = ("%03d"):format(#bodies)
  for i = 1, #bodies - 1 do
    r:apply({ ("%03d"):format(i) })
  end
  local ok, f = pcall(function()
    fn(r:measure(last), r, ctx)
  end)
  p:remove()
  if not ok then
    error(f, 0)
  end
end

return rigs
