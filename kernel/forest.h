/* The layout of a model's trees in memory. serve/model/kernel/layout.py writes it, module.c checks
   every index in it once, and forest.c predicts with it. */
#include <stdint.h>

#define BLOCK 64            /* rows that are coded and evaluated together */
#define MAX_EVALUATED 8     /* trees up to this depth are evaluated whole */
#define TOP_LEVELS 6        /* only these levels of a deeper tree are; the rest is walked */
#define MIN_ENDS 16         /* ends that can be read at each tree's */
#define SCRATCH (256 << 10) /* bytes on the stack for the codes and sums of one call */
#define BLOCK_BYTES(f) ((2 * (int64_t)(f)->columns + 4 * (int64_t)(f)->groups) * BLOCK)

/* A feature and up to 255 of its thresholds, sorted, padded with NaN to 2 * half - 1 of them. If
   half is 0: a table of codes, one of each category, of unknown categories, and of missing ones. */
typedef struct { uint32_t feature, first, half, categories; } Column;

/* A node to walk. A row goes right, to left + 1, if its code is greater than place. The codes of
   column 2 * c send a missing value right, and those of column 2 * c + 1 send it left. A leaf's
   place is 127, which no code exceeds, and its left is the leaf itself. */
typedef struct { uint16_t column, left; int8_t place; } Node;

/* A node to evaluate: the offset of its column's codes in a block, and its place, four times. */
typedef struct { uint32_t offset, place; } Test;

/* The end of an evaluated path: a leaf's value, or in a deeper tree the node to walk from. */
typedef union { float value; uint32_t node; } End;

typedef struct { uint32_t nodes, node_count, depth, group, tests, ends; float weight; } Tree;

typedef struct {
    uint32_t features, walk_below, transform;
    uint32_t trees, nodes, values, tests, ends, columns, thresholds, categories, groups;
    const Tree *tree;
    const Node *node;
    const float *value; /* of each node; only the leaves' are used */
    const Test *test;   /* of each tree 2^levels - 1, in preorder */
    const End *end;     /* of each tree 2^levels, from left to right */
    const Column *column;
    const float *threshold;
    const int8_t *category;
    const float *base_margin; /* of each group, which is a class or a target */
} Forest;

/* Write the predictions of all rows, of each row one per group. */
typedef void Predict(const Forest *f, const float *x, int64_t rows, float *out);
Predict predict_base, predict_avx2, predict_avx512;
