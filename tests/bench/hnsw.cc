// SPDX-License-Identifier: MIT
// hnsw FILE DIM K M EF_CONSTRUCTION EF: the K nearest of every row by cosine with hnswlib, two
// threads, as `i <tab> j <tab> distance`; the seconds of building and searching on standard error.
// Rows (raw float32) are scaled to length 1 first, outside the time.
#include <hnswlib/hnswlib.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <thread>
#include <vector>

static double now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

int main(int argc, char **argv)
{
    if (argc != 7)
        return 2;
    size_t dim = strtoul(argv[2], nullptr, 10), k = strtoul(argv[3], nullptr, 10);
    std::ifstream file(argv[1], std::ios::binary | std::ios::ate);
    size_t rows = (size_t)file.tellg() / (dim * sizeof(float));
    std::vector<float> x(rows * dim);
    file.seekg(0);
    file.read((char *)x.data(), (std::streamsize)(x.size() * sizeof(float)));
    for (size_t i = 0; i < rows; i++) {
        double square = 0;
        for (size_t d = 0; d < dim; d++)
            square += (double)x[i * dim + d] * x[i * dim + d];
        for (size_t d = 0; d < dim; d++)
            x[i * dim + d] = (float)(x[i * dim + d] / std::sqrt(square));
    }
    auto both = [&](auto work) {
        std::thread other([&] {
            for (size_t i = 1; i < rows; i += 2)
                work(i);
        });
        for (size_t i = 0; i < rows; i += 2)
            work(i);
        other.join();
    };
    double start = now();
    hnswlib::InnerProductSpace space(dim);
    hnswlib::HierarchicalNSW<float> index(&space, rows, strtoul(argv[4], nullptr, 10),
                                          strtoul(argv[5], nullptr, 10));
    index.addPoint(&x[0], 0);
    both([&](size_t i) {
        if (i)
            index.addPoint(&x[i * dim], i);
    });
    double built = now();
    index.setEf(strtoul(argv[6], nullptr, 10));
    std::vector<std::vector<std::pair<float, size_t>>> found(rows);
    both([&](size_t i) {
        auto queue = index.searchKnn(&x[i * dim], k + 1);
        for (; !queue.empty(); queue.pop())
            found[i].push_back({queue.top().first, queue.top().second});
    });
    fprintf(stderr, "hnswlib: built in %.2f s, searched in %.2f s, %.2f s in all\n", built - start,
            now() - built, now() - start);
    for (size_t i = 0; i < rows; i++) {
        for (auto n = found[i].rbegin(); n != found[i].rend(); ++n) {
            if (n->second != i)
                printf("%zu\t%zu\t%.9g\n", i, n->second, (double)n->first);
        }
    }
}
