-- The project that tests/c/alloc_test.c upgrades while memory runs out. Every revision and every
-- part of one leaves a mark, so that a half done one shows.
return { url = os.getenv("DATABASE_URL") }
