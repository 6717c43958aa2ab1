return {
  url = os.getenv("DATABASE_URL") or "embedded",
  target = "schema.lua",
}
