#include "syncline/json/writer.h"

#include <catch2/catch_test_macros.hpp>
#include <random>
#include <string>

using syncline::json::Document;
using syncline::json::Writer;

TEST_CASE("writer: bytes that are not UTF-8, quotes and control characters come out as valid JSON on one line", "[json][unit]") {
    std::mt19937_64 random(5);
    for (int i = 0; i < 3'000; ++i) {
        std::string text;
        for (auto length = random() % 20; length > 0; --length) {
            text.push_back(static_cast<char>(random()));
        }
        Writer out;
        out.begin_object().member("text", text).end_object();
        const auto json = std::move(out).take();
        REQUIRE(json.find('\n') == std::string::npos);
        const auto document = Document::parse(json);
        REQUIRE(document.has_value());
    }
}

TEST_CASE("writer: every control character is escaped wherever it stands", "[json][unit]") {
    for (char c = 0; c < 0x20; ++c) {
        for (std::size_t at = 0; at < 40; ++at) {
            std::string text(40, 'x');
            text[at] = c;
            Writer out;
            out.begin_array().string(text).end_array();
            const auto json = std::move(out).take();
            REQUIRE(json.find(c) == std::string::npos);
            const auto document = Document::parse(json);
            REQUIRE(document.has_value());
            REQUIRE((*document->root().elements().begin()).string().value() == text);
        }
    }
}

TEST_CASE("writer: every kind of value is written as itself", "[json][unit]") {
    Writer out;
    out.begin_object()
        .member("text", "a\"b\n")
        .member("max", UINT64_MAX)
        .member("min", INT64_MIN)
        .member("yes", true)
        .member("price", syncline::core::Decimal::parse("19.90").value())
        .key("none")
        .null()
        .key("list")
        .begin_array()
        .number("1.500")
        .string("")
        .string(std::string_view())
        .begin_object()
        .end_object()
        .raw("[1,2]")
        .end_array()
        .end_object();
    CHECK(std::move(out).take() ==
          R"({"text":"a\"b\n","max":18446744073709551615,"min":-9223372036854775808,"yes":true,"price":19.9,"none":null,)"
          R"("list":[1.500,"","",{},[1,2]]})");
}

TEST_CASE("writer: a value copied from a document keeps its digits and its order", "[json][unit]") {
    const std::string json = R"({"z":1.50,"a":[{"b":null,"c":"é\n"},true,[]],"e":{},"big":12345678901234567890123})";
    const auto document = Document::parse(json);
    REQUIRE(document.has_value());
    Writer out;
    out.value(document->root());
    CHECK(std::move(out).take() == json);
}
