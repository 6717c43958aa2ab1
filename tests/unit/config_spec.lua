local config = require("luamig.config")
local fault = require("luamig.fault")
local project = require("support.project")

describe("config", function()
  local dir

  before_each(function()
    dir = project.new()
  end)

  after_each(function()
    dir:remove()
  end)

  local function load(text, options)
    dir:write("luamig.lua", text)
    options = options or {}
    options.config = dir:path("luamig.lua")
    return config.load(options)
  end

  local function failure(text, options)
    local ok, f = pcall(load, text, options)
    assert.is_false(ok)
    assert.is_true(fault.is(f), tostring(f))
    return f
  end

  it("fills in every default", function()
    local cfg = load("return {}")
    assert.same({ dir:path("versions") }, cfg.versions)
    assert.equal("luamig", cfg.version_schema)
    assert.equal("version", cfg.version_table)
    assert.equal("revision", cfg.transaction)
    assert.equal("5s", cfg.lock_timeout)
    assert.equal(0, cfg.statement_timeout)
    assert.equal("sequence", cfg.id)
    assert.equal("{id}_{slug}", cfg.file_template)
    assert.is_false(cfg.protected)
    assert.is_nil(cfg.url)
  end)

  it("does not share the default tables between two configs", function()
    assert.are_not.equal(load("return {}").hooks, load("return {}").hooks)
  end)

  it("takes paths relative to the file, and absolute ones as they are", function()
    local cfg = load('return { versions = { "v1", "./v2/", "/abs/v3" }, path = "lib", '
      .. 'template = "t.lua", target = "schema.sql" }')
    assert.same({ dir:path("v1"), dir:path("v2"), "/abs/v3" }, cfg.versions)
    assert.same({ dir:path("lib"), dir:path() }, cfg.path)
    assert.equal(dir:path("t.lua"), cfg.template)
    assert.equal(dir:path("schema.sql"), cfg.target)
  end)

  it("leaves a target that is a url alone", function()
    assert.equal("postgresql://h/d", load('return { target = "postgresql://h/d" }').target)
  end)

  it("lets an environment override what stands outside", function()
    local text = [[return {
      url = "postgresql://dev/d", lock_timeout = "1s",
      environments = { production = { url = "postgresql://prod/d", protected = true } },
    }]]
    local cfg = load(text, { env = "production" })
    assert.equal("postgresql://prod/d", cfg.url)
    assert.is_true(cfg.protected)
    assert.equal("1s", cfg.lock_timeout)
    assert.equal("production", cfg.environment)
    assert.equal("postgresql://dev/d", load(text).url)
  end)

  it("lets false in an environment override true outside", function()
    local text = 'return { protected = true, environments = { ci = { protected = false } } }'
    assert.is_false(load(text, { env = "ci" }).protected)
  end)

  it("names an unknown key with its line and the nearest one", function()
    local f = failure('return {\n  verions = "versions",\n}')
    assert.equal("config", f.kind)
    assert.equal("unknown key 'verions'", f.message)
    assert.equal("did you mean 'versions'?", f.hint)
    assert.equal(2, f.line)
  end)

  it("names an unknown key within an environment", function()
    local f = failure('return { environments = {\n ci = { protect = true } } }')
    assert.equal("unknown key 'protect'", f.message)
    assert.equal(2, f.line)
  end)

  it("lists the known keys when none is near", function()
    assert.matches("^known: compat, environments,", failure("return { zzzzzz = 1 }").hint)
  end)

  it("names an unknown environment", function()
    local f = failure('return { environments = { production = {} } }', { env = "prodution" })
    assert.equal("unknown environment 'prodution'", f.message)
    assert.equal("did you mean 'production'?", f.hint)
  end)

  it("says so when there are no environments at all", function()
    local f = failure("return {}", { env = "ci" })
    assert.equal("there is no environment 'ci': the file has none", f.message)
  end)

  it("checks the type of a value", function()
    local f = failure('return {\n\n recursive = "yes" }')
    assert.equal('recursive must be true or false, but it is "yes"', f.message)
    assert.equal(3, f.line)
    assert.equal('transaction must be "revision" or "all", but it is "one"',
      failure('return { transaction = "one" }').message)
    assert.equal('versions must be a string or a list of strings, but it is number 3',
      failure("return { versions = 3 }").message)
    assert.equal('lock_timeout must be a duration such as "5s" or "10min" (or milliseconds as a '
      .. 'number), but it is "soon"', failure('return { lock_timeout = "soon" }').message)
  end)

  it("never shows a url in a type error", function()
    assert.equal("url must be a string, but it is a table",
      failure('return { url = { "secret" } }').message)
  end)

  it("checks the names and types of hooks", function()
    assert.equal("did you mean 'after_write'?",
      failure("return { hooks = { after_writ = function() end } }").hint)
    assert.equal('hooks.after_write must be a function, but it is "fmt"',
      failure('return { hooks = { after_write = "fmt" } }').message)
  end)

  it("gives the line of a syntax error", function()
    local f = failure("return {\n  url = = 1\n}")
    assert.equal("config", f.kind)
    assert.equal(2, f.line)
    assert.matches("unexpected symbol near '='", f.message)
  end)

  it("gives the line of a runtime error", function()
    local f = failure("local a = nil\nreturn { url = a.b }")
    assert.equal(2, f.line)
    assert.matches("attempt to index a nil value", f.message)
  end)

  it("refuses a stray global and an unknown one", function()
    local f = failure("url = 'x'\nreturn {}")
    assert.equal(1, f.line)
    assert.matches("^'url' is a global", f.message)
    f = failure("return { url = oss.getenv('A') }")
    assert.equal("there is no global 'oss'", f.message)
    assert.equal("did you mean 'os'?", f.hint)
  end)

  it("wants a table to be returned", function()
    assert.equal("the file must return a table, but it returns nothing", failure("local a").message)
  end)

  it("refuses bytecode", function()
    assert.matches("attempt to load a binary chunk", failure(string.dump(load)).message)
  end)

  it("accepts a byte order mark and CRLF", function()
    assert.equal("hash", load('\xEF\xBB\xBFreturn {\r\n id = "hash",\r\n}\r\n').id)
  end)

  it("knows the names of naming, and the words in them", function()
    local f = failure('return {\n naming = { fkk = "x" } }')
    assert.equal("unknown kind of name 'naming.fkk'", f.message)
    assert.equal("did you mean 'fk'?", f.hint)
    assert.equal(2, f.line)
    f = failure('return { naming = { ix = "ix_{tabel}" } }')
    assert.equal("naming.ix has {tabel}, which is no word of it", f.message)
    assert.equal("known: {column}, {columns}, {hash}, {referred}, {table}",
      failure('return { naming = { ck = "ck_{constraint_name}" } }').hint)
    assert.equal("did you mean '{table}'?", f.hint)
    assert.equal("naming.ix must be a string or a function, but it is a number",
      failure("return { naming = { ix = 5 } }").message)
    load('return { naming = { pk = "pk_{table}", ix = function(words) return words.table end } }')
  end)

  it("does not take a schema within the name of the version table", function()
    local f = failure('return { version_table = "public.alembic_version" }')
    assert.equal("version_table 'public.alembic_version' has a dot in it", f.message)
    assert.equal('its schema has a key of its own: version_schema = "public", version_table = '
      .. '"alembic_version"', f.hint)
    assert.equal(1, f.line)
    failure('return { environments = { e = { version_table = "a.b" } } }')
  end)

  it("wants a folder of revisions", function()
    assert.equal("versions names no folder", failure("return { versions = {} }").message)
  end)

  describe("url", function()
    local function url(text, options, load_options)
      return config.url(load(text, load_options), options)
    end

    it("prefers --url, then the environment, then the file", function()
      local text = 'return { url = "postgresql://file/d", environments = { e = { url = '
        .. '"postgresql://env/d" }, f = {} } }'
      assert.equal("postgresql://flag/d", url(text, { url = "postgresql://flag/d" }, { env = "e" }))
      assert.equal("postgresql://env/d", url(text, {}, { env = "e" }))
      assert.equal("postgresql://file/d", url(text, {}))
      assert.equal("postgresql://file/d", url(text, {}, { env = "f" }))
    end)

    it("never gives a protected environment the url of another one", function()
      local text = 'return { url = "embedded", environments = { prod = { protected = true } } }'
      local ok, f = pcall(url, text, {}, { env = "prod" })
      assert.is_false(ok)
      assert.equal("the protected environment 'prod' has no url", f.message)
    end)

    it("cuts the driver", function()
      assert.equal("postgresql://u@h/d", url('return { url = "postgresql+asyncpg://u@h/d" }'))
      assert.equal("postgres://u@h/d", url('return { url = "postgres+psycopg2://u@h/d" }'))
    end)

    it("refuses another kind of database without showing the url", function()
      local ok, f = pcall(url, 'return { url = "mysql://u:secret@h/d" }')
      assert.is_false(ok)
      assert.matches("begins with 'mysql://'", f.message)
      assert.is_nil(f.message:find("secret", 1, true))
    end)

    local function refused(text, options, load_options)
      local ok, f = pcall(url, text, options, load_options)
      assert.is_false(ok)
      return f.message, f.hint
    end

    it("refuses what is no URL, without showing it", function()
      assert.same({ "the url from --url is no URL", "did you mean 'embedded'?" },
        { refused("return {}", { url = "embeded" }) })
      local message, hint = refused("return {}", { url = "user:secret@host/d" })
      assert.equal("the url from --url is no URL: it begins with no postgresql://, and has no "
        .. "key=value", message)
      assert.matches("^the form is postgresql://", hint)
    end)

    it("takes an empty one for none, and refuses it from --url", function()
      assert.equal("the url from --url is empty", (refused('return { url = "embedded" }',
        { url = "" })))
      assert.equal("postgresql://file/d", url('return { url = "postgresql://file/d", environments '
        .. '= { e = { url = "" } } }', {}, { env = "e" }))
      assert.equal("the protected environment 'prod' has no url", (refused('return { url = '
        .. '"embedded", environments = { prod = { url = "", protected = true } } }', {},
        { env = "prod" })))
    end)

    it("passes keyword strings and embedded on", function()
      assert.equal("host=h dbname=d", url('return { url = "host=h dbname=d" }'))
      assert.equal("embedded", url('return { url = "embedded" }'))
    end)
  end)

  it("hides passwords", function()
    local function shown(text)
      return config.redacted(text)
    end
    assert.equal("postgresql://u:***@h/d", shown("postgresql://u:p@h/d"))
    assert.equal("postgresql://u:***@h/d", shown("postgresql://u:p@w/x@h/d"))
    assert.equal("postgresql://u@h/d", shown("postgresql://u@h/d"))
    assert.equal("postgresql://h/d?password=***&x=1", shown("postgresql://h/d?password=p&x=1"))
    assert.equal("host=h password=*** user=u", shown("host=h password=p user=u"))
    assert.equal("password = *** user=u", shown("password = 'a b' user=u"))
  end)

  it("reads durations", function()
    local function ms(value)
      return config.milliseconds(value) or false
    end
    assert.equal(250, ms("250ms"))
    assert.equal(30000, ms("30"))
    assert.equal(90000, ms("1.5min"))
    assert.equal(60000, ms("1m"))
    assert.equal(3600000, ms("1h"))
    assert.equal(7, ms(7))
    assert.is_false(ms("1 week"))
    assert.is_false(ms(""))
    assert.is_false(ms(-1))
    assert.is_false(ms(true))
  end)
end)
