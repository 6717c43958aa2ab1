--- What a message becomes in a file name: its words in lower case, joined by "_".

local unicode = require("luamig.core.unicode")

local slug = {}

local LENGTH <const> = 40 -- characters, as Alembic's

local function words(text)
  local out, is_word = {}, false
  for _, code in utf8.codes(text) do
    if unicode.is_word(code) then
      out[#out + 1] = utf8.char(unicode.lower(code))
      is_word = true
    elseif is_word then
      out[#out + 1] = "_"
      is_word = false
    end
  end
  return (table.concat(out):gsub("_+$", ""):gsub("^_+", ""))
end

---"" when the text has no letter and no digit. A long one is cut between two words.
---@param text string  UTF-8
---@return string
function slug.of(text)
  local whole = words(text)
  if utf8.len(whole) <= LENGTH then
    return whole
  end
  local cut = whole:sub(1, utf8.offset(whole, LENGTH + 1) - 1)
  return (cut:match("^(.*[^_])_+[^_]*$") or cut)
end

return slug
