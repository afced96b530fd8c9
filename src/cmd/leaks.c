/*
 * The command `seep leaks`: one look for lost memory, in a running process or at the end of
 * a command that it starts.
 */
#include "cmd/leaks_priv.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "base/quote.h"
#include "cmd/output.h"
#include "cmd/process.h"
#include "report/report.h"

/* --- the look ----------------------------------------------------------------------- */

static void ignore_signal(int signal)
{
	(void)signal;
}

/*
 * Ctrl-C is meant for the command, which seep outlives to report on it. A handler, unlike
 * SIG_IGN, is not inherited by the command.
 */
static void leave_signals_to_command(void)
{
	static const int signals[] = { SIGINT, SIGQUIT };
	struct sigaction action = { .sa_handler = ignore_signal, .sa_flags = SA_RESTART };
	for (size_t i = 0; i < ARRAY_SIZE(signals); i++)
		sigaction(signals[i], &action, NULL);
}

/* A process, or a file that holds the memory of one. */
static struct error *look_at_target(struct seep_leaks_options *request,
				    const char *target, struct leaks_report **report)
{
	struct error *error = process_or_file(target, &request->pid, &request->file);
	if (!error && request->sysroot && !request->file)
		error = leaks_sysroot_unwanted();
	if (!error)
		error = seep_leaks(request, report);
	if (error && error->code == ERROR_REFUSED && request->file)
		error = process_namesake(error, request->file);
	return error;
}

static struct error *look(const struct leaks_arguments *arguments,
			  const struct operands *operands, int *command_status,
			  struct leaks_report **report)
{
	struct seep_leaks_options request = leaks_request(arguments);
	if (!arguments->at_exit)
		return look_at_target(&request, operands->items[0], report);
	leave_signals_to_command();
	request.command = operands->items;
	request.command_status = command_status;
	return seep_leaks(&request, report);
}

/* --- the answer --------------------------------------------------------------------- */

/* An option, if it was given. */
static void put_text(struct str *out, const char *option, const char *text)
{
	if (!text)
		return;
	str_printf(out, "%s ", option);
	quote_for_shell(out, text);
	str_puts(out, " ");
}

/* One that was given so often; its texts end with NULL. */
static void put_texts(struct str *out, const char *option, const struct text_vec *texts)
{
	for (const char *const *text = texts->items; *text; text++)
		put_text(out, option, *text);
}

/* The words that make the same look again, for the line "next:". */
static void put_again(struct str *out, const struct leaks_arguments *arguments,
		      const struct operands *operands)
{
	if (arguments->choice.strict)
		str_puts(out, "--strict ");
	if (arguments->types)
		str_puts(out, "--types ");
	put_texts(out, "--exclude", &arguments->choice.excludes);
	put_texts(out, "--suppressions", &arguments->choice.suppressions);
	put_text(out, "--sysroot", arguments->sysroot);
	put_text(out, "--recording", arguments->recording);
	put_text(out, "--diff-from", arguments->diff_from);
	if (arguments->max_pause_ms)
		str_printf(out, "--max-pause %u ", arguments->max_pause_ms);
	str_puts(out, arguments->at_exit ? "--at-exit --" : "");
	for (size_t i = 0; i < operands->nr; i++) {
		str_puts(out, i || arguments->at_exit ? " " : "");
		quote_for_shell(out, operands->items[i]);
	}
}

struct error *leaks_write(const struct leaks_arguments *arguments,
			  const struct operands *operands, unsigned flags,
			  const struct leaks_report *report)
{
	FILE *stream = arguments->at_exit ? stderr : stdout;
	struct str again = { 0 };
	put_again(&again, arguments, operands);
	struct report_options style = output_style(arguments->output, stream);
	style.again = str_text(&again);
	style.flags |= flags | (arguments->verbose ? REPORT_VERBOSE : 0);
	style.flags |= arguments->at_exit ? REPORT_ENDED : 0;
	style.flags |= arguments->choice.gen_suppressions ? REPORT_RULES : 0;
	struct str text =
		report_renderer(arguments->json ? "json" : "text")->leaks(report, &style);
	struct error *error = output_put(arguments->output, stream, &text);
	str_deinit(&again);
	return error;
}

/* The command's own end is told when it was not a good one. */
static void tell_command_status(const char *command, int status)
{
	if (WIFSIGNALED(status))
		fprintf(stderr, "seep: %s was ended by signal %d (%s).\n", command,
			WTERMSIG(status), strsignal(WTERMSIG(status)));
	else if (WIFEXITED(status) && WEXITSTATUS(status))
		fprintf(stderr, "seep: %s ended with status %d.\n", command,
			WEXITSTATUS(status));
}

enum exit_status leaks_judge(const struct leaks_report *report)
{
	if (leaks_report_has_leaks(report))
		return STATUS_FINDINGS;
	if (report->coverage_percent >= REPORT_FULL_COVERAGE_PERCENT)
		return STATUS_FINE;
	return STATUS_UNABLE;
}

static enum exit_status tell(const struct leaks_arguments *arguments,
			     const struct operands *operands, int command_status,
			     const struct leaks_report *report)
{
	if (command_status != -1)
		tell_command_status(operands->items[0], command_status);
	struct error *error = leaks_write(arguments, operands, 0, report);
	return error ? output_complain(error) : leaks_judge(report);
}

static enum exit_status look_and_tell(const struct leaks_arguments *arguments,
				      const struct operands *operands)
{
	struct leaks_report *report = NULL;
	int command_status = -1;
	struct error *error = leaks_check(arguments, operands);
	if (!error)
		error = look(arguments, operands, &command_status, &report);
	if (!report)
		return output_complain(error);
	enum exit_status status = tell(arguments, operands, command_status, report);
	seep_leaks_report_destroy(report);
	return status;
}

static enum exit_status run(char **argv)
{
	struct leaks_arguments arguments = { .choice = LEAK_CHOICE_INIT };
	struct operands operands;
	enum exit_status status;
	if (command_begin(&leaks_command, argv, &arguments, &operands, &status)) {
		if (leak_choice_complete(&arguments.choice))
			status = arguments.interval_ms
					 ? leaks_watch(&arguments, &operands)
					 : look_and_tell(&arguments, &operands);
		else
			status = output_complain(error_no_memory());
	}
	leak_choice_deinit(&arguments.choice);
	return status;
}

const struct command leaks_command = { &leaks_syntax, run };
