// Tokens in a file. The lock is a file of its own: the one with the tokens is replaced, and a lock on it would go with it.
#include <fcntl.h>
#include <syncline/core/time.h>
#include <syncline/json/document.h>
#include <syncline/json/writer.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <condition_variable>
#include <mutex>
#include <utility>

#include "syncline/shopify/token.h"

namespace syncline::shopify {
namespace {

using core::ErrorKind;

constexpr std::size_t kFileBytesMax = 64U << 10U;
constexpr auto kLockLook = std::chrono::milliseconds{20};

class Descriptor {
public:
    explicit Descriptor(int descriptor) : descriptor_(descriptor) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (descriptor_ >= 0) {
            ::close(descriptor_);
        }
    }
    [[nodiscard]] int get() const { return descriptor_; }
    [[nodiscard]] bool ok() const { return descriptor_ >= 0; }

private:
    int descriptor_;
};

class FileTokenStore final : public TokenStore {
public:
    FileTokenStore(std::string path, core::Clock& clock) : path_(std::move(path)), clock_(clock) {}

    core::Result<StoredToken> read() override {
        const Descriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
        if (!file.ok()) {
            return core::fail(ErrorKind::unauthorized, "token_store_unreadable", path_ + " cannot be read",
                              "write access_token, refresh_token, expires_at and refresh_token_expires_at of the app into it");
        }
        std::string text;
        std::array<char, 4096> piece{};
        for (;;) {
            const auto got = ::read(file.get(), piece.data(), piece.size());
            if (got < 0 && errno == EINTR) {
                continue;
            }
            if (got < 0 || text.size() > kFileBytesMax) {
                return unreadable();
            }
            if (got == 0) {
                break;
            }
            text.append(piece.data(), static_cast<std::size_t>(got));
        }
        return parse(std::move(text));
    }

    core::Result<StoredToken> update(const core::Deadline& deadline, const Renew& renew) override {
        const Descriptor lock(::open((path_ + ".lock").c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
        if (!lock.ok()) {
            return unwritable();
        }
        while (::flock(lock.get(), LOCK_EX | LOCK_NB) != 0) {
            if (deadline.passed()) {
                return core::fail(ErrorKind::transient, "token_store_locked", "another process renews the token");
            }
            std::mutex mutex;
            std::condition_variable never;
            std::unique_lock waiting(mutex);
            clock_.wait_until(waiting, never, std::min(deadline.at(), clock_.steady() + kLockLook), [] { return false; });
        }
        auto now = read();
        if (!now) {
            return now;
        }
        auto next = renew(*now);
        if (!next) {
            return std::unexpected(std::move(next.error()));
        }
        if (!*next) {
            return now;
        }
        if (auto written = write(**next); !written) {
            return std::unexpected(std::move(written.error()));
        }
        return std::move(**next);
    }

private:
    [[nodiscard]] std::unexpected<core::Error> unreadable() const {
        return core::fail(ErrorKind::unauthorized, "token_store_unreadable", path_ + " holds no tokens");
    }
    [[nodiscard]] std::unexpected<core::Error> unwritable() const {
        return core::fail(ErrorKind::transient, "token_store_unwritable", path_ + " cannot be written",
                          "the folder of the token store must be writable for the service's user");
    }

    [[nodiscard]] core::Result<StoredToken> parse(std::string text) const {
        const auto document = json::Document::parse(std::move(text));
        if (!document) {
            return unreadable();
        }
        const auto root = document->root();
        const auto access = root.string_of("access_token");
        const auto refresh = root.string_of("refresh_token");
        const auto expires = root.string_of("expires_at");
        const auto refresh_expires = root.string_of("refresh_token_expires_at");
        const auto at = expires ? core::parse_rfc3339(*expires) : core::Result<core::SystemTime>(core::SystemTime{});
        const auto refresh_at =
            refresh_expires ? core::parse_rfc3339(*refresh_expires) : core::Result<core::SystemTime>(core::SystemTime{});
        if (!access || !refresh || !expires || !at || !refresh_at) {
            return unreadable();
        }
        return StoredToken{.access_token = std::string(*access),
                           .refresh_token = std::string(*refresh),
                           .expires_at = *at,
                           .refresh_expires_at = *refresh_at};
    }

    [[nodiscard]] core::Result<void> write(const StoredToken& token) const {
        json::Writer out;
        out.begin_object()
            .member("access_token", token.access_token)
            .member("refresh_token", token.refresh_token)
            .member("expires_at", core::format_rfc3339_utc(token.expires_at))
            .member("refresh_token_expires_at", core::format_rfc3339_utc(token.refresh_expires_at))
            .end_object();
        const auto text = std::move(out).take() + "\n";
        const auto next = path_ + ".next";
        const Descriptor file(::open(next.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
        if (!file.ok()) {
            return unwritable();
        }
        std::size_t written = 0;
        while (written < text.size()) {
            const auto put = ::write(file.get(), text.data() + written, text.size() - written);
            if (put < 0 && errno == EINTR) {
                continue;
            }
            if (put <= 0) {
                return unwritable();
            }
            written += static_cast<std::size_t>(put);
        }
        const auto slash = path_.rfind('/');
        const Descriptor folder(
            ::open(slash == std::string::npos ? "." : path_.substr(0, slash + 1).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
        if (::fsync(file.get()) != 0 || ::rename(next.c_str(), path_.c_str()) != 0 || !folder.ok() ||
            ::fsync(folder.get()) != 0) {
            return unwritable();
        }
        return {};
    }

    const std::string path_;
    core::Clock& clock_;
};

}  // namespace

std::unique_ptr<TokenStore> make_file_token_store(std::string path, core::Clock& clock) {
    return std::make_unique<FileTokenStore>(std::move(path), clock);
}

}  // namespace syncline::shopify
