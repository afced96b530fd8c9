/*
 * Tests of sym/symbols on a target that is this very process: its maps, its memory, its
 * files, and files that pretend to be stripped while the memory stays what it was.
 */
#include "sym/symbols.h"

#include <dlfcn.h>
#include <elf.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"
#include "base/str.h"
#include "target/maps.h"

/* --- a target that is this process --------------------------------------------------- */

/* What open_module hands out instead of the file itself. */
enum disguise { AS_IT_IS, NO_SYMTAB, NO_SYMBOLS, UNREADABLE };

struct own_target {
	struct target base;
	enum disguise disguise;
	unsigned nr_opened;
};

static struct error *own_read(struct target *target, uint64_t address, void *buffer,
			      size_t size, size_t *nr_read)
{
	(void)target;
	/* Page by page: a partial read of one iovec may stop anywhere before a bad page. */
	*nr_read = 0;
	while (*nr_read < size) {
		uint64_t at = address + *nr_read;
		size_t step = 4096 - at % 4096;
		if (step > size - *nr_read)
			step = size - *nr_read;
		struct iovec local = { (char *)buffer + *nr_read, step };
		struct iovec remote = { (void *)(uintptr_t)at, step };
		if (process_vm_readv(getpid(), &local, 1, &remote, 1, 0) != (ssize_t)step)
			break;
		*nr_read += step;
	}
	return NULL;
}

static int copy_of(const char *path, size_t *size)
{
	CLEANUP_CLOSE int file = open(path, O_RDONLY | O_CLOEXEC);
	int copy = memfd_create("module", MFD_CLOEXEC);
	struct stat status;
	assert_int_equal(fstat(file, &status), 0);
	*size = (size_t)status.st_size;
	CLEANUP_FREE char *bytes = malloc(*size);
	assert_int_equal(read(file, bytes, *size), *size);
	assert_int_equal(write(copy, bytes, *size), *size);
	return copy;
}

static void hide_symtab(const Elf64_Ehdr *header, char *bytes)
{
	Elf64_Shdr *sections = (void *)(bytes + header->e_shoff);
	for (unsigned i = 0; i < header->e_shnum; i++) {
		if (sections[i].sh_type == SHT_SYMTAB)
			sections[i].sh_type = SHT_NULL;
	}
}

static void hide_everything(Elf64_Ehdr *header, char *bytes)
{
	Elf64_Phdr *segments = (void *)(bytes + header->e_phoff);
	header->e_shoff = 0;
	header->e_shnum = 0;
	header->e_shstrndx = 0;
	for (unsigned i = 0; i < header->e_phnum; i++) {
		if (segments[i].p_type == PT_DYNAMIC || segments[i].p_type == PT_NOTE)
			segments[i].p_type = PT_NULL;
	}
}

static void put_on(int fd, size_t size, enum disguise disguise)
{
	char *bytes = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(bytes, MAP_FAILED);
	Elf64_Ehdr *header = (void *)bytes;
	if (disguise == NO_SYMTAB)
		hide_symtab(header, bytes);
	else if (disguise == NO_SYMBOLS)
		hide_everything(header, bytes);
	munmap(bytes, size);
}

static struct error *own_open_module(struct target *target, const struct module *module,
				     int *fd)
{
	struct own_target *own = (struct own_target *)target;
	own->nr_opened++;
	if (own->disguise == UNREADABLE)
		return error_create(ERROR_READ, "cannot open %s: hidden", module->path);
	size_t size;
	*fd = copy_of(module->path, &size);
	put_on(*fd, size, own->disguise);
	return NULL;
}

static struct error *own_freeze(struct target *target)
{
	target_forget(target);
	int fd = open("/proc/self/maps", O_RDONLY | O_CLOEXEC);
	struct str text = { 0 };
	char piece[4096];
	ssize_t nr;
	while ((nr = read(fd, piece, sizeof(piece))) > 0)
		str_append(&text, piece, (size_t)nr);
	close(fd);
	struct error *error =
		maps_parse(text.text, text.length, "/proc/self/maps", &target->regions);
	str_deinit(&text);
	return error ? error : target_find_modules(target);
}

static const struct target_ops own_ops = {
	.name = "own",
	.freeze = own_freeze,
	.read = own_read,
	.open_module = own_open_module,
};

static struct symbols *look_at(struct own_target *own, enum disguise disguise)
{
	*own = (struct own_target){ .base.ops = &own_ops, .disguise = disguise };
	struct symbols *symbols = NULL;
	struct error *error = target_freeze(&own->base);
	if (!error)
		error = symbols_create(&own->base, &symbols);
	if (error)
		fail_msg("%s", error->sentence);
	return symbols;
}

static void stop_looking(struct own_target *own, struct symbols *symbols)
{
	symbols_destroy(symbols);
	target_forget(&own->base);
}

/* --- names --------------------------------------------------------------------------- */

static void names_functions(void **state)
{
	(void)state;
	struct own_target own;
	struct symbols *symbols = look_at(&own, AS_IT_IS);
	uint64_t address = (uintptr_t)names_functions + 3;
	struct symbol_name name = symbols_name(symbols, address);
	assert_string_equal(name.function, "names_functions");
	assert_int_equal(name.offset, 3);
	assert_non_null(strstr(name.module, "symbols"));
	assert_null(strchr(name.module, '/'));
	assert_ptr_equal(symbols_name(symbols, address).function, name.function);

	name = symbols_name(symbols, (uintptr_t)dlsym(RTLD_DEFAULT, "getenv"));
	assert_string_equal(name.function, "getenv");
	assert_int_equal(strncmp(name.module, "libc.so", 7), 0);
	assert_int_equal(name.offset, 0);
	stop_looking(&own, symbols);
}

static void names_nothing_outside_of_modules(void **state)
{
	(void)state;
	struct own_target own;
	struct symbols *symbols = look_at(&own, AS_IT_IS);
	CLEANUP_FREE char *block = malloc(16);
	const uint64_t addresses[] = { 0, UINT64_MAX, (uintptr_t)block, (uintptr_t)&own };
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		struct symbol_name name = symbols_name(symbols, addresses[i]);
		assert_null(name.module);
		assert_null(name.function);
		assert_null(symbols_vtable_class(symbols, addresses[i]));
	}
	stop_looking(&own, symbols);
}

static void survives_a_refreshed_module_list(void **state)
{
	(void)state;
	struct own_target own;
	struct symbols *symbols = look_at(&own, AS_IT_IS);
	uint64_t address = (uintptr_t)names_functions;
	const char *before = symbols_name(symbols, address).function;
	unsigned nr_opened = own.nr_opened;
	assert_null(target_freeze(&own.base));
	assert_ptr_equal(symbols_name(symbols, address).function, before);
	assert_int_equal(own.nr_opened, nr_opened);
	stop_looking(&own, symbols);
}

static void tells_why_a_module_has_no_names(void **state)
{
	(void)state;
	struct own_target own;
	struct symbols *symbols = look_at(&own, UNREADABLE);
	uint64_t address = (uintptr_t)names_functions, bias;
	struct symbol_name name = symbols_name(symbols, address);
	const struct module *module = target_module(&own.base, address);
	assert_non_null(name.module);
	assert_null(name.function);
	assert_int_equal(name.offset, address - module->start);
	assert_null(symbols_elf_file(symbols, module, &bias));
	assert_non_null(strstr(symbols_module_error(symbols, module), "hidden"));
	assert_int_equal(own.nr_opened, 1);
	stop_looking(&own, symbols);
}

static void gives_file_and_bias(void **state)
{
	(void)state;
	struct own_target own;
	struct symbols *symbols = look_at(&own, AS_IT_IS);
	const struct module *libc = target_module_named(&own.base, "libc.so");
	assert_non_null(libc);
	uint64_t bias;
	struct elf_file *file = symbols_elf_file(symbols, libc, &bias);
	assert_non_null(file);
	assert_null(symbols_module_error(symbols, libc));
	assert_int_equal(elf_file_symbol(file, "getenv")->address + bias,
			 (uintptr_t)dlsym(RTLD_DEFAULT, "getenv"));
	stop_looking(&own, symbols);
}

/* --- separate debug files -------------------------------------------------------------- */

static void copy_file(const char *from, const char *to)
{
	size_t size;
	CLEANUP_CLOSE int copy = copy_of(from, &size);
	CLEANUP_CLOSE int file = open(to, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	CLEANUP_FREE char *bytes = malloc(size);
	assert_int_equal(pread(copy, bytes, size, 0), size);
	assert_int_equal(write(file, bytes, size), size);
}

/* Makes ROOT/usr/lib/debug/.build-id/xx and gives the path of the file to be put there. */
static void make_folders(const char *root, const char *build_id, char *path, size_t size)
{
	static const char *const folders[] = { "/usr", "/lib", "/debug", "/.build-id" };
	struct str text = { 0 };
	str_puts(&text, root);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		str_puts(&text, folders[i]);
		assert_int_equal(mkdir(str_text(&text), 0700), 0);
	}
	str_printf(&text, "/%.2s", build_id);
	assert_int_equal(mkdir(str_text(&text), 0700), 0);
	str_printf(&text, "/%s.debug", build_id + 2);
	snprintf(path, size, "%s", str_text(&text));
	str_deinit(&text);
}

/* Removes the file and its folders up to, and with, the root. */
static void remove_folders(const char *root, char *path)
{
	while (strlen(path) >= strlen(root)) {
		remove(path);
		*strrchr(path, '/') = '\0';
	}
}

static pid_t start_in(const char *root)
{
	int ends[2];
	assert_int_equal(pipe(ends), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (chroot(root) == 0)
			(void)!write(ends[1], "!", 1);
		pause();
		_exit(0);
	}
	char ready;
	close(ends[1]);
	assert_int_equal(read(ends[0], &ready, 1), 1);
	close(ends[0]);
	return pid;
}

static void finds_debug_files_below_the_targets_root(void **state)
{
	(void)state;
	if (geteuid() != 0)
		skip();
	struct own_target own;
	struct symbols *symbols = look_at(&own, NO_SYMTAB);
	uint64_t address = (uintptr_t)names_functions, bias;
	const struct module *module = target_module(&own.base, address);
	struct elf_file *file = symbols_elf_file(symbols, module, &bias);
	assert_false(elf_file_has_section(file, ".symtab"));
	assert_null(symbols_name(symbols, address).function);

	char root[] = "/tmp/symbols-XXXXXX", path[256];
	assert_non_null(mkdtemp(root));
	make_folders(root, elf_file_build_id(file), path, sizeof(path));
	copy_file(module->path, path);
	stop_looking(&own, symbols);

	symbols = look_at(&own, NO_SYMTAB);
	own.base.pid = start_in(root);
	struct symbol_name name = symbols_name(symbols, address + 1);
	kill(own.base.pid, SIGKILL);
	waitpid(own.base.pid, NULL, 0);
	remove_folders(root, path);
	assert_non_null(name.function);
	assert_string_equal(name.function, "names_functions");
	assert_int_equal(name.offset, 1);
	stop_looking(&own, symbols);
}

/* --- classes --------------------------------------------------------------------------- */

static void *libstdcxx(void)
{
	void *library = dlopen("libstdc++.so.6", RTLD_NOW);
	if (!library)
		skip();
	return library;
}

static uint64_t address_point(void *library, const char *vtable)
{
	void *start = dlsym(library, vtable);
	assert_non_null(start);
	return (uintptr_t)start + 16;
}

static void assert_standard_classes(enum disguise disguise)
{
	void *library = libstdcxx();
	static const struct {
		const char *vtable, *class;
	} cases[] = {
		{ "_ZTVSt13runtime_error", "std::runtime_error" },
		{ "_ZTVSt9exception", "std::exception" },
		{ "_ZTVSt9type_info", "std::type_info" },
		{ "_ZTVN10__cxxabiv120__si_class_type_infoE",
		  "__cxxabiv1::__si_class_type_info" },
		{ "_ZTVSt15basic_streambufIcSt11char_traitsIcEE",
		  "std::basic_streambuf<char, std::char_traits<char> >" },
	};
	struct own_target own;
	struct symbols *symbols = look_at(&own, disguise);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t address = address_point(library, cases[i].vtable);
		const char *class = symbols_vtable_class(symbols, address);
		assert_non_null(class);
		assert_string_equal(class, cases[i].class);
		assert_ptr_equal(symbols_vtable_class(symbols, address), class);
	}
	stop_looking(&own, symbols);
}

static void names_classes_by_symbol(void **state)
{
	(void)state;
	assert_standard_classes(AS_IT_IS);
}

static void names_classes_by_type_information(void **state)
{
	(void)state;
	assert_standard_classes(NO_SYMBOLS);
}

static void only_address_points_name_a_class(void **state)
{
	(void)state;
	void *library = libstdcxx();
	uint64_t address = address_point(library, "_ZTVSt13runtime_error");
	uint64_t type_info = (uintptr_t)dlsym(library, "_ZTISt13runtime_error");
	uint64_t type_name = (uintptr_t)dlsym(library, "_ZTSSt13runtime_error");
	uint64_t code = (uintptr_t)dlsym(library, "_ZNKSt13runtime_error4whatEv");
	const uint64_t others[] = { address - 16, address - 8, address + 4, address + 8,
				    address + 16, type_info,   type_name,   code };
	for (enum disguise disguise = AS_IT_IS; disguise <= NO_SYMBOLS; disguise++) {
		struct own_target own;
		struct symbols *symbols = look_at(&own, disguise);
		for (size_t i = 0; i < ARRAY_SIZE(others); i++)
			assert_null(symbols_vtable_class(symbols, others[i]));
		stop_looking(&own, symbols);
	}
}

static bool is_vtable(const struct elf_symbol *symbol)
{
	return symbol->is_global && symbol->size > 24 &&
	       strncmp(symbol->name, "_ZTV", 4) == 0;
}

/* Vtables with virtual bases have their address point further on. */
static uint64_t find_address_point(struct symbols *symbols, uint64_t start, uint64_t size)
{
	for (uint64_t at = start + 16; at < start + size; at += 8) {
		if (symbols_vtable_class(symbols, at))
			return at;
	}
	return 0;
}

static void symbols_and_type_information_agree(void **state)
{
	(void)state;
	libstdcxx();
	struct own_target plain_target, bare_target;
	struct symbols *plain = look_at(&plain_target, AS_IT_IS);
	struct symbols *bare = look_at(&bare_target, NO_SYMBOLS);
	uint64_t bias;
	size_t nr, nr_compared = 0;
	const struct module *module =
		target_module_named(&plain_target.base, "libstdc++");
	struct elf_file *file = symbols_elf_file(plain, module, &bias);
	const struct elf_symbol *list = elf_file_symbols(file, &nr);
	for (size_t i = 0; i < nr; i++) {
		if (!is_vtable(&list[i]))
			continue;
		uint64_t at =
			find_address_point(plain, list[i].address + bias, list[i].size);
		if (!at)
			fail_msg("no address point in %s", list[i].name);
		const char *class = symbols_vtable_class(bare, at);
		if (!class)
			fail_msg("nothing found for %s", list[i].name);
		assert_string_equal(class, symbols_vtable_class(plain, at));
		nr_compared++;
	}
	assert_true(nr_compared > 100);
	stop_looking(&plain_target, plain);
	stop_looking(&bare_target, bare);
}

/* Every word of every module's data is offered as a vtable; none may break anything. */
static void no_word_of_a_module_breaks_it(void **state)
{
	(void)state;
	libstdcxx();
	struct own_target own;
	struct symbols *symbols = look_at(&own, NO_SYMBOLS);
	size_t nr_classes = 0;
	for (size_t i = 0; i < own.base.regions.nr; i++) {
		const struct region *region = &own.base.regions.items[i];
		if (!region->inode || (region->flags & REGION_EXEC) ||
		    !strstr(region->name, "libstdc++"))
			continue;
		for (uint64_t at = region->start; at < region->end; at += 8)
			nr_classes += symbols_vtable_class(symbols, at) != NULL;
	}
	assert_true(nr_classes > 100);
	stop_looking(&own, symbols);
}

/* --- demangling ------------------------------------------------------------------------ */

static void assert_demangled(const char *name, const char *expected)
{
	CLEANUP_FREE char *found = symbols_demangle(name);
	assert_non_null(found);
	assert_string_equal(found, expected);
}

static void demangles_each_language(void **state)
{
	(void)state;
	assert_demangled("_ZN3foo3barEi", "foo::bar(int)");
	assert_demangled("_ZTV3Foo", "vtable for Foo");
	assert_demangled("_ZN4core3fmt9Formatter3pad17h0123456789abcdefE",
			 "core::fmt::Formatter::pad");
	assert_demangled("_RNvC6_123foo3bar", "123foo::bar");
	assert_demangled("malloc", "malloc");
	assert_demangled("_Z", "_Z");
	assert_demangled("", "");
}

static void assert_unchanged(const struct str *name)
{
	CLEANUP_FREE char *found = symbols_demangle(str_text(name));
	assert_non_null(found);
	assert_string_equal(found, str_text(name));
}

/* Each argument list holds the one before twice: 2^60 times the first. A round adds the
   template's name and the type to what can be substituted: "S0_", "S2_", "S4_", … */
static void names_that_explode_stay_as_they_are(void **state)
{
	(void)state;
	static const char digits[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	struct str name = { 0 };
	str_puts(&name, "_Z1f1AIiiE");
	for (unsigned i = 0; i < 60; i++) {
		unsigned number = 2 * i;
		char type[8] = { 'S', digits[number % 36], '_' };
		if (number >= 36)
			snprintf(type, sizeof(type), "S%c%c_", digits[number / 36],
				 digits[number % 36]);
		str_printf(&name, "1AI%s%sE", type, type);
	}
	assert_unchanged(&name);
	str_deinit(&name);
}

/* Tuples that hold the tuple before twice, by references to where it stands. */
static void rust_names_that_explode_stay_as_they_are(void **state)
{
	(void)state;
	static const char digits[] = "0123456789abcdefghijklmnopqrstuvwxyz"
				     "ABCDEFGHIJKLMNOPQRSTUVWXYZ";
	struct str name = { 0 };
	char before[8] = "u";
	str_puts(&name, "_RINvC1a1f");
	for (unsigned i = 0; i < 60; i++) {
		unsigned number = (unsigned)name.length - strlen("_R") - 1;
		str_printf(&name, "T%s%sE", before, before);
		snprintf(before, sizeof(before), "B%c%c_", digits[number / 62],
			 digits[number % 62]);
	}
	str_puts(&name, "E");
	assert_unchanged(&name);
	str_deinit(&name);
}

static void deep_and_long_names_stay_as_they_are(void **state)
{
	(void)state;
	static const size_t lengths[] = { 1000, 60000, 1000000 };
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		struct str name = { 0 };
		str_puts(&name, "_Z1f");
		for (size_t j = 0; j < lengths[i]; j++)
			str_puts(&name, "N");
		assert_unchanged(&name);
		str_deinit(&name);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_functions),
		cmocka_unit_test(names_nothing_outside_of_modules),
		cmocka_unit_test(survives_a_refreshed_module_list),
		cmocka_unit_test(tells_why_a_module_has_no_names),
		cmocka_unit_test(gives_file_and_bias),
		cmocka_unit_test(finds_debug_files_below_the_targets_root),
		cmocka_unit_test(names_classes_by_symbol),
		cmocka_unit_test(names_classes_by_type_information),
		cmocka_unit_test(only_address_points_name_a_class),
		cmocka_unit_test(symbols_and_type_information_agree),
		cmocka_unit_test(no_word_of_a_module_breaks_it),
		cmocka_unit_test(demangles_each_language),
		cmocka_unit_test(names_that_explode_stay_as_they_are),
		cmocka_unit_test(rust_names_that_explode_stay_as_they_are),
		cmocka_unit_test(deep_and_long_names_stay_as_they_are),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
