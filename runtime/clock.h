#pragma once
// Monotonic time and a sleep that a signal wakes.
#include <stdbool.h>
#include <stdint.h>

/// Milliseconds of a clock that never goes back.
int64_t clock_now_ms(void);

/// Sleeps until the time is over or a signal asks to stop.
/// @return false when it was woken by a signal
bool clock_sleep_ms(int64_t duration_ms);

/// A random number from 0 to limit (inclusive), for jitter.
int64_t clock_jitter_ms(int64_t limit_ms);
