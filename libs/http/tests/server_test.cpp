// Conformance of the inbound side: each row of the known faults of cpprestsdk's listener, turned into what must hold here.
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <stdexcept>
#include <string>
#include <thread>

#include "tests/door.h"

namespace syncline::http::testing {

TEST_CASE("server: broken framing is 400 with problem+json and closes the connection", "[http-server][http]") {
    const auto server = must_start({}, echo);
    const auto [bytes, code] =
        GENERATE(std::pair<std::string, std::string>{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: nonsense\r\n\r\n",
                                                     "bad_content_length"},
                 std::pair<std::string, std::string>{
                     "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\na", "bad_content_length"},
                 std::pair<std::string, std::string>{
                     "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
                     "bad_transfer_encoding"},
                 std::pair<std::string, std::string>{"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\nabc",
                                                     "bad_transfer_encoding"},
                 std::pair<std::string, std::string>{
                     "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n", "bad_chunk"},
                 std::pair<std::string, std::string>{
                     "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n-1\r\nabc\r\n", "bad_chunk"},
                 std::pair<std::string, std::string>{"POST / HTTP/1.1\r\n\r\n", "bad_host"},
                 std::pair<std::string, std::string>{"hello\r\n\r\n", "bad_request_line"});
    CAPTURE(bytes);
    RawClient client(server->port());
    REQUIRE(client.say(bytes));
    const auto reply = client.reply();
    CHECK(reply.status == 400);
    CHECK(reply.headers.get("content-type") == "application/problem+json");
    CHECK(reply.headers.get("connection") == "close");
    CHECK(reply.body.find("\"code\":\"" + code + "\"") != std::string::npos);
    CHECK(client.closed());
    CHECK(server->stats().rejected_for(Rejected::bad_request) == 1);
}

TEST_CASE("server: a smuggled second request is never executed", "[http-server][http]") {
    const auto server = must_start({}, echo);
    RawClient client(server->port());
    REQUIRE(client.say(
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 6\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /evil HTTP/1.1\r\n"
        "Host: x\r\n\r\n"));
    CHECK(client.reply().status == 400);
    CHECK(client.closed());
    CHECK(server->stats().replies[2] == 0);
}

TEST_CASE("server: what is too long has its own status", "[http-server][http]") {
    const auto server = must_start({.header_bytes_max = 4'000, .target_bytes_max = 1'000, .body_bytes_max = 10'000}, echo);
    const auto status = [&](const std::string& bytes) {
        RawClient client(server->port());
        client.say(bytes);
        const auto reply = client.reply();
        CHECK(client.closed());
        return reply.status;
    };
    CHECK(status("GET /" + std::string(1'500, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n") == 414);
    CHECK(status("GET /" + std::string(100'000, 'a')) == 414);
    CHECK(status("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(5'000, 'a') + "\r\n\r\n") == 431);
    CHECK(status("GET / HTTP/1.1\r\nHost: x\r\nX: " + std::string(1'000'000, 'a')) == 431);
    CHECK(status("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 10001\r\n\r\n") == 413);
    CHECK(status("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2711\r\n") == 413);
    const auto stats = server->stats();
    CHECK(stats.rejected_for(Rejected::target_too_long) == 2);
    CHECK(stats.rejected_for(Rejected::headers_too_large) == 2);
    CHECK(stats.rejected_for(Rejected::body_too_large) == 2);
}

TEST_CASE("server: a body of 20 MB is refused before it is read, and its sender still sees why", "[http-server][http]") {
    const auto server = must_start({}, echo);
    RawClient client(server->port());
    const std::string body(std::size_t{20} << 20U, 'x');
    // Sent whole before anything is read, as many clients do.
    CHECK(client.say(post(body)));
    const auto reply = client.reply();
    CHECK(reply.status == 413);
    CHECK(server->stats().bytes_in_flight == 0);
    CHECK(server->stats().bytes_received == 0);
}

TEST_CASE("server: a client that goes in the middle of its body leaves nothing behind", "[http-server][http]") {
    const auto server = must_start({}, echo);
    {
        RawClient client(server->port());
        client.say("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf");
        REQUIRE(eventually([&] { return server->stats().bytes_in_flight > 0; }));
    }
    CHECK(eventually([&] { return server->stats().connections_open == 0; }));
    CHECK(server->stats().rejected_for(Rejected::peer_gone) == 1);
    CHECK(server->stats().bytes_in_flight == 0);
}

TEST_CASE("server: a handler that drops its responder answers 500", "[http-server][http]") {
    const auto server = must_start({}, [](IncomingRequest&& request, Responder responder) {
        const auto taken = std::move(responder);
        if (request.path() == "/throw") {
            throw std::runtime_error("a bug");
        }
    });
    RawClient client(server->port());
    for (const auto* path : {"/drop", "/throw"}) {
        client.say(get(path));
        const auto reply = client.reply();
        CHECK(reply.status == 500);
        CHECK(reply.body.find("\"code\":\"unanswered\"") != std::string::npos);
    }
    CHECK(server->stats().rejected_for(Rejected::unanswered) == 2);
    CHECK(eventually([&] { return server->stats().requests_in_flight == 0; }));
}

TEST_CASE("server: an abandoned request closes the connection without an answer", "[http-server][http]") {
    const auto server = must_start({}, [](IncomingRequest&& /*request*/, Responder responder) { responder.abandon(); });
    RawClient client(server->port());
    client.say(get("/"));
    CHECK(client.closed());
}

TEST_CASE("server: blocking work on other threads delays nobody else", "[http-server][http]") {
    ParkedRequests parked;
    const auto server = must_start({}, [&, park = parked.handler()](IncomingRequest&& request, Responder responder) {
        if (request.path() == "/slow") {
            return park(std::move(request), std::move(responder));
        }
        responder.answer({.status = 200, .body = "quick"});
    });
    std::vector<std::unique_ptr<RawClient>> slow;
    for (int i = 0; i < 45; ++i) {
        slow.push_back(std::make_unique<RawClient>(server->port()));
        slow.back()->say(get("/slow"));
    }
    REQUIRE(parked.wait_for(45));
    RawClient other(server->port());
    other.say(get("/livez"));
    CHECK(other.reply().body == "quick");
    for (std::size_t i = 0; i < slow.size(); ++i) {
        parked.answer_one();
    }
    for (auto& client : slow) {
        CHECK(client->reply().body == "late");
    }
}

TEST_CASE("server: an answer may come from any thread, also after the client has gone", "[http-server][http]") {
    ParkedRequests parked;
    const auto server = must_start({}, parked.handler());
    {
        RawClient gone(server->port());
        gone.say(get("/"));
        REQUIRE(parked.wait_for(1));
    }
    std::thread([&] { parked.answer_one(std::string(100'000, 'x')); }).join();
    CHECK(eventually([&] { return server->stats().connections_open == 0; }));
    CHECK(eventually([&] { return server->stats().requests_in_flight == 0; }));
}

TEST_CASE("server: a responder may outlive its server", "[http-server][http]") {
    ParkedRequests parked;
    auto server = must_start({}, parked.handler());
    RawClient client(server->port());
    client.say(get("/"));
    REQUIRE(parked.wait_for(1));
    server.reset();
    CHECK(client.closed());
    parked.answer_one();
}

TEST_CASE("server: pipelined requests are answered one after the other, in their order", "[http-server][http]") {
    ParkedRequests parked;
    const auto server = must_start({}, parked.handler());
    RawClient client(server->port());
    REQUIRE(client.say(get("/1") + post("two") + get("/3")));
    for (const auto* body : {"first", "second", "third"}) {
        REQUIRE(parked.wait_for(1));
        parked.answer_one(body);
        CHECK(client.reply().body == body);
    }
    CHECK(server->stats().connections_accepted == 1);
}

TEST_CASE("server: a long pipeline answered at once does not grow the stack", "[http-server][http]") {
    const auto server = must_start({}, echo);
    RawClient client(server->port());
    std::string many;
    for (int i = 0; i < 2'000; ++i) {
        many += get("/" + std::to_string(i));
    }
    std::jthread sender([&] { client.say(many); });
    for (int i = 0; i < 2'000; ++i) {
        REQUIRE(client.reply().body == "GET /" + std::to_string(i) + " ");
    }
}

TEST_CASE("server: Expect: 100-continue is answered once the head is accepted, and not when it is refused",
          "[http-server][http]") {
    const auto server = must_start({}, echo, [](const Head& head) {
        return head.path() == "/no" ? HeadDecision::refuse(unauthorized("nobody", "")) : HeadDecision::accept();
    });
    RawClient client(server->port());
    client.say("POST /in HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    CHECK(client.reply().status == 100);
    client.say("hello");
    CHECK(client.reply().body == "POST /in hello");

    client.say("POST /no HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n");
    CHECK(client.reply().status == 401);
    CHECK(client.closed());
}

TEST_CASE("server: chunked bodies arrive whole, without trailer and framing", "[http-server][http]") {
    const auto server = must_start({}, echo);
    RawClient client(server->port());
    client.say(
        "POST /in HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n6\r\n world\r\n0\r\nX: y\r\n\r\n");
    CHECK(client.reply().body == "POST /in hello world");
    client.say(get("/again"));
    CHECK(client.reply().body == "GET /again ");
}

TEST_CASE("server: a body that comes byte by byte and a large one both arrive whole", "[http-server][http]") {
    const auto server = must_start({}, echo);
    RawClient client(server->port());
    for (const char c : post("slowly")) {
        client.say(std::string_view(&c, 1));
    }
    CHECK(client.reply().body == "POST /in slowly");
    const std::string large(3'000'000, 'L');
    std::thread sender([&] { client.say(post(large)); });
    CHECK(client.reply().body == "POST /in " + large);
    sender.join();
    CHECK(eventually([&] { return server->stats().bytes_in_flight == 0; }));
}

TEST_CASE("server: no body, HEAD, HTTP/1.0 and empty lines before a request", "[http-server][http]") {
    const auto server = must_start({}, echo);
    RawClient client(server->port());
    client.say("\r\n\r\nPOST /none HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(client.reply().body == "POST /none ");
    client.expect_no_body();
    client.say("HEAD /h HTTP/1.1\r\nHost: x\r\n\r\n");
    const auto head = client.reply();
    CHECK(head.status == 200);
    CHECK(head.headers.get("content-length") == "8");
    client.say("GET /close HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    CHECK(client.reply().headers.get("connection") == "close");

    RawClient old(server->port());
    old.say("GET /old HTTP/1.0\r\n\r\n");
    CHECK(old.reply().body == "GET /old ");
    CHECK(old.closed());
    RawClient old_but_kept(server->port());
    old_but_kept.say("GET /old HTTP/1.0\r\nConnection: keep-alive\r\n\r\n");
    CHECK(old_but_kept.reply().headers.get("connection") == "keep-alive");
    old_but_kept.say("GET /again HTTP/1.0\r\n\r\n");
    CHECK(old_but_kept.reply().body == "GET /again ");
}

TEST_CASE("server: a header value cannot write headers of its own", "[http-server][http]") {
    const auto server = must_start({}, [](IncomingRequest&& /*request*/, Responder responder) {
        responder.answer({.status = 200, .body = "x", .headers = {{"X-Echo", "a\r\nSet-Cookie: b"}}});
    });
    RawClient client(server->port());
    client.say(get("/"));
    const auto reply = client.reply();
    CHECK(reply.headers.get("x-echo") == "aSet-Cookie: b");
    CHECK_FALSE(reply.headers.find("set-cookie").has_value());
}

TEST_CASE("server: the head hook sees the request before its body and may refuse it", "[http-server][http]") {
    std::mutex mutex;
    std::string seen;
    const auto server = must_start({}, echo, [&](const Head& head) {
        const std::lock_guard lock(mutex);
        seen = std::string(head.method()) + " " + std::string(head.path()) + " " + std::string(head.get("x-shop")) + " " +
               std::to_string(head.content_length().value_or(0)) + " " + std::string(head.peer());
        return head.get("x-shop") == "closed" ? HeadDecision::refuse(unauthorized("unknown_shop", "")) : HeadDecision::accept();
    });
    RawClient client(server->port());
    client.say(post("abc", "X-Shop: closed\r\n"));
    CHECK(client.reply().status == 401);
    {
        const std::lock_guard lock(mutex);
        CHECK(seen == "POST /in closed 3 127.0.0.1");
    }
    // Little was left to read: the connection goes on.
    client.say(post("abc", "X-Shop: eu\r\n"));
    CHECK(client.reply().body == "POST /in abc");
    CHECK(server->stats().rejected_for(Rejected::head_refused) == 1);

    client.say("POST /in HTTP/1.1\r\nHost: x\r\nX-Shop: closed\r\nContent-Length: 1000000\r\n\r\n");
    CHECK(client.reply().status == 401);
    CHECK(client.closed());
}

TEST_CASE("server: addresses and limits that cannot work are start errors with a hint", "[http-server][http]") {
    const auto code = [](ServerOptions options) {
        auto server = Server::start(std::move(options), echo);
        return server ? std::string("started") : server.error().code;
    };
    CHECK(code({.listen = "nonsense"}) == "bad_listen_address");
    CHECK(code({.listen = "127.0.0.1:99999"}) == "bad_listen_address");
    CHECK(code({.listen = "host.example:80"}) == "bad_listen_address");
    CHECK(code({.threads = 0}) == "bad_limits");
    CHECK(code({.bytes_in_flight_max = 1'000'000}) == "bad_limits");
    CHECK(code({.tls = TlsOptions{.certificate_file = "/nonexistent", .key_file = "/nonexistent"}}) == "bad_certificate");
    const auto first = must_start({}, echo);
    CHECK(code({.listen = "127.0.0.1:" + std::to_string(first->port())}) == "listen_failed");
    CHECK(code({.listen = "[::1]:0"}) == "started");
}

TEST_CASE("server: several io threads share the work and the limits", "[http-server][http]") {
    ParkedRequests parked;
    const auto server = must_start({.threads = 3, .requests_in_flight_max = 6}, parked.handler());
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 7; ++i) {
        clients.push_back(std::make_unique<RawClient>(server->port()));
        clients.back()->say(get("/"));
        if (i < 6) {
            REQUIRE(parked.wait_for(static_cast<std::size_t>(i) + 1));
        }
    }
    CHECK(clients.back()->reply().status == 503);
    CHECK(server->stats().requests_in_flight == 6);
    for (int i = 0; i < 6; ++i) {
        parked.answer_one();
    }
    for (int i = 0; i < 6; ++i) {
        CHECK(clients[static_cast<std::size_t>(i)]->reply().status == 200);
    }
}

}  // namespace syncline::http::testing
