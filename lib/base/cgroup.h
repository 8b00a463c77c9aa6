// SPDX-License-Identifier: MIT
#ifndef CDP_CGROUP_H
#define CDP_CGROUP_H

// The number of processors that the CPU quotas of this process's control group and of those above
// it amount to: the smallest quota / period, rounded up; INT_MAX without a quota, or where it
// cannot be read. Reads /proc and the groups of versions 1 and 2 (cgroups(7); cpu.max in Linux's
// admin-guide/cgroup-v2.rst, cpu.cfs_quota_us in scheduler/sched-bwc.rst) below the folder `root`:
// "", but in tests. Allocates for the time of the call.
int cdp_cgroup_processors(const char *root);

#endif
