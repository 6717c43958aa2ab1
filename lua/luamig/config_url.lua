--- Which database a config, the command line and the environment lead to, and how its URL is shown.

local fault = require("luamig.fault")

local config_url = {}

-- What libpq reads a database from, besides its defaults.
local libpq_variables = { "PGSERVICE", "PGHOST", "PGHOSTADDR", "PGDATABASE", "PGPORT", "PGUSER" }

---Cuts what other programs add: "postgresql+asyncpg://" is "postgresql://" to libpq.
local function without_driver(url)
  return (url:gsub("^(postgres%a*)%+[%w_]+://", "%1://"))
end

local function form_defect(url)
  local scheme = url:match("^([%a][%w+.:-]*)://")
  if scheme == "postgresql" or scheme == "postgres" then
    return nil
  elseif scheme then
    return ("begins with '%s://'; luamig speaks to PostgreSQL only"):format(scheme)
  elseif url:find("=", 1, true) or url == "embedded" then
    return nil
  elseif url:find("^%a+$") and require("luamig.nearest").of(url, { "embedded" }) then
    return "is no URL", "did you mean 'embedded'?"
  end
  return "is no URL: it begins with no postgresql://, and has no key=value" -- it may be a password
end

local function check_form(url, origin)
  local defect, hint = form_defect(url)
  if defect then
    fault.raise({
      kind = "config",
      message = ("the url from %s %s"):format(origin, defect),
      hint = hint or "the form is postgresql://user:password@host:port/database",
    })
  end
end

local function from_variables()
  for _, name in ipairs(libpq_variables) do
    local value = os.getenv(name)
    if value and value ~= "" then
      return "", name
    end
  end
  return nil
end

local function first_url(cfg, options)
  if options.url == "" then
    fault.raise({ kind = "usage", message = "the url from --url is empty",
      hint = "is the variable set that it was to come from?" })
  elseif options.url then
    return options.url, "--url"
  elseif cfg and cfg.is_url_missing then
    fault.raise({
      kind = "config",
      message = ("the protected environment '%s' has no url"):format(cfg.environment),
      hint = "the url of another environment is not used for a protected one; is the variable "
        .. "that it reads set?",
      file = cfg.file,
    })
  elseif cfg and cfg.url then
    return cfg.url, cfg.url_origin
  end
  local url = os.getenv("DATABASE_URL")
  if url and url ~= "" then
    return url, "DATABASE_URL"
  end
  return from_variables()
end

---The database to work on: a URI or keyword string for libpq, "" when its PG* variables say all,
---or "embedded". Raises: config (none named, with the places looked at).
---@param cfg luamig.Config|nil
---@param options? { url?: string }
---@return string url
---@return string origin  where it was found
function config_url.url(cfg, options)
  local url, origin = first_url(cfg, options or {})
  if not url then
    fault.raise({
      kind = "config",
      message = "no database is named",
      detail = ("looked at: --url, %s%s, DATABASE_URL, %s"):format(
        cfg and cfg.environment and ("environment '%s', "):format(cfg.environment) or "",
        cfg and "`url` in " .. cfg.file or "no luamig.lua", table.concat(libpq_variables, ", ")),
      hint = 'url = "embedded" in luamig.lua gives a PostgreSQL of this machine\'s own binaries',
      try = "luamig --url postgresql://user@host/database …",
      file = cfg and cfg.file or nil,
    })
  end
  url = without_driver(url)
  if url ~= "" then
    check_form(url, origin)
  end
  return url, origin
end

---A url without its password, fit for eyes.
---@param url string
---@return string
function config_url.redacted(url)
  local scheme, rest = url:match("^(%a[%w+.-]*://)(.*)$")
  if scheme then
    -- Up to the last @: a password that holds an unescaped one must not show its tail.
    local authority = rest:match("^(.*)@")
    if authority and authority:find(":", 1, true) then
      rest = authority:match("^[^:]*") .. ":***" .. rest:sub(#authority + 1)
    end
    return scheme .. rest:gsub("([?&]password=)[^&]*", "%1***")
  end
  url = url:gsub("(password%s*=%s*)'[^']*'", "%1***")
  return (url:gsub("(password%s*=%s*)[^%s'*]%S*", "%1***"))
end

return config_url
