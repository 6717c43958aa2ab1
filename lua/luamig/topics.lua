--- What `luamig help TOPIC` says. Texts only; a text may be a function when code knows it better.

local topics = {}

local list = {}
local by_name = {}

local function topic(name, summary, text)
  local entry = { name = name, summary = summary, text = text }
  list[#list + 1] = entry
  by_name[name] = entry
end

topic("config", "the project file luamig.lua", function()
  return [[
The project file, luamig.lua, is looked for in this order: -c FILE, the variable LUAMIG_CONFIG,
./luamig.lua, ./migrations/luamig.lua. It is Lua and returns a table; paths in it are relative to
it. `luamig init` writes this one:

]] .. require("luamig.scaffold").config_text("basic") .. [[

The database is the first of these that is there: --url, the url of --env NAME, url in the file,
the variable DATABASE_URL, the variables of libpq (PGHOST, PGSERVICE …).]]
end)

topic("script", "a revision file: header, upgrade(), downgrade()", [[
A revision is a Lua file in the versions folder. `luamig new TEXT` writes it.

  --- add email to users                 the title; more comment lines may follow
  revision = "002"                       its id
  down_revision = "001"                  its parent; nil for the first, a list for a merge
  branch_labels = nil                    a name for the branch that begins here, or a list
  depends_on = nil                       revisions that must be applied first

  function upgrade()
    op.add_column("users", op.column("email", "text"))
  end

  function downgrade()
    op.drop_column("users", "email")
  end

Further fields of the header:
  transactional = false                  each statement for itself, without a transaction
  data_loss = "why"                      the way back does not bring the values back
  irreversible = "why"                   there is no way back

Instead of the two functions a file may have change(): luamig records its operations and runs
their inverses, in reverse order, for the downgrade. An operation without an inverse is an error.

How it is run
  Each revision is one transaction, with its version row and its history row; what PostgreSQL
  refuses inside one (concurrently, VACUUM) is committed around, and so are op.step, op.autocommit
  and the batches of op.batch_execute. What was committed is passed over when the revision is run
  again, so the script must make the same calls in the same order.
  Statements are sent without waiting, until something is read (op.query, op.scalar …). A server's
  error names the line that sent the statement, also when later lines have run meanwhile.
  A call of op that failed fails the revision, also inside pcall; op.savepoint(fn) may fail.
  op works inside the two functions only. What stands outside them is run when the file is
  loaded, by check and lint too: definitions, no work. Headers are read from the text.

What a file has
  op             the operations (luamig help op); require("luamig.op") is the same
  op.context     revision, direction, environment, offline, server_version, x.key (-x key=value)
  print          writes to stderr; results on stdout stay what they are
  require        the project's own files: beside luamig.lua, and in the folders of `path`; also
                 cjson. Each is loaded once a run, from source text
  Lua's library  without os.execute, os.exit, io.popen, debug, package, collectgarbage, C modules

The fields of the header are the only globals a file may set, and any other name that is not there
is an error at its line: make functions and variables of your own local. The file is UTF-8.]])

topic("targets", "how revisions are named: head, -1, 0a2f, billing@head, A:B", [[
  head                the only head; an error when there are several
  heads               all of them
  base                before the first revision
  current             what the database is at
  002, 0a2f3c         an id, or the beginning of one when no other begins so
  billing             a branch label: the revision that carries it
  +2, -1              steps from where the database is
  002+1, head-2       steps from a revision; base+3
  billing@head        the head of a branch; before the @ stands a label or any id of the branch
  billing@-1          steps within a branch
  A:B                 a range, for history -r and with --sql; both ends are in it

upgrade 003 runs everything that 003 needs and is missing. downgrade 003 undoes what follows 003
and leaves 003 applied; downgrade -1 undoes the last one. What is there already: luamig says so and
ends with 0.]])

topic("exit-codes", "what the exit status means", [[
  0    done, or nothing to do
  1    an SQL statement or an operation failed
  2    wrong options, wrong arguments or wrong configuration
  3    pending revisions, differences or findings (check, current --check-heads, diff, lint)
  4    a lock was not had in time
  5    no connection
  6    a revision file was edited after it was applied
  7    the revision graph is unsound, or a revision is not in it
  8    the round trip failed
  9    a Lua error in a script or a hook
  10   refused: protected, would lose rows, or applied already; see --yes
  11   partly done; the same command goes on where it stopped
  130  interrupted (143: by SIGTERM)]])

topic("errors", "how an error reads, and what --json makes of it", [[
Errors go to stderr, results to stdout. An error says what happened, where, in which state the
database is, and what to type next:

  error: column "emial" does not exist (42703)          what, and the SQLSTATE of the server
    versions/007_lower_emails.lua:14  op.execute        your line, and the operation
      UPDATE users SET email = lower(emial)
                                     ^
    state: nothing changed; revision 007 rolled back, database is at 006
    try:   fix the script and run: luamig upgrade head

With --json it is one line: {"error": {"kind", "message", "exit_status", …}} with the fields
sqlstate, detail, hint, context, constraint, statement, position, file, line, revision, direction,
applied, state, try, as far as they are known. Kinds: server, operation, usage, config, pending,
differences, lock, connection, edited, graph, roundtrip, script, refused, partial, interrupted,
memory. Passwords are in none of it.]])

topic("environment", "variables that luamig reads", [[
  DATABASE_URL              the database, when neither --url nor the project file names one
  PGHOST, PGPORT, PGUSER, PGDATABASE, PGPASSWORD, PGPASSFILE, PGSERVICE, PGSSLMODE …
                            as libpq knows them
  LUAMIG_CONFIG             the project file, instead of ./luamig.lua
  LUAMIG_PGBIN              folder of the PostgreSQL programs for "embedded"
  VISUAL, EDITOR            the editor of `edit` and -e
  NO_COLOR, CLICOLOR_FORCE  colours off, colours on; TERM=dumb is without

Environments of the project file (luamig --env NAME) are another matter: luamig help config.]])

topic("embedded", "a PostgreSQL that luamig starts itself", [[
  url = "embedded"

luamig runs a PostgreSQL of this machine's own binaries, found in LUAMIG_PGBIN, on the PATH, by
pg_config, or in Debian's versioned folders, newest first. Its data is in .luamig/pg beside the
project file and stays; it listens on a unix socket only, starts when it is needed and stops after
five idle minutes.

  luamig db start [--idle never]       now, and for how long
  luamig db stop | status              the end, and a look at it
  luamig db url | psql                 for other programs
  luamig db reset                      away with the data

--ephemeral runs a command on a throwaway one instead, which is gone when the command ends.]])

topic("offline", "--sql: a script for psql instead of a connection", [[
  luamig upgrade --sql                 from an empty database to the head
  luamig upgrade current:head --sql    from where the database is, which is asked for that
  luamig upgrade 003:005 --sql         from one revision to another
  luamig downgrade 005:003 --sql       the way back needs both ends

The script has the same effect in psql, version and history rows included. It opens with a guard
that stops unless the database is where the script begins. SQL text is kept byte for byte. Nothing
is printed unless the whole script could be made: a revision that reads (op.query) cannot be told
beforehand, and its line is named. Backfills become loops with a COMMIT for each batch.]])

topic("schema", "a declared schema: revision --autogenerate, check, diff", [[
  return { url = …, target = "schema.lua" }    in luamig.lua

schema.lua declares the schema as it shall be, with the calls of a revision, run once in an empty
database; schema.sql (as pg_dump --schema-only writes it) and the URL of a database do as well. It
is built in a scratch database, so that PostgreSQL itself says what types, defaults and conditions
mean; a scratch database is dropped when the command ends.

  luamig revision --autogenerate -m TEXT  writes what leads the database there, and the way back
  luamig check                            ends with 3 and the difference when there is one
  luamig status                           says whether the database is what is declared
  luamig diff A B                         the SQL from A to B, each a URL, a .lua or .sql file, or a
                                          revision; --ops as Lua. Exit status 3 when they differ
  luamig diff base URL --ops              a database that is there as the draft of a schema.lua

Compared is everything in the catalogs: of tables also owners, privileges, comments, storage,
statistics, row security. What nobody gave an owner in the declaration has none there. What cannot
be changed in place is named: the order of columns counts only with diff --column-order.

A new name is told by renamed_from, on a column or on a table; else the old one goes and the new one
comes, and what was in it is lost:

  op.create_table("authors", {
    op.column("email", "text", { renamed_from = "mail" }),
    renamed_from = "writers",
  })

`include` in luamig.lua says what is looked at: schemas = { "public" },
object = function(kind, name) … end. Scratch databases are made on the server of the database when
its role may make any, else on a throwaway PostgreSQL; diff makes them there unless --server names
another one.

What is written is a draft, tried upwards, downwards and upwards again on an empty copy. It says
what loses data, in the header (data_loss) and at its place; how rows shall be kept, only you know.
An example: examples/autogenerate.]])

topic("roundtrip", "test-roundtrip: the proof that every revision can be undone", [[
  luamig test-roundtrip                all revisions, on a throwaway PostgreSQL
  luamig test-roundtrip --since 041    what a pull request adds to 041
  luamig test-roundtrip --data         with generated rows, too

Each revision, its parents first, is run up, down and up again by the executor of upgrade and
downgrade. After the downgrade the schema must be what it was before the upgrade, and after the
second upgrade what it was after the first: tables, columns, defaults, constraints, indexes, types,
views, functions, triggers, policies, privileges, owners, comments, and all else in the catalogs.
Only the order of columns may differ, for no downgrade can put one back in the middle. In the end
all of it goes down to nothing, and up.

  --data        The tables are filled before each revision, and every column that is there before
                and afterwards must hold the same values. A revision that cannot bring them back
                says so: data_loss = "the old phone numbers". --rows N, --seed N
  --strict      A revision without a way back (irreversible = "why") fails; else it is listed.
  --from, --to  a part of the history; --since REV: what REV does not have below it
  --url SERVER  scratch databases on this server, dropped in the end, instead of a throwaway one.
                Never in the configured database. --role NAME makes a role on the throwaway one.
  --report      junit=FILE, tap, json or github, as often as needed; --json is --report json

A failure names the revision, the line, and what differs. The walk goes on behind it, and ends with
exit status 8. Hooks are not run. Work done beside the database (files, other servers) is not seen.

In CI: examples/ci has a workflow for GitHub and one for GitLab.]])

topic("backfills", "changing very many rows: what, how fast, and who may stop it", [[
op.batch_execute does the work within a revision, op.backfill registers it for `luamig backfill run`
(any number of processes and machines), op.require_backfill in a later revision demands that it is
done. luamig help op.batch_execute has every option.

  set = { email = op.sql("lower(email)") }         an SQL expression
  read = { "id", "raw" }, map = function(row, ctx) a Lua function: { column = value }, nil to leave
                                                   the row, ctx.reject(why) to put it aside
  sql = "INSERT … SELECT … WHERE {range}"          any statement; {range:e} for the alias e

Rows are walked through by the primary key (or `key`), each batch a transaction that also moves the
cursor: killed, crashed or failed over, it goes on where it was, and no row is done twice.
`remaining` says which rows still need work; without it nothing tells what was left over. Rows that
are inserted meanwhile are the application's duty (a default, a trigger); finalize sweeps them up.

  luamig backfill plan NAME          one batch, measured and rolled back: time, WAL, plan
  luamig backfill run [NAME]         0 done, 11 work is left, 1 failed; --workers N, --for 30m
  luamig backfill status NAME        --watch, --json, --prometheus
  luamig backfill pause|resume|cancel NAME
  luamig backfill tune NAME target_ms=100 workers=4 wal_rate=20MB/s window=22:00-06:00
  luamig backfill errors|retry NAME  rows put aside (on_error = { quarantine = N }); once more
  luamig backfill verify NAME        what is left; --sample 1000: rows at random, computed again
  luamig backfill finalize NAME      the proof that nothing is left; what came meanwhile is done

Batches grow and shrink towards target_ms, and halve when others wait. A row that fails is found by
halving. Build indexes on new columns afterwards: each makes every update dearer.]])

topic("alembic", "what becomes of Alembic's files, commands and operations", [[
  Alembic                          luamig
  alembic.ini and env.py           luamig.lua (luamig help config)
  script.py.mako                   template = "…" (luamig help templates)
  alembic -n NAME                  luamig --env NAME
  revision -m TEXT                 the same, or: luamig new TEXT
  upgrade, downgrade, stamp,       the same, with the same targets
  current, history, heads,
  branches, show, merge, edit
  upgrade a:b --sql                the same
  check                            the same; it also finds edited files and an unsound graph
  ensure_version                   not needed
  op.create_table("t",             op.create_table("t", {
    sa.Column("id", sa.Integer(),    op.column("id", "integer", { primary_key = true }),
      primary_key=True))           })
  server_default=sa.text("now()")  default = op.sql("now()")
  nullable=False                   { nullable = false }
  op.get_bind().execute(text)      op.query(sql, { … }), parameters are $1, $2 …
  with op.batch_alter_table        not needed on PostgreSQL
  context.get_x_argument()         op.context.x.key, from -x key=value
  with autocommit_block()          op.autocommit(function() … end); concurrently needs no block

An Alembic database goes on as it is: version_schema = "public", version_table =
"alembic_version". Errors are on stderr and have exit statuses of their own (luamig help
exit-codes); an error of the graph stops every command; downgrade -1 with two heads is refused.]])

topic("rules", "what is dangerous in production: all rules, and the locks behind them", function()
  return require("luamig.lint.help").index()
end)

topic("other-linters", "what squawk, eugene and others look for, and the rule that says it here",
  function()
    return require("luamig.lint.others").page()
  end)

topic("hooks", "functions of the project file that luamig calls", [[
  hooks = {
    after_write = function(path)             -- by revision, merge and rebase
      return os.execute("stylua " .. path)   -- a program that fails makes the command fail
    end,
  }

  before_upgrade(info), after_upgrade(info)        around an upgrade; info.revisions lists the ids
  before_downgrade(info), after_downgrade(info)    around a downgrade
  before_revision(info), after_revision(info)      around each; info.revision, after it info.ms too
  on_error(fault, info)                            before the error is told; fault.message …
  after_write(path)                                the file, from the root
  info.direction, info.environment and info.dry_run are always there. In a dry run nothing is ever
  done, so after_revision is not called; the others are.

A hook that raises an error stops the command with exit status 9; its line is named.]])

topic("templates", "texts and file names of new revisions", function()
  local template = require("luamig.template")
  local lines = {
    "template = \"FILE\" in luamig.lua gives new revisions a text of your own. These words are",
    "replaced in it; everything else is kept:",
    "",
  }
  for _, token in ipairs(template.tokens) do
    lines[#lines + 1] = ("  %-16s %s"):format("{" .. token[1] .. "}", token[2])
  end
  lines[#lines + 1] = ""
  lines[#lines + 1] = "luamig's own:"
  lines[#lines + 1] = ""
  lines[#lines + 1] = template.default:gsub("([^\n]+)", "  %1"):gsub("\n$", "")
  lines[#lines + 1] = ""
  lines[#lines + 1] = "file_template names the file; the default is {id}_{slug}. Its words:"
  lines[#lines + 1] = "  {" .. table.concat(template.file_tokens, "} {") .. "}"
  lines[#lines + 1] = 'With folders in it ("{year}/{id}_{slug}") the config needs recursive = true.'
  return table.concat(lines, "\n")
end)

-- Other words for the same.
local aliases = {
  lint = "rules", rule = "rules", squawk = "other-linters", eugene = "other-linters",
  sql = "offline", variables = "environment", env = "environment", url = "config",
  environments = "config", ["exit-status"] = "exit-codes", template = "templates",
  hook = "hooks", print = "script", sandbox = "script", require = "script",
  revision = "script", revisions = "script", json = "errors",
  ["round-trip"] = "roundtrip", autogenerate = "schema", drift = "schema",
}

---All topics, in the order to show them: { name, summary, text }.
---@return table[]
function topics.list()
  return list
end

---@param name string  a topic's name or another word for it
---@return string|nil
function topics.text(name)
  local entry = by_name[name] or by_name[aliases[name]]
  if not entry then
    return nil
  end
  return type(entry.text) == "function" and entry.text() or entry.text
end

---@return string[]
function topics.names()
  local names = {}
  for i, entry in ipairs(list) do
    names[i] = entry.name
  end
  return names
end

return topics
