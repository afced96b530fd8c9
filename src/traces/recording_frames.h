/*
 * recording_frames: the names of a trace's stack nodes.
 *
 * What the trace itself names is taken as it is; for the rest the files of its modules are asked,
 * when they are the recorded ones. Found out when first asked for, and kept by address.
 */
#ifndef SEEP_TRACES_RECORDING_FRAMES_H
#define SEEP_TRACES_RECORDING_FRAMES_H

#include "base/error.h"
#include "model/recording.h"
#include "snap/trace_reader.h"

struct recording_frames; /* opaque */

/* The trace has been read to its end. What is found goes into `places`, which is empty. */
struct error *recording_frames_create(const struct trace *trace,
				      struct recording_places *places,
				      struct recording_frames **result) MUST_CHECK;
void recording_frames_destroy(struct recording_frames *frames);

/* The frames of a node's call, innermost inlined first: *nr numbers from *first on. */
struct error *recording_frames_of(struct recording_frames *frames, uint32_t node,
				  uint32_t *first, uint32_t *nr) MUST_CHECK;

/* The module of a node's code; RECORDING_NONE: none. */
uint32_t recording_frames_module(struct recording_frames *frames, uint32_t node);

/* Whether it is the program itself, not a library. */
bool recording_frames_is_program(const struct recording_frames *frames, uint32_t module);

/* Whether a function hands memory on that others asked for: operator new and the like. */
bool recording_frames_is_allocator(const struct recording_frames *frames,
				   uint32_t function);

/*
 * Whether the code of a node may be of several functions that a linker or compiler folded into one,
 * so that its name may be another's: more than one name stands at its start, or the compiler does that
 * without a trace.
 */
bool recording_frames_is_folded(struct recording_frames *frames, uint32_t node);

/* Sentences about modules that were asked and gave no names. */
struct sentence_vec;
struct error *recording_frames_warn(const struct recording_frames *frames,
				    struct sentence_vec *warnings) MUST_CHECK;

#endif
