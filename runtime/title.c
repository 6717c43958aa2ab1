#include "title.h"

#include <string.h>

// Up to the last @, for an @ may stand in the password itself: such a URL is refused later.
static void url_mask(char *url)
{
    char *start = strstr(url, "://");
    char *at = start ? strrchr(start, '@') : NULL;
    char *colon = at ? memchr(start + 3, ':', (size_t)(at - start - 3)) : NULL;
    if (colon) {
        memset(colon + 1, '*', (size_t)(at - colon - 1));
    }
}

// password=… of a query (up to &) or of a keyword string (up to a blank, unless it is quoted).
static void keyword_mask(char *text)
{
    static const char word[] = "password";
    for (char *at = strstr(text, word); at; at = strstr(at, word)) {
        at += strlen(word);
        char *value = at + strspn(at, " ");
        if (*value != '=') {
            continue;
        }
        value += 1 + strspn(value + 1, " ");
        size_t size = *value == '\'' ? strlen(value) : strcspn(value, "& ");
        memset(value, '*', size);
        at = value + size;
    }
}

void title_hide_passwords(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        url_mask(argv[i]);
        keyword_mask(argv[i]);
    }
}
