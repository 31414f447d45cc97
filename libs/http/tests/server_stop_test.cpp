#include <syncline/http/client.h>
#include <catch2/catch_test_macros.hpp>
#include <fstream>
#include <string>
#include <thread>

#include "tests/certificates.h"
#include "tests/door.h"

namespace syncline::http::testing {
namespace {

using namespace std::chrono_literals;

core::Deadline in(std::chrono::milliseconds time) {
    return {core::system_clock(), time};
}

}  // namespace

TEST_CASE("server: stop lets requests that have begun finish and refuses new ones", "[http-stop][http]") {
    ParkedRequests parked;
    const auto server = must_start({}, parked.handler());
    const auto port = server->port();
    RawClient idle(port);
    RawClient busy(port);
    busy.say(get("/"));
    REQUIRE(parked.wait_for(1));
    const auto bytes = server->stats().bytes_in_flight;
    RawClient half(port);
    half.say("POST /in HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhe");
    REQUIRE(eventually([&] { return server->stats().connections_open == 3 && server->stats().bytes_in_flight > bytes; }));

    bool clean = false;
    std::jthread stopper([&] { clean = server->stop(in(10s)); });
    CHECK(idle.closed());
    half.say("llo");
    REQUIRE(parked.wait_for(2));
    CHECK_THROWS(RawClient(port));
    parked.answer_one();
    parked.answer_one();
    const auto reply = busy.reply();
    CHECK(reply.status == 200);
    CHECK(reply.headers.get("connection") == "close");
    CHECK(half.reply().status == 200);
    stopper.join();
    CHECK(clean);
    CHECK(server->stop(in(1s)));
}

TEST_CASE("server: stop does not wait longer than its deadline", "[http-stop][http]") {
    ParkedRequests parked;
    const auto server = must_start({}, parked.handler());
    RawClient busy(server->port());
    busy.say(get("/"));
    REQUIRE(parked.wait_for(1));
    CHECK_FALSE(server->stop(in(50ms)));
    CHECK(busy.closed());
    parked.answer_one();
}

TEST_CASE("server: a new certificate is used without a restart, a broken one is not", "[http-tls][http]") {
    CertificateFolder files;
    files.renew();
    const auto server = must_start({.tls = TlsOptions{.certificate_file = files.certificate(), .key_file = files.key()}}, echo);
    REQUIRE(server->url().starts_with("https://"));
    const auto ask = [&] {
        // A client of its own each time: no kept connection, and it trusts what the file says now.
        return make_client({.ca_file = files.certificate()})->send({.url = server->url() + "/x"}, in(10s));
    };
    auto reply = ask();
    REQUIRE(reply.has_value());
    CHECK(reply->body == "GET /x ");

    files.renew();
    REQUIRE(eventually([&] { return server->stats().certificate_reloads >= 1; }));
    reply = ask();
    REQUIRE(reply.has_value());
    CHECK(reply->status == 200);

    const auto errors = server->stats().certificate_reload_errors;
    std::filesystem::copy_file(files.certificate(), files.certificate() + ".good");
    std::ofstream(files.certificate()) << "garbage";
    REQUIRE(eventually([&] { return server->stats().certificate_reload_errors > errors; }));
    auto trusting = make_client({.ca_file = files.certificate() + ".good"})->send({.url = server->url() + "/x"}, in(10s));
    CHECK(trusting.has_value());
}

TEST_CASE("server: it ends whatever its timers are about to do", "[http-stop][http]") {
    // Regression: a sweep that was due while the server ended planned the next one, for ever.
    CertificateFolder files;
    files.renew();
    for (int i = 0; i < 100; ++i) {
        const auto server = must_start(
            {.tls = TlsOptions{.certificate_file = files.certificate(), .key_file = files.key()}, .header_timeout = 20ms}, echo);
        const RawClient client(server->port());
        eventually([&] { return server->stats().connections_open == 0; }, std::chrono::milliseconds{4 + i % 3});
    }
}

TEST_CASE("server: a client that does not speak TLS is let go and counted", "[http-tls][http]") {
    CertificateFolder files;
    files.renew();
    const auto server = must_start({.tls = TlsOptions{.certificate_file = files.certificate(), .key_file = files.key()}}, echo);
    RawClient plain(server->port());
    plain.say(get("/"));
    CHECK(eventually([&] { return server->stats().rejected_for(Rejected::tls_handshake) == 1; }));
    CHECK(eventually([&] { return server->stats().connections_open == 0; }));
}

TEST_CASE("server: large bodies both ways and a rested connection over TLS", "[http-tls][http]") {
    CertificateFolder files;
    files.renew();
    JumpingClock clock;
    const auto server =
        must_start({.tls = TlsOptions{.certificate_file = files.certificate(), .key_file = files.key()}, .clock = &clock}, echo);
    const auto client = make_client({.ca_file = files.certificate()});
    const std::string body(2'000'000, 'b');
    auto reply = client->send({.method = "POST", .url = server->url() + "/in", .body = body}, in(20s));
    REQUIRE(reply.has_value());
    CHECK(reply->body == "POST /in " + body);
    for (int i = 0; i < 5; ++i) {
        // The kept connection gives its buffer back at each jump, and goes on.
        clock.jump(2s);
        reply = client->send({.method = "POST", .url = server->url() + "/in", .body = "again"}, in(20s));
        REQUIRE(reply.has_value());
        CHECK(reply->body == "POST /in again");
    }
    CHECK(server->stats().connections_accepted < 6);
}

}  // namespace syncline::http::testing
