// A Responder without a server: what a handler answers is kept for the test.
//
//   http::testing::CapturedReply captured;
//   handler(http::IncomingRequest("GET", "/livez", {}, ""), captured.responder());
//   REQUIRE(captured.wait()->status == 200);
#pragma once

#include <syncline/http/server.h>
#include <chrono>
#include <memory>
#include <optional>

namespace syncline::http::testing {

class CapturedReply {
public:
    CapturedReply();
    // One responder is enough for one capture; the first outcome stays.
    [[nodiscard]] Responder responder();
    // Blocks until there is an answer; nullopt at the timeout and for an abandoned request. Unanswered shows as status 500.
    [[nodiscard]] std::optional<Reply> wait(std::chrono::milliseconds timeout = std::chrono::seconds{10}) const;

private:
    class Slot;
    std::shared_ptr<Slot> slot_;
};

}  // namespace syncline::http::testing
