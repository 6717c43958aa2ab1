--- A revision file that is about to be written: everything is checked before the first byte is.

local fault = require("luamig.fault")
local files = require("luamig.files")
local ids = require("luamig.ids")
local lfs = require("lfs")
local revision = require("luamig.revision")
local template = require("luamig.template")

local draft = {}

local function refuse(message, hint, try)
  fault.raise({ kind = "usage", message = message, hint = hint, try = try })
end

local function check_message(message)
  if not utf8.len(message) then
    refuse("the message is not UTF-8")
  elseif message:find("[%z\1-\8\11-\31\127]") then
    refuse("the message has control characters in it")
  elseif not message:find("%S") then
    refuse("the message is empty")
  end
  return (message:gsub("^%s+", ""):gsub("%s+$", ""))
end

-- Ids and labels share one space of names: both are told to the same commands.
local function taken_names(by_id)
  local taken = {}
  for id, rev in pairs(by_id) do
    taken[id] = rev
    for _, label in ipairs(rev.labels) do
      taken[label] = rev
    end
  end
  return taken
end

local function check_free(word, what, taken)
  local rev = taken[word]
  if not rev then
    return
  end
  refuse(("the %s '%s' is taken"):format(what, word), rev.id == word
    and ("it is the id of %s"):format(rev.file)
    or ("revision %s has it as a label: %s"):format(rev.id, rev.file))
end

local function check_labels(labels, id, taken, is_alembic)
  local seen = {}
  for _, label in ipairs(labels) do
    ids.check(label, "branch label", is_alembic)
    check_free(label, "branch label", taken)
    if seen[label] or label == id then
      refuse(("the branch label '%s' is given twice"):format(label))
    end
    seen[label] = true
  end
end

-- A label stays a label: what it stands for may move.
local function dependencies(graph, texts, taken)
  local out, seen = {}, {}
  for _, text in ipairs(texts) do
    local is_label = taken[text] and taken[text].id ~= text
    local found = is_label and { text } or graph:resolve(text, { direction = "read" })
    if #found == 0 then
      refuse(("--depends-on %s names no revision"):format(text))
    end
    for _, id in ipairs(found) do
      if not seen[id] then
        seen[id] = true
        out[#out + 1] = id
      end
    end
  end
  return out
end

local function is_below(path, folder)
  return path == folder or path:sub(1, #folder + 1) == folder .. "/"
end

local function folders_text(config)
  local shown = {}
  for i, folder in ipairs(config.versions) do
    shown[i] = revision.shown_path(folder)
  end
  return ("folders: %s"):format(table.concat(shown, ", "))
end

local function given_folder(config, text)
  local tried = { files.absolute(text), files.absolute(text, config.dir) }
  for _, path in ipairs(tried) do
    for _, folder in ipairs(config.versions) do
      if path == folder or (config.recursive and is_below(path, folder)) then
        return path
      end
    end
  end
  return refuse(("--version-path %s is no versions folder of the project"):format(text),
    folders_text(config))
end

-- Where the parent lies, when there is a choice.
local function folder_of(config, wanted, by_id)
  if wanted.version_path then
    return given_folder(config, wanted.version_path)
  elseif #config.versions == 1 then
    return config.versions[1]
  end
  for _, id in ipairs(wanted.down) do
    for _, folder in ipairs(config.versions) do
      if is_below(by_id[id].path, folder) then
        return folder
      end
    end
  end
  return refuse("the project has several versions folders; name one with --version-path",
    folders_text(config))
end

local function same(a, b)
  return table.concat(a, "\n") == table.concat(b, "\n")
end

local function template_refuse(config, message, f)
  fault.raise({
    kind = "config",
    message = message,
    hint = f and f.hint or nil,
    file = config.template and revision.shown_path(config.template) or nil,
    line = f and f.line or nil,
  })
end

-- The file must say what was asked for: a template may have left something out.
local function parsed(config, new)
  local ok, rev = pcall(function()
    return revision.compile(revision.parse(new.text, revision.shown_path(new.path), config))
  end)
  if not ok then
    if not fault.is(rev) then
      error(rev, 0)
    end
    template_refuse(config, "the template makes no sound revision: " .. rev.message, rev)
  end
  local fields = {
    { "revision", { rev.id }, { new.id } },
    { "down_revision", rev.down, new.down },
    { "branch_labels", rev.labels, new.labels },
    { "depends_on", rev.depends_on, new.depends_on },
  }
  for _, field in ipairs(fields) do
    if not same(field[2], field[3]) then
      template_refuse(config, ("the template does not set %s as it should: a line `%s = {%s}` is "
        .. "missing"):format(field[1], field[1], field[1] == "revision" and "id" or field[1]))
    end
  end
  rev.path = new.path
  return rev
end

-- The graph as it will be; whatever is wrong with it comes out here, not after the file is there.
local function graph_with(by_id, rev)
  local list, after = { rev }, { [rev.id] = rev }
  for id, other in pairs(by_id) do
    list[#list + 1] = other
    after[id] = other
  end
  table.sort(list, function(a, b)
    return a.path < b.path
  end)
  return require("luamig.core.graph").new(list), after
end

---@class luamig.Wanted
---@field message string
---@field down string[]          ids of the parents
---@field id? string             chosen by the project's rule when left out
---@field labels? string[]
---@field depends_on? string[]   ids, prefixes or labels
---@field version_path? string
---@field body? { upgrade?: string[], downgrade?: string[], header?: string[] }  lines

---Checks everything and makes the text; writes nothing. Hold `files.lock(config.dir)` from before
---the revisions are read until the file is written, so that two writers get two ids.
---Raises: usage, config, graph.
---@param ctx luamig.Session
---@param wanted luamig.Wanted
---@return table draft  id, path, file, text, graph, by_id, revision
function draft.make(ctx, wanted)
  local config = ctx:config()
  local graph, by_id = ctx:graph()
  local taken = taken_names(by_id)
  local is_alembic = config.version_table == "alembic_version"
  local body = wanted.body or {}
  local new = {
    message = check_message(wanted.message),
    moment = require("luamig.moment").new(config, wanted.seconds),
    down = wanted.down,
    labels = wanted.labels or {},
    depends_on = dependencies(graph, wanted.depends_on or {}, taken),
    body = {
      upgrade = body.upgrade or {},
      downgrade = body.downgrade or {},
      header = body.header,
    },
  }
  new.id = wanted.id or ids.next(config.id, taken, new.moment)
  ids.check(new.id, "revision id", is_alembic)
  check_free(new.id, "revision id", taken)
  check_labels(new.labels, new.id, taken, is_alembic)
  new.path = folder_of(config, wanted, by_id) .. "/" .. template.file_name(config, new)
  new.file = revision.shown_path(new.path)
  if lfs.symlinkattributes(new.path, "mode") then
    refuse(("the file '%s' exists already"):format(new.file))
  end
  new.text = template.text(config, new)
  new.revision = parsed(config, new)
  new.graph, new.by_id = graph_with(by_id, new.revision)
  return new
end

---Writes the file, whole or not at all. Raises: usage (exists by now), config.
---@param new table  of draft.make
function draft.write(new)
  files.make_folder(new.path:match("^(.*)/"))
  if not files.create(new.path, new.text) then
    refuse(("the file '%s' exists already"):format(new.file))
  end
end

---What follows the writing: the hook, and the word to the user.
---Raises: script (the hook failed; the file is there).
function draft.announce(ctx, new)
  local ok, f = pcall(require("luamig.hooks").run, ctx:config(), "after_write", new.path)
  if not ok then
    error(fault.is(f) and fault.complete(f, { state = new.file .. " was written" }) or f, 0)
  end
  if ctx.options.json then
    local book = require("luamig.entry").book(new.graph, new.by_id)
    ctx.report.json(book:json(new.revision))
    return
  end
  ctx.report.out(new.file)
  ctx.report.say(("revision %s, %s"):format(new.id,
    #new.down > 0 and "after " .. table.concat(new.down, " and ") or "a first one"))
end

return draft
