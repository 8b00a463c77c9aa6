// SPDX-License-Identifier: MIT
// Output files are written atomically and together, each name once; errors of close() are reported.
#include "io/output.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "scratch.h"
#include "tap.h"

static struct cdp_err err;
static bool close_fails;

// In place of the C library's, which disks and networks let fail when what was written is lost.
int close(int fd)
{
    int status = (int)syscall(SYS_close, fd);
    if (!close_fails)
        return status;
    errno = EIO;
    return -1;
}

static struct cdp_output *open_output(const char *name)
{
    struct cdp_output *output;
    if (cdp_output_open(&output, name, 0, &err) || cdp_output_write(output, name, 1, &err))
        scratch_fail(err.text);
    return output;
}

// Files and hidden files in this folder.
static int count_files(void)
{
    DIR *folder = opendir(".");
    int count = 0;
    for (struct dirent *entry; (entry = readdir(folder));)
        count += strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
    closedir(folder);
    return count;
}

static void test_close(void)
{
    struct cdp_output *outputs[] = {open_output("a"), open_output("b")};
    close_fails = true;
    int status = cdp_output_commit_all(outputs, 2, &err);
    close_fails = false;
    ok(status < 0, "a late error of close() is one");
    is_text(err.text, "a: cannot write: Input/output error", "and told");
    ok(count_files() == 0, "and no file is left");
}

static void test_together(void)
{
    struct cdp_output *outputs[] = {open_output("a"), open_output("b"), NULL};
    ok(count_files() == 2 && access("a", F_OK) && access("b", F_OK), "nothing under its name yet");
    ok(!cdp_output_commit_all(outputs, 3, &err) && !access("a", F_OK) && !access("b", F_OK) &&
           count_files() == 2,
       "both files at once");
    unlink("a");
    unlink("b");
}

static void test_names(void)
{
    static const char *const again[] = {"a", "./a", "absolute", "link"};
    char here[1000], path[1100];
    if (!getcwd(here, sizeof here) || symlink("a", "link"))
        scratch_fail("link");
    snprintf(path, sizeof path, "%s/a", here);
    for (int existing = 0; existing < 2; existing++) {
        struct cdp_output *first = open_output("a"), *second;
        for (size_t i = 0; i < sizeof again / sizeof *again; i++) {
            const char *name = i == 2 ? path : again[i];
            if (i == 3 && !existing)
                continue; // a link to a file that is not there is another name
            ok(cdp_output_open(&second, name, 0, &err) < 0 && !second, "a second output %zu", i);
            char wanted[1200];
            snprintf(wanted, sizeof wanted, "%s: two outputs of one name", name);
            is_text(err.text, wanted, "and told");
        }
        ok(!cdp_output_open(&second, "b", 0, &err), "another name is another output");
        cdp_output_abandon(second);
        ok(!cdp_output_commit(first, &err), "the first one is written");
        first = open_output("a");
        cdp_output_abandon(first);
        ok(count_files() == 2, "and its name is free again");
    }
    struct cdp_output *first, *second;
    ok(!cdp_output_open(&first, NULL, 0, &err) && cdp_output_open(&second, "-", 0, &err) < 0,
       "standard output is one output");
    is_text(err.text, "standard output: two outputs of one name", "and told");
    cdp_output_abandon(first);
    ok(!cdp_output_open(&first, "/dev/null", 0, &err) &&
           !cdp_output_open(&second, "/dev/null", 0, &err),
       "a device takes two");
    cdp_output_abandon(first);
    cdp_output_abandon(second);
    unlink("link");
    unlink("a");
}

static void test_abandon_all(void)
{
    struct cdp_output *outputs[] = {open_output("a"), open_output("b")};
    ok(count_files() == 2, "hidden files");
    cdp_output_abandon_all();
    ok(count_files() == 0, "are removed by what a signal handler calls");
    cdp_output_abandon(outputs[0]);
    cdp_output_abandon(outputs[1]);
}

int main(void)
{
    scratch_enter();
    test_close();
    test_together();
    test_names();
    test_abandon_all();
    scratch_leave();
    return done();
}
