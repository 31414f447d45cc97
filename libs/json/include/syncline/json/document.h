// JSON from anywhere, read strictly and without surprises.
//
//   auto document = json::Document::parse(std::move(body), {.depth_max = 64});
//   if (!document) return std::unexpected(document.error());            // kind malformed
//   const json::Value root = document->root();
//   const auto id = root.uint64_of("id");                               // Result<std::uint64_t>
//   const auto note = root.get_present("note");                         // optional<Value>
//   for (const json::Member member : root.members()) { … }
//
// Numbers are kept as text: an id above 2^53 or an amount loses nothing. Refused, each with its code: invalid UTF-8, anything
// after the value (NUL included), nesting beyond the bound, bodies beyond the bound, numbers no double could hold (1e400),
// duplicate keys if asked for. Error messages name the member ("line_items[3].price") and never its value.
//
// A Document is movable and owns everything; Values, Members and texts borrow from it and die with it (moving the Document
// keeps them valid). Reading is thread-safe. Nothing blocks, nothing throws.
#pragma once

#include <syncline/core/decimal.h>
#include <syncline/core/error.h>
#include <syncline/json/detail/tape.h>
#include <compare>
#include <cstddef>
#include <cstdint>
#include <iterator>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace syncline::json {

struct Limits {
    int depth_max = 64;                         // Open arrays and objects at once; never more than 500.
    std::size_t bytes_max = 8UL * 1024 * 1024;  // Of the text.
    bool reject_duplicate_keys = true;          // Else the first of equal keys wins.
};

struct Member;
class Members;
class Elements;

// A place in a document. Cheap to copy.
class Value {
public:
    [[nodiscard]] Kind kind() const { return tape_->kind(index_); }
    [[nodiscard]] bool is_null() const { return kind() == Kind::null; }
    [[nodiscard]] bool is_object() const { return kind() == Kind::object; }
    [[nodiscard]] bool is_array() const { return kind() == Kind::array; }
    [[nodiscard]] bool is_string() const { return kind() == Kind::string; }
    [[nodiscard]] bool is_number() const { return kind() == Kind::number; }
    [[nodiscard]] bool is_bool() const { return kind() == Kind::boolean; }

    // The member of that name; nullopt if there is none or this is not an object. A member that is null is present.
    [[nodiscard]] std::optional<Value> get(std::string_view name) const;
    // As get(), but null counts as absent: most optional members of foreign systems come either way.
    [[nodiscard]] std::optional<Value> get_present(std::string_view name) const;
    // Absent or null is an Error, code "member_missing".
    [[nodiscard]] core::Result<Value> required(std::string_view name) const;

    // Each is an Error, code "wrong_type" or "number_malformed"/"number_out_of_range", if the value is something else.
    [[nodiscard]] core::Result<std::string_view> string() const {
        if (!is_string()) {
            return wrong_type("a string");
        }
        return tape_->at(index_).view();
    }
    [[nodiscard]] core::Result<bool> boolean() const {
        if (!is_bool()) {
            return wrong_type("a boolean");
        }
        return tape_->at(index_).size == 1;
    }
    [[nodiscard]] core::Result<std::int64_t> int64() const;    // A JSON number without point or exponent.
    [[nodiscard]] core::Result<std::uint64_t> uint64() const;  // As int64().
    // A JSON number or a string holding one: amounts come as either.
    [[nodiscard]] core::Result<core::Decimal> decimal() const;
    // The digits as they were sent, e.g. "19.990".
    [[nodiscard]] core::Result<std::string_view> number_text() const {
        if (!is_number()) {
            return wrong_type("a number");
        }
        return tape_->at(index_).view();
    }

    // required(name) and then the conversion: one check for the caller.
    [[nodiscard]] core::Result<std::string_view> string_of(std::string_view name) const;
    [[nodiscard]] core::Result<bool> boolean_of(std::string_view name) const;
    [[nodiscard]] core::Result<std::int64_t> int64_of(std::string_view name) const;
    [[nodiscard]] core::Result<std::uint64_t> uint64_of(std::string_view name) const;
    [[nodiscard]] core::Result<core::Decimal> decimal_of(std::string_view name) const;

    // Members of an object or elements of an array in the order of the text; empty for anything else.
    [[nodiscard]] Members members() const;
    [[nodiscard]] Elements elements() const;
    // Number of members or elements; 0 for anything else.
    [[nodiscard]] std::size_t size() const { return kind() >= Kind::array ? tape_->at(index_).size : 0; }

    // "line_items[3].price"; "$" for the root. Walks the document: for error texts. Names that are not plain words become "?".
    [[nodiscard]] std::string path() const;
    // An Error of kind malformed whose message begins with path().
    [[nodiscard]] core::Error malformed(std::string code, std::string_view what) const;

    // Same place of the same document.
    friend bool operator==(const Value&, const Value&) = default;

private:
    friend class Document;
    friend class Members;  // And its iterator.
    friend class Elements;
    Value(const Tape* tape, std::uint32_t index) : tape_(tape), index_(index) {}
    [[nodiscard]] std::unexpected<core::Error> wrong_type(std::string_view expected) const;
    const Tape* tape_;
    std::uint32_t index_;
};

struct Member {
    std::string_view name;
    Value value;
};

class Members {
public:
    class Iterator {
    public:
        using value_type = Member;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::input_iterator_tag;
        [[nodiscard]] Member operator*() const { return {tape_->at(index_).view(), Value(tape_, index_ + 1)}; }
        Iterator& operator++() {
            index_ = tape_->after(index_ + 1);
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const Iterator&, const Iterator&) = default;

    private:
        friend class Members;
        Iterator(const Tape* tape, std::uint32_t index) : tape_(tape), index_(index) {}
        const Tape* tape_;
        std::uint32_t index_;
    };
    [[nodiscard]] Iterator begin() const { return {tape_, first_}; }
    [[nodiscard]] Iterator end() const { return {tape_, end_}; }
    [[nodiscard]] bool empty() const { return first_ == end_; }

private:
    friend class Value;
    Members(const Tape* tape, std::uint32_t first, std::uint32_t end) : tape_(tape), first_(first), end_(end) {}
    const Tape* tape_;
    std::uint32_t first_;
    std::uint32_t end_;
};

class Elements {
public:
    class Iterator {
    public:
        using value_type = Value;
        using difference_type = std::ptrdiff_t;
        using iterator_category = std::input_iterator_tag;
        [[nodiscard]] Value operator*() const { return {tape_, index_}; }
        Iterator& operator++() {
            index_ = tape_->after(index_);
            return *this;
        }
        void operator++(int) { ++*this; }
        friend bool operator==(const Iterator&, const Iterator&) = default;

    private:
        friend class Elements;
        Iterator(const Tape* tape, std::uint32_t index) : tape_(tape), index_(index) {}
        const Tape* tape_;
        std::uint32_t index_;
    };
    [[nodiscard]] Iterator begin() const { return {tape_, first_}; }
    [[nodiscard]] Iterator end() const { return {tape_, end_}; }
    [[nodiscard]] bool empty() const { return first_ == end_; }

private:
    friend class Value;
    Elements(const Tape* tape, std::uint32_t first, std::uint32_t end) : tape_(tape), first_(first), end_(end) {}
    const Tape* tape_;
    std::uint32_t first_;
    std::uint32_t end_;
};

inline Members Value::members() const {
    return is_object() ? Members(tape_, index_ + 1, tape_->at(index_).end) : Members(tape_, index_, index_);
}

inline Elements Value::elements() const {
    return is_array() ? Elements(tape_, index_ + 1, tape_->at(index_).end) : Elements(tape_, index_, index_);
}

class Document {
public:
    // Takes the body. Errors are of kind malformed with one of these codes: "body_empty", "body_too_large", "utf8_invalid",
    // "json_malformed", "json_too_deep", "json_trailing_text", "duplicate_key".
    [[nodiscard]] static core::Result<Document> parse(std::string body, const Limits& limits = {});

    Document(Document&&) noexcept;
    Document& operator=(Document&&) noexcept;
    ~Document();

    [[nodiscard]] Value root() const;
    // Path of the first key that its object has twice (only possible with reject_duplicate_keys off).
    [[nodiscard]] std::optional<std::string> find_duplicate_key() const;

private:
    explicit Document(std::unique_ptr<Tape> tape);
    std::unique_ptr<Tape> tape_;
};

}  // namespace syncline::json
