#pragma once
// SIGINT, SIGTERM and SIGHUP. The first one is remembered, and whoever waits is woken: the
// statement is cancelled, the transaction rolled back, the state printed. The second one ends the
// process at once; the server then rolls back by itself what was not committed.

/// Installs the handlers; SIGPIPE is ignored.
void interrupt_install(void);

/// How many signals have come.
unsigned interrupt_count(void);

/// The last signal that came, 0 when none: the exit status is 128 + signal.
int interrupt_signal(void);

/// Becomes readable with the first signal, and stays so; -1 before interrupt_install().
int interrupt_fd(void);

/// The signals go to another thread than the calling one from now on.
void interrupt_leave(void);

/// Calls a function with the first signal, within its handler: it may do only what a handler may.
/// NULL for none.
void interrupt_call(void (*function)(void));
