/* Records what a process writes, cuts and syncs in a few named files, in the order in which it happens, as one log.
   Loaded with LD_PRELOAD. RECORD_LOG names the log, RECORD_DATABASE the database, RECORD_ACKS the file of acknowledgements.
   Record: operation (1 byte), file (1 byte), offset or number of the sync (8 bytes), length (8 bytes), then the bytes of a
   write. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

enum { OPEN = 1, WRITE = 2, TRUNCATE = 3, SYNC = 4, UNLINK = 5, SYNC_BEGIN = 6 };
enum { NONE = 0, DATABASE = 1, WAL = 2, ACKS = 3 };
enum { MOST_FILES = 4096 };

static unsigned char kinds[MOST_FILES];
static int log_file = -1;
static const char *database, *acks;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

static void begin(void) {
  if (log_file >= 0) return;
  database = getenv("RECORD_DATABASE");
  acks = getenv("RECORD_ACKS");
  const char *path = getenv("RECORD_LOG");
  if (path && database && acks) log_file = (int)syscall(SYS_openat, AT_FDCWD, path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
}

static int kind_of_path(const char *path) {
  begin();
  if (log_file < 0 || !path) return NONE;
  if (strcmp(path, acks) == 0) return ACKS;
  size_t length = strlen(database);
  if (strncmp(path, database, length) != 0) return NONE;
  if (path[length] == 0) return DATABASE;
  return strcmp(path + length, "-wal") == 0 ? WAL : NONE;
}

static int kind_of(int fd) { return fd >= 0 && fd < MOST_FILES ? kinds[fd] : NONE; }

static void put(const void *bytes, size_t left) {
  const char *at = bytes;
  while (left > 0) {
    ssize_t done = syscall(SYS_write, log_file, at, left);
    if (done <= 0) abort();
    at += done;
    left -= (size_t)done;
  }
}

static void record(unsigned char operation, int kind, uint64_t offset, const void *bytes, uint64_t length) {
  if (kind == NONE || log_file < 0) return;
  unsigned char head[18] = {operation, (unsigned char)kind};
  memcpy(head + 2, &offset, 8);
  memcpy(head + 10, &length, 8);
  pthread_mutex_lock(&lock);
  put(head, sizeof head);
  if (bytes) put(bytes, length);
  pthread_mutex_unlock(&lock);
}

static int opened(int fd, const char *path) {
  if (fd < 0 || fd >= MOST_FILES) return fd;
  kinds[fd] = (unsigned char)kind_of_path(path);
  record(OPEN, kinds[fd], 0, NULL, 0);
  return fd;
}

static mode_t mode_of(int flags, va_list rest) { return flags & (O_CREAT | O_TMPFILE) ? va_arg(rest, mode_t) : 0; }

#define OPENING(name)                                                  \
  int name(const char *path, int flags, ...) {                         \
    va_list rest;                                                      \
    va_start(rest, flags);                                             \
    mode_t mode = mode_of(flags, rest);                                \
    va_end(rest);                                                      \
    int (*real)(const char *, int, ...) = next(#name);                 \
    return opened(real(path, flags, mode), path);                      \
  }
#define OPENING_AT(name)                                               \
  int name(int folder, const char *path, int flags, ...) {             \
    va_list rest;                                                      \
    va_start(rest, flags);                                             \
    mode_t mode = mode_of(flags, rest);                                \
    va_end(rest);                                                      \
    int (*real)(int, const char *, int, ...) = next(#name);            \
    return opened(real(folder, path, flags, mode), path);              \
  }
OPENING(open)
OPENING(open64)
OPENING_AT(openat)
OPENING_AT(openat64)

int close(int fd) {
  int (*real)(int) = next("close");
  if (fd >= 0 && fd < MOST_FILES) kinds[fd] = NONE;
  return real(fd);
}

#define WRITING_AT(name, offset_type)                                                \
  ssize_t name(int fd, const void *bytes, size_t length, offset_type offset) {       \
    ssize_t (*real)(int, const void *, size_t, offset_type) = next(#name);           \
    ssize_t done = real(fd, bytes, length, offset);                                  \
    if (done > 0) record(WRITE, kind_of(fd), (uint64_t)offset, bytes, (uint64_t)done); \
    return done;                                                                     \
  }
WRITING_AT(pwrite, off_t)
WRITING_AT(pwrite64, off64_t)

ssize_t write(int fd, const void *bytes, size_t length) {
  ssize_t (*real)(int, const void *, size_t) = next("write");
  int kind = kind_of(fd);
  uint64_t offset = kind == NONE || kind == ACKS ? 0 : (uint64_t)lseek(fd, 0, SEEK_CUR);
  ssize_t done = real(fd, bytes, length);
  if (done > 0) record(WRITE, kind, offset, bytes, (uint64_t)done);
  return done;
}

#define CUTTING(name, offset_type)                                     \
  int name(int fd, offset_type length) {                               \
    int (*real)(int, offset_type) = next(#name);                       \
    int result = real(fd, length);                                     \
    if (result == 0) record(TRUNCATE, kind_of(fd), (uint64_t)length, NULL, 0); \
    return result;                                                     \
  }
CUTTING(ftruncate, off_t)
CUTTING(ftruncate64, off64_t)

/* A sync covers what was written before it began, and other threads write while it runs: its number joins both ends. */
static uint64_t syncs;
#define SYNCING(name)                                                  \
  int name(int fd) {                                                   \
    int (*real)(int) = next(#name);                                    \
    uint64_t number = __atomic_add_fetch(&syncs, 1, __ATOMIC_SEQ_CST); \
    record(SYNC_BEGIN, kind_of(fd), number, NULL, 0);                  \
    int result = real(fd);                                             \
    if (result == 0) record(SYNC, kind_of(fd), number, NULL, 0);       \
    return result;                                                     \
  }
SYNCING(fsync)
SYNCING(fdatasync)

int unlink(const char *path) {
  int (*real)(const char *) = next("unlink");
  int result = real(path);
  if (result == 0) record(UNLINK, kind_of_path(path), 0, NULL, 0);
  return result;
}
