local snapshots = require("support.snapshots")

local E = "CREATE TYPE e AS ENUM ('a', 'b')"
local D = "CREATE DOMAIN d AS text"
local C = "CREATE TYPE c AS (x integer, y text)"
local R = "CREATE TYPE r AS RANGE (SUBTYPE = text%s)"
local B = [[CREATE TYPE b;
  CREATE FUNCTION b_in(cstring) RETURNS b LANGUAGE internal IMMUTABLE STRICT AS 'textin';
  CREATE FUNCTION b_out(b) RETURNS cstring LANGUAGE internal IMMUTABLE STRICT AS 'textout';
  CREATE TYPE b (INPUT = b_in, OUTPUT = b_out%s)]]
local DROP_B = "DROP TYPE b CASCADE; "

local function change(name, setup, there, back, identities, since)
  return { name, setup, there, back, identities, since = since }
end

local function range(name, words)
  return change(name .. " of a range type", R:format(""), "DROP TYPE r; " .. R:format(words),
    "DROP TYPE r; " .. R:format(""), "range public.r")
end

local function base(name, words)
  return change(name .. " of a base type", B:format(""), DROP_B .. B:format(words),
    DROP_B .. B:format(""), "base type public.b")
end

describe("a snapshot of schemas and types", function()
  local session

  lazy_setup(function()
    session = snapshots.session()
  end)
  lazy_teardown(function()
    session.close()
  end)

  snapshots.cases(function()
    return session
  end, {
    change("a schema", "", "CREATE SCHEMA s", "DROP SCHEMA s", "schema s"),
    change("the owner of a schema", "CREATE SCHEMA s; CREATE ROLE luamig_spec_role",
      "ALTER SCHEMA s OWNER TO luamig_spec_role", "ALTER SCHEMA s OWNER TO CURRENT_USER",
      "schema s"),
    change("the privileges of a schema", "CREATE SCHEMA s", "GRANT USAGE ON SCHEMA s TO PUBLIC",
      "REVOKE USAGE ON SCHEMA s FROM PUBLIC", "schema s"),
    change("the privileges of public", "", "REVOKE USAGE ON SCHEMA public FROM PUBLIC",
      "GRANT USAGE ON SCHEMA public TO PUBLIC", "schema public"),
    change("the comment of a schema", "CREATE SCHEMA s", "COMMENT ON SCHEMA s IS 'x'",
      "COMMENT ON SCHEMA s IS NULL", "schema s"),
    change("an extension", "", "CREATE EXTENSION hstore", "DROP EXTENSION hstore",
      "extension hstore"),
    change("the version of an extension", "CREATE EXTENSION hstore VERSION '1.6'",
      "ALTER EXTENSION hstore UPDATE TO '1.7'",
      "DROP EXTENSION hstore; CREATE EXTENSION hstore VERSION '1.6'", "extension hstore"),
    change("the schema of an extension", "CREATE EXTENSION hstore; CREATE SCHEMA s",
      "ALTER EXTENSION hstore SET SCHEMA s", "ALTER EXTENSION hstore SET SCHEMA public",
      "extension hstore"),
    change("the comment of an extension", "", "COMMENT ON EXTENSION plpgsql IS 'x'",
      "COMMENT ON EXTENSION plpgsql IS 'PL/pgSQL procedural language'", "extension plpgsql"),
    change("an enum", "", E, "DROP TYPE e", "enum public.e"),
    change("the values of an enum", E, "DROP TYPE e; CREATE TYPE e AS ENUM ('a', 'b', 'c')",
      "DROP TYPE e; " .. E, "enum public.e"),
    change("the order of the values", E, "DROP TYPE e; CREATE TYPE e AS ENUM ('b', 'a')",
      "DROP TYPE e; " .. E, "enum public.e"),
    change("a renamed value", E, "ALTER TYPE e RENAME VALUE 'b' TO 'c'",
      "ALTER TYPE e RENAME VALUE 'c' TO 'b'", "enum public.e"),
    change("the owner of a type", E .. "; CREATE ROLE luamig_spec_role",
      "ALTER TYPE e OWNER TO luamig_spec_role", "ALTER TYPE e OWNER TO CURRENT_USER",
      "enum public.e"),
    change("the privileges of a type", E, "REVOKE USAGE ON TYPE e FROM PUBLIC",
      "GRANT USAGE ON TYPE e TO PUBLIC", "enum public.e"),
    change("the comment of a type", E, "COMMENT ON TYPE e IS 'x'", "COMMENT ON TYPE e IS NULL",
      "enum public.e"),
    change("the type of a domain", D, "DROP DOMAIN d; CREATE DOMAIN d AS integer",
      "DROP DOMAIN d; " .. D, "domain public.d"),
    change("the default of a domain", D, "ALTER DOMAIN d SET DEFAULT 'x'",
      "ALTER DOMAIN d DROP DEFAULT", "domain public.d"),
    change("NOT NULL of a domain", D, "ALTER DOMAIN d SET NOT NULL", "ALTER DOMAIN d DROP NOT NULL",
      "domain public.d"),
    change("the name of a domain's NOT NULL", "CREATE DOMAIN d AS text CONSTRAINT k NOT NULL",
      "ALTER DOMAIN d RENAME CONSTRAINT k TO l", "ALTER DOMAIN d RENAME CONSTRAINT l TO k",
      "domain public.d", 17),
    change("the collation of a domain", D, [[DROP DOMAIN d; CREATE DOMAIN d AS text COLLATE "C"]],
      "DROP DOMAIN d; " .. D, "domain public.d"),
    change("a check of a domain", D, "ALTER DOMAIN d ADD CONSTRAINT k CHECK (value <> '')",
      "ALTER DOMAIN d DROP CONSTRAINT k", "constraint k on public.d"),
    change("NOT VALID of a domain's check", D
        .. "; ALTER DOMAIN d ADD CONSTRAINT k CHECK (value <> '') NOT VALID",
      "ALTER DOMAIN d VALIDATE CONSTRAINT k", "ALTER DOMAIN d DROP CONSTRAINT k; "
        .. "ALTER DOMAIN d ADD CONSTRAINT k CHECK (value <> '') NOT VALID",
      "constraint k on public.d"),
    change("the comment of a domain's check",
      D .. "; ALTER DOMAIN d ADD CONSTRAINT k CHECK (value <> '')",
      "COMMENT ON CONSTRAINT k ON DOMAIN d IS 'x'", "COMMENT ON CONSTRAINT k ON DOMAIN d IS NULL",
      "constraint k on public.d"),
    change("a composite type", "", C, "DROP TYPE c", "composite public.c"),
    change("an attribute of a composite type", C, "ALTER TYPE c ADD ATTRIBUTE z integer",
      "ALTER TYPE c DROP ATTRIBUTE z", "composite public.c"),
    change("the type of an attribute", C, "ALTER TYPE c ALTER ATTRIBUTE x TYPE bigint",
      "ALTER TYPE c ALTER ATTRIBUTE x TYPE integer", "composite public.c"),
    change("the collation of an attribute", C,
      [[ALTER TYPE c ALTER ATTRIBUTE y TYPE text COLLATE "C"]],
      "ALTER TYPE c ALTER ATTRIBUTE y TYPE text", "composite public.c"),
    change("the comment of an attribute", C, "COMMENT ON COLUMN c.x IS 'x'",
      "COMMENT ON COLUMN c.x IS NULL", "composite public.c"),
    change("the comment of a composite type", C, "COMMENT ON TYPE c IS 'x'",
      "COMMENT ON TYPE c IS NULL", "composite public.c"),
    change("a range type", "", R:format(""), "DROP TYPE r", "range public.r"),
    range("the operator class", ", SUBTYPE_OPCLASS = text_pattern_ops"),
    range("the collation", [[, COLLATION = "C"]]),
    range("the multirange", ", MULTIRANGE_TYPE_NAME = many"),
    change("the difference function of a range type", "CREATE TYPE r AS RANGE (SUBTYPE = float8)",
      "DROP TYPE r; CREATE TYPE r AS RANGE (SUBTYPE = float8, SUBTYPE_DIFF = float8mi)",
      "DROP TYPE r; CREATE TYPE r AS RANGE (SUBTYPE = float8)", "range public.r"),
    change("a shell type", "", "CREATE TYPE s", "DROP TYPE s", "shell type public.s"),
    change("a base type", "", B:format(""), DROP_B,
      { "base type public.b", "function public.b_in(cstring)", "function public.b_out(public.b)" }),
    base("the category", ", CATEGORY = 'S'"),
    base("PREFERRED", ", CATEGORY = 'S', PREFERRED = true"),
    base("the delimiter", ", DELIMITER = ';'"),
    base("the storage", ", STORAGE = extended"),
    base("the alignment", ", ALIGNMENT = double"),
    base("the default", ", DEFAULT = 'x'"),
    base("COLLATABLE", ", COLLATABLE = true"),
  })

  it("keeps arrays, multiranges and row types out", function()
    local value = session.read(R:format("") .. "; CREATE TABLE t (a int);" .. E)
    local kinds = {}
    for identity in pairs(value.objects) do
      kinds[#kinds + 1] = identity
    end
    table.sort(kinds)
    assert.same({ "enum public.e", "extension plpgsql", "range public.r", "schema public",
      "table public.t" }, kinds)
  end)
end)
