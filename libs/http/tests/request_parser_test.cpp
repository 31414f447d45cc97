#include "src/request_parser.h"

#include <catch2/catch_test_macros.hpp>
#include <catch2/generators/catch_generators.hpp>
#include <string>
#include <vector>

namespace syncline::http {
namespace {

class Recorder final : public RequestParser::Events {
public:
    bool on_head(const RequestParser& /*parser*/) override {
        ++heads;
        return true;
    }
    bool on_body_growth(std::size_t bytes) override {
        grown += bytes;
        return grown <= growth_max;
    }
    int heads = 0;
    std::size_t grown = 0;
    std::size_t growth_max = std::size_t{1} << 30U;
};

constexpr RequestParser::Limits kLimits{.header_bytes_max = 1'000, .target_bytes_max = 200, .body_bytes_max = 5'000};
using Failure = RequestParser::Failure;

struct Parsed {
    Failure failure = Failure::none;
    bool done = false;
    std::string body;
    std::string left;
};

Parsed parse(std::string bytes, std::size_t step = 0) {
    Recorder recorder;
    RequestParser parser(kLimits, "127.0.0.1", recorder);
    std::string pending;
    Parsed out;
    while (!bytes.empty() && out.failure == Failure::none && !parser.done()) {
        const auto part = step == 0 ? bytes.size() : std::min(step, bytes.size());
        pending += bytes.substr(0, part);
        bytes.erase(0, part);
        const auto progress = parser.take(pending);
        pending.erase(0, progress.consumed);
        out.failure = progress.failure;
    }
    out.done = parser.done();
    out.left = pending + bytes;
    if (out.done) {
        out.body = parser.request().body;
    }
    return out;
}

struct Bad {
    const char* bytes;
    Failure failure;
};

}  // namespace

TEST_CASE("request parser: what two parsers could read differently is refused", "[http-parser][unit]") {
    const auto bad = GENERATE(
        Bad{"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", Failure::bad_length},
        Bad{"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nContent-Length: 3\r\n\r\nabc", Failure::bad_length},
        Bad{"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3, 3\r\n\r\nabc", Failure::bad_length},
        Bad{"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", Failure::bad_length},
        Bad{"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: +3\r\n\r\nabc", Failure::bad_length},
        Bad{"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 0x3\r\n\r\nabc", Failure::bad_length},
        Bad{"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: abc\r\n\r\nabc", Failure::bad_length},
        Bad{"GET / HTTP/1.1\r\nHost: x\r\nContent-Length:\r\n\r\nabc", Failure::bad_length},
        Bad{"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999999\r\n\r\n", Failure::bad_length},
        Bad{"GET / HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            Failure::bad_transfer_encoding},
        Bad{"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", Failure::bad_length},
        Bad{"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            Failure::bad_transfer_encoding},
        Bad{"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", Failure::bad_transfer_encoding},
        Bad{"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", Failure::bad_transfer_encoding},
        Bad{"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: xchunked\r\n\r\n0\r\n\r\n", Failure::bad_transfer_encoding},
        Bad{"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding:\r\n\r\n0\r\n\r\n", Failure::bad_transfer_encoding},
        Bad{"GET / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", Failure::bad_transfer_encoding},
        Bad{"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding : chunked\r\n\r\n0\r\n\r\n", Failure::bad_header},
        Bad{"GET / HTTP/1.1\r\nHost: x\r\nContent-Length : 3\r\n\r\nabc", Failure::bad_header},
        Bad{"GET / HTTP/1.1\r\n\r\n", Failure::bad_host}, Bad{"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", Failure::bad_host},
        Bad{"GET / HTTP/1.1\r\nHost: x\nX: y\r\n\r\n", Failure::bad_header},
        Bad{"GET / HTTP/1.1\r\nHost: x\r\nX y\r\n\r\n", Failure::bad_header},
        Bad{"GET / HTTP/1.1\r\nHost: x\r\nExpect: 200-ok\r\n\r\n", Failure::bad_header},
        Bad{"GET / HTTP/2.0\r\nHost: x\r\n\r\n", Failure::bad_request_line},
        Bad{"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", Failure::bad_request_line},
        Bad{"GET x HTTP/1.1\r\nHost: x\r\n\r\n", Failure::bad_request_line},
        Bad{"GET / a HTTP/1.1\r\nHost: x\r\n\r\n", Failure::bad_request_line},
        Bad{"\x16\x03\x01\x02\x01 / HTTP/1.1\r\n\r\n", Failure::bad_request_line},
        Bad{"CONNECT x:443 HTTP/1.1\r\nHost: x\r\n\r\n", Failure::bad_request_line});
    CAPTURE(bad.bytes);
    CHECK(parse(bad.bytes).failure == bad.failure);
    CHECK(parse(bad.bytes, 1).failure == bad.failure);
}

TEST_CASE("request parser: garbage in chunks is refused", "[http-parser][unit]") {
    const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    const std::string chunks =
        GENERATE("zz\r\nabc\r\n0\r\n\r\n", "-3\r\nabc\r\n0\r\n\r\n", "0x3\r\nabc\r\n0\r\n\r\n", "\r\nabc",
                 "3\r\nabcd\r\n0\r\n\r\n", "3\r\nabcX\n0\r\n\r\n", "3;\x01\r\nabc\r\n0\r\n\r\n", "fffffffffffffffff\r\nabc",
                 " 3\r\nabc\r\n0\r\n\r\n", "3\r\nabc\r\n0\r\nContent-Length: 5\r\n\r\n", "3\r\nabc\r\n0\r\nno colon\r\n\r\n");
    CAPTURE(chunks);
    const auto whole = parse(head + chunks);
    CHECK_FALSE(whole.done);
    CHECK(whole.failure != Failure::none);
    CHECK(parse(head + chunks, 1).failure == whole.failure);
}

TEST_CASE("request parser: each limit has its own failure", "[http-parser][unit]") {
    const std::string line = "GET / HTTP/1.1\r\nHost: x\r\n";
    CHECK(parse("GET /" + std::string(300, 'a') + " HTTP/1.1\r\n").failure == Failure::target_too_long);
    CHECK(parse("GET /" + std::string(3'000, 'a')).failure == Failure::target_too_long);
    CHECK(parse(line + "X: " + std::string(3'000, 'a')).failure == Failure::headers_too_large);
    std::string many = line;
    for (int i = 0; i < 200; ++i) {
        many += "X-" + std::to_string(i) + ": y\r\n";
    }
    CHECK(parse(many).failure == Failure::headers_too_large);
    CHECK(parse(many, 1).failure == Failure::headers_too_large);
    CHECK(parse("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5001\r\n\r\n").failure == Failure::body_too_large);
    CHECK(parse("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n1389\r\n").failure == Failure::body_too_large);
    CHECK(parse("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7fffffffffffffff\r\n").failure ==
          Failure::body_too_large);
}

TEST_CASE("request parser: many small chunks cannot pass the body limit", "[http-parser][unit]") {
    std::string bytes = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
    for (int i = 0; i < 600; ++i) {
        bytes += "a\r\n0123456789\r\n";
    }
    CHECK(parse(bytes + "0\r\n\r\n").failure == Failure::body_too_large);
}

TEST_CASE("request parser: memory follows the bytes that came, not the length that was promised", "[http-parser][unit]") {
    Recorder recorder;
    RequestParser parser({.header_bytes_max = 1'000, .target_bytes_max = 100, .body_bytes_max = std::size_t{8} << 20U}, "",
                         recorder);
    REQUIRE(parser.take("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 8000000\r\n\r\n").failure == Failure::none);
    CHECK(recorder.grown == 0);
    REQUIRE(parser.take("a").failure == Failure::none);
    CHECK(recorder.grown <= std::size_t{64} << 10U);
}

TEST_CASE("request parser: a refused growth of the body stops the request", "[http-parser][unit]") {
    Recorder recorder;
    recorder.growth_max = 10;
    RequestParser parser(kLimits, "", recorder);
    const auto progress = parser.take("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n12345678901");
    CHECK(progress.failure == Failure::stopped);
}

TEST_CASE("request parser: the same request comes out however its bytes are cut", "[http-parser][unit]") {
    const std::string request =
        GENERATE("POST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\nhello world",
                 "POST /a?b=c HTTP/1.1\r\nHost: x\r\ntransfer-encoding: Chunked\r\n\r\n5\r\nhello\r\n6;a=b\r\n "
                 "world\r\n0\r\nX-Trailer: y\r\n\r\n",
                 "POST /a?b=c HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n00b\r\nhello world\r\n0\r\n\r\n");
    const std::string next = "GET /next HTTP/1.1\r\n";
    for (std::size_t step = 0; step <= request.size(); ++step) {
        CAPTURE(request, step);
        const auto parsed = parse(request + next, step);
        REQUIRE(parsed.failure == Failure::none);
        REQUIRE(parsed.done);
        CHECK(parsed.body == "hello world");
        CHECK(parsed.left == next);
    }
}

TEST_CASE("request parser: the head is shown with lower-case names and without the trailer", "[http-parser][unit]") {
    Recorder recorder;
    RequestParser parser(kLimits, "10.0.0.9", recorder);
    const auto progress = parser.take(
        "POST http://shop.example/in?x=1 HTTP/1.1\r\nHOST: x\r\nX-Shopify-Topic: orders/create\r\nTransfer-Encoding: "
        "chunked\r\n\r\n"
        "0\r\nX-Late: 1\r\n\r\n");
    REQUIRE(progress.failure == Failure::none);
    REQUIRE(parser.done());
    CHECK(recorder.heads == 1);
    const auto request = parser.release();
    CHECK(request.method() == "POST");
    CHECK(request.target() == "/in?x=1");
    CHECK(request.path() == "/in");
    CHECK(request.query() == "x=1");
    CHECK(request.peer() == "10.0.0.9");
    CHECK(request.get("x-shopify-topic") == "orders/create");
    CHECK_FALSE(request.find("x-late").has_value());
}

TEST_CASE("request parser: a discarded body leaves no bytes behind and no memory taken", "[http-parser][unit]") {
    Recorder recorder;
    RequestParser parser(kLimits, "", recorder);
    REQUIRE(parser.take("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\n").failure == Failure::none);
    parser.discard_body();
    REQUIRE(parser.take("hello world").failure == Failure::none);
    CHECK(parser.done());
    CHECK(recorder.grown == 0);
    CHECK(parser.body_bytes() == 11);
}

}  // namespace syncline::http
