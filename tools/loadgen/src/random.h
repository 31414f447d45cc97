// Numbers that are the same on every machine: std's distributions are not, so only the engine is taken from it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <random>
#include <string_view>

namespace loadgen {

class Random {
public:
    // Streams of different numbers or names are independent, whatever their order of use.
    Random(std::uint64_t seed, std::uint64_t stream, std::string_view name = {}) : engine_(mixed(seed, stream, name)) {}

    // 0 … n-1; n > 0.
    [[nodiscard]] std::uint64_t below(std::uint64_t n) { return engine_() % n; }
    // from … to, both included.
    [[nodiscard]] std::int64_t between(std::int64_t from, std::int64_t to) {
        return from + static_cast<std::int64_t>(below(static_cast<std::uint64_t>(to - from + 1)));
    }
    // True in `per_million` of a million cases.
    [[nodiscard]] bool chance(std::uint64_t per_million) { return below(1'000'000) < per_million; }
    template <typename Range>
    [[nodiscard]] const auto& one_of(const Range& range) {
        return range[static_cast<std::size_t>(below(range.size()))];
    }

private:
    static std::uint64_t mixed(std::uint64_t seed, std::uint64_t stream, std::string_view name) {
        std::uint64_t value = seed * 0x9E3779B97F4A7C15ULL + stream;
        for (const char c : name) {
            value = (value ^ static_cast<unsigned char>(c)) * 0x100000001B3ULL;
        }
        // splitmix64's finish: neighbouring streams share no bits.
        value = (value ^ (value >> 30U)) * 0xBF58476D1CE4E5B9ULL;
        value = (value ^ (value >> 27U)) * 0x94D049BB133111EBULL;
        return value ^ (value >> 31U);
    }
    std::mt19937_64 engine_;
};

}  // namespace loadgen
