// Whatever a push source sends, it becomes events of its own positions, or a refusal that names what is wrong.
#include <syncline/core/assert.h>
#include <cstddef>
#include <cstdint>
#include <string>

#include "adapters/stock/stock_mapping.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const ingress::KnownSource source{.name = "wms-north", .label = "wms-north"};
    const ingress::JsonStockMapping mapping({.records_max = 50});
    const syncline::core::SystemTime now{std::chrono::seconds{1'795'168'801}};
    const std::string body(reinterpret_cast<const char*>(data), size);
    const auto stock = mapping.map(source, body, now);
    if (stock) {
        SYNCLINE_ASSERT(!stock->events.empty() && stock->events.size() <= stock->reports + stock->adjustments);
        for (const auto& event : stock->events) {
            SYNCLINE_ASSERT(event.key.starts_with("wms-north/") && event.id.size() == 36 && !event.value.empty());
        }
        const auto again = mapping.map(source, body, now);
        SYNCLINE_ASSERT(again && again->events.front().id == stock->events.front().id);
        return 0;
    }
    const auto& faults = stock.error().faults;
    SYNCLINE_ASSERT(!faults.empty() && faults.size() <= ingress::kStockFaultsMax);
    for (const auto& fault : faults) {
        SYNCLINE_ASSERT(!fault.at.empty() && !fault.code.empty() && !fault.what.empty());
    }
    return 0;
}
