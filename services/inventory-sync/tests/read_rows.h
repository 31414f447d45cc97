// What a reader of snapshot files makes of a text that comes in pieces.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "domain/stock_file.h"

namespace inventory_sync::testing {

struct Read {
    std::vector<FileRow> rows;
    std::string code;  // Why it was refused; empty if it was not.
};

template <typename Reader>
Read read_rows(std::string_view text, const FileRule& rule, std::size_t piece) {
    Read result;
    Reader rows(rule);
    const auto take = [&](const FileRow& row) {
        result.rows.push_back(row);
        return core::Result<void>{};
    };
    for (std::size_t at = 0; at < text.size(); at += piece) {
        if (const auto done = rows.feed(text.substr(at, piece), take); !done) {
            result.code = done.error().code;
            return result;
        }
    }
    if (const auto done = rows.finish(take); !done) {
        result.code = done.error().code;
    }
    return result;
}

}  // namespace inventory_sync::testing
