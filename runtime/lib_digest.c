// require("luamig.core.digest"): SHA-256 of a text, in hexadecimal.
#include <lauxlib.h>
#include <sys/types.h>

#include <sha2.h>

static int lib_digest_sha256(lua_State *L)
{
    size_t size;
    const char *text = luaL_checklstring(L, 1, &size);
    SHA2_CTX context;
    char hex[SHA256_DIGEST_STRING_LENGTH];
    SHA256Init(&context);
    SHA256Update(&context, (const uint8_t *)text, size);
    SHA256End(&context, hex);
    lua_pushstring(L, hex);
    return 1;
}

static const luaL_Reg functions[] = {
    {"sha256", lib_digest_sha256},
    {NULL, NULL},
};

int luaopen_luamig_core_digest(lua_State *L);
int luaopen_luamig_core_digest(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
