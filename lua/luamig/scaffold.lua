--- The files of a new project: their places, their purposes and their texts. Only the editor's
-- file, which is luamig's own, is written here.

local files = require("luamig.files")
local lfs = require("lfs")

local scaffold = {}

-- Where the editor's file lies, below the folder of the project file. Git ignores it: luamig can
-- make it again, and another version of luamig makes another one.
local META <const> = ".luamig/meta"

scaffold.header_names = {
  "revision", "down_revision", "branch_labels", "depends_on", "transactional", "data_loss",
  "irreversible", "upgrade", "downgrade", "change",
}

local config_head = [[
-- The configuration of luamig. It is Lua: what this file returns counts. Every key is here; those
-- in comments show their default. An unknown key is an error. More: luamig help config

return {
]]

local basic_urls = [[
  -- The database: a postgresql:// URL, or "embedded" for a PostgreSQL that luamig starts itself
  -- from this machine's binaries (its data is in .luamig/pg).
  url = os.getenv("DATABASE_URL") or "embedded",

  -- luamig --env NAME uses one of these; its keys override those outside. A protected one asks
  -- before anything changes.
  environments = {
    -- production = { url = os.getenv("PRODUCTION_DATABASE_URL"), protected = true },
  },
]]

local multi_urls = [[
  -- The database when no environment is named: a postgresql:// URL, or "embedded" for a PostgreSQL
  -- that luamig starts itself from this machine's binaries (its data is in .luamig/pg).
  url = os.getenv("DATABASE_URL") or "embedded",

  -- luamig --env NAME uses one of these; any key may stand here and overrides the one outside.
  -- Passwords stay out of the file: they come from the environment, ~/.pgpass or a service file.
  environments = {
    development = { url = "embedded" },
    staging = {
      url = os.getenv("STAGING_DATABASE_URL"),
    },
    -- A protected environment asks for the name of the database before anything changes (--yes in
    -- CI), and never falls back to the url above.
    production = {
      url = os.getenv("PRODUCTION_DATABASE_URL"),
      protected = true,
      lock_timeout = "2s",
    },
  },
]]

local config_rest = [[

  -- Folders of revisions, relative to this file: one, or a list.
  versions = "versions",
  -- recursive = false,               -- look into the folders below them too

  -- What the schema shall be, for `check` and `revision --autogenerate`: .lua, .sql or a URL.
  -- target = "schema.lua",

  -- New revisions.
  -- id = "sequence",                 -- 001, 002 …; "hash" (12 hex digits) or "timestamp"
  -- file_template = "{id}_{slug}",   -- also {year} {month} {day} {hour} {minute} {second} {epoch}
  -- template = "revision.lua.tmpl",  -- a text of your own (luamig help templates)
  -- timezone = "UTC",                -- of the dates in files; "local" or a name such as Asia/Tokyo

  -- How revisions run.
  -- transaction = "revision",        -- one a revision, or "all" for one around everything
  -- lock_timeout = "5s",             -- how long a statement waits for a lock in your database …
  -- lock_deadline = "10min",         -- … and how long the revision is tried again
  -- lock_wait = "60s",               -- how long to wait for another luamig
  -- statement_timeout = 0,           -- 0: no limit
  -- search_path = "app, public",     -- of the scripts (default: the role's own)
  -- role = "app_owner",              -- SET ROLE, so that objects belong to it

  -- Where luamig keeps its own tables. "public" and "alembic_version" adopt Alembic's.
  -- version_schema = "luamig",
  -- version_table = "version",
  -- protected = false,               -- ask before anything changes

  -- What snapshots look at, and names of constraints that have none (default: PostgreSQL's own).
  -- include = { schemas = { "public" }, object = function(kind, name) return true end },
  -- naming = { fk = "fk_{table}_{columns}_{referred}", ix = "ix_{table}_{columns}" },

  -- What luamig lint finds: what breaks the application that still runs (off, warn or error), rules
  -- that are judged otherwise, and rules that are passed over, each with its reason: luamig help
  -- rules.
  -- compat = "warn",
  -- lint = { severity = { LOCK012 = "warning" }, ignore = { DATA002 = "small tables" } },

  -- Functions called along the way (luamig help hooks), and folders where scripts find modules.
  -- hooks = { after_write = function(path) end },
  -- path = { "lib" },
}
]]

local config_texts = {
  basic = config_head .. basic_urls .. config_rest,
  multi = config_head .. multi_urls .. config_rest,
}

---The text of `luamig.lua`. @param name "basic"|"multi"
function scaffold.config_text(name)
  return config_texts[name]
end

local function joined(names)
  return '"' .. table.concat(names, '", "') .. '"'
end

local function luarc_text(place)
  return ([[
{
  "$schema": "https://raw.githubusercontent.com/LuaLS/vscode-lua/master/setting/schema.json",
  "runtime.version": "Lua 5.4",
  "workspace.library": ["%s"],
  "workspace.checkThirdParty": false,
  "diagnostics.globals": [
    %s
  ]
}
]]):format(place.meta, joined(scaffold.header_names):gsub('("data_loss",) ', "%1\n    "))
end

local function luacheck_text(place)
  local lines = {
    "-- What revisions may use and set. Everything else of luacheck is as you like it.",
    "local revision = {",
    '  std = "lua54",',
    '  read_globals = { "op" },',
    "  globals = {",
    "    " .. joined({ table.unpack(scaffold.header_names, 1, 6) }) .. ",",
    "    " .. joined({ table.unpack(scaffold.header_names, 7) }) .. ",",
    "  },",
    "}",
  }
  for _, folder in ipairs(place.versions) do
    lines[#lines + 1] = ('files["%s"] = revision'):format(folder)
  end
  lines[#lines + 1] = ('exclude_files = { "%s" }'):format(place.meta)
  return table.concat(lines, "\n") .. "\n"
end

local workflow = [[
# Do the revisions of a change apply, go back, and apply again? Needs no database set up beforehand.
name: luamig

on:
  pull_request:
  push:
    branches: [main]

jobs:
  migrations:
    runs-on: ubuntu-latest
    container: debian:12
    steps:
      - run: apt-get update && apt-get install -y --no-install-recommends ca-certificates git
      - uses: actions/checkout@v4

      # Builds luamig from the repository that this variable names (Settings, Variables). A package
      # or an image of your own with luamig in it takes the place of this step.
      - name: install luamig
        env:
          LUAMIG_REPOSITORY: ${{ vars.LUAMIG_REPOSITORY }}
        run: |
          test -n "$LUAMIG_REPOSITORY" || {
            echo "::error::set the variable LUAMIG_REPOSITORY to the git URL of luamig"
            exit 1
          }
          git clone --depth 1 "$LUAMIG_REPOSITORY" /tmp/luamig
          cd /tmp/luamig
          .ci/install
          cmake --preset release
          cmake --build --preset release
          install build/release/luamig /usr/local/bin/luamig

      - name: every revision applies
        run: luamig%s --url embedded upgrade
      - name: nothing is missing, edited or unsound
        run: luamig%s --url embedded check
      - name: nothing in it stops the application # luamig help lint
        run: luamig%s lint --report github
      - name: every revision goes back and forth
        run: luamig%s test-roundtrip --report github
]]

local function workflow_text(place)
  local option = place.is_found and "" or " -c " .. place.config
  return (workflow:gsub("luamig%%s", "luamig" .. option:gsub("%%", "%%%%")))
end

---Where things belong: LuaLS, luacheck, git and GitHub read their files from the root of the
---repository, which need not be the folder of the project.
---@param dir string  absolute; the folder of luamig.lua
---@return string  absolute
function scaffold.root(dir)
  local at = dir
  while at and at ~= "" do
    if lfs.attributes(at .. "/.git", "mode") then
      return at
    end
    at = at:match("^(.*)/[^/]*$")
  end
  return dir:match("^(.+)/migrations$") or dir -- luamig finds ./migrations/luamig.lua by itself
end

---The files that go with a project file, as { path, text, purpose }.
---@param dir string  absolute
---@param versions string[]  absolute folders
---@return table[]
function scaffold.companions(dir, versions)
  local root = scaffold.root(dir)
  local place = {
    meta = files.relative(dir .. "/" .. META, root),
    config = files.relative(dir .. "/luamig.lua", root),
    versions = {},
  }
  place.is_found = place.config == "luamig.lua" or place.config == "migrations/luamig.lua"
  for i, folder in ipairs(versions) do
    place.versions[i] = files.relative(folder, root)
  end
  return {
    {
      path = root .. "/.luarc.json",
      text = luarc_text(place),
      purpose = "the editor (LuaLS) knows op and what revisions set",
      needs = '"' .. place.meta .. '"',
      advice = ('yours; add "%s" to its workspace.library'):format(place.meta),
    },
    {
      path = root .. "/.luacheckrc",
      text = luacheck_text(place),
      purpose = "luacheck knows them too",
      needs = '"op"',
      advice = 'yours; op needs a place in it: read_globals = { "op" }',
    },
    {
      path = root .. "/.github/workflows/luamig.yml",
      text = workflow_text(place),
      purpose = "CI: every pull request runs the revisions up, down and up",
    },
  }
end

---Writes the editor's file when it is missing or of another luamig. Raises: config.
---@param dir string  absolute; the folder of luamig.lua
---@return "wrote"|"renewed"|"kept" status
---@return string path
function scaffold.renew_meta(dir)
  local path = ("%s/%s/luamig.lua"):format(dir, META)
  local before, text = files.read(path), require("luamig.meta").text()
  if before == text then
    return "kept", path
  elseif before then
    files.replace(path, text)
    return "renewed", path
  end
  files.make_folder(dir .. "/" .. META)
  files.create(path, text)
  return "wrote", path
end

---Whether the editor is told to read that file: then a clone lacks it, for git ignores it.
---@param dir string  absolute
function scaffold.has_editor(dir)
  local text = files.read(scaffold.root(dir) .. "/.luarc.json")
  return text ~= nil and text:find(META, 1, true) ~= nil
end

---What git must not keep: the embedded PostgreSQL's data and the editor's file.
scaffold.ignored = ".luamig/"

---The text of .gitignore with the entry, or nil when it has one.
---@param text string|nil
function scaffold.gitignore(text)
  for line in (text or ""):gmatch("[^\r\n]+") do
    if line:find("^/?%.luamig/?%s*$") or line:find("^%*%*/%.luamig/?%s*$") then
      return nil
    end
  end
  text = text or ""
  local gap = (text == "" or text:find("\n$")) and "" or "\n"
  return text .. gap .. scaffold.ignored .. "\n"
end

return scaffold
