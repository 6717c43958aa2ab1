local scene = require("support.scene")

local tables = [[
  op.execute("CREATE TABLE users (id int PRIMARY KEY, email text, email_norm text, "
    .. "n int DEFAULT 0)")
  op.execute("INSERT INTO users SELECT i, 'User' || i FROM generate_series(1, 2000) i")
  op.execute("CREATE TABLE audit (id int PRIMARY KEY, writes int)")
  op.execute([=[CREATE FUNCTION audit() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
    INSERT INTO public.audit VALUES (NEW.id, 1)
    ON CONFLICT (id) DO UPDATE SET writes = public.audit.writes + 1;
    RETURN NEW; END $$]=])
  op.execute("CREATE TRIGGER audit AFTER UPDATE ON users FOR EACH ROW EXECUTE FUNCTION audit()")
]]

local undo = [[
  op.execute("DROP TABLE users, audit")
  op.execute("DROP FUNCTION audit()")
]]

describe("batched migrations on the command line", function()
  local s

  before_each(function()
    s = scene.new()
    s:revision("001", nil, tables, undo)
  end)

  after_each(function()
    s:close()
  end)

  local function audit()
    return s:list("SELECT count(*) || ' rows, at most ' || coalesce(max(writes), 0) || ' writes' "
      .. "FROM audit")
  end

  local function batch(options)
    return ([[
  op.batch_execute("norm", {
    table = "users", batch_rows = 50, target_ms = 5, %s
  })
  op.execute("ALTER TABLE users ALTER email_norm SET NOT NULL")
]]):format(options)
  end

  local lower = 'set = { email_norm = op.sql("lower(email)"), n = op.sql("n + 1") }'
  -- At least two milliseconds a row: it is still at work when it is to be disturbed.
  local slowly = lower:gsub("n %+ 1", "n + 1 + length(pg_sleep(0.002)::text)")

  it("op.batch_execute works within a revision, and again after a downgrade", function()
    s:revision("002", "001", batch(lower), '  op.execute("ALTER TABLE users '
      .. 'ALTER email_norm DROP NOT NULL")')
    local result = s:ok("upgrade")
    assert.matches("norm: 2 000 of 2 000 rows changed in %d+ batches", result.stderr)
    assert.equal("2000 rows, at most 1 writes", audit())
    assert.equal("002", s:rows())
    s:ok("downgrade -1")
    s:ok("upgrade")
    assert.equal("2000 rows, at most 2 writes", audit())
    assert.equal("2000", s:list("SELECT count(*) FROM users WHERE n = 2"))
  end)

  it("goes on where it was killed, as often as it is killed", function()
    s:revision("002", "001", batch(slowly))
    s:ok("upgrade 001")
    for i = 1, 3 do
      local process = s:start("upgrade")
      s:eventually("SELECT count(*) > $1::int * 300 FROM audit", { i })
      process:signal("KILL")
      process:wait()
      -- Its sessions end what they were sent. Then what the lease protects is over, so that the
      -- test need not wait for it.
      s:eventually("SELECT count(*) = 0 FROM pg_stat_activity WHERE datname = current_database() "
        .. "AND pid <> pg_backend_pid()")
      s:connect():exec("UPDATE luamig.backfill_range SET lease_until = now()")
    end
    s:ok("upgrade")
    assert.equal("2000 rows, at most 1 writes", audit())
    assert.equal("2000", s:list("SELECT sum(rows_changed) FROM luamig.backfill_range"))
    assert.equal("002", s:rows())
    assert.equal("0", s:list("SELECT count(*) FROM luamig.journal"))
  end)

  it("tells of a bad row with line, key, state and the way on", function()
    local path = s:revision("002", "001", batch([[read = { "id", "email" }, map = function(row)
      if row.id == 777 then error("no address: " .. row.email) end
      return { email_norm = row.email:lower() }
    end]]))
    local result = s:run("upgrade")
    assert.equal(11, result.status)
    assert.matches("versions/002.lua:%d+: no address: User777", result.stderr)
    assert.matches("row {777} of public.users; on_error allows 0", result.stderr, 1, true)
    assert.matches("rows of 'norm' are done and committed", result.stderr)
    local file = assert(io.open(path))
    local text = file:read("a")
    file:close()
    s.project:write("versions/002.lua", (text:gsub("row.id == 777", "row.id == 0")))
    result = s:run("upgrade")
    assert.matches("the code of 'norm' was changed after %d+ rows were done", result.stderr)
    s:ok("backfill retry norm")
    s:ok("upgrade")
    assert.equal("2000 rows, at most 1 writes", audit())
    assert.equal("002", s:rows())
  end)

  it("finishes the batch at hand when it is interrupted, and is resumed", function()
    s:revision("002", "001", batch(slowly))
    s:ok("upgrade 001")
    local process = s:start("upgrade")
    s:eventually("SELECT count(*) > 300 FROM audit")
    process:signal("INT")
    local result = process:wait()
    assert.equal(130, result.status)
    assert.matches("rows of 'norm' are done and committed", result.stderr)
    s:ok("upgrade")
    assert.equal("2000 rows, at most 1 writes", audit())
  end)

  it("a signal ends a map function that does not return", function()
    s:revision("002", "001", batch([[read = { "id" }, map = function(row)
      while row.id > 100 do end
      return { email_norm = "x", n = 1 }
    end]]))
    s:ok("upgrade 001")
    local process = s:start("upgrade")
    s:eventually("SELECT count(*) > 50 FROM audit")
    process:signal("INT")
    local result = process:wait()
    assert.equal(130, result.status)
    assert.equal("0", s:list("SELECT count(*) FROM luamig.backfill_range WHERE state = 'leased'"))
    assert.equal("0", s:list("SELECT count(*) FROM users WHERE n = 1 AND id > 100"))
  end)

  local registered = [[
  op.backfill("norm", {
    table = "users", batch_rows = 50, target_ms = 5, remaining = "email_norm IS NULL",
    read = { "id", "email" }, workers = 2, on_error = { quarantine = 3 },
    map = function(row, ctx)
      if row.id %% 1000 == %d then return ctx.reject("bad " .. row.id) end
      return { email_norm = row.email:lower() }
    end,
  })]]

  it("op.backfill registers what backfill run does, and a later revision demands", function()
    s:revision("002", "001", registered:format(-1))
    s:revision("003", "002", '  op.require_backfill("norm")')
    assert.matches("norm: registered", s:ok("upgrade 002").stderr)
    assert.equal("0 rows, at most 0 writes", audit())
    local result = s:run("upgrade")
    assert.equal(1, result.status)
    assert.matches("the backfill 'norm' is not finished: nobody has begun", result.stderr)
    assert.matches("state: nothing changed; revision 003 rolled back, database is at 002",
      result.stderr, 1, true)
    assert.equal("0", s:list("SELECT count(*) FROM luamig.journal"))
    assert.matches("luamig backfill run norm", result.stderr, 1, true)
    assert.matches("registered: nobody has begun", s:ok("backfill status norm").stdout)
    result = s:ok("backfill run")
    assert.matches("norm: 100.0 %%, 2 000 rows, done", result.stderr)
    assert.equal("2000 rows, at most 1 writes", audit())
    s:ok("upgrade")
    assert.equal("003", s:rows())
    assert.matches("state: +finalized", s:ok("backfill status norm").stdout)
  end)

  it("op.require_backfill does the work itself when it is told to", function()
    s:revision("002", "001", registered:format(-1))
    s:revision("003", "002", '  op.require_backfill("norm", { finish = true })')
    s:ok("upgrade")
    assert.equal("2000 rows, at most 1 writes", audit())
  end)

  it("is done at once in a round trip, and must be undone like the rest", function()
    s:revision("002", "001", registered:format(-1) .. "\n" .. batch(lower), [[
  op.execute("ALTER TABLE users ALTER email_norm DROP NOT NULL")
  op.batch_execute("back", { table = "users", set = { email_norm = op.null, n = op.sql("n - 1") },
    remaining = "email_norm IS NOT NULL" })
  op.execute("TRUNCATE audit")]])
    s:revision("003", "002", '  op.require_backfill("norm")')
    assert.matches("3 revisions tested: 3 passed", s:ok("test-roundtrip").stdout)
  end)

  it("rows put aside are listed, hold up finalize, and are tried again", function()
    local path = s:revision("002", "001", registered:format(7))
    s:ok("upgrade")
    s:ok("backfill run norm")
    local errors = s:ok("backfill errors norm").stdout
    assert.matches("public.users  7  bad 7\n", errors, 1, true)
    assert.matches("public.users  1007  bad 1007\n", errors, 1, true)
    local result = s:run("backfill finalize norm")
    assert.equal(1, result.status)
    assert.matches("2 rows of 'users' still match its `remaining`", result.stderr)
    assert.matches("2 of them were put aside", result.stderr)
    assert.matches("try: +luamig backfill retry norm, after the rows or the function are mended",
      s:ok("backfill status norm").stdout)
    assert.equal(1, s:run("backfill verify norm").status)
    local other_code = "SELECT count(*) FROM luamig.backfill_event "
      .. "WHERE what = 'goes on with other code'"
    s:ok("backfill retry norm")
    s:ok("backfill run norm")
    assert.matches("public.users  7  bad 7\n", s:ok("backfill errors norm").stdout, 1, true)
    assert.equal("0", s:list(other_code))
    local file = assert(io.open(path))
    local text = file:read("a")
    file:close()
    s.project:write("versions/002.lua", (text:gsub("== 7", "== 8888")))
    assert.equal(0, s:run("backfill run norm").status)
    s:ok("backfill retry norm")
    s:ok("backfill run norm")
    assert.equal("", s:ok("backfill errors norm").stdout)
    assert.equal("1", s:list(other_code))
    s:ok("backfill finalize norm")
    assert.equal("2000 rows, at most 1 writes", audit())
  end)

  it("verify computes rows at random again and compares, and writes nothing", function()
    s:revision("002", "001", registered:format(-1))
    s:ok("upgrade")
    local result = s:run("backfill verify norm --sample 10")
    assert.equal(1, result.status)
    assert.matches("norm: 0 rows at random hold what `map` gives now", result.stdout, 1, true)
    s:ok("backfill run norm")
    assert.equal("norm: 0 rows still match `remaining`\n"
      .. "norm: 500 rows at random hold what `map` gives now\n",
      s:ok("backfill verify norm --sample 500").stdout)
    local writes = audit()
    s:connect():exec("ALTER TABLE users DISABLE TRIGGER audit")
    s:connect():exec("UPDATE users SET email_norm = 'nobody' WHERE id = 7")
    result = s:run("backfill verify norm --sample 100000")
    assert.equal(1, result.status)
    assert.equal("norm: 0 rows still match `remaining`\n"
      .. "norm: 1 of 2 000 rows at random does not hold what `map` gives now\n"
      .. "  {7}  email_norm is 'nobody', would be 'user7'\n", result.stdout)
    local found = require("cjson").decode(
      s:run("backfill verify norm --sample 100000 --json").stdout)
    assert.same({ rows = 2000, differ = 1, rejected = 0, left = 0, examples = {
      { key = "{7}", column = "email_norm", held = "nobody", given = "user7" } } }, found.sample)
    assert.equal(writes, audit())
  end)

  it("verify compares as the column holds it: rounded, in any form, NULL as well", function()
    s:revision("002", "001", [[
  op.execute("CREATE TABLE parts (id bigint NOT NULL, at date NOT NULL, raw text, n numeric(6,1), "
    .. "doc json, list text[]) PARTITION BY RANGE (at)")
  op.execute("CREATE TABLE parts_1 PARTITION OF parts FOR VALUES FROM (MINVALUE) TO ('2020-01-01')")
  op.execute("CREATE TABLE parts_2 PARTITION OF parts FOR VALUES FROM ('2020-01-01') TO (MAXVALUE)")
  op.execute("INSERT INTO parts SELECT i, '2019-06-01'::date + i, i::text FROM "
    .. "generate_series(1, 600) i")
  op.backfill("parts", { table = "parts", key = "ctid", remaining = "n IS NULL",
    set = { n = op.sql("raw::numeric / 7"), doc = op.sql("json_build_object('n', raw)"),
      list = op.sql("ARRAY[raw, NULL]") } })
  op.backfill("counted", { table = "users", set = { n = op.sql("n + 1") } })
  op.backfill("copied", { table = "users", sql = "INSERT INTO audit SELECT -id, 1 FROM users "
    .. "WHERE {range}" })]])
    s:ok("upgrade")
    s:ok("backfill run parts")
    assert.equal("parts: 0 rows still match `remaining`\n"
      .. "parts: 600 rows at random hold what `set` gives now\n",
      s:ok("backfill verify parts --sample 1000").stdout)
    s:connect():exec("UPDATE parts SET list = NULL WHERE id = 9")
    local result = s:run("backfill verify parts --sample 1000")
    assert.equal(1, result.status)
    assert.matches("list is NULL, would be '{9,NULL}'", result.stdout, 1, true)
    -- Without `remaining`, the sample is all there is to look at.
    result = s:run("backfill verify counted")
    assert.equal(2, result.status)
    assert.matches("luamig backfill verify counted --sample 1000", result.stderr, 1, true)
    result = s:run("backfill verify counted --sample 10")
    assert.equal(1, result.status)
    assert.matches("counted: 10 of 10 rows at random do not hold what `set` gives now",
      result.stdout, 1, true)
    result = s:run("backfill verify copied --sample 10")
    assert.equal(2, result.status)
    assert.matches("'copied' runs a statement over ranges: there is no value of a row to compute "
      .. "again", result.stderr, 1, true)
    result = s:run("backfill verify counted --sample 0")
    assert.equal(2, result.status)
    assert.matches("'0' is no number of rows to look at", result.stderr, 1, true)
  end)

  it("operators pause, tune, resume and cancel what runs elsewhere", function()
    s:revision("002", "001", [[
  op.backfill("slow", { table = "users", set = { n = op.sql("n + 1") }, batch_rows = 10,
    target_ms = 1, pause_ms = 20 })]])
    s:ok("upgrade")
    local process = s:start("backfill run slow")
    s:eventually("SELECT count(*) > 50 FROM audit")
    local result = s:ok("backfill pause slow")
    assert.matches("state: +paused: by an operator", result.stdout)
    result = process:wait()
    assert.equal(11, result.status)
    result = s:run("backfill run slow")
    assert.equal(11, result.status)
    assert.matches("luamig backfill resume slow lets it go on", result.stderr, 1, true)
    assert.matches("(aiming at 1 ms, with pauses of 20 ms)", s:ok("backfill status slow").stdout, 1,
      true)
    s:ok("backfill tune slow pause_ms=0 batch_rows=500 target_ms=300")
    s:ok("backfill resume slow")
    s:ok("backfill run slow")
    assert.equal("2000 rows, at most 1 writes", audit())
    assert.matches("tuned: batch_rows=500 pause_ms=0 target_ms=300",
      s:ok("backfill status slow").stdout)
    result = s:run("backfill cancel slow")
    assert.equal(2, result.status)
    assert.matches("is done already", result.stderr)
  end)

  it("a signal ends the functions of all workers", function()
    s:revision("002", "001", [[
  op.backfill("loop", { table = "users", read = { "id" }, workers = 2, batch_rows = 100,
    map = function(row)
      pcall(function() while row.id % 1000 > 100 do end end)
      while row.id % 1000 > 100 do end
      return { n = 1 }
    end })]])
    s:ok("upgrade")
    local process = s:start("backfill run loop")
    s:eventually("SELECT count(*) = 2 FROM luamig.backfill_range WHERE state = 'leased'")
    process:signal("TERM")
    assert.equal(143, process:wait().status)
    assert.equal("0", s:list("SELECT count(*) FROM luamig.backfill_range WHERE state = 'leased'"))
  end)

  it("backfill run ends in time with the work that is left", function()
    s:revision("002", "001", [[
  op.backfill("slow", { table = "users", set = { n = op.sql("n + 1") }, batch_rows = 10,
    target_ms = 1, pause_ms = 50 })]])
    s:ok("upgrade")
    assert.equal(11, s:run("backfill run slow --for 400ms").status)
    s:ok("backfill tune slow pause_ms=0")
    s:ok("backfill run slow --workers 2")
    assert.equal("2000 rows, at most 1 writes", audit())
  end)

  it("reports as JSON and for Prometheus", function()
    s:revision("002", "001", registered:format(-1))
    s:ok("upgrade")
    s:ok("backfill run")
    local cjson = require("cjson")
    local one = cjson.decode(s:ok("backfill status norm --json").stdout)
    assert.equal("done", one.state)
    assert.equal(2000, one.changed)
    assert.equal(1, #cjson.decode(s:ok("backfill list --json").stdout))
    local text = s:ok("backfill status --prometheus").stdout
    assert.matches('luamig_backfill_rows_total{name="norm"} 2000', text, 1, true)
    assert.matches('luamig_backfill_state{name="norm",state="done"} 1', text, 1, true)
  end)

  it("backfill plan measures one batch and changes nothing", function()
    s:revision("002", "001", registered:format(7) .. [[

  op.backfill("whole", { table = "users", batch_rows = 50,
    sql = "INSERT INTO audit SELECT u.id, 0 FROM users u, users v WHERE {range:u} "
      .. "AND v.email = u.email ON CONFLICT DO NOTHING" })]])
    s:ok("upgrade")
    local text = s:ok("backfill plan norm").stdout
    assert.matches("rows: +about 2 000 in %d+ range", text)
    assert.matches("batch: +50 rows in", text)
    assert.matches("function: .* 1 rejected", text)
    assert.matches("WAL: +%d+ B a row", text)
    assert.matches("HOT: +%d+ %%", text)
    local result = s:run("backfill plan whole")
    assert.equal(1, result.status)
    assert.matches("problem: +every batch of 50 rows reads all 2000 rows of users", result.stdout)
    assert.equal("0 rows, at most 0 writes", audit())
  end)

  it("become a loop that commits, in a script for psql", function()
    s:revision("002", "001", batch(lower .. ', remaining = "email_norm IS NULL"') .. [[

  op.backfill("copy", { table = "users", key = "id", batch_rows = 300,
    sql = "INSERT INTO audit SELECT -u.id, 0 FROM users u WHERE {range:u}" })
  op.backfill("heap", { table = "users", key = "ctid", batch_rows = 100,
    set = { n = 100 }, remaining = "n < 100" })
  op.require_backfill("copy")]])
    s:ok("upgrade 001")
    local script = s:ok("upgrade 001:002 --sql").stdout
    s.project:write("up.sql", script)
    local cli = require("support.cli")
    local result = cli.sh('psql -X -q "$URL" -f up.sql', { cwd = s.project.root,
      env = { URL = s.url } })
    assert.equal(0, result.status, result.stderr)
    assert.equal("002", s:rows())
    assert.equal("2000", s:list("SELECT count(*) FROM audit WHERE writes = 2 AND id > 0"))
    assert.equal("2000", s:list("SELECT count(*) FROM audit WHERE id < 0"))
    assert.equal("2000", s:list("SELECT count(*) FROM users WHERE n = 100"))
    assert.is_true(tonumber(s:list("SELECT count(DISTINCT xmin::text) FROM users")) > 5)
  end)

  it("cannot go into a script when they are Lua functions", function()
    s:revision("002", "001", registered:format(-1))
    local result = s:run("upgrade 001:002 --sql")
    assert.equal(1, result.status)
    assert.equal("", result.stdout)
    assert.matches("'norm' runs a Lua function over rows, which --sql cannot", result.stderr, 1,
      true)
    assert.matches("versions/002.lua:%d+  op.backfill", result.stderr)
  end)

  it("says what is wrong with a call", function()
    s:ok("upgrade")
    local function refused(words, pattern, status)
      local result = s:run(words)
      assert.equal(status or 2, result.status)
      assert.matches(pattern, result.stderr)
    end
    refused("backfill run nothing", "there is no backfill 'nothing'")
    refused("backfill pause", "backfill pause needs the NAME of a backfill")
    refused("backfill frobnicate", "must be one of 'list'")
    s:revision("002", "001", registered:format(-1))
    s:ok("upgrade")
    refused("backfill status norn", "did you mean 'norm'%?")
    refused("backfill tune norm", "backfill tune needs KEY=VALUE")
    refused("backfill tune norm batchrows=1", "did you mean 'batch_rows'%?")
    refused("backfill tune norm batch_rows=0", "spec.batch_rows: expected 1 to 1000000, got 0", 1)
    refused("backfill tune norm window=later", "is no window", 1)
    refused("backfill run norm --for soon", "'soon' is no duration")
  end)
end)
