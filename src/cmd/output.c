/* output: see output.h. */
#include "cmd/output.h"

#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/cleanup.h"
#include "base/new_file.h"
#include "report/layout.h"

#define PLAIN_WIDTH    80
#define LEAST_WIDTH    40
#define MOST_WIDTH     200
#define ENDLESS_WIDTH  1000000 /* for logs, which are searched by line */
#define COMPLAINT_LEAD 6       /* columns of "seep: " */

unsigned output_width(FILE *stream)
{
	struct winsize size;
	if (ioctl(fileno(stream), TIOCGWINSZ, &size) < 0 || !size.ws_col)
		return PLAIN_WIDTH;
	if (size.ws_col < LEAST_WIDTH)
		return LEAST_WIDTH;
	return size.ws_col > MOST_WIDTH ? MOST_WIDTH : size.ws_col;
}

static bool shows_colour(FILE *stream)
{
	const char *refusal = getenv("NO_COLOR"), *terminal = getenv("TERM");
	if (refusal && *refusal)
		return false;
	return isatty(fileno(stream)) && terminal && *terminal &&
	       strcmp(terminal, "dumb");
}

unsigned output_flags(FILE *stream)
{
	unsigned flags = shows_colour(stream) ? REPORT_COLOUR : 0;
	return flags | (strcmp(nl_langinfo(CODESET), "UTF-8") ? REPORT_ASCII : 0);
}

struct report_options output_style(const char *path, FILE *stream)
{
	if (path)
		return (struct report_options){ 0 };
	return (struct report_options){
		.width = output_width(stream),
		.flags = output_flags(stream),
	};
}

/* --- files -------------------------------------------------------------------------- */

/* The file behind links; the path itself when there is no such file yet. */
static char *resolve(const char *path)
{
	char *resolved = realpath(path, NULL);
	return resolved ? resolved : strdup(path);
}

/* The folder that a path's last part stands in. */
static char *folder_of(const char *path)
{
	const char *slash = strrchr(path, '/');
	if (!slash)
		return strdup(".");
	return strndup(path, slash == path ? 1 : (size_t)(slash - path));
}

static bool is_special(const char *path)
{
	struct stat stat_now;
	return !stat(path, &stat_now) && !S_ISREG(stat_now.st_mode);
}

struct error *output_check(const char *path)
{
	CLEANUP_FREE char *resolved = resolve(path);
	CLEANUP_FREE char *folder = resolved ? folder_of(resolved) : NULL;
	if (!folder)
		return error_no_memory();
	struct stat stat_now;
	if (!stat(resolved, &stat_now) && S_ISDIR(stat_now.st_mode)) {
		errno = EISDIR;
		return new_file_error(path);
	}
	if (!(is_special(path) ? access(path, W_OK) : access(folder, W_OK | X_OK)))
		return NULL;
	return error_remedy(new_file_error(path),
			    "give -o a file in a folder that exists and "
			    "that you may write to");
}

static bool write_all(int fd, const struct str *text)
{
	for (size_t done = 0; done < text->length;) {
		ssize_t written = write(fd, text->text + done, text->length - done);
		if (written < 0 && errno != EINTR)
			return false;
		done += written > 0 ? (size_t)written : 0;
	}
	return true;
}

static struct error *write_special(const char *path, const struct str *text)
{
	CLEANUP_CLOSE int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	return fd >= 0 && write_all(fd, text) ? NULL : new_file_error(path);
}

static struct error *write_file(const char *path, const struct str *text)
{
	struct new_file file;
	struct error *error = new_file_create(path, &file);
	if (!error && !write_all(file.fd, text))
		error = new_file_error(path);
	if (!error)
		error = new_file_commit(&file);
	new_file_deinit(&file);
	return error;
}

struct error *output_write(const char *path, FILE *stream, const struct str *text)
{
	if (text->failed)
		return error_no_memory();
	if (path)
		return is_special(path) ? write_special(path, text)
					: write_file(path, text);
	fwrite(text->text, 1, text->length, stream);
	if (fflush(stream) || ferror(stream))
		return new_file_error(stream == stdout ? "to stdout" : "to stderr");
	return NULL;
}

struct error *output_put(const char *path, FILE *stream, struct str *text)
{
	struct error *error = output_write(path, stream, text);
	str_deinit(text);
	return error;
}

/* --- bit by bit --------------------------------------------------------------------- */

struct error *output_open(const char *path, FILE *stream, struct output *output)
{
	*output = (struct output){
		.path = path, .stream = stream, .file.fd = -1, .special = -1
	};
	if (!path)
		return NULL;
	if (!is_special(path))
		return new_file_create(path, &output->file);
	output->special = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
	return output->special >= 0 ? NULL : new_file_error(path);
}

struct error *output_add(struct output *output, struct str *text)
{
	struct error *error = NULL;
	if (!output->path) {
		error = output_write(NULL, output->stream, text);
	} else if (text->failed) {
		error = error_no_memory();
	} else {
		int fd = output->special >= 0 ? output->special : output->file.fd;
		error = write_all(fd, text) ? NULL : new_file_error(output->path);
	}
	str_deinit(text);
	return error;
}

struct error *output_close(struct output *output)
{
	return output->file.fd >= 0 ? new_file_commit(&output->file) : NULL;
}

void output_drop(struct output *output)
{
	if (output->special >= 0)
		close(output->special);
	new_file_deinit(&output->file);
}

/* --- complaints --------------------------------------------------------------------- */

static const enum exit_status error_statuses[] = {
	[ERROR_USAGE] = STATUS_USAGE,   [ERROR_REFUSED] = STATUS_UNABLE,
	[ERROR_BUSY] = STATUS_UNABLE,   [ERROR_BUDGET] = STATUS_UNABLE,
	[ERROR_FORMAT] = STATUS_UNABLE, [ERROR_READ] = STATUS_UNABLE,
	[ERROR_SYSTEM] = STATUS_UNABLE, [ERROR_MEMORY] = STATUS_UNABLE,
};

/* Where the lines of a complaint break: nowhere unless somebody watches. */
static struct layout_box complaint_box(unsigned column)
{
	unsigned width = isatty(STDERR_FILENO) ? output_width(stderr) : ENDLESS_WIDTH;
	return (struct layout_box){ COMPLAINT_LEAD, width, column };
}

static void put_sentence(struct str *out, const char *sentence, unsigned flags)
{
	struct str visible = { 0 };
	layout_escape(&visible, sentence, flags);
	char last = visible.length ? visible.text[visible.length - 1] : '\0';
	str_puts(&visible, strchr(".?!", last) && last ? "" : ".");
	layout_colour(out, flags, LAYOUT_RED);
	str_puts(out, "seep: ");
	layout_plain(out, flags);
	layout_wrap(out, str_text(&visible), complaint_box(COMPLAINT_LEAD));
	str_deinit(&visible);
}

/* Whoever made the remedy vouches for its lines; what is in them is escaped here. */
static void put_remedy(struct str *out, const char *remedy, unsigned flags)
{
	struct str visible = { 0 };
	str_puts(&visible, "try: ");
	while (*remedy) {
		size_t length = strcspn(remedy, "\n");
		CLEANUP_FREE char *line = strndup(remedy, length);
		layout_escape(&visible, line ? line : "", flags);
		remedy += length;
		if (*remedy) {
			str_puts(&visible, "\n");
			remedy++;
		}
	}
	layout_wrap(out, str_text(&visible), complaint_box(0));
	str_deinit(&visible);
}

enum exit_status output_complain(struct error *error)
{
	unsigned flags = output_flags(stderr);
	struct str out = { 0 };
	put_sentence(&out, error->sentence, flags);
	if (error->remedy)
		put_remedy(&out, error->remedy, flags);
	fputs(out.failed ? "seep: out of memory.\n" : str_text(&out), stderr);
	str_deinit(&out);
	enum exit_status status = error_statuses[error->code];
	error_destroy(error);
	return status;
}
