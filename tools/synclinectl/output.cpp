#include "output.h"

#include <syncline/json/writer.h>
#include <algorithm>
#include <ostream>

namespace synclinectl {
namespace {

std::string printable(std::string_view text) {
    std::string out(text);
    std::ranges::replace_if(out, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }, ' ');
    return out;
}

// Characters, not bytes: continuation bytes of UTF-8 take no place.
std::size_t width(std::string_view text) {
    return static_cast<std::size_t>(
        std::ranges::count_if(text, [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; }));
}

void print_table(std::ostream& out, const Table& table) {
    std::vector<std::size_t> widths;
    for (const auto& column : table.columns) {
        widths.push_back(width(column));
    }
    for (const auto& row : table.rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], width(row[i]));
        }
    }
    const auto line = [&](const std::vector<std::string>& cells, bool heading) {
        std::string text;
        for (std::size_t i = 0; i < cells.size(); ++i) {
            auto cell = printable(cells[i]);
            if (heading) {
                std::ranges::transform(cell, cell.begin(),
                                       [](char c) { return c == '_' ? ' ' : static_cast<char>(std::toupper(c)); });
            }
            text += cell + std::string(widths[i] - std::min(width(cell), widths[i]) + 2, ' ');
        }
        text.erase(text.find_last_not_of(' ') + 1);
        out << text << '\n';
    };
    line(table.columns, true);
    for (const auto& row : table.rows) {
        line(row, false);
    }
}

void print_csv(std::ostream& out, const Table& table) {
    const auto line = [&](const std::vector<std::string>& cells) {
        for (std::size_t i = 0; i < cells.size(); ++i) {
            std::string cell = printable(cells[i]);
            // A spreadsheet must not take what a foreign system said for a formula.
            if (!cell.empty() && std::string_view("=+@").find(cell.front()) != std::string_view::npos) {
                cell.insert(0, "'");
            }
            if (cell.find_first_of(",\"") != std::string::npos) {
                for (auto at = cell.find('"'); at != std::string::npos; at = cell.find('"', at + 2)) {
                    cell.insert(at, "\"");
                }
                cell = '"' + cell + '"';
            }
            out << (i == 0 ? "" : ",") << cell;
        }
        out << "\r\n";
    };
    line(table.columns);
    for (const auto& row : table.rows) {
        line(row);
    }
}

void print_json(std::ostream& out, const Table& table) {
    syncline::json::Writer json;
    json.begin_array();
    for (const auto& row : table.rows) {
        json.begin_object();
        for (std::size_t i = 0; i < row.size(); ++i) {
            json.member(table.columns[i], row[i]);
        }
        json.end_object();
    }
    json.end_array();
    out << std::move(json).take() << '\n';
}

}  // namespace

void print(std::ostream& out, const Table& table, Format format) {
    switch (format) {
        case Format::table:
            return print_table(out, table);
        case Format::json:
            return print_json(out, table);
        case Format::csv:
            return print_csv(out, table);
    }
}

}  // namespace synclinectl
