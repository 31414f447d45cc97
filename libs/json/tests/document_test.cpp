#include "syncline/json/document.h"

#include <catch2/catch_test_macros.hpp>
#include <string>
#include <vector>

using syncline::core::Decimal;
using syncline::json::Document;
using syncline::json::Kind;

namespace {

Document parsed(std::string text) {
    auto document = Document::parse(std::move(text));
    INFO((document ? "" : document.error().message));
    REQUIRE(document.has_value());
    return std::move(*document);
}

constexpr const char* kOrder = R"({
  "id": 820982911946154508, "name": "#1001", "test": false, "note": null, "total_price": "19.990", "rate": 0.2,
  "line_items": [{"sku": "A-1", "quantity": 2, "price": "5.00"}, {"sku": "", "quantity": 1, "price": "9,99"}],
  "shipping_lines": [], "customer": {}
})";

}  // namespace

TEST_CASE("document: a missing, null or mistyped member is an error that names the member and not its value", "[json][unit]") {
    const auto document = parsed(kOrder);
    const auto root = document.root();
    const auto missing = root.string_of("email");
    REQUIRE_FALSE(missing.has_value());
    CHECK(missing.error().code == "member_missing");
    CHECK(missing.error().message == "$: member \"email\" is missing");
    CHECK(root.string_of("note").error().code == "member_missing");
    CHECK(root.string_of("id").error().message == "id: expected a string, found a number");
    CHECK(root.uint64_of("name").error().code == "wrong_type");
    CHECK(root.boolean_of("id").error().code == "wrong_type");
    CHECK(root.int64_of("rate").error().code == "number_malformed");

    std::vector<syncline::json::Value> lines;
    for (const auto line : root.get("line_items")->elements()) {
        lines.push_back(line);
    }
    REQUIRE(lines.size() == 2);
    const auto price = lines[1].decimal_of("price");
    REQUIRE_FALSE(price.has_value());
    CHECK(price.error().code == "number_malformed");
    CHECK(price.error().kind == syncline::core::ErrorKind::malformed);
    CHECK(price.error().message == "line_items[1].price: expected a decimal number");
    CHECK(lines[1].required("quantity")->required("x").error().message ==
          "line_items[1].quantity: expected an object, found a number");
}

TEST_CASE("document: what is there is read with every digit", "[json][unit]") {
    const auto document = parsed(kOrder);
    const auto root = document.root();
    CHECK(root.kind() == Kind::object);
    CHECK(root.size() == 9);
    CHECK(root.uint64_of("id").value() == 820982911946154508ULL);
    CHECK(root.int64_of("id").value() == 820982911946154508LL);
    CHECK(root.string_of("name").value() == "#1001");
    CHECK_FALSE(root.boolean_of("test").value());
    CHECK(root.get("note")->is_null());
    CHECK_FALSE(root.get_present("note").has_value());
    CHECK(root.decimal_of("total_price").value() == Decimal::parse("19.99").value());
    CHECK(root.required("rate")->number_text().value() == "0.2");
    CHECK(root.get("shipping_lines")->elements().empty());
    CHECK(root.get("customer")->members().empty());
    CHECK(root.get("line_items")->get("x") == std::nullopt);
    CHECK(root.path() == "$");

    std::vector<std::string> names;
    for (const auto [name, value] : root.members()) {
        names.emplace_back(name);
        CHECK(value.path() == name);
    }
    CHECK(names == std::vector<std::string>{"id", "name", "test", "note", "total_price", "rate", "line_items", "shipping_lines",
                                            "customer"});
}

TEST_CASE("document: texts are decoded, also with escapes, NULs and pairs of surrogates", "[json][unit]") {
    const auto document = parsed(R"(["a\"\\\/\b\f\n\r\t", "\u0041\u00e9", "\ud83c\udf81", "a\u0000b", "東京", ""])");
    std::vector<std::string> texts;
    for (const auto element : document.root().elements()) {
        texts.emplace_back(element.string().value());
    }
    CHECK(texts == std::vector<std::string>{"a\"\\/\b\f\n\r\t", "Aé", "🎁", std::string("a\0b", 3), "東京", ""});
}

TEST_CASE("document: scalars alone are documents and short ones survive a move", "[json][unit]") {
    auto document = parsed("\"x\"");
    const Document moved = std::move(document);
    CHECK(moved.root().string().value() == "x");
    CHECK(parsed(" 42 ").root().int64().value() == 42);
    CHECK(parsed("-0").root().int64().value() == 0);
    CHECK(parsed("null").root().is_null());
    CHECK(parsed("true").root().boolean().value());
    CHECK(parsed("[]").root().elements().empty());
    CHECK(parsed("1.5E+3").root().decimal().value() == Decimal(1500));
    CHECK_FALSE(parsed("1E3").root().int64().has_value());
}

TEST_CASE("document: whole numbers at the ends of their range are read, beyond it they are errors", "[json][unit]") {
    CHECK(parsed("9007199254740993").root().uint64().value() == 9007199254740993ULL);
    CHECK(parsed("18446744073709551615").root().uint64().value() == UINT64_MAX);
    CHECK(parsed("18446744073709551616").root().uint64().error().code == "number_out_of_range");
    CHECK(parsed("9223372036854775808").root().int64().error().code == "number_out_of_range");
    CHECK(parsed("-9223372036854775808").root().int64().value() == INT64_MIN);
    CHECK(parsed("-1").root().uint64().error().code == "number_malformed");
}

TEST_CASE("document: names that are not plain words do not reach error texts", "[json][unit]") {
    const auto document = parsed(R"({"someone@example.com": {"x": [1, {"y": 2}]}})");
    const auto inner = (*document.root().members().begin()).value;
    CHECK(inner.path() == "?");
    CHECK(inner.required("zip").error().message == "?: member \"zip\" is missing");
}
