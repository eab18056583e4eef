# cython: language_level=3
"""Counts what Python allocates, exactly: a hook before each of its three allocators (raw, mem, obj).

Every malloc, calloc and realloc of those domains is one. Objects that come from a type's free list allocate nothing,
and are not counted. C code that calls malloc itself is not seen.
"""


cdef extern from *:
    """
    #include <Python.h>

    static unsigned long long counted = 0;
    static PyMemAllocatorEx before[3];
    static const PyMemAllocatorDomain domains[3] = {PYMEM_DOMAIN_RAW, PYMEM_DOMAIN_MEM, PYMEM_DOMAIN_OBJ};

    static void *counting_malloc(void *ctx, size_t size) {
        PyMemAllocatorEx *own = (PyMemAllocatorEx *)ctx;
        counted++;
        return own->malloc(own->ctx, size);
    }
    static void *counting_calloc(void *ctx, size_t count, size_t size) {
        PyMemAllocatorEx *own = (PyMemAllocatorEx *)ctx;
        counted++;
        return own->calloc(own->ctx, count, size);
    }
    static void *counting_realloc(void *ctx, void *at, size_t size) {
        PyMemAllocatorEx *own = (PyMemAllocatorEx *)ctx;
        counted++;
        return own->realloc(own->ctx, at, size);
    }
    static void counting_free(void *ctx, void *at) {
        PyMemAllocatorEx *own = (PyMemAllocatorEx *)ctx;
        own->free(own->ctx, at);
    }
    static void count_from_now(void) {
        for (int i = 0; i < 3; i++) {
            PyMem_GetAllocator(domains[i], &before[i]);
            PyMemAllocatorEx hook = {&before[i], counting_malloc, counting_calloc, counting_realloc, counting_free};
            PyMem_SetAllocator(domains[i], &hook);
        }
        counted = 0;
    }
    static unsigned long long stop_counting(void) {
        for (int i = 0; i < 3; i++) PyMem_SetAllocator(domains[i], &before[i]);
        return counted;
    }
    """
    void count_from_now()
    unsigned long long stop_counting()


def during(function, *args):
    """Allocations while `function(*args)` ran, and what it returned."""
    cdef unsigned long long seen
    count_from_now()
    try:
        result = function(*args)
    finally:
        seen = stop_counting()
    return seen, result
