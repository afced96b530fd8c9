/*
 * help: what --help shows, made from a command's syntax.
 */
#ifndef SEEP_CMD_HELP_H
#define SEEP_CMD_HELP_H

#include "base/str.h"
#include "cmd/options.h"

/* The help of one command; the caller ends it with str_deinit(). */
struct str help_text(const struct syntax *syntax, unsigned width);

/* What seep is, and the list of its commands. */
struct str help_overview(unsigned width);

#endif
