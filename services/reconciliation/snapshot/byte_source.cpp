#include "snapshot/byte_source.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace reconciliation {
namespace {

class FileSource final : public ByteSource {
public:
    explicit FileSource(int descriptor) : descriptor_(descriptor) {}
    ~FileSource() override { ::close(descriptor_); }
    FileSource(const FileSource&) = delete;
    FileSource& operator=(const FileSource&) = delete;

    core::Result<std::size_t> read(char* to, std::size_t count) override {
        for (;;) {
            const auto got = ::read(descriptor_, to, count);
            if (got >= 0) {
                return static_cast<std::size_t>(got);
            }
            if (errno != EINTR) {
                return core::fail(core::ErrorKind::transient, "snapshot_unreadable", std::strerror(errno));
            }
        }
    }

private:
    int descriptor_;
};

class MemorySource final : public ByteSource {
public:
    MemorySource(std::string text, std::size_t piece) : text_(std::move(text)), piece_(piece) {}

    core::Result<std::size_t> read(char* to, std::size_t count) override {
        const auto taken = std::min({count, piece_, text_.size() - at_});
        std::memcpy(to, text_.data() + at_, taken);
        at_ += taken;
        return taken;
    }

private:
    std::string text_;
    std::size_t piece_;
    std::size_t at_ = 0;
};

}  // namespace

core::Result<std::unique_ptr<ByteSource>> open_file(const std::string& path) {
    const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (descriptor < 0) {
        return core::fail(core::ErrorKind::transient, "snapshot_unreadable", path + ": " + std::strerror(errno));
    }
    ::posix_fadvise(descriptor, 0, 0, POSIX_FADV_SEQUENTIAL);
    return std::make_unique<FileSource>(descriptor);
}

std::unique_ptr<ByteSource> memory_source(std::string text, std::size_t piece) {
    return std::make_unique<MemorySource>(std::move(text), piece);
}

}  // namespace reconciliation
