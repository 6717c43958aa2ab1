--- The sample project and the examples: what their texts promise, on a throwaway server.

local cli = require("support.cli")
local lfs = require("lfs")
local project = require("support.project")

local root = lfs.currentdir()

local function read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read("a")
  file:close()
  return text
end

describe("the sample history", function()
  it("comes back, with rows, in every revision", function()
    local result = cli.run({ "-c", root .. "/migrations/luamig.lua", "test-roundtrip", "--data",
      "--strict" })
    assert.equal(0, result.status, result.stdout .. result.stderr)
    assert.matches("5 revisions tested: 5 passed", result.stdout, 1, true)
    assert.not_matches("warning", result.stdout, 1, true)
    assert.not_matches("not filled", result.stdout, 1, true)
  end)
end)

describe("examples/irreversible", function()
  it("runs", function()
    local result = cli.run({}, { program = root .. "/examples/irreversible/run",
      env = { LUAMIG = os.getenv("LUAMIG") } })
    assert.equal(0, result.status, result.stdout .. result.stderr)
    assert.matches("irreversible: only hashes of the phone numbers are kept", result.stdout, 1,
      true)
    assert.matches("data: lost as declared: how the phone numbers were written", result.stdout, 1,
      true)
    assert.matches("data: values are not the same after the downgrade", result.stdout, 1, true)
  end)
end)

describe("examples/ci", function()
  it("runs", function()
    local result = cli.run({}, { program = root .. "/examples/ci/run",
      env = { LUAMIG = os.getenv("LUAMIG") } })
    assert.equal(0, result.status, result.stdout .. result.stderr)
    assert.matches("<testsuites tests=\"14\" failures=\"0\"", result.stdout, 1, true)
    assert.matches("### luamig test-roundtrip\n\n✅ 3 revisions tested: 3 passed", result.stdout, 1,
      true)
    assert.matches("1 revision tested: 1 passed", result.stdout, 1, true)
  end)

  local p

  -- A repository with the example in it, whose main branch has two of the three revisions.
  local function repository()
    p = project.new()
    local result = cli.sh(([[
      set -e
      cp -r %s/examples/ci/. .
      git init -q -b main .
      git config user.email spec@example.org; git config user.name spec
      mkdir later && mv migrations/versions/003* later/
      git add -A . && git commit -q -m main
      git update-ref refs/remotes/origin/main HEAD
      mv later/003* migrations/versions/ && rmdir later
      git add -A . && git commit -q -m 'a request'
    ]]):format(root), { cwd = p.root })
    assert.equal(0, result.status, result.stderr)
  end

  -- Runs shell lines as a CI system does, with luamig on the PATH.
  local function run_lines(lines, env)
    env.HOME = p.root
    env.LUAMIG_BINARY = os.getenv("LUAMIG")
    local script = table.concat(lines, "\n"):gsub("/tmp/", p:path("tmp") .. "/")
    return cli.sh(("set -e; mkdir -p tmp bin; ln -sf $LUAMIG_BINARY bin/luamig\n"
      .. "PATH=$PWD/bin:$PATH\n%s"):format(script), { cwd = p.root, env = env })
  end

  after_each(function()
    if p then
      p:remove()
      p = nil
    end
  end)

  -- The shell lines of the steps that have a name, but for the one that installs luamig.
  local function github_lines()
    local lines, is_script, is_wanted = {}, false, false
    for line in read(root .. "/examples/ci/.github/workflows/migrations.yml"):gmatch("[^\n]+") do
      local name, command = line:match("^      %- name: (.+)"), line:match("^        run: ([^|].*)")
      if line:find("^      %- ") then
        is_script, is_wanted = false, name ~= nil and name ~= "install luamig"
      elseif line:find("^        run: |") then
        is_script = is_wanted
      elseif is_script then
        lines[#lines + 1] = line
      elseif command and is_wanted then
        lines[#lines + 1] = command
      end
    end
    return lines
  end

  it("the workflow for GitHub tests what a request adds", function()
    repository()
    local lines = github_lines()
    assert.equal(10, #lines)
    local result = run_lines(lines, { GITHUB_BASE_REF = "main", GITHUB_WORKSPACE = p.root,
      GITHUB_STEP_SUMMARY = p:path("summary") })
    assert.equal(0, result.status, result.stdout .. result.stderr)
    assert.matches("1 revision tested: 1 passed", result.stderr, 1, true)
    assert.matches("| 003 | days of loans |", p:read("summary"), 1, true)
    assert.matches('name="003 down"', p:read("roundtrip.xml"), 1, true)
    assert.not_matches('name="002 down"', p:read("roundtrip.xml"), 1, true)
    assert.matches('"uri":"migrations/versions/003_days_of_loans.lua"', p:read("lint.sarif"), 1,
      true)
    -- A request that cannot be undone.
    p:write("migrations/versions/003_days_of_loans.lua",
      (p:read("migrations/versions/003_days_of_loans.lua")
        :gsub('  op.create_index%("loans_due".-\n', "")))
    result = run_lines({ lines[#lines] }, { GITHUB_WORKSPACE = p.root })
    assert.equal(8, result.status)
    assert.matches("::error file=migrations/versions/003_days_of_loans.lua,line=21,", result.stdout,
      1, true)
    assert.matches("index public.loans_due: missing after the downgrade", result.stdout, 1, true)
  end)

  it("the workflow for GitHub tests everything on the main branch", function()
    repository()
    local result = run_lines(github_lines(), {})
    assert.equal(0, result.status, result.stdout .. result.stderr)
    assert.matches("3 revisions tested: 3 passed", result.stderr, 1, true)
  end)

  -- The commands below `script:`; a folded one is joined by blanks.
  local function gitlab_lines()
    local text = read(root .. "/examples/ci/.gitlab-ci.yml")
    local script = text:match("\n  script:\n(.-)\n  artifacts:")
    local lines = {}
    for line in (script .. "\n"):gmatch("(.-)\n") do
      local command = line:match("^    %- (.+)")
      if command then
        lines[#lines + 1] = command == ">" and "" or command
      elseif not line:find("^    #") then
        lines[#lines] = lines[#lines] .. " " .. line
      end
    end
    return lines
  end

  it("the pipeline for GitLab does, too", function()
    repository()
    local result = run_lines(gitlab_lines(), { CI_MERGE_REQUEST_TARGET_BRANCH_NAME = "main" })
    assert.equal(0, result.status, result.stdout .. result.stderr)
    assert.matches("1 revision tested: 1 passed", result.stdout, 1, true)
    assert.matches('name="003 data"', p:read("roundtrip.xml"), 1, true)
    repository()
    result = run_lines(gitlab_lines(), {})
    assert.equal(0, result.status, result.stdout .. result.stderr)
    assert.matches("3 revisions tested: 3 passed", result.stdout, 1, true)
  end)
end)
