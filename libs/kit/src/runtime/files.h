// Small local files, read whole. Internal to the runtime.
#pragma once

#include <syncline/core/error.h>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>

namespace syncline::kit {

// What tells one content of a path from the next without reading it; follows symlinks, so a swapped ..data is a change.
struct FileStamp {
    std::uint64_t device = 0;
    std::uint64_t inode = 0;
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;
    std::int64_t bytes = 0;
    friend bool operator==(const FileStamp&, const FileStamp&) = default;
};

// Nothing if there is no such file.
[[nodiscard]] std::optional<FileStamp> stamp_of(const std::string& path);

// The whole content. Errors: kind transient, code "file_unreadable" or "file_too_large"; the message names the path and the
// reason.
[[nodiscard]] core::Result<std::string> read_file(const std::string& path, std::size_t bytes_max);

// The folder of a path, "." for a bare name.
[[nodiscard]] std::string folder_of(const std::string& path);

}  // namespace syncline::kit
