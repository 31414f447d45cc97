#include "src/runtime/files.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace syncline::kit {
namespace {

std::int64_t nanos(const timespec& time) {
    return std::int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

std::optional<FileStamp> stamp_of(const std::string& path) {
    struct stat found{};
    if (::stat(path.c_str(), &found) != 0) {
        return std::nullopt;
    }
    return FileStamp{.device = found.st_dev,
                     .inode = found.st_ino,
                     .modified_ns = nanos(found.st_mtim),
                     .changed_ns = nanos(found.st_ctim),
                     .bytes = found.st_size};
}

core::Result<std::string> read_file(const std::string& path, std::size_t bytes_max) {
    const auto failed = [&path](int error) {
        return core::fail(core::ErrorKind::transient, "file_unreadable",
                          fmt::format("cannot read {}: {}", path, std::strerror(error)));
    };
    const int file = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (file < 0) {
        return failed(errno);
    }
    std::string content;
    std::array<char, 16384> piece{};
    while (true) {
        const ssize_t got = ::read(file, piece.data(), piece.size());
        if (got < 0 && errno == EINTR) {
            continue;
        }
        if (got < 0) {
            const int error = errno;
            ::close(file);
            return failed(error);
        }
        if (got == 0) {
            break;
        }
        content.append(piece.data(), static_cast<std::size_t>(got));
        if (content.size() > bytes_max) {
            ::close(file);
            return core::fail(core::ErrorKind::transient, "file_too_large",
                              fmt::format("{} is larger than {} bytes", path, bytes_max));
        }
    }
    ::close(file);
    return content;
}

std::string folder_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) {
        return ".";
    }
    return slash == 0 ? "/" : path.substr(0, slash);
}

}  // namespace syncline::kit
