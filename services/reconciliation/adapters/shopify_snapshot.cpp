#include "adapters/shopify_snapshot.h"

#include <syncline/core/time.h>
#include <syncline/shopify/bulk.h>
#include <array>
#include <utility>

#include "snapshot/bulk_lines.h"
#include "snapshot/packed_row.h"
#include "snapshot/row_filters.h"
#include "snapshot/run_file.h"

namespace reconciliation {
namespace {

using core::ErrorKind;
using syncline::shopify::BulkQuery;

constexpr std::chrono::seconds kSlice{5};
constexpr std::chrono::seconds kStart{30};
constexpr std::uint64_t kLookEvery = 1'024;

class SortedSnapshot final : public ShopSnapshot {
public:
    SortedSnapshot(SpillFile file, std::uint64_t levels, core::SystemTime begun_at)
        : file_(std::move(file)), levels_(levels), begun_at_(begun_at) {}
    core::Result<std::unique_ptr<StockRows>> open(const std::vector<std::string>& locations) override {
        auto file = file_.again();
        if (!file) {
            return std::unexpected(file.error());
        }
        auto rows = RunReader::open(std::move(*file));
        if (!rows) {
            return std::unexpected(rows.error());
        }
        if (locations.empty()) {
            return std::move(*rows);
        }
        return std::make_unique<RowsOfLocations>(std::move(*rows),
                                                 std::set<std::string, std::less<>>(locations.begin(), locations.end()));
    }
    [[nodiscard]] std::uint64_t levels() const override { return levels_; }
    [[nodiscard]] core::SystemTime begun_at() const override { return begun_at_; }

private:
    SpillFile file_;
    std::uint64_t levels_;
    core::SystemTime begun_at_;
};

core::Error stopped() {
    return {.kind = ErrorKind::transient, .code = "run_stopped", .message = "the service stops, or another instance goes on"};
}

core::Result<SpillFile> written(StockRows& rows, const std::string& folder) {
    auto file = SpillFile::nameless(folder);
    if (!file) {
        return file;
    }
    RunWriter out(*file);
    std::string key;
    std::array<char, kPayloadBytesMax> payload{};
    for (;;) {
        const auto row = rows.next();
        if (!row) {
            return std::unexpected(row.error());
        }
        if (*row == nullptr) {
            break;
        }
        key.assign((*row)->sku);
        key.push_back('\0');
        key.append((*row)->location);
        const auto size = pack_payload(**row, payload.data());
        if (auto added = out.add(key, {payload.data(), size}); !added) {
            return std::unexpected(added.error());
        }
    }
    if (auto finished = out.finish(); !finished) {
        return std::unexpected(finished.error());
    }
    return file;
}

}  // namespace

core::Result<std::unique_ptr<ShopSnapshot>> read_shopify(syncline::shopify::Admin& admin, const StockRules& rules,
                                                         const StockRun& run, const ShopifySnapshotOptions& options,
                                                         const std::function<core::Result<void>(const std::string&)>& begun,
                                                         const StillOurs& ours) {
    auto& clock = admin.clock();
    auto begun_at = run.bulk_at.value_or(clock.now());
    std::optional<BulkQuery> bulk;
    if (!run.bulk_id.empty()) {
        bulk.emplace(admin, run.bulk_id, syncline::shopify::BulkOptions{});
    } else {
        begun_at = clock.now();
        const auto query =
            run.changed_since ? changed_stock_query(core::format_rfc3339_utc(*run.changed_since)) : std::string(kStockQuery);
        auto started = BulkQuery::start(admin, query, {}, core::Deadline(clock, kStart));
        if (!started) {
            return std::unexpected(started.error());
        }
        bulk.emplace(std::move(*started));
        if (auto kept = begun(bulk->id()); !kept) {
            return std::unexpected(kept.error());
        }
    }
    const core::Deadline deadline(clock, options.bulk_timeout);
    for (;;) {
        const auto done = bulk->wait(core::Deadline(clock, kSlice));
        if (done) {
            break;
        }
        if (!ours()) {
            // It costs nothing to leave it: whoever goes on with the run finds it by its id.
            return std::unexpected(stopped());
        }
        if (done.error().code != "bulk_running" || deadline.passed()) {
            return std::unexpected(done.error());
        }
    }
    Sorter sorter(options.sorter);
    BulkLines lines(
        [&](std::string_view location) {
            return run.location.empty() || run.location == location ? rules.quantity_of(run.shop, location) : std::string_view();
        },
        [&](const StockRow& row) { return sorter.add(row); });
    std::uint64_t seen = 0;
    const auto totals = bulk->stream(
        [&](std::string_view line) -> core::Result<void> {
            if (++seen % kLookEvery == 0 && !ours()) {
                return std::unexpected(stopped());
            }
            return lines.line(line);
        },
        deadline);
    if (!totals) {
        return std::unexpected(totals.error());
    }
    if (auto whole = lines.finish(totals->objects); !whole) {
        return std::unexpected(whole.error());
    }
    auto sorted = sorter.finish();
    if (!sorted) {
        return std::unexpected(sorted.error());
    }
    auto file = written(**sorted, options.sorter.folder);
    if (!file) {
        return std::unexpected(file.error());
    }
    return std::make_unique<SortedSnapshot>(std::move(*file), lines.levels(), begun_at);
}

}  // namespace reconciliation
