/*
 * trace_tables: the chunks of a trace that are tables, decoded into a struct trace.
 */
#ifndef SEEP_SNAP_TRACE_TABLES_PRIV_H
#define SEEP_SNAP_TRACE_TABLES_PRIV_H

#include "snap/pack.h"
#include "snap/trace_reader.h"

/* What a decoder returns when it is not the file's fault. */
extern const char trace_tables_no_memory[];

/* Adds the table to the trace; NULL, or what is wrong with the chunk ("names a …"). The
   caller checks payload->bad. */
typedef const char *trace_table_decoder(struct trace *trace, struct unpack *payload);

/* The decoder of a chunk type; NULL: it is no table. */
trace_table_decoder *trace_tables_decoder(uint32_t type);

void trace_tables_deinit(struct trace *trace);

#endif
