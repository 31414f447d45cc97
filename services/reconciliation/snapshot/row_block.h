// Rows in memory, sorted by their keys: a run before it is written, or a part of a snapshot that fits.
//
// The rows stand packed, one behind the other, in one block. What is sorted are small entries: of the next bytes of their keys
// only the bits in which any two differ, packed into one number (the digits of a SKU take four bits each), so that a few passes
// of a radix sort bring most blocks into order. Entries that still agree are taken further on. One thread at a time.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "domain/stock_rows.h"
#include "snapshot/packed_row.h"

namespace reconciliation {

class RowBlock {
public:
    // An empty block takes nothing: reserve() or resize() first.
    RowBlock() = default;
    // Takes at most about `bytes_max` of memory.
    explicit RowBlock(std::size_t bytes_max);

    // False: full, the row was not taken.
    [[nodiscard]] bool add(const StockRow& row);
    // Room for exactly these bytes of packed rows, which the caller fills in; index() then finds the rows.
    [[nodiscard]] std::span<char> resize(std::size_t bytes);
    // False if the bytes are no packed rows.
    [[nodiscard]] bool index();
    // Rows of equal keys keep the order in which they came.
    void sort();

    [[nodiscard]] std::size_t size() const { return entries_.size(); }
    [[nodiscard]] bool empty() const { return entries_.empty(); }
    // Of the row that stands at this place; asks the memory for one further on, so go through them in order.
    [[nodiscard]] std::string_view key(std::size_t at) const;
    [[nodiscard]] std::string_view payload(std::size_t at) const;
    void clear();

private:
    struct Entry {
        std::uint64_t bits;
        std::uint32_t offset;
    };
    // Fills in the bits of the bytes from `depth` on; gives how many bytes they cover.
    [[nodiscard]] std::size_t load(std::span<Entry> entries, std::size_t depth) const;
    void sort(std::span<Entry> entries, std::size_t depth);
    void radix_sort(std::span<Entry> entries);

    std::vector<char> block_;
    std::size_t used_ = 0;
    std::vector<Entry> entries_;
    std::vector<Entry> scratch_;
};

// The rows of a block one by one. The block is the caller's, sorted, and outlives them.
class BlockRows final : public StockRows {
public:
    explicit BlockRows(const RowBlock& block) : block_(block) {}
    [[nodiscard]] bool keeps_previous() const override { return true; }
    [[nodiscard]] core::Result<const StockRow*> next() override;

private:
    const RowBlock& block_;
    std::size_t at_ = 0;
    StockRow row_;
};

}  // namespace reconciliation
