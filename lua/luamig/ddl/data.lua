--- Data: SQL text as it is, queries, and rows in bulk.

local clause = require("luamig.clause")
local fault = require("luamig.fault")
local quote = require("luamig.quote")
local sql = require("luamig.core.sql")
local types = require("luamig.types")
local value = require("luamig.value")

local NEWLINE <const> = 10

local function text_of(text)
  return type(text) == "string" and text or text.sql
end

local BYTES_HINT <const> = "bytes go to a bytea as hexadecimal text: '\\\\x00ff'"

---The parameters as the texts that go over the wire.
---@return table|nil
local function wire_parameters(params)
  if not params then
    return nil
  end
  local out = { n = #params }
  for i, item in ipairs(params) do
    local text = types.text(item)
    if text and text:find("\0", 1, true) then
      fault.raise({
        kind = "operation",
        message = ("parameter $%d: a text with a NUL byte cannot be sent"):format(i),
        hint = BYTES_HINT,
      })
    end
    out[i] = text == nil and value.null or text
  end
  return out
end

local function refuse_transaction(piece)
  local word = piece.sql:match("%a+"):upper()
  fault.raise({
    kind = "operation",
    message = ("%s in a revision: luamig begins and ends the transactions"):format(word),
    hint = (word == "SAVEPOINT" or word == "RELEASE") and "op.savepoint(fn) sets one"
      or "op.step(name, fn) commits what came before, and its own work; op.savepoint(fn) undoes "
      .. "what fails in it",
  })
end

local function refuse_copy()
  clause.refuse("COPY from or to the client is not possible here; op.bulk_insert writes rows and "
    .. "op.query reads them")
end

local function check_piece(piece)
  if piece.kind == "transaction" then
    refuse_transaction(piece)
  elseif piece.kind == "copy" then
    refuse_copy()
  elseif piece.sql:find("^\\%a") then
    clause.refuse("'%s' is a command of psql, not SQL", piece.sql:match("^\\%a+"))
  end
end

local function pieces_of(text)
  local pieces = sql.split(text)
  if #pieces == 0 then
    clause.refuse("there is no statement in the text")
  end
  for _, piece in ipairs(pieces) do
    check_piece(piece)
  end
  return pieces
end

-- What the server's own words do not say.
local hints <const> = {
  ["08P01"] = "a nil ends the list of parameters; op.null stands for NULL",
  ["22021"] = "a text is UTF-8; " .. BYTES_HINT,
  ["2D000"] = "a procedure or DO block that commits needs op.autocommit(function() … end)",
}

-- `indent`: the columns before the statement on its first line, so that an error can show its
-- lines as the script has them.
local function statement_of(text, piece, params, name, place)
  return {
    sql = piece.sql,
    params = params,
    transactional = not piece.needs_autocommit,
    may_commit = piece.kind == "call" or nil,
    op = name,
    origin = place,
    hints = hints,
    indent = #text:sub(1, piece.offset):match("([ \t]*)$"),
  }
end

local function call_execute(args, executor, place)
  local params = wire_parameters(args.params)
  local text = text_of(args.sql)
  local pieces = pieces_of(text)
  if params and #pieces > 1 then
    clause.refuse("parameters go with one statement; the text has %d", #pieces)
  end
  for _, piece in ipairs(pieces) do
    executor:run(statement_of(text, piece, params, "execute", place))
  end
end

-- Where the words of a statement begin, behind the comments before it.
local function first_word(text, offset)
  local at = offset + 1
  while true do
    local next_at = text:match("^%s+()", at) or text:match("^%-%-[^\n]*()", at)
      or text:match("^/%*.-%*/()", at)
    if not next_at then
      return at
    end
    at = next_at
  end
end

local function line_at(text, offset)
  local line = 1
  for i = 1, first_word(text, offset) - 1 do
    if text:byte(i) == NEWLINE then
      line = line + 1
    end
  end
  return line
end

local function refuse_backslash(text, path)
  local line = 0
  for each in (text .. "\n"):gmatch("(.-)\n") do
    line = line + 1
    if each:find("^%s*\\%a") then
      clause.refuse("%s:%d: '%s' is a command of psql, not SQL", path, line, each:match("\\%a+"))
    end
  end
end

local function read_script(path, place)
  local directory = place and place.file and place.file:match("^(.*/)") or ""
  local full = path:sub(1, 1) == "/" and path or directory .. path
  local handle, message = io.open(full, "rb")
  local text = handle and handle:read("a")
  if handle then
    handle:close()
  end
  if not text then
    clause.refuse("cannot read the SQL file: %s", message or full)
  end
  return text:gsub("^\xEF\xBB\xBF", ""), full
end

local function call_execute_file(args, executor, place)
  local text, path = read_script(args.path, place)
  local ok, pieces = pcall(pieces_of, text)
  if not ok then
    refuse_backslash(text, path)
    error(pieces, 0)
  end
  for _, piece in ipairs(pieces) do
    local statement = statement_of(text, piece, nil, "execute_file",
      { file = path, line = line_at(text, piece.offset) })
    statement.caller = place
    executor:run(statement)
  end
end

local function query_rows(args, executor, place, name)
  local text = text_of(args.sql)
  local pieces = pieces_of(text)
  if #pieces > 1 then
    clause.refuse("%s takes one statement; the text has %d", name, #pieces)
  elseif pieces[1].needs_autocommit then
    clause.refuse("%s cannot run what is refused inside a transaction; use op.execute", name)
  end
  return executor:query(statement_of(text, pieces[1], wire_parameters(args.params), name, place))
end

-- A row has one value under each name: with two of one name, one would be lost in silence.
local function named_rows(args, executor, place, name)
  local rows = query_rows(args, executor, place, name)
  local seen = {}
  for _, column in ipairs(rows.columns) do
    if seen[column] then
      clause.refuse("%s gives two columns the name '%s': give one of them another with AS", name,
        column)
    end
    seen[column] = true
  end
  return rows
end

local function call_query(args, executor, place)
  return named_rows(args, executor, place, "query")
end

local function only_row(rows, name)
  if #rows > 1 then
    clause.refuse("%s expects one row at most, the query gave %d", name, #rows)
  end
  return rows[1]
end

local function call_query_one(args, executor, place)
  return only_row(named_rows(args, executor, place, "query_one"), "query_one")
end

local function call_scalar(args, executor, place)
  local rows = query_rows(args, executor, place, "scalar")
  local row = only_row(rows, "scalar")
  if #rows.columns > 1 then
    clause.refuse("scalar expects one column, the query gave %d: %s", #rows.columns,
      table.concat(rows.columns, ", "))
  end
  return row and row[rows.columns[1]]
end

local function column_names(rows)
  local seen, names = {}, {}
  for i, row in ipairs(rows) do
    for name in pairs(row) do
      if type(name) ~= "string" then
        clause.refuse("row %d has the key %s: a row has its columns by name, { id = 1, … }", i,
          tostring(name))
      elseif not seen[name] then
        seen[name] = true
        names[#names + 1] = name
      end
    end
  end
  table.sort(names)
  return names
end

local function has_plain_table(rows)
  for _, row in ipairs(rows) do
    for _, item in pairs(row) do
      if type(item) == "table" and not value.is(item) then
        return true
      end
    end
  end
  return false
end

-- A Lua table may be an array or JSON: only the column tells.
local function read_types(table_name, executor, place)
  if executor.kind ~= "online" then
    clause.refuse("a table is an array or JSON, and only the database knows which: write op.array "
      .. "or op.json, or give types = { column = \"jsonb\" }")
  end
  local rows = executor:query({
    sql = "SELECT a.attname::text AS name, pg_catalog.format_type(a.atttypid, a.atttypmod) AS type"
      .. " FROM pg_catalog.pg_attribute a WHERE a.attrelid OPERATOR(pg_catalog.=)"
      .. " $1::pg_catalog.regclass AND a.attnum OPERATOR(pg_catalog.>) 0 AND NOT a.attisdropped",
    params = { quote.name(table_name) },
    transactional = true,
    op = "bulk_insert",
    origin = place,
  })
  local out = {}
  for _, row in ipairs(rows) do
    out[row.name] = row.type
  end
  return out
end

local CHUNK_BYTES <const> = 65536

-- The rows in COPY's text format, some tens of kilobytes at a time.
local function copy_chunks(rows, names, column_types)
  local at, column = 0, nil
  local function chunk()
    local lines, size = {}, 0
    while at < #rows and size < CHUNK_BYTES do
      at = at + 1
      local fields = {}
      for i, name in ipairs(names) do
        column = name
        fields[i] = types.copy_field(rows[at][name], column_types[name])
      end
      local line = table.concat(fields, "\t") .. "\n"
      lines[#lines + 1] = line
      size = size + #line
    end
    return table.concat(lines)
  end
  return function()
    if at >= #rows then
      return nil
    end
    local ok, result = pcall(chunk)
    if ok then
      return result
    elseif fault.is(result) then
      result.message = ("row %d, column '%s': %s"):format(at, column, result.message)
    end
    error(result, 0)
  end
end

local function check_known(names, columns)
  local known = {}
  for _, name in ipairs(columns) do
    known[name] = true
  end
  for _, name in ipairs(names) do
    if not known[name] then
      clause.refuse("a row has the column '%s', which is not in columns", name)
    end
  end
  return columns
end

local function call_bulk_insert(args, executor, place)
  if #args.rows == 0 then
    return
  end
  local names = column_names(args.rows)
  names = args.columns and check_known(names, args.columns) or names
  if #names == 0 then
    clause.refuse("the rows have no columns")
  end
  local column_types = args.types
  if not column_types then
    column_types = has_plain_table(args.rows) and read_types(args.table, executor, place) or {}
  end
  executor:copy({
    sql = ("COPY %s (%s) FROM STDIN"):format(quote.name(args.table), quote.idents(names)),
    op = "bulk_insert",
    origin = place,
    transactional = true,
  }, copy_chunks(args.rows, names, column_types))
end

local sql_parameters = {
  { name = "sql", type = "sql_or_string", doc = "one statement; parameters are $1, $2 …" },
  { name = "params", type = "list<any>", optional = true,
    doc = "their values; op.null for NULL, op.array and op.json for tables" },
}

return {
  {
    name = "execute",
    family = "data",
    summary = "Runs SQL text as it is.",
    doc = "Reaches the server byte for byte. A text of several statements is split by PostgreSQL's "
      .. "own parser and sent one by one. What PostgreSQL refuses inside a transaction (VACUUM, "
      .. "CREATE DATABASE …) is run outside one. BEGIN, COMMIT and ROLLBACK are refused.",
    raises = "server, with the place in the text",
    example = [[op.execute("UPDATE users SET role = $1 WHERE role IS NULL", { "member" })]],
    parameters = {
      { name = "sql", type = "sql_or_string", doc = "statements; parameters are $1, $2 …" },
      sql_parameters[2],
    },
    call = call_execute,
    inverse = function()
      return nil, "what raw SQL undoes is not known: write upgrade() and downgrade()"
    end,
  },
  {
    name = "execute_file",
    family = "data",
    summary = "Runs the statements of an SQL file.",
    doc = "The path is relative to the revision file. Errors name the line of the SQL file. "
      .. "Commands of psql (\\i, \\copy) are refused.",
    raises = "operation when the file cannot be read; server",
    example = [[op.execute_file("sql/functions.sql")]],
    parameters = { { name = "path", type = "string", doc = "path of the file" } },
    call = call_execute_file,
    inverse = function()
      return nil, "what raw SQL undoes is not known: write upgrade() and downgrade()"
    end,
  },
  {
    name = "query",
    family = "data",
    summary = "Runs one statement and returns its rows.",
    doc = "A list of tables by column name. boolean, integer, float become Lua's own; arrays and "
      .. "JSON become tables; NULL is nil; everything else is a string. Waits for the server: what "
      .. "was sent before must have succeeded. Two columns of one name are an error (AS names "
      .. "them). Not possible with --sql.",
    raises = "server; operation with --sql",
    example = [[for _, row in ipairs(op.query("SELECT id FROM users")) do … end]],
    parameters = sql_parameters,
    returns = "luamig.Row[]",
    record = false,
    call = call_query,
  },
  {
    name = "query_one",
    family = "data",
    summary = "Runs one statement and returns its only row, or nil.",
    raises = "operation when there are several rows; server",
    example = [[local row = op.query_one("SELECT * FROM users WHERE id = $1", { 1 })]],
    parameters = sql_parameters,
    returns = "luamig.Row?",
    record = false,
    call = call_query_one,
  },
  {
    name = "scalar",
    family = "data",
    summary = "Runs one statement and returns the only value of its only row, or nil.",
    raises = "operation when there are several rows or columns; server",
    example = [[local n = op.scalar("SELECT count(*) FROM users")]],
    parameters = sql_parameters,
    returns = "any",
    record = false,
    call = call_scalar,
  },
  {
    name = "bulk_insert",
    family = "data",
    summary = "Inserts rows by COPY.",
    doc = "A column that a row lacks is NULL there; a column that no row has gets its default. "
      .. "Tables become arrays or JSON as the column's type says (read from the database); with "
      .. "--sql give types, or wrap them in op.array and op.json.",
    raises = "server 23505, 22P02 …; operation for a value that has no form in the database",
    example = [[op.bulk_insert("roles", { { id = 1, name = "admin" }, { id = 2, name = "me" } })]],
    parameters = {
      { name = "table", type = "name", doc = "\"table\" or \"schema.table\"" },
      { name = "rows", type = "rows", doc = "a list of tables by column name" },
    },
    options = {
      columns = { type = "list<identifier>", doc = "the columns; default: all that rows have" },
      types = { type = "map<type>", doc = "types of columns whose values are tables or bytes" },
    },
    call = call_bulk_insert,
    inverse = function()
      return nil, "which rows to delete is not known: write upgrade() and downgrade()"
    end,
  },
}
