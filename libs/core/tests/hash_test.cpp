#include "syncline/core/hash.h"

#include <catch2/catch_test_macros.hpp>
#include <random>
#include <set>

using namespace syncline::core;

TEST_CASE("hash: base64 that another encoder would not produce is refused", "[core][unit]") {
    for (const std::string_view text :
         {"Zg", "Zg=", "Zg===", "Zh==", "Zm9=", "Zm9v\n", " Zm9v", "Zm-_", "====", "=m9v", "Z=9v", "Zm9vZ"}) {
        INFO(text);
        CHECK(base64_decode(text).error().code == "base64_malformed");
    }
    CHECK_FALSE(base64_decode(std::string_view("Zm9\0", 4)).has_value());
}

TEST_CASE("hash: base64 of RFC 4648 goes both ways", "[core][unit]") {
    CHECK(base64_encode("").empty());
    CHECK(base64_encode("f") == "Zg==");
    CHECK(base64_encode("fo") == "Zm8=");
    CHECK(base64_encode("foobar") == "Zm9vYmFy");
    std::mt19937_64 random(1);
    for (std::size_t size = 0; size < 300; ++size) {
        std::string data(size, '\0');
        for (auto& c : data) {
            c = static_cast<char>(random());
        }
        REQUIRE(base64_decode(base64_encode(data)).value() == data);
        REQUIRE(hex_decode(hex_encode(data)).value() == data);
    }
}

TEST_CASE("hash: hexadecimal of odd length or with other digits is refused", "[core][unit]") {
    CHECK_FALSE(hex_decode("abc").has_value());
    CHECK_FALSE(hex_decode("zz").has_value());
    CHECK(hex_decode("C0ffee").value() == "\xc0\xff\xee");
}

TEST_CASE("hash: SHA-256 and HMAC give the published values", "[core][unit]") {
    CHECK(hex_encode(bytes_of(sha256("abc"))) == "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    // RFC 4231, cases 2 and 6, and an empty key.
    CHECK(hex_encode(bytes_of(hmac_sha256("Jefe", "what do ya want for nothing?"))) ==
          "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    CHECK(hex_encode(bytes_of(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"))) ==
          "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
    CHECK(hex_encode(bytes_of(hmac_sha256("", ""))) == "b613679a0814d9ec772f95d778c35fc5ff1697c493715653c6c712144292c5ad");
    Sha256 pieces;
    pieces.update("a");
    pieces.update("");
    pieces.update("bc");
    CHECK(pieces.finish() == sha256("abc"));
}

TEST_CASE("hash: an empty key does not keep the key of the call before", "[core][unit]") {
    const auto empty = hmac_sha256("", "message");
    CHECK(hmac_sha256("key", "message") != empty);
    CHECK(hmac_sha256("", "message") == empty);
}

TEST_CASE("hash: constant time equality is equality", "[core][unit]") {
    CHECK(constant_time_equal("", ""));
    CHECK(constant_time_equal("abc", "abc"));
    CHECK_FALSE(constant_time_equal("abc", "abd"));
    CHECK_FALSE(constant_time_equal("abc", "ab"));
    CHECK_FALSE(constant_time_equal("", "a"));
}

TEST_CASE("hash: name-based UUIDs are those of RFC 4122 and random ones differ", "[core][unit]") {
    CHECK(uuid_v5("6ba7b810-9dad-11d1-80b4-00c04fd430c8", "www.example.com") == "2ed6657d-e927-568b-95e1-2665a8aea6a2");
    CHECK(uuid_v5(kSynclineNamespace, "a") != uuid_v5(kSynclineNamespace, "b"));
    std::set<std::string> seen;
    for (int i = 0; i < 1000; ++i) {
        const auto id = uuid_v4();
        REQUIRE(id.size() == 36);
        REQUIRE(id[14] == '4');
        REQUIRE(std::string_view("89ab").find(id[19]) != std::string_view::npos);
        REQUIRE(seen.insert(id).second);
    }
}
