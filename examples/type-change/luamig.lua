return {
  url = "embedded",
  versions = "versions",
}
