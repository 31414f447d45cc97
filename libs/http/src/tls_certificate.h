// The certificate of a server: read from its files, read again when they change, swapped whole.
//
// current() from any thread; refresh() from one. Connections that stand keep the context they began with.
#pragma once

#include <sys/stat.h>

#include <syncline/core/error.h>
#include <syncline/http/server.h>
#include <array>
#include <atomic>
#include <boost/asio/ssl/context.hpp>
#include <memory>
#include <mutex>

namespace syncline::http {

class TlsCertificate {
public:
    // Fails with kind rejected, code "bad_certificate", when the files cannot be used together.
    [[nodiscard]] static core::Result<std::unique_ptr<TlsCertificate>> load(const TlsOptions& options);

    [[nodiscard]] std::shared_ptr<boost::asio::ssl::context> current() const;
    // Reads the files again if they changed since the last try; a bad pair leaves the current one in place.
    void refresh();
    [[nodiscard]] std::uint64_t reloads() const { return reloads_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::uint64_t errors() const { return errors_.load(std::memory_order_relaxed); }

private:
    struct Stamp {
        ino_t inode = 0;
        off_t size = 0;
        std::int64_t seconds = 0;
        std::int64_t nanoseconds = 0;
        friend bool operator==(const Stamp&, const Stamp&) = default;
    };
    using Stamps = std::array<Stamp, 2>;

    explicit TlsCertificate(TlsOptions options) : options_(std::move(options)) {}
    [[nodiscard]] static Stamp stamp_of(const std::string& file);
    [[nodiscard]] Stamps stamps() const { return {stamp_of(options_.certificate_file), stamp_of(options_.key_file)}; }
    [[nodiscard]] core::Result<std::shared_ptr<boost::asio::ssl::context>> read() const;

    TlsOptions options_;
    Stamps seen_{};
    mutable std::mutex mutex_;
    std::shared_ptr<boost::asio::ssl::context> context_;
    std::atomic<std::uint64_t> reloads_{0};
    std::atomic<std::uint64_t> errors_{0};
};

}  // namespace syncline::http
