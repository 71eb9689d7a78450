/* lib/clock.h - monotonic time for everything that waits; wall time only for what people read. */
#ifndef SLUSS_LIB_CLOCK_H
#define SLUSS_LIB_CLOCK_H

#include "lib/base.h"

/** Microseconds of CLOCK_MONOTONIC. */
uint64_t clock_us(void);
/** Seconds since 1970 of the wall clock. */
int64_t clock_wall_s(void);

#endif
