#include "domain/stock.h"

#include <algorithm>
#include <array>
#include <utility>

namespace ingress {

namespace core = syncline::core;

namespace {

constexpr std::int64_t kQuantityEnd = 1'000'000'000'000;
constexpr int kQuantityPlacesMax = 6;
constexpr core::SystemTime kOldestObserved{std::chrono::seconds{946'684'800}};  // 2000-01-01

void append_part(std::string& key, std::string_view part) {
    for (const char c : part) {
        if (c == '/') {
            key += "%2F";
        } else if (c == '%') {
            key += "%25";
        } else {
            key += c;
        }
    }
}

}  // namespace

std::optional<StockBasis> stock_basis_from(std::string_view text) {
    if (text == "physical") {
        return StockBasis::physical;
    }
    if (text == "net_of_own") {
        return StockBasis::net_of_own;
    }
    return text == "net_of_all" ? std::optional(StockBasis::net_of_all) : std::nullopt;
}

std::optional<StockProof> stock_proof_from(std::string_view text) {
    if (text == "api_key") {
        return StockProof::api_key;
    }
    return text == "hmac" ? std::optional(StockProof::hmac) : std::nullopt;
}

std::optional<std::string_view> fault_of_text(std::string_view text, std::size_t bytes_max) {
    constexpr std::string_view kNoBreakSpace = "\xC2\xA0";
    constexpr unsigned char kDelete = 0x7F;
    if (text.empty()) {
        return "text_empty";
    }
    if (text.size() > bytes_max) {
        return "text_too_long";
    }
    if (std::ranges::any_of(text, [](unsigned char c) { return c < ' ' || c == kDelete; })) {
        return "text_unprintable";
    }
    const auto padded =
        text.front() == ' ' || text.back() == ' ' || text.starts_with(kNoBreakSpace) || text.ends_with(kNoBreakSpace);
    return padded ? std::optional<std::string_view>("text_padded") : std::nullopt;
}

std::optional<std::string_view> fault_of_quantity(const core::Decimal& quantity) {
    const bool fits = quantity.places() <= kQuantityPlacesMax && quantity.abs() < core::Decimal(kQuantityEnd);
    return fits ? std::nullopt : std::optional<std::string_view>("quantity_out_of_range");
}

std::optional<std::string_view> fault_of_observed(core::SystemTime observed, core::SystemTime now,
                                                  std::chrono::milliseconds skew_max) {
    if (observed < kOldestObserved) {
        return "observed_implausible";
    }
    return observed > now + skew_max ? std::optional<std::string_view>("observed_in_future") : std::nullopt;
}

std::string_view explain_stock_fault(std::string_view code) {
    static constexpr auto kTexts = std::to_array<std::pair<std::string_view, std::string_view>>({
        {"text_empty", "must not be empty"},
        {"text_too_long", "is too long"},
        {"text_unprintable", "holds control characters"},
        {"text_padded", "begins or ends with a space"},
        {"quantity_out_of_range", "is 10^12 or more, or has more than six digits after the point"},
        {"observed_implausible", "lies before the year 2000"},
        {"observed_in_future", "lies in the future by more than clocks may differ"},
    });
    const auto* const found = std::ranges::find(kTexts, code, [](const auto& text) { return text.first; });
    return found == kTexts.end() ? "is not allowed" : found->second;
}

std::string stock_key(std::string_view source, std::string_view location, std::string_view sku) {
    std::string key;
    key.reserve(source.size() + location.size() + sku.size() + 2);
    append_part(key, source);
    key += '/';
    append_part(key, location);
    key += '/';
    append_part(key, sku);
    return key;
}

}  // namespace ingress
