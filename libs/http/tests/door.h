// A server for tests: echoes, or parks requests until the test lets them go.
#pragma once

#include <syncline/http/problem.h>
#include <syncline/http/server.h>
#include <catch2/catch_test_macros.hpp>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "tests/raw_client.h"

namespace syncline::http::testing {

inline std::unique_ptr<Server> must_start(ServerOptions options, OnRequest on_request, OnHead on_head = {}) {
    auto server = Server::start(std::move(options), std::move(on_request), std::move(on_head));
    if (!server) {
        FAIL("server: " << server.error().code << ": " << server.error().message);
    }
    return std::move(*server);
}

// Answers "<method> <target> <body>".
inline void echo(IncomingRequest&& request, Responder responder) {
    std::string text;
    text.append(request.method()).append(" ").append(request.target()).append(" ").append(request.body);
    responder.answer({.status = 200, .body = std::move(text)});
}

// Holds every request until the test answers it.
class ParkedRequests {
public:
    OnRequest handler() {
        return [this](IncomingRequest&& request, Responder responder) {
            {
                const std::lock_guard lock(mutex_);
                parked_.emplace_back(std::move(request), std::move(responder));
            }
            arrived_.notify_all();
        };
    }
    // False if not that many are parked in time.
    bool wait_for(std::size_t count) {
        std::unique_lock lock(mutex_);
        return arrived_.wait_for(lock, std::chrono::seconds{10}, [&] { return parked_.size() >= count; });
    }
    std::pair<IncomingRequest, Responder> take() {
        const std::lock_guard lock(mutex_);
        auto first = std::move(parked_.front());
        parked_.pop_front();
        return first;
    }
    void answer_one(std::string body = "late") {
        auto [request, responder] = take();
        responder.answer({.status = 200, .body = std::move(body)});
    }
    void clear() {
        std::deque<std::pair<IncomingRequest, Responder>> dropped;
        const std::lock_guard lock(mutex_);
        dropped.swap(parked_);
    }

private:
    std::mutex mutex_;
    std::condition_variable arrived_;
    std::deque<std::pair<IncomingRequest, Responder>> parked_;
};

inline std::string get(std::string_view target) {
    return "GET " + std::string(target) + " HTTP/1.1\r\nHost: x\r\n\r\n";
}

inline std::string post(std::string_view body, std::string_view more_fields = {}) {
    return "POST /in HTTP/1.1\r\nHost: x\r\n" + std::string(more_fields) + "Content-Length: " + std::to_string(body.size()) +
           "\r\n\r\n" + std::string(body);
}

// A machine clock that a test can push forward: timeouts without waiting.
class JumpingClock final : public core::Clock {
public:
    [[nodiscard]] core::SystemTime now() const override { return core::system_clock().now(); }
    [[nodiscard]] core::SteadyTime steady() const override {
        return core::system_clock().steady() + std::chrono::nanoseconds{ahead_.load()};
    }
    bool wait_until(std::unique_lock<std::mutex>& lock, std::condition_variable& wake, core::SteadyTime until,
                    const std::function<bool()>& ready) override {
        return core::system_clock().wait_until(lock, wake, until - std::chrono::nanoseconds{ahead_.load()}, ready);
    }
    void jump(std::chrono::nanoseconds by) { ahead_.fetch_add(by.count()); }

private:
    std::atomic<std::int64_t> ahead_{0};
};

}  // namespace syncline::http::testing
