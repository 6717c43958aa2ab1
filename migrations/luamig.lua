--- The configuration of the sample project. Found from the root of the repository without being
-- named, since `migrations/luamig.lua` is one of the places that luamig looks at.
--
--   luamig upgrade                                      the embedded PostgreSQL
--   DATABASE_URL=postgresql://… luamig upgrade          the database named there

return {
  -- "embedded" is a PostgreSQL that luamig starts on demand from the binaries of this machine; its
  -- data lies in `.luamig/pg` beside this file and stays there until `luamig db reset`.
  url = os.getenv("DATABASE_URL") or "embedded",

  -- Where the revisions are, relative to this file.
  versions = "versions",

  -- The schema as it shall be: what `luamig check` and `revision --autogenerate` compare with.
  target = "schema.lua",
}
