#include "adapters/stock_sides.h"

#include <syncline/core/time.h>
#include <syncline/shopify/admin.h>
#include <algorithm>
#include <filesystem>
#include <utility>

#include "snapshot/byte_source.h"
#include "snapshot/csv_rows.h"
#include "snapshot/row_filters.h"
#include "snapshot/sorter.h"

namespace reconciliation {
namespace {

namespace fs = std::filesystem;
namespace json = syncline::json;
using core::ErrorKind;

constexpr std::chrono::seconds kPage{20};
constexpr int kPageRows = 2'000;
constexpr std::uint64_t kLookEvery = 4'096;

core::Error stopped() {
    return {.kind = ErrorKind::transient, .code = "run_stopped", .message = "the service stops, or another instance goes on"};
}

core::Error unreadable(std::string_view what) {
    return {.kind = ErrorKind::malformed,
            .code = "own_state_malformed",
            .message = "inventory-sync's state cannot be read: " + std::string(what)};
}

// One element of /admin/stock/state; its texts live as long as the document.
core::Result<StockRow> row_of(const json::Value& item, std::int64_t now_ns, std::string& location) {
    const auto sku = item.string_of("sku");
    const auto item_id = item.int64_of("inventory_item_id");
    const auto location_id = item.int64_of("location_id");
    const auto target = item.decimal_of("target");
    if (!sku || !item_id || !location_id || !target) {
        return std::unexpected(unreadable("a pair lacks its SKU, item, location or target"));
    }
    location = std::to_string(*location_id);
    StockRow row{.sku = *sku, .location = location, .quantity = *target, .observed_at_ns = 0, .item_id = *item_id};
    if (const auto youngest = item.get_present("youngest_input_at")) {
        const auto text = youngest->string();
        const auto at = text ? core::parse_rfc3339(*text) : core::Result<core::SystemTime>(std::unexpect);
        if (!at) {
            return std::unexpected(unreadable("a time is no time"));
        }
        row.observed_at_ns = core::nanos_since_epoch(*at);
    }
    // What is still on its way to Shopify is as young as can be.
    if (const auto in_flight = item.get_present("in_flight"); in_flight && in_flight->boolean().value_or(false)) {
        row.observed_at_ns = now_ns;
    }
    return row;
}

}  // namespace

LiveStockSides::LiveStockSides(syncline::shopify::Admins& admins, const InventorySync& inventory_sync, core::Clock& clock,
                               Rules rules, ShopifySnapshotOptions options)
    : admins_(admins), inventory_sync_(inventory_sync), clock_(clock), rules_(std::move(rules)), options_(std::move(options)) {}

bool LiveStockSides::serves(const std::string& shop) const {
    const auto rules = rules_();
    return rules && rules->shops.contains(shop);
}

core::Result<std::unique_ptr<ShopSnapshot>> LiveStockSides::shopify(
    const StockRun& run, const std::function<core::Result<void>(const std::string&)>& begun, const StillOurs& ours) {
    const auto rules = rules_();
    const auto admin = admins_.of(run.shop);
    if (!admin) {
        return std::unexpected(admin.error());
    }
    return read_shopify(**admin, *rules, run, options_, begun, ours);
}

std::vector<std::string> LiveStockSides::others(const std::string& shop) const {
    const auto rules = rules_();
    std::vector<std::string> sides;
    if (inventory_sync_.configured()) {
        sides.emplace_back(kOwnSide);
    }
    const auto served = rules->shops.find(shop);
    for (const auto& [name, source] : rules->sources) {
        if (source.files && served != rules->shops.end() && !served->second.fed_only_by(name).empty()) {
            sides.push_back(name);
        }
    }
    return sides;
}

core::Result<OtherSnapshot> LiveStockSides::other(const StockRun& run, const std::string& side, ShopSnapshot& shopify,
                                                  const StillOurs& ours) {
    return side == kOwnSide ? own_state(run, shopify, ours) : source_file(run, side, rules_(), ours);
}

core::Result<OtherSnapshot> LiveStockSides::own_state(const StockRun& run, ShopSnapshot& shopify, const StillOurs& ours) const {
    Sorter sorter(options_.sorter);
    std::string location;
    std::string after;
    OtherSnapshot other{.rows = {}, .count = 0, .locations = {}, .same_key = SameKey::several_items, .policy_of = {}};
    for (;;) {
        if (!ours()) {
            return std::unexpected(stopped());
        }
        auto path = "/admin/stock/state/" + run.shop + "?limit=" + std::to_string(kPageRows);
        path += run.location.empty() ? "" : "&location=" + run.location;
        path += after.empty() ? "" : "&after=" + after;
        const auto page = inventory_sync_.get(path, core::Deadline(clock_, kPage));
        if (!page) {
            return std::unexpected(page.error());
        }
        const auto now_ns = core::nanos_since_epoch(clock_.now());
        const auto items = page->root().get_present("items");
        if (!items || !items->is_array()) {
            return std::unexpected(unreadable("a page without items"));
        }
        for (const auto item : items->elements()) {
            const auto row = row_of(item, now_ns, location);
            if (!row) {
                return std::unexpected(row.error());
            }
            if (auto added = sorter.add(*row); !added) {
                return std::unexpected(added.error());
            }
            ++other.count;
        }
        const auto next = page->root().get_present("next");
        if (!next) {
            break;
        }
        const auto cursor = next->string();
        if (!cursor || cursor->empty() || *cursor == after) {
            return std::unexpected(unreadable("a page that leads nowhere"));
        }
        after = *cursor;
    }
    auto sorted = sorter.finish();
    if (!sorted) {
        return std::unexpected(sorted.error());
    }
    other.rows = std::move(*sorted);
    if (run.kind == RunKind::changed) {
        auto keys = shopify.open({});
        if (!keys) {
            return std::unexpected(keys.error());
        }
        other.rows = std::make_unique<RowsOfKeys>(std::move(other.rows), std::move(*keys));
    }
    return other;
}

core::Result<OtherSnapshot> LiveStockSides::source_file(const StockRun& run, const std::string& source,
                                                        std::shared_ptr<const StockRules> rules, const StillOurs& ours) const {
    const auto& files = *rules->sources.at(source).files;
    if (files.decimal_comma || !files.unit.empty()) {
        return core::fail(ErrorKind::rejected, "source_format",
                          "files of " + source + " have decimal commas or units, which a comparison does not read",
                          "its levels are compared by way of inventory-sync's state");
    }
    const auto file = newest_file(files);
    if (!file) {
        return std::unexpected(file.error());
    }
    std::error_code failed;
    const auto modified = fs::last_write_time(*file, failed);
    auto bytes = open_file(*file);
    if (failed || !bytes) {
        return core::fail(ErrorKind::transient, "folder_unreadable", "the newest snapshot of " + source + " cannot be opened");
    }
    const auto observed = std::chrono::time_point_cast<std::chrono::nanoseconds>(std::chrono::file_clock::to_sys(modified));
    OtherSnapshot other{.rows = {}, .count = 0, .locations = {}, .same_key = SameKey::parts, .policy_of = {}};
    const auto& shop = rules->shops.at(run.shop);
    // Where a place of this source leads to, and which part of that location it is.
    std::multimap<std::string, std::pair<std::string, std::int64_t>, std::less<>> leads_to;
    for (const auto& location : shop.fed_only_by(source)) {
        if (!run.location.empty() && run.location != location) {
            continue;
        }
        other.locations.push_back(location);
        std::int64_t part = 0;
        for (const auto& from : shop.locations.at(location)) {
            leads_to.emplace(from.place, std::pair(location, ++part));
        }
    }
    // A column name that no header has: these two are Syncline's own, a source's file does not mean them.
    const std::string none("\n");
    CsvRows rows(std::move(*bytes), {.delimiter = files.delimiter,
                                     .columns = {.sku = files.sku,
                                                 .location = files.location.empty() ? none : files.location,
                                                 .quantity = files.quantity,
                                                 .observed_at = none,
                                                 .item_id = none},
                                     .fixed_location = files.fixed_location,
                                     .observed_at_ns = core::nanos_since_epoch(observed),
                                     .trailer = false});
    Sorter sorter(options_.sorter);
    for (;;) {
        const auto row = rows.next();
        if (!row) {
            return std::unexpected(row.error());
        }
        if (*row == nullptr) {
            break;
        }
        if (++other.count % kLookEvery == 0 && !ours()) {
            return std::unexpected(stopped());
        }
        const auto [from, to] = leads_to.equal_range((*row)->location);
        for (auto at = from; at != to; ++at) {
            auto mapped = **row;
            mapped.location = at->second.first;
            mapped.item_id = at->second.second;
            if (auto added = sorter.add(mapped); !added) {
                return std::unexpected(added.error());
            }
        }
    }
    auto sorted = sorter.finish();
    if (!sorted) {
        return std::unexpected(sorted.error());
    }
    other.rows = std::move(*sorted);
    other.policy_of = [rules, &shop](std::string_view sku, std::string_view location) {
        return shop.policy_of(sku, location);
    };
    return other;
}

core::Result<std::string> newest_file(const SourceFiles& files) {
    std::optional<std::pair<fs::file_time_type, std::string>> newest;
    std::error_code failed;
    const auto look = [&](const fs::path& folder, bool complete) {
        for (auto at = fs::directory_iterator(folder, failed); !failed && at != fs::directory_iterator(); at.increment(failed)) {
            const auto& path = at->path();
            std::error_code gone;
            if (path.extension() != ".csv" || (!complete && !fs::exists(path.string() + ".done", gone))) {
                continue;
            }
            const auto modified = fs::last_write_time(path, gone);
            if (!gone && (!newest || newest->first < modified)) {
                newest = {modified, path.string()};
            }
        }
    };
    look(files.folder, files.by_rename);
    if (failed) {
        return core::fail(ErrorKind::transient, "folder_unreadable", "the folder of snapshots cannot be read");
    }
    // inventory-sync makes it with the first file it has taken.
    look(fs::path(files.folder) / "done", true);
    if (!newest) {
        return core::fail(ErrorKind::not_ready, "no_snapshot", "there is no complete snapshot yet");
    }
    return newest->second;
}

}  // namespace reconciliation
