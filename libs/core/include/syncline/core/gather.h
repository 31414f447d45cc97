// Gathers requests of many threads into one call: `submit` blocks its caller until the batch it went into has been flushed.
//
// Used wherever one call for fifty is as dear as one for one: foreign systems and transactions. A batch leaves when it
// holds `batch_max` requests, or `linger` after its first request, or at once when linger is zero and a flusher is free
// (requests that arrive while all flushers work form the next batch). Requests with different `lane` never share a batch.
//
// Threads: submit() from any thread; `flush` runs on one of `flushers` threads owned by this object. The destructor
// flushes what was submitted and joins.
#pragma once

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstddef>
#include <deque>
#include <functional>
#include <future>
#include <map>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace syncline::core {

struct GatherOptions {
    std::size_t batch_max = 50;
    std::chrono::milliseconds linger{0};
    int flushers = 1;  // Most batches in flight at once.
};

template <typename Request, typename Response>
class Gather {
public:
    // Must return exactly one response for each request, in the same order. Must not throw.
    using Flush = std::function<std::vector<Response>(std::vector<Request>&&)>;

    Gather(GatherOptions options, Flush flush) : options_(options), flush_(std::move(flush)) {
        threads_.reserve(static_cast<std::size_t>(options_.flushers));
        for (int i = 0; i < options_.flushers; ++i) {
            threads_.emplace_back([this] { run(); });
        }
    }
    Gather(const Gather&) = delete;
    Gather& operator=(const Gather&) = delete;
    ~Gather() {
        {
            const std::lock_guard lock(mutex_);
            stopping_ = true;
        }
        wake_.notify_all();
        for (auto& thread : threads_) {
            thread.join();
        }
    }

    // Blocks until the batch with this request was flushed. `lane` separates what must not travel together.
    [[nodiscard]] Response submit(Request request, const std::string& lane = {}) {
        std::future<Response> answer;
        {
            const std::lock_guard lock(mutex_);
            auto& queue = lanes_[lane];
            queue.push_back(Waiting{std::move(request), std::promise<Response>{}, std::chrono::steady_clock::now()});
            answer = queue.back().answer.get_future();
        }
        wake_.notify_one();
        return answer.get();
    }

private:
    struct Waiting {
        Request request;
        std::promise<Response> answer;
        std::chrono::steady_clock::time_point since;
    };
    using Lanes = std::map<std::string, std::deque<Waiting>>;

    void run() {
        std::unique_lock lock(mutex_);
        while (true) {
            const auto lane = ripe_lane();
            if (lane == lanes_.end()) {
                if (stopping_ && lanes_.empty()) {
                    return;
                }
                if (lanes_.empty()) {
                    wake_.wait(lock);
                } else {
                    wake_.wait_until(lock, oldest() + options_.linger);
                }
                continue;
            }
            std::vector<Request> requests;
            std::vector<std::promise<Response>> answers;
            auto& queue = lane->second;
            while (!queue.empty() && requests.size() < options_.batch_max) {
                requests.push_back(std::move(queue.front().request));
                answers.push_back(std::move(queue.front().answer));
                queue.pop_front();
            }
            if (queue.empty()) {
                lanes_.erase(lane);
            }
            lock.unlock();
            auto responses = flush_(std::move(requests));
            for (std::size_t i = 0; i < answers.size(); ++i) {
                answers[i].set_value(std::move(responses.at(i)));
            }
            lock.lock();
        }
    }

    // The lane that waits longest among those that may leave now.
    typename Lanes::iterator ripe_lane() {
        const auto now = std::chrono::steady_clock::now();
        auto best = lanes_.end();
        for (auto it = lanes_.begin(); it != lanes_.end(); ++it) {
            const bool ripe =
                stopping_ || it->second.size() >= options_.batch_max || now - it->second.front().since >= options_.linger;
            if (ripe && (best == lanes_.end() || it->second.front().since < best->second.front().since)) {
                best = it;
            }
        }
        return best;
    }
    std::chrono::steady_clock::time_point oldest() const {
        auto since = std::chrono::steady_clock::time_point::max();
        for (const auto& [name, queue] : lanes_) {
            since = std::min(since, queue.front().since);
        }
        return since;
    }

    const GatherOptions options_;
    const Flush flush_;
    std::mutex mutex_;
    std::condition_variable wake_;
    Lanes lanes_;
    bool stopping_ = false;
    std::vector<std::thread> threads_;
};

}  // namespace syncline::core
