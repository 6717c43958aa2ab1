local read = require("luamig.core.url").read
local roundtrip = require("luamig.roundtrip")
local scratch = require("luamig.scratch")

describe("the URL of a scratch database", function()
  it("is the server's with another database, in every form", function()
    for url, host in pairs({
      ["postgresql://me:pa%40ss@h:5433/db?sslmode=require"] = "h",
      ["postgres://h"] = "h",
      ["postgresql:///db?host=/run/pg"] = "/run/pg",
      ["host=h dbname=db password='x y'"] = "h",
    }) do
      local said = read(scratch.url_of(url, "luamig_scratch_1"))
      assert.equal("luamig_scratch_1", said.dbname)
      assert.equal(host, said.host)
    end
    assert.equal("pa@ss", read(scratch.url_of("postgresql://me:pa%40ss@h/db", "x")).password)
  end)

  it("takes any name", function()
    for _, name in ipairs({ "a b", "it's", "a\\b", "a&b=c", "ü" }) do
      assert.equal(name, read(scratch.url_of("postgresql://h/db", name)).dbname)
      assert.equal(name, read(scratch.url_of("host=h", name)).dbname)
      assert.equal(name, read(scratch.url_of("", name)).dbname)
    end
  end)
end)

describe("--url of test-roundtrip", function()
  -- What is said of a URL in a project with another one: nil when it is accepted.
  local function refusal(own, url)
    local ok, f = pcall(roundtrip.server_url, { url = own, url_origin = "luamig.lua" }, url)
    return not ok and f or nil
  end

  it("is not the configured database, however it is written", function()
    for own, urls in pairs({
      ["postgresql://app:x@localhost/shop"] = { "postgresql://app@localhost/shop",
        "postgresql://root@127.0.0.1:5432/shop", "host=localhost dbname=shop",
        "postgresql+psycopg://app@localhost/shop" },
      ["postgresql://shop@db.example"] = { "postgresql://shop@db.example/shop",
        "postgresql://db.example:5432/shop?user=other" },
      ["host=/run/pg dbname=shop"] = { "postgresql:///shop?host=/run/pg" },
    }) do
      for _, url in ipairs(urls) do
        local f = refusal(own, url)
        assert.equal("refused", f and f.kind, url)
        assert.matches("it is the one named by luamig.lua", f.detail, 1, true)
      end
    end
  end)

  it("may be another database or server", function()
    for _, url in ipairs({ "postgresql://app@localhost/postgres", "postgresql://other/shop",
      "postgresql://localhost:5433/shop" }) do
      assert.is_nil(refusal("postgresql://app:x@localhost/shop", url))
    end
    assert.is_nil(refusal("embedded", "postgresql://h/db"))
    assert.is_nil(roundtrip.server_url({ url = "postgresql://h/db" }, nil))
  end)

  it("is a database's, of PostgreSQL", function()
    assert.equal("usage", refusal("postgresql://h/db", "embedded").kind)
    assert.equal("config", refusal("postgresql://h/db", "mysql://h/db").kind)
  end)
end)
