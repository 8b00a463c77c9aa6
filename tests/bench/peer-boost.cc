// SPDX-License-Identifier: MIT
// peer-boost PAIRS ITEMS [MAX_SIZE [STEP [MAX_ITER]]]: prints the labels of cdp-propagate, one a
// line, computed round by round with Boost's disjoint sets (Debian: libboost-dev). PAIRS is a file
// of records: two uint32 and a float32.
#include <boost/pending/disjoint_sets.hpp>
#include <chrono>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <vector>

struct Pair {
    uint32_t i, j;
    float score;
};

int main(int argc, char **argv)
{
    auto begun = std::chrono::steady_clock::now();
    FILE *file = argc > 2 ? fopen(argv[1], "rb") : nullptr;
    if (!file)
        return 1;
    fseek(file, 0, SEEK_END);
    std::vector<Pair> pairs(size_t(ftell(file)) / sizeof(Pair));
    rewind(file);
    if (fread(pairs.data(), sizeof(Pair), pairs.size(), file) != pairs.size())
        return 1;
    uint32_t items = uint32_t(atol(argv[2])), max_size = argc > 3 ? uint32_t(atol(argv[3])) : 600;
    double step = argc > 4 ? atof(argv[4]) : 0.05, threshold = 1;
    int max_iter = argc > 5 ? atoi(argv[5]) : 100;
    std::vector<uint32_t> parent(items), rank(items), size(items);
    std::vector<int64_t> label(items, -1);
    std::vector<char> alive(items);
    for (const Pair &p : pairs) {
        alive[p.i] = alive[p.j] = 1;
        threshold = p.score < threshold ? p.score : threshold;
    }
    boost::disjoint_sets<uint32_t *, uint32_t *> sets(rank.data(), parent.data());
    for (int round = 0; round <= max_iter && !pairs.empty(); round++) {
        for (uint32_t n = 0; n < items; n++) {
            sets.make_set(n);
            size[n] = 0;
        }
        for (const Pair &p : pairs)
            sets.union_set(p.i, p.j);
        for (uint32_t n = 0; n < items; n++)
            size[sets.find_set(n)] += alive[n];
        for (uint32_t n = 0; n < items; n++) {
            if (alive[n] && (size[sets.find_set(n)] <= max_size || round == max_iter)) {
                label[n] = int64_t(round) * items + sets.find_set(n);
                alive[n] = 0;
            }
        }
        threshold = threshold + (1 - threshold) * step;
        size_t kept = 0;
        for (const Pair &p : pairs) {
            if (alive[p.i] && alive[p.j] && double(p.score) >= threshold)
                pairs[kept++] = p;
        }
        pairs.resize(kept);
    }
    // Items that remain without a pair become singletons. Labels are numbered in order of first
    // appearance.
    int64_t next = 0;
    std::vector<std::vector<int64_t>> number(size_t(max_iter) + 1);
    for (uint32_t n = 0; n < items; n++) {
        if (alive[n])
            printf("%lld\n", (long long)next++);
        else if (label[n] < 0)
            puts("-1");
        else {
            auto &of_round = number[size_t(label[n] / items)];
            if (of_round.empty())
                of_round.assign(items, -1);
            int64_t &own = of_round[size_t(label[n] % items)];
            if (own < 0)
                own = next++;
            printf("%lld\n", (long long)own);
        }
    }
    fprintf(stderr, "boost: %.2f s\n",
            std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count());
}
