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

  -- One tree: a root and so many nodes below it.
  local function plant(count)
    conn:exec([[WITH project AS (INSERT INTO projects (name) VALUES ('p') RETURNING id)
      INSERT INTO driver_trees (project_id, name) SELECT id, 't' FROM project]])
    conn:exec([[INSERT INTO driver_tree_nodes (tree_id, label)
      SELECT id, 'n' || i FROM driver_trees, generate_series(0, $1::int) AS i]], { count })
    conn:exec([[INSERT INTO driver_tree_edges (child_id, tree_id, parent_id, position, operator)
      SELECT c.id, c.tree_id, p.id, substr(c.label, 2)::int, 'subtract'
        FROM driver_tree_nodes c, driver_tree_nodes p WHERE p.label = 'n0' AND c.label <> 'n0']])
  end

  local placed_nodes = [[SELECT concat_ws(' ', child.label, parent.label, child.position,
      child.operator) AS line
    FROM driver_tree_nodes child JOIN driver_tree_nodes parent ON parent.id = child.parent_id
   ORDER BY 1]]

  -- Runs luamig until it has committed batches and waits for a row that a session holds: in the
  -- middle. Then does what is to be done there.
  local function in_the_middle(words, held, moved, fn)
    local holder <close> = database.connect()
    holder:exec("BEGIN")
    holder:exec(held)
    local process = cli.start({ "-c", root .. "/migrations/luamig.lua", "--url", database.url,
      table.unpack(words) })
    cli.eventually(function()
      return rows("SELECT pid::text AS line FROM pg_stat_activity WHERE wait_event_type = 'Lock' "
        .. "AND datname = current_database()") ~= "" and tonumber(rows(moved)) > 0
    end, "the first batches")
    fn(process)
    holder:exec("ROLLBACK")
    return process:wait()
  end

  -- A row that no batch but the second or third comes to.
  local middle_edge <const> = "SELECT FROM driver_tree_edges WHERE child_id = (SELECT child_id "
    .. "FROM driver_tree_edges ORDER BY child_id OFFSET 2000 LIMIT 1) FOR UPDATE"
  local middle_node <const> = "SELECT FROM driver_tree_nodes WHERE id = (SELECT id "
    .. "FROM driver_tree_nodes ORDER BY id OFFSET 2000 LIMIT 1) FOR UPDATE"
  local moved_up <const> = "SELECT count(*)::text AS line FROM driver_tree_nodes "
    .. "WHERE parent_id IS NOT NULL"
  local moved_down <const> = "SELECT count(*)::text AS line FROM driver_tree_edges"

  it("goes on where it was killed in the middle of the rows, up and down", function()
    luamig("upgrade", "003")
    plant(3500)
    local before = rows(edges)
    local function killed(words, held, moved)
      local result = in_the_middle(words, held, moved, function(process)
        process:signal("KILL")
      end)
      assert.equal(137, result.status)
      -- What a lease protects is over at once here, so that the test need not wait for it. (The
      -- server may do to its end what was sent before.)
      cli.eventually(function()
        return rows("SELECT pid::text AS line FROM pg_stat_activity WHERE application_name "
          .. "LIKE 'luamig:%' AND datname = current_database()") == ""
      end, "the end of the session")
      conn:exec("UPDATE luamig.backfill_range SET lease_until = now()")
      luamig(table.unpack(words))
    end
    killed({ "upgrade", "004" }, middle_edge, moved_up)
    assert.equal(before, rows(placed_nodes))
    assert.equal("", rows("SELECT conname::text AS line FROM pg_constraint "
      .. "WHERE NOT convalidated"))
    killed({ "downgrade", "003", "--yes" }, middle_node, moved_down)
    assert.equal(before, rows(edges))
    luamig("upgrade")
    assert.equal(before, rows(placed_nodes))
    luamig("check")
  end)

  it("takes along what the application writes while the rows move", function()
    luamig("upgrade", "003")
    plant(3500)
    local expected
    -- Rows that are moved already, and rows that no batch has come to.
    local function note_free(key, table_name, moved)
      conn:exec("DROP TABLE IF EXISTS pg_temp.free")
      conn:exec(("CREATE TEMP TABLE free AS %s UNION (SELECT %s FROM %s ORDER BY 1 DESC "
        .. "LIMIT 500)"):format(moved, key, table_name))
    end
    local free <const> = " AND n.id IN (TABLE pg_temp.free)"
    local result = in_the_middle({ "upgrade", "004" }, middle_edge, moved_up, function()
      note_free("child_id", "driver_tree_edges",
        "SELECT id FROM driver_tree_nodes WHERE parent_id IS NOT NULL")
      conn:exec([[DELETE FROM driver_tree_edges e USING driver_tree_nodes n
        WHERE n.id = e.child_id AND n.label LIKE 'n%7']] .. free)
      conn:exec([[UPDATE driver_tree_edges e SET position = 9999, operator = 'add'
        FROM driver_tree_nodes n WHERE n.id = e.child_id AND n.label LIKE 'n%8']] .. free)
      conn:exec([[WITH child AS (INSERT INTO driver_tree_nodes (tree_id, label)
          SELECT id, 'new' FROM driver_trees RETURNING id, tree_id)
        INSERT INTO driver_tree_edges (child_id, tree_id, parent_id)
        SELECT c.id, c.tree_id, p.id FROM child c, driver_tree_nodes p WHERE p.label = 'n0']])
      expected = rows(edges)
    end)
    assert.equal(0, result.status, result.stderr)
    assert.equal(expected, rows(placed_nodes))
    -- And on the way back.
    result = in_the_middle({ "downgrade", "003", "--yes" }, middle_node, moved_down, function()
      note_free("id", "driver_tree_nodes", "SELECT child_id AS id FROM driver_tree_edges")
      conn:exec([[UPDATE driver_tree_nodes n SET parent_id = NULL, position = NULL, operator = NULL
        WHERE n.label LIKE 'n%6']] .. free)
      conn:exec("UPDATE driver_tree_nodes n SET position = 5555 WHERE n.label LIKE 'n%5'" .. free)
      conn:exec("DELETE FROM driver_tree_nodes n WHERE n.label LIKE 'n%4'" .. free)
      conn:exec([[INSERT INTO driver_tree_nodes (tree_id, label, parent_id, position, operator)
        SELECT tree_id, 'newer', id, 1, 'divide' FROM driver_tree_nodes WHERE label = 'n0']])
      expected = rows(placed_nodes)
    end)
    assert.equal(0, result.status, result.stderr)
    assert.equal(expected, rows(edges))
  end)

  it("is what lint asks for", function()
    local result = cli.run({ "-c", root .. "/migrations/luamig.lua", "lint" })
    assert.matches("nothing found in 5 revisions", result.stdout, 1, true)
  end)

  it("is the same by --sql", function()
    luamig("upgrade", "003")
    plant(20)
    local before = rows(edges)
    local script = luamig("upgrade", "003:head", "--sql").stdout
    local result = cli.run({ "-X", "-q", "-d", database.url }, { program = "psql", stdin = script })
    assert.matches("driver_tree_edges_into_nodes: 20 rows changed", result.stderr, 1, true)
    assert.not_matches("ERROR", result.stderr, 1, true)
    assert.equal(before, rows(placed_nodes))
    assert.equal("5 revisions: all sound; the database is at head and what migrations/schema.lua "
      .. "declares\n", luamig("check").stdout)
  end)
end)
