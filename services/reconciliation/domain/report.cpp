#include "domain/report.h"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

namespace reconciliation {
namespace {

constexpr std::int64_t kNanosPerSecond = 1'000'000'000;
constexpr std::size_t kColumns = 9;
constexpr std::array<std::string_view, kColumns> kNames{"sku",   "location",     "shopify", "other",  "class",
                                                        "age_s", "likely_cause", "wanted",  "healing"};
constexpr std::array<std::size_t, kColumns> kWidths{24, 16, 10, 10, 18, 9, 24, 10, 9};

using Cells = std::array<std::string, kColumns>;

std::string text_of(const std::optional<core::Decimal>& value) {
    return value ? value->to_string() : std::string();
}

Cells cells_of(const Difference& difference, Healing healing, std::int64_t now_ns) {
    return {
        difference.sku,
        difference.location,
        text_of(difference.shopify),
        text_of(difference.other),
        std::string(to_string(difference.kind)),
        difference.observed_at_ns == 0 ? std::string() : std::to_string((now_ns - difference.observed_at_ns) / kNanosPerSecond),
        std::string(difference.cause),
        text_of(difference.wanted),
        std::string(to_string(healing))};
}

bool is_control(char c) {
    return static_cast<unsigned char>(c) < 0x20 || c == 0x7F;
}

std::string padded(std::string text, std::size_t width) {
    std::ranges::replace_if(text, is_control, '?');
    // Characters, not bytes, take room.
    const auto shown = static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
    text.append(shown < width ? width - shown : 0, ' ');
    return text + "  ";
}

// Of texts, not of numbers: "-1" is no formula.
std::string csv_text(const std::string& text) {
    std::string out = "\"";
    if (!text.empty() && std::string_view("=+-@\t\r").find(text.front()) != std::string_view::npos) {
        out.push_back('\'');
    }
    for (const char c : text) {
        out.append(c == '"' ? 2 : 1, c);
    }
    return out + "\"";
}

std::string json_text(std::string_view text) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string out = "\"";
    for (const char c : text) {
        if (c == '"' || c == '\\') {
            out.push_back('\\');
            out.push_back(c);
        } else if (is_control(c)) {
            const auto code = static_cast<unsigned char>(c);
            out.append("\\u00");
            out.push_back(kHex[code >> 4U]);
            out.push_back(kHex[code & 0xFU]);
        } else {
            out.push_back(c);
        }
    }
    return out + "\"";
}

// Numbers stand as numbers, their digits exact; what is not there is null.
bool is_number(std::size_t column) {
    return column == 2 || column == 3 || column == 5 || column == 7;
}

}  // namespace

ReportWriter::ReportWriter(ReportFormat format, std::int64_t now_ns, Write write)
    : format_(format), now_ns_(now_ns), write_(std::move(write)) {}

void ReportWriter::begin() {
    if (std::exchange(begun_, true)) {
        return;
    }
    std::string head;
    switch (format_) {
        case ReportFormat::table:
            for (std::size_t column = 0; column < kColumns; ++column) {
                head += padded(std::string(kNames[column]), kWidths[column]);
            }
            break;
        case ReportFormat::csv:
            for (const auto name : kNames) {
                head.append(head.empty() ? "" : ",").append(name);
            }
            break;
        case ReportFormat::json:
            write_("{\"differences\":[");
            return;
    }
    write_(head + "\n");
}

void ReportWriter::row(const Difference& difference, Healing healing) {
    begin();
    const auto cells = cells_of(difference, healing, now_ns_);
    std::string line;
    for (std::size_t column = 0; column < kColumns; ++column) {
        switch (format_) {
            case ReportFormat::table:
                line += padded(cells[column], kWidths[column]);
                break;
            case ReportFormat::csv:
                line += column == 0 ? "" : ",";
                line += column < 2 ? csv_text(cells[column]) : cells[column];
                break;
            case ReportFormat::json:
                line += column == 0 ? (first_ ? "{" : ",{") : ",";
                line += json_text(kNames[column]) + ":";
                if (is_number(column)) {
                    line += cells[column].empty() ? "null" : cells[column];
                } else {
                    line += json_text(cells[column]);
                }
                break;
        }
    }
    first_ = false;
    write_(line + (format_ == ReportFormat::json ? "}" : "\n"));
}

void ReportWriter::finish(const CompareTotals& totals) {
    begin();
    if (format_ == ReportFormat::csv) {
        return;
    }
    const bool json = format_ == ReportFormat::json;
    std::string end = json ? "],\"pairs\":" : "pairs compared: ";
    end += std::to_string(totals.pairs);
    end += json ? ",\"shopify_rows\":" + std::to_string(totals.shopify_rows) +
                      ",\"other_rows\":" + std::to_string(totals.other_rows) +
                      ",\"repeated\":" + std::to_string(totals.repeated) + ",\"by_class\":{"
                : std::string();
    for (std::size_t at = 0; at < kDivergenceClasses; ++at) {
        const auto name = to_string(static_cast<DivergenceClass>(at));
        if (json) {
            end += (at == 0 ? "" : ",") + json_text(name) + ":" + std::to_string(totals.by_class[at]);
        } else if (totals.by_class[at] != 0) {
            end.append(", ").append(name).append(": ").append(std::to_string(totals.by_class[at]));
        }
    }
    write_(end + (json ? "}}" : "\n"));
}

}  // namespace reconciliation
