local fault = require("luamig.fault")
local rebase = require("luamig.rebase")
local revision = require("luamig.revision")

local functions = "\nfunction upgrade()\nend\n\nfunction downgrade()\nend\n"

local function edited(text, onto)
  return rebase.edited(text, revision.parse(text, "versions/x.lua"), onto or "003")
end

local function failure(text, onto)
  local ok, f = pcall(edited, text, onto)
  assert.is_false(ok)
  assert.is_true(fault.is(f), tostring(f))
  assert.equal("graph", f.kind)
  assert.equal("versions/x.lua", f.file)
  return f
end

describe("the file of a revision that is put onto another", function()
  it("changes its parent and the comment, and nothing else", function()
    local before = "--- add x\n-- Revision ID: 002\n-- Revises: 001\n-- Revises: in the text\n\n"
      .. "revision = \"002\"\ndown_revision   =  \"001\"   -- \"001\" for now\n"
      .. "local down_revision_note = \"001\"  \t\n" .. functions
    local after = before:gsub("Revises: 001", "Revises: 003")
      :gsub('=  "001"   %-%-', '=  "003"   --')
    assert.equal(after, edited(before))
  end)

  it("keeps line ends, the byte order mark and the kind of quotes", function()
    local before = "\xEF\xBB\xBF--- x\r\n-- Revises:\r\nrevision = '002'\r\n"
      .. "down_revision = '001'\r\n" .. functions
      .. functions
    local after = before:gsub("Revises:", "Revises: 003"):gsub("'001'", "'003'")
    assert.equal(after, edited(before))
    assert.equal('revision = "002"\ndown_revision = "003"\nfunction upgrade() end',
      edited('revision = "002"\ndown_revision = "001"\nfunction upgrade() end'))
  end)

  it("may have been a first one", function()
    assert.equal('revision = "002"\ndown_revision = "003"\n' .. functions,
      edited('revision = "002"\ndown_revision = nil\n' .. functions))
    assert.equal('revision = "002"\r\ndown_revision = "003"\r\nbranch_labels = nil\r\n'
      .. functions, edited('revision = "002"\r\nbranch_labels = nil\r\n' .. functions))
  end)

  it("may have a list of one", function()
    assert.equal('revision = "002"\ndown_revision = "003" -- x\n' .. functions,
      edited('revision = "002"\ndown_revision = { "001" } -- x\n' .. functions))
  end)

  it("is refused when its parent is not one plain line", function()
    local f = failure('revision = "002"\ndown_revision = "0" .. "01"\n' .. functions)
    assert.equal("down_revision is not written as one plain line; it is not changed by itself",
      f.message)
    assert.equal('change it by hand to: down_revision = "003"', f.hint)
    assert.equal(2, f.line)
    f = failure('revision = "002"\ndown_revision = {\n"001" }\n' .. functions)
    assert.equal(2, f.line)
    failure('revision, down_revision = "002", "001"\n' .. functions)
  end)
end)
