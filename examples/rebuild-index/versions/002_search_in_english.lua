--- search in English
-- Revision ID: 002
-- Revises: 001
-- Create Date: 2025-03-04 10:00:00+00:00
--
-- Words are found by their stems from now on: every row gets a new value in an indexed column. A
-- GIN index takes such updates badly (each one puts dozens of entries in), so it goes first and is
-- built anew at the end, while others write.
--
-- In between a search reads the whole table, and finds by stems what has been done already. When
-- that cannot be, leave the index in place: the same batches take several times as long.

revision = "002"
down_revision = "001"

local body <const> = [[
BEGIN
  NEW.search := to_tsvector('%s', NEW.body);
  RETURN NEW;
END]]

local function search_by(configuration)
  -- First the trigger, so that what is written meanwhile is right already.
  op.create_function("articles_search", {}, { returns = "trigger", language = "plpgsql",
    replace = true, body = body:format(configuration) })
  -- luamig: ignore TXN002 the new one comes after the rows: that is the point
  op.drop_index("idx_articles_search", { concurrently = true })
  op.batch_execute("articles_search_" .. configuration, {
    table = "articles",
    set = { search = op.sql(("to_tsvector('%s', body)"):format(configuration)) },
    remaining = ("search IS DISTINCT FROM to_tsvector('%s', body)"):format(configuration),
    vacuum_every = 0.2, -- every row is written anew: the space is used again on the way
  })
  op.create_index("idx_articles_search", "articles", { "search" },
    { using = "gin", concurrently = true })
end

function upgrade()
  search_by("english")
end

function downgrade()
  search_by("simple")
end
