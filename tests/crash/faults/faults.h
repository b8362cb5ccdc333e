/*
 * Fault points as a test uses them: which there are, and what becomes of a thread that comes to one.
 *
 * Only changes of the arena's words count: what a process has for itself goes with it.
 */
#ifndef MP_TEST_FAULTS_H
#define MP_TEST_FAULTS_H

#include "point.h"

#include <stdint.h>

#define MP_TEST_LABELS_MOST 512u
#define MP_TEST_NOWHERE     UINT32_MAX

/* The labels, by file and line: the same numbers in every process of the program. */
unsigned mp_test_label_count(void);
const mp_test_point_t *mp_test_label(unsigned label);
const char *mp_test_file_of(const mp_test_point_t *point); /* below src/ */

/* Why no role comes to it; NULL: one must. (excuses.c) */
const char *mp_test_excuse(const mp_test_point_t *point);

/* Where one is to die: at a label and a side of it, the nth time. */
typedef struct mp_test_fate {
    uint32_t label; /* MP_TEST_NOWHERE: it lives */
    uint32_t side;
    uint32_t nth; /* from 1 on */
} mp_test_fate_t;

/* What became of it, in shared memory. */
typedef struct mp_test_witness {
    uint32_t dead;
    uint32_t hits[MP_TEST_LABELS_MOST][MP_TEST_SIDES];
} mp_test_witness_t;

/* From now on this thread counts its points, and dies where it is to die: killed by the system, nothing else runs. */
void mp_test_fate_begin(mp_test_fate_t fate, mp_test_witness_t *witness);
void mp_test_fate_end(void);

/* The same for the processes that this one starts from now on, from their first moment: before they are members. */
void mp_test_fate_of_children(mp_test_fate_t fate);
void mp_test_fate_of_children_end(void);

/* In such a process: its counts go to the witness from now on. */
void mp_test_fate_tell(mp_test_witness_t *witness);

/* As if it were its fate. */
void mp_test_die_now(mp_test_witness_t *witness);

#endif
