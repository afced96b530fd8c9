/*
 * completion: see completion.h; and the command `seep completion`.
 *
 * Every shell has a fixed frame, which knows how to list processes and comma-separated
 * words, and rows made from the tables.
 */
#include "cmd/completion.h"

#include <string.h>

#include "cmd/command.h"
#include "cmd/output.h"

/* --- words from the tables ---------------------------------------------------------- */

static void put_words(struct str *out, const struct option_word *words)
{
	for (size_t i = 0; words && words[i].word; i++)
		str_printf(out, "%s%s", i ? " " : "", words[i].word);
}

static void put_command_names(struct str *out)
{
	const struct command *command;
	for (size_t i = 0; (command = command_at(i)); i++)
		str_printf(out, "%s%s", i ? " " : "", command->syntax->name);
}

/* Text inside single quotes; `quote` is how the shell writes a single quote there. */
static void put_escaped(struct str *out, const char *text, const char *quote)
{
	for (; *text; text++)
		if (*text == '\'')
			str_puts(out, quote);
		else
			str_append(out, text, 1);
}

/* --- bash --------------------------------------------------------------------------- */

static const char bash_head[] =
	"# bash completion for seep; made by: seep completion bash\n"
	"\n"
	"_seep_processes()\n"
	"{\n"
	"\tlocal folder line name\n"
	"\tfor folder in /proc/[0-9]*; do\n"
	"\t\tIFS= read -r -d '' line <\"$folder/cmdline\" || continue\n"
	"\t\tIFS= read -r name <\"$folder/comm\" || continue\n"
	"\t\tprintf '%s\\n%s\\n' \"${folder#/proc/}\" \"$name\"\n"
	"\tdone 2>/dev/null\n"
	"}\n"
	"\n"
	"# Words, one per line on stdin, that begin with $1, quoted where they need it.\n"
	"_seep_offer()\n"
	"{\n"
	"\tlocal candidate\n"
	"\twhile IFS= read -r candidate; do\n"
	"\t\t[[ $candidate == \"$1\"* ]] || continue\n"
	"\t\tCOMPREPLY+=(\"$(printf '%q' \"$candidate\")\")\n"
	"\tdone\n"
	"}\n"
	"\n"
	"_seep_offer_files()\n"
	"{\n"
	"\tcompopt -o filenames\n"
	"\tmapfile -t COMPREPLY < <(compgen -f -- \"$1\")\n"
	"}\n"
	"\n"
	"# The last of a list of words joined by commas; $1 is the list so far.\n"
	"_seep_offer_list()\n"
	"{\n"
	"\tlocal head= candidate\n"
	"\t[[ $1 == *,* ]] && head=${1%,*},\n"
	"\tfor candidate in $2; do\n"
	"\t\t[[ $head$candidate == \"$1\"* ]] && COMPREPLY+=(\"$head$candidate\")\n"
	"\tdone\n"
	"}\n"
	"\n"
	"_seep()\n"
	"{\n"
	"\tlocal word=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]} i\n"
	"\tCOMPREPLY=()\n"
	"\t# --name=value is three words to bash.\n"
	"\tif [[ $word == '=' ]]; then\n"
	"\t\tword=\n"
	"\telif [[ $previous == '=' ]]; then\n"
	"\t\tprevious=${COMP_WORDS[COMP_CWORD - 2]}\n"
	"\tfi\n"
	"\tif ((COMP_CWORD == 1)); then\n"
	"\t\tCOMPREPLY=($(compgen -W '";

static const char bash_after_commands[] = "' -- \"$word\"))\n"
					  "\t\treturn\n"
					  "\tfi\n"
					  "\tfor ((i = 2; i < COMP_CWORD; i++)); do\n"
					  "\t\t[[ ${COMP_WORDS[i]} == -- ]] || continue\n"
					  "\t\tif ((i == COMP_CWORD - 1)); then\n"
					  "\t\t\tCOMPREPLY=($(compgen -c -- \"$word\"))\n"
					  "\t\telse\n"
					  "\t\t\tCOMPREPLY=($(compgen -f -- \"$word\"))\n"
					  "\t\tfi\n"
					  "\t\treturn\n"
					  "\tdone\n"
					  "\tcase ${COMP_WORDS[1]}:$previous in\n";

static const char bash_tail[] = "\tesac\n"
				"}\n"
				"complete -F _seep seep\n";

static const char *const bash_values[] = {
	[OPTION_FILE] = "_seep_offer_files \"$word\"",
	[OPTION_FILES] = "_seep_offer_files \"$word\"",
	[OPTION_TEXT] = "",
	[OPTION_TEXTS] = "",
	[OPTION_SIZE] = "COMPREPLY=($(compgen -W '500M 1G 2G' -- \"$word\"))",
	[OPTION_INTERVAL] = "COMPREPLY=($(compgen -W '10s 1m 10m' -- \"$word\"))",
	[OPTION_DURATION] = "COMPREPLY=($(compgen -W '200ms 500ms 2s' -- \"$word\"))",
};

static void put_bash_value(struct str *out, const struct syntax *syntax,
			   const struct option *option)
{
	if (!option->argument)
		return;
	str_printf(out, "\t%s:--%s | %s:-%s", syntax->name, option->name, syntax->name,
		   option->name);
	if (option->letter)
		str_printf(out, " | %s:-%c", syntax->name, option->letter);
	str_puts(out, ")\n");
	if (option->kind == OPTION_WORDS) {
		str_puts(out, "\t\t_seep_offer_list \"$word\" '");
		put_words(out, option->words);
		str_puts(out, "'\n");
	} else if (option->words || option->kind == OPTION_COUNT) {
		str_puts(out, "\t\tCOMPREPLY=($(compgen -W '");
		put_words(out, option->words);
		str_puts(out, "' -- \"$word\"))\n");
	} else if (*bash_values[option->kind]) {
		str_printf(out, "\t\t%s\n", bash_values[option->kind]);
	}
	str_puts(out, "\t\t;;\n");
}

static bool is_process(enum operand_kind operand)
{
	return operand == OPERAND_PROCESS || operand == OPERAND_TARGET;
}

/* Whether the operand is one of a list; a program's command line is completed apart. */
static bool has_words(enum operand_kind operand)
{
	return operand == OPERAND_COMMAND || operand == OPERAND_WORD;
}

static void put_bash_operands(struct str *out, const struct syntax *syntax)
{
	str_printf(out, "\t%s:*)\n", syntax->name);
	str_puts(out, "\t\tif [[ $word == -* ]]; then\n\t\t\tCOMPREPLY=($(compgen -W '");
	const struct option *option;
	for (size_t i = 0; (option = options_at(syntax, i)); i++)
		str_printf(out, "%s--%s", i ? " " : "", option->name);
	str_puts(out, "' -- \"$word\"))\n");
	if (is_process(syntax->operand)) {
		str_puts(out, "\t\telse\n");
		if (syntax->operand == OPERAND_TARGET)
			str_puts(out, "\t\t\t_seep_offer_files \"$word\"\n");
		str_puts(out, "\t\t\t_seep_offer \"$word\" < <(_seep_processes)\n");
	} else if (syntax->operand == OPERAND_FILE) {
		str_puts(out, "\t\telse\n\t\t\t_seep_offer_files \"$word\"\n");
	} else if (has_words(syntax->operand)) {
		str_puts(out, "\t\telse\n\t\t\tCOMPREPLY=($(compgen -W '");
		if (syntax->operand == OPERAND_COMMAND)
			put_command_names(out);
		put_words(out, syntax->operand_words);
		str_puts(out, "' -- \"$word\"))\n");
	}
	str_puts(out, "\t\tfi\n\t\t;;\n");
}

static void put_bash(struct str *out)
{
	str_puts(out, bash_head);
	put_command_names(out);
	str_puts(out, bash_after_commands);
	const struct command *command;
	const struct option *option;
	for (size_t c = 0; (command = command_at(c)); c++) {
		for (size_t i = 0; (option = options_at(command->syntax, i)); i++)
			put_bash_value(out, command->syntax, option);
		put_bash_operands(out, command->syntax);
	}
	str_puts(out, bash_tail);
}

/* --- zsh ---------------------------------------------------------------------------- */

static const char zsh_head[] =
	"#compdef seep\n"
	"# zsh completion for seep; made by: seep completion zsh\n"
	"\n"
	"_seep_processes()\n"
	"{\n"
	"\tlocal folder name\n"
	"\tlocal -a found\n"
	"\tfor folder in /proc/<->(/N); do\n"
	"\t\tname=${\"$(<$folder/cmdline)\"//$'\\0'/ } 2>/dev/null || continue\n"
	"\t\t[[ -n $name ]] || continue\n"
	"\t\tfound+=(\"${folder:t}:${name//:/\\\\:}\")\n"
	"\t\tname=\"$(<$folder/comm)\" 2>/dev/null || continue\n"
	"\t\tfound+=(\"${name//:/\\\\:}:process ${folder:t}\")\n"
	"\tdone 2>/dev/null\n"
	"\t_describe -V process found\n"
	"}\n"
	"\n"
	"_seep()\n"
	"{\n"
	"\tlocal context state state_descr line\n"
	"\ttypeset -A opt_args\n"
	"\tif ((CURRENT == 2)); then\n"
	"\t\tlocal -a commands=(\n";

static const char zsh_after_commands[] = "\t\t)\n"
					 "\t\t_describe command commands\n"
					 "\t\treturn\n"
					 "\tfi\n"
					 "\tlocal separator=${words[(i)--]}\n"
					 "\tif ((separator < CURRENT)); then\n"
					 "\t\tshift $separator words\n"
					 "\t\t((CURRENT -= separator))\n"
					 "\t\t_normal\n"
					 "\t\treturn\n"
					 "\tfi\n";

static const char zsh_tail[] = "\tesac\n"
			       "}\n"
			       "\n"
			       "if [[ $funcstack[1] == _seep ]]; then\n"
			       "\t_seep \"$@\"\n"
			       "else\n"
			       "\tcompdef _seep seep\n"
			       "fi\n";

/* A description inside an _arguments spec: its brackets and colons are the spec's own. */
static void put_zsh_text(struct str *out, const char *text)
{
	struct str escaped = { 0 };
	for (; *text; text++) {
		if (strchr("[]:\\", *text))
			str_puts(&escaped, "\\");
		str_append(&escaped, text, 1);
	}
	put_escaped(out, str_text(&escaped), "'\\''");
	out->failed |= escaped.failed;
	str_deinit(&escaped);
}

static void put_zsh_option(struct str *out, const struct option *option)
{
	bool repeats = option->kind == OPTION_TEXTS || option->kind == OPTION_FILES;
	const char *repeat = repeats ? "*" : "";
	const char *value = option->argument ? "=" : "";
	if (option->letter)
		str_printf(out, " \\\n\t\t\t'(-%c --%s)'{-%c,--%s%s}'[", option->letter,
			   option->name, option->letter, option->name, value);
	else
		str_printf(out, " \\\n\t\t\t'%s--%s%s[", repeat, option->name, value);
	put_zsh_text(out, option->help);
	str_puts(out, "]");
	if (option->argument)
		str_printf(out, ":%s:", option->argument);
	if (option->kind == OPTION_FILE || option->kind == OPTION_FILES)
		str_puts(out, "_files");
	else if (option->kind == OPTION_WORDS)
		str_puts(out, "_values -s , kind ");
	else if (option->words)
		str_puts(out, "(");
	put_words(out, option->words);
	str_puts(out, option->words && option->kind != OPTION_WORDS ? ")'" : "'");
}

static void put_zsh_command(struct str *out, const struct syntax *syntax)
{
	str_printf(out, "\t%s)\n\t\t_arguments -S", syntax->name);
	const struct option *option;
	for (size_t i = 0; (option = options_at(syntax, i)); i++)
		put_zsh_option(out, option);
	if (syntax->operand == OPERAND_TARGET) {
		str_puts(out, " \\\n\t\t\t':target:{_seep_processes; _files}'");
	} else if (syntax->operand == OPERAND_PROCESS) {
		str_puts(out, " \\\n\t\t\t':process:_seep_processes'");
	} else if (syntax->operand == OPERAND_FILE) {
		str_puts(out, " \\\n\t\t\t'*:file:_files'");
	} else if (has_words(syntax->operand)) {
		str_puts(out, " \\\n\t\t\t':word:(");
		if (syntax->operand == OPERAND_COMMAND)
			put_command_names(out);
		put_words(out, syntax->operand_words);
		str_puts(out, ")'");
	}
	str_puts(out, "\n\t\t;;\n");
}

static void put_zsh(struct str *out)
{
	str_puts(out, zsh_head);
	const struct command *command;
	for (size_t c = 0; (command = command_at(c)); c++) {
		str_printf(out, "\t\t\t'%s:", command->syntax->name);
		put_zsh_text(out, command->syntax->summary);
		str_puts(out, "'\n");
	}
	str_puts(out, zsh_after_commands);
	str_puts(out, "\tlocal name=${words[2]}\n"
		      "\tshift words\n"
		      "\t((CURRENT--))\n"
		      "\tcase $name in\n");
	for (size_t c = 0; (command = command_at(c)); c++)
		put_zsh_command(out, command->syntax);
	str_puts(out, zsh_tail);
}

/* --- fish --------------------------------------------------------------------------- */

static const char fish_head[] =
	"# fish completion for seep; made by: seep completion fish\n"
	"\n"
	"function __seep_processes\n"
	"\tfor folder in (string match -r '^/proc/[0-9]+$' /proc/*)\n"
	"\t\tset -l words (string split0 <$folder/cmdline 2>/dev/null)\n"
	"\t\tor continue\n"
	"\t\tprintf '%s\\t%s\\n' (string replace /proc/ '' $folder) \"$words\"\n"
	"\t\tprintf '%s\\tprocess %s\\n' (cat $folder/comm 2>/dev/null) "
	"(string replace /proc/ '' $folder)\n"
	"\tend\n"
	"end\n"
	"\n"
	"# Whether the words so far begin with the command and have no \"--\".\n"
	"function __seep_in\n"
	"\tset -l words (commandline -opc)\n"
	"\ttest \"$words[2]\" = \"$argv[1]\"; and not contains -- -- $words\n"
	"end\n"
	"\n"
	"function __seep_after_separator\n"
	"\tcontains -- -- (commandline -opc)\n"
	"end\n"
	"\n"
	"# What may follow in the command after \"--\".\n"
	"function __seep_command\n"
	"\tset -l words (commandline -opc) (commandline -ct)\n"
	"\tset -l first (math (contains -i -- -- $words) + 1)\n"
	"\t__fish_complete_subcommand --commandline $words[$first..]\n"
	"end\n"
	"\n"
	"function __seep_list\n"
	"\tset -l word (commandline -ct | string replace -r '^--?[a-z-]+=' '')\n"
	"\tset -l head (string match -r '.*,' -- $word; or echo)\n"
	"\tprintf '%s\\n' $head$argv\n"
	"end\n"
	"\n"
	"complete -c seep -f\n"
	"complete -c seep -n __seep_after_separator -x -a '(__seep_command)'\n";

static void put_fish_text(struct str *out, const char *text)
{
	str_puts(out, " -d '");
	put_escaped(out, text, "\\'");
	str_puts(out, "'");
}

static void put_fish_option(struct str *out, const struct syntax *syntax,
			    const struct option *option)
{
	str_printf(out, "complete -c seep -n '__seep_in %s' -l %s", syntax->name,
		   option->name);
	if (option->letter)
		str_printf(out, " -s %c", option->letter);
	if (option->kind == OPTION_FILE || option->kind == OPTION_FILES)
		str_puts(out, " -r -F");
	else if (option->argument)
		str_puts(out, " -x");
	if (option->words) {
		str_puts(out,
			 option->kind == OPTION_WORDS ? " -a '(__seep_list " : " -a '");
		put_words(out, option->words);
		str_puts(out, option->kind == OPTION_WORDS ? ")'" : "'");
	}
	put_fish_text(out, option->help);
	str_puts(out, "\n");
}

static bool offers_files(enum operand_kind operand)
{
	return operand == OPERAND_TARGET || operand == OPERAND_FILE;
}

static void put_fish_operands(struct str *out, const struct syntax *syntax)
{
	if (!is_process(syntax->operand) && !has_words(syntax->operand))
		return;
	str_printf(out, "complete -c seep -n '__seep_in %s'%s -a '", syntax->name,
		   offers_files(syntax->operand) ? " -F" : "");
	if (is_process(syntax->operand))
		str_puts(out, "(__seep_processes)");
	if (syntax->operand == OPERAND_COMMAND)
		put_command_names(out);
	put_words(out, syntax->operand_words);
	str_puts(out, "'\n");
}

static void put_fish(struct str *out)
{
	str_puts(out, fish_head);
	const struct command *command;
	const struct option *option;
	for (size_t c = 0; (command = command_at(c)); c++) {
		str_printf(out, "complete -c seep -n __fish_use_subcommand -a %s",
			   command->syntax->name);
		put_fish_text(out, command->syntax->summary);
		str_puts(out, "\n");
	}
	for (size_t c = 0; (command = command_at(c)); c++) {
		put_fish_operands(out, command->syntax);
		for (size_t i = 0; (option = options_at(command->syntax, i)); i++)
			put_fish_option(out, command->syntax, option);
	}
}

/* --- seep completion ---------------------------------------------------------------- */

static const struct option_word shell_words[] = {
	{ "bash", 0, NULL },
	{ "zsh", 0, NULL },
	{ "fish", 0, NULL },
	{ 0 },
};

static void (*const shell_scripts[])(struct str *out) = { put_bash, put_zsh, put_fish };

bool completion_script(const char *shell, struct str *script)
{
	for (size_t i = 0; i < ARRAY_SIZE(shell_scripts); i++) {
		if (strcmp(shell_words[i].word, shell))
			continue;
		shell_scripts[i](script);
		return true;
	}
	return false;
}

static const char *const usage[] = { "completion bash|zsh|fish", NULL };

static const struct example examples[] = {
	{ "completion bash > /etc/bash_completion.d/seep", "for all users of bash" },
	{ "completion zsh > /usr/local/share/zsh/site-functions/_seep",
	  "for all users of zsh" },
	{ "completion fish > ~/.config/fish/completions/seep.fish",
	  "for yourself, in fish" },
	{ 0 },
};

static const struct syntax syntax = {
	.name = "completion",
	.summary = "print what a shell needs to complete seep's command lines",
	.usage = usage,
	.operand = OPERAND_WORD,
	.operand_words = shell_words,
	.examples = examples,
};

static enum exit_status run(char **argv)
{
	struct operands operands;
	enum exit_status status;
	if (!command_begin(&completion_command, argv, NULL, &operands, &status))
		return status;
	struct str script = { 0 };
	struct error *error;
	if (operands.nr == 1 && completion_script(operands.items[0], &script))
		error = output_write(NULL, stdout, &script);
	else
		error = error_remedy(
			error_create(ERROR_USAGE,
				     "seep completion needs the name of a shell"),
			"use bash, zsh or fish");
	str_deinit(&script);
	return error ? output_complain(error) : STATUS_FINE;
}

const struct command completion_command = { &syntax, run };
