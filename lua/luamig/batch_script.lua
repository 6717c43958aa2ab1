--- A batched migration as a PL/pgSQL loop that commits after each batch, for `--sql`. There is no
-- database now, so the key is looked up when the script runs. Pure.

local fault = require("luamig.fault")
local quote = require("luamig.quote")

local batch_script = {}

local KEYED <const> = [[
DO $luamig$
DECLARE
  target CONSTANT pg_catalog.regclass := @target;
  columns text;
  low_values text;
  high_values text;
  texts text;
  backwards text;
  range text; -- "@." stands before each column, for the alias
  low text[];
  high text[];
  final text[];
  batch bigint;
  done bigint := 0;
BEGIN
  @settings
  SELECT string_agg(format('@.%I', a.attname), ', ' ORDER BY k.nth),
         string_agg(format('($1)[%s]::%s', k.nth, format_type(a.atttypid, -1)), ', '
           ORDER BY k.nth),
         string_agg(format('($2)[%s]::%s', k.nth, format_type(a.atttypid, -1)), ', '
           ORDER BY k.nth),
         string_agg(format('%I::text', a.attname), ', ' ORDER BY k.nth),
         string_agg(format('%I DESC', a.attname), ', ' ORDER BY k.nth)
    INTO columns, low_values, high_values, texts, backwards
    FROM pg_index i, unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, nth), pg_attribute a
   WHERE i.indexrelid = (@index)
     AND k.nth <= i.indnkeyatts AND a.attrelid = i.indrelid AND a.attnum = k.attnum;
  IF columns IS NULL THEN
    RAISE EXCEPTION '%: @nokey', target;
  END IF;
  range := format('(($1 IS NULL OR ROW(%s) @gt ROW(%s)) AND ROW(%1$s) @le ROW(%3$s))', columns,
    low_values, high_values);
  EXECUTE format('SELECT ARRAY[%s] FROM %s ORDER BY %s LIMIT 1', texts, target, backwards)
    INTO final;
  WHILE final IS NOT NULL LOOP
    @settings
    EXECUTE format('SELECT ARRAY[%s] FROM %s WHERE %s ORDER BY %s OFFSET @offset LIMIT 1', texts,
      target, replace(range, '@.', ''), replace(columns, '@.', '')) INTO high USING low, final;
    high := COALESCE(high, final);
    EXECUTE @work USING low, high;
    GET DIAGNOSTICS batch := ROW_COUNT;
    done := done + batch;
    COMMIT;
    EXIT WHEN high = final;
    low := high;
  END LOOP;
  RAISE NOTICE '@name: % rows changed', done;
END
$luamig$]]

local BLOCKS <const> = [[
DO $luamig$
DECLARE
  target CONSTANT pg_catalog.regclass := @target;
  range CONSTANT text := '(@.ctid @ge $1 AND @.ctid @lt $2)';
  blocks bigint := pg_relation_size(@target) / current_setting('block_size')::bigint;
  block bigint := 0;
  batch bigint;
  done bigint := 0;
BEGIN
  IF (SELECT c.relkind FROM pg_class c WHERE c.oid = target) <> 'r' THEN
    RAISE EXCEPTION '% is partitioned: its rows are not known by ctid', target;
  END IF;
  WHILE block < blocks LOOP
    @settings
    EXECUTE @work USING format('(%s,0)', block)::tid, format('(%s,0)', block + @step)::tid;
    GET DIAGNOSTICS batch := ROW_COUNT;
    done := done + batch;
    COMMIT;
    block := block + @step;
  END LOOP;
  RAISE NOTICE '@name: % rows changed', done;
END
$luamig$]]

local functions = { "string_agg", "format", "format_type", "unnest", "replace", "pg_relation_size",
  "current_setting" }

-- The functions and operators are pg_catalog's, whatever the search_path is; but those that compare
-- keys are found along it: a key may be of a type from anywhere.
local function qualified(text)
  for _, name in ipairs(functions) do
    text = text:gsub("%f[%w_.]" .. name .. "%(", "pg_catalog." .. name .. "(")
  end
  text = text:gsub(" ([=<>|+/*]+) ", " OPERATOR(pg_catalog.%1) ")
  for _, name in ipairs({ "pg_index", "pg_attribute", "pg_class" }) do
    text = text:gsub("%f[%w_.]" .. name .. "%f[^%w_]", "pg_catalog." .. name)
  end
  return text
end

local comparisons = { gt = ">", ge = ">=", lt = "<", le = "<=" }

local ROWS_PER_BLOCK <const> = 50 -- nothing is known of the table

-- The index that gives each row its place.
local function index_query(spec)
  if not spec.key then
    return "SELECT j.indexrelid FROM pg_index j WHERE j.indrelid = target AND j.indisprimary"
  end
  local names = {}
  for i, name in ipairs(spec.key) do
    names[i] = quote.string(name)
  end
  return ([[SELECT j.indexrelid FROM pg_index j
      WHERE j.indrelid = target AND j.indisunique AND j.indpred IS NULL AND j.indexprs IS NULL
        AND ARRAY(SELECT b.attname::text FROM pg_attribute b WHERE b.attrelid = target
          AND b.attnum = ANY (j.indkey) ORDER BY 1)
        = ARRAY(SELECT unnest(ARRAY[%s]::text[]) ORDER BY 1)
      ORDER BY j.indexrelid LIMIT 1]]):format(table.concat(names, ", "))
end

local function statement_of(spec)
  if spec.kind == "sql" then
    return (spec.sql:gsub("{table}", function()
      return quote.name(spec.relation)
    end))
  end
  local _, name = quote.split_name(spec.relation)
  local alias = quote.ident(name)
  local sets = {}
  for i, item in ipairs(spec.set) do
    sets[i] = quote.ident(item.column) .. " = " .. item.sql
  end
  return ("UPDATE %s AS %s SET %s WHERE {range:%s}%s"):format(quote.name(spec.relation), alias,
    table.concat(sets, ", "), alias, spec.remaining and " AND (" .. spec.remaining .. ")" or "")
end

-- An expression of PL/pgSQL that puts the condition in, once for each alias.
local function work_expression(spec)
  local sql = statement_of(spec)
  local text = quote.string(sql)
  local seen = {}
  for found, alias in sql:gmatch("({range:?([^}]*)})") do
    if not seen[found] then
      seen[found] = true
      text = ("pg_catalog.replace(%s, %s, pg_catalog.replace(range, '@.', %s))"):format(text,
        quote.string(found), quote.string(alias ~= "" and alias .. "." or ""))
    end
  end
  return text
end

-- Within the block, what would end it early is told from the rest by its own tag.
local function check(spec, work)
  if spec.kind == "map" then
    fault.raise({
      kind = "operation",
      message = ("'%s' runs a Lua function over rows, which --sql cannot"):format(spec.name),
      hint = "say what it does in SQL with set or sql, or run the revision online",
      state = "nothing was printed",
    })
  elseif work:find("$luamig$", 1, true) then
    fault.raise({ kind = "operation", message = "the SQL holds $luamig$, which the script uses" })
  end
end

---The loop as one statement that runs outside a transaction.
---Raises: operation (a map function).
---@param spec luamig.BatchSpec
---@param settings string[]  statements at the beginning of each transaction
---@return string
function batch_script.render(spec, settings)
  local work = spec.kind ~= "map" and work_expression(spec) or ""
  check(spec, work)
  local lines = { "SET LOCAL synchronous_commit = " .. spec.synchronous_commit .. ";" }
  for _, setting in ipairs(settings) do
    lines[#lines + 1] = setting .. ";"
  end
  local pieces = {
    target = quote.string(quote.name(spec.relation)),
    settings = table.concat(lines, "\n  "),
    index = qualified(index_query(spec)),
    nokey = spec.key and "no unique index has these columns" or "the table has no primary key",
    offset = tostring(spec.tuning.batch_rows - 1),
    step = tostring(math.max(1, spec.tuning.batch_rows // ROWS_PER_BLOCK)),
    work = work,
    name = spec.name,
  }
  for name, operator in pairs(comparisons) do
    pieces[name] = operator
  end
  local template = spec.key == "ctid" and BLOCKS or KEYED
  return (qualified(template):gsub("@(%a+)", pieces))
end

return batch_script
