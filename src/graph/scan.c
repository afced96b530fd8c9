/*
 * scan: see scan.h. One row per implementation; the first that the processor supports is
 * taken. All give the same results (tests/unit/scan.c compares them).
 */
#include "graph/scan.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

#include "base/vec.h"

typedef size_t scan_function(const struct scan_ranges *ranges, const uint64_t *words,
			     size_t nr, uint32_t *indices, uint64_t *values);

static size_t scan_scalar_from(const struct scan_ranges *ranges, const uint64_t *words,
			       size_t first, size_t nr, uint32_t *indices,
			       uint64_t *values)
{
	size_t found = 0;
	for (size_t i = first; i < nr; i++) {
		uint64_t word = words[i];
		indices[found] = (uint32_t)i;
		values[found] = word;
		found += word - ranges->start[0] < ranges->size[0] ||
			 word - ranges->start[1] < ranges->size[1];
	}
	return found;
}

static size_t scan_scalar(const struct scan_ranges *ranges, const uint64_t *words,
			  size_t nr, uint32_t *indices, uint64_t *values)
{
	return scan_scalar_from(ranges, words, 0, nr, indices, values);
}

#if defined(__x86_64__)
__attribute__((target("avx512f,avx512vl"))) static size_t scan_avx512(
	const struct scan_ranges *ranges, const uint64_t *words, size_t nr,
	uint32_t *indices, uint64_t *values)
{
	const __m512i start0 = _mm512_set1_epi64((long long)ranges->start[0]);
	const __m512i size0 = _mm512_set1_epi64((long long)ranges->size[0]);
	const __m512i start1 = _mm512_set1_epi64((long long)ranges->start[1]);
	const __m512i size1 = _mm512_set1_epi64((long long)ranges->size[1]);
	const __m256i lanes = _mm256_setr_epi32(0, 1, 2, 3, 4, 5, 6, 7);
	size_t found = 0, i = 0;
	for (; i + 8 <= nr; i += 8) {
		__m512i word = _mm512_loadu_si512(words + i);
		__mmask8 hit =
			_mm512_cmplt_epu64_mask(_mm512_sub_epi64(word, start0), size0) |
			_mm512_cmplt_epu64_mask(_mm512_sub_epi64(word, start1), size1);
		if (!hit)
			continue;
		/* Compressing in a register and storing all of it beats a masked store to
		   memory, which Zen 4 microcodes. */
		__m256i index = _mm256_add_epi32(_mm256_set1_epi32((int)i), lanes);
		_mm512_storeu_si512(values + found,
				    _mm512_maskz_compress_epi64(hit, word));
		_mm256_storeu_si256((__m256i *)(void *)(indices + found),
				    _mm256_maskz_compress_epi32(hit, index));
		found += (size_t)__builtin_popcount(hit);
	}
	return found +
	       scan_scalar_from(ranges, words, i, nr, indices + found, values + found);
}

__attribute__((target("avx2"))) static size_t scan_avx2(const struct scan_ranges *ranges,
							const uint64_t *words, size_t nr,
							uint32_t *indices,
							uint64_t *values)
{
	/* AVX2 compares signed words only: flipping the top bit maps the order. */
	const __m256i flip = _mm256_set1_epi64x((long long)0x8000000000000000u);
	const __m256i start0 = _mm256_set1_epi64x((long long)ranges->start[0]);
	const __m256i start1 = _mm256_set1_epi64x((long long)ranges->start[1]);
	const __m256i size0 =
		_mm256_xor_si256(_mm256_set1_epi64x((long long)ranges->size[0]), flip);
	const __m256i size1 =
		_mm256_xor_si256(_mm256_set1_epi64x((long long)ranges->size[1]), flip);
	size_t found = 0, i = 0;
	for (; i + 4 <= nr; i += 4) {
		__m256i word =
			_mm256_loadu_si256((const __m256i *)(const void *)(words + i));
		__m256i in0 = _mm256_xor_si256(_mm256_sub_epi64(word, start0), flip);
		__m256i in1 = _mm256_xor_si256(_mm256_sub_epi64(word, start1), flip);
		__m256i hits = _mm256_or_si256(_mm256_cmpgt_epi64(size0, in0),
					       _mm256_cmpgt_epi64(size1, in1));
		unsigned hit = (unsigned)_mm256_movemask_pd(_mm256_castsi256_pd(hits));
		for (; hit; hit &= hit - 1) {
			size_t at = i + (unsigned)__builtin_ctz(hit);
			indices[found] = (uint32_t)at;
			values[found++] = words[at];
		}
	}
	return found +
	       scan_scalar_from(ranges, words, i, nr, indices + found, values + found);
}

static bool has_avx512(void)
{
	return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl");
}

static bool has_avx2(void)
{
	return __builtin_cpu_supports("avx2");
}
#endif

static bool always(void)
{
	return true;
}

static const struct {
	const char *name;
	bool (*supported)(void);
	scan_function *scan;
} implementations[] = {
#if defined(__x86_64__)
	{ "avx512", has_avx512, scan_avx512 },
	{ "avx2", has_avx2, scan_avx2 },
#endif
	{ "scalar", always, scan_scalar },
};

static size_t best(void)
{
	size_t i = 0;
	while (!implementations[i].supported())
		i++;
	return i;
}

size_t scan_words(const struct scan_ranges *ranges, const uint64_t *words, size_t nr,
		  uint32_t *indices, uint64_t *values)
{
	return implementations[best()].scan(ranges, words, nr, indices, values);
}

const char *scan_implementation(void)
{
	return implementations[best()].name;
}

const char *scan_name(size_t index)
{
	return index < ARRAY_SIZE(implementations) ? implementations[index].name : NULL;
}

bool scan_supported(size_t index)
{
	return implementations[index].supported();
}

size_t scan_words_with(size_t index, const struct scan_ranges *ranges,
		       const uint64_t *words, size_t nr, uint32_t *indices,
		       uint64_t *values)
{
	return implementations[index].scan(ranges, words, nr, indices, values);
}
