// What receiving stock needs from the world besides the broker (ports.h).
#pragma once

#include <syncline/core/clock.h>
#include <chrono>
#include <expected>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "domain/event.h"
#include "domain/stock.h"

namespace ingress {

// A push source of the configuration, as one request sees it.
struct KnownSource {
    std::string name;   // [a-z0-9-]: part of every key.
    std::string label;  // The name, or "other" beyond the hundredth source: for metrics.
    StockBasis basis = StockBasis::physical;
    StockProof proof = StockProof::api_key;
};

// Which sources may push and what they prove themselves with. Any thread; never blocks longer than reading a small local file.
class StockSources {
public:
    virtual ~StockSources() = default;
    // nullptr: unknown or disabled.
    [[nodiscard]] virtual std::shared_ptr<const KnownSource> by_name(std::string_view name) const = 0;
    // Every secret that is good now: several while one is rotated.
    [[nodiscard]] virtual std::vector<std::string> secrets(const KnownSource& source) const = 0;
    // Looks at the secret files at once; true if any has changed.
    [[nodiscard]] virtual bool refresh_secrets(const KnownSource& source) const = 0;
};

struct StockRules {
    std::size_t records_max = 1'000;  // Of one body.
    std::chrono::milliseconds clock_skew_max{150'000};
};

// The events of one body, in its order: at least one.
struct MappedStock {
    std::vector<MappedEvent> events;
    std::size_t reports = 0;  // As the body has them; one that is repeated word for word is one event.
    std::size_t adjustments = 0;
};

// From a body to events: all of it or nothing. Pure; any thread.
class StockMapping {
public:
    virtual ~StockMapping() = default;
    [[nodiscard]] virtual std::expected<MappedStock, StockRefusal> map(const KnownSource& source, std::string body,
                                                                       syncline::core::SystemTime now) const = 0;
};

}  // namespace ingress
