-- One database, two tools: Alembic and luamig take turns on the same version table, each with the
-- same revisions in its own language.

local alembic_tool = require("support.alembic")
local cli = require("support.cli")
local scene = require("support.scene")

local env_py <const> = [[
from alembic import context
from sqlalchemy import create_engine, pool

config = context.config
engine = create_engine(config.get_main_option("sqlalchemy.url"), poolclass=pool.NullPool)
with engine.connect() as connection:
    context.configure(connection=connection)
    with context.begin_transaction():
        context.run_migrations()
]]

local revision_py <const> = [[
"""revision %s"""
from alembic import op
import sqlalchemy as sa

revision = %q
down_revision = %s


def upgrade():
    op.create_table("t%s", sa.Column("id", sa.Integer, primary_key=True))


def downgrade():
    op.drop_table("t%s")
]]

local keys <const> = 'version_schema = "public", version_table = "alembic_version"'

describe("Alembic and luamig on one database", function()
  local s, tool

  setup(function()
    tool = alembic_tool.start()
  end)

  teardown(function()
    tool:close()
  end)

  -- The same revision for both; parents: nil, an id, or a list of ids.
  local function revision(id, parents)
    local list = type(parents) == "table" and parents or { parents }
    local quoted = {}
    for i, parent in ipairs(list) do
      quoted[i] = ("%q"):format(parent)
    end
    local lua = #list > 1 and "{ " .. table.concat(quoted, ", ") .. " }" or quoted[1] or "nil"
    local python = #list > 1 and "(" .. table.concat(quoted, ", ") .. ")" or quoted[1] or "None"
    s.project:write(("alembic/versions/%s.py"):format(id), revision_py:format(id, id, python, id,
      id))
    s.project:write(("versions/%s.lua"):format(id), ([[
--- revision %s
revision = %q
down_revision = %s

function upgrade()
  op.create_table("t%s", { op.column("id", "integer", { primary_key = true }) })
end

function downgrade()
  op.drop_table("t%s")
end
]]):format(id, id, lua, id, id))
  end

  local function alembic(words)
    return tool:run(s.project:path("alembic.ini"), words)
  end

  -- Lines in order: Alembic's is that of the rows as they come.
  local function sorted(text)
    local lines = {}
    for line in text:gmatch("[^\n]+") do
      lines[#lines + 1] = line
    end
    table.sort(lines)
    return table.concat(lines, "\n")
  end

  local function rows()
    return s:list("SELECT version_num FROM public.alembic_version ORDER BY 1")
  end

  local function tables()
    return s:list("SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace "
      .. "AND relkind = 'r' AND relname LIKE 't_' ORDER BY 1")
  end

  before_each(function()
    s = scene.new(keys)
    local said = require("luamig.core.url").read(s.url)
    s.project:write("alembic.ini", ("[alembic]\nscript_location = %s\nsqlalchemy.url = "
      .. "postgresql+psycopg2://%s@/%s?host=%s&port=%s\n"):format(s.project:path("alembic"),
      said.user, said.dbname, said.host, said.port or 5432))
    s.project:write("alembic/env.py", env_py)
    revision("1")
    revision("2", "1")
    revision("3", "2")
    revision("4", "3")
  end)

  after_each(function()
    s:close()
  end)

  it("take turns, up and down", function()
    alembic("upgrade 2")
    assert.equal("2\n", s:ok("current").stdout)
    local result = s:ok("upgrade 3")
    assert.is_nil(result.stderr:find("WARN", 1, true), result.stderr)
    assert.matches("running upgrade 2 %-> 3", result.stderr)
    assert.equal("t1,t2,t3", tables())
    assert.equal("3\n", alembic("current"))
    alembic("upgrade head")
    assert.equal("4 (head)\n", s:ok("current").stdout)
    assert.matches("nothing to do: the database is at 4", s:ok("upgrade").stderr)
    s:ok("downgrade 2")
    assert.equal("2\n", alembic("current"))
    assert.equal("t1,t2", tables())
    alembic("downgrade -1")
    assert.equal("1\n", s:ok("current").stdout)
    result = s:ok("upgrade")
    assert.is_nil(result.stderr:find("WARN", 1, true), result.stderr)
    assert.equal("t1,t2,t3,t4", tables())
    alembic("downgrade base")
    assert.equal("", rows())
    s:ok("upgrade")
    s:ok("downgrade base")
    assert.equal("", alembic("current"))
    alembic("upgrade head")
    assert.equal("4", rows())
    assert.equal(0, s:run("check").status)
  end)

  it("begin with luamig", function()
    s:ok("upgrade 2")
    assert.equal("2\n", alembic("current"))
    alembic("upgrade head")
    s:ok("downgrade 1")
    alembic("downgrade base")
    assert.equal("", tables())
    assert.equal("alembic_version,alembic_version_history,alembic_version_journal", s:list(
      "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' "
        .. "ORDER BY 1"))
    assert.is_false(s:has("luamig.version"))
  end)

  it("stamp for each other", function()
    alembic("stamp 3")
    assert.equal("3\n", s:ok("current").stdout)
    s:ok("stamp 1")
    assert.equal("1\n", alembic("current"))
    s:ok("stamp base")
    assert.equal("", alembic("current"))
    s:ok("stamp head")
    assert.equal("4 (head)\n", alembic("current"))
    alembic("stamp base")
    assert.equal("", s:ok("current").stdout)
    assert.equal("", tables())
  end)

  it("agree on the rows of branches and merges", function()
    revision("5", "2")
    alembic("upgrade 4")
    s:ok("upgrade heads")
    assert.equal("4,5", rows())
    assert.equal("4 (head)\n5 (head)", sorted(alembic("current")))
    revision("6", { "4", "5" })
    alembic("upgrade head")
    assert.equal("6 (head) (mergepoint)\n", s:ok("current").stdout)
    s:ok("downgrade -1")
    assert.equal("4,5", rows())
    alembic("downgrade 5@2")
    assert.equal(sorted(s:ok("current").stdout), sorted(alembic("current")))
    s:ok("upgrade head")
    assert.equal("6 (head) (mergepoint)\n", alembic("current"))
    alembic("downgrade base")
    assert.equal("", rows())
    assert.equal("", tables())
  end)

  it("are the same in luamig's script for psql", function()
    alembic("upgrade 2")
    local sql = s:ok("upgrade 2:4 --sql").stdout
    s.project:write("up.sql", sql)
    local result = cli.run({ "-X", "-q", "-d", s.url, "-f", s.project:path("up.sql") },
      { program = "psql" })
    assert.equal(0, result.status, result.stderr)
    assert.equal("4 (head)\n", alembic("current"))
    assert.equal("t1,t2,t3,t4", tables())
    alembic("downgrade base")
  end)

  it("tell of a revision that only the other has", function()
    alembic("upgrade 3")
    os.remove(s.project:path("versions/3.lua"))
    os.remove(s.project:path("versions/4.lua"))
    local result = s:run("upgrade")
    assert.equal(7, result.status)
    assert.matches("Can't locate revision identified by '3'", result.stderr)
    assert.matches("3: the version table has it, the history does not know it", result.stderr)
    assert.matches("3 %(not in these files%)", s:ok("current").stdout)
    assert.equal("3", rows())
  end)
end)
