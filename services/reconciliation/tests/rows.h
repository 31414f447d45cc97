// Snapshots for tests, as texts and as rows.
#pragma once

#include <catch2/catch_test_macros.hpp>

#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "snapshot/csv_rows.h"

namespace reconciliation::testing {

struct OwnedRow {
    std::string sku;
    std::string location;
    std::string quantity;
    std::int64_t observed_at_ns = 0;
    std::int64_t item_id = 0;
    friend bool operator==(const OwnedRow&, const OwnedRow&) = default;
};

class ListRows final : public StockRows {
public:
    explicit ListRows(std::vector<OwnedRow> rows) : rows_(std::move(rows)) {}
    core::Result<const StockRow*> next() override {
        if (at_ == rows_.size()) {
            return nullptr;
        }
        const auto& from = rows_[at_++];
        sku_ = from.sku;
        location_ = from.location;
        row_ = {.sku = sku_,
                .location = location_,
                .quantity = core::Decimal::parse(from.quantity).value(),
                .observed_at_ns = from.observed_at_ns,
                .item_id = from.item_id};
        return &row_;
    }

private:
    std::vector<OwnedRow> rows_;
    std::size_t at_ = 0;
    std::string sku_;
    std::string location_;
    StockRow row_;
};

inline OwnedRow owned(const StockRow& row) {
    return {.sku = std::string(row.sku),
            .location = std::string(row.location),
            .quantity = row.quantity.to_string(),
            .observed_at_ns = row.observed_at_ns,
            .item_id = row.item_id};
}

// All rows, or the error that ended them.
inline core::Result<std::vector<OwnedRow>> all(StockRows& rows) {
    std::vector<OwnedRow> out;
    for (;;) {
        const auto row = rows.next();
        if (!row) {
            return std::unexpected(row.error());
        }
        if (*row == nullptr) {
            return out;
        }
        out.push_back(owned(**row));
    }
}

inline core::Result<std::vector<OwnedRow>> read_csv(const std::string& text, CsvOptions options = {}, std::size_t piece = 7) {
    CsvRows rows(memory_source(text, piece), std::move(options));
    return all(rows);
}

inline std::string folder() {
    return std::filesystem::temp_directory_path().string();
}

}  // namespace reconciliation::testing
