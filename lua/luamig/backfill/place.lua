--- Where a project's batched migrations are and as whom they work: from its config.

local quote = require("luamig.quote")

local place = {}

---@param cfg luamig.Config
---@param url string
---@return luamig.backfill.Place
function place.of(cfg, url)
  local path = cfg.search_path
  return {
    url = url,
    state = { schema = cfg.version_schema, table = cfg.version_table },
    search_path = type(path) == "table" and quote.idents(path) or path,
    role = cfg.role,
  }
end

return place
