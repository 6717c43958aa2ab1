local fault = require("luamig.fault")

local diff = {
  name = "diff",
  summary = "Prints what leads from one schema to another.",
  rehearses = true,
}

function diff.setup(parser)
  parser:argument("from", "a URL, schema.lua, schema.sql or a revision"):argname("A")
  parser:argument("to", "the same: what A is to become"):argname("B")
  parser:flag("--ops", "as calls of op, not as SQL")
  parser:flag("--column-order", "the order of columns counts; it cannot be changed")
  parser:option("--server", "server for scratch databases (default: a throwaway one)")
    :argname("URL")
end

-- Files and URLs can be compared without a project.
local function config_of(ctx)
  local ok, result = pcall(ctx.config, ctx)
  if ok then
    return result
  elseif fault.is(result) and result.message == "no luamig.lua here" and not ctx.options.env then
    return require("luamig.config").plain()
  end
  error(result, 0)
end

local function place_of(ctx, cfg)
  return function()
    if not ctx.scratch_place then
      ctx.scratch_place = require("luamig.scratch").open({
        report = ctx.report, url = ctx.options.server, role = cfg.role,
      })
      ctx.closing[#ctx.closing + 1] = ctx.scratch_place
    end
    return ctx.scratch_place
  end
end

-- Of two built states neither says who owns what.
local function forget_builders(desired, from, to)
  desired.forget_builder(from, nil)
  desired.forget_builder(to, from.builder)
end

-- Scripts say names without their schema where they can.
local function plain_schema(cfg)
  local path = cfg.search_path
  local first = type(path) == "table" and path[1] or type(path) == "string" and path:match("[^, ]+")
  return first or "public"
end

local function compare_options(cfg, options, from, to)
  return {
    server_version = math.min(from.value.server_version, to.value.server_version),
    naming = cfg.naming,
    available_extensions = from.extensions or to.extensions,
    -- Who would run it, and own what it makes.
    role = from.role or to.role or from.builder or to.builder,
    column_order = options.column_order or false,
    plain_schema = options.ops and plain_schema(cfg) or nil,
  }
end

function diff.run(ctx)
  local desired = require("luamig.desired")
  local show = require("luamig.diff.show")
  local cfg, options = config_of(ctx), ctx.options
  local states = { cfg = cfg, place = place_of(ctx, cfg) }
  local from = desired.of(ctx, options.from, states)
  local to = desired.of(ctx, options.to, states)
  forget_builders(desired, from, to)
  local context = compare_options(cfg, options, from, to)
  local result = require("luamig.comparison").new(from.value, to, context, states.place):there()
  local is_same = #result.changes == 0 and #result.unsupported == 0
  if options.json then
    ctx.report.json(show.json(result, context))
  elseif options.ops then
    ctx.report.raw(show.ops(result))
  else
    ctx.report.raw(show.sql(result, context))
  end
  if is_same and not options.json then
    ctx.report.say(("no difference between %s and %s"):format(from.label, to.label))
  end
  return is_same and 0 or 3
end

return diff
