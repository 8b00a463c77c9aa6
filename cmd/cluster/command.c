// SPDX-License-Identifier: MIT
#include "cluster/command.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "text.h"
#include "tool.h"

extern char **environ;

static const int passed_on[] = {SIGINT, SIGTERM, SIGHUP};
enum { PASSED_ON = sizeof passed_on / sizeof passed_on[0] };

void command_add(struct command *command, const char *word)
{
    if (command->count + 1 == COMMAND_WORDS)
        tool_fail("%s: more than %d words", command->word[0], COMMAND_WORDS - 1);
    command->word[command->count++] = word;
    command->word[command->count] = NULL;
}

void command_option(struct command *command, const char *option, const char *value)
{
    if (!value)
        return;
    command_add(command, option);
    command_add(command, value);
}

static void write_word(FILE *file, const char *word)
{
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                                "@%+=:,./_-";
    if (*word && strspn(word, plain) == strlen(word)) {
        fputs(word, file);
        return;
    }
    putc('\'', file);
    for (; *word; word++)
        fputs(*word == '\'' ? "'\\''" : (const char[]){*word, 0}, file);
    putc('\'', file);
}

char *command_text(const struct command *command)
{
    struct text text;
    text_open(&text);
    for (size_t i = 0; i < command->count; i++) {
        if (i)
            putc(' ', text.file);
        write_word(text.file, command->word[i]);
    }
    return text_close(&text);
}

// ---- the folder

static char *temporary;

static void remove_temporary(void)
{
    DIR *folder = temporary ? opendir(temporary) : NULL;
    if (!folder)
        return;
    for (struct dirent *entry; (entry = readdir(folder));)
        unlinkat(dirfd(folder), entry->d_name, 0);
    closedir(folder);
    rmdir(temporary);
}

const char *command_folder(const char *name)
{
    if (name) {
        if (mkdir(name, 0777) && errno != EEXIST)
            tool_fail("%s: cannot create the folder: %s", name, strerror(errno));
        return name;
    }
    const char *parent = getenv("TMPDIR");
    parent = parent && *parent ? parent : "/tmp";
    char *folder = text_join("%s/cdp-XXXXXX", parent);
    if (!mkdtemp(folder))
        tool_fail("%s: cannot create a folder: %s: set TMPDIR", parent, strerror(errno));
    temporary = folder;
    atexit(remove_temporary);
    return folder;
}

// ---- running

static volatile pid_t child;
static volatile sig_atomic_t caught;

static void pass_on(int number)
{
    caught = number;
    if (child > 0)
        kill(child, number);
}

// The program beside this one, or its name if there is none.
static const char *program(const char *name, char *room, size_t size)
{
    ssize_t length = readlink("/proc/self/exe", room, size - 1);
    if (length < 0)
        return name;
    room[length] = 0;
    char *last = strrchr(room, '/');
    if (!last || (size_t)(last + 1 - room) + strlen(name) >= size)
        return name;
    strcpy(last + 1, name);
    return access(room, X_OK) ? name : room;
}

static _Noreturn void die_of(int number)
{
    remove_temporary();
    signal(number, SIG_DFL);
    raise(number);
    _exit(128 + number);
}

void command_run(const struct command *command, bool to_error)
{
    char room[4096];
    struct sigaction passing = {.sa_handler = pass_on}, before[PASSED_ON];
    for (int i = 0; i < PASSED_ON; i++) {
        sigaction(passed_on[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN)
            sigaction(passed_on[i], &passing, NULL);
    }
    posix_spawn_file_actions_t actions;
    posix_spawn_file_actions_init(&actions);
    if (to_error)
        posix_spawn_file_actions_adddup2(&actions, STDERR_FILENO, STDOUT_FILENO);
    pid_t pid;
    int failed = posix_spawnp(&pid, program(command->word[0], room, sizeof room), &actions, NULL,
                              (char *const *)command->word, environ);
    posix_spawn_file_actions_destroy(&actions);
    if (failed)
        tool_fail("%s: cannot run: %s", command->word[0], strerror(failed));
    child = pid;
    if (caught)
        kill(pid, caught);
    int status;
    while (waitpid(pid, &status, 0) < 0) {
        if (errno != EINTR)
            tool_fail("%s: cannot wait for it: %s", command->word[0], strerror(errno));
    }
    child = 0;
    if (caught)
        die_of(caught);
    if (WIFSIGNALED(status)) {
        tool_problem("%s: ended by signal %d", command->word[0], WTERMSIG(status));
        die_of(WTERMSIG(status));
    }
    if (WEXITSTATUS(status))
        exit(WEXITSTATUS(status)); // it said why
    for (int i = 0; i < PASSED_ON; i++)
        sigaction(passed_on[i], &before[i], NULL);
}
