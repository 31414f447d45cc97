#include "src/read_buffer.h"

#include <catch2/catch_test_macros.hpp>
#include <memory>
#include <string>
#include <vector>

#include "tests/door.h"

namespace syncline::http::testing {
namespace {

void put(ReadBuffer& buffer, std::string_view bytes) {
    auto space = buffer.space();
    REQUIRE(space.size() >= bytes.size());
    bytes.copy(space.data(), bytes.size());
    buffer.commit(bytes.size());
}

}  // namespace

TEST_CASE("read buffer: bytes survive moving to the front and growing", "[http-buffer][unit]") {
    ReadBuffer buffer(8);
    put(buffer, "abcdefgh");
    CHECK(buffer.space().empty());
    buffer.consume(5);
    CHECK(buffer.bytes() == "fgh");
    put(buffer, "ij");
    CHECK(buffer.bytes() == "fghij");
    buffer.grow(16);
    CHECK(buffer.bytes() == "fghij");
    put(buffer, "klmnopq");
    CHECK(buffer.bytes() == "fghijklmnopq");
    buffer.consume(12);
    CHECK(buffer.empty());
    CHECK(buffer.space().size() == 16);
}

TEST_CASE("buffer stock: a crowd gets small buffers, and full ones again when it has gone", "[http-buffer][unit]") {
    BufferStock stock(std::size_t{64} << 10U);
    std::vector<ReadBuffer> crowd;
    std::size_t full = 0;
    for (int i = 0; i < 1'000; ++i) {
        crowd.push_back(stock.take());
        full += crowd.back().capacity() == stock.full_size() ? 1U : 0U;
    }
    CHECK(full == 256);
    CHECK(crowd.back().capacity() == 4'096);
    for (auto& buffer : crowd) {
        stock.give(std::move(buffer));
    }
    CHECK(stock.take().capacity() == stock.full_size());
}

TEST_CASE("server: requests are read whole also with a small buffer that has to grow", "[http-buffer][http]") {
    const auto server = must_start({}, echo);
    // More than get a full buffer at once, all in the middle of their head.
    const std::string long_field = "X-Long: " + std::string(20'000, 'h') + "\r\n";
    const std::string body(30'000, 'b');
    std::vector<std::unique_ptr<RawClient>> clients;
    for (int i = 0; i < 300; ++i) {
        clients.push_back(std::make_unique<RawClient>(server->port()));
        REQUIRE(clients.back()->say("POST /in HTTP/1.1\r\nHost: x\r\n"));
    }
    for (auto& client : clients) {
        REQUIRE(client->say(long_field + "Content-Length: 30000\r\n\r\n" + body));
    }
    for (auto& client : clients) {
        REQUIRE(client->reply().body == "POST /in " + body);
    }
}

}  // namespace syncline::http::testing
