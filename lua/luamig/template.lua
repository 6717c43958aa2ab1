--- The text and the file name of a new revision, from luamig's own template or the project's.

local fault = require("luamig.fault")

local template = {}

template.default = [[
--- {message}
-- Revision ID: {id}
-- Revises: {revises}
-- Create Date: {create_date}

revision = "{id}"
down_revision = {down_revision}
branch_labels = {branch_labels}
depends_on = {depends_on}
{header}

function upgrade()
  {upgrade}
end

function downgrade()
  {downgrade}
end
]]

---Words of a template, with what stands there; the table of `luamig help templates`.
template.tokens = {
  { "id", "the revision id" },
  { "message", "the message; its further lines become comments" },
  { "revises", "the parents' ids with commas between, as text" },
  { "create_date", "the moment, in the time zone of the project" },
  { "down_revision", 'the parents as Lua: nil, "001" or { "001", "002" }' },
  { "branch_labels", 'the labels as Lua: nil, "billing" or a list' },
  { "depends_on", "the ids depended on, as Lua" },
  { "header", "further header fields, such as data_loss" },
  { "upgrade", "the lines of upgrade(), each indented as the word is" },
  { "downgrade", "the lines of downgrade()" },
}

---Words of file_template.
template.file_tokens = {
  "id", "slug", "year", "month", "day", "hour", "minute", "second", "epoch",
}

local formats = {
  year = "%Y", month = "%m", day = "%d", hour = "%H", minute = "%M", second = "%S",
}

local function lua_list(list)
  if #list == 0 then
    return "nil"
  elseif #list == 1 then
    return ("%q"):format(list[1])
  end
  local quoted = {}
  for i, item in ipairs(list) do
    quoted[i] = ("%q"):format(item)
  end
  return ("{ %s }"):format(table.concat(quoted, ", "))
end

local function values_of(draft)
  return {
    id = draft.id,
    message = draft.message:gsub("\n", "\n-- "),
    revises = table.concat(draft.down, ", "),
    create_date = draft.moment:text(),
    down_revision = lua_list(draft.down),
    branch_labels = lua_list(draft.labels),
    depends_on = lua_list(draft.depends_on),
    header = draft.body.header or {},
    upgrade = draft.body.upgrade,
    downgrade = draft.body.downgrade,
  }
end

-- All words at once, so that nothing is looked for in what has been put in. A list of lines takes
-- the indent of its word, but not the further lines of an item, which may be inside a string; what
-- is empty leaves neither a line nor a space behind.
local function filled(text, values)
  return (text:gsub("([ \t]*){(%l[%l_]*)}(\n?)", function(indent, word, line_end)
    local value = values[word]
    if type(value) == "table" then
      local lines = {}
      for i, line in ipairs(value) do
        lines[i] = line == "" and "" or indent .. line
      end
      return #lines > 0 and table.concat(lines, "\n") .. line_end or ""
    elseif value then
      return value == "" and line_end or indent .. value .. line_end
    end
    return nil
  end))
end

local function check_words(text, values, file)
  local names = {}
  for name in pairs(values) do
    names[#names + 1] = name
  end
  local number = 0
  for line in (text .. "\n"):gmatch("(.-)\n") do
    number = number + 1
    for word in line:gmatch("{(%l[%l_]*)}") do
      local near = not values[word] and require("luamig.nearest").of(word, names)
      if near then
        fault.raise({
          kind = "config",
          message = ("the template has {%s}, which is no word of a template"):format(word),
          hint = ("did you mean {%s}? (a Lua table needs spaces: { %s })"):format(near, word),
          file = file,
          line = number,
        })
      end
    end
  end
end

local function project_text(config)
  local text = require("luamig.files").read(config.template)
  if not text then
    fault.raise({
      kind = "config",
      message = ("there is no template '%s'"):format(config.template),
      hint = "the key `template` names it",
      file = config.file,
    })
  end
  return (text:gsub("^\xEF\xBB\xBF", ""):gsub("\r\n", "\n"))
end

---The text of a revision file. Raises: config (template missing, unknown word).
---@param config luamig.Config
---@param draft table  id, message, down, labels, depends_on, moment, body
---@return string
function template.text(config, draft)
  local text, values = template.default, values_of(draft)
  if config.template then
    text = project_text(config)
    check_words(text, values, require("luamig.revision").shown_path(config.template))
  end
  return filled(text, values)
end

local function file_word(config, draft, word)
  if word == "id" then
    return draft.id
  elseif word == "slug" then
    return require("luamig.slug").of(draft.message)
  elseif word == "epoch" then
    return ("%d"):format(draft.moment.seconds)
  elseif formats[word] then
    return draft.moment:format(formats[word])
  end
  local near = require("luamig.nearest").of(word, template.file_tokens)
  return fault.raise({
    kind = "config",
    message = ("file_template has {%s}, which is no word of it"):format(word),
    hint = near and ("did you mean {%s}?"):format(near)
      or ("known: {%s}"):format(table.concat(template.file_tokens, "} {")),
    file = config.file,
  })
end

local function check_file_name(config, name)
  local why
  if not name:match("[^/]*$"):find("^[^._#]") then
    why = "a name that begins with '.', '_' or '#' is passed over"
  elseif name:find("^/") or ("/" .. name .. "/"):find("/%.%.?/") then
    why = "the file must lie in the versions folder"
  elseif name:find("/", 1, true) and not config.recursive then
    why = "it lies in a folder below, and recursive is not true"
  elseif #name:match("[^/]*$") + #".lua" > 255 then
    why = "it is longer than a file name can be"
  end
  if why then
    fault.raise({
      kind = "config",
      message = ("file_template makes the file name '%s.lua', which would not be found")
        :format(name),
      detail = why,
      file = config.file,
    })
  end
end

---The file name, relative to the versions folder. Raises: config (unknown word, not to be found).
---@param config luamig.Config
---@param draft table
---@return string
function template.file_name(config, draft)
  local name = config.file_template:gsub("%.lua$", ""):gsub("{([^{}]*)}", function(word)
    return file_word(config, draft, word)
  end)
  name = name:gsub("[_-]+$", "") -- what the empty slug of "!!!" leaves behind
  check_file_name(config, name)
  return name .. ".lua"
end

return template
