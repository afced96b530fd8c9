/* help: see help.h; and the command `seep help`. */
#include "cmd/help.h"

#include <string.h>

#include "cmd/command.h"
#include "cmd/output.h"
#include "report/layout.h"

#define INDENT       2
#define OPTION_WIDTH 26 /* where the help of an option begins */
#define NARROW_WIDTH 60 /* below this it begins on a line of its own */

static void put_paragraph(struct str *out, const char *text, unsigned indent,
			  unsigned column, unsigned width)
{
	layout_wrap(out, text, (struct layout_box){ indent, width, column });
}

/* Two columns: `term` (already ending at `*out`) and what it means. */
static void put_meaning(struct str *out, unsigned term_columns, const char *meaning,
			unsigned indent, unsigned width)
{
	if (width < NARROW_WIDTH)
		indent = 3 * INDENT;
	if (term_columns + INDENT > indent) {
		str_puts(out, "\n");
		put_paragraph(out, meaning, indent, 0, width);
	} else {
		put_paragraph(out, meaning, indent, term_columns, width);
	}
}

static void put_option(struct str *out, const struct option *option, unsigned width)
{
	size_t start = out->length;
	if (option->letter)
		str_printf(out, "  -%c, ", option->letter);
	else
		str_puts(out, "      ");
	str_printf(out, "--%s", option->name);
	if (option->argument)
		str_printf(out, " %s", option->argument);

	unsigned columns = (unsigned)(out->length - start);
	struct str meaning = { 0 };
	str_puts(&meaning, option->help);
	for (const struct option_word *word = option->words; word && word->word; word++)
		if (word->help)
			str_printf(&meaning, "\n%s: %s", word->word, word->help);
	put_meaning(out, columns, str_text(&meaning), OPTION_WIDTH, width);
	out->failed |= meaning.failed;
	str_deinit(&meaning);
}

static void put_usage(struct str *out, const struct syntax *syntax)
{
	for (const char *const *usage = syntax->usage; *usage; usage++)
		str_printf(out, "%s seep %s\n",
			   usage == syntax->usage ? "usage:" : "      ", *usage);
}

static void put_options(struct str *out, const struct syntax *syntax, unsigned width)
{
	str_puts(out, "\noptions (one dash will do as well as two):\n");
	const struct option *option;
	for (size_t i = 0; (option = options_at(syntax, i)); i++)
		put_option(out, option, width);
}

static void put_examples(struct str *out, const struct syntax *syntax, unsigned width)
{
	if (!syntax->examples)
		return;
	str_puts(out, "\nexamples:\n");
	for (const struct example *example = syntax->examples; example->words;
	     example++) {
		str_printf(out, "  seep %s\n", example->words);
		put_paragraph(out, example->purpose, 3 * INDENT, 0, width);
	}
}

static void put_exit_codes(struct str *out, const struct syntax *syntax, unsigned width)
{
	if (!syntax->exit_codes)
		return;
	str_puts(out, "\nexit status:\n");
	for (const struct exit_code *code = syntax->exit_codes; code->meaning; code++) {
		str_printf(out, "  %d  ", code->code);
		put_paragraph(out, code->meaning, 5, 5, width);
	}
}

struct str help_text(const struct syntax *syntax, unsigned width)
{
	struct str out = { 0 };
	str_printf(&out, "seep %s: ", syntax->name);
	put_paragraph(&out, syntax->summary, INDENT, (unsigned)out.length, width);
	str_puts(&out, "\n");
	put_usage(&out, syntax);
	if (syntax->about) {
		str_puts(&out, "\n");
		put_paragraph(&out, syntax->about, 0, 0, width);
	}
	put_options(&out, syntax, width);
	put_examples(&out, syntax, width);
	put_exit_codes(&out, syntax, width);
	if (syntax->exit_codes)
		str_printf(&out, "\nmanual: man seep-%s\n", syntax->name);
	return out;
}

struct str help_overview(unsigned width)
{
	struct str out = { 0 };
	put_paragraph(&out,
		      "seep finds lost memory in running programs that nobody prepared, "
		      "without restarting them",
		      INDENT, INDENT, width);
	str_puts(&out, "\nusage: seep COMMAND [OPTION]... [TARGET]\n\ncommands:\n");
	const struct command *command;
	for (size_t i = 0; (command = command_at(i)); i++) {
		size_t start = out.length;
		str_printf(&out, "  %s", command->syntax->name);
		put_meaning(&out, (unsigned)(out.length - start),
			    command->syntax->summary, 14, width);
	}
	str_puts(&out, "\nexamples:\n"
		       "  seep leaks 412\n"
		       "  seep leaks redis-server\n"
		       "  seep leaks --at-exit -- ./server --test\n"
		       "  seep doctor 412\n"
		       "\nmore: seep help COMMAND, man seep\n");
	return out;
}

/* --- seep help ---------------------------------------------------------------------- */

static const char *const usage[] = { "help [COMMAND]", NULL };

static const struct syntax syntax = {
	.name = "help",
	.summary = "show what seep or one of its commands does",
	.usage = usage,
	.operand = OPERAND_COMMAND,
};

static enum exit_status print(struct str text)
{
	struct error *error = output_write(NULL, stdout, &text);
	str_deinit(&text);
	return error ? output_complain(error) : STATUS_FINE;
}

static enum exit_status run(char **argv)
{
	struct operands operands;
	enum exit_status status;
	if (!command_begin(&help_command, argv, NULL, &operands, &status))
		return status;
	if (!operands.nr)
		return print(help_overview(output_width(stdout)));
	const struct command *command = command_named(operands.items[0]);
	if (!command)
		return command_unknown(operands.items[0]);
	return print(help_text(command->syntax, output_width(stdout)));
}

const struct command help_command = { &syntax, run };
