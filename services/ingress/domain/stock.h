// Stock as a push source may state it: the rules for its texts, quantities and times, and what is said of what breaks them.
//
// Pure values and functions; any thread.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/decimal.h>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace ingress {

// What a source's quantities mean; of its configuration, never of a body.
enum class StockBasis : std::uint8_t { physical, net_of_own, net_of_all };
[[nodiscard]] std::optional<StockBasis> stock_basis_from(std::string_view text);  // "physical", "net_of_own", "net_of_all"

// How a source proves who it is.
enum class StockProof : std::uint8_t {
    api_key,  // Authorization: Bearer <key>
    hmac,     // X-Syncline-Hmac-Sha256: base64(HMAC-SHA256(secret, raw body))
};
[[nodiscard]] std::optional<StockProof> stock_proof_from(std::string_view text);  // "api_key", "hmac"

// One thing that is wrong with a body. `what` is for a person and holds no value of the body.
struct StockFault {
    std::string at;    // "reports[3].quantity", "$" for the whole.
    std::string code;  // Of a bounded set: a metric label.
    std::string what;
};

// Why a body as a whole is refused: nothing of it was published.
struct StockRefusal {
    enum class Kind : std::uint8_t {
        unreadable,  // No JSON.
        too_large,   // More records than allowed.
        wrong,       // At least one record breaks a rule.
    };
    Kind kind = Kind::wrong;
    std::vector<StockFault> faults;  // The first ones, in the order of the body; at least one.
    bool more = false;               // The search ended at the limit: there may be further ones.
};

// Most faults that one refusal names.
inline constexpr std::size_t kStockFaultsMax = 20;

// The largest texts, in bytes of UTF-8.
inline constexpr std::size_t kLocationBytesMax = 128;
inline constexpr std::size_t kSkuBytesMax = 255;  // Shopify's own limit.
inline constexpr std::size_t kUnitBytesMax = 32;
inline constexpr std::size_t kStockIdBytesMax = 128;  // Of adjustments, epochs and snapshots.

// What is wrong with a text that names something, or nothing: "text_empty", "text_too_long", "text_unprintable" (control
// characters), "text_padded" (spaces around it: " A1" and "A1" would be two SKUs of one article).
[[nodiscard]] std::optional<std::string_view> fault_of_text(std::string_view text, std::size_t bytes_max);
// "quantity_out_of_range": 10^12 or more, or more than six digits after the point.
[[nodiscard]] std::optional<std::string_view> fault_of_quantity(const syncline::core::Decimal& quantity);
// "observed_in_future": later than `now` by more than clocks may differ. Such a level would hide every change until then.
// "observed_implausible": before the year 2000, as a clock that was never set says.
[[nodiscard]] std::optional<std::string_view> fault_of_observed(syncline::core::SystemTime observed,
                                                                syncline::core::SystemTime now,
                                                                std::chrono::milliseconds skew_max);
// For a person: what a code of these means.
[[nodiscard]] std::string_view explain_stock_fault(std::string_view code);

// "<source>/<location>/<sku>"; '/' and '%' inside a part are written %2F and %25, so that no two positions share a key.
[[nodiscard]] std::string stock_key(std::string_view source, std::string_view location, std::string_view sku);

}  // namespace ingress
