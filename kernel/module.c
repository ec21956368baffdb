/* The extension module _forest. Its load() checks all indices once, so predict() never reads or
   writes outside of its arrays, whatever they contain. */
#define Py_LIMITED_API 0x030b0000
#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <string.h>
#include "forest.h"

#define RELEASE_GIL_ABOVE 20000 /* rows times trees: some tens of microseconds */
#define ARRAYS 9

typedef struct { Forest forest; Predict *predict; Py_buffer array[ARRAYS]; } Loaded;

static Predict *find_variant(const char *name)
{
#ifdef __x86_64__
    if (!strcmp(name, "avx512") && __builtin_cpu_supports("x86-64-v4")) return predict_avx512;
    if (!strcmp(name, "avx2") && __builtin_cpu_supports("x86-64-v3")) return predict_avx2;
#endif
    return strcmp(name, "base") ? NULL : predict_base;
}

/* Return the first condition that a forest does not meet, or NULL. */
static const char *find_fault(const Forest *f)
{
#define CHECK(condition) if (!(condition)) return #condition
    CHECK(f->features > 0 && f->groups > 0 && f->columns > 0 && f->values == f->nodes);
    CHECK(BLOCK_BYTES(f) <= SCRATCH);
    for (const Column *c = f->column; c < f->column + f->columns; c++) {
        CHECK(c->feature < f->features && c->half <= 128);
        CHECK(!c->half || c->first + 2ull * c->half - 1 <= f->thresholds);
        CHECK(c->half || c->categories >= 2);
        CHECK(c->half || (uint64_t)c->first + c->categories <= f->categories);
    }
    for (const Test *test = f->test; test < f->test + f->tests; test++)
        CHECK(test->offset % BLOCK == 0 && test->offset / BLOCK < 2 * f->columns);
    for (const Tree *t = f->tree; t < f->tree + f->trees; t++) {
        int deep = t->depth > MAX_EVALUATED, ends = 1 << (deep ? TOP_LEVELS : t->depth);
        CHECK((uint64_t)t->nodes + t->node_count <= f->nodes && t->depth < t->node_count);
        CHECK((uint64_t)t->tests + ends - 1 <= f->tests && t->group < f->groups);
        CHECK((uint64_t)t->ends + (ends > MIN_ENDS ? ends : MIN_ENDS) <= f->ends);
        for (const Node *n = f->node + t->nodes; n < f->node + t->nodes + t->node_count; n++) {
            CHECK(n->column < 2 * f->columns);
            CHECK((uint32_t)n->left + (n->place < 127) < t->node_count);
        }
        for (int i = 0; deep && i < ends; i++) CHECK(f->end[t->ends + i].node < t->node_count);
    }
    return NULL;
}

static void unload(PyObject *capsule)
{
    Loaded *loaded = PyCapsule_GetPointer(capsule, "forest");
    for (int i = 0; i < ARRAYS; i++) PyBuffer_Release(&loaded->array[i]);
    PyMem_Free(loaded);
}

/* load(variant, features, walk_below, transform, *arrays), the arrays in the order of Forest */
static PyObject *load(PyObject *module, PyObject *args)
{
    (void)module;
    const char *variant;
    Loaded *loaded = PyMem_Calloc(1, sizeof *loaded);
    PyObject *capsule = loaded ? PyCapsule_New(loaded, "forest", unload) : PyErr_NoMemory();
    if (!capsule) return PyMem_Free(loaded), NULL;
    Forest *f = &loaded->forest;
    Py_buffer *a = loaded->array;
    if (!PyArg_ParseTuple(args, "sIIIy*y*y*y*y*y*y*y*y*", &variant, &f->features, &f->walk_below,
                          &f->transform, a, a + 1, a + 2, a + 3, a + 4, a + 5, a + 6, a + 7, a + 8))
        return Py_DECREF(capsule), NULL;
#define SET(item, count) f->item = a->buf, f->count = a->len / sizeof *f->item, a++
    SET(tree, trees), SET(node, nodes), SET(value, values), SET(test, tests), SET(end, ends);
    SET(column, columns), SET(threshold, thresholds), SET(category, categories);
    SET(base_margin, groups);
    loaded->predict = find_variant(variant);
    const char *fault = loaded->predict ? find_fault(f) : "unsupported variant";
    if (!fault) return capsule;
    PyErr_SetString(PyExc_ValueError, fault);
    return Py_DECREF(capsule), NULL;
}

/* predict(forest, features, predictions), both matrices of float32, row by row */
static PyObject *predict(PyObject *module, PyObject *args)
{
    (void)module;
    PyObject *capsule;
    Py_buffer x, out;
    if (!PyArg_ParseTuple(args, "Oy*w*", &capsule, &x, &out)) return NULL;
    Loaded *loaded = PyCapsule_GetPointer(capsule, "forest");
    const Forest *f = &loaded->forest;
    int64_t rows = loaded ? x.len / 4 / f->features : 0;
    if (loaded && (x.len != rows * 4 * f->features || out.len != rows * 4 * f->groups))
        PyErr_SetString(PyExc_ValueError, "the features or predictions do not match the forest");
    else if (loaded && rows * f->trees < RELEASE_GIL_ABOVE)
        loaded->predict(f, x.buf, rows, out.buf);
    else if (loaded) {
        Py_BEGIN_ALLOW_THREADS
        loaded->predict(f, x.buf, rows, out.buf);
        Py_END_ALLOW_THREADS
    }
    PyBuffer_Release(&x), PyBuffer_Release(&out);
    return PyErr_Occurred() ? NULL : Py_NewRef(Py_None);
}

static PyObject *supports(PyObject *module, PyObject *name)
{
    (void)module;
    const char *variant = PyUnicode_AsUTF8AndSize(name, NULL);
    return variant ? PyBool_FromLong(find_variant(variant) != NULL) : NULL;
}

static PyMethodDef methods[] = {{"load", load, METH_VARARGS, NULL},
                                {"predict", predict, METH_VARARGS, NULL},
                                {"supports", supports, METH_O, NULL}, {0}};
static struct PyModuleDef definition = {
    PyModuleDef_HEAD_INIT, .m_name = "_forest", .m_size = -1, .m_methods = methods};

PyMODINIT_FUNC PyInit__forest(void) { return PyModule_Create(&definition); }
