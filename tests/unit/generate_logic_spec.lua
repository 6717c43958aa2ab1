local logic = require("luamig.generate.logic")

-- A tree in short: and(a > 1, or(b null, not b null)).
local function short(tree)
  if tree.op == "and" or tree.op == "or" then
    local parts = {}
    for i, child in ipairs(tree) do
      parts[i] = short(child)
    end
    return tree.op .. "(" .. table.concat(parts, ", ") .. ")"
  elseif tree.op == "unknown" then
    return ("unknown(%s; %s)"):format(table.concat(tree.columns, " "),
      table.concat(tree.texts, " "))
  end
  local out = { tree.column, tree.kind }
  for _, name in ipairs({
    "cmp", "text", "number", "other", "by", "sign", "shift", "of", "case", "type", "is",
    "is_now", "is_negated", "is_trimmed",
  }) do
    if tree[name] or name == "is" and tree[name] == false then
      out[#out + 1] = type(tree[name]) == "boolean" and (tree[name] and name or "not " .. name)
        or tostring(tree[name])
    end
  end
  out[#out + 1] = tree.texts and "{" .. table.concat(tree.texts, ",") .. "}" or nil
  out[#out + 1] = tree.path and table.concat(tree.path, ".") or nil
  return table.concat(out, " ")
end

local function reads(cases)
  for _, case in ipairs(cases) do
    assert.equal(case[2], short(logic.parse(case[1])), case[1])
  end
end

describe("a condition", function()
  it("is read as what it asks of columns", function()
    reads({
      { "a > 0", "a compare > 0" },
      { "0 < a", "a compare > 0" },
      { "(price >= (0)::numeric)", "price compare >= 0" },
      { "a > (- 5)", "a compare > -5" },
      { "a > '-5'::integer", "a compare > -5" },
      { "a > -5 AND b > -6", "and(a compare > -5, b compare > -6)" },
      { "a > 0.5 OR a = 99999999999", "or(a compare > 0.5, a compare = 99999999999)" },
      { "a = 'x'::text", "a compare = x" },
      { "a > '2020-01-01'::date", "a compare > 2020-01-01" },
      { "a <= now()", "a compare <= is_now" },
      { "d < (CURRENT_DATE - '18 years'::interval)", "d compare < is_now" },
      { "active", "active compare = true" },
      { "NOT active", "active compare = false" },
      { "active IS NOT TRUE", "active compare = false" },
      { "a IS NULL", "a null is" },
      { "a IS NOT NULL", "a null not is" },
      { "a = NULL", "and()" },
      { "true", "and()" },
      { "false", "or()" },
    })
  end)

  it("is read with AND, OR, NOT, CASE", function()
    reads({
      { "a > 0 AND b < 1", "and(a compare > 0, b compare < 1)" },
      { "NOT (a > 0 OR b IS NULL)", "and(a compare <= 0, b null not is)" },
      { "NOT (a > 0 AND b <> 'x')", "or(a compare <= 0, b compare = x)" },
      { "(a IS NULL) = (b IS NULL)",
        "or(and(a null is, b null is), and(a null not is, b null not is))" },
      { "(a IS NULL) <> (b IS NULL)",
        "or(and(a null is, b null not is), and(a null not is, b null is))" },
      { "CASE WHEN k = 'a' THEN x > 1 ELSE x IS NULL END",
        "or(and(k compare = a, x compare > 1), and(k compare <> a, x null is))" },
      { "CASE k WHEN 'a' THEN x > 1 END",
        "or(and(k compare = a, x compare > 1), and(k compare <> a, and()))" },
      { "COALESCE(a, b) IS NOT NULL", "or(a null not is, b null not is)" },
      { "COALESCE(a, b) IS NULL", "and(a null is, b null is)" },
      { "a IS DISTINCT FROM b", "a columns <> b" },
      { "a IS DISTINCT FROM NULL", "a null not is" },
      { "NOT a IS DISTINCT FROM 1", "a compare = 1" },
    })
  end)

  it("is read with lists", function()
    reads({
      { "(a = ANY (ARRAY['x'::text, 'y'::text]))", "a among {x,y}" },
      { "((a)::text = ANY ((ARRAY['x'::character varying, 'y'::character varying])::text[]))",
        "a among {x,y}" },
      { "a = ANY ('{x,\"y z\",\"q\\\"\"}'::text[])", 'a among {x,y z,q"}' },
      { "a <> ALL (ARRAY[1, 2])", "a among is_negated {1,2}" },
      { "NOT (a = ANY (ARRAY[1, 2]))", "a among is_negated {1,2}" },
      { "NOT (a <> ALL (ARRAY[1, 2]))", "a among {1,2}" },
      { "a ~~ ANY (ARRAY['x%'::text, 'y%'::text])",
        "or(a pattern x% like, a pattern y% like)" },
    })
  end)

  it("is read with patterns and parts of texts", function()
    reads({
      { "(a)::text ~ '^x'::text", "a pattern ^x regex" },
      { "a !~~* 'x%'", "a pattern x% like is_negated" },
      { "NOT a ~~ 'x%'", "a pattern x% like is_negated" },
      { "a ~ similar_to_escape('x%'::text)", "a pattern x% similar" },
      { "length((a)::text) = 5", "and(a length = 5)" },
      { "char_length(btrim(a)) > 0", "and(a length > 0, a blank)" },
      { "btrim(a) <> ''::text", "a blank" },
      { "NULLIF(btrim(a), '') IS NOT NULL", "a blank" },
      { "a = lower(a)", "a case lower" },
      { "upper(a) = a", "a case upper" },
      { "a = btrim(a)", "a blank is_trimmed" },
      { '"position"(a, \'@\'::text) > 1', "a contains @" },
      { "starts_with(a, 'x')", "a starts x" },
      { '"left"(a, 2) = \'ab\'', "a starts ab" },
      { "cardinality(tags) <= 3", "and(tags cardinality <= 3)" },
    })
  end)

  it("is read with two columns and arithmetic", function()
    reads({
      { "a < b", "a columns < b" },
      { "b > a", "b columns > a" },
      { "e > s + '01:00:00'::interval", "e columns > s 01:00:00 1" },
      { "s + 5 <= e", "e columns >= s 5 1" },
      { "(e - s) >= 3", "e columns >= s 3 1" },
      { "a + 5 < 10", "a compare < 10 1 5" },
      { "(a % 2) = 0", "a remainder 0 2" },
      { "mod(a, 3) = 1", "a remainder 1 3" },
      { "date_part('year'::text, d) >= 2000", "and(d year >= 2000)" },
      { "EXTRACT(year FROM d) = 2001", "and(d year = 2001)" },
    })
  end)

  it("is read with counts of NULLs", function()
    reads({
      { "num_nonnulls(a, b) = 1",
        "or(and(a null not is, b null is), and(a null is, b null not is))" },
      { "((a IS NOT NULL)::integer + (b IS NOT NULL)::integer) = 0",
        "or(and(a null is, b null is), and(a null is, b null is))" },
      { "num_nulls(a, b) < 1",
        "or(and(a null not is, b null not is), and(a null not is, b null not is))" },
    })
  end)

  it("is read with parts of JSON", function()
    reads({
      { "jsonb_typeof(d) = 'object'", "d json object " },
      { "jsonb_typeof((d -> 'k'::text)) = 'array'", "d json array k" },
      { "d ? 'k'", "d json k" },
      { "(d ->> 'k'::text) IS NOT NULL", "d json k" },
      { "(d ->> 'k'::text) = 'v'", "d json v k" },
      { "((d ->> 'k'::text))::integer > 3", "d json 4 k" },
      { "(d #>> '{a,b}'::text[]) = 'v'", "d json v a.b" },
    })
  end)

  it("names the columns and strings of what is not understood", function()
    reads({
      { "app.f(a, 'x'::text) > b", "unknown(a b; x)" },
      { "app.f(t.*)", "unknown(*; )" },
      { "a > 0 AND app.f(b)", "and(a compare > 0, unknown(b; ))" },
      { "this is not SQL", "unknown(; )" },
    })
  end)
end)
