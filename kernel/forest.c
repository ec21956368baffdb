/* Predict with a forest: the same float32 sums as XGBoost's CPU predictor, bit for bit.

   A row's margin is its base margin plus the leaf of each tree, in the trees' order, each times the
   tree's weight. Only the way to the leaves differs from XGBoost's:

   1. Each value becomes a code: how many of its feature's thresholds are not above it. Then "value
      < threshold" is "code <= place of the threshold", a comparison of bytes.
   2. Every node of a tree is evaluated, for 64 rows: one instruction compares as many rows as a
      vector has bytes. The results choose the number of each row's leaf, from the bottom up and
      without a branch. Deeper trees are evaluated at the top, and walked from there.
   3. Few rows are walked from the root instead, several trees at a time.

   Compiled once for each instruction set, with -DPREDICT=... and -DWIDTH=bytes of a vector. */
#include <math.h>
#include <string.h>
#include "forest.h"

#define TREES 8  /* walked at once by one row */
#define ROWS 16  /* walked, or coded, at once */
#define BLOCKS 4 /* evaluated by a tree while it is in the cache */
#define INLINE static inline __attribute__((always_inline))
#define FUNCTION static __attribute__((noinline))

#ifdef __aarch64__ /* XGBoost's own wheels multiply and add in one rounding, on x86-64 in two */
#define ADD(sum, leaf, weight) __builtin_fmaf(leaf, weight, sum)
#else
#define ADD(sum, leaf, weight) ((sum) + (leaf) * (weight))
#endif

/* Write the codes of a column for some rows: a binary search of all rows in step. Only the first
   ``sent`` rows exist. */
INLINE void code_numbers(const Forest *f, const Column *c, const float *x, int rows, int sent,
                         int8_t *missing_right, int8_t *missing_left)
{
    const float *threshold = f->threshold + c->first;
    float value[ROWS];
    uint32_t count[ROWS] = {0};
    for (int r = 0; r < rows; r++) value[r] = x[(int64_t)(r < sent ? r : 0) * f->features];
    for (uint32_t half = c->half; half; half >>= 1)
#pragma GCC unroll 16
        for (int r = 0; r < rows; r++)
            count[r] += value[r] >= threshold[count[r] + half - 1] ? half : 0;
    for (int r = 0; r < rows; r++) {
        int missing = value[r] != value[r];
        missing_right[r] = missing ? 127 : (int)count[r] - 128;
        missing_left[r] = missing ? -128 : (int)count[r] - 128;
    }
}

/* Write the index of each row's category in the tables of its feature, with a missing value to the
   right, then to the left. As in XGBoost, fractions are truncated. */
static void index_categories(const Forest *f, const Column *c, const float *x, int rows,
                             uint32_t index[2][BLOCK])
{
    uint32_t unknown = c->categories - 2, missing = c->categories - 1;
    for (int r = 0; r < rows; r++) {
        float value = x[(int64_t)r * f->features + c->feature];
        int is_known = (value >= 0) & (value < (float)unknown);
        index[1][r] = is_known ? (uint32_t)value : unknown;
        index[0][r] = value != value ? missing : index[1][r];
    }
}

/* Write the codes of all columns, of each column twice ``stride`` codes, ``group`` rows at once. */
INLINE void code_rows(const Forest *f, const float *x, int rows, int group, int8_t *codes,
                      size_t stride)
{
    uint32_t index[2][BLOCK] = {{0}};
    for (const Column *c = f->column; c < f->column + f->columns; c++, codes += 2 * stride) {
        int8_t *right = codes, *left = codes + stride;
        if (!c->half) {
            int is_first = c == f->column || c[-1].half || c[-1].feature != c->feature;
            if (is_first || c[-1].categories != c->categories)
                index_categories(f, c, x, rows, index);
            const int8_t *table = f->category + c->first;
            for (int r = 0; r < rows; r++) right[r] = table[index[0][r]];
            for (int r = 0; r < rows; r++) left[r] = table[index[1][r]];
            continue;
        }
        for (int from = 0; from < rows; from += group, right += group, left += group) {
            const float *first = x + (int64_t)from * f->features + c->feature;
            int sent = rows - from < group ? rows - from : group;
            if (sent == group) code_numbers(f, c, first, group, group, right, left);
            else code_numbers(f, c, first, group, sent, right, left);
        }
    }
}

INLINE uint32_t step(const Node *nodes, uint32_t at, const int8_t *codes, size_t stride)
{
    Node node = nodes[at];
    return node.left + (codes[node.column * stride] > node.place);
}

/* Write the margins of one row. */
static void walk_row(const Forest *f, const float *x, int8_t *codes, float *sums)
{
    code_rows(f, x, 1, 1, codes, 1);
    memcpy(sums, f->base_margin, f->groups * sizeof *sums);
    for (uint32_t t = 0; t < f->trees; t += TREES) {
        int trees = f->trees - t < TREES ? f->trees - t : TREES;
        const Tree *tree = f->tree + t;
        const Node *nodes[TREES];
        uint32_t at[TREES] = {0}, depth = 0;
        for (int j = 0; j < TREES; j++) {
            nodes[j] = f->node + tree[j < trees ? j : 0].nodes;
            if (j < trees && tree[j].depth > depth) depth = tree[j].depth;
        }
        for (uint32_t level = 0; level < depth; level++)
#pragma GCC unroll 8
            for (int j = 0; j < TREES; j++) at[j] = step(nodes[j], at[j], codes, 1);
        for (int j = 0; j < trees; j++) {
            float *sum = sums + tree[j].group;
            *sum = ADD(*sum, f->value[tree[j].nodes + at[j]], tree[j].weight);
        }
    }
}

typedef int8_t Bytes __attribute__((vector_size(WIDTH)));
typedef uint32_t Words __attribute__((vector_size(WIDTH)));
typedef float Floats __attribute__((vector_size(WIDTH), aligned(4), may_alias));

/* Return the number of each row's end below a test, counted from the left. */
INLINE Bytes end_number_0(const Test *test, const int8_t *codes)
{
    (void)test, (void)codes;
    return (Bytes){0};
}
#define END_NUMBER(levels, below, half, LINKAGE) \
    LINKAGE Bytes end_number_##levels(const Test *test, const int8_t *codes) \
    { \
        Bytes right = *(const Bytes *)(codes + test->offset) > (Bytes)((Words){0} + test->place); \
        Bytes in_left = end_number_##below(test + 1, codes); \
        Bytes in_right = end_number_##below(test + half, codes) + (int8_t)half; \
        return in_left ^ (right & (in_left ^ in_right)); \
    }
END_NUMBER(1, 0, 1, INLINE)
END_NUMBER(2, 1, 2, INLINE)
END_NUMBER(3, 2, 4, INLINE)
END_NUMBER(4, 3, 8, INLINE)
END_NUMBER(5, 4, 16, INLINE)
END_NUMBER(6, 5, 32, FUNCTION)
END_NUMBER(7, 6, 64, FUNCTION)
END_NUMBER(8, 7, 128, FUNCTION)
static Bytes (*const END_NUMBERS[])(const Test *, const int8_t *) = {
    end_number_0, end_number_1, end_number_2, end_number_3, end_number_4,
    end_number_5, end_number_6, end_number_7, end_number_8};

/* Add the leaves of these numbers to the sums of as many rows. */
INLINE void add_leaves(const uint8_t *number, const End *ends, const Tree *tree, float *sums)
{
#if WIDTH == 64 /* up to 64 leaves are looked up in registers */
    uint32_t index[WIDTH] __attribute__((aligned(WIDTH)));
    for (int r = 0; r < WIDTH; r++) index[r] = number[r];
    for (int r = 0; tree->depth <= 6 && r < WIDTH; r += 16) {
        const Words i = *(const Words *)(index + r), high = i > 31;
        const Floats *leaf = (const Floats *)ends;
        Floats chosen = tree->depth <= 4 ? __builtin_shuffle(leaf[0], i)
                                         : __builtin_shuffle(leaf[0], leaf[1], i);
        if (tree->depth == 6)
            chosen = (Floats)((~high & (Words)chosen) |
                              (high & (Words)__builtin_shuffle(leaf[2], leaf[3], i)));
        *(Floats *)(sums + r) = ADD(*(Floats *)(sums + r), chosen, tree->weight);
    }
    if (tree->depth <= 6) return;
#endif
    for (int r = 0; r < WIDTH; r++) sums[r] = ADD(sums[r], ends[number[r]].value, tree->weight);
}

/* Walk on from the nodes of these numbers, and add the leaves. */
INLINE void walk_rest(const Forest *f, const uint8_t *number, const End *ends, const Tree *tree,
                      const int8_t *codes, float *sums)
{
    for (int from = 0; from < WIDTH; from += ROWS, number += ROWS, codes += ROWS, sums += ROWS) {
        uint32_t at[ROWS];
        for (int r = 0; r < ROWS; r++) at[r] = ends[number[r]].node;
        for (uint32_t level = TOP_LEVELS; level < tree->depth; level++)
#pragma GCC unroll 16
            for (int r = 0; r < ROWS; r++)
                at[r] = step(f->node + tree->nodes, at[r], codes + r, BLOCK);
        for (int r = 0; r < ROWS; r++)
            sums[r] = ADD(sums[r], f->value[tree->nodes + at[r]], tree->weight);
    }
}

/* Predict up to BLOCKS blocks; the scratch memory has for each block its codes, then its sums. */
static void predict_blocks(const Forest *f, const float *x, int rows, float *out, int8_t *scratch)
{
    int64_t size = BLOCK_BYTES(f), sums_at = 2 * (int64_t)f->columns * BLOCK;
    int groups = f->groups, blocks = (rows + BLOCK - 1) / BLOCK;
    if (rows % BLOCK) memset(scratch + (blocks - 1) * size, 0, size);
    for (int b = 0; b < blocks; b++) {
        int here = rows - b * BLOCK < BLOCK ? rows - b * BLOCK : BLOCK;
        float *sums = (float *)(scratch + b * size + sums_at);
        code_rows(f, x + (int64_t)b * BLOCK * f->features, here, ROWS, scratch + b * size, BLOCK);
        for (int i = 0; i < groups * BLOCK; i++) sums[i] = f->base_margin[i / BLOCK];
    }
    for (const Tree *tree = f->tree; tree < f->tree + f->trees; tree++)
        for (int i = 0; i < blocks * BLOCK; i += WIDTH) {
            const int8_t *codes = scratch + i / BLOCK * size + i % BLOCK;
            float *sums = (float *)(scratch + i / BLOCK * size + sums_at) + i % BLOCK;
            const End *ends = f->end + tree->ends;
            int deep = tree->depth > MAX_EVALUATED, levels = deep ? TOP_LEVELS : tree->depth;
            Bytes numbers = END_NUMBERS[levels](f->test + tree->tests, codes);
            uint8_t number[WIDTH];
            memcpy(number, &numbers, WIDTH);
            if (deep) walk_rest(f, number, ends, tree, codes, sums + tree->group * BLOCK);
            else add_leaves(number, ends, tree, sums + tree->group * BLOCK);
        }
    for (int64_t i = 0; i < (int64_t)rows * groups; i++) {
        const float *sums = (const float *)(scratch + i / groups / BLOCK * size + sums_at);
        out[i] = sums[i % groups * BLOCK + i / groups % BLOCK];
    }
}

/* XGBoost's own formulas; serve/model/kernel/built_in.py says which objective has which. */
static void transform(const Forest *f, float *out, int64_t rows)
{
    int64_t count = rows * f->groups;
    for (int64_t i = 0; f->transform == 1 && i < count; i++)
        out[i] = 1.0f / (expf(88.7f < -out[i] ? 88.7f : -out[i]) + 1.0f + 1e-16f);
    for (int64_t i = 0; f->transform == 2 && i < count; i++) out[i] = expf(out[i]);
    for (float *row = out; f->transform == 3 && row < out + count; row += f->groups) {
        float most = row[0];
        double sum = 0;
        for (uint32_t k = 1; k < f->groups; k++) most = fmaxf(row[k], most);
        for (uint32_t k = 0; k < f->groups; k++) sum += row[k] = expf(row[k] - most);
        for (uint32_t k = 0; k < f->groups; k++) row[k] /= (float)sum;
    }
}

void PREDICT(const Forest *f, const float *x, int64_t rows, float *out)
{
    int8_t scratch[SCRATCH] __attribute__((aligned(64)));
    int64_t blocks = SCRATCH / BLOCK_BYTES(f), most = (blocks < BLOCKS ? blocks : BLOCKS) * BLOCK;
    for (int64_t now; rows; rows -= now, x += now * f->features, out += now * f->groups) {
        now = rows < most ? rows : most;
        if (now % BLOCK < f->walk_below) now -= now % BLOCK; /* the last rows are walked */
        if (now) predict_blocks(f, x, (int)now, out, scratch);
        else walk_row(f, x, scratch, out), now = 1;
        transform(f, out, now);
    }
}
