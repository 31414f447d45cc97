// Where the bytes of a snapshot come from: a file, or a text in memory.
//
// One thread; read() blocks for the disk.
#pragma once

#include <syncline/core/error.h>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace reconciliation {

namespace core = syncline::core;

class ByteSource {
public:
    virtual ~ByteSource() = default;
    // Up to `count` bytes; 0 at the end.
    [[nodiscard]] virtual core::Result<std::size_t> read(char* to, std::size_t count) = 0;
};

// Errors: kind transient, code "snapshot_unreadable".
[[nodiscard]] core::Result<std::unique_ptr<ByteSource>> open_file(const std::string& path);
// A copy of `text`, in pieces of at most `piece` bytes.
[[nodiscard]] std::unique_ptr<ByteSource> memory_source(std::string text, std::size_t piece = 64UL * 1024);

}  // namespace reconciliation
