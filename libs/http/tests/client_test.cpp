#include <syncline/http/client.h>
#include <syncline/http/testing/captured_reply.h>
#include <syncline/http/testing/stub_server.h>
#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <condition_variable>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "tests/certificates.h"
#include "tests/raw_server.h"

namespace syncline::http::testing {
namespace {

using namespace std::chrono_literals;

core::Deadline in(std::chrono::milliseconds time) {
    return {core::system_clock(), time};
}

Request post_to(const std::string& url) {
    return {.method = "POST", .url = url, .headers = {}, .body = "{\"a\":1}", .content_type = "application/json"};
}

std::uint16_t free_port() {
    const RawServer once([](RawServer::Peer&) {});
    return once.port();
}

}  // namespace

TEST_CASE("client: where nothing listens nothing was sent", "[http-client][http]") {
    const auto client = make_client();
    const auto reply = client->send(post_to("http://127.0.0.1:" + std::to_string(free_port()) + "/x"), in(5s));
    REQUIRE_FALSE(reply.has_value());
    CHECK(reply.error().kind == core::ErrorKind::transient);
    CHECK(reply.error().code == "connect_failed");
}

TEST_CASE("client: a name that does not exist is transient", "[http-client][http]") {
    const auto reply = make_client()->send(post_to("http://does-not-exist.invalid/x"), in(10s));
    REQUIRE_FALSE(reply.has_value());
    CHECK(reply.error().kind == core::ErrorKind::transient);
}

TEST_CASE("client: what is not an http URL is malformed", "[http-client][http]") {
    const auto client = make_client();
    for (const auto* url : {"", "nonsense", "ftp://x/y", "http://", "http:///x", "//x/y", "http://x/\r\nEvil: 1"}) {
        CAPTURE(url);
        const auto reply = client->send(post_to(url), in(1s));
        REQUIRE_FALSE(reply.has_value());
        CHECK(reply.error().code == "bad_url");
    }
}

TEST_CASE("client: no error text repeats userinfo, path or query", "[http-client][http]") {
    const auto port = std::to_string(free_port());
    const auto reply = make_client()->send(post_to("http://user:hunter2@127.0.0.1:" + port + "/secret-path?key=s3cret"), in(5s));
    REQUIRE_FALSE(reply.has_value());
    for (const auto* secret : {"hunter2", "secret-path", "s3cret"}) {
        CHECK(reply.error().message.find(secret) == std::string::npos);
        CHECK(reply.error().hint.find(secret) == std::string::npos);
    }
}

TEST_CASE("client: a server that dribbles its answer does not stretch the deadline", "[http-client][http]") {
    const RawServer dribbling([](RawServer::Peer& peer) {
        peer.read_request();
        peer.say("HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n");
        while (peer.say("x")) {
            peer.wait(20ms);
        }
    });
    const auto began = std::chrono::steady_clock::now();
    const auto reply = make_client()->send(post_to(dribbling.url()), in(300ms));
    CHECK(std::chrono::steady_clock::now() - began < 3s);
    REQUIRE_FALSE(reply.has_value());
    CHECK(reply.error().kind == core::ErrorKind::unknown_outcome);
    CHECK(reply.error().code == "timeout");
}

TEST_CASE("client: an answer after the deadline is an unknown outcome, and harms nobody later", "[http-client][http]") {
    std::mutex mutex;
    std::condition_variable wake;
    bool answer = false;
    StubServer stub([&](const IncomingRequest& request) -> StubAnswer {
        if (request.path() == "/late") {
            std::unique_lock lock(mutex);
            wake.wait_for(lock, 20s, [&] { return answer; });
        }
        return {.reply = {.status = 200, .body = std::string(request.path())}};
    });
    const auto client = make_client();
    const auto late = client->send(post_to(stub.url() + "/late"), in(200ms));
    REQUIRE_FALSE(late.has_value());
    CHECK(late.error().kind == core::ErrorKind::unknown_outcome);
    {
        const std::lock_guard lock(mutex);
        answer = true;
    }
    wake.notify_all();
    const auto next = client->send(post_to(stub.url() + "/next"), in(10s));
    REQUIRE(next.has_value());
    CHECK(next->body == "/next");
    CHECK(stub.requests().size() == 2);
}

TEST_CASE("client: an answer lost after the request was taken is an unknown outcome and one attempt", "[http-client][http]") {
    StubServer stub([](const IncomingRequest&) -> StubAnswer { return {.reply = {}, .lose = true}; });
    const auto reply = make_client()->send(post_to(stub.url() + "/x"), in(10s));
    REQUIRE_FALSE(reply.has_value());
    CHECK(reply.error().kind == core::ErrorKind::unknown_outcome);
    CHECK(stub.requests().size() == 1);
}

TEST_CASE("client: an answer lost on a kept connection is not repeated either", "[http-client][http]") {
    // Regression: cpprestsdk sends the request again by itself when a reused connection ends before the answer.
    int seen = 0;
    StubServer stub(
        [&](const IncomingRequest&) -> StubAnswer {
            return ++seen == 1 ? StubAnswer{.reply = {.status = 200, .body = "first"}} : StubAnswer{.reply = {}, .lose = true};
        },
        1);
    const auto client = make_client();
    REQUIRE(client->send(post_to(stub.url() + "/1"), in(10s)).has_value());
    auto request = post_to(stub.url() + "/2");
    SECTION("with a body") {}
    SECTION("without a body") {
        request.body.clear();
    }
    const auto reply = client->send(request, in(10s));
    REQUIRE_FALSE(reply.has_value());
    CHECK(reply.error().kind == core::ErrorKind::unknown_outcome);
    CHECK(stub.requests().size() == 2);
}

TEST_CASE("client: a kept connection that the server closed meanwhile is replaced before anything is sent",
          "[http-client][http]") {
    RawServer closing([](RawServer::Peer& peer) {
        if (peer.read_request()) {
            peer.say("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
        }
    });
    const auto client = make_client();
    for (int i = 0; i < 5; ++i) {
        const auto reply = client->send(post_to(closing.url()), in(10s));
        REQUIRE(reply.has_value());
        CHECK(reply->body == "ok");
        REQUIRE(closing.wait_for_ended(i + 1));
    }
    CHECK(closing.accepted() == 5);
}

TEST_CASE("client: connections are reused where the server allows it", "[http-client][http]") {
    const auto server = Server::start(
        {}, [](IncomingRequest&& /*request*/, Responder responder) { responder.answer({.status = 200, .body = "x"}); });
    REQUIRE(server.has_value());
    const auto client = make_client();
    for (int i = 0; i < 10; ++i) {
        REQUIRE(client->send(post_to((*server)->url() + "/x"), in(10s)).has_value());
    }
    // A connection returns to the pool a moment after its answer: the next request may come sooner.
    CHECK((*server)->stats().connections_accepted < 10);
}

TEST_CASE("client: before its body has left a request is taken back for certain", "[http-client][http]") {
    // Accepts and reads nothing: a large body cannot leave whole, but its first bytes do.
    const RawServer deaf([](RawServer::Peer& peer) { peer.wait_for_end(); });
    auto large = post_to(deaf.url());
    large.body.assign(std::size_t{32} << 20U, 'x');
    const auto reply = make_client()->send(large, in(2s));
    REQUIRE_FALSE(reply.has_value());
    CHECK(reply.error().kind == core::ErrorKind::unknown_outcome);

    // An address that swallows connection attempts: nothing can have been carried out.
    const auto silent = make_client()->send(post_to("http://192.0.2.1:9/x"), in(300ms));
    REQUIRE_FALSE(silent.has_value());
    CHECK(silent.error().kind == core::ErrorKind::transient);
}

TEST_CASE("client: a reply over the limit is refused, told by length or not", "[http-client][http]") {
    const std::string head =
        GENERATE("HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n", "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n30d40\r\n");
    const RawServer generous([&](RawServer::Peer& peer) {
        peer.read_request();
        peer.say(head + std::string(200'000, 'x') + "\r\n0\r\n\r\n");
    });
    auto request = post_to(generous.url());
    request.reply_bytes_max = 100'000;
    const auto reply = make_client()->send(request, in(10s));
    REQUIRE_FALSE(reply.has_value());
    CHECK(reply.error().kind == core::ErrorKind::rejected);
    CHECK(reply.error().code == "reply_too_large");
}

TEST_CASE("client: a broken or truncated answer is an unknown outcome", "[http-client][http]") {
    const std::string bytes =
        GENERATE("hello\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nabc", "HTTP/1.1 200 OK\r\nContent-Le",
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n",
                 "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nab");
    CAPTURE(bytes);
    const RawServer broken([&](RawServer::Peer& peer) {
        peer.read_request();
        peer.say(bytes);
    });
    const auto reply = make_client()->send(post_to(broken.url()), in(10s));
    REQUIRE_FALSE(reply.has_value());
    CHECK(reply.error().kind == core::ErrorKind::unknown_outcome);
}

TEST_CASE("client: a redirect is an answer, not an order", "[http-client][http]") {
    StubServer stub([](const IncomingRequest&) -> StubAnswer {
        return {.reply = {.status = 302, .body = {}, .headers = {{"location", "http://127.0.0.1:1/elsewhere"}}}};
    });
    const auto reply = make_client()->send({.url = stub.url() + "/x"}, in(10s));
    REQUIRE(reply.has_value());
    CHECK(reply->status == 302);
    CHECK(stub.requests().size() == 1);
}

TEST_CASE("client: a certificate nobody vouches for, or for another host, is refused before anything is sent",
          "[http-client][http]") {
    CertificateFolder files;
    bool trusted = false;
    SECTION("unknown issuer") {
        files.renew();
    }
    SECTION("another host") {
        files.renew("DNS:elsewhere.example");
        trusted = true;
    }
    const auto server = Server::start({.tls = TlsOptions{.certificate_file = files.certificate(), .key_file = files.key()}},
                                      [](IncomingRequest&& /*request*/, Responder responder) { responder.answer({}); });
    REQUIRE(server.has_value());
    const auto client = make_client({.ca_file = trusted ? files.certificate() : std::string{}});
    const auto reply = client->send(post_to((*server)->url() + "/x"), in(10s));
    REQUIRE_FALSE(reply.has_value());
    CHECK(reply.error().kind == core::ErrorKind::transient);
    CHECK(reply.error().code == "tls_failed");
    const auto careless = make_client({.verify_tls = false})->send(post_to((*server)->url() + "/x"), in(10s));
    CHECK(careless.has_value());
}

TEST_CASE("client: what is sent arrives, and what is answered comes back", "[http-client][http]") {
    StubServer stub([](const IncomingRequest& request) -> StubAnswer {
        return {
            .reply = {.status = 422, .body = "no: " + request.body, .content_type = "text/x", .headers = {{"X-Answer", "42"}}}};
    });
    auto request = post_to(stub.url() + "/a/b?c=d%20e");
    request.headers.add("Authorization", "bearer token");
    request.headers.add("X-Evil", "a\r\nX-Injected: 1");
    const auto reply = make_client()->send(request, in(10s));
    REQUIRE(reply.has_value());
    CHECK(reply->status == 422);
    CHECK(reply->body == "no: {\"a\":1}");
    CHECK(reply->headers.get("x-answer") == "42");
    CHECK(reply->headers.get("content-type") == "text/x");
    const auto seen = stub.requests().at(0);
    CHECK(seen.method == "POST");
    CHECK(seen.target == "/a/b?c=d%20e");
    CHECK(seen.headers.get("authorization") == "bearer token");
    CHECK(seen.headers.get("content-type") == "application/json");
    CHECK_FALSE(seen.headers.find("x-injected").has_value());
}

TEST_CASE("client: many threads share one client, however few threads it has itself", "[http-client][http]") {
    StubServer stub(
        [](const IncomingRequest& request) -> StubAnswer { return {.reply = {.status = 200, .body = request.body}}; });
    const auto client = make_client();
    std::vector<std::thread> threads;
    std::atomic<int> right{0};
    for (int t = 0; t < 50; ++t) {
        threads.emplace_back([&, t] {
            auto request = post_to(stub.url() + "/x");
            request.body = std::to_string(t);
            const auto reply = client->send(request, in(20s));
            right += reply.has_value() && reply->body == std::to_string(t) ? 1 : 0;
        });
    }
    for (auto& thread : threads) {
        thread.join();
    }
    CHECK(right == 50);
}

TEST_CASE("captured reply: it keeps the answer, and shows an unanswered request as 500", "[http-testing][http]") {
    CapturedReply answered;
    answered.responder().answer({.status = 201});
    CHECK(answered.wait()->status == 201);
    CapturedReply dropped;
    {
        const auto responder = dropped.responder();
    }
    CHECK(dropped.wait()->status == 500);
    CapturedReply abandoned;
    abandoned.responder().abandon();
    CHECK_FALSE(abandoned.wait().has_value());
}

}  // namespace syncline::http::testing
