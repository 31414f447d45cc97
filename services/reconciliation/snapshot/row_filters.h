// Streams over streams of rows: some of a sorted snapshot's rows, in their order. Each owns what it reads from; one thread.
#pragma once

#include <memory>
#include <set>
#include <string>
#include <utility>

#include "domain/stock_rows.h"

namespace reconciliation {

// Rows of these locations, and those that only name an item.
class RowsOfLocations final : public StockRows {
public:
    RowsOfLocations(std::unique_ptr<StockRows> rows, std::set<std::string, std::less<>> locations)
        : rows_(std::move(rows)), locations_(std::move(locations)) {}
    [[nodiscard]] bool keeps_previous() const override { return false; }
    [[nodiscard]] core::Result<const StockRow*> next() override {
        for (;;) {
            auto row = rows_->next();
            if (!row || *row == nullptr || (*row)->location.empty() || locations_.contains((*row)->location)) {
                return row;
            }
        }
    }

private:
    std::unique_ptr<StockRows> rows_;
    std::set<std::string, std::less<>> locations_;
};

// Rows whose SKU and location are among those of `keys`, which is sorted as well.
class RowsOfKeys final : public StockRows {
public:
    RowsOfKeys(std::unique_ptr<StockRows> rows, std::unique_ptr<StockRows> keys)
        : rows_(std::move(rows)), keys_(std::move(keys)) {}
    [[nodiscard]] core::Result<const StockRow*> next() override {
        for (;;) {
            auto row = rows_->next();
            if (!row || *row == nullptr) {
                return row;
            }
            for (;;) {
                if (!started_ || (key_ != nullptr && before(*key_, **row))) {
                    auto key = keys_->next();
                    if (!key) {
                        return key;
                    }
                    started_ = true;
                    key_ = *key;
                    continue;
                }
                break;
            }
            // What is left over cannot be asked for; the stream is read to its end, which is where it proves to be whole.
            if (key_ != nullptr && key_->sku == (*row)->sku && key_->location == (*row)->location) {
                return row;
            }
        }
    }

private:
    static bool before(const StockRow& a, const StockRow& b) {
        const auto order = a.sku.compare(b.sku);
        return order < 0 || (order == 0 && a.location < b.location);
    }
    std::unique_ptr<StockRows> rows_;
    std::unique_ptr<StockRows> keys_;
    const StockRow* key_ = nullptr;
    bool started_ = false;
};

}  // namespace reconciliation
