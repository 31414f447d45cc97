// Any bytes are either a clear error or a document whose every place can be read, written and read again to the same text.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "syncline/core/assert.h"
#include "syncline/json/document.h"
#include "syncline/json/writer.h"

namespace {

using syncline::json::Document;
using syncline::json::Value;

// NOLINTNEXTLINE(misc-no-recursion): as deep as the limit.
void visit(const Value& value) {
    static_cast<void>(value.int64());
    static_cast<void>(value.uint64());
    static_cast<void>(value.string());
    if (const auto number = value.decimal()) {
        SYNCLINE_ASSERT(syncline::core::Decimal::parse(number->to_string()) == *number);
    }
    for (const auto element : value.elements()) {
        visit(element);
    }
    for (const auto member : value.members()) {
        SYNCLINE_ASSERT(value.get(member.name).has_value());
        visit(member.value);
    }
}

std::string written(const Document& document) {
    syncline::json::Writer out;
    out.value(document.root());
    return std::move(out).take();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const auto document = Document::parse(std::string(reinterpret_cast<const char*>(data), size), {.depth_max = 32});
    if (!document) {
        SYNCLINE_ASSERT(!document.error().code.empty());
        return 0;
    }
    visit(document->root());
    const auto text = written(*document);
    const auto again = Document::parse(text, {.depth_max = 32});
    SYNCLINE_ASSERT(again.has_value());
    SYNCLINE_ASSERT(written(*again) == text);
    return 0;
}
