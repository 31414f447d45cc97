#include "domain/stock_file.h"

#include <syncline/core/utf8.h>
#include <algorithm>
#include <array>

namespace inventory_sync {
namespace {

constexpr std::string_view kUtf8Mark = "\xEF\xBB\xBF";
constexpr std::string_view kUtf16Little = "\xFF\xFE";
constexpr std::string_view kUtf16Big = "\xFE\xFF";

// Whether the first bytes of a file could still become a mark that says its encoding.
bool mark_unfinished(std::string_view start) {
    return std::ranges::any_of(std::array{kUtf8Mark, kUtf16Little, kUtf16Big},
                               [&](std::string_view mark) { return start.size() < mark.size() && mark.starts_with(start); });
}

int column_of(const std::vector<std::string>& names, const std::string& wanted) {
    const auto found = std::ranges::find(names, wanted);
    return found == names.end() || wanted.empty() ? -1 : static_cast<int>(found - names.begin());
}

}  // namespace

core::Result<FileRow> row_of(std::string sku, std::string location, std::string unit, std::string quantity,
                             const FileRule& rule) {
    if (rule.decimal_comma) {
        if (quantity.find('.') != std::string::npos) {
            return core::fail(core::ErrorKind::rejected, "quantity_malformed",
                              "the quantity has a point where a comma is expected");
        }
        std::ranges::replace(quantity, ',', '.');
    }
    const auto parsed = Decimal::parse(quantity);
    const auto accepted = parsed ? acceptable(*parsed) : parsed;
    if (!accepted) {
        return core::fail(core::ErrorKind::rejected, "quantity_malformed", "the quantity is not a number, or too large");
    }
    if (sku.empty() || location.empty()) {
        return core::fail(core::ErrorKind::rejected, "row_malformed", "SKU or location is empty");
    }
    return FileRow{.sku = std::move(sku), .location = std::move(location), .unit = std::move(unit), .quantity = *accepted};
}

std::unexpected<core::Error> CsvRows::refuse(std::string code, const std::string& what) const {
    return core::fail(core::ErrorKind::rejected, std::move(code), "line " + std::to_string(line_) + ": " + what);
}

core::Result<void> CsvRows::feed(std::string_view piece, const Take& take) {
    std::string joined;
    if (!started_) {
        start_.append(piece);
        if (mark_unfinished(start_)) {
            return {};
        }
        started_ = true;
        if (start_.starts_with(kUtf16Little) || start_.starts_with(kUtf16Big)) {
            return refuse("encoding_unknown", "the file is UTF-16; it must be UTF-8");
        }
        joined = start_.starts_with(kUtf8Mark) ? start_.substr(kUtf8Mark.size()) : std::move(start_);
        start_.clear();
        piece = joined;
    }
    for (const char c : piece) {
        if (++row_bytes_ > kRowBytesMax) {
            return refuse("row_too_long", "a row is longer than 64 KiB (a quote that is never closed?)");
        }
        if (c == '\0') {
            return refuse("encoding_unknown", "the file has a zero byte; it must be UTF-8");
        }
        switch (at_) {
            case At::quoted:
                if (c == '"') {
                    at_ = At::quote_in_quoted;
                } else {
                    cells_.back().push_back(c);
                }
                continue;
            case At::quote_in_quoted:
                if (c == '"') {
                    cells_.back().push_back(c);
                    at_ = At::quoted;
                    continue;
                }
                if (c != rule_.delimiter && c != '\n' && c != '\r') {
                    return refuse("row_malformed", "something stands behind a closing quote");
                }
                break;
            case At::cell_start:
                if (c == '"') {
                    at_ = At::quoted;
                    continue;
                }
                break;
            case At::carriage_return:
                if (c != '\n') {
                    return refuse("row_malformed", "a carriage return stands alone");
                }
                break;
            case At::cell:
                break;
        }
        if (c == '\n') {
            if (auto done = end_row(take); !done) {
                return done;
            }
        } else if (c == '\r') {
            at_ = At::carriage_return;
        } else if (c == rule_.delimiter) {
            cells_.emplace_back();
            at_ = At::cell_start;
        } else {
            cells_.back().push_back(c);
            at_ = At::cell;
        }
    }
    return {};
}

core::Result<void> CsvRows::finish(const Take&) {
    if (!started_ || !header_read_ || rows_ == 0) {
        return refuse("file_empty", "the file has no rows");
    }
    if (at_ != At::cell_start || cells_.size() > 1) {
        return refuse("truncated", "the file ends within a line");
    }
    return {};
}

core::Result<void> CsvRows::read_header() {
    columns_ = cells_.size();
    sku_ = column_of(cells_, rule_.sku);
    quantity_ = column_of(cells_, rule_.quantity);
    location_ = column_of(cells_, rule_.location);
    unit_ = column_of(cells_, rule_.unit);
    if (sku_ < 0 || quantity_ < 0 || (location_ < 0 && !rule_.location.empty()) || (unit_ < 0 && !rule_.unit.empty())) {
        return refuse("columns_missing", "the first line does not name the columns that are expected (another delimiter?)");
    }
    header_read_ = true;
    return {};
}

core::Result<void> CsvRows::end_row(const Take& take) {
    const auto next_row = [&] {
        cells_.assign(1, {});
        at_ = At::cell_start;
        row_bytes_ = 0;
        ++line_;
    };
    for (const auto& cell : cells_) {
        if (!core::valid_utf8(cell)) {
            return refuse("encoding_unknown", "a text is not UTF-8");
        }
    }
    if (!header_read_) {
        if (auto done = read_header(); !done) {
            return done;
        }
        next_row();
        return {};
    }
    if (cells_.size() != columns_) {
        return refuse("row_malformed",
                      "it has " + std::to_string(cells_.size()) + " cells instead of " + std::to_string(columns_));
    }
    const auto cell = [&](int column) -> std::string& {
        return cells_[static_cast<std::size_t>(column)];
    };
    const auto row = row_of(std::move(cell(sku_)), location_ < 0 ? rule_.fixed_location : cell(location_),
                            unit_ < 0 ? std::string{} : cell(unit_), std::move(cell(quantity_)), rule_);
    if (!row) {
        return refuse(row.error().code, row.error().message);
    }
    ++rows_;
    if (auto done = take(*row); !done) {
        return done;
    }
    next_row();
    return {};
}

core::Result<void> may_follow(std::uint64_t rows, std::uint64_t before, int shrink_refused_below) {
    if (before > 0 && shrink_refused_below > 0 &&
        static_cast<double>(rows) * 100 < static_cast<double>(before) * shrink_refused_below) {
        return core::fail(core::ErrorKind::rejected, "file_shrunken",
                          "the file has " + std::to_string(rows) + " rows, the one before had " + std::to_string(before),
                          "if that is right, put it in again with an empty file <name>.accept beside it");
    }
    return {};
}

}  // namespace inventory_sync
