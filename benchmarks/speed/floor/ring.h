/* The floor: rings, a slab and a bitmap of ready stages, with nothing around them.
 *
 * What a hop costs when a kernel does no more than queue: no bounds in bytes or age, no overflow order, no turns, no
 * evidence. It is here to say how far from that a generated kernel is, and is no product code. One thread.
 */
#pragma once
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define FLOOR_LANES 3
#define FLOOR_STAGES_MAX 64
#define FLOOR_DRAIN_MAX 64 /* items of one stage before another is looked at */

typedef struct __attribute__((aligned(64))) {
    uint64_t seq;
    uint32_t epoch; /* generation: an item of another than its lane's is stale */
    uint16_t type;
    uint8_t lane; /* 0 control, 1 data, 2 telemetry */
    uint8_t flags;
    uint64_t media_ns;
    void *payload;
    uint32_t length;
    uint32_t session;
    uint64_t mark; /* the word that each stage changes */
    uint64_t spare;
} floor_item;

typedef int (*floor_stage)(void *context, floor_item *item); /* 0: goes on */

typedef struct {
    uint32_t head, tail, mask;
    uint32_t *handles;
} floor_ring;

typedef struct {
    int stages;
    uint32_t capacity, free_count;
    uint32_t lane_epoch[FLOOR_LANES];
    uint64_t ready[FLOOR_LANES]; /* bit s: stage s has items on this lane */
    uint64_t done, stale, dropped;
    floor_stage function[FLOOR_STAGES_MAX];
    void *context[FLOOR_STAGES_MAX];
    floor_ring ring[FLOOR_STAGES_MAX][FLOOR_LANES];
    floor_item *slab;
    uint32_t *free_handles;
} floor_kernel;

static inline uint64_t floor_now_ns(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000ull + (uint64_t)t.tv_nsec;
}

static int floor_mark(void *context, floor_item *item) {
    (void)context;
    item->mark++;
    return 0;
}

static void floor_close(floor_kernel *k) {
    if (!k) return;
    for (int s = 0; s < k->stages; s++)
        for (int lane = 0; lane < FLOOR_LANES; lane++) free(k->ring[s][lane].handles);
    free(k->slab);
    free(k->free_handles);
    free(k);
}

/* `capacity` is a power of two: items of one ring. NULL if there is no memory. */
static floor_kernel *floor_open(int stages, uint32_t capacity) {
    floor_kernel *k = calloc(1, sizeof *k);
    if (!k) return NULL;
    uint32_t pool = capacity * 2;
    k->stages = stages;
    k->capacity = capacity;
    k->free_handles = malloc(pool * sizeof *k->free_handles);
    if (posix_memalign((void **)&k->slab, 64, pool * sizeof *k->slab)) k->slab = NULL;
    int good = k->free_handles && k->slab;
    for (int s = 0; s < stages; s++) {
        k->function[s] = floor_mark;
        for (int lane = 0; lane < FLOOR_LANES; lane++) {
            k->ring[s][lane].mask = capacity - 1;
            k->ring[s][lane].handles = malloc(capacity * sizeof(uint32_t));
            good = good && k->ring[s][lane].handles;
        }
    }
    if (!good) {
        floor_close(k);
        return NULL;
    }
    for (uint32_t i = 0; i < pool; i++) k->free_handles[i] = pool - 1 - i;
    k->free_count = pool;
    return k;
}

static inline int floor_push(floor_kernel *k, int stage, uint32_t handle, int lane) {
    floor_ring *r = &k->ring[stage][lane];
    if (r->tail - r->head > r->mask) {
        k->dropped++;
        return -1;
    }
    r->handles[r->tail++ & r->mask] = handle;
    k->ready[lane] |= 1ull << stage;
    return 0;
}

static inline void floor_release(floor_kernel *k, uint32_t handle) { k->free_handles[k->free_count++] = handle; }

/* A new item at the first stage; -1 if there is no room. */
static inline int floor_feed(floor_kernel *k, uint64_t seq, void *payload) {
    if (!k->free_count) return -1;
    uint32_t handle = k->free_handles[--k->free_count];
    floor_item *item = &k->slab[handle];
    memset(item, 0, sizeof *item);
    item->seq = seq;
    item->lane = 1;
    item->epoch = k->lane_epoch[1];
    item->payload = payload;
    return floor_push(k, 0, handle, 1);
}

static inline int floor_lane(const floor_kernel *k) {
    for (int lane = 0; lane < FLOOR_LANES; lane++)
        if (k->ready[lane]) return lane;
    return -1;
}

/* Handle and drain: a ring between every two stages; a stage takes up to FLOOR_DRAIN_MAX items, control goes first. */
static void floor_run(floor_kernel *k) {
    for (int lane; (lane = floor_lane(k)) >= 0;) {
        int s = __builtin_ctzll(k->ready[lane]);
        floor_ring *r = &k->ring[s][lane];
        for (int n = 0; r->head != r->tail && n < FLOOR_DRAIN_MAX; n++) {
            uint32_t handle = r->handles[r->head++ & r->mask];
            floor_item *item = &k->slab[handle];
            if (__builtin_expect(item->epoch != k->lane_epoch[lane], 0)) {
                k->stale++;
                floor_release(k, handle);
                continue;
            }
            int stopped = k->function[s](k->context[s], item);
            if (!stopped && s + 1 < k->stages) {
                floor_push(k, s + 1, handle, lane);
            } else {
                k->done += !stopped;
                floor_release(k, handle);
            }
            if (__builtin_expect(lane && k->ready[0], 0)) break;
        }
        if (r->head == r->tail) k->ready[lane] &= ~(1ull << s);
    }
}

/* Run to completion: a ring before the first stage only. */
static void floor_run_fused(floor_kernel *k) {
    for (int lane; (lane = floor_lane(k)) >= 0;) {
        floor_ring *r = &k->ring[0][lane];
        uint32_t handle = r->handles[r->head++ & r->mask];
        floor_item *item = &k->slab[handle];
        if (__builtin_expect(item->epoch != k->lane_epoch[lane], 0)) {
            k->stale++;
        } else {
            int s = 0;
            while (s < k->stages && !k->function[s](k->context[s], item)) s++;
            k->done += s == k->stages;
        }
        floor_release(k, handle);
        if (r->head == r->tail) k->ready[lane] = 0;
    }
}

/* `count` items through everything, made and fed here; returns ns. */
static uint64_t floor_flood(floor_kernel *k, uint64_t count, int fused) {
    uint64_t began = floor_now_ns();
    for (uint64_t i = 0; i < count;) {
        uint64_t until = i + FLOOR_DRAIN_MAX < count ? i + FLOOR_DRAIN_MAX : count;
        for (; i < until; i++) floor_feed(k, i, NULL);
        if (fused) floor_run_fused(k);
        else floor_run(k);
    }
    return floor_now_ns() - began;
}
