// A sorted run of rows on disk, and how it is read back.
//
// Each row holds how many bytes of its key are those of the row before, the rest of the key, and the payload. The file ends with
// a trailer: the number of rows and a checksum over all bytes. A file without its trailer was cut off or is still being written
// and is refused (kind malformed, code "snapshot_truncated"); one whose bytes changed is refused at its end
// ("snapshot_checksum"). Files of our own: the checksum finds damage, not malice. One thread each.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "domain/stock_rows.h"
#include "snapshot/packed_row.h"

namespace reconciliation {

// A file of a folder that has no name, so that it is gone with the process; or one with a name.
class SpillFile {
public:
    // Errors: kind transient, code "spill_failed" (no such folder, disk full).
    [[nodiscard]] static core::Result<SpillFile> nameless(const std::string& folder);
    [[nodiscard]] static core::Result<SpillFile> open(const std::string& path);
    // The same file once more, to be read by somebody else.
    [[nodiscard]] core::Result<SpillFile> again() const;
    SpillFile(SpillFile&& other) noexcept;
    SpillFile& operator=(SpillFile&& other) noexcept;
    ~SpillFile();

    [[nodiscard]] core::Result<void> append(std::string_view bytes);
    // Exactly `count` bytes at `offset`; fewer at the end of the file. Gives how many.
    [[nodiscard]] core::Result<std::size_t> read_at(std::uint64_t offset, char* to, std::size_t count) const;
    [[nodiscard]] std::uint64_t size() const { return size_; }

private:
    SpillFile(int descriptor, std::uint64_t size) : descriptor_(descriptor), size_(size) {}
    int descriptor_;
    std::uint64_t size_;
};

// A checksum of bytes that come in pieces, of any sizes.
class Checksum {
public:
    void add(std::string_view bytes);
    [[nodiscard]] std::uint64_t value() const;

private:
    void mix(std::uint64_t word);
    std::uint64_t state_ = 0x9E3779B97F4A7C15;
    std::uint64_t pending_ = 0;
    unsigned pending_bytes_ = 0;
    std::uint64_t length_ = 0;
};

class RunWriter {
public:
    explicit RunWriter(SpillFile& file);
    // Keys must not fall (asserted).
    [[nodiscard]] core::Result<void> add(std::string_view key, std::string_view payload);
    // Writes the trailer; nothing may follow.
    [[nodiscard]] core::Result<void> finish();

private:
    [[nodiscard]] core::Result<void> flush();
    SpillFile& file_;
    std::vector<char> buffer_;
    std::size_t used_ = 0;
    std::string last_key_;
    std::uint64_t rows_ = 0;
    Checksum checksum_;
};

class RunReader final : public StockRows {
public:
    static constexpr std::size_t kBufferBytes = 64UL * 1024;

    // Reads the trailer. The file is the reader's.
    [[nodiscard]] static core::Result<std::unique_ptr<RunReader>> open(SpillFile file);
    [[nodiscard]] core::Result<const StockRow*> next() override;
    // Of the row that next() gave last.
    [[nodiscard]] std::string_view key() const { return {key_.data(), key_size_}; }
    [[nodiscard]] std::string_view payload() const { return payload_; }
    [[nodiscard]] const StockRow& row() const { return row_; }

private:
    RunReader(SpillFile file, std::uint64_t rows, std::uint64_t checksum, std::uint64_t bytes);
    [[nodiscard]] core::Result<void> fill();

    SpillFile file_;
    std::uint64_t rows_left_;
    std::uint64_t checksum_wanted_;
    std::uint64_t bytes_left_;  // Of rows, not yet in the buffer.
    std::uint64_t offset_ = 0;
    std::vector<char> buffer_;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
    std::vector<char> key_;
    std::size_t key_size_ = 0;
    std::string_view payload_;
    Checksum checksum_;
    StockRow row_;
};

}  // namespace reconciliation
