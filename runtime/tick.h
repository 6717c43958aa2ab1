#pragma once
// A look at the clock now and then, for a thread that computes: a signal to that thread alone.
#include <stdbool.h>
#include <time.h>

struct tick {
    timer_t timer;
    bool is_on;
};

/// Calls a function every so often within a signal's handler, on the calling thread, which must
/// also call tick_stop(). Without a timer of the system's nothing is called.
/// @param every_ms  more than 0
/// @param function  may do only what a handler may; one for the whole process
void tick_start(struct tick *tick, int every_ms, void (*function)(void));
void tick_stop(struct tick *tick);
