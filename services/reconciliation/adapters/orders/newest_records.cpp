#include "adapters/orders/newest_records.h"

#include <syncline/kafka/fetcher.h>
#include <algorithm>
#include <utility>

namespace reconciliation {

PgOrderChecks::NewestRecords newest_records(syncline::kafka::Fetcher& fetcher, std::string topic) {
    return [&fetcher,
            topic = std::move(topic)](const core::Deadline& deadline) -> core::Result<std::map<std::int32_t, std::int64_t>> {
        const auto records = fetcher.tail(topic, 1, deadline);
        if (!records) {
            return std::unexpected(records.error());
        }
        std::map<std::int32_t, std::int64_t> next;
        for (const auto& record : *records) {
            auto& end = next[record.partition];
            end = std::max(end, record.offset + 1);
        }
        return next;
    };
}

}  // namespace reconciliation
