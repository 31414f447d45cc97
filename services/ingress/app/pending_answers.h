// Answers that wait for something, each with the same time limit: by whoever comes first they are given, exactly once.
//
//   const auto wait = pending.add([responder](Answer answer) { … });
//   publish(event, [wait](…) { PendingAnswers::settle(wait, answer); });      // any thread, also after the limit
//
// Because the limit is one for all, waits end in the order they began: one queue and one thread watch them all.
// Any thread; nothing blocks longer than a short lock. The destructor gives everything that still waits its late answer.
#pragma once

#include <syncline/core/clock.h>
#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace ingress {

template <typename Answer>
class PendingAnswers {
public:
    using Finish = std::move_only_function<void(Answer)>;
    struct Wait {
        std::atomic<bool> ended{false};
        Finish finish;
        syncline::core::SteadyTime until;
    };
    using Ticket = std::shared_ptr<Wait>;

    // `late` is the answer of those that reach the limit.
    PendingAnswers(syncline::core::Clock& clock, std::chrono::nanoseconds limit, Answer late)
        : clock_(clock), limit_(limit), late_(std::move(late)), thread_([this] { watch(); }) {}
    PendingAnswers(const PendingAnswers&) = delete;
    PendingAnswers& operator=(const PendingAnswers&) = delete;
    ~PendingAnswers() {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        wake_.notify_all();
        thread_.join();
        for (const auto& wait : waiting_) {
            settle(wait, late_);
        }
    }

    [[nodiscard]] Ticket add(Finish finish) {
        auto wait = std::make_shared<Wait>();
        wait->finish = std::move(finish);
        wait->until = clock_.steady() + limit_;
        bool asleep = false;
        {
            const std::lock_guard lock(mutex_);
            drop_ended();
            waiting_.push_back(wait);
            // One that waits for an earlier limit looks at the queue then: this one's limit is later.
            asleep = std::exchange(asleep_, false);
        }
        if (asleep) {
            wake_.notify_one();
        }
        return wait;
    }

    // The first call gives the answer; later ones do nothing.
    static void settle(const Ticket& wait, Answer answer) {
        if (!wait->ended.exchange(true, std::memory_order_acq_rel)) {
            auto finish = std::move(wait->finish);
            finish(std::move(answer));
        }
    }

    // How many are not answered yet. Walks the queue: for metrics.
    [[nodiscard]] std::size_t waiting() const {
        const std::lock_guard lock(mutex_);
        return static_cast<std::size_t>(
            std::ranges::count_if(waiting_, [](const Ticket& wait) { return !wait->ended.load(std::memory_order_relaxed); }));
    }

private:
    void drop_ended() {
        while (!waiting_.empty() && waiting_.front()->ended.load(std::memory_order_acquire)) {
            waiting_.pop_front();
        }
    }

    void watch() {
        std::unique_lock lock(mutex_);
        while (!stopping_) {
            drop_ended();
            if (waiting_.empty()) {
                asleep_ = true;
                wake_.wait(lock);
                asleep_ = false;
                continue;
            }
            const Ticket oldest = waiting_.front();
            if (clock_.steady() < oldest->until) {
                clock_.wait_until(lock, wake_, oldest->until, [this] { return stopping_; });
                continue;
            }
            waiting_.pop_front();
            lock.unlock();
            settle(oldest, late_);
            lock.lock();
        }
    }

    syncline::core::Clock& clock_;
    const std::chrono::nanoseconds limit_;
    const Answer late_;
    mutable std::mutex mutex_;
    std::condition_variable wake_;
    std::deque<Ticket> waiting_;  // Oldest first; ended ones are dropped when they reach the front.
    bool stopping_ = false;
    bool asleep_ = false;  // The thread waits for something to watch.
    std::thread thread_;   // Last: it uses all of the above.
};

}  // namespace ingress
