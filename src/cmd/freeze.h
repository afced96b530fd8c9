/*
 * freeze: the words of --freeze, which several commands take.
 */
#ifndef SEEP_CMD_FREEZE_H
#define SEEP_CMD_FREEZE_H

#include "cmd/options.h"

/* The values are those of enum seep_freeze. */
extern const struct option_word freeze_words[];

#endif
