// A snapshot as a text of rows, one a line: what a warehouse or an ERP exports.
//
//   CsvRows rows(std::move(*open_file(path)), {.columns = {.sku = "sku", .location = "location", .quantity = "quantity"}});
//   while (const auto row = rows.next(); row && *row != nullptr) { … }
//
// The first line names the columns, in any order; others are passed over. Rows may come in any order: CsvRows does not sort.
// Fields may be quoted ("" is a quote); a line break inside a field is not taken. UTF-8, with or without a byte order mark.
//
// Nothing is guessed and nothing is skipped: what does not fit refuses the whole file, because a half-understood snapshot looks
// like stock that is gone. Codes, all of kind malformed, with the line's number and never its content:
//   snapshot_empty      no byte, or a header without rows
//   snapshot_encoding   UTF-16, UTF-8 that is not, or a control character in a SKU or location
//   snapshot_delimiter  the header has one column, and would have several with another usual delimiter
//   snapshot_header     a column that is needed is missing, or comes twice
//   snapshot_row        another number of fields than the header, an open quote, no SKU or location, or too long a line
//   snapshot_quantity   a quantity that is no exact number
//   snapshot_time       a time that is not RFC 3339
//   snapshot_truncated  the last line has no end, or the trailer is missing or counts another number of rows
//   snapshot_checksum   the trailer's SHA-256 is not that of the bytes before it
//
// Trailer: the line `#end rows=<number>` or `#end rows=<number> sha256=<64 hex digits>`, the digest over all bytes before it. The
// count is checked wherever a trailer is; `trailer` demands one and checks its digest too. One thread; memory is a buffer of 256
// KiB, growing to the longest line.
#pragma once

#include <syncline/core/hash.h>
#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/stock_rows.h"
#include "snapshot/byte_source.h"

namespace reconciliation {

struct CsvColumns {
    std::string sku = "sku";
    std::string location = "location";  // May be missing in the file if a fixed location is given.
    std::string quantity = "quantity";
    std::string observed_at = "observed_at";  // Optional.
    std::string item_id = "item_id";          // Optional.
};

struct CsvOptions {
    char delimiter = ',';
    CsvColumns columns = {};
    std::string fixed_location = {};  // For files of one place, which have no such column.
    std::int64_t observed_at_ns = 0;  // Of rows that do not say.
    bool trailer = false;
};

class CsvRows final : public StockRows {
public:
    static constexpr std::size_t kLineBytesMax = 64UL * 1024;

    CsvRows(std::unique_ptr<ByteSource> source, CsvOptions options);
    [[nodiscard]] bool keeps_previous() const override { return true; }
    [[nodiscard]] core::Result<const StockRow*> next() override;
    [[nodiscard]] std::uint64_t rows() const { return rows_; }

private:
    enum class Column : std::uint8_t { other, sku, location, quantity, observed_at, item_id };
    struct Line {
        std::string_view text;
        bool ended = false;  // By a line break.
    };

    [[nodiscard]] core::Error refuse(std::string code, std::string_view what) const;
    // A row without anything unusual, all of it in the buffer: one look at each byte. False: the long way.
    [[nodiscard]] bool plain_row();
    // nullopt at the end.
    [[nodiscard]] core::Result<std::optional<Line>> line();
    [[nodiscard]] core::Result<void> fill();
    [[nodiscard]] core::Result<void> read_header();
    [[nodiscard]] core::Result<void> read_fields(std::string_view text);
    [[nodiscard]] core::Result<std::string_view> quoted(std::string_view text, std::size_t& at, std::string& scratch) const;
    [[nodiscard]] core::Result<void> take(Column column, std::string_view field);
    [[nodiscard]] core::Result<void> finish(std::optional<Line> trailer);
    [[nodiscard]] core::Result<void> check_encoding(std::string_view text) const;

    std::unique_ptr<ByteSource> source_;
    CsvOptions options_;
    std::vector<Column> columns_;
    std::vector<char> buffer_;
    std::vector<char> before_;  // The buffer before: the row before may stand in it.
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    bool source_ended_ = false;
    bool plain_ = true;  // What is in the buffer is ASCII.
    std::uint64_t line_number_ = 0;
    std::uint64_t rows_ = 0;
    core::Sha256 digest_;
    std::size_t digested_ = 0;  // Up to where in the buffer.
    StockRow row_;
    struct Unquoted {
        std::string sku;
        std::string location;
        std::string other;
    };
    std::array<Unquoted, 2> unquoted_;  // In turns, for the same reason.
    std::string last_time_;
    std::int64_t last_time_ns_ = 0;
    bool started_ = false;
    bool ended_ = false;
};

}  // namespace reconciliation
