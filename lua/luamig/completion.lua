--- Words for the shell: what may stand where the cursor is. argparse knows commands and options;
-- here is what only the project knows: revisions, labels, environments, names of operations.

local arguments = require("luamig.arguments")

local completion = {}

-- Bash breaks words at these; zsh and fish do not. Put together again they read the same.
local function joined(words)
  local out = {}
  local is_open = false
  for _, word in ipairs(words) do
    local is_mark = word:find("^[:@=]+$") ~= nil
    if #out > 0 and (is_mark or is_open) then
      out[#out] = out[#out] .. word
    else
      out[#out + 1] = word
    end
    is_open = is_mark
  end
  return out
end

local function takes_value(parsers, word)
  for _, parser in ipairs(parsers) do
    for _, option in ipairs(parser._options) do
      for _, alias in ipairs(option._aliases) do
        if alias == word then
          return option._minargs > 0 and option or nil
        end
      end
    end
  end
  return nil
end

-- The positional argument at a place; one that takes many takes the rest.
local function positional(command, place)
  for _, argument in ipairs(command._arguments) do
    if place <= argument._maxargs then
      return argument
    end
    place = place - argument._maxargs
  end
  return nil
end

-- The option or argument that the last word belongs to, and what stands before it in that word.
local function element_at(parsers, command, words, first)
  local last = words[#words]
  local name, value = last:match("^(%-%-[%w-]+)=(.*)$")
  if name then
    return takes_value(parsers, name), value
  elseif #words > 1 and takes_value(parsers, words[#words - 1]) then
    return takes_value(parsers, words[#words - 1]), last
  elseif not command or last:find("^%-%a") or last:find("^%-%-") then
    return nil
  end
  local place, i = 1, first + 1
  while i < #words do
    if takes_value(parsers, words[i]) then
      i = i + 1
    elseif not words[i]:find("^%-%D") then
      place = place + 1
    end
    i = i + 1
  end
  return positional(command, place), last
end

local function add_revisions(ctx, out)
  local graph, by_id = ctx:graph()
  for _, id in ipairs(graph:ids()) do
    out[#out + 1] = { id, by_id[id].doc }
    for _, label in ipairs(by_id[id].labels) do
      out[#out + 1] = { label, "branch label" }
    end
  end
  out[#out + 1] = { "head", "the only head" }
  out[#out + 1] = { "heads", "all heads" }
  out[#out + 1] = { "base", "before the first revision" }
end

local function add_environments(ctx, out)
  for name in pairs(ctx:config().environments) do
    out[#out + 1] = { tostring(name), "environment" }
  end
  table.sort(out, function(a, b)
    return a[1] < b[1]
  end)
end

local function add_topics(_, out)
  for _, word in ipairs(require("luamig.help").words()) do
    out[#out + 1] = { word, "" }
  end
  for _, name in ipairs(require("luamig.op").names()) do
    out[#out + 1] = { "op." .. name, "operation" }
  end
end

-- What the name of an argument tells of its values. `current` has a meaning only to those commands
-- that read the database, so it is left out.
local by_argname = {
  REV = add_revisions,
  TARGET = add_revisions,
  ["A:B"] = add_revisions,
  TOPIC = add_topics,
}

local function source_of(element, command)
  if not element then
    return nil
  elseif element._choices then
    return function(_, out)
      for _, word in ipairs(element._choices) do
        out[#out + 1] = { word, "" }
      end
    end
  elseif element._name == "--env" then
    return add_environments
  elseif command and command.complete and command.complete[element._argname] then
    return command.complete[element._argname]
  end
  return by_argname[element._argname]
end

-- A range and a branch are completed after their mark. Bash replaces only what follows the mark
-- (and what follows "="), the others the whole word.
local function marked_prefix(word, raw)
  local mark = word:match("^(.*[:@])") or ""
  local written = raw:sub(1, #raw - #word + #mark)
  return word:sub(#mark + 1), written
end

-- What fills the place of the last word, and the word without the option that stands before it.
local function place_of(words)
  local name, first = arguments.command_word({ table.unpack(words, 1, #words - 1) })
  local parser, command
  if name then
    parser, command = arguments.command_parser(name)
  end
  parser = parser or arguments.full_parser()
  local element, word = element_at({ command or parser, parser }, command, words, first or 0)
  return source_of(element, command and require("luamig.commands").module(name)), word
end

---What may stand in the place of the last word: { word, description } each.
---@param ctx luamig.Session
---@param words string[]  as the shell has them, after "luamig"; the last one may be empty
---@return table[]
function completion.candidates(ctx, words)
  local raw = words[#words] or ""
  local fill, word = place_of(joined(#words > 0 and words or { "" }))
  if not fill then
    return {}
  end
  local list, out = {}, {}
  fill(ctx, list)
  local beginning, prefix = marked_prefix(word, raw:find("^[:@=]+$") and "" or raw)
  for _, candidate in ipairs(list) do
    if candidate[1]:sub(1, #beginning) == beginning then
      out[#out + 1] = { prefix .. candidate[1], candidate[2] }
    end
  end
  return out
end

local function replaced(text, from, to)
  local at, stop = text:find(from, 1, true)
  assert(at, "argparse's script has changed its form: " .. from)
  return text:sub(1, at - 1) .. to .. text:sub(stop + 1)
end

local bash_words = [=[

# Revisions, labels, environments and operations: what luamig itself has to look up.
_luamig_words() {
    local IFS=$'\n' found
    COMPREPLY=()
    _luamig
    found=$(luamig __complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null | cut -f 1)
    if [ -n "$found" ]; then
        COMPREPLY=($found)
    fi
}

complete -F _luamig_words -o bashdefault -o default luamig
]=]

local zsh_words = [=[

# Revisions, labels, environments and operations: what luamig itself has to look up.
_luamig_words() {
  local line
  local -a found
  for line in "${(@f)$(luamig __complete -- "${(@)luamig_words}" 2>/dev/null)}"; do
    [[ -n $line ]] && found+=("${${line%%$'\t'*}//:/\\:}:${line#*$'\t'}")
  done
  if (( $#found )); then
    _describe word found
  else
    _files
  fi
}
]=]

local fish_words = [=[

# Revisions, labels, environments and operations: what luamig itself has to look up.
function __fish_luamig_words
    set -l words (commandline -opc) (commandline -ct)
    luamig __complete -- $words[2..-1] 2>/dev/null
end

complete -c luamig -n 'test -n (__fish_luamig_print_command)' -a '(__fish_luamig_words)'
]=]

local scripts = {}

function scripts.bash(parser)
  return parser:get_bash_complete():gsub("complete %-F _luamig [^\n]*\n$", "") .. bash_words
end

function scripts.zsh(parser)
  local text = parser:get_zsh_complete():gsub(": :_files", ": :_luamig_words")
  -- Further in, zsh's own $words begins with the command; all of them are needed.
  text = replaced(text, "_luamig() {\n",
    '_luamig() {\n  local -a luamig_words=("${(@)words[2,CURRENT]}")\n')
  return replaced(text, "\n_luamig\n", zsh_words .. "\n_luamig \"$@\"\n")
end

function scripts.fish(parser)
  local text = parser:get_fish_complete():gsub(" %-r( ?[^\n]*\n)", " -ra '(__fish_luamig_words)'%1")
  return text .. fish_words
end

---The script that a shell loads.
---@param shell "bash"|"zsh"|"fish"
---@return string
function completion.script(shell)
  return scripts[shell](arguments.full_parser())
end

return completion
