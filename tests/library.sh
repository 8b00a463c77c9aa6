#!/usr/bin/env bash
# SPDX-License-Identifier: MIT
# The installed library: programs in C, built and run against a copy installed by make.
. "${CDP_SOURCE:?is the root of the source}/tests/tap.sh"
! grep -q fsanitize "$CDP_BUILD/flags" || skip_all "the sanitizers do not go into a shared library"

here=$PWD
made=$CDP_BUILD/installed
make -C "$CDP_SOURCE" --no-print-directory -o "$made/libcdp.a" -o "$made/libcdp.so.0" BUILD="$CDP_BUILD" \
    PREFIX="$here/usr" install-library >out 2>err
ok $? "make install-library"
export PKG_CONFIG_PATH=$here/usr/lib/pkgconfig LD_LIBRARY_PATH=$here/usr/lib
example=$CDP_SOURCE/tests/example/cluster.c
wanted='0 0 0 1 1 -1 '
# shellcheck disable=SC2046 # flags are words
cc -Wall -Wextra -Werror -o shared "$example" $(pkg-config --cflags --libs cdp)
is "$(./shared | tr '\n' ' ')" "$wanted" "the example in C, with the shared library"
# shellcheck disable=SC2046
cc -o static "$example" $(pkg-config --cflags cdp) usr/lib/libcdp.a \
    $(pkg-config --libs --static cdp | sed 's/-lcdp//')
is "$(LD_LIBRARY_PATH='' ./static | tr '\n' ' ')" "$wanted" "and with the static one"
is "$(pkg-config --modversion cdp)" "$(cdp-knn --version | cut -d' ' -f2)" "one version"
is "$(nm -D --defined-only usr/lib/libcdp.so.0 | awk '{ print $3 }' | grep -v '^libcdp_')" "" \
    "the shared library shows nothing but what is public"
is "$(nm -g --defined-only usr/lib/libcdp.a | awk 'NF == 3 { print $3 }' | grep -v '^libcdp_')" "" "nor does the static one"
is "$(grep -v '^static inline' usr/include/cdp.h | grep -o 'libcdp_[a-z_]*(' | tr -d '(' | sort -u)" \
    "$(nm -D --defined-only usr/lib/libcdp.so.0 | awk '{ print $3 }' | sort)" "and all that the header declares"
is "$(grep -o 'libcdp_[a-z_]*' "$CDP_SOURCE/man/cdp.3" | sort -u)" \
    "$(grep -o 'libcdp_[a-z_]*' usr/include/cdp.h | sort -u)" "the page has all of it"

# every function, with good and bad input
cat >all.c <<'END'
#include <cdp.h>
#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

static struct libcdp_err err;

static void show(const char *what, int64_t status)
{
    printf("%s: %d%s%s\n", what, (int)status, status < 0 ? " " : "", status < 0 ? err.text : "");
}

// Ids and scores that no item and no pair has: each is refused, and the object stays as it was.
static void hostile(void)
{
    static const uint64_t ids[] = {UINT64_MAX, UINT64_MAX - 1, 1ULL << 63, 1ULL << 32, 4294967295U, 4294967294U};
    static const float scores[] = {-INFINITY, INFINITY, NAN, -NAN, 1.00001F};
    const uint64_t i[] = {0, 1, 2}, j[] = {1, 2, 3};
    const float score[] = {0.9F, 0.5F, 0.8F};
    struct libcdp_plan plan = libcdp_plan_default();
    struct libcdp_pairs *pairs = libcdp_pairs_new(&err);
    uint32_t label[4];
    int accepted = 0;
    for (int n = 0; n < 6; n++) {
        const uint64_t first[] = {0, 1, ids[n]}, second[] = {1, 3, 2};
        accepted += libcdp_pairs_add(pairs, first, second, score, 3, &err) != -1;
        accepted += libcdp_pairs_add(pairs, second, first, score, 3, &err) != -1;
    }
    for (int n = 0; n < 5; n++) {
        const float bad[] = {0.9F, -100, scores[n]};
        accepted += libcdp_pairs_add(pairs, i, j, bad, 3, NULL) != -1;
    }
    show("hostile", accepted);
    plan.max_size = 2;
    libcdp_pairs_add(pairs, i, j, score, 3, &err);
    show("as before", libcdp_pairs_cluster(pairs, &plan, label, 4, &err));
    printf("%u %u %u %u\n", label[0], label[1], label[2], label[3]);
    libcdp_pairs_free(pairs);
}

// The lowest score of a repeated pair does not count, in whatever calls it comes.
static void repeats(void)
{
    const uint64_t i[] = {1, 0, 1}, j[] = {0, 1, 2};
    const float score[] = {-5, 0.513F, 0.5F};
    struct libcdp_plan plan = libcdp_plan_default();
    plan.max_size = 2;
    for (size_t count = 1; count <= 3; count++) {
        uint32_t label[3];
        struct libcdp_pairs *pairs = libcdp_pairs_new(&err);
        for (size_t p = 0; p < 3; p += count)
            libcdp_pairs_add(pairs, i + p, j + p, score + p, 3 - p < count ? 3 - p : count, &err);
        show("repeats", libcdp_pairs_cluster(pairs, &plan, label, 3, &err));
        libcdp_pairs_free(pairs);
    }
}

// Plans of other sizes.
static void sizes(void)
{
    const uint64_t i[] = {0}, j[] = {1};
    const float score[] = {0.9F};
    uint32_t label[2];
    struct libcdp_plan plan = libcdp_plan_default();
    struct libcdp_pairs *pairs = libcdp_pairs_new(&err);
    libcdp_pairs_add(pairs, i, j, score, 1, &err);
    show("size", plan.size == sizeof plan && plan.max_size == 600 && plan.max_iter == 100);
    plan.max_iter = UINT64_MAX; // which an older size does not include
    plan.size = offsetof(struct libcdp_plan, max_iter);
    show("older", libcdp_pairs_cluster(pairs, &plan, label, 2, &err));
    plan = libcdp_plan_default();
    plan.size++;
    show("newer", libcdp_pairs_cluster(pairs, &plan, label, 2, &err));
    plan.size = 0;
    show("none", libcdp_pairs_cluster(pairs, &plan, label, 2, &err));
    libcdp_pairs_free(pairs);
}

// What no memory is left for.
static void memory(void)
{
    const uint64_t i[] = {0}, j[] = {4000000000U};
    const float score[] = {0.9F};
    uint32_t label[2];
    struct rlimit before, small = {1 << 30, RLIM_INFINITY};
    struct libcdp_plan plan = libcdp_plan_default();
    struct libcdp_pairs *pairs = libcdp_pairs_new(&err);
    getrlimit(RLIMIT_AS, &before);
    small.rlim_max = before.rlim_max;
    setrlimit(RLIMIT_AS, &small);
    printf("memory: %d\n", libcdp_pairs_add(pairs, i, j, score, 1, &err));
    setrlimit(RLIMIT_AS, &before);
    show("after that", libcdp_pairs_add(pairs, i, i + 1, score, 1, &err));
    show("nor", libcdp_pairs_cluster(pairs, &plan, label, 2, &err));
    libcdp_pairs_free(pairs);
}

// 65,536 members that agree.
static void crowd(void)
{
    enum { MEMBERS = 65536 };
    static const int64_t list[] = {1, 2, 0, 2, 0, 1};
    static const int64_t *committee[MEMBERS];
    static const float distance[] = {0.1F, 0.2F, 0.1F, 0.3F, 0.2F, 0.3F}, odd[] = {0.1F, NAN, 0, 0, 0, 0};
    uint64_t first[6], second[6];
    float score[6];
    for (int m = 0; m < MEMBERS; m++)
        committee[m] = list;
    for (unsigned accept = 0; accept <= MEMBERS + 1; accept += accept ? MEMBERS / 2 : 1)
        show("crowd", libcdp_vote(3, 2, list, distance, committee, MEMBERS, accept, 0, first, second, score, &err));
    show("all", libcdp_vote(3, 2, list, distance, committee, MEMBERS, MEMBERS, 0, first, second, score, &err));
    show("more", libcdp_vote(3, 2, list, distance, committee, 2, 3, 0, first, second, score, &err));
    show("odd", libcdp_vote(3, 2, list, odd, committee, 2, 2, 0, first, second, score, &err));
    show("no number", libcdp_vote(3, 2, list, distance, committee, 2, 2, NAN, first, second, score, &err));
    show("long", libcdp_vote(3, 1ULL << 62, list, distance, committee, 2, 2, 0, first, second, score, &err));
}

int main(void)
{
    hostile();
    repeats();
    sizes();
    memory();
    crowd();
    const uint64_t i[] = {0, 1, 2}, j[] = {1, 2, 3}, same[] = {1}, far[] = {1ULL << 40};
    const float score[] = {0.9F, 0.5F, 0.8F}, nan[] = {NAN}, large[] = {1.5F};
    uint32_t label[4];
    struct libcdp_plan plan = libcdp_plan_default();
    struct libcdp_pairs *pairs = libcdp_pairs_new(NULL);
    show("self", libcdp_pairs_add(pairs, same, same, score, 1, &err));
    show("nan", libcdp_pairs_add(pairs, i, j, nan, 1, &err));
    show("large", libcdp_pairs_add(pairs, i, j, large, 1, &err));
    show("far", libcdp_pairs_add(pairs, i, far, score, 1, &err));
    show("add", libcdp_pairs_add(pairs, i, j, score, 3, &err));
    show("few", libcdp_pairs_cluster(pairs, &plan, label, 3, &err));
    show("all", libcdp_pairs_cluster(pairs, &plan, label, 4, &err));
    plan.max_size = 2;
    show("cut", libcdp_pairs_cluster(pairs, &plan, label, 4, &err));
    printf("%u %u %u %u\n", label[0], label[1], label[2], label[3]);
    show("late", libcdp_pairs_add(pairs, i, j, score, 3, &err));
    plan.step = 2;
    show("plan", libcdp_pairs_cluster(pairs, &plan, label, 4, &err));
    libcdp_pairs_free(pairs);
    libcdp_pairs_free(NULL);

    const int64_t base[] = {0, 1, 2, 1, 0, -1, 2, 0, 1}, member[] = {1, -1, -1, 0, 2, -1, 1, -1, -1};
    const int64_t *committee[] = {member}, wrong[] = {0, 1, 9, 1, 0, 2, 2, 0, 1};
    const float distance[] = {0, 0.1F, 0.3F, 0, 0.2F, 0, 0, 0.4F, 0.5F};
    uint64_t first[9], second[9];
    float similarity[9];
    int64_t count = libcdp_vote(3, 3, base, distance, committee, 1, 1, 0.4F, first, second, similarity, &err);
    show("vote", count);
    for (int64_t p = 0; p < count; p++)
        printf("%d %d %g\n", (int)first[p], (int)second[p], similarity[p]);
    show("wrong", libcdp_vote(3, 3, wrong, distance, committee, 1, 1, 0.4F, first, second, similarity, &err));

    const uint32_t truth[] = {7, 7, 9, 9}, found[] = {3, 3, 3, LIBCDP_NONE};
    struct libcdp_scores kept, removed;
    show("eval", libcdp_eval(found, truth, 4, &kept, &removed, &err));
    printf("%.6f %.6f %.6f %.6f\n", kept.pairwise_precision, kept.pairwise_recall, kept.bcubed_fscore,
           removed.bcubed_precision);
    return 0;
}
END
# shellcheck disable=SC2046
cc -Wall -Wextra -o all all.c $(pkg-config --cflags --libs cdp) -lm
is "$(./all)" "hostile: 0
as before: 2
0 0 1 1
repeats: 3
repeats: 3
repeats: 3
size: 1
older: 1
newer: -1 a plan of 41 bytes, but this library knows 40: set it by libcdp_plan_default
none: -1 a plan of 0 bytes, but this library knows 40: set it by libcdp_plan_default
memory: -1
after that: -1 an earlier call ran out of memory, and pairs may be lost: begin again with libcdp_pairs_new
nor: -1 an earlier call ran out of memory, and pairs may be lost: begin again with libcdp_pairs_new
crowd: 3
crowd: 3
crowd: 3
crowd: -1 65537 members are to agree, but there are 65536
all: 3
more: -1 3 members are to agree, but there are 2
odd: -1 item 0: neighbour 2 is at a distance of nan
no number: -1 the threshold is not a number
long: -1 3 items, lists of 4611686018427387904; at most 2^32 - 2 can be
self: -1 pair 0: item 1 with itself
nan: -1 pair 0: a score of nan: scores are finite and at most 1
large: -1 pair 0: a score of 1.5: scores are finite and at most 1
far: -1 pair 0: item 1099511627776: items are numbered from 0 to 2^32 - 3
add: 0
few: -1 item 3 is in a pair, but there are 3 items
all: 1
cut: 2
0 0 1 1
late: -1 no pairs can be added after clusters were made
plan: -1 a plan has a max_size of 1 or more, a step from 0 to 1, and a max_iter of at most a million
vote: 2
0 1 0.9
1 2 0.5
wrong: -1 item 0: neighbour 9 is not below 3
eval: 0
0.333333 0.500000 0.705882 0.555556" "every function, with good and bad input"

done_testing
