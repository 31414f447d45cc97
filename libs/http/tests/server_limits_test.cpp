// Slow, idle and greedy clients: what they may take, and that the others are served meanwhile.
#include <sys/resource.h>

#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <memory>
#include <string>

#include "tests/door.h"

namespace syncline::http::testing {
namespace {

using namespace std::chrono_literals;

bool served(const Server& server) {
    RawClient client(server.port());
    client.say(get("/livez"));
    return client.reply().status == 200;
}

std::size_t resident_bytes() {
    std::ifstream status("/proc/self/statm");
    std::size_t total = 0;
    std::size_t resident = 0;
    status >> total >> resident;
    return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

// The soft limit of open files for one test.
class OpenFilesLimit {
public:
    explicit OpenFilesLimit(rlim_t wanted) {
        ::getrlimit(RLIMIT_NOFILE, &before_);
        rlimit now = before_;
        now.rlim_cur = wanted;
        now.rlim_max = std::max(now.rlim_max, wanted);
        granted_ = ::setrlimit(RLIMIT_NOFILE, &now) == 0;
        if (!granted_ && wanted <= before_.rlim_max) {
            now.rlim_max = before_.rlim_max;
            granted_ = ::setrlimit(RLIMIT_NOFILE, &now) == 0;
        }
    }
    OpenFilesLimit(const OpenFilesLimit&) = delete;
    OpenFilesLimit& operator=(const OpenFilesLimit&) = delete;
    ~OpenFilesLimit() { ::setrlimit(RLIMIT_NOFILE, &before_); }
    [[nodiscard]] bool granted() const { return granted_; }

private:
    rlimit before_{};
    bool granted_ = false;
};

}  // namespace

TEST_CASE("server: dribbled headers end with 408, however steadily they come", "[http-limits][http]") {
    JumpingClock clock;
    const auto server = must_start({.header_timeout = 5s, .clock = &clock}, echo);
    RawClient slow(server->port());
    slow.say("GET / HTTP/1.1\r\n");
    REQUIRE(eventually([&] { return server->stats().connections_open == 1; }));
    REQUIRE(served(*server));
    clock.jump(3s);
    slow.say("Host: x\r\n");
    CHECK(served(*server));
    clock.jump(3s);
    const auto reply = slow.reply();
    CHECK(reply.status == 408);
    CHECK(reply.body.find("header_timeout") != std::string::npos);
    CHECK(slow.closed());
    CHECK(server->stats().rejected_for(Rejected::header_timeout) == 1);
}

TEST_CASE("server: a slow body ends with 408 and gives its memory back", "[http-limits][http]") {
    JumpingClock clock;
    const auto server = must_start({.body_timeout = 5s, .clock = &clock}, echo);
    RawClient slow(server->port());
    slow.say("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nabc");
    REQUIRE(eventually([&] { return server->stats().bytes_in_flight > 100; }));
    clock.jump(6s);
    CHECK(slow.reply().status == 408);
    CHECK(slow.closed());
    CHECK(server->stats().rejected_for(Rejected::body_timeout) == 1);
    CHECK(eventually([&] { return server->stats().bytes_in_flight == 0; }));
}

TEST_CASE("server: a promised body that never begins ends with 408", "[http-limits][http]") {
    JumpingClock clock;
    const auto server = must_start({.body_timeout = 5s, .clock = &clock}, echo);
    RawClient slow(server->port());
    slow.say("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n");
    REQUIRE(eventually([&] { return server->stats().bytes_in_flight > 0; }));
    clock.jump(6s);
    CHECK(slow.reply().status == 408);
}

TEST_CASE("server: idle connections are closed without a word, before and after a request", "[http-limits][http]") {
    JumpingClock clock;
    const auto server = must_start({.header_timeout = 5s, .idle_timeout = 20s, .clock = &clock}, echo);
    RawClient fresh(server->port());
    RawClient used(server->port());
    used.say(get("/"));
    REQUIRE(used.reply().status == 200);
    clock.jump(6s);
    CHECK(fresh.closed());
    CHECK(used.silent());
    // Long enough idle to have lost its buffer, and still served.
    used.say(get("/again"));
    CHECK(used.reply().body == "GET /again ");
    CHECK(eventually([&] {
        clock.jump(5s);
        return server->stats().connections_open == 0;
    }));
    CHECK(used.closed());
    CHECK(server->stats().rejected_for(Rejected::idle_timeout) >= 2);
}

TEST_CASE("server: a client that does not take its answer is closed", "[http-limits][http]") {
    JumpingClock clock;
    const auto server =
        must_start({.write_timeout = 5s, .clock = &clock}, [](IncomingRequest&& /*request*/, Responder responder) {
            responder.answer({.status = 200, .body = std::string(std::size_t{64} << 20U, 'x')});
        });
    RawClient client(server->port());
    client.say(get("/"));
    REQUIRE(eventually([&] { return server->stats().replies[2] == 1; }));
    clock.jump(6s);
    CHECK(eventually([&] { return server->stats().connections_open == 0; }));
    CHECK(server->stats().rejected_for(Rejected::write_timeout) == 1);
}

TEST_CASE("server: at the connection limit the longest waiting one goes, not the newest", "[http-limits][http]") {
    const auto server = must_start({.connections_max = 3}, echo);
    RawClient first(server->port());
    REQUIRE(eventually([&] { return server->stats().connections_open == 1; }));
    RawClient second(server->port());
    REQUIRE(eventually([&] { return server->stats().connections_open == 2; }));
    RawClient third(server->port());
    REQUIRE(eventually([&] { return server->stats().connections_open == 3; }));
    CHECK(served(*server));
    CHECK(first.closed());
    CHECK(second.silent());
    CHECK(server->stats().rejected_for(Rejected::connection_evicted) == 1);
}

TEST_CASE("server: when every connection is busy a new one is refused and the busy ones finish", "[http-limits][http]") {
    ParkedRequests parked;
    const auto server = must_start({.connections_max = 2}, parked.handler());
    RawClient first(server->port());
    RawClient second(server->port());
    first.say(get("/"));
    second.say(get("/"));
    REQUIRE(parked.wait_for(2));
    RawClient third(server->port());
    CHECK(third.closed());
    CHECK(server->stats().rejected_for(Rejected::connection_refused) == 1);
    parked.answer_one();
    parked.answer_one();
    CHECK(first.reply().status == 200);
    CHECK(second.reply().status == 200);
}

TEST_CASE("server: slow headers on every connection do not lock others out", "[http-limits][http]") {
    const auto server = must_start({.connections_max = 20}, echo);
    std::vector<std::unique_ptr<RawClient>> slow;
    for (int i = 0; i < 40; ++i) {
        slow.push_back(std::make_unique<RawClient>(server->port()));
        slow.back()->say("GET / HTTP/1.1\r\nX: ");
    }
    CHECK(served(*server));
    CHECK(server->stats().connections_open <= 20);
}

TEST_CASE("server: 5,000 idle connections cost little memory and lock nobody out", "[http-limits][http]") {
    constexpr std::size_t kIdle = 5'000;
    const OpenFilesLimit files(2 * kIdle + 500);
    if (!files.granted()) {
        SKIP("the system does not allow " << 2 * kIdle + 500 << " open files");
    }
    const auto server = must_start({.header_timeout = 10min, .idle_timeout = 10min, .connections_max = kIdle}, echo);
    const auto before = resident_bytes();
    std::vector<std::unique_ptr<RawClient>> idle;
    idle.reserve(kIdle);
    for (std::size_t i = 0; i < kIdle; ++i) {
        idle.push_back(std::make_unique<RawClient>(server->port()));
        if (i % 2 == 0) {
            idle.back()->say(get("/"));  // Half of them have been served once.
            REQUIRE(idle.back()->reply().status == 200);
        }
    }
    REQUIRE(eventually([&] { return server->stats().connections_open == kIdle; }));
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
    // Buffers go after a second of idleness.
    CHECK(eventually([&] { return resident_bytes() - before < std::size_t{48} << 20U; }));
#endif
    CAPTURE(before, resident_bytes());
    for (int i = 0; i < 20; ++i) {
        CHECK(served(*server));
    }
    CHECK(server->stats().rejected_for(Rejected::connection_evicted) >= 1);
    CHECK(server->stats().rejected_for(Rejected::connection_refused) == 0);
    CHECK(idle.front()->closed());
    idle.back()->say(get("/last"));
    CHECK(idle.back()->reply().status == 200);
}

TEST_CASE("server: without file descriptors it waits, makes room and serves again", "[http-limits][http]") {
    const auto server = must_start({}, echo);
    std::vector<std::unique_ptr<RawClient>> idle;
    idle.push_back(std::make_unique<RawClient>(server->port()));
    REQUIRE(eventually([&] { return server->stats().connections_open == 1; }));
    {
        // Room for the client's end of the next connections, none for the server's.
        const int next_descriptor = ::dup(0);
        ::close(next_descriptor);
        const OpenFilesLimit files(static_cast<rlim_t>(next_descriptor) + 1);
        REQUIRE(files.granted());
        idle.push_back(std::make_unique<RawClient>(server->port()));
        REQUIRE(eventually([&] { return server->stats().accept_errors >= 1; }));
        // The idle one gave its descriptor away.
        CHECK(idle.front()->closed());
    }
    CHECK(served(*server));
    CHECK(server->stats().accept_errors < 100);
}

TEST_CASE("server: requests over the limit are 503 with Retry-After, and the connection goes on", "[http-limits][http]") {
    ParkedRequests parked;
    const auto server = must_start({.requests_in_flight_max = 1, .retry_after = 7s}, parked.handler());
    RawClient first(server->port());
    first.say(get("/"));
    REQUIRE(parked.wait_for(1));
    RawClient second(server->port());
    second.say(post("abc"));
    const auto refused = second.reply();
    CHECK(refused.status == 503);
    CHECK(refused.headers.get("retry-after") == "7");
    CHECK(refused.body.find("overloaded") != std::string::npos);
    parked.answer_one();
    CHECK(first.reply().status == 200);
    second.say(post("abc"));
    REQUIRE(parked.wait_for(1));
    parked.answer_one();
    CHECK(second.reply().status == 200);
    CHECK(server->stats().rejected_for(Rejected::requests_in_flight) == 1);
}

TEST_CASE("server: one tag has at most its half, the other tags keep theirs", "[http-limits][http]") {
    ParkedRequests parked;
    const auto server = must_start({.requests_in_flight_max = 4}, parked.handler(),
                                   [](const Head& head) { return HeadDecision::accept(std::string(head.get("x-shop"))); });
    std::vector<std::unique_ptr<RawClient>> clients;
    const auto ask = [&](const char* shop) -> RawClient& {
        clients.push_back(std::make_unique<RawClient>(server->port()));
        clients.back()->say(post("abc", std::string("X-Shop: ") + shop + "\r\n"));
        return *clients.back();
    };
    ask("eu");
    ask("eu");
    REQUIRE(parked.wait_for(2));
    auto& third = ask("eu");
    const auto refused = third.reply();
    CHECK(refused.status == 429);
    CHECK(refused.headers.get("retry-after") == "2");
    CHECK(refused.body.find("over_share") != std::string::npos);
    ask("us");
    ask("us");
    REQUIRE(parked.wait_for(4));
    CHECK(ask("jp").reply().status == 503);
    for (int i = 0; i < 4; ++i) {
        parked.answer_one();
    }
    CHECK(server->stats().rejected_for(Rejected::tag_over_share) == 1);
    CHECK(eventually([&] { return server->stats().requests_in_flight == 0 && server->stats().bytes_in_flight == 0; }));
}

TEST_CASE("server: one tag has at most half of the memory", "[http-limits][http]") {
    ParkedRequests parked;
    const auto server =
        must_start({.header_bytes_max = 1'000, .body_bytes_max = 100'000, .bytes_in_flight_max = 300'000}, parked.handler(),
                   [](const Head& head) { return HeadDecision::accept(std::string(head.get("x-shop"))); });
    const std::string body(100'000, 'x');
    RawClient first(server->port());
    first.say(post(body, "X-Shop: eu\r\n"));
    REQUIRE(parked.wait_for(1));
    RawClient second(server->port());
    second.say(post(body, "X-Shop: eu\r\n"));
    CHECK(second.reply().status == 429);
    RawClient other(server->port());
    other.say(post(body, "X-Shop: us\r\n"));
    REQUIRE(parked.wait_for(2));
    parked.clear();
    CHECK(first.reply().status == 500);
    CHECK(other.reply().status == 500);
}

TEST_CASE("server: under memory pressure a slow upload gives way to a quick one", "[http-limits][http]") {
    JumpingClock clock;
    const auto server = must_start({.header_bytes_max = 1'000,
                                    .body_bytes_max = 100'000,
                                    .bytes_in_flight_max = 250'000,
                                    .tag_share_percent = 100,
                                    .clock = &clock},
                                   echo);
    // Just short of their end: they hold all the memory there is.
    std::vector<std::unique_ptr<RawClient>> slow;
    for (int i = 0; i < 2; ++i) {
        slow.push_back(std::make_unique<RawClient>(server->port()));
        slow.back()->say("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + std::string(99'999, 'x'));
    }
    REQUIRE(eventually([&] { return server->stats().bytes_in_flight >= 200'000; }));
    RawClient early(server->port());
    early.say(post(std::string(90'000, 'y')));
    CHECK(early.reply().status == 503);
    clock.jump(2s);
    RawClient quick(server->port());
    quick.say(post(std::string(90'000, 'z')));
    CHECK(quick.reply().status == 200);
    CHECK(slow.front()->reply().status == 503);
    CHECK(server->stats().rejected_for(Rejected::upload_evicted) == 1);
    CHECK(server->stats().rejected_for(Rejected::bytes_in_flight) == 1);
}

}  // namespace syncline::http::testing
