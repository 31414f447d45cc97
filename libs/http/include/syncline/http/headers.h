// Header fields of one HTTP message, in the order they came, names in lower case.
//
// A plain value: copy it, move it, keep it. Looking a name up is linear, which is the fastest thing for the twenty fields
// a message has.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace syncline::http {

struct Header {
    std::string name;  // Lower case.
    std::string value;
    friend bool operator==(const Header&, const Header&) = default;
};

class Headers {
public:
    Headers() = default;
    Headers(std::initializer_list<Header> fields);

    // Appends; the name is turned into lower case.
    void add(std::string_view name, std::string_view value);
    // The first field of that name (given in lower case), nullopt if there is none. Valid until the next add().
    [[nodiscard]] std::optional<std::string_view> find(std::string_view lower_case_name) const;
    // As find(), but an empty text when absent.
    [[nodiscard]] std::string_view get(std::string_view lower_case_name) const;
    [[nodiscard]] std::size_t count(std::string_view lower_case_name) const;

    [[nodiscard]] auto begin() const { return fields_.begin(); }
    [[nodiscard]] auto end() const { return fields_.end(); }
    [[nodiscard]] std::size_t size() const { return fields_.size(); }
    [[nodiscard]] bool empty() const { return fields_.empty(); }

private:
    std::vector<Header> fields_;
};

}  // namespace syncline::http
