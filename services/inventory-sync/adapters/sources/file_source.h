// Full snapshots that a source drops as CSV or XML files into a folder.
//
// A file NAME.csv (or NAME.xml) is read once it is complete: NAME.csv.done stands beside it, or, with `complete: rename`, as soon
// as it has that name (a writer uses another one until it has finished). It is read twice: the first time to know that all of it
// is good, the second to publish it. Then it goes to done/, or, refused, to refused/ with NAME.csv.reason beside it. A file with
// far fewer rows than the last one is refused, unless an empty NAME.csv.accept says that this is right. A row that a snapshot
// lacks changes nothing: absence is never a zero.
//
// One thread at a time for a folder. poll() blocks for the files it finds.
#pragma once

#include <filesystem>
#include <string>

#include "app/stock_reports.h"
#include "domain/stock_file.h"

namespace syncline::postgres {
class Pool;
}

namespace inventory_sync {

struct FilesRead {
    std::uint64_t taken = 0;
    std::uint64_t refused = 0;
    std::uint64_t rows = 0;
};

class FileSource {
public:
    FileSource(syncline::postgres::Pool& pool, StockReporter& reporter, core::Clock& clock)
        : pool_(pool), reporter_(reporter), clock_(clock) {}
    // Errors: the folder cannot be read, a broker or our database is away; the file stays where it is and is tried again.
    [[nodiscard]] core::Result<FilesRead> poll(const std::string& source, Basis basis, const FolderRule& rule);

private:
    [[nodiscard]] core::Result<std::uint64_t> last_rows(const std::string& source);
    [[nodiscard]] core::Result<std::uint64_t> publish(const std::string& source, Basis basis, const FolderRule& rule,
                                                      const std::filesystem::path& file);

    syncline::postgres::Pool& pool_;
    StockReporter& reporter_;
    core::Clock& clock_;
};

}  // namespace inventory_sync
