/* Stands before the clocks of one process, loaded into it by LD_PRELOAD. A file says by how many
 * milliseconds the wall clock and the clock that counts sleep are ahead; a test changes it while the
 * process runs, or is stopped. The clock that stands still in sleep stays as it is. */

#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

enum { WALL, SINCE_BOOT, CLOCKS };

static const volatile int64_t *ahead;

static int64_t ahead_by(int clock)
{
    static int is_tried;
    if (ahead == NULL && !is_tried) {
        is_tried = 1;
        const char *name = getenv("BITDUST_TEST_CLOCK");
        int file = name == NULL ? -1 : open(name, O_RDONLY | O_CLOEXEC);
        if (file >= 0) {
            void *mapped = mmap(NULL, CLOCKS * sizeof *ahead, PROT_READ, MAP_SHARED, file, 0);
            if (mapped != MAP_FAILED)
                ahead = mapped;
            close(file);
        }
    }
    return ahead == NULL ? 0 : ahead[clock];
}

int clock_gettime(clockid_t id, struct timespec *time)
{
    int failed = (int)syscall(SYS_clock_gettime, id, time);
    if (failed)
        return failed;
    int64_t shift = 0;
    if (id == CLOCK_REALTIME || id == CLOCK_REALTIME_COARSE)
        shift = ahead_by(WALL);
    else if (id == CLOCK_BOOTTIME)
        shift = ahead_by(SINCE_BOOT);
    int64_t nanos = time->tv_nsec + shift % 1000 * 1000000;
    time->tv_sec += shift / 1000;
    if (nanos < 0) {
        nanos += 1000000000;
        time->tv_sec -= 1;
    } else if (nanos >= 1000000000) {
        nanos -= 1000000000;
        time->tv_sec += 1;
    }
    time->tv_nsec = nanos;
    return 0;
}

int gettimeofday(struct timeval *restrict time, void *restrict zone)
{
    (void)zone;
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now))
        return -1;
    time->tv_sec = now.tv_sec;
    time->tv_usec = now.tv_nsec / 1000;
    return 0;
}

time_t time(time_t *to)
{
    struct timespec now;
    if (clock_gettime(CLOCK_REALTIME, &now))
        return -1;
    if (to != NULL)
        *to = now.tv_sec;
    return now.tv_sec;
}
