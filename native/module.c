/* The Python binding: flowscan.parse._kernel, on the stable ABI of CPython 3.11. */
#define PY_SSIZE_T_CLEAN
#ifndef Py_LIMITED_API
#define Py_LIMITED_API 0x030B0000
#endif
#include <Python.h>

#include <stdlib.h>

#include "export.h"
#include "parser.h"

typedef struct {
    PyObject_HEAD
    fs_parser parser;
    const char *instructions;
    bool busy; /* a feed runs without the GIL; guarded by the GIL */
} ParserObject;

static PyObject *raise(int failed) {
    if (failed == FS_FULL)
        return PyErr_Format(PyExc_OverflowError, "more than 2 GiB of text in a column");
    return PyErr_NoMemory();
}

/* Read a sequence of at most `most` integers into out; returns their number or -1. */
static Py_ssize_t read_integers(PyObject *sequence, Py_ssize_t most, int64_t *out) {
    Py_ssize_t count = PySequence_Size(sequence);
    if (count < 0) return -1;
    if (count > most) {
        PyErr_Format(PyExc_ValueError, "more than %zd entries", most);
        return -1;
    }
    for (Py_ssize_t i = 0; i < count; i++) {
        PyObject *item = PySequence_GetItem(sequence, i);
        if (!item) return -1;
        out[i] = PyLong_AsLongLong(item);
        Py_DECREF(item);
        if (out[i] == -1 && PyErr_Occurred()) return -1;
    }
    return count;
}

static fs_type type_of(fs_kind kind, int64_t max) {
    if (kind == FS_TIME) return FS_INT64;
    if (kind == FS_INTEGER) return max <= INT32_MAX ? FS_INT32 : FS_INT64;
    return FS_DICT;
}

static int read_fields(fs_plan *plan, PyObject *kinds, PyObject *limits) {
    int64_t kind[FS_MAX_FIELDS], limit[FS_MAX_FIELDS];
    Py_ssize_t count = read_integers(kinds, FS_MAX_FIELDS, kind);
    if (count < 0 || read_integers(limits, FS_MAX_FIELDS, limit) < 0) return -1;
    if (count == 0 || PySequence_Size(limits) != count) {
        PyErr_SetString(PyExc_ValueError, "kinds and limits must be of one length, not 0");
        return -1;
    }
    plan->field = malloc((size_t)count * sizeof *plan->field);
    if (!plan->field) {
        PyErr_NoMemory();
        return -1;
    }
    plan->fields = plan->columns = (int)count;
    for (Py_ssize_t i = 0; i < count; i++) {
        if (kind[i] < FS_STRING || kind[i] > FS_TIME || limit[i] < 0) {
            PyErr_SetString(PyExc_ValueError, "unknown kind or negative limit");
            return -1;
        }
        fs_kind k = (fs_kind)kind[i];
        plan->field[i] = (fs_field){k, type_of(k, limit[i]), (uint64_t)limit[i]};
    }
    return 0;
}

/* Find the fields with a role; start and end become columns of their own where they are none. */
static int read_roles(fs_plan *plan, PyObject *coverage, PyObject *traffic) {
    int64_t at[FS_COVERAGE_TEXTS + FS_TRAFFIC];
    plan->start = plan->end = plan->status = -1;
    Py_ssize_t count = read_integers(coverage, FS_COVERAGE_TEXTS, at);
    if (count < 0) return -1;
    bool good = count == FS_COVERAGE_TEXTS;
    for (Py_ssize_t i = 0; i < count; i++) {
        good = good && at[i] >= -1 && at[i] < plan->fields;
        plan->coverage[i] = (int)at[i];
    }
    count = read_integers(traffic, FS_TRAFFIC, at);
    if (count < 0) return -1;
    for (Py_ssize_t i = 0; i < count; i++) {
        good = good && at[i] >= 0 && at[i] < plan->fields;
        plan->traffic[i] = (int)at[i];
    }
    plan->traffic_count = (int)count;
    if (!good) PyErr_SetString(PyExc_ValueError, "no such field");
    return good ? 0 : -1;
}

static int read_time_columns(fs_plan *plan, int start, int end, int status) {
    bool good = start < plan->fields && end < plan->fields && status < plan->fields;
    good = good && (start < 0 || plan->field[start].kind == FS_TIME);
    good = good && (end < 0 || plan->field[end].kind == FS_TIME);
    good = good && (status < 0 || plan->field[status].kind == FS_STATUS);
    if (!good) {
        PyErr_SetString(PyExc_ValueError, "start, end or status is no such field");
        return -1;
    }
    plan->start = start >= 0 ? start : plan->columns++;
    plan->end = end >= 0 ? end : plan->columns++;
    plan->status = status;
    plan->probe = status >= 0 ? status : plan->traffic_count ? plan->traffic[0] : -1;
    return 0;
}

static int read_known(fs_plan *plan, const char *known, Py_ssize_t len) {
    if (len && known[len - 1] != 0) {
        PyErr_SetString(PyExc_ValueError, "known names must each end with NUL");
        return -1;
    }
    plan->known = malloc((size_t)len + 1);
    if (!plan->known) {
        PyErr_NoMemory();
        return -1;
    }
    memcpy(plan->known, known, (size_t)len);
    plan->known_len = (size_t)len;
    return 0;
}

static PyObject *parser_new(PyTypeObject *type, PyObject *args, PyObject *keywords) {
    static char *names[] = {"kinds",    "limits",  "comma", "max_line", "start",        "end", "status",
                            "coverage", "traffic", "known", "seed",     "instructions", NULL};
    PyObject *kinds, *limits, *coverage, *traffic;
    int comma, start, end, status;
    Py_ssize_t max_line, known_len;
    unsigned long long seed;
    const char *known, *instructions;
    if (!PyArg_ParseTupleAndKeywords(args, keywords, "OOpniiiOOy#Ks:Parser", names, &kinds, &limits,
                                     &comma, &max_line, &start, &end, &status, &coverage, &traffic,
                                     &known, &known_len, &seed, &instructions))
        return NULL;
    if (max_line < 1 || max_line > (Py_ssize_t)1 << 28)
        return PyErr_Format(PyExc_ValueError, "max_line must be from 1 to 2^28");
    allocfunc allocate = (allocfunc)PyType_GetSlot(type, Py_tp_alloc);
    ParserObject *self = (ParserObject *)allocate(type, 0);
    if (!self) return NULL;
    fs_plan *plan = &self->parser.plan;
    plan->comma = comma != 0;
    plan->max_line = (size_t)max_line;
    if (read_fields(plan, kinds, limits) || read_roles(plan, coverage, traffic) ||
        read_time_columns(plan, start, end, status) || read_known(plan, known, known_len)) {
        Py_DECREF(self);
        return NULL;
    }
    if (fs_parser_init(&self->parser, seed, instructions, &self->instructions)) {
        Py_DECREF(self);
        return PyErr_NoMemory();
    }
    return (PyObject *)self;
}

static void parser_dealloc(PyObject *object) {
    PyTypeObject *type = Py_TYPE(object);
    fs_parser_free(&((ParserObject *)object)->parser);
    freefunc release = (freefunc)PyType_GetSlot(type, Py_tp_free);
    release(object);
    Py_DECREF(type);
}

enum { KEPT_TEXT = 502 }; /* what is shown of a line, with its line end */

static PyObject *reject_list(const fs_parser *parser, const fs_fed *fed, const Py_buffer *data) {
    PyObject *list = PyList_New(0);
    for (size_t i = 0; list && i < fed->reject_count; i++) {
        const fs_reject *kept = &parser->rejects[i];
        const char *text = (const char *)data->buf + kept->offset;
        size_t len = (size_t)data->len - kept->offset;
        const char *end = memchr(text, '\n', len = len < KEPT_TEXT ? len : KEPT_TEXT);
        if (end) len = (size_t)(end - text) + 1;
        PyObject *item = Py_BuildValue("LIy#", (long long)kept->line, (unsigned)kept->reason, text,
                                       (Py_ssize_t)len);
        if (!item || PyList_Append(list, item)) Py_CLEAR(list);
        Py_XDECREF(item);
    }
    return list;
}

static PyObject *feed_buffers(ParserObject *self, const Py_buffer *data, bool final,
                              const fs_times *times) {
    fs_fed fed;
    int failed;
    self->busy = true;
    Py_BEGIN_ALLOW_THREADS
    failed = fs_parser_feed(&self->parser, data->buf, (size_t)data->len, final, times, &fed);
    Py_END_ALLOW_THREADS
    self->busy = false;
    if (failed) return raise(failed);
    PyObject *rejects = reject_list(&self->parser, &fed, data);
    if (!rejects) return NULL;
    return Py_BuildValue("nLLLLLnN", (Py_ssize_t)fed.consumed, (long long)fed.lines,
                         (long long)fed.records, (long long)fed.flows, (long long)fed.nodata,
                         (long long)fed.skipdata,
                         fed.header ? (Py_ssize_t)fed.header_len : (Py_ssize_t)-1, rejects);
}

static PyObject *refuse_busy(void) {
    return PyErr_Format(PyExc_RuntimeError, "the parser is in use by another thread");
}

static PyObject *parser_feed(PyObject *object, PyObject *args) {
    ParserObject *self = (ParserObject *)object;
    Py_buffer data, each = {0};
    int final;
    PyObject *all, *each_object;
    fs_times times = {0};
    if (!PyArg_ParseTuple(args, "y*pOO:feed", &data, &final, &all, &each_object)) return NULL;
    PyObject *result = NULL;
    if (each_object != Py_None) {
        if (PyObject_GetBuffer(each_object, &each, PyBUF_SIMPLE)) goto done;
        if ((uintptr_t)each.buf % sizeof(int64_t)) {
            PyErr_SetString(PyExc_ValueError, "times are not aligned");
            goto done;
        }
        times.each = each.buf;
        times.each_count = (size_t)each.len / sizeof(int64_t);
    }
    if (all != Py_None) {
        times.all = PyLong_AsLongLong(all);
        times.has_all = true;
        if (times.all == -1 && PyErr_Occurred()) goto done;
    }
    result = self->busy ? refuse_busy() : feed_buffers(self, &data, final != 0, &times);
done:
    if (each.obj) PyBuffer_Release(&each);
    PyBuffer_Release(&data);
    return result;
}

static void free_capsule(PyObject *capsule) {
    struct ArrowArray *array = PyCapsule_GetPointer(capsule, "arrow_array");
    if (!array) return;
    if (array->release) array->release(array);
    free(array);
}

static PyObject *capsule_of(fs_batch *batch) {
    struct ArrowArray *array = fs_export(batch);
    if (!array) return PyErr_NoMemory();
    PyObject *capsule = PyCapsule_New(array, "arrow_array", free_capsule);
    if (!capsule) {
        array->release(array);
        free(array);
    }
    return capsule;
}

static PyObject *parser_drain(PyObject *object, PyObject *unused) {
    ParserObject *self = (ParserObject *)object;
    fs_batch *flows, *coverage;
    (void)unused;
    if (self->busy) return refuse_busy();
    int failed = fs_parser_drain(&self->parser, &flows, &coverage);
    if (failed) return raise(failed);
    long long first = 0, last = 0;
    bool some = fs_parser_range(&self->parser, flows, &first, &last);
    PyObject *range = some ? Py_BuildValue("LL", first, last) : Py_NewRef(Py_None);
    PyObject *a = capsule_of(flows), *b = capsule_of(coverage);
    if (!a || !b || !range) {
        Py_XDECREF(a);
        Py_XDECREF(b);
        Py_XDECREF(range);
        return NULL;
    }
    return Py_BuildValue("NNN", a, b, range);
}

static PyObject *get_rows(PyObject *object, void *unused) {
    (void)unused;
    const fs_batch *batch = ((ParserObject *)object)->parser.batch;
    return PyLong_FromSize_t(batch ? batch->rows : 0);
}

static PyObject *get_nbytes(PyObject *object, void *unused) {
    const fs_parser *parser = &((ParserObject *)object)->parser;
    (void)unused;
    if (!parser->batch || !parser->coverage) return PyLong_FromLong(0);
    return PyLong_FromSize_t(fs_batch_bytes(parser->batch) + fs_batch_bytes(parser->coverage));
}

static PyObject *get_instructions(PyObject *object, void *unused) {
    (void)unused;
    return PyUnicode_FromString(((ParserObject *)object)->instructions);
}

static PyMethodDef parser_methods[] = {
    {"feed", parser_feed, METH_VARARGS, "Parse the whole lines of a block."},
    {"drain", parser_drain, METH_NOARGS, "Give out flows and coverage as Arrow arrays."},
    {NULL, NULL, 0, NULL}};

static PyGetSetDef parser_attributes[] = {
    {"rows", get_rows, NULL, "Flows held.", NULL},
    {"nbytes", get_nbytes, NULL, "Bytes of the rows held.", NULL},
    {"instructions", get_instructions, NULL, "Instruction set of the scan.", NULL},
    {NULL, NULL, NULL, NULL, NULL}};

static PyType_Slot parser_slots[] = {{Py_tp_new, parser_new},
                                     {Py_tp_dealloc, parser_dealloc},
                                     {Py_tp_methods, parser_methods},
                                     {Py_tp_getset, parser_attributes},
                                     {Py_tp_doc, "Text lines of one plan to typed columns."},
                                     {0, NULL}};

static PyType_Spec parser_spec = {"flowscan.parse._kernel.Parser", sizeof(ParserObject), 0,
                                  Py_TPFLAGS_DEFAULT, parser_slots};

static int module_exec(PyObject *module) {
    PyObject *type = PyType_FromSpec(&parser_spec);
    if (!type) return -1;
    int failed = PyModule_AddObjectRef(module, "Parser", type);
    Py_DECREF(type);
    return failed;
}

static PyModuleDef_Slot module_slots[] = {{Py_mod_exec, module_exec}, {0, NULL}};

static struct PyModuleDef module_def = {
    PyModuleDef_HEAD_INIT, "_kernel", "Parse kernel of flowscan.", 0, NULL, module_slots, NULL,
    NULL,                  NULL};

PyMODINIT_FUNC PyInit__kernel(void) { return PyModuleDef_Init(&module_def); }
