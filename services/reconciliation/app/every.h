// One thread that does something again and again, in every instance. start() and stop() once each; owned by the service.
#pragma once

#include <syncline/core/clock.h>
#include <chrono>
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

namespace reconciliation {

namespace core = syncline::core;

class Every {
public:
    Every(core::Clock& clock, std::chrono::milliseconds interval, std::function<void()> work)
        : clock_(clock), interval_(interval), work_(std::move(work)) {}
    ~Every() { stop(); }
    Every(const Every&) = delete;
    Every& operator=(const Every&) = delete;

    void start() {
        thread_ = std::thread([this] {
            do {
                work_();
            } while (pause());
        });
    }
    // Ends after the call under way.
    void stop() {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        wake_.notify_all();
        if (thread_.joinable()) {
            thread_.join();
        }
    }

private:
    bool pause() {
        std::unique_lock lock(mutex_);
        clock_.wait_until(lock, wake_, clock_.steady() + interval_, [this] { return stopping_; });
        return !stopping_;
    }
    core::Clock& clock_;
    std::chrono::milliseconds interval_;
    std::function<void()> work_;
    std::mutex mutex_;
    std::condition_variable wake_;
    bool stopping_ = false;
    std::thread thread_;
};

}  // namespace reconciliation
