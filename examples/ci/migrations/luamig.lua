return {
  url = os.getenv("DATABASE_URL") or "embedded",
  versions = "versions",
  compat = "off", -- the library is closed while it migrates: no old application runs
}
