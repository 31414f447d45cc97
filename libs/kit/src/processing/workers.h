// Threads that handle tasks: made when tasks are ready and all others are busy, gone after some seconds without work.
//
// Small stacks (they hold a handler, no more) keep hundreds of them cheap. stop() joins all; a thread inside a handler is
// waited for.
#pragma once

#include <syncline/core/clock.h>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <mutex>

#include <pthread.h>

namespace syncline::kit {

class Workers {
public:
    // `work` does one piece of work if there is one and says whether there was; `ready` says how many pieces wait.
    Workers(std::size_t threads_max, std::size_t stack_bytes, std::function<bool()> work, std::function<std::size_t()> ready);
    Workers(const Workers&) = delete;
    Workers& operator=(const Workers&) = delete;
    ~Workers();

    // There may be work. Cheap; any thread.
    void wake();
    // False if some thread was still busy at the deadline (of the machine's clock); stop again or be destroyed to wait on.
    bool stop(core::Deadline deadline);
    [[nodiscard]] std::size_t threads() const;

private:
    static void* enter(void* self);
    void run();
    bool start_thread();

    const std::size_t threads_max_;
    const std::size_t stack_bytes_;
    const std::function<bool()> work_;
    const std::function<std::size_t()> ready_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::condition_variable gone_;
    std::size_t threads_ = 0;
    std::size_t idle_ = 0;
    std::size_t starting_ = 0;  // Made, but not yet at work.
    std::size_t wanted_ = 0;    // Wake-ups not yet taken by an idle thread.
    std::uint64_t wakes_ = 0;
    bool stopping_ = false;
    std::list<pthread_t> finished_;  // Ended, to be joined.
};

}  // namespace syncline::kit
