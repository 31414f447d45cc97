#include "snapshot/run_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <syncline/core/assert.h>
#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

namespace reconciliation {
namespace {

constexpr std::string_view kMagic = "SLRUN001";
constexpr std::size_t kTrailerBytes = 24;  // Magic, rows, checksum.
constexpr std::size_t kWriteBytes = 256UL * 1024;
// Two lengths, the key, the payload.
constexpr std::size_t kRowBytesMax = 6 + kKeyBytesMax + kPayloadBytesMax;
constexpr std::uint64_t kMultiplier = 0x9E3779B97F4A7C15;

core::Error spill_failed(const std::string& where) {
    return core::fail(core::ErrorKind::transient, "spill_failed", where + ": " + std::strerror(errno),
                      "look at the free space and the rights of the folder for snapshots")
        .error();
}

// In how many bytes two texts begin alike.
std::size_t shared_bytes(std::string_view a, std::string_view b) {
    const auto stop = std::min(a.size(), b.size());
    std::size_t at = 0;
    for (; at + sizeof(std::uint64_t) <= stop; at += sizeof(std::uint64_t)) {
        std::uint64_t word_of_a = 0;
        std::uint64_t word_of_b = 0;
        std::memcpy(&word_of_a, a.data() + at, sizeof word_of_a);
        std::memcpy(&word_of_b, b.data() + at, sizeof word_of_b);
        if (word_of_a != word_of_b) {
            break;
        }
    }
    while (at < stop && a[at] == b[at]) {
        ++at;
    }
    return at;
}

std::unexpected<core::Error> damaged(std::string code, std::string_view what) {
    return core::fail(core::ErrorKind::malformed, std::move(code), std::string(what));
}

}  // namespace

core::Result<SpillFile> SpillFile::nameless(const std::string& folder) {
    std::string path = folder + "/run-XXXXXX";
    const int descriptor = ::mkostemp(path.data(), O_CLOEXEC);
    if (descriptor < 0) {
        return std::unexpected(spill_failed(folder));
    }
    ::unlink(path.c_str());
    return SpillFile(descriptor, 0);
}

core::Result<SpillFile> SpillFile::open(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    struct stat about{};
    if (descriptor < 0 || ::fstat(descriptor, &about) != 0) {
        return std::unexpected(spill_failed(path));
    }
    return SpillFile(descriptor, static_cast<std::uint64_t>(about.st_size));
}

core::Result<SpillFile> SpillFile::again() const {
    const int descriptor = ::fcntl(descriptor_, F_DUPFD_CLOEXEC, 0);
    if (descriptor < 0) {
        return std::unexpected(spill_failed("opening it again"));
    }
    return SpillFile(descriptor, size_);
}

SpillFile::SpillFile(SpillFile&& other) noexcept : descriptor_(std::exchange(other.descriptor_, -1)), size_(other.size_) {}

SpillFile& SpillFile::operator=(SpillFile&& other) noexcept {
    std::swap(descriptor_, other.descriptor_);
    std::swap(size_, other.size_);
    return *this;
}

SpillFile::~SpillFile() {
    if (descriptor_ >= 0) {
        ::close(descriptor_);
    }
}

core::Result<void> SpillFile::append(std::string_view bytes) {
    while (!bytes.empty()) {
        const auto written = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(size_));
        if (written < 0) {
            if (errno == EINTR) {
                continue;
            }
            return std::unexpected(spill_failed("writing"));
        }
        size_ += static_cast<std::uint64_t>(written);
        bytes.remove_prefix(static_cast<std::size_t>(written));
    }
    return {};
}

core::Result<std::size_t> SpillFile::read_at(std::uint64_t offset, char* to, std::size_t count) const {
    std::size_t done = 0;
    while (done < count) {
        const auto got = ::pread(descriptor_, to + done, count - done, static_cast<off_t>(offset + done));
        if (got < 0) {
            if (errno == EINTR) {
                continue;
            }
            return std::unexpected(spill_failed("reading"));
        }
        if (got == 0) {
            break;
        }
        done += static_cast<std::size_t>(got);
    }
    return done;
}

void Checksum::mix(std::uint64_t word) {
    state_ = (state_ ^ word) * kMultiplier;
    state_ ^= state_ >> 32U;
}

void Checksum::add(std::string_view bytes) {
    length_ += bytes.size();
    const char* at = bytes.data();
    std::size_t left = bytes.size();
    for (; left > 0 && pending_bytes_ != 0; ++at, --left) {
        pending_ |= static_cast<std::uint64_t>(static_cast<unsigned char>(*at)) << (8 * pending_bytes_);
        if (++pending_bytes_ == sizeof(std::uint64_t)) {
            mix(std::exchange(pending_, 0));
            pending_bytes_ = 0;
        }
    }
    for (; left >= sizeof(std::uint64_t); at += sizeof(std::uint64_t), left -= sizeof(std::uint64_t)) {
        std::uint64_t word = 0;
        std::memcpy(&word, at, sizeof word);
        mix(word);
    }
    for (; left > 0; ++at, --left) {
        pending_ |= static_cast<std::uint64_t>(static_cast<unsigned char>(*at)) << (8 * pending_bytes_++);
    }
}

std::uint64_t Checksum::value() const {
    Checksum last = *this;
    last.mix(pending_);
    last.mix(length_);
    return last.state_;
}

RunWriter::RunWriter(SpillFile& file) : file_(file), buffer_(kWriteBytes) {}

core::Result<void> RunWriter::flush() {
    const std::string_view bytes(buffer_.data(), used_);
    used_ = 0;
    checksum_.add(bytes);
    return file_.append(bytes);
}

core::Result<void> RunWriter::add(std::string_view key, std::string_view payload) {
    SYNCLINE_ASSERT(key.size() <= kKeyBytesMax && payload.size() <= kPayloadBytesMax);
    if (buffer_.size() - used_ < kRowBytesMax) {
        if (auto flushed = flush(); !flushed) {
            return flushed;
        }
    }
    const auto shared = shared_bytes(key, last_key_);
    SYNCLINE_ASSERT(shared == last_key_.size() || (shared < key.size() && static_cast<unsigned char>(key[shared]) >
                                                                              static_cast<unsigned char>(last_key_[shared])));
    char* const to = buffer_.data();
    used_ += put_number(shared, to + used_);
    used_ += put_number(key.size() - shared, to + used_);
    std::memcpy(to + used_, key.data() + shared, key.size() - shared);
    used_ += key.size() - shared;
    std::memcpy(to + used_, payload.data(), payload.size());
    used_ += payload.size();
    last_key_.assign(key);
    ++rows_;
    return {};
}

core::Result<void> RunWriter::finish() {
    if (auto flushed = flush(); !flushed) {
        return flushed;
    }
    const auto checksum = checksum_.value();
    std::string trailer(kMagic);
    trailer.append(reinterpret_cast<const char*>(&rows_), sizeof rows_);
    trailer.append(reinterpret_cast<const char*>(&checksum), sizeof checksum);
    return file_.append(trailer);
}

RunReader::RunReader(SpillFile file, std::uint64_t rows, std::uint64_t checksum, std::uint64_t bytes)
    : file_(std::move(file)),
      rows_left_(rows),
      checksum_wanted_(checksum),
      bytes_left_(bytes),
      buffer_(kBufferBytes),
      key_(kKeyBytesMax) {}

core::Result<std::unique_ptr<RunReader>> RunReader::open(SpillFile file) {
    char trailer[kTrailerBytes] = {};
    if (file.size() < kTrailerBytes) {
        return damaged("snapshot_truncated", "the file has no trailer");
    }
    const auto bytes = file.size() - kTrailerBytes;
    const auto got = file.read_at(bytes, trailer, kTrailerBytes);
    if (!got) {
        return std::unexpected(got.error());
    }
    if (*got != kTrailerBytes || std::string_view(trailer, kMagic.size()) != kMagic) {
        return damaged("snapshot_truncated", "the file has no trailer");
    }
    std::uint64_t rows = 0;
    std::uint64_t checksum = 0;
    std::memcpy(&rows, trailer + kMagic.size(), sizeof rows);
    std::memcpy(&checksum, trailer + kMagic.size() + sizeof rows, sizeof checksum);
    return std::unique_ptr<RunReader>(new RunReader(std::move(file), rows, checksum, bytes));
}

core::Result<void> RunReader::fill() {
    std::memmove(buffer_.data(), buffer_.data() + begin_, end_ - begin_);
    end_ -= begin_;
    begin_ = 0;
    const auto wanted = static_cast<std::size_t>(std::min<std::uint64_t>(bytes_left_, buffer_.size() - end_));
    const auto got = file_.read_at(offset_, buffer_.data() + end_, wanted);
    if (!got) {
        return std::unexpected(got.error());
    }
    if (*got != wanted) {
        return damaged("snapshot_truncated", "the file became shorter");
    }
    checksum_.add({buffer_.data() + end_, wanted});
    offset_ += wanted;
    bytes_left_ -= wanted;
    end_ += wanted;
    return {};
}

core::Result<const StockRow*> RunReader::next() {
    if (rows_left_ == 0) {
        if (begin_ != end_ || bytes_left_ != 0 || checksum_.value() != checksum_wanted_) {
            return damaged("snapshot_checksum", "the rows are not those that were written");
        }
        return nullptr;
    }
    if (end_ - begin_ < kRowBytesMax && bytes_left_ > 0) {
        if (auto filled = fill(); !filled) {
            return std::unexpected(filled.error());
        }
    }
    const char* const from = buffer_.data() + begin_;
    const std::size_t size = end_ - begin_;
    std::size_t at = 0;
    std::uint64_t shared = 0;
    std::uint64_t rest = 0;
    if (!get_number(from, size, at, shared) || !get_number(from, size, at, rest) || shared > key_size_ ||
        rest > kKeyBytesMax - shared || rest > size - at) {
        return damaged("snapshot_checksum", "a row is damaged");
    }
    std::memcpy(key_.data() + shared, from + at, rest);
    key_size_ = shared + rest;
    at += rest;
    std::size_t used = 0;
    if (!unpack_payload(from + at, size - at, row_, used) || !split_key(key(), row_)) {
        return damaged("snapshot_checksum", "a row is damaged");
    }
    payload_ = {from + at, used};
    begin_ += at + used;
    --rows_left_;
    return &row_;
}

}  // namespace reconciliation
