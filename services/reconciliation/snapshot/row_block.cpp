#include "snapshot/row_block.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

namespace reconciliation {
namespace {

// Of the memory, the shares of rows and of entries (twice: sorted from one list into the other). Rows take 30 to 60 bytes.
constexpr std::size_t kBlockShare = 4;
constexpr std::size_t kEntryShare = 2;
constexpr std::size_t kShares = kBlockShare + 2 * kEntryShare;

constexpr std::size_t kWords = 4;  // Of a key, looked at at once.
constexpr std::size_t kWordBytes = sizeof(std::uint64_t);
constexpr unsigned kByteBits = 8;
constexpr unsigned kBitsMax = 64;
constexpr unsigned kDigitBits = 8;
constexpr std::size_t kDigits = std::size_t{1} << kDigitBits;
constexpr std::size_t kRadixMin = 1024;  // Fewer are sorted faster by comparing.
constexpr std::size_t kCacheLine = 64;
constexpr std::size_t kAhead = 16;  // Rows asked for before they are needed.

// Up to eight bytes at `at` as a number that sorts as they do; what is missing counts as zero.
std::uint64_t word_of(std::string_view key, std::size_t at) {
    std::uint64_t word = 0;
    if (at + kWordBytes <= key.size()) {
        std::memcpy(&word, key.data() + at, kWordBytes);
    } else if (at < key.size()) {
        std::memcpy(&word, key.data() + at, key.size() - at);
    }
    if constexpr (std::endian::native == std::endian::little) {
        word = __builtin_bswap64(word);
    }
    return word;
}

// Which bits of a word are kept, as shifts and masks of those of its bytes that have any.
struct Part {
    std::size_t word;
    unsigned shift;
    unsigned bits;
    std::uint64_t mask;
};

}  // namespace

RowBlock::RowBlock(std::size_t bytes_max) : block_(bytes_max / kShares * kBlockShare) {
    entries_.reserve(bytes_max / kShares * kEntryShare / sizeof(Entry));
}

bool RowBlock::add(const StockRow& row) {
    if (entries_.size() == entries_.capacity() || block_.size() - used_ < kPackedBytesMax) {
        return false;
    }
    entries_.push_back({.bits = 0, .offset = static_cast<std::uint32_t>(used_)});
    used_ += pack_row(row, block_.data() + used_);
    return true;
}

std::span<char> RowBlock::resize(std::size_t bytes) {
    entries_.clear();
    used_ = bytes;
    if (block_.size() < bytes) {
        block_.resize(bytes);
    }
    return {block_.data(), bytes};
}

bool RowBlock::index() {
    for (std::size_t at = 0; at < used_;) {
        const auto bytes = packed_size({block_.data() + at, used_ - at});
        if (bytes == 0) {
            return false;
        }
        entries_.push_back({.bits = 0, .offset = static_cast<std::uint32_t>(at)});
        at += bytes;
    }
    return true;
}

std::string_view RowBlock::key(std::size_t at) const {
    if (at + kAhead < entries_.size()) {
        const char* const soon = block_.data() + entries_[at + kAhead].offset;
        __builtin_prefetch(soon);
        __builtin_prefetch(soon + kCacheLine);
    }
    return packed_key(block_.data() + entries_[at].offset);
}

std::string_view RowBlock::payload(std::size_t at) const {
    return packed_payload(block_.data() + entries_[at].offset);
}

std::size_t RowBlock::load(std::span<Entry> entries, std::size_t depth) const {
    std::array<std::uint64_t, kWords> first{};
    std::array<std::uint64_t, kWords> differ{};
    const auto first_key = packed_key(block_.data() + entries.front().offset);
    for (std::size_t word = 0; word < kWords; ++word) {
        first[word] = word_of(first_key, depth + word * kWordBytes);
    }
    for (std::size_t at = 0; at < entries.size(); ++at) {
        if (at + kAhead < entries.size()) {
            __builtin_prefetch(block_.data() + entries[at + kAhead].offset);
        }
        const auto key = packed_key(block_.data() + entries[at].offset);
        for (std::size_t word = 0; word < kWords; ++word) {
            differ[word] |= word_of(key, depth + word * kWordBytes) ^ first[word];
        }
    }
    std::array<Part, kWords * kWordBytes> parts{};
    std::size_t count = 0;
    unsigned bits = 0;
    std::size_t covered = 0;
    for (; covered < kWords * kWordBytes; ++covered) {
        const auto word = covered / kWordBytes;
        const auto byte_shift = static_cast<unsigned>(kWordBytes - 1 - covered % kWordBytes) * kByteBits;
        const auto byte = static_cast<std::uint8_t>(differ[word] >> byte_shift);
        if (byte == 0) {
            continue;
        }
        const auto low = static_cast<unsigned>(std::countr_zero(byte));
        const auto width = static_cast<unsigned>(std::bit_width(byte)) - low;
        if (bits + width > kBitsMax) {
            break;
        }
        bits += width;
        parts[count++] = {.word = word, .shift = byte_shift + low, .bits = width, .mask = (std::uint64_t{1} << width) - 1};
    }
    for (std::size_t at = 0; at < entries.size(); ++at) {
        if (at + kAhead < entries.size()) {
            __builtin_prefetch(block_.data() + entries[at + kAhead].offset);
        }
        const auto key = packed_key(block_.data() + entries[at].offset);
        std::array<std::uint64_t, kWords> words;
        for (std::size_t word = 0; word < kWords; ++word) {
            words[word] = word_of(key, depth + word * kWordBytes);
        }
        std::uint64_t packed = 0;
        for (std::size_t part = 0; part < count; ++part) {
            packed = (packed << parts[part].bits) | ((words[parts[part].word] >> parts[part].shift) & parts[part].mask);
        }
        entries[at].bits = packed;
    }
    return covered;
}

// By digits, the lowest first; keeps the order of equals.
void RowBlock::radix_sort(std::span<Entry> entries) {
    scratch_.resize(entries_.size());
    std::uint64_t largest = 0;
    for (const auto& entry : entries) {
        largest = std::max(largest, entry.bits);
    }
    std::span<Entry> from = entries;
    std::span<Entry> to(scratch_.data(), entries.size());
    for (unsigned shift = 0; shift < static_cast<unsigned>(std::bit_width(largest)); shift += kDigitBits) {
        std::array<std::uint32_t, kDigits> starts{};
        for (const auto& entry : from) {
            ++starts[(entry.bits >> shift) & (kDigits - 1)];
        }
        std::uint32_t sum = 0;
        for (auto& start : starts) {
            sum += std::exchange(start, sum);
        }
        for (const auto& entry : from) {
            to[starts[(entry.bits >> shift) & (kDigits - 1)]++] = entry;
        }
        std::swap(from, to);
    }
    if (from.data() != entries.data()) {
        std::ranges::copy(from, entries.begin());
    }
}

void RowBlock::sort(std::span<Entry> entries, std::size_t depth) {
    const auto covered = load(entries, depth);
    if (entries.size() >= kRadixMin) {
        radix_sort(entries);
    } else {
        std::ranges::sort(
            entries, [](const Entry& a, const Entry& b) { return a.bits != b.bits ? a.bits < b.bits : a.offset < b.offset; });
    }
    // Entries that agree so far differ further on, if their keys go on.
    for (std::size_t at = 0; at < entries.size();) {
        std::size_t stop = at + 1;
        while (stop < entries.size() && entries[stop].bits == entries[at].bits) {
            ++stop;
        }
        if (const auto equals = entries.subspan(at, stop - at);
            equals.size() > 1 && std::ranges::any_of(equals, [&](const Entry& entry) {
                return packed_key(block_.data() + entry.offset).size() > depth + covered;
            })) {
            sort(equals, depth + covered);
        }
        at = stop;
    }
}

void RowBlock::sort() {
    if (!entries_.empty()) {
        sort(entries_, 0);
    }
}

void RowBlock::clear() {
    entries_.clear();
    used_ = 0;
}

core::Result<const StockRow*> BlockRows::next() {
    if (at_ == block_.size()) {
        return nullptr;
    }
    std::size_t used = 0;
    const auto payload = block_.payload(at_);
    const auto key = block_.key(at_++);
    if (!unpack_payload(payload.data(), payload.size(), row_, used) || !split_key(key, row_)) {
        return core::fail(core::ErrorKind::bug, "spill_damaged", "a packed row cannot be read");
    }
    return &row_;
}

}  // namespace reconciliation
