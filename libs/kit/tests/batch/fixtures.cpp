#include "tests/batch/fixtures.h"

#include <syncline/core/parse.h>
#include <algorithm>
#include <cstdlib>
#include <map>
#include <sstream>
#include <utility>

namespace syncline::kit::testing {

using inventory::v1::StockReported;

StockReported report(std::int64_t n, std::int64_t quantity) {
    StockReported event;
    event.mutable_position()->set_source("wms");
    event.mutable_position()->set_location("north");
    event.mutable_position()->set_sku("sku-" + std::to_string(n));
    event.mutable_quantity()->set_value(std::to_string(quantity));
    return event;
}

std::string stock_key(std::int64_t n) {
    return "wms/north/sku-" + std::to_string(n);
}

double metric_of(telemetry::Metrics& metrics, const std::string& name, const std::vector<std::string>& labels) {
    std::istringstream text(metrics.to_text());
    double sum = 0;
    for (std::string line; std::getline(text, line);) {
        if (line.starts_with(name + '{') &&
            std::ranges::all_of(labels, [&](const auto& label) { return line.find(label) != std::string::npos; })) {
            sum += std::strtod(line.c_str() + line.rfind(' ') + 1, nullptr);
        }
    }
    return sum;
}

std::int64_t quantity_of(const BatchRecord& record) {
    StockReported event;
    return event.ParseFromString(std::string(record.value)) ? core::parse_int<std::int64_t>(event.quantity().value()).value_or(-1)
                                                            : -1;
}

core::Result<void> write_stock(std::span<const BatchRecord> records, postgres::Transaction& tx) {
    std::map<std::string, std::pair<std::int64_t, std::int64_t>> last;  // SKU → quantity, times.
    for (const auto& record : records) {
        StockReported event;
        if (event.ParseFromString(std::string(record.value))) {
            auto& level = last[event.position().sku()];
            level = {core::parse_int<std::int64_t>(event.quantity().value()).value_or(-1), level.second + 1};
        }
    }
    std::vector<std::string> skus;
    std::vector<std::int64_t> quantities;
    std::vector<std::int64_t> times;
    for (const auto& [sku, level] : last) {
        skus.push_back(sku);
        quantities.push_back(level.first);
        times.push_back(level.second);
    }
    auto rows = tx.exec(
        "INSERT INTO stock (sku, quantity, applied) SELECT * FROM unnest($1::text[], $2::bigint[], $3::bigint[]) "
        "ON CONFLICT (sku) DO UPDATE SET quantity = excluded.quantity, applied = stock.applied + excluded.applied",
        postgres::Params{}
            .add_array(std::span<const std::string>(skus))
            .add_array(std::span<const std::int64_t>(quantities))
            .add_array(std::span<const std::int64_t>(times)));
    if (!rows) {
        return std::unexpected(std::move(rows.error()));
    }
    return {};
}

BatchHandler on_stock(OnReports before, std::size_t records_max) {
    return {.topic = kInventory,
            .consumer_group = kStockGroup,
            .types = {StockReported::descriptor()->full_name()},
            .records_max = records_max,
            .apply = [before = std::move(before)](std::span<const BatchRecord> records,
                                                  postgres::Transaction& tx) -> core::Result<BatchOutcome> {
                core::Result<BatchOutcome> outcome{BatchOutcome{}};
                if (before) {
                    outcome = before(records);
                }
                if (!outcome) {
                    return outcome;
                }
                std::vector<BatchRecord> good;
                for (std::size_t i = 0; i < records.size(); ++i) {
                    if (std::ranges::none_of(outcome->bad, [&](const auto& bad) { return bad.index == i; })) {
                        good.push_back(records[i]);
                    }
                }
                if (const auto written = write_stock(good, tx); !written) {
                    return std::unexpected(written.error());
                }
                return outcome;
            }};
}

}  // namespace syncline::kit::testing
