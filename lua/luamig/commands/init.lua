local fault = require("luamig.fault")
local files = require("luamig.files")
local lfs = require("lfs")
local revision = require("luamig.revision")
local scaffold = require("luamig.scaffold")

local init = { name = "init", summary = "Starts a project: config, versions folder, editor, CI." }

function init.setup(parser)
  parser:argument("directory", "folder of luamig.lua (default: here)"):args("?"):argname("DIR")
  parser:option("--template", "basic: one database; multi: development, staging, production")
    :argname("NAME"):choices({ "basic", "multi" }):default("basic")
end

-- What was done, in order; an error in the middle tells it too.
local Work = {}
Work.__index = Work

function Work:note(status, path, purpose)
  self.done[#self.done + 1] = {
    status = status,
    file = revision.shown_path(path),
    purpose = purpose,
  }
end

-- What exists is kept, whatever it says; a user's own file may need a word of ours.
function Work:create(file)
  if lfs.symlinkattributes(file.path, "mode") then
    local text = file.needs and files.read(file.path)
    local is_complete = not text or text:find(file.needs, 1, true)
    self:note("kept", file.path, is_complete and file.purpose or file.advice)
    return
  end
  files.make_folder(file.path:match("^(.*)/"))
  local is_new = files.create(file.path, file.text)
  self:note(is_new and "wrote" or "kept", file.path, file.purpose)
end

function Work:make_folder(path)
  self:note(files.make_folder(path) and "made" or "kept", path .. "/", "the revisions")
end

function Work:ignore(path)
  local before = files.read(path)
  local text = scaffold.gitignore(before)
  if not text then
    self:note("kept", path, "git ignores .luamig/ already")
  elseif before then
    files.replace(path, text)
    self:note("added", path, "a line: git ignores .luamig/")
  else
    self:create({ path = path, text = text, purpose = "git ignores .luamig/" })
  end
end

-- ./migrations/luamig.lua is found from here: a second project file would hide it.
local function directory_of(ctx)
  local given = ctx.options.directory
  if given then
    return files.absolute(given)
  end
  local here = lfs.currentdir()
  local has = function(name)
    return lfs.attributes(here .. "/" .. name, "mode") == "file"
  end
  if not has("luamig.lua") and has("migrations/luamig.lua") then
    return here .. "/migrations"
  end
  return here
end

local function write_all(work, template)
  local dir = work.dir
  files.make_folder(dir)
  local path = dir .. "/luamig.lua"
  work:create({
    path = path,
    text = scaffold.config_text(template),
    purpose = "the configuration, every key explained",
  })
  local config = require("luamig.config").load({ config = path })
  for _, folder in ipairs(config.versions) do
    work:make_folder(folder)
  end
  work:ignore(scaffold.root(dir) .. "/.gitignore")
  local status, meta = scaffold.renew_meta(dir)
  work:note(status, meta, "what the editor shows of op")
  for _, file in ipairs(scaffold.companions(dir, config.versions)) do
    work:create(file)
  end
end

local function state_of(work)
  local count = 0
  for _, item in ipairs(work.done) do
    count = count + (item.status == "kept" and 0 or 1)
  end
  return count == 0 and "nothing was written"
    or ("%d file%s written; init may be run again"):format(count, count == 1 and " was" or "s were")
end

local function next_step(work)
  local here = lfs.currentdir()
  if work.dir == here or work.dir == here .. "/migrations" then
    return "luamig new create_users"
  end
  return ("cd %s && luamig new create_users"):format(revision.shown_path(work.dir))
end

local function print_done(ctx, work)
  if ctx.options.json then
    ctx.report.json({ directory = work.dir, files = work.done, next = next_step(work) })
    return
  end
  local widths = { 0, 0 }
  for _, item in ipairs(work.done) do
    widths[1] = math.max(widths[1], #item.status)
    widths[2] = math.max(widths[2], #item.file)
  end
  for _, item in ipairs(work.done) do
    ctx.report.out(("%-" .. widths[1] .. "s  %-" .. widths[2] .. "s  %s"):format(item.status,
      item.file, item.purpose))
  end
  ctx.report.out()
  ctx.report.out("next: " .. next_step(work))
end

function init.run(ctx)
  local work = setmetatable({ dir = directory_of(ctx), done = {} }, Work)
  local ok, f = pcall(write_all, work, ctx.options.template)
  if not ok then
    error(fault.is(f) and fault.complete(f, { state = state_of(work) }) or f, 0)
  end
  print_done(ctx, work)
end

return init
