/* source_priv: the openers behind the rows of source.c. */
#ifndef SEEP_ANALYSE_SOURCE_PRIV_H
#define SEEP_ANALYSE_SOURCE_PRIV_H

#include "analyse/source.h"

struct error *source_open_target(const struct source_options *options,
				 struct source **result) MUST_CHECK;
struct error *source_open_snapshot(const struct source_options *options,
				   struct source **result) MUST_CHECK;

#endif
