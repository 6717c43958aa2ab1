std = "lua54"
max_line_length = 100
max_cyclomatic_complexity = 12
exclude_files = { "build", ".luamig" }

files["tests"] = { std = "lua54+busted", max_cyclomatic_complexity = 20 }

local revision = {
  std = "lua54",
  read_globals = { "op" },
  globals = {
    "revision", "down_revision", "branch_labels", "depends_on", "transactional", "data_loss",
    "irreversible", "upgrade", "downgrade", "change",
  },
}
files["migrations/versions"] = revision
files["migrations/schema.lua"] = { std = "lua54", read_globals = { "op" } }
files["examples/*/versions"] = revision
files["examples/*/migrations/versions"] = revision
files["examples/*/schema.lua"] = { std = "lua54", read_globals = { "op" } }
files["examples/*/stages/*.lua"] = { std = "lua54", read_globals = { "op" } }
files["tests/c/project/versions"] = revision
