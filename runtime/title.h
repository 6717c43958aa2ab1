#pragma once
// The process title: what other users of the machine see of our command line. Knows nothing else.

/// Masks the passwords of database URLs and keyword strings in the arguments, in place.
void title_hide_passwords(int argc, char **argv);
