// Columns of many rows as array parameters of one statement: unnest($1::text[], $2::bigint[] …).
//
// What all rows of a statement share (group, connection) joins as a column of theirs, behind OFFSET 0, not as a constant: for a
// table without statistics the planner takes a constant for selective and reads every row of that connection.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/postgres/params.h>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace syncline::kit::store {

// $n::text[] etc. of the member `get` of each row. `rows` is any range; each helper adds one parameter.
template <typename Range, typename Get>
void add_texts(postgres::Params& params, const Range& rows, Get get) {
    std::vector<std::string> column;
    for (const auto& row : rows) {
        column.emplace_back(get(row));
    }
    params.add_array(std::span<const std::string>(column));
}

template <typename Range, typename Get>
void add_integers(postgres::Params& params, const Range& rows, Get get) {
    std::vector<std::int64_t> column;
    for (const auto& row : rows) {
        column.push_back(static_cast<std::int64_t>(get(row)));
    }
    params.add_array(std::span<const std::int64_t>(column));
}

template <typename Range, typename Get>
void add_booleans(postgres::Params& params, const Range& rows, Get get) {
    std::vector<bool> column;
    for (const auto& row : rows) {
        column.push_back(get(row));
    }
    params.add_array(column);
}

template <typename Range, typename Get>
void add_times(postgres::Params& params, const Range& rows, Get get) {
    std::vector<core::SystemTime> column;
    for (const auto& row : rows) {
        column.push_back(get(row));
    }
    params.add_array(std::span<const core::SystemTime>(column));
}

template <typename Range, typename Get>
void add_bytes(postgres::Params& params, const Range& rows, Get get) {
    std::vector<std::optional<std::string>> column;
    for (const auto& row : rows) {
        column.emplace_back(get(row));
    }
    params.add_bytes_array(std::span<const std::optional<std::string>>(column));
}

}  // namespace syncline::kit::store
