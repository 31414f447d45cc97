// Whatever a source drops as a file, it becomes rows that are whole, or a refusal; and it is the same however it comes in pieces.
#include <syncline/core/assert.h>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "adapters/sources/xml_rows.h"
#include "domain/stock_file.h"

namespace {

using namespace inventory_sync;

struct Read {
    std::vector<std::string> rows;
    std::string code;
    friend bool operator==(const Read&, const Read&) = default;
};

Read read(std::string_view text, const FileRule& rule, std::size_t piece) {
    Read result;
    std::unique_ptr<RowReader> reader;
    if (rule.format == FileFormat::xml) {
        reader = std::make_unique<XmlRows>(rule);
    } else {
        reader = std::make_unique<CsvRows>(rule);
    }
    const RowReader::Take take = [&](const FileRow& row) {
        SYNCLINE_ASSERT(!row.sku.empty() && !row.location.empty() && acceptable(row.quantity).has_value());
        result.rows.push_back(row.sku + '\n' + row.location + '\n' + row.unit + '\n' + row.quantity.to_string());
        return core::Result<void>{};
    };
    core::Result<void> done;
    for (std::size_t at = 0; done && at < text.size(); at += piece) {
        done = reader->feed(text.substr(at, piece), take);
    }
    if (done) {
        done = reader->finish(take);
    }
    SYNCLINE_ASSERT(reader->rows() == result.rows.size());
    if (!done) {
        SYNCLINE_ASSERT(done.error().kind == core::ErrorKind::rejected && !done.error().code.empty() &&
                        !done.error().message.empty());
        result.code = done.error().code;
    } else {
        SYNCLINE_ASSERT(!result.rows.empty());
    }
    return result;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size < 1) {
        return 0;
    }
    const std::string_view text(reinterpret_cast<const char*>(data) + 1, size - 1);
    FileRule rule{.format = (data[0] & 1U) != 0 ? FileFormat::xml : FileFormat::csv,
                  .row = "item",
                  .decimal_comma = (data[0] & 2U) != 0,
                  .fixed_location = "MAIN"};
    if ((data[0] & 4U) != 0) {
        rule.location = rule.format == FileFormat::xml ? "warehouse@code" : "location";
        rule.unit = rule.format == FileFormat::xml ? "@unit" : "unit";
        rule.sku = rule.format == FileFormat::xml ? "@sku" : "sku";
    }
    const auto whole = read(text, rule, 1U << 20U);
    const auto pieces = read(text, rule, 1 + (data[0] >> 4U));
    // Expat may name the same fault of its first bytes differently when they come one by one.
    SYNCLINE_ASSERT(rule.format == FileFormat::xml ? whole.code.empty() == pieces.code.empty() : whole.code == pieces.code);
    SYNCLINE_ASSERT(!whole.code.empty() || whole == pieces);
    return 0;
}
