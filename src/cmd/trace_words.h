/* trace_words: what rows made of traces are, and what they are sorted by. */
#ifndef SEEP_CMD_TRACE_WORDS_H
#define SEEP_CMD_TRACE_WORDS_H

#include "cmd/options.h"

extern const struct option_word trace_group_words[]; /* enum seep_report_group */
extern const struct option_word trace_order_words[]; /* enum seep_report_order */

#endif
