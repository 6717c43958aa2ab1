--- The names of all commands. A command's module is loaded only when it is the one called, so
-- everything that lists commands (help, completion, suggestions) reads from here.

local commands = {}

---@class luamig.CommandName
---@field name string
---@field summary string
---@field group "work"|"look"|"order"|"help"
---@field aliases? string[]
---@field hidden? boolean
commands.list = {
  { name = "init", group = "work", summary = "start a project: config, versions folder, editor" },
  { name = "revision", aliases = { "new" }, group = "work", summary = "write a new revision file" },
  { name = "upgrade", group = "work", summary = "apply revisions" },
  { name = "downgrade", group = "work", summary = "undo revisions" },
  { name = "backfill", group = "work", summary = "run, watch and steer batched migrations" },
  { name = "stamp", group = "work", summary = "set the version without running scripts" },
  { name = "status", group = "look", summary = "where the database stands and what is pending" },
  { name = "current", group = "look", summary = "revisions that the database is at" },
  { name = "history", group = "look", summary = "all revisions, newest first" },
  { name = "heads", group = "look", summary = "revisions that nothing follows" },
  { name = "branches", group = "look", summary = "revisions that several follow" },
  { name = "show", group = "look", summary = "one revision in full" },
  { name = "diff", group = "look", summary = "what leads from one schema to another" },
  { name = "lint", group = "look", summary = "what is dangerous in production, measured" },
  { name = "plan", group = "look", summary = "locks, rewrites and scans of what is pending" },
  { name = "check", group = "look", summary = "is everything sound and applied? (for CI)" },
  { name = "test-roundtrip", group = "look", summary = "can every revision be undone? (for CI)" },
  { name = "merge", group = "order", summary = "join several heads with a revision" },
  { name = "rebase", group = "order", summary = "put an unapplied branch onto another revision" },
  { name = "edit", group = "order", summary = "open a revision in the editor" },
  { name = "db", group = "work", summary = "the embedded PostgreSQL: start, stop, psql, …" },
  { name = "demo", group = "help", summary = "a tour on a throwaway PostgreSQL; nothing is left" },
  { name = "help", group = "help", summary = "help on a command, a topic, or op.NAME" },
  { name = "completion", group = "help", summary = "completion script for bash, zsh or fish" },
  { name = "version", group = "help", summary = "the version of luamig and its libraries" },
  { name = "__complete", group = "help", summary = "words for completion scripts", hidden = true },
}

commands.groups = {
  { name = "work", title = "Work" },
  { name = "look", title = "Look" },
  { name = "order", title = "Order" },
  { name = "help", title = "Help" },
}

---@param word string  a name or an alias
---@return luamig.CommandName|nil
function commands.find(word)
  for _, command in ipairs(commands.list) do
    if command.name == word then
      return command
    end
    for _, alias in ipairs(command.aliases or {}) do
      if alias == word then
        return command
      end
    end
  end
  return nil
end

---@return string[]  names and aliases that users may type
function commands.names()
  local names = {}
  for _, command in ipairs(commands.list) do
    if not command.hidden then
      names[#names + 1] = command.name
      table.move(command.aliases or {}, 1, #(command.aliases or {}), #names + 1, names)
    end
  end
  return names
end

local function module_name(name)
  return "luamig.commands." .. name:gsub("^__", ""):gsub("-", "_")
end

---Whether this build has the command.
function commands.has(name)
  local module = module_name(name)
  return package.loaded[module] ~= nil or package.preload[module] ~= nil
end

---The module of a command, or nil when this build does not have it.
---@return table|nil
function commands.module(name)
  return commands.has(name) and require(module_name(name)) or nil
end

return commands
