// What a database URL says, read by libpq itself.
#include "conn_private.h"

bool conn_settings_read(const char *url, struct conn_settings *out, struct fault *fault)
{
    if (!conn_info_is_sound(url, fault)) {
        return false;
    }
    out->handle = PQconninfoParse(url, NULL);
    return out->handle || fault_set(fault, FAULT_MEMORY, "not enough memory");
}

void conn_settings_clear(struct conn_settings *settings)
{
    PQconninfoFree(settings->handle);
    settings->handle = NULL;
}

bool conn_settings_get(const struct conn_settings *settings, int i, const char **keyword,
                       const char **value)
{
    const PQconninfoOption *options = settings->handle;
    if (!options || !options[i].keyword) {
        return false;
    }
    *keyword = options[i].keyword;
    *value = options[i].val;
    return true;
}
