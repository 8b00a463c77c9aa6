// SPDX-License-Identifier: MIT
// hnsw FILE DIM K [M [EF_CONSTRUCTION [EF]]]: prints the K nearest neighbours of every row (raw
// float32) by cosine, as `i <tab> j <tab> distance`, with hnswlib (Debian: libhnswlib-dev). Seconds
// of building and searching go to standard error; reading and scaling the rows to length 1 are not
// in them. With several threads (OMP_NUM_THREADS) the index differs a little from run to run.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <hnswlib/hnswlib.h>
#include <omp.h>
#include <vector>

int main(int argc, char **argv)
{
    auto number = [&](int at, size_t otherwise) {
        return argc > at ? strtoul(argv[at], nullptr, 10) : otherwise;
    };
    size_t dim = number(2, 0), k = number(3, 0), bytes = dim * sizeof(float);
    if (!dim || !k) {
        fprintf(stderr, "usage: hnsw FILE DIM K [M [EF_CONSTRUCTION [EF]]]\n");
        return 2;
    }
    std::ifstream file(argv[1], std::ios::binary | std::ios::ate);
    size_t size = file ? size_t(file.tellg()) : 0, rows = size / bytes;
    std::vector<float> x(rows * dim);
    if (!rows || size % bytes || !file.seekg(0).read((char *)x.data(), std::streamsize(size))) {
        fprintf(stderr, "hnsw: %s: expected rows of %zu float32\n", argv[1], dim);
        return 1;
    }
    for (float *row = x.data(); row < x.data() + x.size(); row += dim) {
        double square = 0;
        for (size_t d = 0; d < dim; d++)
            square += double(row[d]) * row[d];
        for (size_t d = 0; d < dim; d++)
            row[d] = float(row[d] / std::sqrt(square));
    }
    double start = omp_get_wtime();
    hnswlib::InnerProductSpace space(dim);
    hnswlib::HierarchicalNSW<float> index(&space, rows, number(4, 16), number(5, 200));
    index.addPoint(&x[0], 0);
#pragma omp parallel for schedule(dynamic, 64)
    for (size_t i = 1; i < rows; i++)
        index.addPoint(&x[i * dim], i);
    double built = omp_get_wtime();
    index.setEf(number(6, 64));
    std::vector<std::vector<std::pair<float, size_t>>> found(rows);
#pragma omp parallel for schedule(dynamic, 64)
    for (size_t i = 0; i < rows; i++)
        found[i] = index.searchKnnCloserFirst(&x[i * dim], k + 1);
    double end = omp_get_wtime();
    fprintf(stderr, "hnswlib: built in %.2f s, searched in %.2f s, %.2f s in all\n", built - start,
            end - built, end - start);
    for (size_t i = 0; i < rows; i++) {
        size_t left = k; // it may not have found the row itself
        for (auto [distance, j] : found[i]) {
            if (j != i && left) {
                printf("%zu\t%zu\t%.9g\n", i, j, double(distance));
                left--;
            }
        }
    }
    if (ferror(stdout) || fflush(stdout)) {
        perror("hnsw: output");
        return 1;
    }
}
