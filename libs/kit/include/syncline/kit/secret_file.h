// A secret that lives in a file (a mounted Kubernetes Secret): read when first asked for, again when the file changes.
//
//   SecretFile api_key;                                       // a member of a Config
//   schema.add("target.api_key_file", api_key, {.help = "…", .required = true});
//   request.header("Authorization", "bearer " + api_key.current());
//
// A cheap handle: copies share one cached content. Any thread. current() looks at the file at most once a second (one stat);
// it never blocks longer than reading a small local file. A file that vanishes or becomes empty keeps the last good content.
// The content is never printed: logs, --check-config and --describe show the path alone.
#pragma once

#include <syncline/core/error.h>
#include <memory>
#include <string>
#include <string_view>

namespace syncline::kit {

class SecretFile {
public:
    // No file: current() is empty, configured() false.
    SecretFile();
    explicit SecretFile(std::string path);
    // A fixed content without a file, for tests.
    static SecretFile of(std::string content);

    [[nodiscard]] bool configured() const;
    [[nodiscard]] const std::string& path() const;
    // The content without trailing newlines; empty if there never was a readable one.
    [[nodiscard]] std::string current() const;
    // Looks at the file now, whatever the age of the last look (a signature failed: perhaps the secret was just rotated).
    // True if the content changed.
    bool refresh() const;
    // Whether the file can be read and is not empty; the error (kind unauthorized, code secret_unreadable) names path and cure.
    [[nodiscard]] core::Result<void> check() const;

private:
    struct State;
    std::shared_ptr<State> state_;
};

// "postgresql://app:****@db/syncline" from a URL or conninfo text with a password; other text comes back unchanged.
[[nodiscard]] std::string mask_password(std::string_view url);

}  // namespace syncline::kit
