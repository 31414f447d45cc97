// A snapshot of stock as XML, read in pieces: rows out, or the reason why the file is refused (domain/stock_file).
//
// UTF-8, UTF-16, ISO-8859-1 and US-ASCII, as the document declares; prefixes of names are left aside. Refused as a whole, kind
// rejected, with the line: file_empty (also when no element is a row), xml_malformed, encoding_unknown, truncated,
// doctype_refused (so no entity is ever defined, expanded or fetched), nesting_too_deep (64), row_too_long, columns_missing,
// row_malformed, quantity_malformed.
//
// Memory is one row and one token of at most 1 MiB, however long the file. Not thread-safe.
#pragma once

#include <memory>

#include "domain/stock_file.h"

namespace inventory_sync {

class XmlRows final : public RowReader {
public:
    // `rule` must outlive it.
    explicit XmlRows(const FileRule& rule);
    ~XmlRows() override;
    [[nodiscard]] core::Result<void> feed(std::string_view piece, const Take& take) override;
    [[nodiscard]] core::Result<void> finish(const Take& take) override;
    [[nodiscard]] std::uint64_t rows() const override;

private:
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace inventory_sync
