#pragma once
// SQL texts of luamig's own tables, whose names are set by the project: a text holds %X where the
// name with the code X belongs. Knows nothing of what the texts say.

/// A name in quotes, which is right for every name; the caller frees it. NULL without memory.
char *template_ident(const char *name);

/// "schema"."table" with a suffix on the table's name; the caller frees it. NULL without memory.
char *template_qualify(const char *schema, const char *table, const char *suffix);

/// Puts the names in. Behind a quote ('%X') the name stands in a literal: its quotes are doubled.
/// @param name_of  the name of a code, NULL when there is none: the text stays as it is
/// @return the caller frees it; NULL without memory
char *template_expand(const char *text, const char *(*name_of)(const void *data, char code),
                      const void *data);
