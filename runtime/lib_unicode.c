// require("luamig.core.unicode"): what the C library's C.UTF-8 locale knows of characters.
//   unicode.is_word(code) -> boolean      a letter, a digit or "_"
//   unicode.lower(code) -> integer
#include <lauxlib.h>
#include <locale.h>
#include <stdbool.h>
#include <wctype.h>

// Made once; where the C library has no such locale, characters beyond ASCII are all letters.
static locale_t utf8_locale(void)
{
    static locale_t locale;
    static bool is_tried;
    if (!is_tried) {
        is_tried = true;
        locale = newlocale(LC_CTYPE_MASK, "C.UTF-8", (locale_t)0);
    }
    return locale;
}

static int lib_unicode_is_word(lua_State *L)
{
    wint_t code = (wint_t)luaL_checkinteger(L, 1);
    locale_t locale = utf8_locale();
    lua_pushboolean(L, code == L'_' ||
                           (locale ? iswalnum_l(code, locale) : code > 127 || iswalnum(code)));
    return 1;
}

static int lib_unicode_lower(lua_State *L)
{
    wint_t code = (wint_t)luaL_checkinteger(L, 1);
    locale_t locale = utf8_locale();
    lua_pushinteger(L, (lua_Integer)(locale ? towlower_l(code, locale) : towlower(code)));
    return 1;
}

static const luaL_Reg functions[] = {
    {"is_word", lib_unicode_is_word},
    {"lower", lib_unicode_lower},
    {NULL, NULL},
};

int luaopen_luamig_core_unicode(lua_State *L);
int luaopen_luamig_core_unicode(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
