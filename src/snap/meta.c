/* meta: see meta.h. */
#include "snap/meta.h"

#include <stdlib.h>

/* In the order of the file: a new one comes last, and none ever goes. */
#define NUMBER(name) offsetof(struct snap_meta, name)
static const size_t numbers[] = {
	NUMBER(created_ns),
	NUMBER(flags),
	NUMBER(pid),
	NUMBER(started),
	NUMBER(pause_ns),
	NUMBER(looks),
	NUMBER(nr_threads),
	NUMBER(nr_blocks),
	NUMBER(nr_edges),
	NUMBER(nr_roots),
	NUMBER(mapped_bytes),
	NUMBER(parsed_bytes),
	NUMBER(used_blocks),
	NUMBER(used_bytes),
	NUMBER(free_chunks),
	NUMBER(free_bytes),
	NUMBER(own_blocks),
	NUMBER(own_bytes),
	NUMBER(heap_unread_bytes),
	NUMBER(root_unread_bytes),
};

static const size_t texts[] = {
	offsetof(struct snap_meta, target),
	offsetof(struct snap_meta, allocator),
	offsetof(struct snap_meta, host),
	offsetof(struct snap_meta, boot_id),
	offsetof(struct snap_meta, seep_version),
	offsetof(struct snap_meta, unread_reason),
};

static void pack_sentences(const struct sentence_vec *sentences, struct pack *payload)
{
	pack_number(payload, sentences->nr);
	for (size_t i = 0; i < sentences->nr; i++)
		pack_text(payload, sentences->items[i]);
}

void snap_meta_pack(const struct snap_meta *meta, struct pack *payload)
{
	const char *fields = (const char *)meta;
	pack_number(payload, ARRAY_SIZE(numbers));
	for (size_t i = 0; i < ARRAY_SIZE(numbers); i++)
		pack_number(payload,
			    *(const uint64_t *)(const void *)(fields + numbers[i]));
	pack_number(payload, ARRAY_SIZE(texts));
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		pack_text(payload, *(char *const *)(const void *)(fields + texts[i]));
	pack_sentences(&meta->damage, payload);
	pack_sentences(&meta->warnings, payload);
	pack_sentences(&meta->notes, payload);
}

static void unpack_numbers(struct unpack *payload, struct snap_meta *meta)
{
	uint64_t nr = unpack_count(payload, 1);
	for (uint64_t i = 0; i < nr; i++) {
		uint64_t number = unpack_number(payload);
		if (i < ARRAY_SIZE(numbers))
			*(uint64_t *)(void *)((char *)meta + numbers[i]) = number;
	}
}

static void unpack_texts(struct unpack *payload, struct snap_meta *meta)
{
	uint64_t nr = unpack_count(payload, 1);
	for (uint64_t i = 0; i < nr; i++) {
		char *text = unpack_text(payload);
		if (i < ARRAY_SIZE(texts))
			*(char **)(void *)((char *)meta + texts[i]) = text;
		else
			free(text);
	}
}

static void unpack_sentences(struct unpack *payload, struct sentence_vec *sentences)
{
	uint64_t nr = unpack_count(payload, 1);
	for (uint64_t i = 0; i < nr && !payload->bad; i++) {
		char *sentence = unpack_text(payload);
		if (!sentence || !sentence_vec_push(sentences, sentence)) {
			free(sentence);
			payload->bad = true;
		}
	}
}

bool snap_meta_unpack(struct unpack *payload, struct snap_meta *meta)
{
	unpack_numbers(payload, meta);
	unpack_texts(payload, meta);
	unpack_sentences(payload, &meta->damage);
	unpack_sentences(payload, &meta->warnings);
	unpack_sentences(payload, &meta->notes);
	return !payload->bad && meta->target && meta->allocator && meta->unread_reason;
}

void snap_meta_deinit(struct snap_meta *meta)
{
	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		free(*(char **)(void *)((char *)meta + texts[i]));
	sentences_deinit(&meta->damage);
	sentences_deinit(&meta->warnings);
	sentences_deinit(&meta->notes);
	*meta = (struct snap_meta){ 0 };
}
