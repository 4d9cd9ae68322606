// The measurements of instances and memories.
#ifndef INSTANCES_H
#define INSTANCES_H

#include "rows.h"

sample_t run_page(void);
sample_t run_bare(void);
sample_t run_small_data(void);
sample_t run_large_data(void);
sample_t run_table(void);
sample_t run_grow_host(void);
sample_t run_grow_guest(void);
sample_t run_grow_checked(void);
sample_t run_grow_touched(void);
sample_t run_two_threads(void);
sample_t run_live_bare(void);
sample_t run_live_page(void);
sample_t run_rounds(void);
sample_t run_memories(void);

#endif
