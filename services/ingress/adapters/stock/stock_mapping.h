// Bodies of POST /stock/<source> as events of inventory.v1.
//
//   {"reports": [{"location", "sku", "quantity", "observed_at", "unit"?, "epoch"?, "sequence"?, "snapshot_id"?}, …],
//    "adjustments": [{"id", "location", "sku", "delta", "observed_at", "unit"?, "epoch"?}, …]}
//
// or one such object alone: with `delta` it is an adjustment, else a report. This is our own API, so it is strict: a member that
// is not listed is refused (a misspelt `sequence` would else be lost), null counts as absent, names come once. Quantities are
// JSON numbers or texts, kept digit by digit; SKUs, locations and ids are texts. What a quantity means (its basis) is of the
// source's configuration.
//
// The id of an event follows from its content alone: the same record sent again, in whatever batch, is the same event. Two
// records of one body that claim the same identity (position and adjustment id, or position, time, epoch and sequence) with
// different content are refused. Stateless; any thread.
#pragma once

#include <expected>
#include <string>

#include "app/stock_ports.h"

namespace ingress {

class JsonStockMapping final : public StockMapping {
public:
    explicit JsonStockMapping(StockRules rules) : rules_(rules) {}
    [[nodiscard]] std::expected<MappedStock, StockRefusal> map(const KnownSource& source, std::string body,
                                                               syncline::core::SystemTime now) const override;

private:
    const StockRules rules_;
};

}  // namespace ingress
