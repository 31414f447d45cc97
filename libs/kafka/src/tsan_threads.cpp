// ThreadSanitizer build only: librdkafka uses C11 threads, whose entry points ThreadSanitizer does not intercept; a thread
// it has not seen start crashes it. These definitions in the executable take precedence over libc's and go through pthreads,
// which it does intercept. glibc's C11 types are its pthread types under other names.
#include <pthread.h>
#include <sched.h>
#include <threads.h>
#include <time.h>
#include <cerrno>
#include <memory>

static_assert(sizeof(mtx_t) >= sizeof(pthread_mutex_t) && sizeof(cnd_t) >= sizeof(pthread_cond_t));

namespace {

struct Start {
    thrd_start_t function;
    void* argument;
};

void* begin(void* raw) {
    const std::unique_ptr<Start> start(static_cast<Start*>(raw));
    return reinterpret_cast<void*>(static_cast<std::intptr_t>(start->function(start->argument)));
}

pthread_mutex_t* mutex_of(mtx_t* mutex) {
    return reinterpret_cast<pthread_mutex_t*>(mutex);
}
pthread_cond_t* condition_of(cnd_t* condition) {
    return reinterpret_cast<pthread_cond_t*>(condition);
}

int answer_of(int code) {
    switch (code) {
        case 0:
            return thrd_success;
        case ENOMEM:
            return thrd_nomem;
        case ETIMEDOUT:
            return thrd_timedout;
        case EBUSY:
            return thrd_busy;
        default:
            return thrd_error;
    }
}

}  // namespace

extern "C" {

int thrd_create(thrd_t* thread, thrd_start_t function, void* argument) {
    auto start = std::make_unique<Start>(function, argument);
    const int code = pthread_create(thread, nullptr, &begin, start.get());
    if (code == 0) {
        (void)start.release();
    }
    return answer_of(code);
}
int thrd_join(thrd_t thread, int* result) {
    void* value = nullptr;
    const int code = pthread_join(thread, &value);
    if (code == 0 && result != nullptr) {
        *result = static_cast<int>(reinterpret_cast<std::intptr_t>(value));
    }
    return answer_of(code);
}
int thrd_detach(thrd_t thread) {
    return answer_of(pthread_detach(thread));
}
void thrd_exit(int result) {
    pthread_exit(reinterpret_cast<void*>(static_cast<std::intptr_t>(result)));
}
thrd_t thrd_current(void) {
    return pthread_self();
}
int thrd_equal(thrd_t a, thrd_t b) {
    return pthread_equal(a, b);
}
void thrd_yield(void) {
    sched_yield();
}
int thrd_sleep(const struct timespec* duration, struct timespec* left) {
    return nanosleep(duration, left);
}

int mtx_init(mtx_t* mutex, int kind) {
    pthread_mutexattr_t attributes;
    pthread_mutexattr_init(&attributes);
    pthread_mutexattr_settype(&attributes, (kind & mtx_recursive) != 0 ? PTHREAD_MUTEX_RECURSIVE : PTHREAD_MUTEX_NORMAL);
    const int code = pthread_mutex_init(mutex_of(mutex), &attributes);
    pthread_mutexattr_destroy(&attributes);
    return answer_of(code);
}
void mtx_destroy(mtx_t* mutex) {
    pthread_mutex_destroy(mutex_of(mutex));
}
int mtx_lock(mtx_t* mutex) {
    return answer_of(pthread_mutex_lock(mutex_of(mutex)));
}
int mtx_trylock(mtx_t* mutex) {
    return answer_of(pthread_mutex_trylock(mutex_of(mutex)));
}
int mtx_timedlock(mtx_t* mutex, const struct timespec* until) {
    return answer_of(pthread_mutex_timedlock(mutex_of(mutex), until));
}
int mtx_unlock(mtx_t* mutex) {
    return answer_of(pthread_mutex_unlock(mutex_of(mutex)));
}

int cnd_init(cnd_t* condition) {
    return answer_of(pthread_cond_init(condition_of(condition), nullptr));
}
void cnd_destroy(cnd_t* condition) {
    pthread_cond_destroy(condition_of(condition));
}
int cnd_signal(cnd_t* condition) {
    return answer_of(pthread_cond_signal(condition_of(condition)));
}
int cnd_broadcast(cnd_t* condition) {
    return answer_of(pthread_cond_broadcast(condition_of(condition)));
}
int cnd_wait(cnd_t* condition, mtx_t* mutex) {
    return answer_of(pthread_cond_wait(condition_of(condition), mutex_of(mutex)));
}
int cnd_timedwait(cnd_t* condition, mtx_t* mutex, const struct timespec* until) {
    return answer_of(pthread_cond_timedwait(condition_of(condition), mutex_of(mutex), until));
}

int tss_create(tss_t* key, tss_dtor_t destructor) {
    return answer_of(pthread_key_create(key, destructor));
}
void tss_delete(tss_t key) {
    pthread_key_delete(key);
}
void* tss_get(tss_t key) {
    return pthread_getspecific(key);
}
int tss_set(tss_t key, void* value) {
    return answer_of(pthread_setspecific(key, value));
}
void call_once(once_flag* flag, void (*function)(void)) {
    pthread_once(reinterpret_cast<pthread_once_t*>(flag), function);
}
}
