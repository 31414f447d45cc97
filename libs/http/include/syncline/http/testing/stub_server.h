// A server for tests of things that call out: answers what the test says, remembers what it was asked. Real HTTP on loopback.
//
//   http::testing::StubServer stub([](const http::IncomingRequest& request) -> http::testing::StubAnswer {
//       return {.reply = {.status = 200, .body = R"({"ok":true})", .content_type = "application/json"}};
//   });
//   client->send({.method = "POST", .url = stub.url() + "/json/2/sale.order/load"}, deadline);
//   REQUIRE(stub.requests().size() == 1);
//
// The script runs on one of `threads` threads of the stub, so it may block (on a latch of the test, say). The stub stops in its
// destructor; release whatever the script waits for before that.
#pragma once

#include <syncline/http/headers.h>
#include <syncline/http/server.h>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace syncline::http::testing {

struct StubAnswer {
    Reply reply;
    // The answer is lost: the connection closes after the request was taken.
    bool lose = false;
};

struct SeenRequest {
    std::string method;
    std::string target;
    Headers headers;
    std::string body;
};

using StubScript = std::function<StubAnswer(const IncomingRequest&)>;

class StubServer {
public:
    explicit StubServer(StubScript script, int threads = 8, ServerOptions options = {});
    StubServer(const StubServer&) = delete;
    StubServer& operator=(const StubServer&) = delete;
    ~StubServer();

    [[nodiscard]] const std::string& url() const { return url_; }
    [[nodiscard]] std::uint16_t port() const { return port_; }
    // What was asked so far, in the order the requests became complete.
    [[nodiscard]] std::vector<SeenRequest> requests() const;
    // Blocks until that many requests came; false at the timeout.
    bool wait_for_requests(std::size_t count, std::chrono::milliseconds timeout = std::chrono::seconds{10}) const;
    // From now on another script.
    void answer_with(StubScript script);
    // Closes the port: connections are refused until the object ends.
    void shut();

private:
    class Workers;
    std::shared_ptr<Workers> workers_;
    std::unique_ptr<Server> server_;
    std::string url_;
    std::uint16_t port_ = 0;
};

}  // namespace syncline::http::testing
