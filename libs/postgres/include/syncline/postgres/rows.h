// What a statement returned. Owns the data: it may outlive the transaction and its connection.
//
// Columns are numbered from 0. A value that is not of the type asked for, or NULL where none is expected, is a bug in our SQL
// and stops the process (SYNCLINE_ASSERT): ask for the optional form where a column can be NULL.
// Threads: use from one thread at a time. Views point into the Rows and live as long as it.
#pragma once

#include <syncline/core/clock.h>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace syncline::postgres {

class Rows;

class Row {
public:
    [[nodiscard]] bool is_null(int column) const;
    [[nodiscard]] std::string_view text(int column) const;
    [[nodiscard]] std::int64_t int64(int column) const;
    [[nodiscard]] std::int32_t int32(int column) const;
    [[nodiscard]] bool boolean(int column) const;
    [[nodiscard]] core::SystemTime time(int column) const;  // timestamptz
    [[nodiscard]] std::string bytes(int column) const;      // bytea
    [[nodiscard]] std::optional<std::string_view> optional_text(int column) const;
    [[nodiscard]] std::optional<std::int64_t> optional_int64(int column) const;
    [[nodiscard]] std::optional<core::SystemTime> optional_time(int column) const;
    [[nodiscard]] std::optional<std::string> optional_bytes(int column) const;
    // text() as a string of its own.
    [[nodiscard]] std::string string(int column) const { return std::string(text(column)); }

private:
    friend class Rows;
    Row(const Rows& rows, std::size_t index) : rows_(&rows), index_(index) {}
    const Rows* rows_;
    std::size_t index_;
};

class Rows {
public:
    struct Held;  // The library's result; known to libs/postgres/src only.

    class Iterator {
    public:
        using value_type = Row;
        using difference_type = std::ptrdiff_t;
        Row operator*() const { return Row(*rows_, index_); }
        Iterator& operator++() {
            ++index_;
            return *this;
        }
        Iterator operator++(int) {
            auto before = *this;
            ++index_;
            return before;
        }
        friend bool operator==(const Iterator&, const Iterator&) = default;

    private:
        friend class Rows;
        Iterator(const Rows* rows, std::size_t index) : rows_(rows), index_(index) {}
        const Rows* rows_;
        std::size_t index_;
    };

    // No rows, nothing affected.
    Rows() = default;
    explicit Rows(std::shared_ptr<const Held> held);

    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] Row operator[](std::size_t index) const { return {*this, index}; }
    [[nodiscard]] Iterator begin() const { return {this, 0}; }
    [[nodiscard]] Iterator end() const { return {this, size_}; }
    // Rows changed by INSERT, UPDATE or DELETE.
    [[nodiscard]] std::int64_t affected() const { return affected_; }

private:
    friend class Row;
    std::shared_ptr<const Held> held_;
    std::size_t size_ = 0;
    std::int64_t affected_ = 0;
};

}  // namespace syncline::postgres
