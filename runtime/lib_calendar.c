// require("luamig.core.calendar"): a moment, as the wall clock of a named time zone shows it.
#include <lauxlib.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { ZONE_SIZE = 256, PATH_SIZE = 512, TEXT_SIZE = 256 };

// glibc takes an unknown name for UTC without a word, so the name must be a file of the database.
static bool zone_is_known(const char *zone)
{
    char path[PATH_SIZE];
    if (strcmp(zone, "UTC") == 0) {
        return true;
    }
    if (!*zone || *zone == '/' || strstr(zone, "..") || strlen(zone) >= ZONE_SIZE) {
        return false;
    }
    strcpy(path, "/usr/share/zoneinfo/");
    strcat(path, zone);
    return access(path, R_OK) == 0;
}

static void zone_set(const char *zone)
{
    if (zone) {
        setenv("TZ", zone, 1);
    } else {
        unsetenv("TZ");
    }
    tzset();
}

// format(seconds, strftime_format, zone) -> text, or nil when the zone is not known.
// "local" is the zone of the process. Only the main thread may call this: TZ is process-wide.
static int lib_calendar_format(lua_State *L)
{
    time_t seconds = (time_t)luaL_checkinteger(L, 1);
    const char *format = luaL_checkstring(L, 2);
    const char *zone = luaL_checkstring(L, 3);
    bool is_local = strcmp(zone, "local") == 0;
    if (!is_local && !zone_is_known(zone)) {
        lua_pushnil(L);
        return 1;
    }
    char before[ZONE_SIZE];
    const char *set = getenv("TZ");
    bool had = set && strlen(set) < sizeof before;
    if (had) {
        strcpy(before, set);
    }
    if (!is_local) {
        zone_set(zone);
    }
    struct tm broken_down;
    char text[TEXT_SIZE];
    size_t size =
        localtime_r(&seconds, &broken_down) ? strftime(text, sizeof text, format, &broken_down) : 0;
    if (!is_local) {
        zone_set(had ? before : NULL);
    }
    lua_pushlstring(L, text, size);
    return 1;
}

static const luaL_Reg functions[] = {
    {"format", lib_calendar_format},
    {NULL, NULL},
};

int luaopen_luamig_core_calendar(lua_State *L);
int luaopen_luamig_core_calendar(lua_State *L)
{
    luaL_newlib(L, functions);
    return 1;
}
