local duration = require("luamig.duration")
local metrics = require("luamig.backfill.metrics")
local observe = require("luamig.backfill.observe")
local view = require("luamig.backfill.view")

local function progress(more)
  local out = {
    name = "norm", relation = "users", kind = "set", outcome = "", desired_state = "run",
    pass = 1, rows = 250, changed = 200, rows_estimate = 1000, batches = 5, ms = 1500, errors = 0,
    error_budget = 0, workers = 0, leases_over = 0, ranges = 4, ranges_done = 1,
    ranges_failed = 0, batch_rows = 50, target_ms = 300, pause_ms = 0, wanted_workers = 2,
    lease_ms = 60000, vacuum_every = 0, elapsed_s = 12.5,
  }
  for name, v in pairs(more or {}) do
    out[name] = v
  end
  return out
end

describe("what a backfill is doing", function()
  it("follows from outcome, wish, throttle and leases, in this order", function()
    local function state(more)
      return table.concat({ observe.state(progress(more)) }, ": ")
    end
    assert.equal("registered: nobody has begun", state({ pass = 0 }))
    assert.equal("waiting: no worker", state())
    assert.equal("waiting: its workers are gone; others may go on", state({ leases_over = 2 }))
    assert.equal("running: 2 workers", state({ workers = 2 }))
    assert.equal("held: a standby is behind, for 1 min 5 s",
      state({ held = "a standby is behind", held_s = 65, workers = 1 }))
    assert.equal("paused: by an operator, 1 batch in flight",
      state({ desired_state = "paused", workers = 1, held = "x" }))
    assert.equal("cancelled: by an operator", state({ desired_state = "cancelled" }))
    assert.equal("done: all rows are done", state({ outcome = "done", desired_state = "paused" }))
    assert.equal("failed: no room", state({ outcome = "failed", failure = "no room" }))
    assert.equal("finalized: finished, and no row is left", state({ outcome = "finalized" }))
  end)

  it("never says that all is done before it is", function()
    assert.equal(0.25, observe.share(progress()))
    assert.equal(0.999, observe.share(progress({ rows = 5000 })))
    assert.equal(0, observe.share(progress({ rows_estimate = 0 })))
    assert.equal(1, observe.share(progress({ outcome = "done" })))
  end)

  it("tells rate and time left", function()
    assert.equal(500, observe.rate({ rows = 100, ms = 1000 }, { rows = 600, ms = 2000 }))
    assert.is_nil(observe.rate(nil, { rows = 1, ms = 1 }))
    assert.is_nil(observe.rate({ rows = 9, ms = 1000 }, { rows = 1, ms = 3000 }))
    assert.equal(2000, observe.rate_of_batches(progress({ workers = 2, last_batch_rows = 100,
      last_batch_ms = 80, pause_ms = 20 })))
    assert.is_nil(observe.rate_of_batches(progress()))
    assert.equal(7.5, observe.eta_s(progress(), 100))
    assert.is_nil(observe.eta_s(progress({ outcome = "done" }), 100))
  end)

  it("fits in a line", function()
    assert.equal(" 25.0 %, 250 rows, 100 rows/s, batches of 5 000 in 310 ms, 3 put aside, "
      .. "2 workers, about 8 s left", observe.line(progress({ workers = 2, last_batch_rows = 5000,
        last_batch_ms = 310, errors = 3 }), 100))
  end)

  it("counts hosts", function()
    assert.equal("db-7.example", observe.host("db-7.example:4711:3:00c0ffee"))
    assert.equal("odd", observe.host("odd"))
  end)

  it("is shown in full, with what to do next", function()
    local lines = view.block(progress({ outcome = "failed", failure = "no room", errors = 2,
      error_budget = 5, revision = "007", hosts = { b = 1, a = 2 },
      events = { { at = "2025-01-11 10:00:00.123+00", what = "failed", detail = "no room" } } }))
    assert.same({
      "backfill:  norm, of users (revision 007)",
      "state:     failed: no room",
      "rows:      250 of about 1 000 (25.0 %), 200 changed",
      "batches:   5 (aiming at 300 ms)",
      "workers:   2 on a, 1 on b",
      "ranges:    4, 1 done",
      "errors:    2 put aside (5 allowed); see: luamig backfill errors norm",
      "elapsed:   13 s",
      "events:    2025-01-11 10:00:00  failed: no room",
      "try:       luamig backfill retry norm, after the cause is mended",
    }, lines)
  end)

  it("is sampled for Prometheus, with labels that hold anything", function()
    local text = table.concat(metrics.lines({ progress({ name = 'a"b\\c', held = "x",
      held_s = 3 }) }), "\n")
    assert.matches('luamig_backfill_rows_total{name="a\\"b\\\\c"} 250', text, 1, true)
    assert.matches('luamig_backfill_batch_seconds_total{name="a\\"b\\\\c"} 1.5', text, 1, true)
    assert.matches('luamig_backfill_held_seconds{name="a\\"b\\\\c"} 3', text, 1, true)
    assert.matches('state="held"} 1', text, 1, true)
    assert.matches('state="running"} 0', text, 1, true)
  end)
end)

describe("a duration", function()
  it("is read and written", function()
    assert.equal(1500, duration.milliseconds("1.5s"))
    assert.equal(1800000, duration.milliseconds("30m"))
    assert.is_nil(duration.milliseconds("soon"))
    assert.equal("850 ms", duration.text(0.85))
    assert.equal("3 min 20 s", duration.text(200))
    assert.equal("2 h 5 min", duration.text(7500))
    assert.equal("4 d 3 h", duration.text(356400))
  end)
end)
