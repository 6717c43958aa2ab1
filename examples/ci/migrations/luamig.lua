return {
  url = os.getenv("DATABASE_URL") or "embedded",
  versions = "versions",
}
