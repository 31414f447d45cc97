#include "src/processing/workers.h"

#include <syncline/telemetry/log.h>
#include <algorithm>
#include <chrono>
#include <utility>

namespace syncline::kit {
namespace {

using namespace std::chrono_literals;

// Sanitizers put red zones and shadow frames on the stack.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr std::size_t kStackFactor = 8;
#else
constexpr std::size_t kStackFactor = 1;
#endif

constexpr auto kIdleFor = 10s;

}  // namespace

Workers::Workers(std::size_t threads_max, std::size_t stack_bytes, std::function<bool()> work, std::function<std::size_t()> ready)
    : threads_max_(threads_max), stack_bytes_(stack_bytes * kStackFactor), work_(std::move(work)), ready_(std::move(ready)) {}

Workers::~Workers() {
    stop(core::Deadline(core::system_clock(), 24h));
}

void Workers::wake() {
    const auto ready = ready_();
    if (ready == 0) {
        return;
    }
    const std::lock_guard lock(mutex_);
    if (stopping_) {
        return;
    }
    ++wakes_;
    wanted_ = std::min(idle_, ready);
    for (std::size_t i = 0; i < wanted_; ++i) {
        wake_.notify_one();
    }
    while (ready > wanted_ + starting_ && threads_ < threads_max_) {
        if (!start_thread()) {
            return;
        }
    }
}

bool Workers::start_thread() {
    pthread_attr_t attributes;
    pthread_attr_init(&attributes);
    pthread_attr_setstacksize(&attributes, stack_bytes_);
    pthread_t thread{};
    const int failed = pthread_create(&thread, &attributes, &Workers::enter, this);
    pthread_attr_destroy(&attributes);
    if (failed != 0) {
        telemetry::log::error("worker_thread_refused", {{"threads", threads_}, {"errno", failed}});
        return false;
    }
    ++threads_;
    ++starting_;
    for (const auto ended : std::exchange(finished_, {})) {
        pthread_join(ended, nullptr);
    }
    return true;
}

void* Workers::enter(void* self) {
    static_cast<Workers*>(self)->run();
    return nullptr;
}

void Workers::run() {
    std::uint64_t seen = 0;
    {
        const std::lock_guard lock(mutex_);
        --starting_;
        seen = wakes_;
    }
    while (true) {
        while (work_()) {
        }
        std::unique_lock lock(mutex_);
        if (stopping_) {
            break;
        }
        // Somebody called between the last look and this lock.
        if (std::exchange(seen, wakes_) != wakes_) {
            continue;
        }
        ++idle_;
        const auto until = core::system_clock().steady() + kIdleFor;
        const bool called = core::system_clock().wait_until(lock, wake_, until, [&] { return stopping_ || wanted_ > 0; });
        --idle_;
        if (stopping_ || !called) {
            break;
        }
        --wanted_;
        seen = wakes_;
    }
    const std::lock_guard lock(mutex_);
    --threads_;
    finished_.push_back(pthread_self());
    gone_.notify_all();
}

bool Workers::stop(core::Deadline deadline) {
    std::unique_lock lock(mutex_);
    stopping_ = true;
    wake_.notify_all();
    const bool all = core::system_clock().wait_until(lock, gone_, deadline.at(), [&] { return threads_ == 0; });
    for (const auto ended : std::exchange(finished_, {})) {
        pthread_join(ended, nullptr);
    }
    return all;
}

std::size_t Workers::threads() const {
    const std::lock_guard lock(mutex_);
    return threads_;
}

}  // namespace syncline::kit
