-- Runs busted inside luamig's own host, so that specs can require every module of the binary:
--   build/dev/luamig lua tests/support/busted.lua [busted options] PATH...
package.path = "tests/?.lua;" .. package.path
require("busted.runner")({ standalone = false })
