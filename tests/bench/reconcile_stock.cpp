// bench_reconcile_stock: two snapshots of stock compared as the reconciliation service does, for the figures beside `sort` and
// `comm`. Prints what was found, the time and the largest resident memory.
#include <fmt/format.h>
#include <sys/resource.h>

#include <CLI/CLI.hpp>
#include <chrono>
#include <memory>
#include <string>

#include "snapshot/compare_snapshots.h"
#include "snapshot/csv_rows.h"

namespace {

using namespace reconciliation;

OpenRows csv(const std::string& path) {
    return [&path]() -> core::Result<std::unique_ptr<StockRows>> {
        auto source = open_file(path);
        if (!source) {
            return std::unexpected(source.error());
        }
        return std::make_unique<CsvRows>(std::move(*source), CsvOptions{});
    };
}

}  // namespace

int main(int argc, char** argv) {
    CLI::App app("Compares two snapshots of stock (CSV: sku, location, quantity).", "bench_reconcile_stock");
    std::string shopify;
    std::string other;
    SorterOptions sorter;
    std::size_t memory_mib = 48;
    app.add_option("shopify", shopify, "Shopify's side")->required()->check(CLI::ExistingFile);
    app.add_option("other", other, "The other side")->required()->check(CLI::ExistingFile);
    app.add_option("--folder", sorter.folder, "Where runs are spilled")->capture_default_str();
    app.add_option("--memory-mib", memory_mib, "Memory for sorting")->capture_default_str();
    CLI11_PARSE(app, argc, argv);
    sorter.memory_bytes = memory_mib << 20U;

    const auto begun = std::chrono::steady_clock::now();
    std::uint64_t differences = 0;
    const auto totals = compare_snapshots(
        csv(shopify), csv(other), sorter, {},
        [&](const Difference&) {
            ++differences;
            return core::Result<void>{};
        },
        [&] { differences = 0; });
    const std::chrono::duration<double> took = std::chrono::steady_clock::now() - begun;
    if (!totals) {
        fmt::print(stderr, "{}: {}\n", totals.error().code, totals.error().message);
        return 1;
    }
    struct rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    fmt::print(R"({{"shopify_rows": {}, "other_rows": {}, "pairs": {}, "differences": {}, "seconds": {:.3f}, "rss_mib": {:.1f}}})"
               "\n",
               totals->shopify_rows, totals->other_rows, totals->pairs, differences, took.count(),
               static_cast<double>(usage.ru_maxrss) / 1024.0);
    return 0;
}
