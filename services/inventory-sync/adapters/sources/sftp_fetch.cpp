#include "adapters/sources/sftp_fetch.h"

#include <curl/curl.h>
#include <fcntl.h>
#include <syncline/postgres/pool.h>
#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <mutex>
#include <vector>

namespace inventory_sync {
namespace {

namespace fs = std::filesystem;
using core::ErrorKind;
using syncline::postgres::Params;

constexpr std::chrono::seconds kTimeout{15};
constexpr long kConnectSeconds = 15;
constexpr long kListSeconds = 60;
constexpr long kFileSeconds = 30L * 60;
constexpr long kSlowBytes = 1024;  // Less than this a second for a minute is a dead connection.
constexpr long kSlowSeconds = 60;
constexpr std::size_t kListBytesMax = 8UL * 1024 * 1024;
constexpr std::size_t kNameBytesMax = 200;
constexpr std::size_t kSecretBytesMax = 64UL * 1024;

using Handle = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

// A name that is safe as one here and in a URL.
bool plain_name(std::string_view name) {
    return !name.empty() && name.size() <= kNameBytesMax && name.front() != '.' &&
           std::ranges::none_of(name, [](char c) { return c == '/' || static_cast<unsigned char>(c) < 0x20 || c == '\x7f'; });
}

std::string extension_of(const FileRule& rule) {
    return rule.format == FileFormat::xml ? ".xml" : ".csv";
}

core::Result<std::string> secret(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    std::string text(kSecretBytesMax, '\0');
    in.read(text.data(), static_cast<std::streamsize>(text.size()));
    text.resize(static_cast<std::size_t>(in.gcount()));
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) {
        text.pop_back();
    }
    if (text.empty()) {
        return core::fail(ErrorKind::unauthorized, "secret_unreadable", "cannot read " + path);
    }
    return text;
}

core::Error error_of(CURLcode code, bool connected) {
    switch (code) {
        case CURLE_PEER_FAILED_VERIFICATION:
            return {.kind = ErrorKind::unauthorized,
                    .code = "host_key_differs",
                    .message = "the server does not show the host key that the mapping names",
                    .hint = "compare host_key with ssh-keygen -lf on the server; until then nothing is fetched"};
        case CURLE_LOGIN_DENIED:
            return {
                .kind = ErrorKind::unauthorized, .code = "sftp_refused", .message = "the server refuses user, key or password"};
        case CURLE_FILESIZE_EXCEEDED:
            return {
                .kind = ErrorKind::rejected, .code = "file_too_large", .message = "the file is larger than the mapping allows"};
        default:
            return {.kind = ErrorKind::transient,
                    .code = "sftp_unavailable",
                    .message = std::string(connected ? "reading failed: " : "no connection: ") + curl_easy_strerror(code)};
    }
}

struct Listing {
    std::string text;
    bool too_long = false;
    static std::size_t take(char* bytes, std::size_t, std::size_t size, void* to) {
        auto& self = *static_cast<Listing*>(to);
        if (self.text.size() + size > kListBytesMax) {
            self.too_long = true;
            return 0;
        }
        self.text.append(bytes, size);
        return size;
    }
};

struct Sink {
    std::FILE* file = nullptr;
    std::int64_t left = 0;
    bool too_long = false;
    static std::size_t take(char* bytes, std::size_t, std::size_t size, void* to) {
        auto& self = *static_cast<Sink*>(to);
        self.left -= static_cast<std::int64_t>(size);
        self.too_long = self.left < 0;
        return self.too_long ? 0 : std::fwrite(bytes, 1, size, self.file);
    }
};

class Session {
public:
    Session(const SftpRule& rule, std::string password)
        : rule_(rule), password_(std::move(password)), curl_(curl_easy_init(), curl_easy_cleanup) {}

    // The names in the folder there, each with its line as the server lists it.
    core::Result<std::map<std::string, std::string>> list() {
        const auto names = folder(true);
        const auto lines = names ? folder(false) : names;
        if (!lines) {
            return std::unexpected(lines.error());
        }
        std::map<std::string, std::string> found;
        for (const auto& name : split(*names)) {
            if (!plain_name(name)) {
                continue;
            }
            for (const auto& line : split(*lines)) {
                if (line.ends_with(" " + name) && line.starts_with('-')) {
                    found[name] = line.substr(0, line.size() - name.size() - 1);
                }
            }
        }
        return found;
    }

    core::Result<void> download(const std::string& name, const fs::path& to) {
        std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen(to.c_str(), "wb"), std::fclose);
        if (!file) {
            return core::fail(ErrorKind::transient, "folder_unreadable", "the folder takes no file");
        }
        Sink sink{.file = file.get(), .left = rule_.bytes_max};
        begin(url_of(name), kFileSeconds);
        curl_easy_setopt(curl_.get(), CURLOPT_WRITEFUNCTION, Sink::take);
        curl_easy_setopt(curl_.get(), CURLOPT_WRITEDATA, &sink);
        curl_easy_setopt(curl_.get(), CURLOPT_FILETIME, 1L);
        const auto code = curl_easy_perform(curl_.get());
        if (sink.too_long) {
            return std::unexpected(error_of(CURLE_FILESIZE_EXCEEDED, true));
        }
        if (code != CURLE_OK) {
            return std::unexpected(error_of(code, true));
        }
        curl_off_t seconds = -1;
        curl_easy_getinfo(curl_.get(), CURLINFO_FILETIME_T, &seconds);
        if (std::fflush(file.get()) != 0 || ::fsync(fileno(file.get())) != 0) {
            return core::fail(ErrorKind::transient, "folder_unreadable", "the file cannot be written here");
        }
        file.reset();
        if (seconds > 0) {
            std::error_code failed;
            fs::last_write_time(to, std::chrono::file_clock::from_sys(std::chrono::sys_seconds(std::chrono::seconds(seconds))),
                                failed);
        }
        return {};
    }

    core::Result<void> remove(const std::string& name, bool with_marker) {
        begin(url_of({}), kListSeconds);
        Listing ignored;
        curl_easy_setopt(curl_.get(), CURLOPT_WRITEFUNCTION, Listing::take);
        curl_easy_setopt(curl_.get(), CURLOPT_WRITEDATA, &ignored);
        curl_easy_setopt(curl_.get(), CURLOPT_DIRLISTONLY, 1L);
        const auto quoted = [&](const std::string& file) {
            std::string text = "rm \"" + rule_.path + "/";
            for (const char c : file) {
                text += c == '"' || c == '\\' ? std::string("\\") + c : std::string(1, c);
            }
            return text + "\"";
        };
        curl_slist* commands = curl_slist_append(nullptr, quoted(name).c_str());
        if (with_marker) {
            commands = curl_slist_append(commands, quoted(name + ".done").c_str());
        }
        curl_easy_setopt(curl_.get(), CURLOPT_POSTQUOTE, commands);
        const auto code = curl_easy_perform(curl_.get());
        curl_easy_setopt(curl_.get(), CURLOPT_POSTQUOTE, nullptr);
        curl_slist_free_all(commands);
        return code == CURLE_OK ? core::Result<void>{} : std::unexpected(error_of(code, true));
    }

private:
    static std::vector<std::string> split(const std::string& text) {
        std::vector<std::string> lines;
        for (std::size_t at = 0; at < text.size();) {
            const auto end = std::min(text.find('\n', at), text.size());
            auto line = text.substr(at, end - at);
            if (!line.empty() && line.back() == '\r') {
                line.pop_back();
            }
            lines.push_back(std::move(line));
            at = end + 1;
        }
        return lines;
    }

    std::string url_of(const std::string& name) const {
        std::string url = "sftp://" + rule_.host + ":" + std::to_string(rule_.port);
        std::string path = rule_.path + "/" + name;
        std::size_t at = 0;
        while (at < path.size()) {
            const auto end = std::min(path.find('/', at), path.size());
            if (end > at) {
                char* escaped = curl_easy_escape(curl_.get(), path.data() + at, static_cast<int>(end - at));
                url += "/" + std::string(escaped != nullptr ? escaped : "");
                curl_free(escaped);
            }
            at = end + 1;
        }
        return url + (name.empty() ? "/" : "");
    }

    void begin(const std::string& url, long seconds) {
        auto* curl = curl_.get();
        // The connection stays open in the handle.
        curl_easy_reset(curl);
        curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
        curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "sftp");
        curl_easy_setopt(curl, CURLOPT_PROXY, "");
        curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectSeconds);
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, seconds);
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, kSlowBytes);
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kSlowSeconds);
        curl_easy_setopt(curl, CURLOPT_USERNAME, rule_.user.c_str());
        curl_easy_setopt(curl, CURLOPT_SSH_HOST_PUBLIC_KEY_SHA256, rule_.host_key.c_str());
        // The pin alone decides; no file of known hosts is read.
        curl_easy_setopt(curl, CURLOPT_SSH_KNOWNHOSTS, nullptr);
        if (!rule_.key_file.empty()) {
            curl_easy_setopt(curl, CURLOPT_SSH_AUTH_TYPES, static_cast<long>(CURLSSH_AUTH_PUBLICKEY));
            curl_easy_setopt(curl, CURLOPT_SSH_PRIVATE_KEYFILE, rule_.key_file.c_str());
        } else {
            curl_easy_setopt(curl, CURLOPT_SSH_AUTH_TYPES, static_cast<long>(CURLSSH_AUTH_PASSWORD));
            curl_easy_setopt(curl, CURLOPT_PASSWORD, password_.c_str());
        }
    }

    core::Result<std::string> folder(bool names_only) {
        Listing listing;
        begin(url_of({}), kListSeconds);
        curl_easy_setopt(curl_.get(), CURLOPT_DIRLISTONLY, names_only ? 1L : 0L);
        curl_easy_setopt(curl_.get(), CURLOPT_WRITEFUNCTION, Listing::take);
        curl_easy_setopt(curl_.get(), CURLOPT_WRITEDATA, &listing);
        const auto code = curl_easy_perform(curl_.get());
        if (listing.too_long) {
            return core::fail(ErrorKind::rejected, "folder_too_large", "the folder on the server has too many files");
        }
        if (code != CURLE_OK) {
            return std::unexpected(error_of(code, false));
        }
        return std::move(listing.text);
    }

    const SftpRule& rule_;
    const std::string password_;
    Handle curl_;
};

}  // namespace

SftpFetch::SftpFetch(syncline::postgres::Pool& pool, core::Clock& clock) : pool_(pool), clock_(clock) {
    static std::once_flag once;
    std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

core::Result<std::uint64_t> SftpFetch::fetch(const std::string& source, const FolderRule& rule,
                                             const std::function<bool()>& ours) {
    if (!rule.sftp) {
        return std::uint64_t{0};
    }
    auto& next = next_[source];
    if (clock_.steady() < next) {
        return std::uint64_t{0};
    }
    next = clock_.steady() + rule.sftp->every;
    const auto readable = secret(rule.sftp->key_file.empty() ? rule.sftp->password_file : rule.sftp->key_file);
    if (!readable) {
        return std::unexpected(readable.error());
    }
    Session session(*rule.sftp, *readable);
    const auto there = session.list();
    if (!there) {
        return std::unexpected(there.error());
    }
    const auto rows = pool_.exec(core::Deadline(clock_, kTimeout), "SELECT name, identity FROM fetched_files WHERE source = $1",
                                 Params{}.add(source));
    if (!rows) {
        return std::unexpected(rows.error());
    }
    std::map<std::string, std::string> fetched;
    for (const auto row : *rows) {
        fetched[row.string(0)] = row.string(1);
    }
    // What is gone there need not be remembered.
    std::vector<std::string> gone;
    for (const auto& [name, identity] : fetched) {
        if (!there->contains(name)) {
            gone.push_back(name);
        }
    }
    if (!gone.empty()) {
        const auto forgotten = pool_.exec(core::Deadline(clock_, kTimeout),
                                          "DELETE FROM fetched_files WHERE source = $1 AND name = ANY ($2::text[])",
                                          Params{}.add(source).add_array(gone));
        if (!forgotten) {
            return std::unexpected(forgotten.error());
        }
    }
    const auto extension = extension_of(rule.file);
    std::uint64_t count = 0;
    for (const auto& [name, identity] : *there) {
        if (!name.ends_with(extension) || name == extension || (!rule.by_rename && !there->contains(name + ".done"))) {
            continue;
        }
        const auto known = fetched.find(name);
        if (known != fetched.end() && known->second == identity) {
            if (rule.sftp->delete_after) {
                // Fetched before; deleting it was what failed.
                if (auto removed = session.remove(name, !rule.by_rename); !removed) {
                    return std::unexpected(std::move(removed.error()));
                }
            }
            continue;
        }
        if (!ours()) {
            break;
        }
        const fs::path folder(rule.folder);
        const auto part = folder / ("." + name + ".part");
        if (auto done = session.download(name, part); !done) {
            std::error_code ignored;
            fs::remove(part, ignored);
            return std::unexpected(std::move(done.error()));
        }
        // Written anew while it was read? Then its line there differs, and it is fetched once it rests.
        const auto after = session.list();
        if (!after) {
            return std::unexpected(after.error());
        }
        std::error_code failed;
        if (const auto still = after->find(name); still == after->end() || still->second != identity) {
            fs::remove(part, failed);
            continue;
        }
        fs::rename(part, folder / name, failed);
        if (!failed && !rule.by_rename) {
            std::ofstream(folder / (name + ".done"));
        }
        if (failed) {
            return core::fail(ErrorKind::transient, "folder_unreadable", "the folder takes no file");
        }
        ++count;
        // A crash before this fetches it once more: equal reports are equal events.
        const auto kept = pool_.exec(core::Deadline(clock_, kTimeout), R"sql(
INSERT INTO fetched_files (source, name, identity, at) VALUES ($1, $2, $3, $4)
ON CONFLICT (source, name) DO UPDATE SET identity = excluded.identity, at = excluded.at)sql",
                                     Params{}.add(source).add(name).add(identity).add(clock_.now()));
        if (!kept) {
            return std::unexpected(kept.error());
        }
        if (rule.sftp->delete_after) {
            if (auto removed = session.remove(name, !rule.by_rename); !removed) {
                return std::unexpected(std::move(removed.error()));
            }
        }
    }
    return count;
}

}  // namespace inventory_sync
