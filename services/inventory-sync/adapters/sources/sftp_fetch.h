// Fetches a source's files from its SFTP server into the folder that adapters/sources/file_source reads, each once.
//
// The server must show the pinned host key. A file is taken once it is complete there by the folder's own rule (NAME.done beside
// it, or its name alone where the writer renames), written under another name, then renamed, with the time it has there: that is
// when its levels were observed. What was fetched is remembered with size and time as the server lists them, so a file that is
// written anew under an old name is fetched again; with `delete_after` it is deleted there.
//
// One thread at a time for a source. fetch() blocks for the files it finds. ed25519 and ecdsa keys: this libssh2 signs no RSA
// with SHA-2, which servers of today ask for.
#pragma once

#include <syncline/core/clock.h>
#include <syncline/core/error.h>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "domain/stock_file.h"

namespace syncline::postgres {
class Pool;
}

namespace inventory_sync {

class SftpFetch {
public:
    SftpFetch(syncline::postgres::Pool& pool, core::Clock& clock);
    // How many files it fetched; 0 also where the rule's interval has not passed. Errors: transient, code "sftp_unavailable";
    // unauthorized, "host_key_differs" (nothing was sent to that server), "sftp_refused" (key or password), "secret_unreadable";
    // rejected, "file_too_large".
    [[nodiscard]] core::Result<std::uint64_t> fetch(const std::string& source, const FolderRule& rule,
                                                    const std::function<bool()>& ours);

private:
    syncline::postgres::Pool& pool_;
    core::Clock& clock_;
    std::map<std::string, core::SteadyTime> next_;  // When each source is asked again.
};

}  // namespace inventory_sync
