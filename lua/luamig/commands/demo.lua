local demo = {
  name = "demo",
  summary = "Shows what luamig does: a small project in a folder of its own, on a throwaway "
    .. "PostgreSQL. Nothing is left of it.",
}

local files = require("luamig.files")
local lfs = require("lfs")

local first = [[
--- create users
revision = "001"
down_revision = nil

function upgrade()
  op.create_table("users", {
    op.column("id", "bigint", { primary_key = true, identity = "always" }),
    op.column("email", "text", { nullable = false, unique = true }),
  })
  op.bulk_insert("users", { { email = "Ada@Example.org" }, { email = "bob@example.org" } })
end

function downgrade()
  op.drop_table("users")
end
]]

local second = [[
--- lower emails
revision = "002"
down_revision = "001"

function upgrade()
  op.add_column("users", op.column("email_norm", "text"))
  op.execute("UPDATE users SET email_norm = lower(emial)")
end

function downgrade()
  op.drop_column("users", "email_norm")
end
]]

local third = [[
--- index emails
revision = "003"
down_revision = "002"

function upgrade()
  op.create_index("users_email_norm_idx", "users", { "email_norm" })
end

function downgrade()
  op.drop_index("users_email_norm_idx")
end
]]

-- What is shown: a file, commands with the exit status that they have.
local steps = {
  {
    title = "A revision is a Lua file with upgrade() and downgrade()",
    file = "versions/001_create_users.lua",
    text = first,
    commands = { { "upgrade" } },
  },
  {
    title = "A mistake: where, why, in which state the database is, what to type next",
    file = "versions/002_lower_emails.lua",
    text = second,
    commands = { { "upgrade", status = 1 }, { "status" } },
  },
  {
    title = "Mended: emial becomes email",
    file = "versions/002_lower_emails.lua",
    text = second:gsub("emial", "email"),
    is_quiet = true,
    commands = { { "upgrade" }, { "history" } },
  },
  {
    title = "Can every revision be undone, and the rows be had back?",
    commands = { { "test-roundtrip", "--data" } },
  },
  {
    title = "What would it block in production? Measured, with the safe way",
    file = "versions/003_index_emails.lua",
    text = third,
    commands = { { "lint", "003", status = 3 } },
  },
  { title = "And back", commands = { { "downgrade", "base", "--yes" }, { "current" } } },
}

-- A folder that ends with the demo, however it ends.
local function make_folder()
  local path, before = os.tmpname(), lfs.currentdir()
  os.remove(path)
  files.make_folder(path .. "/versions")
  assert(lfs.chdir(path))
  return setmetatable({}, {
    __close = function()
      lfs.chdir(before)
      files.remove_folder(path)
    end,
  })
end

local function heading(report, number, text)
  report.out("")
  report.out(report.styled("stdout", "bold", ("%d. %s"):format(number, text)))
end

local function show_file(report, step)
  files.write(step.file, step.text)
  if not step.is_quiet then
    report.out("")
    report.out(report.styled("stdout", "dim", step.file))
    for line in step.text:gmatch("([^\n]*)\n") do
      report.out(line == "" and "" or "  " .. line)
    end
  end
end

local function run_command(report, command, environment)
  report.out("")
  report.out(report.styled("stdout", "bold", "$ luamig " .. table.concat(command, " ")))
  io.stdout:flush()
  local status = require("luamig.core.process").run("/proc/self/exe", command, environment)
  if status ~= (command.status or 0) then
    require("luamig.fault").raise({
      kind = status > 128 and "interrupted" or "usage",
      message = ("luamig %s ended with exit status %d"):format(command[1], status),
      state = "the throwaway server and its folder are gone",
    })
  end
end

function demo.run(ctx)
  local report = ctx.report
  local server <close> = require("luamig.core.server").ephemeral({})
  local folder <close> = make_folder() -- luacheck: no unused
  files.write("luamig.lua", 'return { url = os.getenv("DATABASE_URL") }\n')
  local environment = { DATABASE_URL = server:url(), LUAMIG_CONFIG = "luamig.lua" }
  report.out(("A project on a throwaway PostgreSQL %d, which ends with this command.")
    :format(server:info().major))
  for number, step in ipairs(steps) do
    heading(report, number, step.title)
    if step.file then
      show_file(report, step)
    end
    for _, command in ipairs(step.commands) do
      run_command(report, command, environment)
    end
  end
  report.out("")
  report.out("Nothing is left of it. A project of your own: luamig init")
  return 0
end

return demo
