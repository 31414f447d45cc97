// Requests and bytes in flight, altogether and per tag. Shared by the io threads of one server; every member from any thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <string_view>

namespace syncline::http {

class Budget {
public:
    struct Limits {
        std::size_t requests_max = 0;
        std::size_t bytes_max = 0;
        std::size_t tag_requests_max = 0;
        std::size_t tag_bytes_max = 0;
    };
    // What one tag uses now. Lives while somebody holds it.
    struct Tag {
        std::size_t holders = 0;
        std::size_t requests = 0;
        std::size_t bytes = 0;
    };
    enum class Verdict : std::uint8_t { granted, total_reached, tag_reached };

    explicit Budget(const Limits& limits) : limits_(limits) {}

    // nullptr for an empty name. Give it back with release().
    [[nodiscard]] Tag* hold(std::string_view name);
    void release(std::string_view name, Tag* tag);

    [[nodiscard]] Verdict take_bytes(Tag* tag, std::size_t bytes);
    void give_bytes(Tag* tag, std::size_t bytes);
    [[nodiscard]] Verdict take_request(Tag* tag);
    void give_request(Tag* tag);
    // Whether take_request() would be granted now.
    [[nodiscard]] Verdict room_for_request(const Tag* tag) const;

    [[nodiscard]] std::size_t requests() const;
    [[nodiscard]] std::size_t bytes() const;

private:
    [[nodiscard]] Verdict request_verdict(const Tag* tag) const;

    Limits limits_;
    mutable std::mutex mutex_;
    std::map<std::string, Tag, std::less<>> tags_;
    std::size_t requests_ = 0;
    std::size_t bytes_ = 0;
};

}  // namespace syncline::http
