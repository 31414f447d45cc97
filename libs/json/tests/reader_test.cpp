// What reads (simdjson, with our walk over it) against RapidJSON's reader: what one takes the other takes, and both see the same.
#include "src/rapidjson.h"

#include <rapidjson/reader.h>

#include <catch2/catch_test_macros.hpp>
#include <limits>
#include <random>
#include <string>
#include <string_view>

#include "syncline/core/utf8.h"
#include "syncline/json/document.h"

using syncline::json::Document;
using syncline::json::Kind;
using syncline::json::Value;

namespace {

// What a reader saw, one line a step; texts with their length, so that nothing can look like something else.
class Steps {
public:
    void step(std::string_view what, std::string_view text = {}) {
        seen_ += what;
        seen_ += std::to_string(text.size());
        seen_ += ':';
        seen_ += text;
        seen_ += '\n';
    }
    [[nodiscard]] const std::string& seen() const { return seen_; }

private:
    std::string seen_;
};

// NOLINTBEGIN(readability-identifier-naming): RapidJSON's names.
struct RapidSteps {
    Steps steps;
    bool Null() { return did("null"); }
    bool Bool(bool value) { return did(value ? "true" : "false"); }
    bool RawNumber(const char* text, unsigned size, bool /*copy*/) { return did("number", {text, size}); }
    bool String(const char* text, unsigned size, bool /*copy*/) { return did("text", {text, size}); }
    bool Key(const char* text, unsigned size, bool /*copy*/) { return did("key", {text, size}); }
    bool StartObject() { return did("{"); }
    bool StartArray() { return did("["); }
    bool EndObject(unsigned members) { return did("}", std::to_string(members)); }
    bool EndArray(unsigned elements) { return did("]", std::to_string(elements)); }
    bool Int(int /*value*/) { return false; }
    bool Uint(unsigned /*value*/) { return false; }
    bool Int64(std::int64_t /*value*/) { return false; }
    bool Uint64(std::uint64_t /*value*/) { return false; }
    bool Double(double /*value*/) { return false; }

private:
    bool did(std::string_view what, std::string_view text = {}) {
        steps.step(what, text);
        return true;
    }
};
// NOLINTEND(readability-identifier-naming)

std::string seen_by_rapidjson(const std::string& text) {
    RapidSteps handler;
    rapidjson::Reader reader;
    rapidjson::StringStream stream(text.c_str());
    constexpr unsigned kFlags =
        rapidjson::kParseIterativeFlag | rapidjson::kParseNumbersAsStringsFlag | rapidjson::kParseValidateEncodingFlag;
    return reader.Parse<kFlags>(stream, handler).IsError() ? "refused" : handler.steps.seen();
}

// NOLINTNEXTLINE(misc-no-recursion): as deep as the documents of this test.
void walk(const Value& value, Steps& steps) {
    switch (value.kind()) {
        case Kind::null:
            return steps.step("null");
        case Kind::boolean:
            return steps.step(*value.boolean() ? "true" : "false");
        case Kind::number:
            return steps.step("number", *value.number_text());
        case Kind::string:
            return steps.step("text", *value.string());
        case Kind::array:
            steps.step("[");
            for (const auto element : value.elements()) {
                walk(element, steps);
            }
            return steps.step("]", std::to_string(value.size()));
        case Kind::object:
            steps.step("{");
            for (const auto member : value.members()) {
                steps.step("key", member.name);
                walk(member.value, steps);
            }
            return steps.step("}", std::to_string(value.size()));
    }
}

std::string seen_by_us(const std::string& text) {
    const auto document = Document::parse(text, {.depth_max = 500, .reject_duplicate_keys = false});
    if (!document) {
        return "refused";
    }
    Steps steps;
    walk(document->root(), steps);
    return steps.seen();
}

void require_same(const std::string& text) {
    const auto ours = seen_by_us(text);
    const auto theirs = seen_by_rapidjson(text);
    INFO(text);
    REQUIRE(ours == theirs);
}

constexpr std::string_view kGood =
    R"({"id":820982911946154508,"a":[1,2.5,-3e2,-0,0.10,12E+3,true,false,null,"x\u00e9\n\"\\\/\b\f\r\t\ud83d\ude00"],)"
    R"( "o" : {"k":"a text that is longer than sixteen bytes","n":{"m":[[],{}, [ ] ]},"":""},)"
    R"("quite a long name of a member":"short","z":"exactly 16 bytes","y":"\u0041 at the start and a long rest behind it"})";

}  // namespace

TEST_CASE("reader: a document of every kind of value reads as RapidJSON reads it", "[json][unit]") {
    require_same(std::string(kGood));
    CHECK(seen_by_us(std::string(kGood)) != "refused");
    for (const std::string text : {"0",
                                   "-0",
                                   "01",
                                   "1.",
                                   "-",
                                   "1e5",
                                   "1E+05",
                                   "1e",
                                   "\"\"",
                                   "[]",
                                   "{}",
                                   "[[[[]]]]",
                                   "[1,]",
                                   "{,}",
                                   "tru",
                                   "nulll",
                                   "true ",
                                   " \r\n\t1 ",
                                   "\"\\ud83d\\ude00\"",
                                   "\"\\uD83D\"",
                                   "\"\\uD83D\\n\"",
                                   "\"\\uD83D\\u0041\"",
                                   "\"\\u12G4\"",
                                   "\"\\ud82c\\udf8\"",
                                   "\"\\ud82c\\udf\"",
                                   "\"\\ud82c\\u\"",
                                   "\"\\ud8\"",
                                   "\"\\ud82\"",
                                   "\"\\ud\"",
                                   "\"\\ud83c\\udf81\\q\"",
                                   "\"\\",
                                   "\"\\u",
                                   "\"\\u1",
                                   "{\"a\":1 \"b\":2}",
                                   "[1 2]",
                                   "[\"a\"\"b\"]",
                                   "{\"a\"}",
                                   "{\"a\":}",
                                   "[}",
                                   "{]"}) {
        require_same(text);
    }
}

TEST_CASE("reader: texts of every length end, and are escaped, at every place", "[json][unit]") {
    for (std::size_t length = 0; length < 70; ++length) {
        const std::string plain(length, 'x');
        require_same("[\"" + plain + "\"]");
        for (std::size_t at = 0; at < length; ++at) {
            auto text = plain;
            text.replace(at, 1, "\\u20ac");
            require_same("{\"" + text + "\":\"" + text + "\\t" + text + "\"}");
        }
    }
}

TEST_CASE("reader: broken copies of a document are taken or refused as RapidJSON does", "[json][unit]") {
    std::mt19937_64 random(31);
    constexpr std::string_view kPieces[] = {"[",       "]",     "{",        "}",    "\"",
                                            ",",       ":",     "\\",       "0",    "9",
                                            "e",       "E",     "-",        "+",    ".",
                                            " ",       "\n",    "t",        "\x7F", "\x1F",
                                            "\\u00",   "null",  "\xC3\xA9", "\xC3", "\xF0\x9F\x98\x80",
                                            "\\ud83d", "true,", "\"k\":"};
    std::size_t taken = 0;
    for (int i = 0; i < 60'000; ++i) {
        std::string text(kGood);
        for (auto edits = 1 + random() % 3; edits > 0; --edits) {
            const auto at = random() % text.size();
            switch (random() % 4) {
                case 0:
                    text.replace(at, 1, kPieces[random() % std::size(kPieces)]);
                    break;
                case 1:
                    text.erase(at, 1 + random() % 4);
                    break;
                case 2:
                    text.insert(at, kPieces[random() % std::size(kPieces)]);
                    break;
                default:
                    text[at] = static_cast<char>(1 + random() % 255);
            }
        }
        // RapidJSON takes the lower half of a surrogate pair for a character.
        const auto document = Document::parse(text, {.depth_max = 500, .reject_duplicate_keys = false});
        if (!document && document.error().code == "utf8_invalid" && syncline::core::valid_utf8(text)) {
            continue;
        }
        require_same(text);
        taken += document ? 1U : 0U;
    }
    CHECK(taken > 1'000);
}

TEST_CASE("reader: the walk over a document ends far from the end of the stack, whatever the limit", "[json][unit]") {
    const auto code_of = [](std::size_t depth) {
        const auto document =
            Document::parse(std::string(depth, '[') + std::string(depth, ']'), {.depth_max = std::numeric_limits<int>::max()});
        return document ? "parsed" : document.error().code;
    };
    CHECK(code_of(500) == "parsed");
    CHECK(code_of(501) == "json_too_deep");
    CHECK(code_of(200'000) == "json_too_deep");
}

TEST_CASE("reader: large and small texts read by one thread after each other keep their own", "[json][unit]") {
    // Beyond the size for which a thread keeps its parser, and below.
    const std::string large = "[\"" + std::string(300'000, 'x') + "\\n\",12.50]";
    const std::string small = "[\"a\\tb\",820982911946154508]";
    const auto first = Document::parse(small);
    const auto second = Document::parse(large);
    const auto third = Document::parse("{\"a\": 1");
    const auto fourth = Document::parse(small);
    REQUIRE(first.has_value());
    REQUIRE(second.has_value());
    CHECK_FALSE(third.has_value());
    REQUIRE(fourth.has_value());
    for (const auto* document : {&first, &fourth}) {
        const auto elements = (*document)->root().elements();
        auto at = elements.begin();
        CHECK((*at).string().value() == "a\tb");
        CHECK((*++at).number_text().value() == "820982911946154508");
    }
    const auto elements = second->root().elements();
    auto at = elements.begin();
    CHECK((*at).string().value() == std::string(300'000, 'x') + "\n");
    CHECK((*++at).number_text().value() == "12.50");
}

TEST_CASE("reader: white space around and inside does not become part of what is read", "[json][unit]") {
    require_same(" \t[ 1 \r\n, 2.50\t,\ttrue , null , \"a\" , { \"k\" : -0.10 \n} ] \n");
    const auto document = Document::parse(" \r\n 19.990 \t ");
    REQUIRE(document.has_value());
    CHECK(document->root().number_text().value() == "19.990");
}

TEST_CASE("reader: brackets of the text itself never end or begin what the reader adds around it", "[json][unit]") {
    const auto code_of = [](const std::string& text) {
        const auto document = Document::parse(text);
        return document ? "parsed" : document.error().code;
    };
    CHECK(code_of("1],[2") == "json_trailing_text");
    CHECK(code_of("1]") == "json_trailing_text");
    CHECK(code_of("],[") == "json_malformed");
    CHECK(code_of("]") == "json_malformed");
    CHECK(code_of("1,2") == "json_trailing_text");
    CHECK(code_of("1,") == "json_trailing_text");
    CHECK(code_of(",1") == "json_malformed");
    CHECK(code_of("[1") == "json_malformed");
    CHECK(code_of("[[1],[2]") == "json_malformed");
    CHECK(code_of("{\"a\":[1}") == "json_malformed");
    CHECK(code_of("\"\\") == "json_malformed");
}

TEST_CASE("reader: a number is refused if and only if no double holds it", "[json][unit]") {
    const auto taken = [](const std::string& text) {
        return seen_by_us(text) != "refused";
    };
    for (const std::string text : {"1.7976931348623157e308", "-1.7976931348623157e308", "179e306", "0.00017976e312",
                                   "0e999999999", "0.000e400", "1e-400", "123456789e-999999999"}) {
        INFO(text);
        CHECK(taken(text));
    }
    for (const std::string text :
         {"1.7976931348623159e308", "-1.8e308", "1e309", "0.1e310", "10e308", "1e999999999999999999999"}) {
        INFO(text);
        CHECK_FALSE(taken(text));
    }
    CHECK(taken(std::string(308, '9')));
    CHECK(taken("1" + std::string(308, '0')));
    CHECK_FALSE(taken("2" + std::string(308, '0')));
    CHECK_FALSE(taken("1" + std::string(309, '0')));
    CHECK(taken("1" + std::string(400, '0') + "e-100"));
    CHECK(taken("0." + std::string(400, '0') + "1e500"));
}
