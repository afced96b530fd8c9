/* Tests of target/headroom: where a controller's files are, from what machines were seen to
   say: cgroup v1, v2, both, and containers, which see a part of the tree. */
#include "target/headroom.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "base/cleanup.h"

static const char v2_mounts[] =
	"22 28 0:20 / /proc rw,nosuid,nodev,noexec,relatime shared:13 - proc proc rw\n"
	"29 22 0:26 / /sys/fs/cgroup rw,nosuid,nodev,noexec,relatime shared:9 - cgroup2 "
	"cgroup2 rw,nsdelegate,memory_recursiveprot\n";

static const char v1_mounts[] =
	"30 24 0:26 / /sys/fs/cgroup ro,nosuid,nodev,noexec shared:9 - tmpfs tmpfs "
	"ro,mode=755\n"
	"33 30 0:29 / /sys/fs/cgroup/systemd rw,relatime shared:11 - cgroup cgroup "
	"rw,xattr,name=systemd\n"
	"36 30 0:32 / /sys/fs/cgroup/memory rw,relatime shared:16 - cgroup cgroup rw,memory\n"
	"37 30 0:33 / /sys/fs/cgroup/cpu,cpuacct rw,relatime shared:17 - cgroup cgroup "
	"rw,cpu,cpuacct\n"
	"38 30 0:34 / /sys/fs/cgroup/pids rw,relatime shared:18 - cgroup cgroup rw,pids\n";

/* Docker with v1: the container's own cgroup is the root of what it sees. */
static const char docker_v1_mounts[] =
	"708 707 0:29 /docker/4f2a /sys/fs/cgroup/systemd ro,nosuid master:11 - cgroup cgroup "
	"rw,xattr,name=systemd\n"
	"712 707 0:32 /docker/4f2a /sys/fs/cgroup/memory ro,nosuid master:16 - cgroup cgroup "
	"rw,memory\n";

static const char hybrid_mounts[] =
	"36 30 0:32 / /sys/fs/cgroup/memory rw,relatime shared:16 - cgroup cgroup rw,memory\n"
	"34 30 0:30 / /sys/fs/cgroup/unified rw,relatime shared:10 - cgroup2 cgroup2 rw\n";

static const struct scene {
	const char *what, *cgroups, *mounts, *controller;
	const char *folder; /* NULL: none */
	bool is_v2;
	const char *root;
} scenes[] = {
	{ "v2, a service", "0::/system.slice/redis-server.service\n", v2_mounts, "memory",
	  "/sys/fs/cgroup/system.slice/redis-server.service", true, "/sys/fs/cgroup" },
	{ "v2, the root", "0::/\n", v2_mounts, "pids", "/sys/fs/cgroup", true,
	  "/sys/fs/cgroup" },
	{ "v2, a user's session",
	  "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app.scope\n",
	  v2_mounts, "memory",
	  "/sys/fs/cgroup/user.slice/user-1000.slice/user@1000.service/app.slice/app.scope",
	  true, "/sys/fs/cgroup" },
	{ "v1, memory",
	  "12:pids:/system.slice/ssh.service\n9:memory:/system.slice/ssh.service\n"
	  "1:name=systemd:/system.slice/ssh.service\n",
	  v1_mounts, "memory", "/sys/fs/cgroup/memory/system.slice/ssh.service", false,
	  "/sys/fs/cgroup/memory" },
	{ "v1, of several in one line", "3:cpu,cpuacct:/a\n", v1_mounts, "cpuacct",
	  "/sys/fs/cgroup/cpu,cpuacct/a", false, "/sys/fs/cgroup/cpu,cpuacct" },
	{ "v1, a name that only begins so", "3:memoryish:/a\n", v1_mounts, "memory", NULL,
	  false, NULL },
	{ "v1, a container's own", "9:memory:/docker/4f2a\n1:name=systemd:/docker/4f2a\n",
	  docker_v1_mounts, "memory", "/sys/fs/cgroup/memory", false,
	  "/sys/fs/cgroup/memory" },
	{ "v1, below a container's own", "9:memory:/docker/4f2a/child\n",
	  docker_v1_mounts, "memory", "/sys/fs/cgroup/memory/child", false,
	  "/sys/fs/cgroup/memory" },
	{ "v1 for memory, with v2 beside it", "9:memory:/a\n0::/b\n", hybrid_mounts,
	  "memory", "/sys/fs/cgroup/memory/a", false, "/sys/fs/cgroup/memory" },
	{ "v2 for what v1 does not have", "9:memory:/a\n0::/b\n", hybrid_mounts, "pids",
	  "/sys/fs/cgroup/unified/b", true, "/sys/fs/cgroup/unified" },
	{ "a colon in the path", "0::/a:b/c\n", v2_mounts, "memory",
	  "/sys/fs/cgroup/a:b/c", true, "/sys/fs/cgroup" },
	{ "no newline at the end", "0::/a", v2_mounts, "memory", "/sys/fs/cgroup/a", true,
	  "/sys/fs/cgroup" },
	{ "nothing at all", "", "", "memory", NULL, false, NULL },
	{ "not mounted", "0::/a\n", "22 28 0:20 / /proc rw - proc proc rw\n", "memory",
	  NULL, false, NULL },
	{ "lines that are none", "0\n:\n::\nabc\n", v2_mounts, "memory", NULL, false,
	  NULL },
	{ "mounts that are none", "0::/a\n", "1 2\n - cgroup2\n1 2 3 / /x - cgroup2\n",
	  "memory", NULL, false, NULL },
};

static void finds_folders(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(scenes); i++) {
		const struct scene *scene = &scenes[i];
		bool is_v2 = false;
		size_t root = 0;
		CLEANUP_FREE char *folder = headroom_folder(
			scene->cgroups, scene->mounts, scene->controller, &is_v2, &root);
		if (!folder != !scene->folder ||
		    (folder && strcmp(folder, scene->folder) != 0))
			fail_msg("%s: %s", scene->what, folder ? folder : "none");
		if (!folder)
			continue;
		assert_int_equal(is_v2, scene->is_v2);
		assert_int_equal(root, strlen(scene->root));
	}
}

/* A cgroup namespace shows what is above its root as a way up. */
static void stays_below_the_root(void **state)
{
	(void)state;
	bool is_v2 = false;
	size_t root = 0;
	CLEANUP_FREE char *folder =
		headroom_folder("0::/../../other\n", v2_mounts, "memory", &is_v2, &root);
	if (folder)
		assert_true(strlen(folder) >= root);
}

/* What this machine says of this process. */
static void asks_this_machine(void **state)
{
	(void)state;
	struct headroom headroom;
	struct error *error = headroom_init(&headroom, getpid());
	assert_null(error);
	const char *tightest = "";
	assert_true(headroom_bytes(&headroom, &tightest) > 0);
	assert_true(*tightest);
	assert_true(headroom_pids(&headroom, &tightest) > 0);
	headroom_deinit(&headroom);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(finds_folders),
		cmocka_unit_test(stays_below_the_root),
		cmocka_unit_test(asks_this_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
