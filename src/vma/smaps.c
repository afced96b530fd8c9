/* smaps: see smaps.h. */
#include "vma/smaps.h"

#include <assert.h>
#include <string.h>

#include "target/maps.h"

static const struct count_line {
	const char *name;
	enum vma_count count;
} count_lines[] = {
	{ "Size", VMA_SIZE },
	{ "Rss", VMA_RSS },
	{ "Pss", VMA_PSS },
	{ "Pss_Dirty", VMA_PSS_DIRTY },
	{ "Pss_Anon", VMA_PSS_ANON },
	{ "Pss_File", VMA_PSS_FILE },
	{ "Pss_Shmem", VMA_PSS_SHMEM },
	{ "Shared_Clean", VMA_SHARED_CLEAN },
	{ "Shared_Dirty", VMA_SHARED_DIRTY },
	{ "Private_Clean", VMA_PRIVATE_CLEAN },
	{ "Private_Dirty", VMA_PRIVATE_DIRTY },
	{ "Anonymous", VMA_ANONYMOUS },
	{ "LazyFree", VMA_LAZY_FREE },
	{ "AnonHugePages", VMA_ANON_HUGE },
	{ "ShmemPmdMapped", VMA_SHMEM_HUGE },
	{ "FilePmdMapped", VMA_FILE_HUGE },
	{ "Shared_Hugetlb", VMA_SHARED_HUGETLB },
	{ "Private_Hugetlb", VMA_PRIVATE_HUGETLB },
	{ "Swap", VMA_SWAP },
	{ "SwapPss", VMA_SWAP_PSS },
	{ "Locked", VMA_LOCKED },
};

static const struct flag_word {
	char word[3];
	enum vma_flags flag;
} flag_words[] = {
	{ "ht", VMA_IS_HUGETLB }, { "pf", VMA_IS_DEVICE },    { "io", VMA_IS_DEVICE },
	{ "mm", VMA_IS_DEVICE },  { "ac", VMA_WAS_WRITABLE },
};

static bool is(const char *start, const char *end, const char *word)
{
	return (size_t)(end - start) == strlen(word) &&
	       !memcmp(start, word, (size_t)(end - start));
}

static const char *skip_spaces(const char *at, const char *end)
{
	while (at < end && (*at == ' ' || *at == '\t'))
		at++;
	return at;
}

/* "     1234 kB" */
static bool parse_size(const char *at, const char *end, uint64_t *bytes)
{
	uint64_t value = 0;
	at = skip_spaces(at, end);
	const char *digits = at;
	for (; at < end && *at >= '0' && *at <= '9'; at++) {
		if (value > (UINT64_MAX / 1024 - 9) / 10)
			return false;
		value = value * 10 + (uint64_t)(*at - '0');
	}
	*bytes = value * 1024;
	return at > digits && is(at, end, " kB");
}

static void parse_flags(const char *at, const char *end, struct vma *vma)
{
	vma->flags |= VMA_HAS_FLAGS;
	for (at = skip_spaces(at, end); at < end; at = skip_spaces(at, end)) {
		const char *word = at;
		while (at < end && *at != ' ')
			at++;
		for (size_t i = 0; i < ARRAY_SIZE(flag_words); i++)
			if (is(word, at, flag_words[i].word))
				vma->flags |= flag_words[i].flag;
	}
}

/* "Name: …"; names that are not known say nothing to us. */
static bool parse_fact(const char *line, const char *end, struct vma *vma)
{
	const char *colon = memchr(line, ':', (size_t)(end - line));
	if (!colon || *line < 'A' || *line > 'Z')
		return false;
	if (is(line, colon, "VmFlags"))
		parse_flags(colon + 1, end, vma);
	for (size_t i = 0; i < ARRAY_SIZE(count_lines); i++) {
		if (!is(line, colon, count_lines[i].name))
			continue;
		enum vma_count count = count_lines[i].count;
		vma->counts.known |= 1u << count;
		return parse_size(colon + 1, end, &vma->counts.bytes[count]);
	}
	return true;
}

/* A mapping begins as its line in maps does, with a number in lower-case hexadecimal. */
static bool begins_mapping(const char *line, const char *end)
{
	return line < end &&
	       ((*line >= '0' && *line <= '9') || (*line >= 'a' && *line <= 'f'));
}

static struct error *no_sense(const char *source, unsigned line_number)
{
	return error_create(ERROR_FORMAT, "%s: line %u is no account of a mapping",
			    source, line_number);
}

static struct error *add_mapping(const char *line, const char *end, const char *source,
				 unsigned line_number, struct vma_vec *vmas)
{
	struct vma vma = { 0 };
	uint64_t previous_end = vmas->nr ? vmas->items[vmas->nr - 1].region.end : 0;
	bool good = maps_parse_line(line, end, &vma.region) &&
		    vma.region.start >= previous_end;
	if (good && vma.region.name && vma_vec_push(vmas, vma))
		return NULL;
	bool no_memory = good;
	free(vma.region.name);
	return no_memory ? error_no_memory() : no_sense(source, line_number);
}

struct error *smaps_parse(const char *text, size_t size, const char *source,
			  struct vma_vec *vmas)
{
	const char *end = text + size;
	const size_t before = vmas->nr;
	unsigned line_number = 0;
	for (const char *line = text; line < end;) {
		const char *line_end = memchr(line, '\n', (size_t)(end - line));
		if (!line_end)
			line_end = end;
		line_number++;
		struct error *error = NULL;
		if (begins_mapping(line, line_end))
			error = add_mapping(line, line_end, source, line_number, vmas);
		else if (vmas->nr == before ||
			 !parse_fact(line, line_end, &vmas->items[vmas->nr - 1]))
			error = no_sense(source, line_number);
		if (error)
			return error;
		line = line_end + 1;
	}
	return NULL;
}

struct error *smaps_parse_rollup(const char *text, size_t size, const char *source,
				 struct vma_counts *counts)
{
	struct vma_vec vmas = { 0 };
	struct error *error = smaps_parse(text, size, source, &vmas);
	if (!error && vmas.nr != 1)
		error = error_create(ERROR_FORMAT, "%s: it sums up %zu mappings, not all",
				     source, vmas.nr);
	assert(error || vmas.items);
	if (!error)
		*counts = vmas.items[0].counts;
	vmas_deinit(&vmas);
	return error;
}

const struct region *vmas_at(const struct vma_vec *vmas, uint64_t address)
{
	size_t low = 0, high = vmas->nr;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (vmas->items[middle].region.end <= address)
			low = middle + 1;
		else
			high = middle;
	}
	return low < vmas->nr && vmas->items[low].region.start <= address
		       ? &vmas->items[low].region
		       : NULL;
}

void vmas_deinit(struct vma_vec *vmas)
{
	for (size_t i = 0; i < vmas->nr; i++)
		free(vmas->items[i].region.name);
	vma_vec_deinit(vmas);
}
