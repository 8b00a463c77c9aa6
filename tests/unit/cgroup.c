// SPDX-License-Identifier: MIT
// CPU quotas of control groups, in folders as Linux shows them: versions 1, 2 and both, nested
// groups, containers.
#include "base/cgroup.h"

#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "scratch.h"
#include "tap.h"

static const char unified[] =
    "25 30 0:23 / /sys rw - sysfs sysfs rw\n"
    "31 25 0:28 / /sys/fs/cgroup rw,nosuid shared:4 - cgroup2 cgroup2 rw,nsdelegate\n";
static const char legacy[] =
    "31 25 0:28 / /sys/fs/cgroup ro - tmpfs tmpfs ro,mode=755\n"
    "33 31 0:31 / /sys/fs/cgroup/cpuset rw - cgroup cgroup rw,cpuset\n"
    "34 31 0:32 / /sys/fs/cgroup/cpu rw shared:9 - cgroup cgroup rw,cpuacct,cpu\n"
    "35 31 0:33 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n";

// Writes a file below the current folder, and the folders that it is in.
static void put(const char *path, const char *text)
{
    char name[256];
    snprintf(name, sizeof name, "%s", path);
    for (char *slash = strchr(name, '/'); slash; slash = strchr(slash + 1, '/')) {
        *slash = 0;
        mkdir(name, 0777);
        *slash = '/';
    }
    scratch_write(name, text, strlen(text));
}

static void begin(const char *mounts, const char *groups)
{
    if (system("rm -rf proc sys"))
        scratch_fail("rm");
    put("proc/self/mountinfo", mounts);
    put("proc/self/cgroup", groups);
}

static void is(int wanted, const char *what)
{
    int got = cdp_cgroup_processors(".");
    if (!ok(got == wanted, "%s", what))
        printf("# got %d, wanted %d\n", got, wanted);
}

int main(void)
{
    scratch_enter();
    is(INT_MAX, "no /proc: no quota");
    begin("", "");
    is(INT_MAX, "no groups");

    begin(unified, "0::/a/b\n");
    is(INT_MAX, "version 2: no files");
    put("sys/fs/cgroup/a/b/cpu.max", "max 100000\n");
    is(INT_MAX, "no quota");
    put("sys/fs/cgroup/a/b/cpu.max", "400000 100000\n");
    is(4, "four processors");
    put("sys/fs/cgroup/a/b/cpu.max", "400001 100000\n");
    is(5, "a part of a processor is one more");
    put("sys/fs/cgroup/a/b/cpu.max", "1000 100000\n");
    is(1, "at least one");
    put("sys/fs/cgroup/a/b/cpu.max", "9223372036854775807 1\n");
    is(INT_MAX, "more than an int");
    put("sys/fs/cgroup/a/b/cpu.max", "400000 100000\n");
    put("sys/fs/cgroup/a/cpu.max", "150000 50000\n");
    is(3, "the group above has less");
    put("sys/fs/cgroup/a/cpu.max", "900000 100000\n");
    is(4, "the group above has more");
    put("sys/fs/cgroup/cpu.max", "100000 100000\n");
    is(1, "the topmost group");
    put("sys/fs/cgroup/c/cpu.max", "1000 100000\n");
    put("sys/fs/cgroup/cpu.max", "damaged");
    is(4, "a file without numbers, and another group");
    put("proc/self/cgroup", "0::/\n");
    put("sys/fs/cgroup/cpu.max", "200000 100000\n");
    is(2, "in the topmost group, as containers are");
    put("proc/self/cgroup", "0::/../d\n");
    is(2, "a group outside what is mounted");

    begin(legacy, "4:cpuset:/c\n3:cpu,cpuacct:/a\n1:name=systemd:/s\n0::/u\n");
    put("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "-1\n");
    put("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n");
    is(INT_MAX, "version 1: no quota");
    put("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "250000\n");
    is(3, "three processors");
    put("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "0\n");
    is(INT_MAX, "a period of 0");
    put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "150000\n");
    put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    put("sys/fs/cgroup/cpuset/c/cpu.cfs_quota_us", "1000\n");
    put("sys/fs/cgroup/cpuset/c/cpu.cfs_period_us", "1000\n");
    is(2, "the topmost group, and another controller's");
    put("sys/fs/cgroup/unified/u/cpu.max", "1000 1000\n");
    is(1, "both versions");

    // A container without a namespace of groups sees the host's paths.
    begin("34 31 0:32 /docker/f00 /sys/fs/cgroup/cpu rw - cgroup cgroup rw,cpu\n",
          "3:cpu:/docker/f00/a\n");
    put("sys/fs/cgroup/cpu/a/cpu.cfs_quota_us", "700000\n");
    put("sys/fs/cgroup/cpu/a/cpu.cfs_period_us", "100000\n");
    is(7, "a container's own group");
    put("proc/self/cgroup", "3:cpu:/docker/f00a\n");
    put("sys/fs/cgroup/cpu/cpu.cfs_quota_us", "600000\n");
    put("sys/fs/cgroup/cpu/cpu.cfs_period_us", "100000\n");
    put("sys/fs/cgroup/cpua/cpu.cfs_quota_us", "100000\n");
    put("sys/fs/cgroup/cpua/cpu.cfs_period_us", "100000\n");
    is(6, "a group beside it");
    if (system("rm -rf proc sys"))
        scratch_fail("rm");
    scratch_leave();
    return done();
}
