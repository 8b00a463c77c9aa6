// SPDX-License-Identifier: MIT
// A plugin of qemu-user (7.2 or later): at exit it prints how many instructions each function
// executed, most first, to standard error or the file that the environment variable CDP_COUNT
// names. Threads may lose counts, so run one.
//
//     cc -shared -fPIC -o count.so tests/cross/count.c
//     qemu-aarch64 -plugin ./count.so -d plugin PROGRAM
#include <inttypes.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

// What is used of qemu-plugin.h, which no package installs.
struct qemu_plugin_tb;
struct qemu_plugin_insn;
extern size_t qemu_plugin_tb_n_insns(const struct qemu_plugin_tb *tb);
extern struct qemu_plugin_insn *qemu_plugin_tb_get_insn(const struct qemu_plugin_tb *tb, size_t at);
extern const char *qemu_plugin_insn_symbol(const struct qemu_plugin_insn *insn);
extern void qemu_plugin_register_vcpu_tb_trans_cb(uint64_t id,
                                                  void (*call)(uint64_t, struct qemu_plugin_tb *));
extern void qemu_plugin_register_vcpu_tb_exec_inline(struct qemu_plugin_tb *tb, int add, void *to,
                                                     uint64_t number);
extern void qemu_plugin_register_atexit_cb(uint64_t id, void (*call)(uint64_t, void *), void *data);
__attribute__((visibility("default"))) int qemu_plugin_version = 1;
int qemu_plugin_install(uint64_t id, const void *info, int count, char **options);

enum { MOST = 1 << 14 };
static struct function {
    char *name;
    uint64_t count;
} functions[MOST];

// Of functions without a name too. The last place is that of all for which there is none.
static struct function *function_of(const char *name)
{
    size_t at = 0;
    while (at + 1 < MOST && functions[at].name && strcmp(functions[at].name, name) != 0)
        at++;
    if (!functions[at].name)
        functions[at].name = strdup(name);
    return &functions[at];
}

static void translated(uint64_t id, struct qemu_plugin_tb *tb)
{
    const char *name = qemu_plugin_insn_symbol(qemu_plugin_tb_get_insn(tb, 0));
    (void)id;
    qemu_plugin_register_vcpu_tb_exec_inline(tb, 0, &function_of(name ? name : "?")->count,
                                             qemu_plugin_tb_n_insns(tb));
}

static int by_count(const void *a, const void *b)
{
    uint64_t x = ((const struct function *)a)->count, y = ((const struct function *)b)->count;
    return (x < y) - (x > y);
}

static void report(uint64_t id, void *data)
{
    const char *name = getenv("CDP_COUNT");
    FILE *file = name ? fopen(name, "w") : stderr;
    (void)id, (void)data;
    if (!file)
        return;
    qsort(functions, MOST, sizeof *functions, by_count);
    for (size_t at = 0; at < MOST && functions[at].count; at++)
        fprintf(file, "%" PRIu64 "\t%s\n", functions[at].count, functions[at].name);
    fflush(file);
}

int qemu_plugin_install(uint64_t id, const void *info, int count, char **options)
{
    (void)info, (void)count, (void)options;
    qemu_plugin_register_vcpu_tb_trans_cb(id, translated);
    qemu_plugin_register_atexit_cb(id, report, NULL);
    return 0;
}
