// Sorts a snapshot of any size in constant memory: runs are sorted in memory, spilled to nameless files of a folder and merged.
//
//   Sorter sorter({.folder = config.spill_folder});
//   while (…) { if (auto added = sorter.add(row); !added) { return …; } }
//   auto rows = sorter.finish();              // sorted; the files go with it
//
// Owned by one comparison. One thread calls; a second one, the sorter's own, sorts and writes a full run while the next one is
// filled. Memory: memory_bytes, and 64 KiB for each run while they are merged (at most kRunsMax). Disk: about half of the text.
// Errors: kind transient, code "spill_failed".
#pragma once

#include <cstddef>
#include <cstdint>
#include <future>
#include <memory>
#include <string>
#include <vector>

#include "domain/stock_rows.h"
#include "snapshot/row_block.h"
#include "snapshot/run_file.h"

namespace reconciliation {

struct SorterOptions {
    std::string folder = "/tmp";
    std::size_t memory_bytes = 48UL * 1024 * 1024;
};

class Sorter {
public:
    static constexpr std::size_t kRunsMax = 64;

    explicit Sorter(SorterOptions options);
    ~Sorter();
    Sorter(const Sorter&) = delete;
    Sorter& operator=(const Sorter&) = delete;

    // Refuses (kind malformed, code "snapshot_row") a SKU that is empty, and texts that are too long or hold a NUL.
    [[nodiscard]] core::Result<void> add(const StockRow& row);
    // Once, at the end. Frees what the sorter held in memory.
    [[nodiscard]] core::Result<std::unique_ptr<StockRows>> finish();
    [[nodiscard]] std::uint64_t rows() const { return rows_; }

private:
    // Waits for the run being written, then writes `filling_`.
    [[nodiscard]] core::Result<void> spill();
    [[nodiscard]] core::Result<void> settle();
    // Too many runs become one.
    [[nodiscard]] core::Result<void> merge_runs();

    SorterOptions options_;
    std::unique_ptr<RowBlock> filling_;
    std::unique_ptr<RowBlock> writing_;
    std::future<core::Result<SpillFile>> written_;
    std::vector<SpillFile> runs_;
    std::uint64_t rows_ = 0;
};

}  // namespace reconciliation
