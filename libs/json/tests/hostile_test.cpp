#include <catch2/catch_test_macros.hpp>
#include <chrono>
#include <random>
#include <string>

#include "syncline/core/utf8.h"
#include "syncline/json/document.h"

using syncline::json::Document;
using syncline::json::Limits;

namespace {

std::string code_of(std::string text, const Limits& limits = {}) {
    const auto document = Document::parse(std::move(text), limits);
    if (document) {
        return "parsed";
    }
    CHECK(document.error().kind == syncline::core::ErrorKind::malformed);
    return document.error().code;
}

std::string repeated(std::string_view text, std::size_t times) {
    std::string all;
    for (; times > 0; --times) {
        all += text;
    }
    return all;
}

}  // namespace

TEST_CASE("hostile json: nothing, white space and a byte order mark are not documents", "[json][unit]") {
    CHECK(code_of("") == "body_empty");
    CHECK(code_of(" \n\t ") == "body_empty");
    CHECK(code_of("\n\n\n") == "body_empty");
    CHECK(code_of("\xEF\xBB\xBF{}") == "json_malformed");
}

TEST_CASE("hostile json: deep nesting stops at the bound instead of the stack", "[json][unit]") {
    CHECK(code_of(std::string(200'000, '[')) == "json_too_deep");
    CHECK(code_of(repeated("{\"a\":", 40'000)) == "json_too_deep");
    CHECK(code_of(std::string(8'000'000, '[')) == "json_too_deep");
    CHECK(code_of(std::string(64, '[') + std::string(64, ']')) == "parsed");
    CHECK(code_of(std::string(65, '[') + std::string(65, ']')) == "json_too_deep");
    CHECK(code_of("[]", {.depth_max = 0}) == "json_too_deep");
    CHECK(code_of("1", {.depth_max = 0}) == "parsed");
}

TEST_CASE("hostile json: bytes beyond the bound are refused before they are looked at", "[json][unit]") {
    CHECK(code_of(std::string(101, ' '), {.bytes_max = 100}) == "body_too_large");
    CHECK(code_of(std::string(98, ' ') + "{}", {.bytes_max = 100}) == "parsed");
    CHECK(code_of(std::string(20'000'000, '[')) == "body_too_large");
}

TEST_CASE("hostile json: bytes and escapes that are not UTF-8 are refused", "[json][unit]") {
    CHECK(code_of("\"\xFF\"") == "utf8_invalid");
    CHECK(code_of("\"\xC0\x80\"") == "utf8_invalid");
    CHECK(code_of("\"\xED\xA0\x80\"") == "utf8_invalid");
    CHECK(code_of("{\"\xE2\x82\": 1}") == "utf8_invalid");
    CHECK(code_of(R"("\udc00")") == "utf8_invalid");
    CHECK(code_of(R"({"\uDFFF": 1})") == "utf8_invalid");
    CHECK(code_of(R"("\ud800")") == "json_malformed");
    CHECK(code_of(R"("\ud800A")") == "json_malformed");
}

TEST_CASE("hostile json: text behind the value is refused, a NUL included", "[json][unit]") {
    CHECK(code_of("{}x") == "json_trailing_text");
    CHECK(code_of("{}{}") == "json_trailing_text");
    CHECK(code_of("{},") == "json_trailing_text");
    CHECK(code_of(std::string("{}\0{}", 5)) == "json_trailing_text");
    CHECK(code_of(std::string("{}\0", 3)) == "json_trailing_text");
    CHECK(code_of(std::string("{\"a\":\0 1}", 9)) == "json_malformed");
    CHECK(code_of(std::string("\"a\0b\"", 5)) == "json_malformed");
    CHECK(code_of(std::string("\0", 1)) != "parsed");
    CHECK(code_of(" {} \r\n\t") == "parsed");
}

TEST_CASE("hostile json: a raw control character is refused wherever it stands in a text", "[json][unit]") {
    // Regression: RapidJSON's vector path takes 0x1A to 0x1F for ordinary characters.
    for (char c = 1; c < 0x20; ++c) {
        for (std::size_t at = 0; at < 40; ++at) {
            std::string text = "{\"a\":\"" + std::string(40, 'x') + "\"}";
            text[6 + at] = c;
            INFO(static_cast<int>(c) << " at " << at);
            REQUIRE(code_of(text) == "json_malformed");
        }
    }
}

TEST_CASE("hostile json: what only some parsers accept is refused", "[json][unit]") {
    for (const std::string text :
         {"{",     "}",   "[1,]", "{\"a\":1,}", "{a:1}",    "{'a':1}",   "[1 2]",  "{\"a\" 1}", "{\"a\":}",
          "{1:2}", "nul", "True", "NaN",        "Infinity", "-",         "+1",     "01",        "1.",
          ".5",    "1e",  "1e+",  "0x10",       "// c\n{}", "/* c */{}", "\"\n\"", "\"\\x\"",   "\"\\u12\"",
          "\"abc", "[",   "[[]",  "--1",        "1-1",      "[,1]"}) {
        INFO(text);
        CHECK(code_of(text) != "parsed");
    }
}

TEST_CASE("hostile json: numbers that no double holds are refused or are errors when read, never wrong", "[json][unit]") {
    CHECK(code_of("1e400") == "json_malformed");
    CHECK(code_of("-1e400") == "json_malformed");
    CHECK(code_of("{\"a\": 1e999999999999}") == "json_malformed");
    CHECK(code_of(std::string(400, '9')) == "json_malformed");
    // Crashes a parser that converts with full precision (RapidJSON #1251).
    auto tiny = Document::parse("128.74836467836484838364836483643636483648e-336");
    REQUIRE(tiny.has_value());
    CHECK(tiny->root().decimal().error().code == "number_out_of_range");
    auto small = Document::parse("1e-999999");
    REQUIRE(small.has_value());
    CHECK(small->root().decimal().error().code == "number_out_of_range");
    auto text = Document::parse("\"1e400\"");
    REQUIRE(text.has_value());
    CHECK(text->root().decimal().error().code == "number_out_of_range");
    auto precise = Document::parse("0." + std::string(1'000'000, '1'));
    REQUIRE(precise.has_value());
    CHECK(precise->root().decimal().error().code == "number_out_of_range");
}

TEST_CASE("hostile json: duplicate keys are refused with their path, or found when allowed", "[json][unit]") {
    const std::string text = R"({"a": 1, "b": [{"c": 1}, {"c": 1, "d": {}, "c": 2}]})";
    const auto refused = Document::parse(text);
    REQUIRE_FALSE(refused.has_value());
    CHECK(refused.error().code == "duplicate_key");
    CHECK(refused.error().message == "b[1].c: the key comes twice");
    const auto allowed = Document::parse(text, {.reject_duplicate_keys = false});
    REQUIRE(allowed.has_value());
    CHECK(allowed->find_duplicate_key() == "b[1].c");
    CHECK(code_of(R"({"a":1,"\u0061":2})") == "duplicate_key");
    CHECK(code_of(R"({"a":{"a":{"a":1}}})") == "parsed");
    CHECK(code_of(R"({"":1,"":2})") == "duplicate_key");
}

TEST_CASE("hostile json: an object of very many keys is checked in time, equal or not", "[json][unit]") {
    std::string text = "{";
    for (int i = 0; i < 60'000; ++i) {
        text += "\"k" + std::to_string(i) + "\":0,";
    }
    const auto start = std::chrono::steady_clock::now();
    CHECK(code_of(text + "\"k\":0}") == "parsed");
    CHECK(code_of(text + "\"k77\":0}") == "duplicate_key");
    // Quadratic work would take minutes.
    CHECK(std::chrono::steady_clock::now() - start < std::chrono::seconds(20));
}

TEST_CASE("hostile json: broken copies of a document never crash and what parses is UTF-8", "[json][unit]") {
    const std::string good =
        R"({"id":820982911946154508,"a":[1,2.5,-3e2,true,false,null,"x\u00e9\n"],"o":{"k":"v","n":{"m":[[],{}]}}})";
    std::mt19937_64 random(11);
    for (int i = 0; i < 20'000; ++i) {
        std::string text = good;
        for (auto edits = 1 + random() % 4; edits > 0; --edits) {
            const auto at = random() % text.size();
            switch (random() % 4) {
                case 0:
                    text[at] = static_cast<char>(random());
                    break;
                case 1:
                    text.erase(at, 1 + random() % 5);
                    break;
                case 2:
                    text.insert(at, 1, "[]{}\",:\\0e"[random() % 10]);
                    break;
                default:
                    text.resize(at + 1);
            }
            if (text.empty()) {
                text = "x";
            }
        }
        const auto document = Document::parse(text, {.depth_max = 8});
        if (document) {
            for (const auto member : document->root().members()) {
                REQUIRE(syncline::core::valid_utf8(member.name));
                static_cast<void>(member.value.path());
                static_cast<void>(member.value.decimal());
            }
        } else {
            REQUIRE_FALSE(document.error().code.empty());
        }
    }
}
