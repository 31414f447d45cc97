// Two snapshots compared whatever their order.
//
// Whether a text is sorted shows while it is compared: sorted ones cost one pass and no disk. If a side proves not to be, both
// are read again and cut into parts by SKU (partitions.h), and the parts are compared one after the other; what goes to the sink
// then stands together by SKU, but the SKUs come in no order.
#pragma once

#include <functional>
#include <memory>

#include "domain/compare_stock.h"
#include "snapshot/sorter.h"

namespace reconciliation {

// Opens the snapshot from its beginning; called once or twice, the second time on a thread of its own.
using OpenRows = std::function<core::Result<std::unique_ptr<StockRows>>()>;

// `restart` makes the sink forget what it got. Two threads work, the sink is called on the caller's only. `sorter.memory_bytes`
// is what a part may take in memory.
[[nodiscard]] core::Result<CompareTotals> compare_snapshots(const OpenRows& shopify, const OpenRows& other,
                                                            const SorterOptions& sorter, const CompareOptions& options,
                                                            const DifferenceSink& sink, const std::function<void()>& restart);

}  // namespace reconciliation
