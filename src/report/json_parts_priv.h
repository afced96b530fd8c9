/* json_parts: pieces that several reports for programs share. */
#ifndef SEEP_REPORT_JSON_PARTS_PRIV_H
#define SEEP_REPORT_JSON_PARTS_PRIV_H

#include <sys/types.h>

#include "report/json_writer_priv.h"

/* The keys for "redis-server (412)": the name without the pid, which has its own key. */
void json_target(struct json_writer *json, pid_t pid, const char *target);

/* An array of a NULL-terminated list; an empty one for NULL. */
void json_sentences(struct json_writer *json, const char *key, char **sentences);

#endif
