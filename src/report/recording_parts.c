/* recording_parts: see recording_parts_priv.h. */
#include "report/recording_parts_priv.h"

#include <inttypes.h>
#include <string.h>

#include "report/layout.h"
#include "report/text_parts_priv.h"

#define MAX_CALLERS   6 /* of a call, unless all are asked for */
#define CHART_ROWS    4
#define CHART_COLUMNS 120 /* at most */
#define LABEL_COLUMNS 9

/* --- words -------------------------------------------------------------------------- */

void recording_put_time(struct str *out, uint64_t us)
{
	uint64_t seconds = us / 1000000;
	if (us < 1000)
		str_printf(out, "%" PRIu64 " us", us);
	else if (us < 1000000)
		str_printf(out, "%.1f ms", (double)us / 1e3);
	else if (seconds < 100)
		str_printf(out, "%.1f s", (double)us / 1e6);
	else if (seconds < 6000)
		str_printf(out, "%" PRIu64 " min %" PRIu64 " s", seconds / 60,
			   seconds % 60);
	else
		str_printf(out, "%" PRIu64 " h %" PRIu64 " min", seconds / 3600,
			   seconds / 60 % 60);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

void recording_put_frame(struct str *out, const struct recording_places *places,
			 uint32_t frame)
{
	const struct recording_frame *known = &places->frames.items[frame];
	const struct recording_function *function =
		&places->functions.items[known->function];
	const char *module = recording_module_name(places, function->module);
	str_puts(out, function->name ? function->name : "???");
	if (known->file != RECORDING_NONE)
		str_printf(out, " (%s:%" PRIu32 ")",
			   base_name(places->files.items[known->file]), known->line);
	else if (!function->name)
		str_printf(out, " (%s+0x%" PRIx64 ")", module ? module : "",
			   known->offset);
}

void recording_put_place(struct str *out, const struct recording_places *places,
			 uint32_t frame, unsigned flags)
{
	struct str raw = { 0 };
	recording_put_frame(&raw, places, frame);
	text_put_name(out, str_text(&raw), flags);
	out->failed |= raw.failed;
	str_deinit(&raw);
}

void recording_put_callers(struct str *out, const struct recording_places *places,
			   const struct recording_number_vec *frames,
			   struct layout_box box, unsigned flags)
{
	size_t most = flags & REPORT_VERBOSE ? SIZE_MAX : MAX_CALLERS;
	struct str line = { 0 };
	for (size_t i = 1; i < frames->nr && i <= most; i++) {
		str_puts(&line, i == 1 ? "by " : "\nby ");
		recording_put_place(&line, places, frames->items[i], flags);
	}
	if (frames->nr > 1 && frames->nr - 1 > most)
		str_printf(&line, "\nand %zu more (all of them: -v)",
			   frames->nr - 1 - most);
	if (line.length) {
		layout_spaces(out, box.indent);
		box.column = box.indent;
		layout_wrap_coloured(out, str_text(&line), box, flags, LAYOUT_DIM);
	}
	out->failed |= line.failed;
	str_deinit(&line);
}

void recording_put_growth(struct str *out, uint64_t bytes)
{
	bool is_less = (int64_t)bytes < 0;
	str_puts(out, is_less ? "-" : "");
	layout_bytes(out, is_less ? -bytes : bytes);
}

/* --- timeline ----------------------------------------------------------------------- */

/* How full a place of the chart is, from empty to full. */
static const char *const blocks[] = { " ",      "\u2581", "\u2582", "\u2583", "\u2584",
				      "\u2585", "\u2586", "\u2587", "\u2588" };
static const char *const ascii_blocks[] = { " ", ".", ":", "#" };

struct chart {
	const struct recording_report *report;
	const char *const *blocks;
	unsigned levels; /* of a place */
	unsigned columns;
};

/* The most that was live in a column's share of the time. */
static uint64_t column_bytes(const struct chart *chart, unsigned column)
{
	const struct recording_point_vec *points = &chart->report->timeline;
	size_t first = column * points->nr / chart->columns;
	size_t end = (column + 1) * points->nr / chart->columns;
	uint64_t most = points->items[first].peak_bytes;
	for (size_t i = first; i < end; i++)
		if (points->items[i].peak_bytes > most)
			most = points->items[i].peak_bytes;
	return most;
}

static void put_chart_row(struct str *out, const struct chart *chart, unsigned row)
{
	double highest = (double)chart->report->summary.peak_bytes;
	for (unsigned column = 0; column < chart->columns; column++) {
		double share = (double)column_bytes(chart, column) / highest;
		double height = share * CHART_ROWS * chart->levels;
		double above = height - (double)(row * chart->levels);
		unsigned level = above <= 0              ? 0
				 : above > chart->levels ? chart->levels
							 : (unsigned)(above + 0.5);
		/* What there is is seen. */
		if (!level && !row && height > 0)
			level = 1;
		str_puts(out, chart->blocks[level]);
	}
}

/* Nothing but spaces at the end of a line is worth a place. */
static void trim_line(struct str *out)
{
	while (out->length && out->text[out->length - 1] == ' ')
		out->text[--out->length] = '\0';
	str_puts(out, "\n");
}

static void put_axis(struct str *out, const struct chart *chart)
{
	struct str from = { 0 }, to = { 0 };
	recording_put_time(&from, chart->report->from_us);
	recording_put_time(&to, chart->report->to_us);
	layout_spaces(out, LABEL_COLUMNS + 4);
	str_puts(out, str_text(&from));
	layout_right(out, str_text(&to), chart->columns - (unsigned)from.length);
	str_puts(out, "\n");
	out->failed |= from.failed || to.failed;
	str_deinit(&from);
	str_deinit(&to);
}

void recording_put_timeline(struct str *out, const struct recording_report *report,
			    unsigned flags, unsigned width)
{
	bool is_ascii = flags & REPORT_ASCII;
	struct chart chart = {
		.report = report,
		.blocks = is_ascii ? ascii_blocks : blocks,
		.levels = is_ascii ? ARRAY_SIZE(ascii_blocks) - 1
				   : ARRAY_SIZE(blocks) - 1,
		.columns = width - LABEL_COLUMNS - 4,
	};
	if (chart.columns > CHART_COLUMNS)
		chart.columns = CHART_COLUMNS;
	if (!report->summary.peak_bytes || report->timeline.nr < 2)
		return;
	str_puts(out, "\n");
	for (unsigned row = CHART_ROWS; row-- > 0;) {
		struct str label = { 0 };
		if (row == CHART_ROWS - 1)
			layout_bytes(&label, report->summary.peak_bytes);
		layout_spaces(out, 2);
		layout_right(out, str_text(&label), LABEL_COLUMNS);
		layout_spaces(out, 2);
		put_chart_row(out, &chart, row);
		trim_line(out);
		str_deinit(&label);
	}
	put_axis(out, &chart);
}
