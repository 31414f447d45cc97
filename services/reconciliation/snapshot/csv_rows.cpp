#include "snapshot/csv_rows.h"

#include <syncline/core/parse.h>
#include <syncline/core/time.h>
#include <syncline/core/utf8.h>
#include <algorithm>
#include <cstring>
#include <utility>

namespace reconciliation {
namespace {

constexpr std::size_t kBufferBytes = 256UL * 1024;
constexpr std::size_t kPlainDigitsMax = 18;
constexpr unsigned char kControlEnd = 0x20;
constexpr std::string_view kTrailer = "#end rows=";
constexpr std::string_view kDelimiters = ",;\t|";

bool is_ascii(const char* at, std::size_t count) {
    constexpr std::uint64_t kHigh = 0x8080808080808080;
    std::uint64_t seen = 0;
    for (; count >= sizeof(std::uint64_t); at += sizeof(std::uint64_t), count -= sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, sizeof word);
        seen |= word;
    }
    for (; count > 0; ++at, --count) {
        seen |= static_cast<unsigned char>(*at);
    }
    return (seen & kHigh) == 0;
}

bool has_control(std::string_view text) {
    return std::ranges::any_of(text, [](char c) { return static_cast<unsigned char>(c) < kControlEnd; });
}

// Whole numbers, which nearly all quantities are, without the general parser.
core::Result<core::Decimal> quantity_of(std::string_view text) {
    std::string_view digits = text;
    const bool minus = !digits.empty() && digits.front() == '-';
    digits.remove_prefix(minus ? 1 : 0);
    if (!digits.empty() && digits.size() <= kPlainDigitsMax) {
        std::int64_t value = 0;
        std::size_t at = 0;
        for (; at < digits.size() && digits[at] >= '0' && digits[at] <= '9'; ++at) {
            value = value * 10 + (digits[at] - '0');
        }
        if (at == digits.size()) {
            return core::Decimal(minus ? -value : value);
        }
    }
    return core::Decimal::parse(text);
}

std::size_t fields_of(std::string_view line, char delimiter) {
    return static_cast<std::size_t>(std::ranges::count(line, delimiter)) + 1;
}

}  // namespace

CsvRows::CsvRows(std::unique_ptr<ByteSource> source, CsvOptions options)
    : source_(std::move(source)), options_(std::move(options)), buffer_(kBufferBytes), before_(kBufferBytes) {}

core::Error CsvRows::refuse(std::string code, std::string_view what) const {
    return core::fail(core::ErrorKind::malformed, std::move(code),
                      "line " + std::to_string(line_number_) + ": " + std::string(what))
        .error();
}

core::Result<void> CsvRows::fill() {
    std::size_t from = end_;
    if (end_ == buffer_.size()) {
        if (end_ - begin_ > kLineBytesMax) {
            return std::unexpected(refuse("snapshot_row", "the line is too long"));
        }
        if (options_.trailer) {
            digest_.update({buffer_.data() + digested_, begin_ - digested_});
        }
        std::swap(buffer_, before_);
        std::memcpy(buffer_.data(), before_.data() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
        digested_ = 0;
        // What is left of a plain buffer is plain.
        from = plain_ ? end_ : 0;
        plain_ = true;
    }
    const auto got = source_->read(buffer_.data() + end_, buffer_.size() - end_);
    if (!got) {
        return std::unexpected(got.error());
    }
    source_ended_ = *got == 0;
    plain_ = plain_ && is_ascii(buffer_.data() + from, end_ + *got - from);
    end_ += *got;
    return {};
}

core::Result<std::optional<CsvRows::Line>> CsvRows::line() {
    std::size_t looked = begin_;
    for (;;) {
        const void* found = looked < end_ ? std::memchr(buffer_.data() + looked, '\n', end_ - looked) : nullptr;
        if (found != nullptr) {
            const auto at = static_cast<std::size_t>(static_cast<const char*>(found) - buffer_.data());
            std::string_view text(buffer_.data() + begin_, at - begin_);
            begin_ = at + 1;
            ++line_number_;
            if (!text.empty() && text.back() == '\r') {
                text.remove_suffix(1);
            }
            if (text.size() > kLineBytesMax) {
                return std::unexpected(refuse("snapshot_row", "the line is too long"));
            }
            return Line{.text = text, .ended = true};
        }
        if (source_ended_) {
            if (begin_ == end_) {
                return std::nullopt;
            }
            ++line_number_;
            const std::string_view text(buffer_.data() + begin_, end_ - begin_);
            begin_ = end_;
            return Line{.text = text, .ended = false};
        }
        const auto kept = end_ - begin_;
        if (auto filled = fill(); !filled) {
            return std::unexpected(filled.error());
        }
        looked = begin_ + kept;
    }
}

core::Result<void> CsvRows::check_encoding(std::string_view text) const {
    if (!plain_ && !core::valid_utf8(text)) {
        return std::unexpected(refuse("snapshot_encoding", "this is not UTF-8"));
    }
    return {};
}

core::Result<void> CsvRows::read_header() {
    auto first = line();
    if (!first) {
        return std::unexpected(first.error());
    }
    if (!*first || (**first).text.empty()) {
        return std::unexpected(refuse("snapshot_empty", "there is no header"));
    }
    std::string_view text = (**first).text;
    if (text.starts_with("\xFF\xFE") || text.starts_with("\xFE\xFF") || text.find('\0') != std::string_view::npos) {
        return std::unexpected(refuse("snapshot_encoding", "this is UTF-16 or binary, not UTF-8"));
    }
    if (text.starts_with("\xEF\xBB\xBF")) {
        text.remove_prefix(3);
    }
    if (auto encoded = check_encoding(text); !encoded) {
        return encoded;
    }
    if (fields_of(text, options_.delimiter) == 1) {
        for (const char other : kDelimiters) {
            if (other != options_.delimiter && fields_of(text, other) > 1) {
                return std::unexpected(
                    refuse("snapshot_delimiter", std::string("the fields are divided by ") +
                                                     (other == '\t' ? std::string("tabs") : std::string(1, other)) +
                                                     ", not by the delimiter configured"));
            }
        }
    }
    const auto& names = options_.columns;
    const std::pair<std::string_view, Column> known[] = {{names.sku, Column::sku},
                                                         {names.location, Column::location},
                                                         {names.quantity, Column::quantity},
                                                         {names.observed_at, Column::observed_at},
                                                         {names.item_id, Column::item_id}};
    std::size_t at = 0;
    while (at <= text.size()) {
        std::string_view field;
        std::string scratch;
        if (at < text.size() && text[at] == '"') {
            auto value = quoted(text, at, scratch);
            if (!value) {
                return std::unexpected(value.error());
            }
            field = *value;
        } else {
            const auto stop = std::min(text.find(options_.delimiter, at), text.size());
            field = text.substr(at, stop - at);
            at = stop;
        }
        ++at;
        Column column = Column::other;
        for (const auto& [name, meant] : known) {
            if (field == name) {
                column = meant;
            }
        }
        if (column != Column::other && std::ranges::find(columns_, column) != columns_.end()) {
            return std::unexpected(refuse("snapshot_header", "a column comes twice"));
        }
        columns_.push_back(column);
    }
    const auto has = [&](Column column) {
        return std::ranges::find(columns_, column) != columns_.end();
    };
    for (const auto& [name, column] : known) {
        const bool needed = column == Column::sku || column == Column::quantity ||
                            (column == Column::location && options_.fixed_location.empty());
        if (needed && !has(column)) {
            return std::unexpected(refuse("snapshot_header", "there is no column " + std::string(name)));
        }
    }
    return {};
}

// `at` stands on the opening quote, and afterwards behind the closing one.
core::Result<std::string_view> CsvRows::quoted(std::string_view text, std::size_t& at, std::string& scratch) const {
    scratch.clear();
    for (++at; at < text.size(); ++at) {
        if (text[at] != '"') {
            scratch.push_back(text[at]);
        } else if (at + 1 < text.size() && text[at + 1] == '"') {
            scratch.push_back(text[at++]);
        } else {
            ++at;
            if (at < text.size() && text[at] != options_.delimiter) {
                return std::unexpected(refuse("snapshot_row", "text behind a closing quote"));
            }
            return std::string_view(scratch);
        }
    }
    return std::unexpected(refuse("snapshot_row", "a quote is not closed on its line"));
}

core::Result<void> CsvRows::take(Column column, std::string_view field) {
    switch (column) {
        case Column::sku:
            row_.sku = field;
            break;
        case Column::location:
            row_.location = field;
            break;
        case Column::quantity: {
            const auto quantity = quantity_of(field);
            if (!quantity) {
                return std::unexpected(refuse("snapshot_quantity", "the quantity is no exact number"));
            }
            row_.quantity = *quantity;
            break;
        }
        case Column::observed_at:
            // Most exports carry one time for all rows, or for long stretches of them.
            if (field != last_time_) {
                const auto time = core::parse_rfc3339(field);
                if (!time) {
                    return std::unexpected(refuse("snapshot_time", "the time is not RFC 3339"));
                }
                last_time_.assign(field);
                last_time_ns_ = core::nanos_since_epoch(*time);
            }
            row_.observed_at_ns = last_time_ns_;
            break;
        case Column::item_id:
            if (!field.empty()) {
                const auto id = core::parse_int<std::int64_t>(field);
                if (!id || *id <= 0) {
                    return std::unexpected(refuse("snapshot_row", "the item id is no id"));
                }
                row_.item_id = *id;
            }
            break;
        case Column::other:
            break;
    }
    return {};
}

core::Result<void> CsvRows::read_fields(std::string_view text) {
    row_ = {};
    row_.location = options_.fixed_location;
    row_.observed_at_ns = options_.observed_at_ns;
    std::size_t at = 0;
    for (std::size_t index = 0; index < columns_.size(); ++index) {
        if (at > text.size()) {
            return std::unexpected(refuse("snapshot_row", "there are fewer fields than in the header"));
        }
        std::string_view field;
        const Column column = columns_[index];
        if (at < text.size() && text[at] == '"') {
            auto& own = unquoted_[rows_ % unquoted_.size()];
            auto& scratch = column == Column::sku ? own.sku : (column == Column::location ? own.location : own.other);
            auto value = quoted(text, at, scratch);
            if (!value) {
                return std::unexpected(value.error());
            }
            field = *value;
        } else {
            auto stop = at;
            while (stop < text.size() && text[stop] != options_.delimiter) {
                ++stop;
            }
            field = text.substr(at, stop - at);
            at = stop;
        }
        ++at;
        if (auto taken = take(column, field); !taken) {
            return taken;
        }
    }
    if (at <= text.size()) {
        return std::unexpected(refuse("snapshot_row", "there are more fields than in the header"));
    }
    if (row_.sku.empty() || row_.location.empty() || row_.sku.size() > kSkuBytesMax || row_.location.size() > kLocationBytesMax) {
        return std::unexpected(refuse("snapshot_row", "the SKU or the location is empty or too long"));
    }
    if (has_control(row_.sku) || has_control(row_.location)) {
        return std::unexpected(refuse("snapshot_encoding", "a control character in the SKU or the location"));
    }
    return {};
}

bool CsvRows::plain_row() {
    const char* at = buffer_.data() + begin_;
    const char* const end = buffer_.data() + end_;
    if (!plain_ || at == end || *at == '#') {
        return false;
    }
    row_.item_id = 0;
    row_.location = options_.fixed_location;
    row_.observed_at_ns = options_.observed_at_ns;
    const std::size_t columns = columns_.size();
    for (std::size_t index = 0; index < columns; ++index) {
        const char* const from = at;
        while (at != end && *at != options_.delimiter && static_cast<unsigned char>(*at) >= kControlEnd) {
            ++at;
        }
        // Of all control characters only the line's end is expected, and only behind the last column.
        if (at == end || *from == '"' || (*at == options_.delimiter) == (index + 1 == columns) ||
            (index + 1 == columns && *at != '\n')) {
            return false;
        }
        const std::string_view field(from, static_cast<std::size_t>(at - from));
        ++at;
        switch (columns_[index]) {
            case Column::sku:
                row_.sku = field;
                break;
            case Column::location:
                row_.location = field;
                break;
            case Column::quantity: {
                if (field.empty() || field.size() > kPlainDigitsMax) {
                    return false;
                }
                std::int64_t value = 0;
                for (const char digit : field) {
                    if (digit < '0' || digit > '9') {
                        return false;
                    }
                    value = value * 10 + (digit - '0');
                }
                row_.quantity = core::Decimal(value);
                break;
            }
            case Column::observed_at:
                if (field != last_time_) {
                    return false;
                }
                row_.observed_at_ns = last_time_ns_;
                break;
            case Column::item_id:
                if (!take(Column::item_id, field)) {
                    return false;
                }
                break;
            case Column::other:
                break;
        }
    }
    if (row_.sku.empty() || row_.location.empty() || row_.sku.size() > kSkuBytesMax || row_.location.size() > kLocationBytesMax) {
        return false;
    }
    begin_ = static_cast<std::size_t>(at - buffer_.data());
    ++line_number_;
    return true;
}

core::Result<void> CsvRows::finish(std::optional<Line> trailer) {
    ended_ = true;
    if (rows_ == 0) {
        return std::unexpected(refuse("snapshot_empty", "there is no row"));
    }
    if (!trailer) {
        if (options_.trailer) {
            return std::unexpected(refuse("snapshot_truncated", "the trailer is missing"));
        }
        return {};
    }
    auto rest = trailer->text.substr(kTrailer.size());
    const auto count = core::parse_int<std::uint64_t>(rest.substr(0, rest.find(' ')));
    if (!trailer->ended || !count || *count != rows_) {
        return std::unexpected(refuse("snapshot_truncated", "the trailer counts another number of rows"));
    }
    constexpr std::string_view kDigest = " sha256=";
    rest.remove_prefix(std::min(rest.size(), rest.find(' ')));
    if (rest.starts_with(kDigest)) {
        if (options_.trailer &&
            !core::constant_time_equal(rest.substr(kDigest.size()), core::hex_encode(core::bytes_of(digest_.finish())))) {
            return std::unexpected(refuse("snapshot_checksum", "the checksum is not that of the rows"));
        }
    } else if (!rest.empty()) {
        return std::unexpected(refuse("snapshot_truncated", "the trailer is not as it should be"));
    }
    const auto behind = line();
    if (!behind) {
        return std::unexpected(behind.error());
    }
    if (*behind) {
        return std::unexpected(refuse("snapshot_row", "there is text behind the trailer"));
    }
    return {};
}

core::Result<const StockRow*> CsvRows::next() {
    if (ended_) {
        return nullptr;
    }
    if (!started_) {
        started_ = true;
        if (auto header = read_header(); !header) {
            ended_ = true;
            return std::unexpected(header.error());
        }
    }
    if (plain_row()) {
        ++rows_;
        return &row_;
    }
    auto next_line = line();
    if (!next_line) {
        return std::unexpected(next_line.error());
    }
    if (!*next_line) {
        if (auto finished = finish(std::nullopt); !finished) {
            return std::unexpected(finished.error());
        }
        return nullptr;
    }
    const Line found = **next_line;
    if (found.text.starts_with(kTrailer)) {
        if (options_.trailer) {
            const auto upto = static_cast<std::size_t>(found.text.data() - buffer_.data());
            digest_.update({buffer_.data() + digested_, upto - digested_});
            digested_ = upto;
        }
        if (auto finished = finish(found); !finished) {
            return std::unexpected(finished.error());
        }
        return nullptr;
    }
    if (!found.ended) {
        return std::unexpected(refuse("snapshot_truncated", "the last line has no end"));
    }
    if (auto encoded = check_encoding(found.text); !encoded) {
        return std::unexpected(encoded.error());
    }
    if (auto read = read_fields(found.text); !read) {
        return std::unexpected(read.error());
    }
    ++rows_;
    return &row_;
}

}  // namespace reconciliation
