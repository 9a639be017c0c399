/* A machine with a clock of its own and a disk that can be full: loaded before the C library of a process, it says what time it
   is and lets no file grow, as the file in SOAK_CONTROL has it. Pipes and sockets are left alone. */

#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

struct control {
    uint64_t version; /* odd while it is being changed */
    int64_t booted;   /* nanoseconds since the machine booted ... */
    int64_t real;     /* ... and what time it is then, in nanoseconds since 1970 */
    int64_t rate;     /* how many seconds pass in one */
    uint64_t is_full; /* whether the disk is */
};

static const volatile struct control *control;

__attribute__((constructor)) static void begin(void) {
    const char *path = getenv("SOAK_CONTROL");
    int file = path ? open(path, O_RDONLY) : -1;
    if (file < 0) return;
    void *mapped = mmap(NULL, sizeof *control, PROT_READ, MAP_SHARED, file, 0);
    if (mapped != MAP_FAILED) control = mapped;
    close(file);
}

int clock_gettime(clockid_t clock, struct timespec *now) {
    if (!control || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE))
        return (int)syscall(SYS_clock_gettime, clock, now);
    struct timespec booted;
    int64_t nanoseconds;
    uint64_t version;
    do {
        version = control->version;
        __sync_synchronize();
        syscall(SYS_clock_gettime, CLOCK_BOOTTIME, &booted);
        int64_t since = booted.tv_sec * INT64_C(1000000000) + booted.tv_nsec - control->booted;
        nanoseconds = control->real + since * control->rate;
        __sync_synchronize();
    } while (version % 2 == 1 || version != control->version);
    now->tv_sec = nanoseconds / 1000000000;
    now->tv_nsec = nanoseconds % 1000000000;
    return 0;
}

int gettimeofday(struct timeval *restrict now, void *restrict zone) {
    struct timespec precise;
    (void)zone;
    clock_gettime(CLOCK_REALTIME, &precise);
    now->tv_sec = precise.tv_sec;
    now->tv_usec = precise.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *into) {
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    if (into) *into = now.tv_sec;
    return now.tv_sec;
}

static int is_refused(int file) {
    struct stat status;
    if (!control || !control->is_full || fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) return 0;
    errno = ENOSPC;
    return 1;
}

ssize_t write(int file, const void *bytes, size_t length) {
    static ssize_t (*next)(int, const void *, size_t);
    if (!next) next = (ssize_t (*)(int, const void *, size_t))dlsym(RTLD_NEXT, "write");
    return is_refused(file) ? -1 : next(file, bytes, length);
}

ssize_t pwrite(int file, const void *bytes, size_t length, off_t offset) {
    static ssize_t (*next)(int, const void *, size_t, off_t);
    if (!next) next = (ssize_t (*)(int, const void *, size_t, off_t))dlsym(RTLD_NEXT, "pwrite");
    return is_refused(file) ? -1 : next(file, bytes, length, offset);
}

ssize_t pwrite64(int file, const void *bytes, size_t length, off64_t offset) {
    static ssize_t (*next)(int, const void *, size_t, off64_t);
    if (!next) next = (ssize_t (*)(int, const void *, size_t, off64_t))dlsym(RTLD_NEXT, "pwrite64");
    return is_refused(file) ? -1 : next(file, bytes, length, offset);
}
