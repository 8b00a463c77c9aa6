// SPDX-License-Identifier: MIT
// faiss FILE DIM K: prints the K nearest neighbours of every row by cosine, as `i <tab> j <tab>
// distance`, with the exact search of faiss (IndexFlatIP; Debian: libfaiss-dev) and two threads.
// Its seconds go to standard error, without reading FILE (raw float32) and scaling the rows to
// length 1.
#include <faiss/IndexFlat.h>
#include <omp.h>

#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <vector>

static double now()
{
    return std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch())
        .count();
}

int main(int argc, char **argv)
{
    if (argc != 4)
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
    omp_set_num_threads(2);
    double start = now();
    faiss::IndexFlatIP index((faiss::Index::idx_t)dim);
    index.add((faiss::Index::idx_t)rows, x.data());
    std::vector<float> cosine(rows * (k + 1));
    std::vector<faiss::Index::idx_t> id(rows * (k + 1));
    index.search((faiss::Index::idx_t)rows, x.data(), (faiss::Index::idx_t)k + 1, cosine.data(),
                 id.data());
    fprintf(stderr, "faiss: %.2f s in all\n", now() - start);
    for (size_t i = 0; i < rows; i++) {
        for (size_t n = i * (k + 1); n < (i + 1) * (k + 1); n++) {
            if (id[n] != (faiss::Index::idx_t)i)
                printf("%zu\t%lld\t%.9g\n", i, (long long)id[n], 1 - (double)cosine[n]);
        }
    }
}
