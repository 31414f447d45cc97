// A snapshot cut into parts by its SKUs, so that two snapshots in no order are compared part by part.
//
// All rows of a SKU are in the same part of both sides, and a part fits into memory, where it is sorted. That is a good deal
// cheaper than sorting the whole, and nothing that a comparison says needs more order than within a SKU. A part that is too large
// all the same (one SKU at very many places) goes through the Sorter. Parts lie in one nameless file of a folder.
//
// One thread at a time. Memory: kParts × kPartBufferBytes while it is filled. Errors: kind transient, code "spill_failed"; kind
// malformed, code "snapshot_row", as the Sorter's.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "domain/stock_rows.h"
#include "snapshot/row_block.h"
#include "snapshot/run_file.h"

namespace reconciliation {

class Partitions {
public:
    static constexpr std::size_t kParts = 128;
    static constexpr std::size_t kPartBufferBytes = 32UL * 1024;

    // Takes all rows.
    [[nodiscard]] static core::Result<Partitions> of(StockRows& rows, const std::string& folder);

    [[nodiscard]] std::uint64_t bytes(std::size_t part) const { return bytes_[part]; }
    // The part, sorted. It has at most 4 GiB (asserted); the caller looks at bytes() first.
    [[nodiscard]] core::Result<void> load(std::size_t part, RowBlock& to) const;
    // The part piece by piece, in the order in which its rows came, whatever its size.
    [[nodiscard]] core::Result<void> each_row(std::size_t part,
                                              const std::function<core::Result<void>(const StockRow&)>& take) const;

private:
    explicit Partitions(SpillFile file);
    [[nodiscard]] core::Result<void> add(const StockRow& row);
    [[nodiscard]] core::Result<void> flush(std::size_t part);

    SpillFile file_;
    std::vector<char> buffers_;
    std::array<std::size_t, kParts> used_{};
    std::array<std::uint64_t, kParts> bytes_{};
    std::array<std::vector<std::pair<std::uint64_t, std::uint32_t>>, kParts> pieces_;  // Offset and size; whole rows each.
};

}  // namespace reconciliation
