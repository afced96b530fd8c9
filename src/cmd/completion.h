/*
 * completion: what a shell needs to complete seep's command lines, made from the same
 * tables as parsing and help.
 */
#ifndef SEEP_CMD_COMPLETION_H
#define SEEP_CMD_COMPLETION_H

#include "base/str.h"

/* The script for "bash", "zsh" or "fish", for the caller to end; false for other shells. */
bool completion_script(const char *shell, struct str *script);

#endif
