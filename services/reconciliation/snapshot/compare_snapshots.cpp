#include "snapshot/compare_snapshots.h"

#include <future>
#include <utility>

#include "snapshot/partitions.h"

namespace reconciliation {
namespace {

core::Result<Partitions> partitioned(const OpenRows& open, const std::string& folder) {
    auto rows = open();
    if (!rows) {
        return std::unexpected(rows.error());
    }
    return Partitions::of(**rows, folder);
}

// The same part of both sides, sorted in memory.
struct LoadedPart {
    RowBlock shopify;
    RowBlock other;
};

core::Result<void> load(const Partitions& shopify, const Partitions& other, std::size_t part, LoadedPart& to) {
    if (auto loaded = shopify.load(part, to.shopify); !loaded) {
        return loaded;
    }
    return other.load(part, to.other);
}

core::Result<std::unique_ptr<StockRows>> sorted_part(const Partitions& side, std::size_t part, SorterOptions options) {
    options.memory_bytes /= 2;
    Sorter sorter(options);
    if (auto added = side.each_row(part, [&](const StockRow& row) { return sorter.add(row); }); !added) {
        return std::unexpected(added.error());
    }
    return sorter.finish();
}

void add(CompareTotals& sum, const CompareTotals& part) {
    sum.shopify_rows += part.shopify_rows;
    sum.other_rows += part.other_rows;
    sum.pairs += part.pairs;
    sum.repeated += part.repeated;
    for (std::size_t at = 0; at < kDivergenceClasses; ++at) {
        sum.by_class[at] += part.by_class[at];
    }
}

core::Result<CompareTotals> compare_parts(const Partitions& shopify, const Partitions& other, const SorterOptions& sorter,
                                          const CompareOptions& options, const DifferenceSink& sink) {
    // Two parts are in memory, one being compared and the next one being loaded; entries take about as much as their rows.
    constexpr std::uint64_t kShares = 4;
    const auto fits = [&](std::size_t part) {
        return shopify.bytes(part) + other.bytes(part) <= sorter.memory_bytes / kShares;
    };
    CompareTotals totals;
    LoadedPart present;
    LoadedPart coming;
    std::future<core::Result<void>> loading;
    const auto begin_loading = [&](std::size_t part) {
        if (part < Partitions::kParts && fits(part)) {
            loading =
                std::async(std::launch::async, [&shopify, &other, part, &coming] { return load(shopify, other, part, coming); });
        }
    };
    begin_loading(0);
    for (std::size_t part = 0; part < Partitions::kParts; ++part) {
        core::Result<CompareTotals> compared = CompareTotals{};
        if (fits(part)) {
            if (auto loaded = loading.get(); !loaded) {
                return std::unexpected(loaded.error());
            }
            std::swap(present, coming);
            begin_loading(part + 1);
            BlockRows left(present.shopify);
            BlockRows right(present.other);
            compared = compare_stock(left, right, options, sink);
        } else {
            auto left = sorted_part(shopify, part, sorter);
            if (!left) {
                return std::unexpected(left.error());
            }
            auto right = sorted_part(other, part, sorter);
            if (!right) {
                return std::unexpected(right.error());
            }
            begin_loading(part + 1);
            compared = compare_stock(**left, **right, options, sink);
        }
        if (!compared) {
            return compared;
        }
        add(totals, *compared);
    }
    return totals;
}

}  // namespace

core::Result<CompareTotals> compare_snapshots(const OpenRows& shopify, const OpenRows& other, const SorterOptions& sorter,
                                              const CompareOptions& options, const DifferenceSink& sink,
                                              const std::function<void()>& restart) {
    {
        auto left = shopify();
        if (!left) {
            return std::unexpected(left.error());
        }
        auto right = other();
        if (!right) {
            return std::unexpected(right.error());
        }
        auto totals = compare_stock(**left, **right, options, sink);
        if (totals || (totals.error().code != kShopifyNotSorted && totals.error().code != kOtherNotSorted)) {
            return totals;
        }
    }
    restart();
    auto cutting = std::async(std::launch::async, [&] { return partitioned(shopify, sorter.folder); });
    const auto right = partitioned(other, sorter.folder);
    const auto left = cutting.get();
    if (!left) {
        return std::unexpected(left.error());
    }
    if (!right) {
        return std::unexpected(right.error());
    }
    return compare_parts(*left, *right, sorter, options, sink);
}

}  // namespace reconciliation
