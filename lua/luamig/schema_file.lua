--- Files that declare a schema: schema.lua, whose op calls run once, and schema.sql, as pg_dump
-- writes it. And the renames that schema.lua speaks of.

local fault = require("luamig.fault")
local op = require("luamig.op")
local sandbox = require("luamig.sandbox")
local sql = require("luamig.core.sql")
local value = require("luamig.value")

local schema_file = {}

local rules = {
  globals = {},
  stray = "'%s' is a global: make it local",
}

---The text of a file. Raises: config.
---@param file string  as users should see it
---@return string
function schema_file.read(path, file)
  local text = require("luamig.files").read(path)
  if not text then
    fault.raise({
      kind = "config",
      message = ("there is no file '%s'"):format(file),
      hint = "a schema is a .lua or .sql file, a URL, or a revision",
    })
  end
  return (text:gsub("^\xEF\xBB\xBF", ""))
end

-- Lines for psql that pg_dump writes since 2025: an empty one stays, so that lines can be counted.
local function without_restrict(text)
  return (("\n" .. text):gsub("\n\\u?n?restrict [^\n]*", "\n"):sub(2))
end

local function line_at(text, offset)
  return 1 + select(2, text:sub(1, offset):gsub("\n", "\n"))
end

local function refuse(rev, text, piece, message, hint)
  fault.raise({
    kind = "operation", message = message, hint = hint, file = rev.file,
    line = line_at(text, piece.offset), statement = piece.sql,
  })
end

-- A dump may hold BEGIN and COMMIT: the whole file is one transaction anyway.
local function sql_runner(rev)
  return function()
    local text = without_restrict(rev.text)
    local executor = op.executor("schema")
    for _, piece in ipairs(sql.split(text)) do
      if piece.kind == "copy" then
        refuse(rev, text, piece, "a schema holds no rows: COPY FROM stdin", "pg_dump --schema-only")
      elseif piece.kind ~= "transaction" then
        executor:run({
          sql = piece.sql, op = "schema", transactional = not piece.needs_autocommit,
          origin = { file = rev.file, line = line_at(text, piece.offset) },
        })
      end
    end
  end
end

local function column_renames(args, list)
  for _, item in ipairs(args.columns or {}) do
    if value.is(item, "column") and item.renamed_from then
      list[#list + 1] = { table = args.name, column = item.name, from = item.renamed_from }
    end
  end
end

-- What renamed_from says, as the operations are run.
local function new_renames()
  local renames = { list = {} }

  function renames.on_record(_, record)
    local args = record.args
    if record.op == "create_table" then
      if args.renamed_from then
        table.insert(renames.list, { table = args.name, from = args.renamed_from })
      end
      column_renames(args, renames.list)
    elseif record.op == "add_column" and args.column.renamed_from then
      table.insert(renames.list,
        { table = args.table, column = args.column.name, from = args.column.renamed_from })
    end
  end

  return renames
end

-- Somebody may copy a revision there.
local function check_no_revision(rev)
  local at = ("\n" .. rev.text):find("\nfunction%s+upgrade%s*%(")
  if at then
    fault.raise({
      kind = "script", file = rev.file, line = line_at(rev.text, at - 1),
      message = "a schema has no upgrade(): its calls of op stand alone",
      hint = "it is run once, in an empty database",
    })
  end
end

---What a file does, as a function, and the renames that are known when it has run:
---  { table = "users", from = "people" }                   a table
---  { table = "users", column = "email", from = "mail" }   a column
---Raises: script (the file does not compile).
---@param rev table   file, text
---@param cfg luamig.Config
---@param report table
---@return function run
---@return { list: table[], on_record: function } renames
function schema_file.runner(rev, cfg, report)
  local renames = new_renames()
  if rev.file:find("%.sql$") then
    return sql_runner(rev), renames
  end
  check_no_revision(rev)
  local box = sandbox.new({ path = cfg.path, print = report.script_print })
  local chunk = box:load(rev.text, rev.file, rules)
  return function()
    local returned = chunk()
    if returned ~= nil then
      fault.raise({
        kind = "script", file = rev.file,
        message = ("%s returns a %s: it would declare nothing"):format(rev.file, type(returned)),
        hint = 'a schema is declared by calls of op: op.create_table("users", { … })',
      })
    end
  end, renames
end

return schema_file
