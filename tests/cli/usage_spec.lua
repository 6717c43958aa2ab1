-- The command line itself: options, help, mistakes.
local cjson = require("cjson")
local cli = require("support.cli")
local commands = require("luamig.commands")
local project = require("support.project")

describe("the command line", function()
  local dir

  setup(function()
    dir = project.new()
    dir:write("luamig.lua", "return { environments = { production = {}, staging = {} } }")
    dir:revision("001_first", "001", { labels = '"billing"' })
    dir:revision("002_second", "002", { down = '"001"' })
  end)

  teardown(function()
    dir:remove()
  end)

  local function run(...)
    return cli.run({ ... }, { cwd = dir:path() })
  end

  -- What is wrong comes to stderr alone, with exit status 2 and a way on.
  local function refused(...)
    local result = run(...)
    assert.equal(2, result.status)
    assert.equal("", result.stdout)
    local message = result.stderr:match("^error: (.-)\n")
    return message, result.stderr:match("\n  hint:  (.-)\n"),
      result.stderr:match("\n  try:   (.-)\n")
  end

  it("without words says what luamig is and where it stands", function()
    local result = run()
    assert.equal(0, result.status)
    assert.equal("", result.stderr)
    assert.matches("^luamig applies migrations", result.stdout)
    assert.matches("\nProject: luamig.lua\n$", result.stdout)
    assert.is_true(select(2, result.stdout:gsub("\n", "")) < 12)
    result = cli.run({}, { cwd = dir:path("versions") })
    assert.matches("\nThere is no luamig.lua here; start with: luamig init\n$", result.stdout)
  end)

  it("helps with every command, by -h, --help and help", function()
    for _, command in ipairs(commands.list) do
      if commands.has(command.name) and not command.hidden then
        for _, name in ipairs({ command.name, table.unpack(command.aliases or {}) }) do
          local result = run(name, "--help")
          assert.equal(0, result.status, name)
          assert.equal("", result.stderr)
          assert.matches("^Usage: luamig " .. command.name:gsub("%p", "%%%0"), result.stdout)
          assert.equal(result.stdout, run("-h", name).stdout)
          assert.equal(0, (run("help", name).stdout:find(result.stdout:gsub("\n$", ""), 1, true)
            or 0) - 1)
        end
      end
    end
  end)

  it("helps whatever else is there or missing", function()
    assert.matches("^Usage: luamig show ", run("show", "-h").stdout)
    assert.matches("^Usage: luamig show ", run("show", "--bogus", "--help").stdout)
    assert.matches("^luamig applies", run("--help").stdout)
    assert.matches("^luamig applies", run("help").stdout)
    assert.matches("^luamig applies", run("--json").stdout:match('"text":"(.*)') or "")
    assert.matches("^Usage: luamig help ", run("help", "--help").stdout)
  end)

  it("prints help as JSON too", function()
    local topic = cjson.decode(run("help", "targets", "--json").stdout)
    assert.equal("targets", topic.topic)
    assert.matches("billing@head", topic.text)
  end)

  it("takes global options before and after the command", function()
    local expected = run("heads", "--json").stdout
    assert.equal("002", cjson.decode(expected)[1].revision)
    assert.equal(expected, run("--json", "heads").stdout)
    assert.equal(expected, run("-c", "luamig.lua", "--json", "heads").stdout)
    assert.equal(expected, run("heads", "--json", "--config=luamig.lua").stdout)
    assert.equal(expected, run("--env", "staging", "heads", "--json").stdout)
    assert.equal(run("heads", "-v").stdout, run("-qv", "heads").stdout)
  end)

  it("prints its version", function()
    assert.matches("^luamig %d+%.%d+%.%d+ %(Lua 5%.4%.%d+, libpq %d+%.%d+%)\n$",
      run("--version").stdout)
    assert.equal(run("--version").stdout, run("version").stdout)
  end)

  it("suggests the command that was meant", function()
    assert.same({ "there is no command 'revison'", "did you mean 'revision'?",
      "luamig revision --help" }, { refused("revison", "-m", "x") })
    assert.same({ "there is no command 'zzzzzz'", nil, "luamig help" }, { refused("zzzzzz") })
    assert.equal("there is no command ''", (refused("")))
  end)

  it("suggests the option that was meant, of the command and of all", function()
    assert.same({ "unknown option '--jsn'", "did you mean '--json'?", "luamig heads --help" },
      { refused("heads", "--jsn") })
    assert.same({ "unknown option '--limti'", "did you mean '--limit'?", "luamig history --help" },
      { refused("history", "--limti", "3") })
    assert.same({ "unknown option '--rev'", "did you mean '--rev-range'?",
      "luamig history --help" }, { refused("history", "--rev", "1:2") })
    assert.equal("unknown option '--bogus'", (refused("--bogus")))
    assert.same({ "unknown option '-n'", nil, "luamig heads --help" }, { refused("heads", "-n") })
  end)

  it("refuses values that are missing, too many or wrong", function()
    assert.equal("option '--env' requires an argument", (refused("heads", "--env")))
    assert.equal("option '--json' does not take arguments", (refused("heads", "--json=1")))
    assert.equal("too many arguments", (refused("heads", "001")))
    assert.equal("missing argument REV", (refused("show")))
    assert.equal("missing argument TARGET", (refused("downgrade")))
    assert.equal("missing argument 'shell'", (refused("completion")))
    assert.equal("'=b' has no name before its value; write -x key=value",
      (refused("heads", "-x", "=b")))
    assert.equal("argument for option '--color' must be one of 'auto', 'always', 'never'",
      (refused("heads", "--color", "sometimes")))
    assert.equal('the database URL cannot be read: invalid URI query parameter: "foo"',
      (refused("current", "--url", "postgresql://u@h/d?foo=bar")))
    assert.equal("'soon' is no duration; write 30s, 5min or 1h",
      (refused("heads", "--wait", "soon")))
    assert.equal("'--dry-run' has no meaning for 'luamig heads'", (refused("heads", "--dry-run")))
  end)

  it("names an environment and a config that are not there", function()
    local message, hint = refused("heads", "--env", "prodction")
    assert.equal("unknown environment 'prodction'", message)
    assert.equal("did you mean 'production'?", hint)
    assert.equal("there is no file 'nope.lua' (from -c)", (refused("heads", "-c", "nope.lua")))
    local result = cli.run({ "heads" }, { cwd = "/" })
    assert.equal(2, result.status)
    assert.matches("^error: no luamig.lua here\n", result.stderr)
  end)

  it("prints errors as JSON when asked, also those of the command line", function()
    local result = run("heads", "--json", "--bogus")
    assert.equal("", result.stdout)
    assert.same({ kind = "usage", message = "unknown option '--bogus'", exit_status = 2,
      try = "luamig heads --help" }, cjson.decode(result.stderr).error)
  end)

  it("colours only when asked, or on a terminal", function()
    assert.is_nil(run("zzzzzz").stderr:find("\27", 1, true))
    assert.matches("^\27%[31merror:\27%[0m", run("zzzzzz", "--color=always").stderr)
    assert.is_nil(cli.run({ "zzzzzz", "--color", "never" }, { cwd = dir:path(),
      env = { CLICOLOR_FORCE = "1" } }).stderr:find("\27", 1, true))
  end)

  it("says when the result cannot be written", function()
    local result = cli.sh('"$LUAMIG" help >/dev/full', { cwd = dir:path() })
    assert.equal(1, result.status)
    assert.matches("^error: the result could not be written", result.stderr)
  end)

  describe("completion", function()
    local function words(...)
      local result = run("__complete", "--", ...)
      assert.equal(0, result.status)
      assert.equal("", result.stderr)
      return (result.stdout:gsub("\t[^\n]*", ""):gsub("\n$", ""):gsub("\n", " "))
    end

    it("knows revisions, labels and words for them", function()
      assert.equal("001 billing 002 head heads base", words("show", ""))
      assert.equal("001 002", words("show", "001", "00"))
      assert.equal("billing", words("revision", "-m", "x", "--head", "bil"))
      assert.equal("billing", words("revision", "--head=b", "--depends-on", "bil"))
      assert.equal("head heads", words("rebase", "001", "--onto", "he"))
      assert.equal("001\tfirst", (run("__complete", "--", "show", "001").stdout:gsub("_first",
        "first"):gsub("001first", "first"):gsub("\n", "")))
    end)

    it("knows the words that an argument may be", function()
      assert.equal("start stop status url psql reset", words("db", ""))
      assert.equal("start stop status", words("db", "st"))
      assert.equal("zsh", words("completion", "z"))
    end)

    it("goes on behind the marks of a range, a branch and an option", function()
      assert.equal("001:002", words("history", "-r", "001:002"))
      assert.equal("002", words("history", "-r", "001", ":", "002"))
      assert.equal("001 billing 002 head heads base", words("history", "-r", "001", ":"))
      assert.equal("billing@head billing@heads", words("show", "billing@he"))
      assert.equal("--env=staging", words("--env=st"))
      assert.equal("staging", words("--env", "=", "st"))
    end)

    it("knows environments, topics and operations", function()
      assert.equal("production staging", words("heads", "--env", ""))
      assert.equal("op.add_column", words("help", "op.add_col"))
      assert.equal("targets", words("--env", "staging", "help", "targ"))
    end)

    it("is silent where it knows nothing, and when the project is broken", function()
      assert.equal("", words())
      assert.equal("", words(""))
      assert.equal("", words("zzzzzz", ""))
      assert.equal("", words("revision", "-m", ""))
      assert.equal("", words("heads", ""))
      assert.equal("", words("show", "--jso"))
      local result = cli.run({ "__complete", "--", "show", "" }, { cwd = "/" })
      assert.same({ 0, "", "" }, { result.status, result.stdout, result.stderr })
    end)

    it("works in bash", function()
      local result = cli.sh([[
        luamig() { "$LUAMIG" "$@"; }
        eval "$(luamig completion bash)"
        try() {
          COMP_WORDS=(luamig "$@") COMP_CWORD=$#
          _luamig_words
          echo "${COMPREPLY[*]}"
        }
        try hea
        try help targ
        try show 00
        try --env = st
        try revision --spl
        try heads --color a
        complete -p luamig
      ]], { cwd = dir:path() })
      assert.equal("", result.stderr)
      assert.equal("heads\ntargets\n001 002\nstaging\n--splice\nauto always\n"
        .. "complete -o bashdefault -o default -F _luamig_words luamig\n", result.stdout)
    end)

    it("has scripts for zsh and fish that ask luamig the same way", function()
      local zsh, fish = run("completion", "zsh").stdout, run("completion", "fish").stdout
      assert.matches("^#compdef luamig\n", zsh)
      assert.matches('"%-%-onto%[[^\n]*%]: :_luamig_words"', zsh)
      assert.matches('luamig __complete %-%- "%${%(@%)luamig_words}"', zsh)
      assert.is_nil(zsh:find(": :_files", 1, true))
      assert.matches("%-l onto %-ra '%(__fish_luamig_words%)'", fish)
      assert.matches("luamig __complete %-%- %$words%[2..%-1%]", fish)
      assert.equal("argument 'shell' must be one of 'bash', 'zsh', 'fish'",
        (refused("completion", "ksh")))
      assert.equal("missing argument 'shell'", (refused("completion")))
    end)
  end)

  describe("output that nobody reads to the end", function()
    it("is no error", function()
      local result = require("support.cli").sh('"$LUAMIG" help op | head -1')
      assert.equal("", result.stderr)
      assert.equal(1, select(2, result.stdout:gsub("\n", "")))
    end)

    it("that cannot be written is one", function()
      local result = require("support.cli").sh('"$LUAMIG" help op > /dev/full')
      assert.equal(1, result.status)
      assert.matches("the result could not be written: No space left on device", result.stderr)
    end)
  end)
end)
