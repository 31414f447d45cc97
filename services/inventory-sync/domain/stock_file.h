// A snapshot of stock as a text, read in pieces: rows out, or the reason why the file is refused.
//
//   CsvRows rows(rule);
//   while (…) { if (auto done = rows.feed(piece, take); !done) … }
//   auto done = rows.finish(take);
//
// CSV is RFC 4180 (XML: adapters/sources/xml_rows): quoted cells, doubled quotes, line breaks in them; LF or CRLF; UTF-8 with or
// without a byte order mark. The first line names the columns. Refused as a whole, kind rejected, with the line: file_empty,
// encoding_unknown (not UTF-8), columns_missing (also what a wrong delimiter looks like), row_malformed (another number of
// cells), row_too_long, quantity_malformed, truncated (it ends within a line). A caller therefore reads a file twice: first to
// know that it is whole.
//
// Memory is one row, however long the file. Not thread-safe.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "domain/stock.h"

namespace inventory_sync {

enum class FileFormat : std::uint8_t { csv, xml };

struct FileRule {
    FileFormat format = FileFormat::csv;
    std::string row;  // XML: the element that is a row.
    char delimiter = ';';
    bool decimal_comma = false;
    // Names of columns. XML: `name` is the text of an element in the row, `@name` an attribute of the row, `element@name` an
    // attribute of the row or of an element around it.
    std::string sku = "sku";
    std::string quantity = "quantity";
    std::string location;  // Empty: every row is of fixed_location.
    std::string fixed_location;
    std::string unit;  // Empty: pieces.
    // Refused if it has fewer rows than this part of the last one, in percent; 0: never.
    int shrink_refused_below = 70;
};

// A server from which files are fetched into the folder.
struct SftpRule {
    std::string host;
    int port = 22;
    std::string user;
    std::string path;           // The folder there, absolute.
    std::string host_key;       // SHA256 of the host's public key, base64, as `ssh-keygen -lf` shows it behind "SHA256:".
    std::string key_file;       // A private key without a passphrase; or
    std::string password_file;  // the password.
    bool delete_after = false;  // Else it stays there; each file is fetched once.
    std::int64_t bytes_max = 8'000'000'000;
    std::chrono::milliseconds every{30'000};
    friend bool operator==(const SftpRule&, const SftpRule&) = default;
};

// A folder in which a source drops its files.
struct FolderRule {
    std::string folder;
    bool by_rename = false;  // A file is complete as soon as it has its name; else when NAME.done stands beside it.
    FileRule file;
    std::optional<SftpRule> sftp;  // Complete there by the same rule.
};

struct FileRow {
    std::string sku;
    std::string location;
    std::string unit;
    Decimal quantity;
};

// A row of these texts; kind rejected, codes "quantity_malformed" and "row_malformed", without the line.
[[nodiscard]] core::Result<FileRow> row_of(std::string sku, std::string location, std::string unit, std::string quantity,
                                           const FileRule& rule);

class RowReader {
public:
    static constexpr std::size_t kRowBytesMax = 64UL * 1024;
    using Take = std::function<core::Result<void>(const FileRow&)>;

    virtual ~RowReader() = default;
    [[nodiscard]] virtual core::Result<void> feed(std::string_view piece, const Take& take) = 0;
    [[nodiscard]] virtual core::Result<void> finish(const Take& take) = 0;
    [[nodiscard]] virtual std::uint64_t rows() const = 0;
};

class CsvRows final : public RowReader {
public:
    explicit CsvRows(const FileRule& rule) : rule_(rule) {}
    [[nodiscard]] core::Result<void> feed(std::string_view piece, const Take& take) override;
    [[nodiscard]] core::Result<void> finish(const Take& take) override;
    [[nodiscard]] std::uint64_t rows() const override { return rows_; }

private:
    enum class At : std::uint8_t { cell_start, cell, quoted, quote_in_quoted, carriage_return };

    core::Result<void> end_row(const Take& take);
    core::Result<void> read_header();
    [[nodiscard]] std::unexpected<core::Error> refuse(std::string code, const std::string& what) const;

    const FileRule& rule_;
    At at_ = At::cell_start;
    std::vector<std::string> cells_{1};
    std::size_t row_bytes_ = 0;
    std::uint64_t line_ = 1;
    std::uint64_t rows_ = 0;
    std::string start_;  // The first bytes, until it is known whether they are a byte order mark.
    bool started_ = false;
    bool header_read_ = false;
    std::size_t columns_ = 0;
    int sku_ = -1;
    int quantity_ = -1;
    int location_ = -1;
    int unit_ = -1;
};

// Whether a snapshot of `rows` may follow one of `before` (0: there was none). Kind rejected, code "file_shrunken".
[[nodiscard]] core::Result<void> may_follow(std::uint64_t rows, std::uint64_t before, int shrink_refused_below);

}  // namespace inventory_sync
