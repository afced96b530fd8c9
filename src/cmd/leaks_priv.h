/* leaks_priv: what the parts of the command `seep leaks` share. */
#ifndef SEEP_CMD_LEAKS_PRIV_H
#define SEEP_CMD_LEAKS_PRIV_H

#include "cmd/command.h"
#include "cmd/leak_choice.h"
#include "model/leaks.h"
#include "seep/leaks.h"

struct leaks_arguments {
	struct leak_choice choice;
	unsigned group_by, freeze, max_pause_ms, interval_ms, count;
	uint64_t max_copy_bytes;
	bool json, at_exit, verbose, types;
	const char *output, *sysroot, *diff_from, *recording;
};

/* --- what was asked for (leaks_arguments.c) ------------------------------------------ */

extern const struct syntax leaks_syntax;

struct error *leaks_check(const struct leaks_arguments *arguments,
			  const struct operands *operands) MUST_CHECK;
/* Says that --sysroot is given for what is no core. */
struct error *leaks_sysroot_unwanted(void) MUST_CHECK;
/* The look that is asked for, at what is yet to be set. */
struct seep_leaks_options leaks_request(const struct leaks_arguments *arguments);

/* --- the answer (leaks.c) ------------------------------------------------------------ */

/* `flags` (enum report_flags) are added to those of the arguments. */
struct error *leaks_write(const struct leaks_arguments *arguments,
			  const struct operands *operands, unsigned flags,
			  const struct leaks_report *report) MUST_CHECK;
/* The exit status that a report comes to. */
enum exit_status leaks_judge(const struct leaks_report *report);

/* --- again and again (leaks_watch.c) ------------------------------------------------- */

enum exit_status leaks_watch(const struct leaks_arguments *arguments,
			     const struct operands *operands);

#endif
