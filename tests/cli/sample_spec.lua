--- The sample project in migrations/: what a reader of it is promised.

local cli = require("support.cli")
local lfs = require("lfs")
local server = require("support.server")

local root = lfs.currentdir()

describe("the sample history", function()
  local database, conn

  before_each(function()
    database = server.database()
    conn = database.connect()
  end)

  after_each(function()
    conn:close()
    database.drop()
  end)

  local function luamig(...)
    local result = cli.run({ "-c", root .. "/migrations/luamig.lua", "--url", database.url, ... })
    assert.equal(0, result.status, result.stderr)
    return result
  end

  local function rows(sql)
    local out = {}
    for i, row in ipairs(conn:exec(sql)) do
      out[i] = row.line
    end
    return table.concat(out, "\n")
  end

  it("goes up, down to nothing and up again", function()
    luamig("upgrade")
    luamig("downgrade", "base", "--yes")
    assert.equal("0", rows([[SELECT count(*)::text AS line FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace WHERE n.nspname = 'public']]))
    assert.equal("0", rows([[SELECT count(*)::text AS line FROM pg_type t
      JOIN pg_namespace n ON n.oid = t.typnamespace WHERE n.nspname = 'public']]))
    luamig("upgrade")
    assert.equal("5 revisions: all sound; the database is at head and what migrations/schema.lua "
      .. "declares\n", luamig("check").stdout)
  end)

  it("leads to what schema.lua declares, and to nothing else", function()
    luamig("upgrade")
    assert.equal("nothing to do: the database is what the target declares; no file is written\n",
      luamig("revision", "--autogenerate", "-m", "nothing").stderr)
    local result = luamig("diff", "head", root .. "/migrations/schema.lua")
    assert.equal("", result.stdout)
  end)

  it("says of every table what it is for", function()
    luamig("upgrade")
    assert.equal("", rows([[SELECT c.relname::text AS line FROM pg_class c
      JOIN pg_namespace n ON n.oid = c.relnamespace
     WHERE n.nspname = 'public' AND c.relkind = 'r' AND obj_description(c.oid) IS NULL]]))
  end)

  local edges = [[SELECT concat_ws(' ', child.label, parent.label, e.position, e.operator) AS line
    FROM driver_tree_edges e JOIN driver_tree_nodes child ON child.id = e.child_id
    JOIN driver_tree_nodes parent ON parent.id = e.parent_id ORDER BY 1]]

  it("moves the edges of driver trees into their nodes and back, every row of them", function()
    luamig("upgrade", "003")
    conn:exec([[WITH project AS (INSERT INTO projects (name) VALUES ('p') RETURNING id),
      tree AS (INSERT INTO driver_trees (project_id, name) SELECT id, 't' FROM project RETURNING id)
      INSERT INTO driver_tree_nodes (tree_id, label) SELECT id, label
        FROM tree, unnest(ARRAY['revenue', 'visitors', 'basket', 'items', 'price']) AS label]])
    conn:exec([[INSERT INTO driver_tree_edges (child_id, tree_id, parent_id, position, operator)
      SELECT c.id, c.tree_id, p.id, v.position, v.operator::driver_operator
        FROM (VALUES ('visitors', 'revenue', 0, 'multiply'), ('basket', 'revenue', 1, 'multiply'),
                     ('items', 'basket', 0, 'multiply'), ('price', 'basket', 1, 'add'))
             AS v (child, parent, position, operator)
        JOIN driver_tree_nodes c ON c.label = v.child
        JOIN driver_tree_nodes p ON p.label = v.parent]])
    local before = rows(edges)
    luamig("upgrade", "004")
    assert.equal("basket revenue 1 multiply\nitems basket 0 multiply\nprice basket 1 add\nrevenue\n"
      .. "visitors revenue 0 multiply", rows([[SELECT concat_ws(' ', n.label, p.label, n.position,
        n.operator) AS line FROM driver_tree_nodes n LEFT JOIN driver_tree_nodes p
        ON p.id = n.parent_id ORDER BY 1]]))
    assert.equal("revenue\n  visitors\n  basket\n    items\n    price", rows(
      "SELECT repeat('  ', depth) || label AS line FROM driver_tree_outline ORDER BY place"))
    luamig("downgrade", "003", "--yes")
    assert.equal(before, rows(edges))
  end)

  it("is the same by --sql", function()
    local script = luamig("upgrade", "--sql").stdout
    local result = cli.run({ "-X", "-q", "-d", database.url }, { program = "psql", stdin = script })
    assert.equal("", result.stderr)
    assert.equal("5 revisions: all sound; the database is at head and what migrations/schema.lua "
      .. "declares\n", luamig("check").stdout)
  end)

  it("leads to what schema.lua declares, and to nothing else", function()
    luamig("upgrade")
    assert.equal("nothing to do: the database is what the target declares; no file is written\n",
      luamig("revision", "--autogenerate", "-m", "nothing").stderr)
    local result = luamig("diff", "head", root .. "/migrations/schema.lua")
    assert.equal("", result.stdout)
  end)
end)
