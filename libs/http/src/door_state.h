// What the io threads of one server share: options, hooks, budget, counters, certificate. Lives as long as the last of them
// (and as the last connection a Responder still points to).
#pragma once

#include <syncline/http/server.h>
#include <array>
#include <atomic>
#include <memory>

#include "src/budget.h"
#include "src/request_parser.h"

namespace syncline::http {

class TlsCertificate;

struct Counters {
    std::atomic<std::uint64_t> connections_accepted{0};
    std::atomic<std::uint64_t> accept_errors{0};
    std::atomic<std::uint64_t> bytes_received{0};
    std::array<std::atomic<std::uint64_t>, 6> replies{};
    std::array<std::atomic<std::uint64_t>, static_cast<std::size_t>(Rejected::count_)> rejected{};
    std::atomic<std::size_t> connections_open{0};

    void reject(Rejected reason) { rejected[static_cast<std::size_t>(reason)].fetch_add(1, std::memory_order_relaxed); }
    void replied(int status) {
        const auto of_class = static_cast<std::size_t>(status / 100);
        replies[of_class < replies.size() ? of_class : 0].fetch_add(1, std::memory_order_relaxed);
    }
};

struct DoorState {
    DoorState(ServerOptions given, OnRequest request_hook, OnHead head_hook);
    DoorState(const DoorState&) = delete;
    DoorState& operator=(const DoorState&) = delete;
    ~DoorState();

    const ServerOptions options;
    const OnRequest on_request;
    const OnHead on_head;
    core::Clock& clock;
    const RequestParser::Limits parser_limits;
    Budget budget;
    Counters counters;
    std::unique_ptr<TlsCertificate> certificate;  // Null without TLS.
    std::atomic<bool> draining{false};
};

}  // namespace syncline::http
