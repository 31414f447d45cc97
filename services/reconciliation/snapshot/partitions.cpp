#include "snapshot/partitions.h"

#include <syncline/core/assert.h>
#include <cstring>
#include <limits>

#include "snapshot/packed_row.h"

namespace reconciliation {
namespace {

// Spreads SKUs that differ in their last digits only.
std::size_t part_of(std::string_view sku) {
    constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15;
    std::uint64_t mixed = sku.size();
    const auto mix = [&](std::uint64_t word) {
        mixed = (mixed ^ word) * kMultiplier;
        mixed ^= mixed >> 32U;
    };
    std::size_t at = 0;
    for (; at + sizeof(std::uint64_t) <= sku.size(); at += sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, sku.data() + at, sizeof word);
        mix(word);
    }
    std::uint64_t rest = 0;
    if (at < sku.size()) {
        std::memcpy(&rest, sku.data() + at, sku.size() - at);
    }
    mix(rest);
    return mixed % Partitions::kParts;
}

}  // namespace

Partitions::Partitions(SpillFile file) : file_(std::move(file)), buffers_(kParts * kPartBufferBytes) {}

core::Result<Partitions> Partitions::of(StockRows& rows, const std::string& folder) {
    auto file = SpillFile::nameless(folder);
    if (!file) {
        return std::unexpected(file.error());
    }
    Partitions partitions(std::move(*file));
    for (;;) {
        const auto row = rows.next();
        if (!row) {
            return std::unexpected(row.error());
        }
        if (*row == nullptr) {
            break;
        }
        if (auto added = partitions.add(**row); !added) {
            return std::unexpected(added.error());
        }
    }
    for (std::size_t part = 0; part < kParts; ++part) {
        if (auto flushed = partitions.flush(part); !flushed) {
            return std::unexpected(flushed.error());
        }
    }
    std::vector<char>().swap(partitions.buffers_);
    return partitions;
}

core::Result<void> Partitions::add(const StockRow& row) {
    if (auto checked = check_row(row); !checked) {
        return checked;
    }
    const auto part = part_of(row.sku);
    if (kPartBufferBytes - used_[part] < kPackedBytesMax) {
        if (auto flushed = flush(part); !flushed) {
            return flushed;
        }
    }
    used_[part] += pack_row(row, buffers_.data() + part * kPartBufferBytes + used_[part]);
    return {};
}

core::Result<void> Partitions::flush(std::size_t part) {
    if (used_[part] == 0) {
        return {};
    }
    pieces_[part].emplace_back(file_.size(), static_cast<std::uint32_t>(used_[part]));
    bytes_[part] += used_[part];
    const std::string_view bytes(buffers_.data() + part * kPartBufferBytes, used_[part]);
    used_[part] = 0;
    return file_.append(bytes);
}

core::Result<void> Partitions::load(std::size_t part, RowBlock& to) const {
    SYNCLINE_ASSERT(bytes_[part] <= std::numeric_limits<std::uint32_t>::max());
    const auto room = to.resize(static_cast<std::size_t>(bytes_[part]));
    std::size_t at = 0;
    for (const auto& [offset, size] : pieces_[part]) {
        const auto got = file_.read_at(offset, room.data() + at, size);
        if (!got) {
            return std::unexpected(got.error());
        }
        if (*got != size) {
            return core::fail(core::ErrorKind::transient, "spill_failed", "a spilled part became shorter");
        }
        at += size;
    }
    if (!to.index()) {
        return core::fail(core::ErrorKind::bug, "spill_damaged", "a packed row cannot be read");
    }
    to.sort();
    return {};
}

core::Result<void> Partitions::each_row(std::size_t part, const std::function<core::Result<void>(const StockRow&)>& take) const {
    std::vector<char> piece(kPartBufferBytes);
    for (const auto& [offset, size] : pieces_[part]) {
        const auto got = file_.read_at(offset, piece.data(), size);
        if (!got) {
            return std::unexpected(got.error());
        }
        for (std::size_t at = 0; at < *got;) {
            const auto bytes = packed_size({piece.data() + at, *got - at});
            StockRow row;
            std::size_t used = 0;
            const auto payload = bytes == 0 ? std::string_view() : packed_payload(piece.data() + at);
            if (bytes == 0 || !unpack_payload(payload.data(), payload.size(), row, used) ||
                !split_key(packed_key(piece.data() + at), row)) {
                return core::fail(core::ErrorKind::bug, "spill_damaged", "a packed row cannot be read");
            }
            if (auto taken = take(row); !taken) {
                return taken;
            }
            at += bytes;
        }
    }
    return {};
}

}  // namespace reconciliation
